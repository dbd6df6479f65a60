package hls_test

import (
	"fmt"
	"testing"
	"time"

	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// An outage is time on the clock and no media: what players count by media, they still have after it.
func TestOutageIsNoMedia(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 20 * time.Second, NoAudio: true}
	in := h.publish(stream.Tracks(), true)
	h.write(in, stream.Frames()...)
	if err := in.Close(media.End{}); err != nil {
		t.Fatal(err)
	}
	h.clock.pass(5 * time.Minute)
	stream.Duration = 5 * time.Second
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)

	whole := h.playlist("v0/live.m3u8")
	if sum := seconds(whole); sum < float64(3*whole.TargetDuration) {
		t.Errorf("after an outage the playlist has %.3f s, want three target durations of %d at least", sum, whole.TargetDuration)
	}
	behind := 0.0
	for i := len(whole.Segments) - 1; i >= 0; i-- {
		s := whole.Segments[i]
		if near := behind < float64(3*whole.TargetDuration)-0.01; near != (len(s.Parts) > 0) && i < len(whole.Segments)-1 {
			t.Errorf("segment %d has %.3f s behind it and lists %d parts", s.MSN, behind, len(s.Parts))
		}
		behind += s.Duration
	}
	for _, name := range []string{"live", "dvr"} {
		delta := h.playlist(fmt.Sprintf("v0/%s.m3u8?_HLS_msn=%d&_HLS_skip=YES", name, whole.Next()-1))
		if sum := seconds(delta); delta.Skipped == 0 && name == "dvr" || delta.Skipped > 0 && sum < delta.SkipUntil {
			t.Errorf("%s: the delta update skips %d and leaves %.3f s, CAN-SKIP-UNTIL is %v", name, delta.Skipped, sum, delta.SkipUntil)
		}
	}
}

func seconds(p *hlstest.Playlist) (sum float64) {
	for _, s := range append(p.Segments, p.Open) {
		sum += s.Duration
		if s.URI == "" {
			for _, part := range s.Parts {
				sum += part.Duration
			}
		}
	}
	return sum
}
