package rtmp

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"chalkcast/ingest/guard"
)

// guarded returns an encoder's end of a real socket, and what comes out of ours behind guard, a key having been shown.
func guarded(t *testing.T) (encoder net.Conn, in *inlet) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := guard.Listen(inner, guard.Config{})
	t.Cleanup(func() { l.Close() })
	if encoder, err = net.Dial("tcp", inner.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { encoder.Close() })
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	guard.Of(ours).Accepted()
	c := &conn{server: &Server{cfg: Config{ReadTimeout: time.Minute}}, nc: ours}
	c.inlet.c = c
	c.inlet.gather()
	return encoder, &c.inlet
}

// lowat asks the kernel for how many bytes it wakes us.
func (in *inlet) lowat(t *testing.T) (low int) {
	t.Helper()
	var err error
	err2 := in.socket.Control(func(fd uintptr) { low, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT) })
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return low
}

const rest = 300 * time.Millisecond

// What comes during a rest is read when the rest is over, all at once, and then everything is read as it comes.
func TestInletRests(t *testing.T) {
	encoder, in := guarded(t)
	began := time.Now()
	go func() {
		for range 10 {
			time.Sleep(10 * time.Millisecond)
			encoder.Write([]byte("picture."))
		}
	}()
	b := make([]byte, 1000)
	n, err := in.readAfter(b, rest)
	if took := time.Since(began); err != nil || n != 80 || took < rest {
		t.Errorf("%d bytes, %v, after %v; want all 80, after %v", n, err, took, rest)
	}
	if low := in.lowat(t); low != 1 {
		t.Errorf("after the rest we are woken for %d bytes", low)
	}
	began = time.Now()
	time.AfterFunc(20*time.Millisecond, func() { encoder.Write([]byte("x")) })
	if n, err := in.Read(b); n != 1 || err != nil || in.n != 1 {
		t.Errorf("then %d bytes, %v, after %v", n, err, time.Since(began))
	}
}

// The end of the connection, and of the server's patience, end a rest.
func TestInletRestEnds(t *testing.T) {
	encoder, in := guarded(t)
	began := time.Now()
	time.AfterFunc(20*time.Millisecond, func() { encoder.Close() })
	if n, err := in.readAfter(make([]byte, 10), time.Hour); n != 0 || err == nil {
		t.Errorf("closed line: %d bytes, %v, after %v", n, err, time.Since(began))
	}
	_, in = guarded(t)
	time.AfterFunc(20*time.Millisecond, func() { in.c.hangUp(nil) })
	if n, err := in.readAfter(make([]byte, 10), time.Hour); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("hung up: %d bytes, %v, after %v", n, err, time.Since(began))
	}
}

// An encoder that sends much more than it used to is not held up by a rest: the kernel wakes us when its room is used up.
func TestInletMakesRoom(t *testing.T) {
	encoder, in := guarded(t)
	go func() { // ends when the encoder is closed
		for b := make([]byte, 1<<20); ; {
			if _, err := encoder.Write(b); err != nil {
				return
			}
		}
	}()
	time.AfterFunc(time.Minute, func() { encoder.Close() })
	b := make([]byte, 64<<10)
	for read := 0; read < 32<<20; {
		n, err := in.readAfter(b, time.Hour)
		if err != nil {
			t.Fatalf("%v after %d bytes: the encoder was held up", err, read)
		}
		read += n
	}
}

// A line on which nothing comes is lost as late as ever.
func TestInletSilence(t *testing.T) {
	_, in := guarded(t)
	in.c.server.cfg.ReadTimeout = 200 * time.Millisecond
	began := time.Now()
	if n, err := in.readAfter(make([]byte, 10), rest); n != 0 || err == nil || time.Since(began) < rest+200*time.Millisecond {
		t.Errorf("a silent line: %d bytes, %v, after %v", n, err, time.Since(began))
	}
}
