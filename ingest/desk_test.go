package ingest_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chalkcast/ingest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// school is a gate that lets every key in as one teacher, and a sink that keeps what it gets.
type school struct {
	mu     sync.Mutex
	frames int
	ended  []media.End
	health []media.Health
	refuse error
	rest   time.Duration
}

func (s *school) Admit(_ context.Context, a media.Attempt) (media.Grant, error) {
	if s.refuse != nil {
		return media.Grant{}, s.refuse
	}
	return media.Grant{Broadcast: media.NewID(), Publisher: 7, KeyID: a.Key.ID}, nil
}
func (s *school) Started(media.Grant, []media.Track, string) {}
func (s *school) Health(_ media.Grant, h media.Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = append(s.health, h)
}

func (s *school) Ended(_ media.Grant, e media.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, e)
}

func (s *school) Open(context.Context, media.Grant, []media.Track) (ingest.Writer, error) {
	return s, nil
}

func (s *school) Rest() time.Duration { return s.rest }

func (s *school) Write(*media.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames++
	return nil
}
func (s *school) Close(media.End) error { return nil }

func tracks() []media.Track {
	return []media.Track{{ID: 0, Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}}
}

func frame(dts media.Ticks) *media.Frame {
	return &media.Frame{DTS: dts, Sync: true, Data: []byte{0, 0, 0, 1, 0x65}}
}

func admit(t *testing.T, d *ingest.Desk, key string, takeover bool, hangUp func(*media.Refusal)) (*ingest.Session, error) {
	t.Helper()
	a := media.Attempt{Key: media.Key{ID: key}, HasKey: true, Takeover: takeover}
	return d.Admit(t.Context(), a, hangUp)
}

// connection is what a protocol does: it writes until it is told to hang up, then ends its session.
func connection(t *testing.T, d *ingest.Desk, key string, every time.Duration) (quit chan struct{}, code chan media.Code) {
	t.Helper()
	quit, code = make(chan struct{}), make(chan media.Code, 1)
	s, err := admit(t, d, key, false, func(r *media.Refusal) { code <- r.Code; close(quit) })
	if err != nil {
		t.Fatalf("admit %s: %v", key, err)
	}
	if err := s.Start(tracks(), "test"); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with quit, which every caller closes
		defer s.End(false, nil)
		for dts := media.Ticks(0); ; dts += media.TicksOf(every, 90000) {
			if s.Write(frame(dts)) != nil {
				return
			}
			select {
			case <-quit:
				return
			case <-time.After(every):
			}
		}
	}()
	return quit, code
}

func TestSecondEncoderIsRefusedWhileTheFirstSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		quit, _ := connection(t, d, "first", time.Second)
		time.Sleep(20 * time.Second)
		_, err := admit(t, d, "second", false, nil)
		if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.SecondEncoder {
			t.Fatalf("second encoder got %v, want a refusal %s", err, media.SecondEncoder)
		}
		close(quit)
		synctest.Wait()
		if len(sc.ended) != 2 {
			t.Errorf("Ended was called %d times, want once for each of 2 grants", len(sc.ended))
		}
	})
}

// A session knows for how long its encoder may be left alone, and its health does not suffer from it.
func TestSessionRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		s, err := admit(t, d, "laptop", false, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.End(true, nil)
		if rest := s.Rest(); rest != 0 {
			t.Errorf("before its tracks are known: %v", rest)
		}
		if err := s.Start(tracks(), "test"); err != nil {
			t.Fatal(err)
		}
		for dts := range media.Ticks(3) {
			if err := s.Write(frame(dts * 3000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second / 30)
		}
		if rest := s.Rest(); rest != 0 {
			t.Errorf("when nobody knows what is needed: %v", rest)
		}
		sc.rest = 300 * time.Millisecond
		if rest, want := s.Rest(), 300*time.Millisecond-time.Second/30-5*time.Millisecond; (rest - want).Abs() > time.Millisecond {
			t.Errorf("rest of %v, want %v: a picture is due, and timers are late", rest, want)
		}
	})
}

func TestSecondEncoderReplacesASilentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		_, code := connection(t, d, "first", time.Hour)
		time.Sleep(4999 * time.Millisecond)
		if _, err := admit(t, d, "second", false, nil); err == nil {
			t.Fatal("second encoder was let in after 4.999 s of silence, want refusal")
		}
		time.Sleep(time.Millisecond)
		s, err := admit(t, d, "second", false, nil)
		if err != nil {
			t.Fatalf("second encoder after 5 s of silence: %v", err)
		}
		if got := <-code; got != media.SecondEncoder {
			t.Errorf("the first was told %s, want %s", got, media.SecondEncoder)
		}
		s.End(true, nil)
	})
}

func TestTakeoverForcesTheFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		_, code := connection(t, d, "first", 20*time.Millisecond)
		s, err := admit(t, d, "second", true, nil)
		if err != nil {
			t.Fatalf("takeover: %v", err)
		}
		if got := <-code; got != media.SecondEncoder {
			t.Errorf("the first was told %s, want %s", got, media.SecondEncoder)
		}
		s.End(true, nil)
		if last := sc.ended[len(sc.ended)-1]; !last.Stopped {
			t.Errorf("the second ended as %+v, want Stopped", last)
		}
	})
}

func TestRevokeEndsTheBroadcastOfThatKeyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		_, code := connection(t, d, "laptop", 20*time.Millisecond)
		d.Revoke("room4")
		synctest.Wait()
		if len(sc.ended) != 0 {
			t.Fatal("revoking another key ended the broadcast")
		}
		d.Revoke("laptop")
		if got := <-code; got != media.KeyRevoked {
			t.Errorf("hang up with %s, want %s", got, media.KeyRevoked)
		}
		synctest.Wait()
		if len(sc.ended) != 1 || sc.ended[0].Code != media.KeyRevoked {
			t.Errorf("ended %+v, want one end with %s", sc.ended, media.KeyRevoked)
		}
	})
}

// The gate hears why a broadcast was ended, with the facts for its sentence; who ends it first says why.
func TestEndSaysWhy(t *testing.T) {
	vp6 := &media.Refusal{Code: media.VideoCodec, Detail: "VP6"}
	for _, tc := range []struct {
		name    string
		stopped bool
		why     *media.Refusal
		revoked bool
		want    media.End
	}{
		{"stopped", true, nil, false, media.End{Stopped: true}},
		{"connection lost", false, nil, false, media.End{}},
		{"refused by the connection", false, vp6, false, media.End{Code: media.VideoCodec, Detail: "VP6"}},
		{"revoked before", false, vp6, true, media.End{Code: media.KeyRevoked}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sc := &school{}
			now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
			d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc, Now: func() time.Time { return now }})
			s, err := admit(t, d, "laptop", false, func(*media.Refusal) {})
			if err != nil {
				t.Fatal(err)
			}
			if tc.revoked {
				d.Revoke("laptop")
			}
			s.End(tc.stopped, tc.why)
			s.End(!tc.stopped, &media.Refusal{Code: media.ServerBusy}) // does nothing
			tc.want.At = now
			if len(sc.ended) != 1 || sc.ended[0] != tc.want {
				t.Errorf("the gate heard %+v, want %+v", sc.ended, tc.want)
			}
		})
	}
}

func TestHealthOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := &school{}
		d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		quit, _ := connection(t, d, "first", 40*time.Millisecond)
		time.Sleep(10*time.Second + 10*time.Millisecond)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		close(quit)
		synctest.Wait()
		if n := len(sc.health); n != 10 {
			t.Fatalf("%d health reports in 10 s, want 10", n)
		}
		if fps := sc.health[9].FPSMilli; fps < 24000 || fps > 26000 {
			t.Errorf("fps %d/1000, want about 25", fps)
		}
		if sc.health[9].Encoder != "test" {
			t.Errorf("encoder %q, want test", sc.health[9].Encoder)
		}
	})
}

func TestClassroomTroubleIsBusyNotRefused(t *testing.T) {
	sc := &school{refuse: errors.New("database is away")}
	d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc})
	_, err := admit(t, d, "first", false, nil)
	if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.ServerBusy {
		t.Fatalf("got %v, want a refusal %s", err, media.ServerBusy)
	}
}

// What the operator sees counts encoders, frames and refusals.
func TestMetrics(t *testing.T) {
	sc, reg := &school{}, prometheus.NewPedanticRegistry()
	d := ingest.NewDesk(ingest.Config{Gate: sc, Sink: sc, Metrics: reg})
	a := media.Attempt{Key: media.Key{ID: "laptop"}, HasKey: true, Protocol: media.RTMPS}
	s, err := d.Admit(t.Context(), a, func(*media.Refusal) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Admit(t.Context(), a, nil); err == nil {
		t.Fatal("a second encoder was let in")
	}
	if err := s.Start(tracks(), "test"); err != nil {
		t.Fatal(err)
	}
	for n := range media.Ticks(3) {
		if err := s.Write(frame(n * 3000)); err != nil {
			t.Fatal(err)
		}
	}
	page := func() string {
		answer := httptest.NewRecorder()
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		return answer.Body.String()
	}
	check := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			if text := page(); !strings.Contains(text, "\nchalkcast_ingest_"+line+"\n") {
				t.Errorf("no line %q in\n%s", line, text)
			}
		}
	}
	check(`broadcasts 1`, `admitted_total{protocol="rtmps"} 1`, `refusals_total{code="second_encoder",protocol="rtmps"} 1`,
		`frames_total{kind="video"} 3`, `frames_total{kind="audio"} 0`, `bytes_total{kind="video"} 15`, `jumps_total 0`)
	s.End(false, &media.Refusal{Code: media.BitrateHigh, Detail: "13.0"})
	check(`broadcasts 0`, `refusals_total{code="bitrate_high",protocol="rtmps"} 1`)
}
