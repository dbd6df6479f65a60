package classroom

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"chalkcast/media"
)

// seats remembers who holds which playback ticket, so that a right that ends takes the tickets with it. A ticket
// names a seat: one sign-in in one enrollment, so that somebody who leaves a course keeps their others, and sits
// down anew when they return. What is forgotten at a restart expires by itself.
type seats struct {
	deny func(viewer uint64, until time.Time)

	mu    sync.Mutex
	taken map[uint64]seat
	sweep int // when so many are taken, the expired ones go
}

type seat struct {
	session      uint64
	course, user media.ID
	enrollment   media.ID // 0 for an admin
	until        time.Time
}

const fewSeats = 1024

func newSeats(deny func(uint64, time.Time)) *seats {
	if deny == nil {
		deny = func(uint64, time.Time) {}
	}
	return &seats{deny: deny, taken: map[uint64]seat{}, sweep: fewSeats}
}

// take returns the name of a seat for a ticket that lives until s.until.
func (t *seats) take(s seat, now time.Time) (viewer uint64) {
	viewer = s.name()
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.taken[viewer]; old.until.After(s.until) {
		s.until = old.until
	}
	t.taken[viewer] = s
	if len(t.taken) > t.sweep {
		for v, old := range t.taken {
			if old.until.Before(now) {
				delete(t.taken, v)
			}
		}
		t.sweep = 2*len(t.taken) + fewSeats
	}
	return viewer
}

func (s seat) name() uint64 {
	var b []byte
	b = binary.BigEndian.AppendUint64(b, s.session)
	b = binary.BigEndian.AppendUint64(b, uint64(s.course))
	b = binary.BigEndian.AppendUint64(b, uint64(s.enrollment))
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

func (t *seats) sessionEnded(session uint64) {
	t.empty(func(s seat) bool { return s.session == session })
}

func (t *seats) enrollmentEnded(course, user media.ID) {
	t.empty(func(s seat) bool { return s.course == course && s.user == user })
}

func (t *seats) empty(ended func(seat) bool) {
	gone := map[uint64]time.Time{}
	t.mu.Lock()
	for v, s := range t.taken {
		if ended(s) {
			gone[v] = s.until
			delete(t.taken, v)
		}
	}
	t.mu.Unlock()
	for v, until := range gone {
		t.deny(v, until)
	}
}
