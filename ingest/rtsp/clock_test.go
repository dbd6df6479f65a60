package rtsp

import (
	"testing"
	"time"

	"chalkcast/media"
)

const (
	ms      = time.Millisecond
	picture = 0 // track numbers in these tests
	sound   = 1
)

// encoder is a simulated encoder: pictures at 90 kHz and sound at 48 kHz with RTP times that begin anywhere.
type encoder struct {
	clock *clock
	begin [2]uint32
}

// wall is when an encoder began by its own wall clock, which is not ours.
const wall = 56 * 365 * 24 * time.Hour

func newEncoder(begin ...uint32) *encoder {
	e := &encoder{clock: newClock([]*track{
		{Track: media.Track{Kind: media.Video, Clock: 90000}}, {Track: media.Track{Kind: media.Audio, Clock: 48000}},
	})}
	copy(e.begin[:], begin)
	return e
}

func (e *encoder) rtp(track int, at time.Duration) uint32 {
	return e.begin[track] + uint32(media.TicksOf(at, e.clock.tracks[track].rate))
}

// send sends what was captured at one time and arrives delay later.
func (e *encoder) send(track int, captured, delay time.Duration) media.Ticks {
	return e.clock.unwrap(track, e.rtp(track, captured), captured+delay)
}

// report sends a sender report.
func (e *encoder) report(track int, at time.Duration) {
	e.clock.report(track, senderReport{wall: wall + at, rtp: e.rtp(track, at)})
}

// position returns where on the common line what was captured at one time lies.
func (e *encoder) position(track int, captured time.Duration) time.Duration {
	return e.clock.wall(track, e.send(track, captured, 0))
}

func (e *encoder) apart() time.Duration {
	at := 10 * time.Second
	return e.position(sound, at) - e.position(picture, at)
}

func near(a, b time.Duration) bool { return (a - b).Abs() <= 50*time.Microsecond }

func TestClockAligns(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(e *encoder)
		want time.Duration // how far sound is late
	}{
		"by arrival": {func(e *encoder) {
			e.send(picture, 0, 20*ms)
			e.send(sound, 0, 20*ms)
		}, 0},
		"by arrival, off by what the encoder holds back": {func(e *encoder) {
			e.send(picture, 0, 800*ms)
			e.send(sound, 0, 100*ms)
		}, -700 * ms},
		"by the fastest packet": {func(e *encoder) {
			e.send(picture, 0, 400*ms)
			e.send(picture, 40*ms, 20*ms)
			e.send(sound, 0, 20*ms)
		}, 0},
		"by reports": {func(e *encoder) {
			e.send(picture, 0, 800*ms)
			e.report(picture, 5*ms)
			e.send(sound, 0, 100*ms)
			e.report(sound, 7*ms)
		}, 0},
		"by reports before the first packet": {func(e *encoder) {
			e.report(picture, 0)
			e.report(sound, 0)
			e.send(picture, 0, 800*ms)
			e.send(sound, 0, 100*ms)
		}, 0},
		"one report says nothing": {func(e *encoder) {
			e.send(picture, 0, 20*ms)
			e.report(picture, 5*time.Second)
			e.send(sound, 0, 20*ms)
		}, 0},
		"reports that cannot be true": {func(e *encoder) {
			e.send(picture, 0, 20*ms)
			e.report(picture, 0)
			e.send(sound, 0, 20*ms)
			e.clock.report(sound, senderReport{wall: 0, rtp: e.rtp(sound, 0)})
		}, 0},
	} {
		for _, begin := range [][]uint32{{0, 0}, {1<<32 - 5, 17}, {1 << 31, 1<<32 - 1}} {
			e := newEncoder(begin...)
			test.run(e)
			e.clock.settle()
			if got := e.apart(); !near(got, test.want) {
				t.Errorf("%s, RTP times from %d: sound is %v late, want %v", name, begin, got, test.want)
			}
		}
	}
}

func TestClockPlacesLateTrack(t *testing.T) {
	for _, first := range []int{picture, sound} {
		e := newEncoder(100, 1<<31)
		e.send(first, 0, 20*ms)
		e.report(first, 0)
		e.clock.settle()
		e.report(1-first, 3*time.Second)
		e.send(1-first, 3*time.Second, 500*ms)
		if got := e.apart(); !near(got, 0) {
			t.Errorf("track %d came later: sound is %v late", 1-first, got)
		}
	}
}

// A report that comes when frames are already out moves one track forward, and only when it is worth it.
func TestClockCorrects(t *testing.T) {
	for name, test := range map[string]struct {
		delay, want time.Duration
		moves       int // the track that must move, −1 none
	}{
		"sound is early":      {-400 * ms, 0, sound},
		"sound is late":       {400 * ms, 0, picture},
		"nobody notices":      {-50 * ms, -50 * ms, -1},
		"nobody notices late": {50 * ms, 50 * ms, -1},
	} {
		e := newEncoder(5, 1<<32-7)
		e.send(picture, 0, 500*ms)
		e.send(sound, 0, 500*ms+test.delay)
		e.clock.settle()
		if got := e.apart(); !near(got, test.delay) {
			t.Fatalf("%s: by arrival sound is %v late", name, got)
		}
		before := [2]time.Duration{e.position(picture, time.Minute), e.position(sound, time.Minute)}
		e.report(picture, time.Second)
		e.report(sound, time.Second)
		if moved := e.clock.correct(); moved != (test.moves >= 0) {
			t.Errorf("%s: moved %v", name, moved)
		}
		if got := e.apart(); !near(got, test.want) {
			t.Errorf("%s: sound is %v late, want %v", name, got, test.want)
		}
		for track := range before {
			if step := e.position(track, time.Minute) - before[track]; step < 0 || step > 0 && track != test.moves {
				t.Errorf("%s: track %d moved by %v", name, track, step)
			}
		}
		if e.clock.correct() {
			t.Errorf("%s: moved again", name)
		}
	}
}

// A busy encoder sends late, and says so in its report. Sound is moved when that goes on, not for once.
func TestClockBearsLateReports(t *testing.T) {
	e := newEncoder(5, 1<<32-7)
	e.send(picture, 0, 20*ms)
	e.send(sound, 0, 20*ms)
	e.report(picture, 0)
	e.report(sound, 0)
	e.clock.settle()
	const late = 300 * ms
	for n, moves := range []bool{false, false, true} {
		at := time.Duration(n+1) * 5 * time.Second
		e.report(picture, at)
		e.clock.report(sound, senderReport{wall: wall + at + late, rtp: e.rtp(sound, at)})
		if moved := e.clock.correct(); moved != moves {
			t.Errorf("after report %d that is late: moved %v, want %v", n+1, moved, moves)
		}
	}
	if got := e.apart(); !near(got, late) {
		t.Errorf("sound is %v late, want %v", got, late)
	}
}

func TestClockUnwraps(t *testing.T) {
	e := newEncoder(1<<32-90000, 0)
	first := e.send(picture, 0, 0)
	for s := range 30 {
		at := time.Duration(s) * time.Hour
		if got, want := e.send(picture, at, 0)-first, media.TicksOf(at, 90000); got != want {
			t.Fatalf("after %v: %d ticks, want %d", at, got, want)
		}
		// a picture that is shown later than the next one
		if got, want := e.send(picture, at-40*ms, 0)-first, media.TicksOf(at-40*ms, 90000); got != want {
			t.Fatalf("before %v: %d ticks, want %d", at, got, want)
		}
		e.send(picture, at+6*time.Hour, 0) // RTP times wrap after 13 hours
		e.send(picture, at, 0)
	}
}
