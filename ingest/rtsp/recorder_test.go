package rtsp_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/ingest/rtsp"
	"chalkcast/media"
)

// recorder is the school behind the desk: it lets one key in and keeps what arrives.
type recorder struct {
	key media.Key

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when something arrives
	attempts []media.Attempt
	refusal  *media.Refusal // for the good key
	encoder  string
	opened   [][]media.Track
	written  []*media.Frame
	ends     []media.End
}

func newRecorder() *recorder { return &recorder{key: media.NewKey(), changed: make(chan struct{})} }

func (r *recorder) note(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) Admit(_ context.Context, a media.Attempt) (media.Grant, error) {
	r.note(func() { r.attempts = append(r.attempts, a) })
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !a.HasKey || a.Key != r.key:
		return media.Grant{}, &media.Refusal{Code: media.KeyWrong}
	case r.refusal != nil:
		return media.Grant{}, r.refusal
	}
	return media.Grant{Broadcast: media.NewID(), Publisher: 7, KeyID: a.Key.ID}, nil
}

func (r *recorder) Started(_ media.Grant, _ []media.Track, encoder string) {
	r.note(func() { r.encoder = encoder })
}
func (r *recorder) Health(media.Grant, media.Health) {}
func (r *recorder) Ended(_ media.Grant, e media.End) { r.note(func() { r.ends = append(r.ends, e) }) }

func (*recorder) Rest() time.Duration { return 0 }

func (r *recorder) Write(f *media.Frame) error {
	r.note(func() { r.written = append(r.written, f) })
	return nil
}
func (r *recorder) Close(media.End) error { return nil }
func (r *recorder) Open(_ context.Context, _ media.Grant, t []media.Track) (ingest.Writer, error) {
	r.note(func() { r.opened = append(r.opened, t) })
	return r, nil
}

// wait returns when done says so.
func (r *recorder) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited 20 s for %s", what)
		}
	}
}

func (r *recorder) waitEnd(t *testing.T) media.End {
	t.Helper()
	r.wait(t, "the end", func() bool { return len(r.ends) > 0 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ends) > 1 {
		t.Errorf("%d ends", len(r.ends))
	}
	return r.ends[0]
}

// frames returns what arrived of the track of this kind, and the track.
func (r *recorder) frames(t *testing.T, kind media.Kind) (media.Track, []*media.Frame) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.opened) == 0 {
		t.Fatal("no broadcast")
	}
	for _, track := range r.opened[len(r.opened)-1] {
		if track.Kind == kind {
			return track, slices.DeleteFunc(slices.Clone(r.written), func(f *media.Frame) bool { return f.Track != track.ID })
		}
	}
	t.Fatalf("no %v track", kind)
	return media.Track{}, nil
}

// place is a server with a recorder behind it.
type place struct {
	*recorder
	desk    *ingest.Desk
	server  *rtsp.Server
	guard   *guard.Listener
	address string
	scheme  string
	stop    func()
	served  chan struct{} // closed when Serve has returned
}

func open(t *testing.T, change ...func(*rtsp.Config)) *place {
	t.Helper()
	p := &place{recorder: newRecorder(), scheme: "rtsp"}
	p.desk = ingest.NewDesk(ingest.Config{Gate: p.recorder, Sink: p.recorder})
	cfg := rtsp.Config{Desk: p.desk}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.TLS != nil {
		p.scheme = "rtsps"
	}
	p.server = rtsp.New(cfg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	limits := rtsp.GuardConfig()
	limits.PlacesPerIP, limits.Failures = 1000, 1000
	p.guard = guard.Listen(l, limits)
	ctx, cancel := context.WithCancel(context.Background())
	p.stop, p.served = cancel, make(chan struct{})
	var failed error
	go func() { failed = p.server.Serve(ctx, p.guard); close(p.served) }()
	t.Cleanup(func() {
		cancel()
		<-p.served
		if failed != nil {
			t.Errorf("Serve: %v", failed)
		}
		if n := p.server.Stats().Panics; n > 0 {
			t.Errorf("%d panics", n)
		}
	})
	return p
}

func (p *place) url() string {
	return fmt.Sprintf("%s://%s/live/%s", p.scheme, p.address, p.key.Text())
}

// udp makes the server take UDP on a free pair of ports.
func udp(t *testing.T) func(*rtsp.Config) {
	t.Helper()
	return func(c *rtsp.Config) { c.UDP = freePair(t) }
}

func freePair(t *testing.T) string {
	t.Helper()
	for range 100 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port &^ 1
		a.Close()
		first, err1 := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		second, err2 := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err1 == nil {
			first.Close()
		}
		if err2 == nil {
			second.Close()
		}
		if err1 == nil && err2 == nil {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no free pair of ports")
	return ""
}
