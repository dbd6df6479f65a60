package ticket

import (
	"sync"
	"sync/atomic"
	"time"
)

// sweepEvery is how often expired entries are thrown out.
const sweepEvery = time.Minute

// denied is the list of revoked viewer sessions. It is bounded by what staff do within the life of a ticket: a
// whole school thrown out of a lesson is a few thousand small entries.
type denied struct {
	count atomic.Int64 // entries, so that the usual empty list costs no lock

	mu       sync.RWMutex // guards what follows
	sessions map[uint64]revoked
	swept    time.Time
}

// revoked says which tickets of a session are no good.
type revoked struct {
	all   time.Time // none is until then
	turn  uint8     // those of an earlier turn
	turns time.Time // are not until then
}

func (d *denied) change(viewer uint64, change func(*revoked)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions == nil {
		d.sessions = make(map[uint64]revoked)
	}
	r := d.sessions[viewer]
	change(&r)
	d.sessions[viewer] = r
	d.count.Store(int64(len(d.sessions)))
}

func (d *denied) add(viewer uint64, until time.Time) {
	d.change(viewer, func(r *revoked) {
		if until.After(r.all) {
			r.all = until
		}
	})
}

func (d *denied) replace(viewer uint64, until time.Time) {
	d.change(viewer, func(r *revoked) {
		if until.After(r.turns) {
			r.turns = until
		}
		if r.turn < maxTurn {
			r.turn++
		} else if until.After(r.all) {
			r.all = until
		}
	})
}

// turn returns the one that a ticket minted now belongs to.
func (d *denied) turn(viewer uint64) uint8 {
	if d.count.Load() == 0 {
		return 0
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.sessions[viewer].turn
}

func (d *denied) has(c Claims, now time.Time) bool {
	if d.count.Load() == 0 {
		return false
	}
	d.mu.RLock()
	r := d.sessions[c.Viewer]
	stale := now.Sub(d.swept) >= sweepEvery
	d.mu.RUnlock()
	if stale {
		d.sweep(now)
	}
	return !now.After(r.all) || c.Turn < r.turn && !now.After(r.turns)
}

func (d *denied) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for viewer, r := range d.sessions {
		if now.After(r.all) && now.After(r.turns) {
			delete(d.sessions, viewer)
		}
	}
	d.swept = now
	d.count.Store(int64(len(d.sessions)))
}
