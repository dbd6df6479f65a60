package hls_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// air is a lesson in a bubble of fake time, as long as it would be in a school: an encoder that sends each frame when
// it is due, and a strict viewer of every rendition.
type air struct {
	*house
	stream mediatest.Stream
	frames []*media.Frame
	in     *hls.Input
	began  time.Time
	sent   int

	viewer  sync.WaitGroup
	live    []*hlstest.Rendition
	problem error
	latest  time.Duration // how far a playlist was behind the encoder at worst
}

// onTheAir begins a lesson; finish must be called.
func (h *house) onTheAir(stream mediatest.Stream) *air {
	h.t.Helper()
	a := &air{house: h, stream: stream, frames: stream.Frames(), in: h.publish(stream.Tracks(), true), began: time.Now()}
	h.clock.now = a.began
	var mu sync.Mutex
	player := hlstest.Player{Client: hlstest.Direct(h.Handler()), Stop: func(r *hlstest.Rendition) bool {
		mu.Lock()
		defer mu.Unlock()
		if u := r.Units; len(u) > 0 && !r.Last.Ended {
			last := u[len(u)-1]
			end := time.Duration(last.DTS+last.Duration) * time.Second / time.Duration(last.Clock)
			a.latest = max(a.latest, time.Since(a.began)-end)
		}
		return false
	}}
	address := "http://school.example" + h.path(h.lesson) + "index.m3u8"
	a.viewer.Go(func() { _, a.live, a.problem = player.Collect(context.Background(), address) })
	return a
}

// until sends what is due until d after the beginning.
func (a *air) until(d time.Duration) {
	a.t.Helper()
	for ; a.sent < len(a.frames); a.sent++ {
		f := a.frames[a.sent]
		at := f.DTS.Duration(a.stream.Tracks()[f.Track].Clock) - a.stream.Start
		if at >= d {
			break
		}
		time.Sleep(time.Until(a.began.Add(at)))
		before := time.Now()
		if err := a.in.Write(f); err != nil {
			a.t.Fatalf("write frame %d: %v", a.sent, err)
		}
		if waited := time.Since(before); waited > 0 {
			a.t.Fatalf("the encoder waited %v for frame %d to be taken", waited, a.sent)
		}
	}
}

// finish sends the rest, ends the lesson, and checks that the viewer has seen all of it in time.
func (a *air) finish() {
	a.t.Helper()
	a.until(time.Hour)
	a.end()
	a.viewer.Wait()
	if a.problem != nil {
		a.t.Error("viewer:", a.problem)
	}
	for i := range a.stream.Tracks() {
		sameUnits(a.t, "live", a.live[0].Track(i+1), a.frames, i, media.TicksOf(a.stream.Start, a.stream.Tracks()[i].Clock))
	}
	frame := time.Second / time.Duration(max(a.stream.FPS, 1))
	if a.latest > frame+time.Millisecond {
		a.t.Errorf("at worst a playlist was %v behind the encoder, want at most a frame", a.latest)
	}
}

// replay plays the recording.
func (a *air) replay() []*hlstest.Rendition {
	a.t.Helper()
	player := hlstest.Player{Client: hlstest.Direct(a.Handler()), Loose: true}
	_, all, err := player.Collect(context.Background(), "http://school.example"+a.path(a.lesson)+"replay.m3u8")
	if err != nil {
		a.t.Fatal("replay:", err)
	}
	return all
}

// fromStore waits until the recording is archived, forgets everything but the store, and plays it.
func (a *air) fromStore(limit time.Duration) []*hlstest.Rendition {
	a.t.Helper()
	a.within(limit, "the recording to be archived", a.archived)
	a.stop()
	a.cfg.Spool = a.t.TempDir()
	a.start()
	return a.replay()
}

// sameProgramme is invariant I4: a recording is all that was listed, in the same words, with gaps for what is lost.
// It returns how many segments of the main rendition are.
func sameProgramme(t *testing.T, live, recording []*hlstest.Rendition) (gaps int) {
	t.Helper()
	if len(live) != len(recording) {
		t.Fatalf("%d renditions, were %d", len(recording), len(live))
	}
	for i, r := range recording {
		was := live[i]
		if len(r.Segments) != len(was.Segments) {
			t.Fatalf("rendition %d: the recording has %d segments, %d were listed", i, len(r.Segments), len(was.Segments))
		}
		for j, s := range r.Segments {
			w := was.Segments[j]
			if s.URI != w.URI || s.MSN != w.MSN || s.Duration != w.Duration || s.Map != w.Map || s.Disc != w.Disc || !s.At.Equal(w.At) {
				t.Errorf("rendition %d: recorded is %+v, listed was %+v", i, s, w)
			}
			if s.Gap && !w.Gap && i == 0 {
				gaps++
			}
		}
		kept := slices.DeleteFunc(slices.Clone(was.Units), func(u hlstest.Unit) bool {
			return r.Segments[u.MSN-r.Segments[0].MSN].Gap
		})
		if !slices.EqualFunc(kept, r.Units, func(a, b hlstest.Unit) bool { return a.DTS == b.DTS && string(a.Data) == string(b.Data) }) {
			t.Errorf("rendition %d: %d units are recorded, %d of what was seen are kept", i, len(r.Units), len(kept))
		}
	}
	return gaps
}

var errAway = errors.New("connection reset by peer")
