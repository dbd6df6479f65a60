package hls

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"chalkcast/media"
)

// A ticket is for one viewer. Whoever passes the link on shows by the networks and programs it is used from: more
// than a few of them within minutes, and the teacher is told; many, and the ticket is replaced. The page of its owner
// fetches another one by itself, since the owner is signed in; those who only have the link cannot (SEC-24).
const (
	sharedAfter  = 3
	tooManyAfter = 10
	shareWindow  = 5 * time.Minute
	ticketLife   = 6 * time.Hour // no ticket is good for longer
	maxCompanies = 20_000        // viewers that are watched at once; with more, new ones are not
)

// company is what one viewer's tickets were used from lately.
type company struct {
	latest atomic.Uint64 // what was seen last: nearly always the same
	at     atomic.Int64  // and when, Unix seconds

	mu   sync.Mutex // guards what follows
	seen []sighting
}

// sighting is a network and a program, as a hash that means nothing elsewhere.
type sighting struct {
	print uint64
	at    time.Time
}

// crowd is all companies.
type crowd struct {
	seed      maphash.Seed
	companies sync.Map // uint64 to *company
	count     atomic.Int64
}

// print tells devices apart as well as it is fair to: by network (IPv4 /24, IPv6 /56) and program.
func (s *crowd) print(address netip.Addr, agent string) uint64 {
	bits := 24
	if address = address.Unmap(); address.Is6() {
		bits = 56
	}
	network, _ := address.Prefix(bits)
	var h maphash.Hash
	h.SetSeed(s.seed)
	b := network.Addr().As16()
	h.Write(b[:])
	h.WriteString(agent[:min(len(agent), 512)])
	return h.Sum64()
}

// see notes that a viewer's ticket was used and returns from how many places within the last minutes. A viewer who
// stays where they are takes no lock.
func (s *crowd) see(viewer, print uint64, now time.Time) int {
	v, known := s.companies.Load(viewer)
	if !known {
		if s.count.Load() >= maxCompanies {
			return 1
		}
		if v, known = s.companies.LoadOrStore(viewer, &company{}); !known {
			s.count.Add(1)
		}
	}
	c := v.(*company)
	if c.latest.Load() == print && now.Unix()-c.at.Load() < 60 {
		return 1 // whoever else is there is counted when they ask
	}
	c.latest.Store(print)
	c.at.Store(now.Unix())
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, found := c.seen[:0], false
	for _, one := range c.seen {
		if one.print == print {
			one.at, found = now, true
		}
		if now.Sub(one.at).Abs() < shareWindow {
			kept = append(kept, one)
		}
	}
	if !found {
		kept = append(kept, sighting{print, now})
	}
	c.seen = kept
	return len(kept)
}

// forget begins anew for a viewer.
func (s *crowd) forget(viewer uint64) {
	if _, ok := s.companies.LoadAndDelete(viewer); ok {
		s.count.Add(-1)
	}
}

// sweep forgets viewers who have left.
func (s *crowd) sweep(now time.Time) {
	s.companies.Range(func(viewer, v any) bool {
		if age := now.Unix() - v.(*company).at.Load(); age > int64(shareWindow/time.Second) || age < -60 {
			s.forget(viewer.(uint64))
		}
		return true
	})
}

// sharing is what the teacher is told about a channel.
type sharing struct {
	since, last time.Time
	devices     int
}

// personal reports whether a ticket is used as it is meant to be. It tells the teacher when it may not be, and
// replaces one that certainly is not.
func (w *visit) personal(r *http.Request, c *channel) bool {
	now := w.o.cfg.Now()
	n := w.o.crowd.see(w.claims.Viewer, w.o.crowd.print(w.o.cfg.Address(r), r.UserAgent()), now)
	if n <= sharedAfter {
		return true
	}
	c.told(n, now)
	if n <= tooManyAfter {
		return true
	}
	w.o.cfg.Tickets.Replace(w.claims.Viewer, now.Add(ticketLife))
	w.o.crowd.forget(w.claims.Viewer)
	w.o.cfg.Log.Info("ticket replaced: it was used in too many places", "channel", c.id, "places", n)
	return false
}

func (c *channel) told(devices int, now time.Time) {
	s := sharing{since: now, last: now, devices: devices}
	if old := c.shared.Load(); old != nil && now.Sub(old.last) < shareWindow {
		s.since, s.devices = old.since, max(old.devices, devices)
	}
	c.shared.Store(&s)
}

// shareWarning returns what the teacher is told, if anything.
func (c *channel) shareWarning(now time.Time) (w media.Warning, ok bool) {
	s := c.shared.Load()
	if s == nil || now.Sub(s.last) >= shareWindow {
		return w, false
	}
	return media.Warning{Code: media.LinkShared, Detail: strconv.Itoa(s.devices), Since: s.since}, true
}

// connection returns the other end of a request's connection.
func connection(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr()
}
