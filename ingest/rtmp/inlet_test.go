package rtmp

import (
	"net"
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

// Reads that are close together ask for more at a time, reads that are far apart for less, down to any byte.
func TestInletPaces(t *testing.T) {
	_, in := guarded(t)
	now := time.Unix(1_000_000, 0)
	in.pace(now)
	for i, step := range []struct {
		gap time.Duration
		low int
	}{
		{5, 128},
		{0, 256},
		{21, 256},
		{19, 512},
		{40, 512},
		{1, 1024},
		{1, 2048},
		{1, 2048},
		{46, 1024},
		{46, 512},
		{46, 256},
		{46, 128},
		{46, 1},
		{46, 1},
		{5, 128},
	} {
		now = now.Add(step.gap * time.Millisecond)
		in.pace(now)
		if got := in.lowat(t); got != step.low {
			t.Errorf("step %d, %d ms later: woken for %d bytes, want %d", i, step.gap, got, step.low)
		}
	}
}

// What is too little to be woken for comes all the same, long before the line counts as lost; and the line is lost as
// late as ever.
func TestInletLeavesNothing(t *testing.T) {
	encoder, in := guarded(t)
	in.want(mostLow)
	if _, err := encoder.Write([]byte("goodbye")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	n, err := in.Read(b)
	if err != nil || string(b[:n]) != "goodbye" || in.n != 7 {
		t.Fatalf("read %q, %v, %d bytes in all", b[:n], err, in.n)
	}
	in.c.server.cfg.ReadTimeout = 2 * few
	in.want(mostLow)
	began := time.Now()
	if n, err := in.Read(b); n != 0 || err == nil || time.Since(began) < 2*few {
		t.Errorf("a silent line: %d bytes, %v, after %v", n, err, time.Since(began))
	}
}
