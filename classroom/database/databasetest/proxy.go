package databasetest

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy is a wire to PostgreSQL that can be cut, held and slowed down. It begins open.
type Proxy struct {
	target string

	mu    sync.Mutex
	l     net.Listener // nil while it is cut
	addr  string
	conns map[net.Conn]struct{} // both ends
	open  chan struct{}         // closed while bytes may pass
	delay time.Duration         // of every piece from the server
	most  int                   // connections that were ever there at once
	wg    sync.WaitGroup
}

// NewProxy returns a proxy to a database of its own, and its address.
func NewProxy(t testing.TB) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: u.Host, conns: map[net.Conn]struct{}{}, open: make(chan struct{}), addr: "127.0.0.1:0"}
	close(p.open)
	p.Restore(t)
	t.Cleanup(func() {
		p.Let()
		p.Cut()
		p.wg.Wait()
	})
	u.Host = p.addr
	return p, u.String()
}

// Cut closes every connection and refuses new ones, as a server does that was stopped at once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.l != nil {
		p.l.Close()
		p.l = nil
	}
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// Restore takes connections again, at the same address.
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l, p.addr = l, l.Addr().String()
	p.wg.Go(func() { p.accept(l) }) // ends when it is cut
}

// Hold lets no byte through until Let: connections stay open and nobody answers.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// Let ends Hold.
func (p *Proxy) Let() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// Slow delays every answer.
func (p *Proxy) Slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// Most returns how many connections there ever were at once.
func (p *Proxy) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = struct{}{}, struct{}{}
		p.most = max(p.most, len(p.conns)/2)
		p.mu.Unlock()
		p.wg.Go(func() { p.carry(server, client, false) })
		p.wg.Go(func() { p.carry(client, server, true) })
	}
}

// carry copies until one end closes, and closes the other.
func (p *Proxy) carry(to, from net.Conn, answers bool) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range []net.Conn{to, from} {
			c.Close()
			delete(p.conns, c)
		}
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		open, delay := p.open, p.delay
		p.mu.Unlock()
		<-open
		if answers && delay > 0 {
			time.Sleep(delay)
		}
		if _, failed := to.Write(b[:n]); failed != nil || err != nil {
			return
		}
	}
}
