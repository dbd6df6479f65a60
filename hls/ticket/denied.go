package ticket

import (
	"sync"
	"sync/atomic"
	"time"
)

// sweepEvery is how often expired entries are thrown out.
const sweepEvery = time.Minute

// denied is the list of revoked viewer sessions. It is bounded by what staff do within the life of a ticket: a
// whole school thrown out of a lesson is a few thousand entries of 16 bytes.
type denied struct {
	count atomic.Int64 // entries, so that the usual empty list costs no lock

	mu    sync.RWMutex // guards what follows
	until map[uint64]time.Time
	swept time.Time
}

func (d *denied) add(viewer uint64, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = make(map[uint64]time.Time)
	}
	if until.After(d.until[viewer]) {
		d.until[viewer] = until
	}
	d.count.Store(int64(len(d.until)))
}

func (d *denied) has(viewer uint64, now time.Time) bool {
	if d.count.Load() == 0 {
		return false
	}
	d.mu.RLock()
	until, found := d.until[viewer]
	stale := now.Sub(d.swept) >= sweepEvery
	d.mu.RUnlock()
	if stale {
		d.sweep(now)
	}
	return found && !now.After(until)
}

func (d *denied) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for viewer, until := range d.until {
		if now.After(until) {
			delete(d.until, viewer)
		}
	}
	d.swept = now
	d.count.Store(int64(len(d.until)))
}
