package hls_test

import (
	"slices"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// Sound that arrives before its picture fills the first part of the rendition without pictures beyond the first part
// of the main one; PART-TARGET, which is chosen then, must hold for both.
func TestSoundAhead(t *testing.T) {
	t.Parallel()
	for _, fps := range []int{15, 25, 30, 50} {
		h := newHouse(t)
		stream := mediatest.Stream{Duration: 5 * time.Second, FPS: fps}
		frames, tracks := stream.Frames(), stream.Tracks()
		at := func(f *media.Frame) time.Duration {
			d := f.DTS.Duration(tracks[f.Track].Clock)
			if f.Track == 1 {
				d -= 100 * time.Millisecond
			}
			return d
		}
		slices.SortStableFunc(frames, func(a, b *media.Frame) int { return int(at(a) - at(b)) })
		if all := h.play(h.publish(tracks, true), frames); len(all) != 2 {
			t.Errorf("%d frames a second: %d renditions, want 2", fps, len(all))
		}
	}
}
