package rtmp

import (
	"errors"
	"os"
	"syscall"
	"time"

	"chalkcast/ingest/guard"
)

// inlet is what an encoder sends, as bytes. It belongs to the connection's goroutine.
//
// Encoders send each picture and each block of sound by itself, some eighty a second, and waking up costs more than what
// comes is worth. While media flows the kernel is asked to wake us for no less than some bytes (SO_RCVLOWAT, socket(7)):
// as many as come within a picture's time, so that a block of sound waits for the picture after it and a part is no later
// than it was.
type inlet struct {
	c      *conn
	n      uint32 // bytes so far, for acknowledgements, which wrap
	socket syscall.RawConn
	low    int // bytes that we are woken for; 0: any
	read   time.Time
}

const (
	firstLow, mostLow = 128, 2 << 10
	// Closer together than often, reads are for less than one picture; further apart than seldom something may wait.
	often, seldom = 20 * time.Millisecond, 45 * time.Millisecond
	// few is for how long we leave what is too little to be woken for: an encoder that has paused, or asks for something.
	few = 100 * time.Millisecond
)

// gather begins to do without wakes for a few bytes.
func (in *inlet) gather() {
	inner := guard.Of(in.c.nc)
	if inner == nil {
		return
	}
	if s, ok := inner.Conn.(syscall.Conn); ok {
		in.socket, _ = s.SyscallConn() // without one every byte wakes us
	}
}

// scatter is woken by anything again.
func (in *inlet) scatter() {
	in.want(0)
	in.socket = nil
}

// Read implements io.Reader.
func (in *inlet) Read(p []byte) (n int, err error) {
	if in.low > 0 {
		in.c.allow(few)
	}
	n, err = in.c.nc.Read(p)
	if in.low > 0 && n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		in.want(0)
		in.c.allow(in.c.server.cfg.ReadTimeout - few)
		n, err = in.c.nc.Read(p)
	}
	in.n += uint32(n)
	if in.socket != nil {
		in.pace(time.Now())
	}
	return n, err
}

// pace asks for more at a time when reads are close together, and for less when they are not.
func (in *inlet) pace(now time.Time) {
	gap := now.Sub(in.read)
	in.read = now
	switch {
	case gap < often && in.low < mostLow:
		in.want(max(firstLow, 2*in.low))
	case gap > seldom && in.low > 0:
		if in.low /= 2; in.low < firstLow {
			in.low = 0
		}
		in.want(in.low)
	}
}

func (in *inlet) want(low int) {
	if in.socket == nil {
		return
	}
	if in.low = low; low == 0 {
		in.c.allow(in.c.server.cfg.ReadTimeout)
	}
	_ = in.socket.Control(func(fd uintptr) { // a kernel that does not do it wakes us more often
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, max(low, 1))
	})
}
