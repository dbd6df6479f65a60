package hls

import (
	"time"

	"chalkcast/media"
)

// targets are the lengths that a channel promises. They are chosen from its first part and its first segment, and
// never change afterwards: some players stop for good when they do. Zero means not chosen yet.
type targets struct {
	part    time.Duration // PART-TARGET, whole milliseconds
	segment time.Duration // TARGETDURATION, whole seconds
}

func (t targets) holdBack() time.Duration { return 3 * t.part }

// cut is a decision about the place between two frames.
type cut uint8

const (
	keep cut = iota
	cutPart
	cutSegment
)

// segmenter says where to cut one rendition. It watches the rendition's leading track, in ticks of that track's
// clock, and does nothing but arithmetic.
//
// A part is closed before the frame that would make it longer than the target, a segment at a key frame once it
// is 90 % as long as asked for: decode times of key frames lag, and a stricter test doubles the first segment. A
// segment for which no key frame comes in time is cut elsewhere, and then the next one ends at the first key
// frame.
type segmenter struct {
	clock   int
	sound   bool     // every frame is a key frame
	wish    targets  // what the configuration asks for
	chosen  *targets // shared by the renditions of a channel
	segment media.Ticks
	part    media.Ticks // where the open segment and part begin
	end     media.Ticks // up to where media was added
	usual   media.Ticks // length of the latest frame
	cycle   media.Ticks // length of the latest segment
	keyed   bool        // the open segment begins at a key frame
}

// begin sets everything to an empty segment at start.
func (s *segmenter) begin(start media.Ticks, keyed bool) {
	s.cycle = s.end - s.segment
	s.segment, s.part, s.end, s.keyed = start, start, start, keyed
}

// before is asked about a frame that is about to be added and ends at end. Only frames that are longer than the
// one before them surprise next; this is the second line.
func (s *segmenter) before(end media.Ticks) cut {
	switch {
	case s.end > s.segment && end-s.segment > s.longestSegment():
		return cutSegment
	case s.full(end):
		return cutPart
	}
	return keep
}

// full reports whether the open part has no room for a frame that ends at then.
func (s *segmenter) full(then media.Ticks) bool {
	return s.end > s.part && then-s.part > s.longestPart()
}

// next is asked when a frame begins at s.end and everything before it was added.
func (s *segmenter) next(key bool) cut {
	length, then := s.end-s.segment, s.end+s.usual
	switch {
	case length <= 0:
		return keep
	case s.sound && then-s.segment > s.ticks(s.wish.segment):
		return cutSegment
	case !s.sound && key && (length >= s.ticks(s.wish.segment*9/10) || !s.keyed):
		return cutSegment
	case then-s.segment > s.longestSegment():
		return cutSegment
	case s.full(then):
		return cutPart
	}
	return keep
}

// expected returns where the frame begins that ends the open part, when all goes on as it did: frames of the same length,
// groups of pictures of the same length.
func (s *segmenter) expected() media.Ticks {
	if s.usual <= 0 {
		return s.end
	}
	full := s.part + max(s.longestPart()/s.usual, 1)*s.usual
	if cut := s.segment + s.cycle; s.cycle > 0 && cut > s.end {
		return min(full, cut)
	}
	return full
}

func (s *segmenter) longestPart() media.Ticks {
	if s.chosen.part > 0 {
		return s.ticks(s.chosen.part)
	}
	return s.ticks(s.wish.part + slack(s.wish.part))
}

// longestSegment is what still rounds to TARGETDURATION.
func (s *segmenter) longestSegment() media.Ticks {
	if s.chosen.segment > 0 {
		return s.ticks(s.chosen.segment+time.Second/2) - 1
	}
	return s.ticks(2 * s.wish.segment)
}

func (s *segmenter) ticks(d time.Duration) media.Ticks { return media.TicksOf(d, s.clock) }

// slack lets a part keep its number of frames when encoders round times to milliseconds.
func slack(part time.Duration) time.Duration { return part / 100 }

// choosePart freezes PART-TARGET after the first part: as many whole frames as fit into what was asked for.
func (t *targets) choosePart(first time.Duration, wish targets) {
	if t.part > 0 {
		return
	}
	longest := max(first, wish.part*4/5) + slack(wish.part)
	t.part = (longest + time.Millisecond - 1).Truncate(time.Millisecond)
}

// chooseSegment freezes TARGETDURATION after the first segment, which is the first group of pictures when that
// is not too long. A quarter of a second of rounding down keeps a group of 2.003 s a 2 s segment.
func (t *targets) chooseSegment(first time.Duration, wish targets) {
	if t.segment > 0 {
		return
	}
	up := (first - time.Second/4 + time.Second - 1).Truncate(time.Second)
	t.segment = max(up, wish.segment.Round(time.Second), time.Second)
}
