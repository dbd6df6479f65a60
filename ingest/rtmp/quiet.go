package rtmp

import (
	"net/netip"
	"sync"
	"time"
)

const (
	quietFor   = time.Minute
	maxQuieted = 1024
)

// quiet keeps a flood of bad connections out of the log.
type quiet struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

// speak reports whether a line about addr may be logged now. When very many addresses misbehave, new ones are
// quiet until old ones are forgotten.
func (q *quiet) speak(addr netip.Addr, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Before(q.until[addr]) {
		return false
	}
	if len(q.until) >= maxQuieted {
		for a, until := range q.until {
			if !now.Before(until) {
				delete(q.until, a)
			}
		}
		if len(q.until) >= maxQuieted {
			return false
		}
	}
	if q.until == nil {
		q.until = map[netip.Addr]time.Time{}
	}
	q.until[addr] = now.Add(quietFor)
	return true
}

// maskAddr returns the network of an address, which is what a log may hold.
func maskAddr(a netip.Addr) string {
	a = a.Unmap()
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
