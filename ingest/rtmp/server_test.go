package rtmp_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib/pkg/amf0"

	"chalkcast/ingest/guard"
	"chalkcast/ingest/rtmp"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

func TestOBSPublishes(t *testing.T) {
	for name, offset := range map[string]uint32{
		"from zero": 0, "across 24 bits": 0xffffff - 1000, "across 32 bits": 0xffffffff - 1500, "in 31 bits": 1 << 30,
	} {
		t.Run(name, func(t *testing.T) {
			s := mediatest.Stream{Duration: 3 * time.Second, BFrames: 2, Padding: 6000, FPS: 25, GOP: 50}
			p := open(t)
			e := dial(t, p.addr).publish(p.key)
			e.metadata("obs-output module (libobs version 31.0.0)\x00<b>")
			e.headers(s.Tracks())
			for _, f := range s.Frames() {
				e.send(s.Tracks(), f, offset)
			}
			e.stop(p.key)
			if end := p.waitEnd(t, 1); !end.Stopped || end.Code != "" {
				t.Errorf("end %+v, want stopped by the teacher", end)
			}
			compare(t, s, p.recorder)
			if want := "obs-output module (libobs version 31.0.0)<b>"; p.encoder != want {
				t.Errorf("encoder %q, want %q", p.encoder, want)
			}
			if a := p.attempts[0]; a.Protocol != media.RTMP || !a.Remote.Addr().IsLoopback() || a.Mistyped || a.Path != "/live" {
				t.Errorf("attempt %+v", a)
			}
			if g := p.guard.Stats(); g.Accepted != 1 {
				t.Errorf("guard counts %+v", g)
			}
		})
	}
}

func TestLostConnection(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: time.Second}
	e := dial(t, p.addr).publish(p.key)
	e.headers(s.Tracks())
	for _, f := range s.Frames() {
		e.send(s.Tracks(), f, 0)
	}
	p.wait(t, "frames", func() bool { return len(p.runs) == 1 && len(p.runs[0].frames) == len(s.Frames()) })
	e.nc.Close()
	if end := p.waitEnd(t, 1); end.Stopped || end.Code != "" {
		t.Errorf("end %+v, want a lost connection", end)
	}
	if p.attempts[0].At.IsZero() {
		t.Error("the attempt has no time")
	}
}

// A refused encoder hears why before anything that looks like success, and a stranger always hears the same.
func TestRefusals(t *testing.T) {
	p := open(t)
	wrong := p.key
	wrong.Secret = media.NewKey().Secret
	var answers []string
	for _, key := range []string{"", "?", "%00", wrong.Text(), media.NewKey().Text(), "ck_short", strings.Repeat("k", 4000)} {
		e := dial(t, p.addr)
		code, words := e.ask("live", key)
		e.closed()
		if code != "NetStream.Publish.BadName" || strings.Contains(words, string(wrong.Secret)) {
			t.Errorf("key %q: %s %s", key, code, words)
		}
		answers = append(answers, code+words)
	}
	if slices.Sort(answers); len(slices.Compact(answers)) != 1 {
		t.Error("answers differ")
	}
	e := dial(t, p.addr)
	if code, _ := e.ask("live", p.key.Text()); code != "NetStream.Publish.Start" {
		t.Errorf("the right key: %s", code)
	}
}

func TestPathMistypedIsLetIn(t *testing.T) {
	p := open(t)
	if code, _ := dial(t, p.addr).ask("live/abc", " "+p.key.Text()+" "); code != "NetStream.Publish.Start" {
		t.Fatalf("got %s", code)
	}
	if a := p.attempts[0]; !a.Mistyped || a.Path != "/live/abc" {
		t.Errorf("attempt %+v", a)
	}
}

// SEC-10 to SEC-12: the list *RTMP* of hostile inputs. Each ends its own connection, and nothing else.
func TestHostileInput(t *testing.T) {
	var logged safeBuffer
	p := open(t, func(c *rtmp.Config, g *guard.Config) {
		c.Log = slog.New(slog.NewTextHandler(&logged, nil))
		g.PlacesPerIP, g.Failures = 1000, 1000
	})
	app := func(app any) func(*encoder) {
		return func(e *encoder) { e.command(0, "connect", 1.0, amf0.Object{{Key: "app", Value: app}}) }
	}
	raw := func(parts ...[]byte) func(*encoder) { return func(e *encoder) { e.write(bytes.Join(parts, nil)) } }
	size := func(n uint32) []byte {
		return []byte{2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	live := func(f func(*encoder)) func(*encoder) {
		return func(e *encoder) {
			e.publish(p.key)
			f(e)
		}
	}
	for name, attack := range map[string]func(*encoder){
		"random bytes":           raw([]byte(strings.Repeat("\xd1\x5e\x77", 400))),
		"chunk size 0":           raw(size(0)),
		"chunk size 1":           raw(size(1)),
		"chunk size 16 MiB":      raw(size(16 << 20)),
		"chunk size 2^32 − 1":    raw(size(1<<32 - 1)),
		"announced 16 MiB":       raw([]byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0}),
		"form 3 first":           raw([]byte{0xc3, 1, 2, 3}),
		"connect without app":    func(e *encoder) { e.command(0, "connect", 1.0, amf0.Object{}) },
		"connect without object": func(e *encoder) { e.command(0, "connect", 1.0) },
		"app is a number":        app(5.0),
		"app climbs":             app("../../etc"),
		"app climbs backwards":   app(`live\..\x`),
		"app with NUL":           app("live\x00"),
		"app with CR LF":         app("live\r\nINFO fake=line"),
		"app of 2 KiB":           app(strings.Repeat("a", 2048)),
		"app of 64 KiB":          app(strings.Repeat("a", 64<<10)),
		"AMF3 command":           func(e *encoder) { e.message(3, 17, 0, 0, []byte{0, 2, 0, 1, 'x'}) },
		"array of 2^32 − 1":      func(e *encoder) { e.message(3, 20, 0, 0, []byte{0x0a, 0xff, 0xff, 0xff, 0xff}) },
		"depth 64":               func(e *encoder) { e.message(3, 20, 0, 0, bytes.Repeat([]byte{0x0a, 0, 0, 0, 1}, 64)) },
		"command without name":   func(e *encoder) { e.message(3, 20, 0, 0, []byte{5}) },
		"publish first":          func(e *encoder) { e.command(1, "publish", 1.0, nil, p.key.Text(), "live") },
		"createStream first":     func(e *encoder) { e.command(1, "createStream", 1.0, nil) },
		"publish without stream": func(e *encoder) { e.connect("live"); e.command(1, "publish", 1.0, nil, p.key.Text(), "live") },
		"connect twice": func(e *encoder) {
			e.connect("live")
			e.command(0, "connect", 1.0, amf0.Object{{Key: "app", Value: "live"}})
		},
		"nine streams":       func(e *encoder) { e.connect("live"); many(9, func() { e.command(0, "createStream", 2.0, nil) }) },
		"play":               func(e *encoder) { e.connect("live"); e.command(1, "play", 2.0, nil, "x") },
		"media before a key": func(e *encoder) { e.connect("live"); e.audio(0, 1, []byte{1}) },
		"17 KiB before a key": func(e *encoder) {
			e.connect("live")
			many(200, func() { e.command(0, "_checkbw", 2.0, strings.Repeat("x", 90)) })
		},
		"publish twice":           live(func(e *encoder) { e.command(1, "publish", 6.0, nil, p.key.Text(), "live") }),
		"metadata of 64 KiB + 1":  live(func(e *encoder) { e.message(4, 18, 1, 0, make([]byte, 64<<10+1)) }),
		"metadata that is junk":   live(func(e *encoder) { e.message(4, 18, 1, 0, []byte{0x42}) }),
		"empty picture":           live(func(e *encoder) { e.message(4, 9, 1, 0, nil) }),
		"header cut":              live(func(e *encoder) { e.video(0, true, 0, 0, mediatest.H264Params().Config[:9]) }),
		"sound of 256 KiB + 1":    live(func(e *encoder) { e.audio(0, 1, make([]byte, 256<<10)) }),
		"picture of 8 MiB + 1":    live(func(e *encoder) { e.write([]byte{4, 0, 0, 0, 0x80, 0, 1, 9, 1, 0, 0, 0}) }),
		"VP6":                     live(func(e *encoder) { e.message(4, 9, 1, 0, []byte{0x14, 0}) }),
		"multitrack that is junk": live(func(e *encoder) { e.message(4, 9, 1, 0, []byte{0x96, 0x11, 'a'}) }),
	} {
		t.Run(name, func(t *testing.T) {
			e := dial(t, p.addr)
			attack(e)
			e.closed()
		})
	}
	t.Run("not RTMP at all", func(t *testing.T) {
		for _, hello := range []string{strings.Repeat("\x9f\x01", 512), "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00"} {
			nc, err := net.Dial("tcp", p.addr)
			if err != nil {
				t.Fatal(err)
			}
			nc.SetDeadline(time.Now().Add(time.Minute))
			nc.Write([]byte(hello))
			(&encoder{t: t, nc: nc}).closed()
			nc.Close()
		}
	})
	p.wait(t, "the end of all broadcasts", func() bool { return len(p.ends) == p.granted })
	dial(t, p.addr).publish(p.key)
	p.stop()
	if log := logged.String(); strings.Contains(log, string(p.key.Secret)) || strings.Contains(log, "127.0.0.1") || strings.Count(log, "\n") > 1 {
		t.Errorf("one address fills the log, or shows itself or its key:\n%s", log)
	}
}

func many(n int, f func()) {
	for range n {
		f()
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestPicturesThatNoBrowserShows(t *testing.T) {
	p := open(t)
	e := dial(t, p.addr).publish(p.key)
	e.message(4, 9, 1, 0, []byte{0x14, 0, 0, 0})
	if code, words := e.status(); code != "NetStream.Publish.Denied" || !strings.Contains(words, "VP6") || !strings.Contains(words, "H.264") {
		t.Errorf("got %s %q", code, words)
	}
	if end := p.waitEnd(t, 1); end.Code != media.VideoCodec || end.Stopped {
		t.Errorf("end %+v", end)
	}
}

func TestSoundThatNoBrowserPlays(t *testing.T) {
	s := mediatest.Stream{Duration: time.Second, NoAudio: true}
	p := open(t)
	e := dial(t, p.addr).publish(p.key)
	e.headers(s.Tracks())
	for _, f := range s.Frames() {
		e.message(4, 8, 1, uint32(f.DTS/90), []byte{0x2f, 1, 2, 3})
		e.send(s.Tracks(), f, 0)
	}
	p.wait(t, "the warning", func() bool {
		return slices.ContainsFunc(p.warnings, func(w media.Warning) bool { return w.Code == media.AudioCodec && w.Detail == "MP3" })
	})
	e.stop(p.key)
	p.waitEnd(t, 1)
	compare(t, s, p.recorder)
	if n := p.server.Stats().Skipped; n != 30 {
		t.Errorf("%d frames were left out, want 30", n)
	}
}

// fakeClock is moved by hand.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func withClock() (*fakeClock, option) {
	c := &fakeClock{now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)}
	return c, func(r *rtmp.Config, _ *guard.Config) { r.Now = c.Now }
}

func TestNothingThatCanBePlayed(t *testing.T) {
	for name, tc := range map[string]struct {
		body []byte
		code media.Code
	}{
		"only MP3":           {[]byte{0x2f, 1, 2, 3}, media.AudioCodec},
		"no sequence header": {[]byte{0xaf, 1, 2, 3}, media.StreamBroken},
	} {
		t.Run(name, func(t *testing.T) {
			clock, at := withClock()
			p := open(t, at)
			e := dial(t, p.addr).publish(p.key)
			e.message(4, 8, 1, 0, tc.body)
			p.sync(e)
			clock.move(11 * time.Second)
			e.message(4, 8, 1, 23, tc.body)
			if code, _ := e.status(); code != "NetStream.Publish.Denied" {
				t.Errorf("got %s", code)
			}
			if end := p.waitEnd(t, 1); end.Code != tc.code {
				t.Errorf("end %+v, want %s", end, tc.code)
			}
		})
	}
}

// sync returns when the server has obeyed everything sent so far.
func (p *place) sync(e *encoder) {
	e.t.Helper()
	e.command(0, "createStream", 99.0, nil)
	if e.hear("_result") == nil {
		e.t.Fatal("connection ended")
	}
}

// A track that comes late joins at a new opening of the sink; one that comes soon is waited for.
func TestLateTrack(t *testing.T) {
	clock, at := withClock()
	p := open(t, at)
	s := mediatest.Stream{Duration: 2 * time.Second}
	tracks, frames := s.Tracks(), s.Frames()
	e := dial(t, p.addr).publish(p.key)
	e.headers(tracks[:1])
	for _, f := range frames[:20] {
		if f.Track == 0 {
			e.send(tracks, f, 0)
		}
	}
	p.sync(e)
	if len(p.runs) != 0 {
		t.Error("did not wait for the second track")
	}
	clock.move(501 * time.Millisecond)
	e.send(tracks, frames[21], 0)
	p.sync(e)
	if len(p.runs) != 1 || len(p.runs[0].tracks) != 1 || len(p.runs[0].frames) == 0 {
		t.Fatalf("after 501 ms: %d runs", len(p.runs))
	}
	e.headers(tracks[1:])
	for _, f := range frames[22:40] {
		e.send(tracks, f, 0)
	}
	p.sync(e)
	if len(p.runs) != 2 || !p.runs[0].closed || len(p.runs[1].tracks) != 2 || len(p.runs[1].frames) != 18 {
		t.Fatalf("after sound: %d runs", len(p.runs))
	}
}

// OBS with several qualities sends the header of the sound, then one for each picture, then frames: that is one
// run from the beginning. What is beyond the limit is left out.
func TestHeadersOfSeveralQualities(t *testing.T) {
	p := open(t)
	sizes := []mediatest.Stream{{Width: 1280, Height: 720}, {Width: 854, Height: 480}, {Width: 640, Height: 360}, {}, {Width: 160, Height: 90}}
	params := func(i int) *media.Params { return sizes[i].Tracks()[0].Params }
	sound := sizes[0].Tracks()[1]
	e := dial(t, p.addr).publish(p.key)
	e.audio(0, 0, sound.Params.Config)
	e.video(0, true, 0, 0, params(0).Config)
	for i := 1; i < len(sizes); i++ {
		e.quality(byte(i), 0, 0, params(i).Config)
	}
	picture := sizes[0].Frames()[0].Data
	for n := range uint32(3) {
		e.video(n*40, true, 1, 0, picture)
		for i := 1; i < len(sizes); i++ {
			e.quality(byte(i), n*40, 1, picture)
		}
	}
	p.sync(e)
	if len(p.runs) != 1 || len(p.runs[0].tracks) != 5 || len(p.runs[0].frames) != 4*3 {
		t.Fatalf("%d runs, the first with %d tracks and %d frames; want one with 4 pictures and sound, 12 frames",
			len(p.runs), len(p.runs[0].tracks), len(p.runs[0].frames))
	}
	for i, track := range p.runs[0].tracks[:4] {
		if track.Params.Width != params(i).Width || track.Kind != media.Video {
			t.Errorf("track %d is %v of %d pixels, want a picture of %d", i, track.Kind, track.Params.Width, params(i).Width)
		}
	}
	if n := p.server.Stats().Skipped; n != 4 {
		t.Errorf("%d messages of the fifth picture were skipped, want 4", n)
	}
}

// Another codec in the middle makes a new run with other tracks; other parameters ride on a frame.
func TestCodecChanges(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: time.Second}
	tracks := s.Tracks()
	e := dial(t, p.addr).publish(p.key)
	e.headers(tracks)
	for _, f := range s.Frames() {
		e.send(tracks, f, 0)
	}
	large := mediatest.Stream{Width: 640, Height: 360, Duration: time.Second, NoAudio: true}
	e.message(4, 9, 1, 1000, append([]byte("\x90avc1"), large.Tracks()[0].Params.Config...)) // enhanced, mid-stream
	e.send(large.Tracks(), large.Frames()[0], 1000)
	e.message(4, 9, 1, 1040, append([]byte("\x90av01"), []byte("\x81\x00\x0c\x00\x0a\x0a\x00\x00\x00\x02\xaf\xf7\x9b\x5f\x20\x08")...))
	e.message(4, 9, 1, 1040, []byte("\x93av01\x12\x00\x32\x01x"))
	p.sync(e)
	if len(p.runs) != 2 || p.runs[1].tracks[0].Params.Codec != media.AV1 || p.runs[1].tracks[1].Params.Codec != media.AAC {
		t.Fatalf("%d runs", len(p.runs))
	}
	video := p.recorder.frames(media.Video)
	if n := len(video); n != 32 || video[30].Params == nil || video[30].Params.Width != 640 || string(video[31].Data) != "\x32\x01x" {
		t.Errorf("%d pictures, parameters %+v", n, video[30].Params)
	}
}

func TestSecondEncoder(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: time.Second}
	begin := func(e *encoder) {
		e.headers(s.Tracks())
		for _, f := range s.Frames() {
			e.send(s.Tracks(), f, 0)
		}
		p.sync(e)
	}
	first := dial(t, p.addr).publish(p.key)
	begin(first)
	second := dial(t, p.addr)
	if code, words := second.ask("live", p.key.Text()); code != "NetStream.Publish.BadName" || !strings.Contains(words, "Another") {
		t.Errorf("second encoder: %s %s", code, words)
	}
	third := dial(t, p.addr)
	if code, _ := third.ask("live", p.key.Text()+"?takeover=1"); code != "NetStream.Publish.Start" {
		t.Errorf("takeover: %s", code)
	}
	if code, _ := first.status(); code != "NetStream.Publish.BadName" {
		t.Errorf("the first encoder hears %q", code)
	}
	first.closed()
	begin(third)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.runs) != 2 || !p.runs[0].closed || len(p.runs[1].frames) != len(s.Frames()) {
		t.Errorf("%d runs", len(p.runs))
	}
}

func TestRevokedKeyEndsTheBroadcast(t *testing.T) {
	p := open(t)
	e := dial(t, p.addr).publish(p.key)
	start := time.Now()
	p.desk.Revoke(p.key.ID)
	if code, _ := e.status(); code != "NetStream.Publish.BadName" {
		t.Errorf("got %q", code)
	}
	e.closed()
	if end := p.waitEnd(t, 1); end.Code != media.KeyRevoked || end.Stopped {
		t.Errorf("end %+v", end)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestSilentEncoderIsLost(t *testing.T) {
	p := open(t, func(c *rtmp.Config, _ *guard.Config) { c.ReadTimeout = 50 * time.Millisecond })
	e := dial(t, p.addr).publish(p.key)
	e.closed()
	if end := p.waitEnd(t, 1); end.Stopped || end.Code != "" {
		t.Errorf("end %+v", end)
	}
}

func TestStopOfTheServer(t *testing.T) {
	p := open(t)
	e := dial(t, p.addr).publish(p.key)
	half := dial(t, p.addr) // shook hands, no more
	p.stop()
	e.closed()
	half.closed()
	if end := p.waitEnd(t, 1); end.Stopped || end.Code != "" {
		t.Errorf("end %+v", end)
	}
}

// SEC-13
func TestPanicClosesOnlyItsConnection(t *testing.T) {
	p := open(t)
	good := dial(t, p.addr).publish(p.key)
	p.note(func() { p.panics = true })
	bad := dial(t, p.addr)
	bad.connect("live")
	bad.command(0, "createStream", 4.0, nil)
	bad.command(1, "publish", 5.0, nil, p.key.Text(), "live")
	bad.closed()
	p.note(func() { p.panics = false })
	p.sync(good)
	if n := p.server.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
	p.forgiven = 1
}

// Ten thousand bad publishes would take the suite's minute; a tenth shows that places are given back.
func TestBadPublishesDoNotStopAGoodOne(t *testing.T) {
	p := open(t, func(_ *rtmp.Config, g *guard.Config) { g.PlacesPerIP, g.Places = 8, 32 })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				nc, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp", p.addr)
				if err != nil {
					return
				}
				nc.SetDeadline(time.Now().Add(time.Minute))
				nc.Write(append([]byte{3}, make([]byte, 3072)...))
				nc.Close()
			}
		})
	}
	start := time.Now()
	dial(t, p.addr).publish(p.key)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	close(stop)
	wg.Wait()
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestRTMPS(t *testing.T) {
	p := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := guard.Listen(l, guard.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { // ends with ctx, awaited below
		done <- p.server.Serve(ctx, tls.NewListener(g, &tls.Config{Certificates: []tls.Certificate{certificate(t)}}))
	}()
	nc, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	e := shake(t, nc).publish(p.key)
	if p.attempts[0].Protocol != media.RTMPS || g.Stats().Accepted != 1 || g.Waiting() != 0 {
		t.Errorf("attempt by %s, guard %+v", p.attempts[0].Protocol, g.Stats())
	}
	p.desk.Revoke(p.key.ID)
	if code, _ := e.status(); code != "NetStream.Publish.BadName" {
		t.Errorf("got %q", code)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenerThatFails(t *testing.T) {
	p := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := p.server.Serve(t.Context(), l); err == nil || !strings.Contains(fmt.Sprint(err), "accept encoders") {
		t.Errorf("got %v", err)
	}
}
