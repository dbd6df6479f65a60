package guard

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// ErrBudget is what Read returns to a connection that sent more than it may before it was accepted.
var ErrBudget = errors.New("too many bytes before a stream key")

// Conn is a guarded connection. RemoteAddr is the *net.TCPAddr of the encoder.
type Conn struct {
	net.Conn
	l     *Listener
	ip    netip.Addr
	since time.Time // by the listener's clock

	mu          sync.Mutex // guards what follows; held across the inner connection's Set…Deadline, which do not block
	accepted    bool
	end         time.Time // of the time to show a key
	budget      int
	read, write time.Time // deadlines that the server asked for
	counted     bool      // as slow or long
}

func newConn(l *Listener, inner net.Conn, ip netip.Addr, now time.Time) *Conn {
	c := &Conn{Conn: inner, l: l, ip: ip, since: now, end: time.Now().Add(l.cfg.Deadline), budget: l.cfg.Bytes}
	inner.SetDeadline(c.end)
	return c
}

// Of returns the guarded connection at or below c (a *tls.Conn has one below it), nil when there is none.
func Of(c net.Conn) *Conn {
	for c != nil {
		if g, ok := c.(*Conn); ok {
			return g
		}
		wrapper, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = wrapper.NetConn()
	}
	return nil
}

// Accepted lifts the guard: a good key was shown. The deadlines that the server asked for last hold from now on.
func (c *Conn) Accepted() {
	c.mu.Lock()
	first := !c.accepted
	if first {
		c.accepted = true
		c.Conn.SetReadDeadline(c.read)
		c.Conn.SetWriteDeadline(c.write)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	c.l.count.accepted.Add(1)
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.leave(c)
	c.l.known.good(c.ip, c.l.cfg.Now())
}

// Failed notes that the key was not good. The caller answers and closes.
func (c *Conn) Failed() {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.known.bad(c.ip, c.l.cfg.Now(), c.l.cfg.Failures)
}

// Read reads no more than the budget until Accepted.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	accepted, budget := c.accepted, c.budget
	c.mu.Unlock()
	if accepted {
		return c.Conn.Read(p)
	}
	n, err := c.Conn.Read(p[:min(len(p), budget+1)])
	if n > budget {
		n, err = budget, ErrBudget
	}
	c.mu.Lock()
	c.budget -= n
	c.mu.Unlock()
	if err != nil {
		c.countOnce(err)
	}
	return n, err
}

func (c *Conn) countOnce(err error) {
	c.mu.Lock()
	first := !c.counted && !c.accepted
	c.counted = c.counted || errors.Is(err, ErrBudget) || errors.Is(err, os.ErrDeadlineExceeded)
	c.mu.Unlock()
	switch {
	case !first:
	case errors.Is(err, ErrBudget):
		c.l.count.tooLong.Add(1)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.l.count.tooSlow.Add(1)
	}
}

// SetDeadline, SetReadDeadline and SetWriteDeadline cannot move a deadline past the guard's own until Accepted;
// what they ask for holds from then on.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline is like SetDeadline.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = t
	return c.Conn.SetReadDeadline(c.bounded(t))
}

// SetWriteDeadline is like SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write = t
	return c.Conn.SetWriteDeadline(c.bounded(t))
}

func (c *Conn) bounded(t time.Time) time.Time {
	if !c.accepted && (t.IsZero() || t.After(c.end)) {
		return c.end
	}
	return t
}

// CloseWrite says that nothing more will be written, where the inner connection can.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Close closes the connection and gives its place back.
func (c *Conn) Close() error {
	c.l.release(c)
	return c.Conn.Close()
}
