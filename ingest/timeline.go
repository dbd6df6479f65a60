package ingest

import (
	"time"

	"chalkcast/media"
)

// What makes a frame's time unbelievable, and how long a doubt lasts.
const (
	maxForward  = 3 * time.Second        // a longer step forward is a jump
	maxPeerGap  = time.Second            // a step forward that lands this near to another track is only a gap
	maxStep     = time.Second            // longer steps do not count as the track's usual step
	jumpFrames  = 3                      // frames on a new line that make a jump lasting
	stuckFrames = 8                      // frames at one instant before we count for the encoder
	maxSkew     = 3 * time.Second        // sound and picture arriving further apart than this have drifted
	skewFrames  = 90                     // frames apart that make a drift lasting
	adoptBack   = 500 * time.Millisecond // a track may lose this much when it follows another to a new line
)

// timeline makes the decode times of a broadcast believable. It is pure: times in, times out.
//
// An encoder's clock is a line: output time = input time + offset. A frame off the line is a suspect and gets the
// time that was due. If the line goes on behind it, it was a single outlier. If three suspects make a line of
// their own, the clock jumped: a new offset lets output time go on where it was, at a discontinuity. All tracks
// of an encoder share its clock, so a track that jumps follows another that has already jumped, by the same
// offset, and a track that was silent for a while is not taken for one that jumped.
type timeline struct {
	tracks []trackLine // by track ID
}

type trackLine struct {
	track   media.Track
	started bool
	offset  media.Ticks // output − input
	in      media.Ticks // of the last frame on the line
	out     media.Ticks // of the frame before
	step    media.Ticks // usual distance of frames
	moved   bool        // the offset was changed for the next frame: a jump

	guessed  media.Ticks // how far suspects went beyond in
	suspects int         // on the candidate line, without a break
	suspect  media.Ticks // the last of them
	still    int         // frames at one instant, without a break
	apart    int         // frames that arrived too far from the first track's
	fresh    bool        // a frame arrived since the last look at it
}

func newTimeline(tracks []media.Track) *timeline {
	t := &timeline{}
	t.retrack(tracks)
	return t
}

// retrack goes on with other tracks. One that was there before keeps its line, also under another number.
func (t *timeline) retrack(tracks []media.Track) {
	before := t.tracks
	t.tracks = nil
	for _, track := range tracks {
		for track.ID >= len(t.tracks) {
			t.tracks = append(t.tracks, trackLine{})
		}
		l := &t.tracks[track.ID]
		*l = trackLine{track: track, step: usualStep(track)}
		for i := range before {
			if b := &before[i]; b.started && sameTrack(b.track, track) {
				l.follow(b)
			}
		}
	}
}

// sameTrack reports whether two tracks of one broadcast are the same, whatever happened to number and parameters.
func sameTrack(a, b media.Track) bool { return a.Kind == b.Kind && a.Label == b.Label }

// follow takes up the line of b, whose clock may have been another.
func (l *trackLine) follow(b *trackLine) {
	track, from, to := l.track, b.track.Clock, l.track.Clock
	*l = *b
	l.track = track
	if from == to {
		return
	}
	for _, t := range []*media.Ticks{&l.offset, &l.in, &l.out, &l.guessed, &l.suspect} {
		*t = t.Rescale(from, to)
	}
	l.step = usualStep(track)
}

func usualStep(track media.Track) media.Ticks {
	switch {
	case track.Kind == media.Audio:
		return media.Ticks(max(1, track.Clock/50))
	case track.Params != nil && track.Params.FrameRateMilli > 0:
		return max(1, media.Ticks(track.Clock)*1000/media.Ticks(track.Params.FrameRateMilli))
	}
	return media.Ticks(max(1, track.Clock/30))
}

// fix repairs f.DTS in place, so that it never falls, and marks the frame after a jump as a discontinuity. One
// jump of the encoder's clock is marked once, on the first track that shows it. A frame of an unknown track is
// left alone.
func (t *timeline) fix(f *media.Frame) (jumped bool) {
	if f.Track < 0 || f.Track >= len(t.tracks) || t.tracks[f.Track].track.Clock == 0 {
		return false
	}
	l := &t.tracks[f.Track]
	in := f.DTS
	if !l.started {
		t.begin(l, in)
		f.DTS = in + l.offset
		l.in, l.out, l.fresh = in, f.DTS, true
		return false
	}
	out := in + l.offset
	jumped, l.moved = l.moved, false
	switch {
	case l.stuck(in):
		out = l.out + l.step
		l.offset = out - in
		jumped = jumped || l.still == stuckFrames
	case t.believable(l, in):
		l.accept(in)
	case !l.lasting(in):
		out = l.out + l.step
		l.guessed += l.step
	default:
		jumped = t.rebase(l, in) || jumped
		out = in + l.offset
	}
	if t.drift(l, out) {
		out = in + l.offset
		jumped = true
	}
	if out < l.out {
		f.CTO += int32(out - l.out) // the picture keeps its time
		out = l.out
	}
	l.out, l.fresh = out, true
	f.DTS = out
	f.Discontinuity = f.Discontinuity || jumped
	return jumped
}

// kind returns whether f is a picture or sound, 0 for a frame of an unknown track.
func (t *timeline) kind(f *media.Frame) media.Kind {
	if f.Track < 0 || f.Track >= len(t.tracks) {
		return 0
	}
	return t.tracks[f.Track].track.Kind
}

// begin places the first frame of a track: on the encoder's clock, unless that is far from where its peers are.
func (t *timeline) begin(l *trackLine, in media.Ticks) {
	l.started = true
	for i := range t.tracks {
		p := &t.tracks[i]
		if p == l || !p.started {
			continue
		}
		l.offset = p.offset.Rescale(p.track.Clock, l.track.Clock)
		if apart := l.distance(in+l.offset, p); apart < -5*time.Second || apart > 5*time.Second {
			l.offset = p.out.Rescale(p.track.Clock, l.track.Clock) - in
		}
		return
	}
}

// stuck counts frames that all claim one instant.
func (l *trackLine) stuck(in media.Ticks) bool {
	if in != l.in {
		l.still = 0
		return false
	}
	l.still++
	return l.still >= stuckFrames
}

func (t *timeline) believable(l *trackLine, in media.Ticks) bool {
	step := in - l.in
	if step < 0 {
		return false
	}
	if step <= l.guessed+media.TicksOf(maxForward, l.track.Clock) {
		return true
	}
	for i := range t.tracks {
		if p := &t.tracks[i]; p != l && p.started {
			if apart := l.distance(in+l.offset, p); -maxPeerGap <= apart && apart <= maxPeerGap {
				return true
			}
		}
	}
	return false
}

func (l *trackLine) accept(in media.Ticks) {
	if step := in - l.in; l.guessed == 0 && step > 0 && step <= media.TicksOf(maxStep, l.track.Clock) {
		l.step = step
	}
	l.in, l.guessed, l.suspects = in, 0, 0
}

// lasting reports whether in is the third suspect in a row on a line of their own.
func (l *trackLine) lasting(in media.Ticks) bool {
	step := in - l.suspect
	if l.suspects == 0 || step < 0 || step > media.TicksOf(maxForward, l.track.Clock) {
		l.suspects = 0
	}
	l.suspects++
	l.suspect = in
	return l.suspects >= jumpFrames
}

// rebase gives l the offset with which its new line goes on: that of a track which is already there, or else one
// that continues the track's own output. It reports whether the encoder's jump is news.
func (t *timeline) rebase(l *trackLine, in media.Ticks) bool {
	l.in, l.guessed, l.suspects = in, 0, 0
	for i := range t.tracks {
		p := &t.tracks[i]
		if p == l || !p.started {
			continue
		}
		offset := p.offset.Rescale(p.track.Clock, l.track.Clock)
		apart := l.distance(in+offset, p)
		back := duration(l.out-in-offset, l.track.Clock)
		if -maxForward <= apart && apart <= maxForward && back <= adoptBack {
			l.offset = offset
			return false
		}
	}
	l.offset = l.out + l.step - in
	return true
}

// drift brings a track and the first one together when they arrive far apart, frame after frame: the one that is
// behind leaps forward, l at once, the first track at its next frame. A track that is silent is not drifting. It
// reports whether l leapt.
func (t *timeline) drift(l *trackLine, out media.Ticks) bool {
	first := &t.tracks[0]
	if l == first || !first.started || !first.fresh {
		return false
	}
	first.fresh = false
	apart := l.distance(out, first)
	if -maxSkew <= apart && apart <= maxSkew {
		l.apart = 0
		return false
	}
	if l.apart++; l.apart < skewFrames {
		return false
	}
	l.apart = 0
	if apart > 0 {
		first.offset += media.TicksOf(apart, first.track.Clock)
		first.moved = true
		return false
	}
	l.offset += media.TicksOf(-apart, l.track.Clock)
	return true
}

// distance returns how far out is ahead of p's newest frame. Both are output times of one broadcast.
func (l *trackLine) distance(out media.Ticks, p *trackLine) time.Duration {
	return duration(out-p.out.Rescale(p.track.Clock, l.track.Clock), l.track.Clock)
}

// duration is Ticks.Duration for times that nobody has checked: what is longer than a year is a year.
func duration(t media.Ticks, clock int) time.Duration {
	year := media.TicksOf(365*24*time.Hour, clock)
	return max(-year, min(year, t)).Duration(clock)
}
