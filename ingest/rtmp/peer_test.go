package rtmp_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/ingest/rtmp"
	"chalkcast/media"
)

// recorder stands for the classroom and for the HLS origin: it lets one key in and keeps everything.
type recorder struct {
	key media.Key

	mu       sync.Mutex
	changed  chan struct{}
	attempts []media.Attempt
	runs     []*run
	encoder  string
	granted  int
	ends     []media.End
	warnings []media.Warning
	panics   bool
	forgiven uint64 // panics that the test asked for
}

// run is what came between two openings of the sink.
type run struct {
	r      *recorder
	tracks []media.Track
	frames []*media.Frame
	closed bool
}

func newRecorder() *recorder {
	return &recorder{key: media.NewKey(), changed: make(chan struct{})}
}

func (r *recorder) Admit(_ context.Context, a media.Attempt) (media.Grant, error) {
	var panics bool
	r.note(func() { r.attempts, panics = append(r.attempts, a), r.panics })
	if panics {
		panic("asked for")
	}
	if !a.HasKey || a.Key != r.key {
		return media.Grant{}, &media.Refusal{Code: media.KeyWrong}
	}
	r.note(func() { r.granted++ })
	return media.Grant{Broadcast: media.NewID(), Publisher: 7, KeyID: a.Key.ID}, nil
}

func (r *recorder) Started(_ media.Grant, _ []media.Track, encoder string) {
	r.note(func() { r.encoder = encoder })
}

func (r *recorder) Health(_ media.Grant, h media.Health) {
	r.note(func() { r.warnings = h.Warnings })
}

func (r *recorder) Ended(_ media.Grant, e media.End) {
	r.note(func() { r.ends = append(r.ends, e) })
}

func (r *recorder) Open(_ context.Context, _ media.Grant, tracks []media.Track) (ingest.Writer, error) {
	u := &run{r: r, tracks: slices.Clone(tracks)}
	r.note(func() { r.runs = append(r.runs, u) })
	return u, nil
}

func (*run) Rest() time.Duration { return 0 }

func (u *run) Write(f *media.Frame) error {
	u.r.note(func() { u.frames = append(u.frames, f) })
	return nil
}

func (u *run) Close(media.End) error {
	u.r.note(func() { u.closed = true })
	return nil
}

func (r *recorder) note(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// wait returns when what holds, which is asked under the lock after each change.
func (r *recorder) wait(t testing.TB, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		r.mu.Lock()
		ok, changed := holds(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// waitEnd waits for the nth end and returns it.
func (r *recorder) waitEnd(t testing.TB, n int) media.End {
	t.Helper()
	r.wait(t, "the end of the broadcast", func() bool { return len(r.ends) >= n })
	return r.ends[n-1]
}

// frames returns what arrived on a track of all runs.
func (r *recorder) frames(kind media.Kind) (out []*media.Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range r.runs {
		for _, f := range u.frames {
			if u.tracks[f.Track].Kind == kind {
				out = append(out, f)
			}
		}
	}
	return out
}

// place is a server on loopback.
type place struct {
	*recorder
	addr   string
	desk   *ingest.Desk
	server *rtmp.Server
	guard  *guard.Listener
	stop   func()
}

type option func(*rtmp.Config, *guard.Config)

// open starts a server that stops with the test.
func open(t testing.TB, options ...option) *place {
	t.Helper()
	r := newRecorder()
	desk := ingest.NewDesk(ingest.Config{Gate: r, Sink: r})
	cfg, guardCfg := rtmp.Config{Desk: desk}, guard.Config{PlacesPerIP: 64}
	for _, o := range options {
		o(&cfg, &guardCfg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{recorder: r, addr: l.Addr().String(), desk: desk, server: rtmp.New(cfg), guard: guard.Listen(l, guardCfg)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { desk.Run(ctx) })
	wg.Go(func() {
		if err := p.server.Serve(ctx, p.guard); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	p.stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(func() {
		p.stop()
		if n := p.server.Stats().Panics; n != p.forgiven {
			t.Errorf("%d connections panicked", n)
		}
	})
	return p
}

func (p *place) url() string { return "rtmp://" + p.addr + "/live/" + p.key.Text() }
