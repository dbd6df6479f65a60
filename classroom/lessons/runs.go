package lessons

import (
	"slices"
	"time"

	"chalkcast/media"
	"chalkcast/templates"
)

// silenceLimit is how long nothing may come from an encoder before its lesson counts as interrupted.
const silenceLimit = 5 * time.Second

// seenEvery is how often the last packet is written down; at most this much is lost of an air interval when the
// server is killed.
const seenEvery = 5 * time.Second

// run is one encoder that was let in: what the Gate methods noted, and what of it is written down.
type run struct {
	grant   media.Grant
	started time.Time // zero until its tracks are known
	encoder string
	video   string
	audio   string
	health  media.Health
	seen    time.Time    // the last packet
	resumed time.Time    // the first packet after the last silence
	end     *media.End   // set once
	lesson  media.ID     // whose students see it; 0 while it is a preview
	notes   []media.Code // what its students were told of how it arrives
	aired   media.ID     // whose students saw it last

	// owned by the goroutine of Run
	stored   bool // the broadcast has its row
	storedAt time.Time
	airing   media.ID // the lesson whose open interval is this run's
}

// sends reports whether packets arrive at now.
func (r *run) sends(now time.Time) bool {
	return !r.started.IsZero() && r.end == nil && now.Sub(r.seen) < silenceLimit
}

// Started notes that the tracks of a broadcast are known and media flows. It does not block.
func (l *Lessons) Started(g media.Grant, tracks []media.Track, encoder string) {
	now := l.now()
	l.mu.Lock()
	r := l.runs[g.Broadcast]
	if r == nil { // not ours: Admit made one for every grant
		l.mu.Unlock()
		return
	}
	r.started, r.seen, r.resumed, r.encoder = now, now, now, encoder
	r.video, r.audio = words(tracks)
	l.mu.Unlock()
	l.stir()
}

// Health notes how a broadcast arrives, once a second. It does not block.
func (l *Lessons) Health(g media.Grant, h media.Health) {
	seen := h.At.Add(-h.Silence)
	l.mu.Lock()
	r := l.runs[g.Broadcast]
	if r == nil || r.end != nil {
		l.mu.Unlock()
		return
	}
	if seen.Sub(r.seen) >= silenceLimit {
		r.resumed = seen
	}
	if seen.After(r.seen) {
		r.seen = seen
	}
	r.health = h
	onAir, shows, notes := r.lesson, r.shows(), studentNotes(h)
	news := onAir != 0 && !slices.Equal(notes, r.notes)
	if news {
		r.notes = notes
	}
	l.mu.Unlock()
	l.tellHealth(g.Publisher, onAir, l.healthOf(h, g.Publisher, onAir, shows))
	if news {
		l.tell(onAir, EventNotes, NotesNews{notes}, false)
	}
}

// studentNotes is what the students of a lesson should know of how it arrives: why they hear nothing, or why it stalls,
// so that nobody looks for the fault at home.
func studentNotes(h media.Health) []media.Code {
	notes := []media.Code{}
	for _, w := range h.Warnings {
		switch w.Code {
		case media.AudioMissing, media.Starved, media.BitrateHigh:
			notes = append(notes, w.Code)
		}
	}
	return notes
}

// notesOf is what the students of a lesson were told last.
func (l *Lessons) notesOf(lesson media.ID) []media.Code {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.connected(func(r *run) bool { return r.lesson == lesson }); r != nil && r.notes != nil {
		return r.notes
	}
	return []media.Code{}
}

// Ended notes the end of a broadcast that Admit let in, also of one that never started. It does not block.
func (l *Lessons) Ended(g media.Grant, e media.End) {
	l.mu.Lock()
	r := l.runs[g.Broadcast]
	if r == nil || r.end != nil {
		l.mu.Unlock()
		return
	}
	r.end = &e
	began, onAir, noted := !r.started.IsZero(), r.lesson, len(r.notes) > 0
	if began && e.At.After(r.seen) {
		r.seen = e.At
	}
	h := r.health
	l.mu.Unlock()
	if began {
		l.tellHealth(g.Publisher, onAir, healthJSON(h, false, false))
	}
	if onAir != 0 && noted {
		l.tell(onAir, EventNotes, NotesNews{[]media.Code{}}, false)
	}
	l.stir()
}

// shows is the lesson a run belongs to: where it is seen, or else where it would be.
func (r *run) shows() media.ID {
	if r.lesson != 0 {
		return r.lesson
	}
	return r.grant.Lesson
}

// belongs is the lesson that a run is remembered with: the one it was seen in, or else the one it was meant for.
func (r *run) belongs() media.ID {
	if r.aired != 0 {
		return r.aired
	}
	return r.grant.Lesson
}

// connected returns a run that has started and not ended, nil when none is as wanted. The caller holds mu.
func (l *Lessons) connected(wanted func(*run) bool) *run {
	for _, r := range l.runs {
		if !r.started.IsZero() && r.end == nil && wanted(r) {
			return r
		}
	}
	return nil
}

// Broadcasting is a broadcast that runs, as the studio shows it.
type Broadcasting struct {
	Publisher media.ID
	Lesson    media.ID // the lesson it belongs to, 0 in a rehearsal
	Live      bool     // students see it
	Health    templates.Health
}

// BroadcastFor returns what the studio of a lesson shows to viewer: their own broadcast, or else the one that
// students see. ok is false when there is neither.
func (l *Lessons) BroadcastFor(lesson, viewer media.ID) (b Broadcasting, ok bool) {
	return l.broadcasting(
		func(r *run) bool { return r.grant.Publisher == viewer },
		func(r *run) bool { return lesson != 0 && r.lesson == lesson })
}

// BroadcastOf returns the broadcast that belongs to a lesson, on air or about to be. ok is false without one.
func (l *Lessons) BroadcastOf(lesson media.ID) (b Broadcasting, ok bool) {
	return l.broadcasting(
		func(r *run) bool { return r.lesson == lesson },
		func(r *run) bool { return r.shows() == lesson })
}

// broadcasting returns a run as the first of the wishes wants it that can be fulfilled.
func (l *Lessons) broadcasting(wishes ...func(*run) bool) (Broadcasting, bool) {
	r, ok := l.find(wishes)
	if !ok {
		return Broadcasting{}, false
	}
	h := r.health
	if h.At.IsZero() { // the first second
		h = media.Health{At: r.started, Encoder: r.encoder}
	}
	return Broadcasting{
		Publisher: r.grant.Publisher, Lesson: r.shows(), Live: r.lesson != 0, Health: l.healthOf(h, r.grant.Publisher, r.lesson, r.shows()),
	}, true
}

// find copies the run that the first of the wishes finds.
func (l *Lessons) find(wishes []func(*run) bool) (run, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, wanted := range wishes {
		if r := l.connected(wanted); r != nil {
			return *r, true
		}
	}
	return run{}, false
}
