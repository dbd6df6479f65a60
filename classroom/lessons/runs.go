package lessons

import (
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
	seen    time.Time  // the last packet
	resumed time.Time  // the first packet after the last silence
	end     *media.End // set once
	lesson  media.ID   // whose students see it; 0 while it is a preview
	aired   media.ID   // whose students saw it last

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
	onAir := r.lesson
	l.mu.Unlock()
	l.tellHealth(g.Publisher, onAir, healthOf(h, true, onAir != 0))
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
	began, onAir := !r.started.IsZero(), r.lesson
	if began && e.At.After(r.seen) {
		r.seen = e.At
	}
	h := r.health
	l.mu.Unlock()
	if began {
		l.tellHealth(g.Publisher, onAir, healthOf(h, false, false))
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
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.connected(func(r *run) bool { return r.grant.Publisher == viewer })
	if r == nil && lesson != 0 {
		r = l.connected(func(r *run) bool { return r.lesson == lesson })
	}
	return r.broadcasting()
}

// BroadcastOf returns the broadcast that belongs to a lesson, on air or about to be. ok is false without one.
func (l *Lessons) BroadcastOf(lesson media.ID) (b Broadcasting, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.connected(func(r *run) bool { return r.lesson == lesson })
	if r == nil {
		r = l.connected(func(r *run) bool { return r.shows() == lesson })
	}
	return r.broadcasting()
}

// broadcasting is the run as values; false for nil. The caller holds mu.
func (r *run) broadcasting() (Broadcasting, bool) {
	if r == nil {
		return Broadcasting{}, false
	}
	h := r.health
	if h.At.IsZero() { // the first second
		h = media.Health{At: r.started, Encoder: r.encoder}
	}
	live := r.lesson != 0
	return Broadcasting{Publisher: r.grant.Publisher, Lesson: r.shows(), Live: live, Health: healthOf(h, true, live)}, true
}
