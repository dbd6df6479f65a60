package e2e

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// tunnel is a network between an encoder and the server that can be cut without either of them being told: no FIN, no
// RST, nothing, as when a laptop leaves the Wi-Fi.
type tunnel struct {
	t  *testing.T
	l  net.Listener
	to string
	wg sync.WaitGroup

	mu    sync.Mutex
	cut   chan struct{} // closed while bytes may pass
	conns []net.Conn
	since time.Time // of the latest connection
}

// dig opens a tunnel to an address, which is taken down with the test.
func dig(t *testing.T, to string) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tu := &tunnel{t: t, l: l, to: to, cut: make(chan struct{})}
	close(tu.cut)
	tu.wg.Go(tu.accept)
	t.Cleanup(tu.close)
	return tu
}

func (tu *tunnel) accept() {
	for {
		near, err := tu.l.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", tu.to)
		if err != nil {
			near.Close()
			continue
		}
		tu.mu.Lock()
		tu.conns, tu.since = append(tu.conns, near, far), time.Now()
		tu.mu.Unlock()
		tu.wg.Go(func() { tu.carry(near, far) })
		tu.wg.Go(func() { tu.carry(far, near) })
	}
}

// carry hands bytes on, and the end of them, except while the tunnel is cut.
func (tu *tunnel) carry(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		tu.mu.Lock()
		open := tu.cut
		tu.mu.Unlock()
		<-open
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				from.Close()
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				to.Close()
			} else if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite() // the other end may have gone
			}
			return
		}
	}
}

// used returns when the tunnel was last entered.
func (tu *tunnel) used() time.Time {
	tu.mu.Lock()
	defer tu.mu.Unlock()
	return tu.since
}

// vanish stops everything in the tunnel; nobody is told.
func (tu *tunnel) vanish() {
	tu.mu.Lock()
	defer tu.mu.Unlock()
	tu.cut = make(chan struct{})
}

// mend lets through what is still there.
func (tu *tunnel) mend() {
	tu.mu.Lock()
	defer tu.mu.Unlock()
	select {
	case <-tu.cut:
	default:
		close(tu.cut)
	}
}

func (tu *tunnel) close() {
	tu.l.Close()
	tu.mend()
	tu.mu.Lock()
	for _, c := range tu.conns {
		c.Close()
	}
	tu.mu.Unlock()
	tu.wg.Wait()
}

// through is url by way of the tunnel.
func (tu *tunnel) through(url string) string {
	return strings.Replace(url, tu.to, tu.l.Addr().String(), 1)
}
