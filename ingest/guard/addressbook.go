package guard

import (
	"net/netip"
	"time"
)

// How long addresses are remembered, and how many.
const (
	knownFor     = 24 * time.Hour
	failWindow   = time.Minute
	penalty      = 30 * time.Second
	maxAddresses = 4096
	lookAt       = 32
	knownFactor  = 10 // a known address may fail this many times as often: one mistyped key must not shut out a school
)

// addressBook remembers which addresses brought good and bad keys.
type addressBook map[netip.Addr]addressEntry

type addressEntry struct {
	knownUntil     time.Time
	failures       int
	failuresSince  time.Time
	penalizedUntil time.Time
}

func (b addressBook) look(ip netip.Addr, now time.Time) (known, penalized bool) {
	e := b[ip]
	return now.Before(e.knownUntil), now.Before(e.penalizedUntil)
}

func (b addressBook) good(ip netip.Addr, now time.Time) {
	b.makeRoom(ip, now)
	b[ip] = addressEntry{knownUntil: now.Add(knownFor)}
}

func (b addressBook) bad(ip netip.Addr, now time.Time, allowed int) {
	b.makeRoom(ip, now)
	e := b[ip]
	if now.Before(e.knownUntil) {
		allowed *= knownFactor
	}
	if now.Sub(e.failuresSince) >= failWindow {
		e.failures, e.failuresSince = 0, now
	}
	if e.failures++; e.failures > allowed {
		e.failures, e.penalizedUntil = 0, now.Add(penalty)
	}
	b[ip] = e
}

// makeRoom keeps the book small. It looks at a few entries by chance and lets go of one that says nothing any more,
// or else of one that is not known, or else of any.
func (b addressBook) makeRoom(ip netip.Addr, now time.Time) {
	if _, ok := b[ip]; ok || len(b) < maxAddresses {
		return
	}
	var least netip.Addr
	looked, worth := 0, 3
	for a, e := range b {
		if w := e.worth(now); w < worth {
			least, worth = a, w
		}
		if looked++; looked == lookAt || worth == 0 {
			break
		}
	}
	delete(b, least)
}

func (e addressEntry) worth(now time.Time) int {
	switch {
	case now.Before(e.knownUntil):
		return 2
	case now.Before(e.penalizedUntil) || now.Sub(e.failuresSince) < failWindow:
		return 1
	}
	return 0
}
