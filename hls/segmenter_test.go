package hls

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
)

// cuts runs a segmenter over frames of the given lengths in ms and writes what it does: | for a part, # for a
// segment, k for a key frame, . for another.
func cuts(wish targets, frames []int, key func(i int) bool) string {
	chosen := &targets{}
	s := segmenter{clock: 1000, wish: wish, chosen: chosen}
	s.begin(0, true)
	var out strings.Builder
	apply := func(c cut) {
		switch c {
		case cutSegment:
			out.WriteByte('#')
			chosen.chooseSegment(time.Duration(s.end-s.segment)*time.Millisecond, wish)
			s.begin(s.end, false)
		case cutPart:
			out.WriteByte('|')
			chosen.choosePart(time.Duration(s.end-s.part)*time.Millisecond, wish)
			s.part = s.end
		}
	}
	for i, ms := range frames {
		apply(s.before(s.end + media.Ticks(ms)))
		if s.end == s.segment {
			s.keyed = key(i)
		}
		if key(i) {
			out.WriteByte('k')
		} else {
			out.WriteByte('.')
		}
		s.end += media.Ticks(ms)
		s.usual = media.Ticks(ms)
		apply(s.next(key(i + 1)))
	}
	return out.String()
}

func TestSegmenter(t *testing.T) {
	wish := targets{500 * time.Millisecond, 2 * time.Second}
	every := func(n int) func(int) bool { return func(i int) bool { return i%n == 0 } }
	for _, test := range []struct {
		name   string
		frames []int
		key    func(int) bool
		want   string
	}{
		{"10 fps, key every 2 s", slices.Repeat([]int{100}, 40), every(20), "k....|.....|.....|.....#k....|.....|.....|.....#"},
		{"10 fps, key every second", slices.Repeat([]int{100}, 30), every(10), "k....|.....|k....|.....#k....|.....|"},
		{"key every 1.5 s: the second is taken", slices.Repeat([]int{100}, 45), every(15), "k....|.....|.....|k....|.....|.....#k....|.....|.....|"},
		{"key frame a little early", slices.Repeat([]int{100}, 37), every(18), "k....|.....|.....|...#k....|.....|.....|...#k"},
		{"key every 6 s: cut without, then at the key", slices.Repeat([]int{200}, 45), every(30), "k.|..|..|..|..|..|..|..|..|..#..|..|..|..|..#k.|..|..|..|..|..|..|."},
		{"3 frames a part", slices.Repeat([]int{160}, 26), every(13), "k..|...|...|...|.#k..|...|...|...|.#"},
		{"one frame a second", slices.Repeat([]int{1000}, 6), every(2), "k|.#k|.#k|.#"},
		{"a long frame comes unannounced", []int{100, 100, 100, 400, 100, 100, 100, 100}, every(99), "k..|.|....|"},
	} {
		if got := cuts(wish, test.frames, test.key); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}
