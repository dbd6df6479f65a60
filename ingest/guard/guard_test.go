package guard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/ingest/guard"
)

// pipes is a listener whose connections are made in memory, so that tests can have their own time.
type pipes struct {
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
	errs   chan error
}

var errNobody = errors.New("nobody is there any more")

func newPipes() *pipes {
	return &pipes{queue: make(chan net.Conn, 1000), closed: make(chan struct{}), errs: make(chan error, 10)}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case err := <-p.errs:
		return nil, err
	case c := <-p.queue:
		if c == nil {
			return nil, errNobody
		}
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1935} }

// from is a connection with an address.
type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// place is a guard in front of pipes.
type place struct {
	t *testing.T
	p *pipes
	l *guard.Listener
}

func open(t *testing.T, cfg guard.Config) *place {
	p := newPipes()
	return &place{t, p, guard.Listen(p, cfg)}
}

// knock offers a connection from ip and returns both ends; ours is nil when the guard closed it.
func (p *place) knock(ip string) (ours *guard.Conn, theirs net.Conn) {
	p.t.Helper()
	theirs, inner := net.Pipe()
	p.p.queue <- from{inner, &net.TCPAddr{IP: net.ParseIP(ip), Port: 4242}}
	p.p.queue <- nil
	c, err := p.l.Accept()
	if errors.Is(err, errNobody) {
		return nil, theirs
	}
	if err != nil {
		p.t.Fatal(err)
	}
	<-p.p.queue
	return c.(*guard.Conn), theirs
}

// SEC-10: whatever deadline the server asks for, a stranger has its own.
func TestDeadlineHoldsUntilAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{})
		ours, theirs := p.knock("192.0.2.1")
		for _, d := range []time.Time{{}, time.Now().Add(time.Hour)} {
			ours.SetDeadline(d)
			ours.SetReadDeadline(d)
		}
		start := time.Now()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			for {
				if _, err := theirs.Write([]byte{1}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		_, err := io.Copy(io.Discard, ours)
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != 5*time.Second {
			t.Errorf("a byte a second: %v after %v", err, took)
		}
		if _, err := ours.Write([]byte{1}); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write after the deadline: %v", err)
		}
		if s := p.l.Stats(); s.TooSlow != 1 || s.TooLong != 0 || p.l.Waiting() != 1 {
			t.Errorf("%+v, %d waiting", s, p.l.Waiting())
		}
		ours.Close()
		ours.Close()
		if p.l.Waiting() != 0 {
			t.Error("the place is not given back")
		}
		theirs.Close()
	})
}

func TestEarlierDeadlineOfTheServerHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, _ := open(t, guard.Config{}).knock("192.0.2.1")
		ours.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// After Accepted what the server asked for last holds, also what it asked for before.
func TestAcceptedLiftsTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{Bytes: 4})
		ours, theirs := p.knock("192.0.2.1")
		ours.SetReadDeadline(time.Now().Add(30 * time.Second))
		ours.Accepted()
		ours.Accepted()
		start := time.Now()
		go theirs.Write(make([]byte, 100)) // ends when all is read
		if _, err := io.ReadFull(ours, make([]byte, 100)); err != nil {
			t.Errorf("after acceptance: %v", err)
		}
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if s := p.l.Stats(); s.Accepted != 1 || s.TooSlow != 0 || p.l.Waiting() != 0 {
			t.Errorf("%+v, %d waiting", s, p.l.Waiting())
		}
	})
}

// SEC-10: a stranger may send so many bytes and no more.
func TestByteBudget(t *testing.T) {
	for _, n := range []int{16 << 10, 16<<10 + 1} {
		synctest.Test(t, func(t *testing.T) {
			p := open(t, guard.Config{})
			ours, theirs := p.knock("192.0.2.1")
			go func() { // ends when the pipe is closed
				theirs.Write(make([]byte, n))
				theirs.Close()
			}()
			got, err := io.Copy(io.Discard, ours)
			ours.Close()
			tooLong := n > 16<<10
			if got != 16<<10 || errors.Is(err, guard.ErrBudget) != tooLong || (p.l.Stats().TooLong == 1) != tooLong {
				t.Errorf("%d bytes: read %d, %v, %+v", n, got, err, p.l.Stats())
			}
		})
	}
}

// SEC-04, SEC-10: strangers have so many places, and each address a few of them.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{Places: 12, PlacesPerIP: 8, PlacesKnownIP: 10})
		var held []*guard.Conn
		for i := range 9 {
			c, _ := p.knock("192.0.2.1")
			if (c != nil) != (i < 8) {
				t.Fatalf("connection %d of one address: let in %v", i+1, c != nil)
			}
			if c != nil {
				held = append(held, c)
			}
		}
		for i := range 5 {
			c, _ := p.knock("192.0.2.2")
			if (c != nil) != (i < 4) {
				t.Fatalf("connection %d of twelve places: let in %v", i+9, c != nil)
			}
		}
		if s := p.l.Stats(); s.TooManyIP != 1 || s.TooMany != 1 || s.Connections != 12 {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Second)
		c, _ := p.knock("192.0.2.3") // the oldest has held its place long enough
		if c == nil || p.l.Stats().Evicted != 1 {
			t.Fatalf("a newcomer after a second: %v, %+v", c, p.l.Stats())
		}
		if _, err := held[0].Read(make([]byte, 1)); err == nil {
			t.Error("the oldest is still open")
		}
		held[1].Accepted()
		for range 3 { // 192.0.2.1 holds six; known now, it may hold ten
			if c, _ := p.knock("192.0.2.1"); c == nil {
				t.Error("a known address is refused")
			}
		}
	})
}

func TestIPv6NetworkIsOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{PlacesPerIP: 1})
		for ip, want := range map[string]bool{"2001:db8::1": true, "::ffff:192.0.2.1": true} {
			if c, _ := p.knock(ip); (c != nil) != want {
				t.Errorf("%s: let in %v", ip, c != nil)
			}
		}
		for ip, want := range map[string]bool{"2001:db8::2": false, "192.0.2.1": false, "2001:db8:0:1::1": true} {
			if c, _ := p.knock(ip); (c != nil) != want {
				t.Errorf("%s: let in %v", ip, c != nil)
			}
		}
	})
}

// SEC-10: no more connections a second than that.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{Rate: 20})
		let := func(ip string, n int) (in int) {
			for range n {
				if c, _ := p.knock(ip); c != nil {
					in++
					c.Close()
				}
			}
			return in
		}
		if got := let("192.0.2.1", 50); got != 20 {
			t.Errorf("%d of 50 strangers at once, want 20", got)
		}
		time.Sleep(500 * time.Millisecond)
		if got := let("192.0.2.1", 50); got != 10 {
			t.Errorf("%d half a second later, want 10", got)
		}
		time.Sleep(time.Second)
		c, _ := p.knock("192.0.2.7")
		c.Accepted()
		let("192.0.2.1", 50)
		if got := let("192.0.2.7", 50); got != 50 {
			t.Errorf("%d of 50 from a known address, want all", got)
		}
	})
}

// SEC-04: ten bad keys from an address, and it waits outside.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{})
		fail := func(ip string, n int) (tried int) {
			for range n {
				c, _ := p.knock(ip)
				if c == nil {
					return tried
				}
				tried++
				c.Failed()
				c.Close()
			}
			return tried
		}
		if got := fail("192.0.2.1", 20); got != 11 {
			t.Errorf("turned away after %d failures, want 11", got)
		}
		if c, _ := p.knock("192.0.2.2"); c == nil {
			t.Error("another address is turned away too")
		}
		time.Sleep(29 * time.Second)
		if fail("192.0.2.1", 1) != 0 {
			t.Error("back after 29 s")
		}
		time.Sleep(time.Second)
		if got := fail("192.0.2.1", 10); got != 10 {
			t.Errorf("after 30 s: %d tries", got)
		}
		time.Sleep(time.Minute)
		if got := fail("192.0.2.1", 10); got != 10 {
			t.Errorf("failures of the last minute count: %d tries", got)
		}
		c, _ := p.knock("192.0.2.3")
		c.Accepted()
		if got := fail("192.0.2.3", 200); got != 101 {
			t.Errorf("a school is turned away after %d failures, want 101", got)
		}
	})
}

// Ten thousand addresses do not fill the memory, and good ones are forgotten last.
func TestAddressBookIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{Rate: 100000, PlacesKnownIP: 9, PlacesPerIP: 1})
		good, _ := p.knock("198.51.100.1")
		good.Accepted()
		for i := range 10000 {
			c, _ := p.knock(net.IPv4(10, 0, byte(i>>8), byte(i)).String())
			c.Failed()
			c.Close()
		}
		for range 3 {
			if c, _ := p.knock("198.51.100.1"); c == nil {
				t.Fatal("the good address was forgotten")
			}
		}
	})
}

func TestAcceptOutlastsShortages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, guard.Config{})
		p.p.errs <- &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", syscall.EMFILE)}
		if c, _ := p.knock("192.0.2.1"); c == nil {
			t.Error("no connection after the shortage")
		}
		p.l.Close()
		p.l.Close()
		if _, err := p.l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Real sockets, TLS outside: the handshake is paid from the budget, and the guard is found below.
func TestRealTLS(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := guard.Listen(inner, guard.Config{Bytes: 8 << 10})
	l := tls.NewListener(g, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		c, err := tls.Dial("tcp", inner.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		c.Write(make([]byte, 100<<10))
	})
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n, err := io.Copy(io.Discard, c)
	if !errors.Is(err, guard.ErrBudget) || n > 8<<10 || n < 1<<10 {
		t.Errorf("read %d bytes, %v", n, err)
	}
	conn := guard.Of(c)
	if conn == nil || guard.Of(inner0{}) != nil {
		t.Fatal("the guard is not found below TLS, or found where none is")
	}
	if _, ok := conn.RemoteAddr().(*net.TCPAddr); !ok {
		t.Errorf("remote address is a %T", conn.RemoteAddr())
	}
	if err := conn.CloseWrite(); err != nil {
		t.Error(err)
	}
}

type inner0 struct{ net.Conn }
