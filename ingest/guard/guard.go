package guard

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// Config of a Listener. The zero value of a field means its default.
type Config struct {
	// Deadline is how long a connection may take from accept until it has shown a good key. Default 5 s.
	Deadline time.Duration
	// Bytes is how much it may send until then, TLS included. Default 16 KiB; a real encoder sends about 4 KiB.
	Bytes int
	// Rate is how many strangers are let in per second, and at once. Default 200.
	Rate int
	// Places is how many connections may be without a good key at one time. Default 256.
	Places int
	// PlacesPerIP is how many of them one address may hold: an IPv4 address, an IPv6 /64. Default 8.
	PlacesPerIP int
	// PlacesKnownIP replaces PlacesPerIP once a good key came from the address: a school behind one address.
	// Default 64.
	PlacesKnownIP int
	// Failures is how many keys of one address may fail in a minute; ten times as many once a good key came
	// from it. One more, and the address is turned away for 30 s. Default 10.
	Failures int

	Now func() time.Time // nil: time.Now; deadlines of sockets always follow the real clock
}

func (c Config) withDefaults() Config {
	set := func(v *int, zero int) {
		if *v == 0 {
			*v = zero
		}
	}
	if c.Deadline == 0 {
		c.Deadline = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	set(&c.Bytes, 16<<10)
	set(&c.Rate, 200)
	set(&c.Places, 256)
	set(&c.PlacesPerIP, 8)
	set(&c.PlacesKnownIP, 64)
	set(&c.Failures, 10)
	return c
}

// evictAfter is how long a place is safe from newcomers: a real encoder shows its key within 0.3 s.
const evictAfter = time.Second

// Stats counts what happened since the start.
type Stats struct {
	Connections uint64 // let in to try
	Accepted    uint64 // of those, showed a good key

	TooFast   uint64 // closed: more strangers per second than Rate
	TooMany   uint64 // closed: no place free
	TooManyIP uint64 // closed: the address holds too many
	Penalized uint64 // closed: keys of the address kept failing
	Evicted   uint64 // lost its place to a newcomer
	TooSlow   uint64 // reached the deadline
	TooLong   uint64 // sent more than its budget
}

type counters struct {
	connections, accepted, tooFast, tooMany, tooManyIP, penalized, evicted, tooSlow, tooLong atomic.Uint64
}

// Listener is a net.Listener whose connections are guarded.
type Listener struct {
	net.Listener
	cfg     Config
	limiter *rate.Limiter
	count   counters
	closed  chan struct{}
	once    sync.Once

	mu      sync.Mutex // guards waiting, perIP and known
	waiting []*Conn    // without a good key yet, oldest first
	perIP   map[netip.Addr]int
	known   addressBook
}

// Listen guards l.
func Listen(l net.Listener, cfg Config) *Listener {
	cfg = cfg.withDefaults()
	return &Listener{
		Listener: l,
		cfg:      cfg,
		limiter:  rate.NewLimiter(rate.Limit(cfg.Rate), cfg.Rate),
		closed:   make(chan struct{}),
		perIP:    map[netip.Addr]int{},
		known:    addressBook{},
	}
}

// Accept returns the next connection that may try; its type is *Conn. It outlasts a shortage of file descriptors.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			if !passing(err) {
				return nil, err
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-l.closed:
			}
			continue
		}
		if c := l.admit(inner); c != nil {
			return c, nil
		}
		inner.Close()
	}
}

func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

// Close closes the listener, not its connections.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	c := &l.count
	return Stats{
		Connections: c.connections.Load(), Accepted: c.accepted.Load(),
		TooFast: c.tooFast.Load(), TooMany: c.tooMany.Load(), TooManyIP: c.tooManyIP.Load(),
		Penalized: c.penalized.Load(), Evicted: c.evicted.Load(), TooSlow: c.tooSlow.Load(), TooLong: c.tooLong.Load(),
	}
}

// Waiting returns how many connections have not shown a good key yet.
func (l *Listener) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// admit returns the guarded connection, nil when it must be closed.
func (l *Listener) admit(inner net.Conn) *Conn {
	now, ip := l.cfg.Now(), address(inner)
	l.mu.Lock()
	evicted, refused := l.place(now, ip)
	var c *Conn
	if refused == nil {
		c = newConn(l, inner, ip, now)
		l.waiting = append(l.waiting, c)
		l.perIP[ip]++
	}
	l.mu.Unlock()
	if evicted != nil {
		l.count.evicted.Add(1)
		evicted.Close()
	}
	if refused != nil {
		refused.Add(1)
		return nil
	}
	l.count.connections.Add(1)
	return c
}

// place decides whether ip gets a place, and who must leave for it. The caller holds l.mu.
func (l *Listener) place(now time.Time, ip netip.Addr) (evicted *Conn, refused *atomic.Uint64) {
	known, penalized := l.known.look(ip, now)
	places := l.cfg.PlacesPerIP
	if known {
		places = l.cfg.PlacesKnownIP
	}
	switch {
	case penalized:
		return nil, &l.count.penalized
	case l.perIP[ip] >= places:
		return nil, &l.count.tooManyIP
	case !known && !l.limiter.AllowN(now, 1):
		return nil, &l.count.tooFast
	case len(l.waiting) < l.cfg.Places:
		return nil, nil
	case now.Sub(l.waiting[0].since) >= evictAfter || known:
		evicted = l.waiting[0]
		l.leave(evicted)
		return evicted, nil
	}
	return nil, &l.count.tooMany
}

// leave gives c's place back, once. The caller holds l.mu.
func (l *Listener) leave(c *Conn) {
	for i, w := range l.waiting {
		if w != c {
			continue
		}
		l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
		if l.perIP[c.ip]--; l.perIP[c.ip] <= 0 {
			delete(l.perIP, c.ip)
		}
		return
	}
}

func (l *Listener) release(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(c)
}

// address returns whose places a connection takes: IPv6 hosts own a whole /64.
func address(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.Addr()
}
