package hls

import (
	"bytes"
	"time"

	"chalkcast/media"
)

// verdict is what a frame means for the generation that is open, or that is to be opened.
type verdict uint8

const (
	takeFrame verdict = iota
	dropFrame
	beginHere // a generation begins with this frame
	breakOff  // the open generation ends; the frame is kept or dropped
	renewInit // the first frame of its track in this generation brings other parameters
)

// feed watches the frames of one encoder and says where generations begin. It is pure, and owned by the writer
// of the channel that the encoder is attached to.
type feed struct {
	tracks  []media.Track // as of now; parameters change
	states  []feedState   // by index in tracks
	waiting []*media.Frame
	restart bool // a generation begins at the next key frame of the leading track
}

type feedState struct {
	seen bool
	last media.Ticks
	deaf bool // its frames do not fit the open generation
	off  bool // a picture that has not shown up; the others go on without it
}

const (
	// jumpLimit is how far a track's time may step before it is no longer one line.
	jumpLimit = 3 * time.Second
	// pictureWait is for how long sound waits for the first picture.
	pictureWait = 3 * time.Second
	// maxWaiting bounds the frames that wait for a generation to begin.
	maxWaiting = 2048
)

func newFeed(tracks []media.Track) *feed {
	return &feed{tracks: append([]media.Track(nil), tracks...), states: make([]feedState, len(tracks))}
}

func (f *feed) index(id int) int {
	for i := range f.tracks {
		if f.tracks[i].ID == id {
			return i
		}
	}
	return -1
}

// present returns the tracks that a generation is made of now.
func (f *feed) present() []media.Track {
	var tracks []media.Track
	for i, t := range f.tracks {
		if !f.states[i].off {
			tracks = append(tracks, t)
		}
	}
	return tracks
}

// lead returns the index of the track whose key frames decide: the first picture, else the first sound.
func (f *feed) lead() int {
	sound := -1
	for i, t := range f.tracks {
		switch {
		case t.Kind == media.Video && !f.states[i].off:
			return i
		case t.Kind == media.Audio && sound < 0:
			sound = i
		}
	}
	return max(sound, 0)
}

// isKey reports whether a generation may begin with a frame.
func (f *feed) isKey(i int, fr *media.Frame) bool {
	return i == f.lead() && fr.Sync && len(fr.Data) > 0
}

// take looks at the next frame. mux is the open generation, nil when there is none; again asks for a new one at
// the next key frame.
func (f *feed) take(fr *media.Frame, mux *muxer, again bool) verdict {
	i := f.index(fr.Track)
	if i < 0 {
		return dropFrame
	}
	s := &f.states[i]
	if s.off && fr.Sync {
		s.off, f.restart = false, true // the picture has come after all
	}
	renew := f.change(i, fr, mux)
	broken := f.jumped(i, fr)
	f.restart = f.restart || again || fr.Discontinuity && mux != nil
	switch {
	case len(fr.Data) == 0 || s.off:
		return dropFrame
	case mux == nil:
		return f.wait(i, fr)
	case f.isKey(i, fr) && (f.restart || broken):
		return f.start()
	case broken && i == f.lead():
		return breakOff
	case broken || s.deaf:
		return dropFrame
	case renew:
		return renewInit
	}
	return takeFrame
}

// change takes over new parameters. They need a new generation, unless the track has not had a frame in this one:
// then renew is true and its init segment is simply written again.
func (f *feed) change(i int, fr *media.Frame, mux *muxer) (renew bool) {
	p := fr.Params
	if p == nil || p.Codec == f.tracks[i].Params.Codec && bytes.Equal(p.Config, f.tracks[i].Params.Config) {
		return false
	}
	f.tracks[i].Params = p
	if mux == nil {
		return false
	}
	if l := mux.lane(fr.Track); l != nil && !l.holds && l != mux.lead {
		return true
	}
	f.restart, f.states[i].deaf = true, true
	return false
}

// jumped notices time that is not one line with the frame before.
func (f *feed) jumped(i int, fr *media.Frame) bool {
	s := &f.states[i]
	step := fr.DTS - s.last
	limit := media.TicksOf(jumpLimit, f.tracks[i].Clock)
	jumped := s.seen && (step < 0 || step > limit)
	if jumped && step > 0 && f.nearOthers(i, fr.DTS) {
		jumped = false // it was silent, the others were not
	}
	s.seen, s.last = true, fr.DTS
	return jumped
}

func (f *feed) nearOthers(i int, at media.Ticks) bool {
	for j, t := range f.tracks {
		if j == i || !f.states[j].seen {
			continue
		}
		apart := at - f.states[j].last.Rescale(t.Clock, f.tracks[i].Clock)
		if limit := media.TicksOf(jumpLimit, f.tracks[i].Clock); -limit <= apart && apart <= limit {
			return true
		}
	}
	return false
}

// wait keeps the frames of other tracks until the leading one begins. Sound does not wait for ever for a picture
// that was announced and never comes.
func (f *feed) wait(i int, fr *media.Frame) verdict {
	if f.isKey(i, fr) {
		return f.start()
	}
	if i == f.lead() || len(f.waiting) >= maxWaiting {
		return dropFrame
	}
	if f.pictureMissing(i, fr) {
		for j, t := range f.tracks {
			f.states[j].off = t.Kind == media.Video && !f.states[j].seen
		}
		if i == f.lead() {
			return f.start()
		}
	}
	f.waiting = append(f.waiting, fr)
	return dropFrame
}

func (f *feed) pictureMissing(i int, fr *media.Frame) bool {
	lead := f.lead()
	if f.tracks[lead].Kind != media.Video || f.states[lead].seen || len(f.waiting) == 0 {
		return false
	}
	first := f.waiting[0]
	return first.Track == fr.Track && fr.DTS-first.DTS > media.TicksOf(pictureWait, f.tracks[i].Clock)
}

func (f *feed) start() verdict {
	f.restart = false
	for i := range f.states {
		f.states[i].deaf = false
	}
	return beginHere
}

// pictures returns how many pictures the encoder announced.
func (f *feed) pictures() (n int) {
	for _, t := range f.tracks {
		if t.Kind == media.Video {
			n++
		}
	}
	return n
}

// first returns the frame that a generation begins with: fr, or the earliest sound that waited in vain for a
// picture.
func (f *feed) first(fr *media.Frame) *media.Frame {
	for _, w := range f.waiting {
		if f.index(w.Track) == f.lead() {
			return w
		}
	}
	return fr
}

// begun returns the frames that were waiting and belong into the generation that begins with first.
func (f *feed) begun(first *media.Frame, lead media.Track) []*media.Frame {
	waiting := f.waiting
	f.waiting = nil
	kept := waiting[:0]
	for _, w := range waiting {
		clock := f.tracks[f.index(w.Track)].Clock
		if w.DTS >= first.DTS.Rescale(lead.Clock, clock) {
			kept = append(kept, w)
		}
	}
	return kept
}

// opens reports whether another channel could begin with a frame.
func (f *feed) opens(fr *media.Frame) bool {
	i := f.index(fr.Track)
	return i >= 0 && f.isKey(i, fr)
}

// reset prepares for another channel: it begins with the next key frame.
func (f *feed) reset() {
	f.waiting, f.restart = nil, false
	for i := range f.states {
		f.states[i].deaf = false
	}
}
