package rtsp

import (
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"chalkcast/ingest"
	"chalkcast/media"
)

const (
	// Packets that may wait. Over TCP one has up to 64 KiB, over UDP 1472 bytes: at most 8 MiB and 1.5 MiB.
	queueTCP = 128
	queueUDP = 1024

	// How long the first frames wait for parameters, for the other track and for sender reports: GStreamer's first
	// report comes after 0.5 to 2.5 s.
	holdLimit = 3 * time.Second
	holdBytes = 8 << 20
	// How long a broadcast may be without a single frame that can be decoded, and how often we look whether anything
	// comes at all: an encoder that hangs goes on saying that it is alive.
	silentLimit = 12 * time.Second
)

type rtpPacket = *rtp.Packet

// packet is what the library's goroutines hand to the publisher's: media, or a sender report.
type packet struct {
	track  int
	at     time.Duration // since the publisher began
	rtp    rtpPacket
	report *senderReport
}

// publisher is one encoder that was let in.
type publisher struct {
	server  *Server
	conn    *gortsplib.ServerConn
	rtsp    *gortsplib.ServerSession
	session *ingest.Session
	encoder string
	begin   time.Time
	timer   *time.Timer // closes an encoder that does not come to RECORD

	queue    chan packet
	wait     bool          // what a full queue does: make the library wait, or lose the packet
	stop     chan struct{} // closed when the library is done with the session
	stopped  atomic.Bool   // set before: the teacher pressed Stop
	finished chan struct{} // closed when run has ended; nil before RECORD

	// owned by run
	tracks  []*track
	clock   *clock
	held    []heldUnit // before the session was started
	heldLen int
	started bool
	epoch   time.Duration
}

type heldUnit struct {
	track int
	unit  unit
}

func newPublisher(s *Server, c *gortsplib.ServerConn, session *gortsplib.ServerSession) *publisher {
	return &publisher{server: s, conn: c, rtsp: session, begin: s.cfg.Now(), stop: make(chan struct{})}
}

// announce takes the tracks. The error is a *media.Refusal.
func (p *publisher) announce(d *description.Session) (err error) {
	if p.tracks, err = tracksOf(d, &p.server.count); err != nil {
		return err
	}
	p.clock = newClock(p.tracks)
	return nil
}

// patience closes the connection after d unless record comes before.
func (p *publisher) patience(d time.Duration) { p.timer = time.AfterFunc(d, p.conn.Close) }

// record starts the publisher's goroutine; close waits for it. It is called in the library's callback, before
// packets flow.
func (p *publisher) record() {
	p.timer.Stop()
	size := queueTCP
	p.wait = *p.rtsp.SetuppedTransport() == gortsplib.TransportTCP
	if !p.wait {
		size = queueUDP
	}
	p.queue, p.finished = make(chan packet, size), make(chan struct{})
	for i, t := range p.tracks {
		p.rtsp.OnPacketRTP(t.source, t.format, func(pkt *rtp.Packet) { p.push(packet{track: i, rtp: pkt}) })
		p.rtsp.OnPacketRTCP(t.source, func(pkt rtcp.Packet) {
			if r, ok := pkt.(*rtcp.SenderReport); ok && r.NTPTime != 0 {
				p.push(packet{track: i, report: &senderReport{wall: wallOf(r.NTPTime), rtp: r.RTPTime}})
			}
		})
	}
	go p.run() // ends soon after p.stop is closed
}

// wallOf converts an NTP timestamp (RFC 5905 section 6) to time since 1970.
func wallOf(ntp uint64) time.Duration {
	const from1900to1970 = 2208988800
	seconds, fraction := int64(ntp>>32)-from1900to1970, int64(ntp&0xffffffff)
	return time.Duration(seconds)*time.Second + time.Duration(fraction*int64(time.Second)>>32)
}

// push hands a packet over. It never blocks the goroutine that serves all UDP encoders.
func (p *publisher) push(pkt packet) {
	pkt.at = p.server.cfg.Now().Sub(p.begin)
	if p.wait {
		select {
		case p.queue <- pkt:
		case <-p.finished:
		}
		return
	}
	select {
	case p.queue <- pkt:
	default:
		p.server.count.lost.Add(1)
	}
}

// close ends the broadcast and waits until it has ended.
func (p *publisher) close(stopped bool) {
	p.timer.Stop()
	p.stopped.Store(stopped)
	close(p.stop)
	if p.finished != nil {
		<-p.finished
	} else {
		p.session.End(stopped, nil)
	}
	p.conn.Close()
}

func (p *publisher) run() {
	defer close(p.finished)
	why := &media.Refusal{Code: media.ServerBusy} // unless loop returns
	defer func() {
		p.server.panicked(recover())
		p.session.End(p.stopped.Load(), why)
		p.rtsp.Close()
	}()
	err := p.loop()
	why = nil
	if err != nil {
		why = refusalOf(err)
		p.server.cfg.Log.Debug("encoder sent away", "code", why.Code, "err", err)
	}
}

// loop takes packets until the library is done, or the broadcast must end.
func (p *publisher) loop() error {
	hold, silent := time.NewTimer(holdLimit), time.NewTicker(silentLimit)
	defer hold.Stop()
	defer silent.Stop()
	patient, heard := true, false
	for {
		var err error
		select {
		case pkt := <-p.queue:
			heard = heard || pkt.rtp != nil
			err = p.take(pkt)
			if err == nil && !p.started && (p.complete() || !patient || p.heldLen > holdBytes) {
				err = p.start()
			}
		case <-hold.C:
			patient = false
			err = p.start()
		case <-silent.C:
			if !p.started {
				err = p.silence()
			} else if !heard {
				err = &media.Refusal{Code: media.Disconnected}
			}
			heard = false
		case <-p.stop:
			return p.drain()
		}
		if err != nil {
			return err
		}
	}
}

// drain writes what is left when the encoder has stopped.
func (p *publisher) drain() error {
	for {
		select {
		case pkt := <-p.queue:
			if err := p.take(pkt); err != nil {
				return err
			}
		default:
			if p.started {
				return nil
			}
			return p.start()
		}
	}
}

// silence is the refusal of an encoder from which nothing came that can be decoded.
func (p *publisher) silence() error {
	for _, t := range p.tracks {
		if t.Kind == media.Video && t.Params != nil {
			return &media.Refusal{Code: media.KeyframeLong, Detail: "12"}
		}
	}
	return brokenf("nothing in it can be decoded")
}

func (p *publisher) take(pkt packet) error {
	if pkt.report != nil {
		p.clock.report(pkt.track, *pkt.report)
		return nil
	}
	t := p.tracks[pkt.track]
	units, err := t.unpack.unpack(pkt.rtp, p.clock.unwrap(pkt.track, pkt.rtp.Timestamp, pkt.at))
	if err != nil {
		return err
	}
	for _, u := range units {
		if err := p.unit(t, u); err != nil {
			return err
		}
	}
	return nil
}

// unit holds or writes a unit.
func (p *publisher) unit(t *track, u unit) error {
	t.counted = true
	if u.params != nil {
		first := t.Params == nil
		t.Params = u.params
		if first {
			u.params = nil // Start and Retrack say it
		}
	}
	if !p.started {
		p.held = append(p.held, heldUnit{t.ID, u})
		p.heldLen += len(u.data)
		return nil
	}
	if !t.started {
		if err := p.retrack(t); err != nil {
			return err
		}
	}
	return p.write(t, u)
}

// complete reports whether there is nothing left to wait for.
func (p *publisher) complete() bool {
	for _, t := range p.tracks {
		if t.Params == nil || !t.counted {
			return false
		}
	}
	return len(p.tracks) == 1 || p.clock.exact()
}

// start begins the session with the tracks that are known and writes what was held. Without any frame it does
// nothing.
func (p *publisher) start() error {
	if len(p.held) == 0 {
		return nil
	}
	p.started = true
	p.clock.settle()
	p.epoch = 1<<63 - 1
	for _, h := range p.held {
		p.epoch = min(p.epoch, p.clock.wall(h.track, h.unit.dts))
	}
	for _, t := range p.tracks {
		t.started = t.Params != nil
	}
	if err := p.session.Start(p.current(), p.encoder); err != nil {
		return err
	}
	held := p.held
	p.held = nil
	for _, h := range held {
		if err := p.write(p.tracks[h.track], h.unit); err != nil {
			return err
		}
	}
	return nil
}

// retrack adds a track whose parameters came late.
func (p *publisher) retrack(t *track) error {
	t.started = true
	return p.session.Retrack(p.current())
}

func (p *publisher) current() (tracks []media.Track) {
	for _, t := range p.tracks {
		if t.started {
			tracks = append(tracks, t.Track)
		}
	}
	return tracks
}

func (p *publisher) write(t *track, u unit) error {
	moved := t.ID == p.clock.main && u.sync && p.clock.correct()
	return p.session.Write(&media.Frame{
		Track:         t.ID,
		Sync:          u.sync,
		Discontinuity: moved,
		DTS:           p.clock.time(t.ID, u.dts, p.epoch),
		CTO:           offset(u.pts - u.dts),
		Params:        u.params,
		Data:          u.data,
	})
}

// offset keeps a composition offset within what a frame can say.
func offset(t media.Ticks) int32 {
	const most = 10 * videoClock
	return int32(max(-most, min(most, t)))
}
