package hls

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// TestMuxerKeepsEveryFrame writes streams in awkward orders: whatever the order, each rendition has every access
// unit once, in order, with its times.
func TestMuxerKeepsEveryFrame(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		stream := mediatest.Stream{Duration: 7 * time.Second, FPS: []int{10, 24, 25, 30, 50}[rnd.IntN(5)], BFrames: rnd.IntN(3), GOP: 5 + rnd.IntN(120)}
		frames := stream.Frames()
		for i := 1; i < len(frames); i++ { // tracks overtake each other, frames of one track do not
			if j := max(0, i-rnd.IntN(20)); frames[j].Track != frames[i].Track && !slices.ContainsFunc(frames[j:i], func(f *media.Frame) bool { return f.Track == frames[i].Track }) {
				f := frames[i]
				copy(frames[j+1:i+1], frames[j:i])
				frames[j] = f
			}
		}
		if err := keepsUnits(stream.Tracks(), frames); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// keepsUnits muxes frames in the order given and compares what comes out.
func keepsUnits(tracks []media.Track, frames []*media.Frame) error {
	first := slices.IndexFunc(frames, func(f *media.Frame) bool { return f.Track == 0 })
	m := newMuxer([][]media.Track{tracks, tracks[1:]}, frames[first].DTS, 0, nil, targets{500 * time.Millisecond, 2 * time.Second}, &targets{})
	for _, f := range frames {
		m.push(f)
	}
	m.flush()
	for b := range 2 {
		if err := checkUnits(m.done, b, tracks, frames); err != nil {
			return fmt.Errorf("rendition %d: %w", b, err)
		}
	}
	return nil
}

func checkUnits(done []finished, builder int, tracks []media.Track, frames []*media.Frame) error {
	next := map[int]int{}
	want := map[int][]*media.Frame{}
	for _, f := range frames {
		want[f.Track+1-builder] = append(want[f.Track+1-builder], f)
	}
	segments := 0
	for _, f := range done {
		if f.builder != builder {
			continue
		}
		if f.segmentEnd {
			segments++
		}
		if f.part == nil {
			continue
		}
		var parts fmp4.Parts
		if err := parts.Unmarshal(f.part); err != nil {
			return err
		}
		for _, pt := range parts[0].Tracks {
			at := media.Ticks(pt.BaseTime)
			for _, s := range pt.Samples {
				i := next[pt.ID]
				if i >= len(want[pt.ID]) {
					return fmt.Errorf("track %d has more than %d units", pt.ID, i)
				}
				if w := want[pt.ID][i]; w.DTS != at || w.CTO != s.PTSOffset || !bytes.Equal(w.Data, s.Payload) || w.Sync == s.IsNonSyncSample {
					return fmt.Errorf("unit %d of track %d at %d, want %d", i, pt.ID, at, w.DTS)
				}
				next[pt.ID]++
				at += media.Ticks(s.Duration)
			}
		}
	}
	for id, w := range want {
		if id > 0 && next[id] != len(w) {
			return fmt.Errorf("track %d has %d units, want %d", id, next[id], len(w))
		}
	}
	if segments == 0 {
		return fmt.Errorf("no segments")
	}
	return nil
}

// A line that loses pictures leaves holes: no part becomes longer than was promised, or than a picture of it was.
func TestHolesKeepPartsShort(t *testing.T) {
	stream := mediatest.Stream{Duration: 8 * time.Second, FPS: 10, GOP: 20, NoAudio: true}
	tracks, promised := stream.Tracks(), 505*time.Millisecond
	for begin := 2100 * time.Millisecond; begin < 3*time.Second; begin += 100 * time.Millisecond {
		for length := 100 * time.Millisecond; length < 3*time.Second; length += 100 * time.Millisecond {
			m := newMuxer([][]media.Track{tracks}, 0, 0, nil, targets{500 * time.Millisecond, 2 * time.Second}, &targets{part: promised})
			for _, f := range stream.Frames() {
				if at := f.DTS.Duration(tracks[0].Clock); at < begin || at >= begin+length {
					m.push(f)
				}
			}
			m.flush()
			most := promised
			if frame := length + 100*time.Millisecond; frame <= stall { // the picture before it was that long
				most = max(most, frame)
			}
			for _, f := range m.done {
				if is := f.end - f.start; f.part != nil && is > most {
					t.Errorf("a hole of %v at %v: the part at %v is %v long, want %v at most", length, begin, f.start, is, most)
				}
			}
		}
	}
}

// TestLateFromTheStart lets pictures arrive later than their sound by more than is waited for, from the first one on: each
// is as long as it should be all the same.
func TestLateFromTheStart(t *testing.T) {
	for _, late := range []time.Duration{900 * time.Millisecond, 1200 * time.Millisecond, 3 * time.Second} {
		stream := mediatest.Stream{Duration: 8 * time.Second, BFrames: 2}
		tracks, frames := stream.Tracks(), stream.Frames()
		arrives := func(f *media.Frame) time.Duration {
			at := f.DTS.Duration(tracks[f.Track].Clock)
			if f.Track == 0 {
				at += late
			}
			return at
		}
		slices.SortStableFunc(frames, func(a, b *media.Frame) int { return int(arrives(a) - arrives(b)) })
		if err := keepsUnits(tracks, frames); err != nil {
			t.Errorf("%v late: %v", late, err)
		}
	}
}

// An encoder that is lost ends its tracks at different times: each rendition says of its last segment what is in it.
func TestFlushSaysWhatIsThere(t *testing.T) {
	stream := mediatest.Stream{Duration: 5 * time.Second}
	tracks := stream.Tracks()
	for _, early := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond, 2 * time.Second} {
		wish := targets{500 * time.Millisecond, 2 * time.Second}
		m := newMuxer([][]media.Track{tracks, tracks[1:]}, 0, 0, nil, wish, &targets{})
		for _, f := range stream.Frames() {
			if f.Track == 0 || f.DTS < media.TicksOf(stream.Duration-early, tracks[1].Clock) {
				m.push(f)
			}
		}
		m.flush()
		last := m.done[len(m.done)-1]
		if last.builder != 1 || !last.segmentEnd || last.part == nil && early < time.Second {
			t.Fatalf("sound ends %v early: the last is %+v, want the sound's last segment", early, last)
		}
		want := max(stream.Duration-early, last.segmentStart)
		if last.part == nil {
			want = stream.Duration // nothing is in it but time
		}
		if off := last.end - want; off.Abs() > 30*time.Millisecond {
			t.Errorf("sound ends %v early: its last segment is from %v to %v, want to %v", early, last.segmentStart, last.end, want)
		}
	}
}

// Sound that begins after the picture begins its segment when it begins.
func TestFirstSegmentBeginsWithItsFirstFrame(t *testing.T) {
	stream := mediatest.Stream{Duration: 5 * time.Second}
	tracks := stream.Tracks()
	for _, late := range []time.Duration{0, 60 * time.Millisecond, 700 * time.Millisecond} {
		wish := targets{500 * time.Millisecond, 2 * time.Second}
		m := newMuxer([][]media.Track{tracks, tracks[1:]}, 0, 0, nil, wish, &targets{})
		first := media.Ticks(-1)
		for _, f := range stream.Frames() {
			if f.Track == 1 && f.DTS < media.TicksOf(late, tracks[1].Clock) {
				continue
			}
			if f.Track == 1 && first < 0 {
				first = f.DTS
			}
			m.push(f)
		}
		m.flush()
		i := slices.IndexFunc(m.done, func(f finished) bool { return f.builder == 1 })
		want := first.Duration(tracks[1].Clock).Truncate(time.Microsecond)
		if got := m.done[i]; got.segmentStart != want || got.start != want {
			t.Errorf("sound is %v late: its segment begins at %v, its part at %v, want %v", late, got.segmentStart, got.start, want)
		}
		last := m.done[slices.IndexFunc(m.done, func(f finished) bool { return f.builder == 1 && f.segmentEnd })]
		if off := last.end - 2*time.Second; off.Abs() > 25*time.Millisecond {
			t.Errorf("sound is %v late: its first segment ends at %v, want 2 s", late, last.end)
		}
	}
}

// TestRest asks before each part for when it will be finished: never more than a picture too late, and rarely too early.
func TestRest(t *testing.T) {
	for _, fps := range []int{10, 24, 25, 30, 50} {
		for _, gop := range []time.Duration{2 * time.Second, 2500 * time.Millisecond, 4 * time.Second} {
			for _, part := range []time.Duration{200, 500, 1000} {
				t.Run(fmt.Sprintf("%d pictures, %v, parts of %d ms", fps, gop, part), func(t *testing.T) {
					stream := mediatest.Stream{Duration: 30 * time.Second, FPS: fps, GOP: int(gop * time.Duration(fps) / time.Second)}
					checkRest(t, stream, part*time.Millisecond)
				})
			}
		}
	}
}

func checkRest(t *testing.T, stream mediatest.Stream, part time.Duration) {
	t.Helper()
	tracks := stream.Tracks()
	picture := time.Second / time.Duration(stream.FPS)
	m := newMuxer([][]media.Track{tracks, tracks[1:]}, 0, 0, nil, targets{part, 2 * time.Second}, &targets{part: part + part/100})
	var due []time.Duration // since the last part was finished
	early := 0
	for _, f := range stream.Frames() {
		m.push(f)
		reached := m.reached.Duration(m.lead.track.Clock)
		if len(m.done) > 0 {
			for _, d := range due {
				if reached > 12*time.Second && d > reached+picture+time.Millisecond {
					t.Errorf("at %v a part was finished that was expected at %v", reached, d)
				}
			}
			if len(due) > 0 && due[0] < reached-picture-time.Millisecond {
				early++
			}
			m.done, due = m.done[:0], nil
		}
		due = append(due, reached+m.rest())
	}
	if early > 4 {
		t.Errorf("%d parts came more than a picture later than expected, want at most 4", early)
	}
}
