package rtmp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/media"
)

const (
	writeTimeout = 5 * time.Second
	goodbyeFor   = 2 * time.Second        // for an encoder that stopped to close the connection
	lingerFor    = 200 * time.Millisecond // for the encoder to read our last words
	maxStreams   = 8                      // message streams that one encoder may create
)

// errStopped ends a connection whose teacher pressed Stop.
var errStopped = errors.New("stopped")

// conn is one encoder. All fields above mu belong to the goroutine in run.
type conn struct {
	server   *Server
	nc       net.Conn
	protocol media.Protocol
	remote   netip.AddrPort

	chunks *chunkReader
	inlet  inlet
	window uint32 // acknowledge after so many bytes
	acked  uint32

	connected bool
	app       string
	tcURL     string
	streams   int // message streams created
	encoder   string
	stopped   bool

	session *ingest.Session // nil until let in
	intake  *intake

	mu      sync.Mutex // guards what follows and every move of the read deadline
	leaving *goodbye
	allowed time.Time // when the read deadline was last moved
}

// goodbye is why somebody else ends the connection; a nil refusal means that the server stops.
type goodbye struct{ why *media.Refusal }

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{server: s, nc: nc, protocol: protocolOf(nc), window: ourWindow}
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		c.remote = tcp.AddrPort()
	}
	c.inlet.c = c
	c.chunks = newChunkReader(&c.inlet, limitStranger)
	return c
}

// run talks to the encoder until it ends. The error says why; nil means that nothing was wrong.
func (c *conn) run(ctx context.Context) (err error) {
	defer func() { // also when a bug panics
		if c.session != nil {
			c.session.End(c.stopped, reason(err))
		}
	}()
	err = c.read(ctx)
	if errors.Is(err, errStopped) {
		return nil
	}
	c.mu.Lock()
	leaving := c.leaving
	c.mu.Unlock()
	switch {
	case leaving != nil && leaving.why == nil:
		return nil
	case leaving != nil:
		err = leaving.why
	}
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		c.apologize(r)
	}
	return err
}

// reason says why the server ended a broadcast, nil when it did not.
func reason(err error) *media.Refusal {
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		return r
	}
	if errors.Is(err, ErrProtocol) {
		return broken(err)
	}
	return nil
}

// apologize tells an encoder that is refused why, in words that its user may see. The broadcast ends before, so
// that nobody waits for a dead line.
func (c *conn) apologize(r *media.Refusal) {
	if c.session != nil {
		c.session.End(c.stopped, r)
	}
	code, words := answer(r)
	_ = c.send(appendCommand(nil, 1, "onStatus", 0, nil, status("error", code, words)))
	c.linger()
}

// linger lets the answer out before the connection closes: closing with unread input would reset it.
func (c *conn) linger() {
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerFor))
	_, _ = io.CopyN(io.Discard, c.nc, 1<<20)
}

// hangUp makes run return soon, from another goroutine. Only the first reason counts.
func (c *conn) hangUp(why *media.Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving == nil {
		c.leaving = &goodbye{why}
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// allow gives the encoder time to send something, unless it has to go.
func (c *conn) allow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving == nil {
		c.allowed = time.Now()
		c.nc.SetReadDeadline(c.allowed.Add(d))
	}
}

// stillAllow gives the encoder the usual time again. A timer costs as much as a small frame: it is moved when an eighth
// of the time is over.
func (c *conn) stillAllow() {
	if d := c.server.cfg.ReadTimeout; time.Since(c.allowed) > d/8 {
		c.allow(d)
	}
}

func (c *conn) send(b []byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.nc.Write(b)
	return err
}

// read obeys messages until the connection ends.
func (c *conn) read(ctx context.Context) error {
	c.allow(c.server.cfg.ReadTimeout)
	if err := handshake(struct {
		io.Reader
		io.Writer
	}{c.chunks.r, writerFunc(c.send)}); err != nil {
		return err
	}
	for {
		m, err := c.chunks.next()
		if err != nil {
			return c.lost(err)
		}
		if err := c.acknowledge(); err != nil {
			return err
		}
		if err := c.obey(ctx, m); err != nil {
			return err
		}
		if !c.stopped {
			c.stillAllow()
		}
	}
}

type writerFunc func([]byte) error

func (f writerFunc) Write(b []byte) (int, error) {
	if err := f(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// lost says what the end of the connection means: after Stop it is what we waited for.
func (c *conn) lost(err error) error {
	if c.stopped {
		return errStopped
	}
	return err
}

// acknowledge confirms a window of bytes (RTMP section 5.4.3); some encoders stop sending without.
func (c *conn) acknowledge() error {
	if c.inlet.n-c.acked < c.window {
		return nil
	}
	c.acked = c.inlet.n
	return c.send(appendControl(nil, typeAck, c.acked))
}

func (c *conn) obey(ctx context.Context, m message) error {
	switch m.typ {
	case typeAudio, typeVideo:
		if c.session == nil || c.stopped {
			return nil
		}
		return c.intake.message(m)
	case typeCommandAMF0:
		cmd, err := parseCommand(m)
		if err != nil {
			return err
		}
		return c.command(ctx, cmd)
	case typeCommandAMF3:
		return protocolErrorf("AMF3 command")
	case typeDataAMF0:
		return c.data(m.body)
	case typeWindowAckSize:
		if len(m.body) >= 4 {
			c.window = max(64<<10, min(ourWindow, binary.BigEndian.Uint32(m.body)))
		}
	case typeUserControl:
		return c.ping(m.body)
	}
	return nil
}

// ping answers a ping request (RTMP section 7.1.7).
func (c *conn) ping(b []byte) error {
	const request, response = 6, 7
	if len(b) < 6 || binary.BigEndian.Uint16(b) != request {
		return nil
	}
	return c.send(appendMessage(nil, controlStream, typeUserControl, 0, append([]byte{0, response}, b[2:6]...)))
}

// data reads onMetaData, in which the encoder names itself.
func (c *conn) data(b []byte) error {
	values, err := decodeAMF(b)
	if err != nil {
		return err
	}
	for _, v := range values {
		if o, ok := v.(object); ok {
			if name, ok := o.text("encoder"); ok {
				c.encoder = ingest.Printable(name, 120)
				if c.intake != nil {
					c.intake.encoder = c.encoder
				}
			}
		}
	}
	return nil
}

func (c *conn) command(ctx context.Context, cmd command) error {
	switch cmd.name {
	case "connect":
		return c.connect(cmd)
	case "play", "play2":
		return c.refusePlay()
	case "publish":
		return c.publish(ctx, cmd)
	case "createStream":
		return c.createStream(cmd)
	case "releaseStream", "FCPublish":
		return c.send(appendCommand(nil, 0, "_result", cmd.transaction, nil, nil))
	case "FCUnpublish", "deleteStream", "closeStream":
		return c.unpublish()
	}
	return nil
}

func (c *conn) connect(cmd command) error {
	if c.connected || len(cmd.args) == 0 {
		return protocolErrorf("connect")
	}
	o, _ := cmd.args[0].(object)
	app, ok := o.text("app")
	c.tcURL, _ = o.text("tcUrl")
	if !ok || !acceptable(app) || !acceptable(c.tcURL) {
		_ = c.send(appendCommand(nil, 0, "_error", cmd.transaction, nil, status("error", "NetConnection.Connect.InvalidApp", "This address is not known here.")))
		c.linger()
		return protocolErrorf("connect with app %q", ingest.Printable(ingest.FindKey(app, app).Path, 100))
	}
	if version, ok := o.text("flashVer"); ok {
		c.encoder = ingest.Printable(version, 120)
	}
	c.app, c.connected = app, true
	b := appendControl(nil, typeWindowAckSize, ourWindow)
	b = appendControl(b, typePeerBandwidth, ourWindow, 2)
	b = appendControl(b, typeSetChunkSize, ourChunkSize)
	info := status("status", "NetConnection.Connect.Success", "Connection succeeded.")
	info = append(info, property{"objectEncoding", 0})
	if o.has("fourCcList") || o.has("videoFourCcInfoMap") || o.has("capsEx") {
		info = append(info, enhancedCapabilities()...)
	}
	server := object{{"fmsVer", "FMS/3,0,1,123"}, {"capabilities", 31}}
	return c.send(appendCommand(b, 0, "_result", cmd.transaction, server, info))
}

// acceptable reports whether text could be part of an address.
func acceptable(s string) bool {
	if len(s) > ingest.MaxPath {
		return false
	}
	for _, part := range splitPath(s) {
		if part == ".." {
			return false
		}
	}
	return ingest.Printable(s, ingest.MaxPath) == s
}

// enhancedCapabilities says which codecs we carry (Enhanced RTMP v2, connect).
func enhancedCapabilities() object {
	const canForward = 4
	const multitrackAndModEx = 2 | 4
	codecs := func(names ...string) (o object) {
		for _, n := range names {
			o = append(o, property{n, canForward})
		}
		return o
	}
	return object{
		{"capsEx", multitrackAndModEx},
		{"videoFourCcInfoMap", codecs("avc1", "hvc1", "av01", "vp09")},
		{"audioFourCcInfoMap", codecs("mp4a", "Opus")},
	}
}

func (c *conn) createStream(cmd command) error {
	if !c.connected {
		return protocolErrorf("createStream before connect")
	}
	if c.streams++; c.streams > maxStreams {
		return protocolErrorf("more than %d streams", maxStreams)
	}
	return c.send(appendCommand(nil, 0, "_result", cmd.transaction, nil, c.streams))
}

func (c *conn) refusePlay() error {
	_ = c.send(appendCommand(nil, 1, "onStatus", 0, nil, status("error", "NetStream.Play.Failed", "This server only takes streams.")))
	c.linger()
	return protocolErrorf("play")
}

// publish asks the desk. Until it agrees the encoder has heard nothing that looks like success, because OBS shows
// a refusal only before NetStream.Publish.Start.
func (c *conn) publish(ctx context.Context, cmd command) error {
	if !c.connected || c.streams == 0 || c.session != nil {
		return protocolErrorf("publish out of turn")
	}
	a := findKey(c.app, c.tcURL, cmd.text(1))
	a.At, a.Protocol, a.Remote = c.server.cfg.Now(), c.protocol, c.remote
	session, err := c.server.cfg.Desk.Admit(ctx, a, c.hangUp)
	if err != nil {
		c.penalize(err)
		return err
	}
	c.session = session
	c.server.count.published.Add(1)
	c.intake = &intake{session: session, cfg: &c.server.cfg, skipped: &c.server.count.skipped, encoder: c.encoder}
	c.chunks.limit = limitGuest
	c.inlet.gather()
	if g := guard.Of(c.nc); g != nil {
		g.Accepted()
	}
	b := appendStreamBegin(nil, cmd.stream)
	b = appendCommand(b, cmd.stream, "onStatus", 0, nil, status("status", "NetStream.Publish.Start", "You are live to chalkcast."))
	return c.send(b)
}

// penalize counts keys that are not good against the address they came from.
func (c *conn) penalize(err error) {
	r := reason(err)
	if r == nil || r.Code != media.KeyWrong && r.Code != media.KeyRevoked {
		return
	}
	if g := guard.Of(c.nc); g != nil {
		g.Failed()
	}
}

// unpublish ends the broadcast: the teacher pressed Stop. The encoder closes the connection when it is ready;
// GStreamer calls it an error when we are faster.
func (c *conn) unpublish() error {
	if c.session == nil || c.stopped {
		return nil
	}
	err := c.intake.flush()
	c.stopped = true
	c.inlet.scatter()
	c.session.End(true, reason(err))
	c.allow(goodbyeFor)
	return err
}
