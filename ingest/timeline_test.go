package ingest

import (
	"fmt"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// A publisher of 30 pictures and 50 sounds a second, whose clock a test bends.
var (
	tlVideo = media.Track{ID: 0, Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}
	tlAudio = media.Track{ID: 1, Kind: media.Audio, Clock: 48000, Params: mediatest.AACParams()}
)

type sent struct {
	frame media.Frame
	nth   int           // of its track
	right time.Duration // when it would be on a good clock
}

// bend changes the time of the nth frame of a track.
type bend func(track, nth int, t time.Duration) time.Duration

func publisher(length time.Duration, b bend) (out []sent) {
	video, audio := 0, 0
	for {
		v, a := time.Duration(video)*time.Second/30, time.Duration(audio)*20*time.Millisecond
		switch {
		case min(v, a) >= length:
			return out
		case v <= a:
			out = append(out, sent{media.Frame{Track: 0, DTS: media.TicksOf(b(0, video, v), 90000)}, video, v})
			video++
		default:
			out = append(out, sent{media.Frame{Track: 1, DTS: media.TicksOf(b(1, audio, a), 48000)}, audio, a})
			audio++
		}
	}
}

func TestTimeline(t *testing.T) {
	const hour = time.Hour
	later := func(from, d time.Duration) bend {
		return func(_, _ int, t time.Duration) time.Duration {
			if t >= from {
				return t + d
			}
			return t
		}
	}
	for _, tc := range []struct {
		name  string
		bend  bend
		jumps int
		// how far output may be from a clock that never bends, once the jump is over
		off time.Duration
		// how far apart picture and sound may be at the end
		skew time.Duration
	}{
		{"good", later(0, 0), 0, 0, 0},
		{"starts anywhere", later(0, 1000*hour), 0, 1000 * hour, 0},
		{"one picture ten hours ahead", func(track, n int, t time.Duration) time.Duration {
			if track == 0 && n == 100 {
				return t + 10*hour
			}
			return t
		}, 0, 0, 0},
		{"one sound far behind", func(track, n int, t time.Duration) time.Duration {
			if track == 1 && n == 100 {
				return t - hour
			}
			return t
		}, 0, 0, 0},
		{"two pictures ahead", func(track, n int, t time.Duration) time.Duration {
			if track == 0 && (n == 100 || n == 101) {
				return t + 7*time.Second
			}
			return t
		}, 0, 0, 0},
		{"every tenth picture anywhere", func(track, n int, t time.Duration) time.Duration {
			if track == 0 && n%10 == 5 {
				return t + time.Duration(n*n)*hour
			}
			return t
		}, 0, 0, 0},
		{"forward for good", later(4*time.Second, 10*hour), 1, 200 * time.Millisecond, time.Millisecond},
		{"back for good", later(4*time.Second, -2*time.Second), 1, 200 * time.Millisecond, time.Millisecond},
		{"back to zero", later(4*time.Second, -4*time.Second), 1, 200 * time.Millisecond, time.Millisecond},
		{"31 bits wrap", later(4*time.Second, -(1<<31)*time.Millisecond), 1, 200 * time.Millisecond, time.Millisecond},
		{"two seconds of nothing", later(4*time.Second, 2*time.Second), 0, 2 * time.Second, 0},
		{"ten seconds of nothing", later(4*time.Second, 10*time.Second), 1, 200 * time.Millisecond, time.Millisecond},
		{"forward and back again", func(_, _ int, t time.Duration) time.Duration {
			if t >= 3*time.Second && t < 6*time.Second {
				return t + hour
			}
			return t
		}, 2, 400 * time.Millisecond, time.Millisecond},
		{"only the sound jumps", func(track, _ int, t time.Duration) time.Duration {
			if track == 1 && t >= 4*time.Second {
				return t + hour
			}
			return t
		}, 1, 200 * time.Millisecond, 100 * time.Millisecond},
		{"sound begins an hour away", func(track, _ int, t time.Duration) time.Duration {
			if track == 1 {
				return t + hour
			}
			return t
		}, 0, 50 * time.Millisecond, 50 * time.Millisecond},
		{"sound runs a third too fast", func(track, _ int, t time.Duration) time.Duration {
			if track == 1 {
				return t * 4 / 3
			}
			return t
		}, 0, 3500 * time.Millisecond, 3500 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tl := newTimeline([]media.Track{tlVideo, tlAudio})
			last, jumps, end := map[int]media.Ticks{}, 0, map[int]time.Duration{}
			clocks := []int{90000, 48000}
			for i, s := range publisher(10*time.Second, tc.bend) {
				f := s.frame
				jumped := tl.fix(&f)
				if jumped != f.Discontinuity {
					t.Fatalf("frame %d: jumped %v, discontinuity %v", i, jumped, f.Discontinuity)
				}
				if jumped {
					jumps++
				}
				if before, ok := last[f.Track]; ok && (f.DTS < before || (f.DTS-before).Duration(clocks[f.Track]) > 3*time.Second) {
					t.Fatalf("frame %d of track %d: %d after %d", i, f.Track, f.DTS, before)
				}
				last[f.Track] = f.DTS
				end[f.Track] = f.DTS.Duration(clocks[f.Track]) - s.right
			}
			if jumps != tc.jumps {
				t.Errorf("%d jumps, want %d", jumps, tc.jumps)
			}
			for track, off := range end {
				if off.Abs() > tc.off+time.Millisecond {
					t.Errorf("track %d ends %v off, want at most %v", track, off, tc.off)
				}
			}
			if skew := (end[0] - end[1]).Abs(); skew > tc.skew+time.Millisecond {
				t.Errorf("picture and sound are %v apart, want at most %v", skew, tc.skew)
			}
		})
	}
}

// A track that was silent while the other went on comes back at its own place.
func TestTimelineGapOfOneTrack(t *testing.T) {
	for silent := range 2 {
		tl := newTimeline([]media.Track{tlVideo, tlAudio})
		for _, s := range publisher(30*time.Second, func(_, _ int, t time.Duration) time.Duration { return t }) {
			if s.frame.Track == silent && s.right > 5*time.Second && s.right < 20*time.Second {
				continue
			}
			f := s.frame
			if tl.fix(&f) || f.DTS != s.frame.DTS {
				t.Fatalf("track %d silent: frame of track %d at %v moved to %d", silent, f.Track, s.right, f.DTS)
			}
		}
	}
}

// A clock that stands still is counted for by the server.
func TestTimelineStandsStill(t *testing.T) {
	tl := newTimeline([]media.Track{tlVideo})
	var last media.Ticks
	for range 300 {
		f := media.Frame{}
		tl.fix(&f)
		last = f.DTS
	}
	if got := last.Duration(90000); got < 9*time.Second || got > 10*time.Second {
		t.Errorf("300 pictures last %v, want about 10 s", got)
	}
	f := media.Frame{DTS: 3000}
	if tl.fix(&f); f.DTS <= last {
		t.Errorf("then goes on at %d, before %d", f.DTS, last)
	}
}

// The sound of a broken encoder runs away from the picture, or behind it; the one that is behind catches up.
func TestTimelineDrift(t *testing.T) {
	for _, percent := range []time.Duration{90, 110} {
		tl := newTimeline([]media.Track{tlVideo, tlAudio})
		jumps, worst, picture := 0, time.Duration(0), time.Duration(0)
		for _, s := range publisher(2*time.Minute, func(track, _ int, t time.Duration) time.Duration {
			if track == 1 {
				return t * percent / 100
			}
			return t
		}) {
			f := s.frame
			if tl.fix(&f) {
				jumps++
			}
			if f.Track == 0 {
				picture = f.DTS.Duration(90000)
			} else {
				worst = max(worst, (f.DTS.Duration(48000) - picture).Abs())
			}
		}
		if worst > 4*time.Second || jumps < 2 || jumps > 4 {
			t.Errorf("sound at %d %%: %v apart at worst, %d jumps", percent, worst, jumps)
		}
	}
}

// A picture that has to move keeps the time at which it is shown.
func TestTimelineKeepsPTS(t *testing.T) {
	tl := newTimeline([]media.Track{tlVideo})
	for _, dts := range []media.Ticks{0, 3000, 6000, 900000, 6500} { // an outlier takes 9000, the next is before it
		f := media.Frame{DTS: dts, CTO: 6000}
		pts := f.PTS()
		tl.fix(&f)
		if dts == 6500 && (f.DTS != 9000 || f.PTS() != pts) {
			t.Errorf("moved to %d, shown at %d, want 9000 and %d", f.DTS, f.PTS(), pts)
		}
	}
}

func TestTimelineIgnoresUnknownTracks(t *testing.T) {
	tl := newTimeline([]media.Track{tlAudio}) // ID 1; there is no 0
	for _, id := range []int{-1, 0, 2, 99} {
		f := media.Frame{Track: id, DTS: 42}
		if tl.fix(&f) || f.DTS != 42 {
			t.Errorf("track %d: moved to %d", id, f.DTS)
		}
	}
}

func FuzzTimeline(f *testing.F) {
	f.Add([]byte{0, 0, 30, 1, 20, 0, 33, 1, 20})
	f.Add([]byte{0, 0x80, 1, 0x80, 0, 0xc0, 0, 33, 0, 33, 0, 33, 0, 33})
	f.Fuzz(func(t *testing.T, b []byte) {
		tl := newTimeline([]media.Track{tlVideo, tlAudio})
		ms, last := int64(0), [2]media.Ticks{}
		seen := [2]bool{}
		for ; len(b) >= 2; b = b[2:] {
			track, step := int(b[0]&1), int64(int8(b[1]))
			ms += step << (b[0] >> 1 % 42) // from 1 ms to centuries
			ms = min(max(ms, -1<<42), 1<<42)
			in := media.Ticks(ms * 90)
			if track == 1 {
				in = media.Ticks(ms * 48)
			}
			frame := media.Frame{Track: track, DTS: in}
			pts := frame.PTS()
			jumped := tl.fix(&frame)
			if seen[track] && frame.DTS < last[track] {
				t.Fatal(fmt.Sprint("time fell from ", last[track], " to ", frame.DTS))
			}
			if jumped && !frame.Discontinuity || frame.CTO > 0 && frame.PTS() != pts {
				t.Fatalf("jumped %v: %+v", jumped, frame)
			}
			last[track], seen[track] = frame.DTS, true
		}
	})
}
