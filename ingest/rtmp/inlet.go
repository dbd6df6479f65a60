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
// comes is worth. So nothing is read while nothing is needed (ingest.Session.Rest), and meanwhile the kernel is asked not
// to wake us (SO_RCVLOWAT, socket(7)) unless its memory for the connection runs short.
type inlet struct {
	c      *conn
	n      uint32 // bytes so far, for acknowledgements, which wrap
	socket syscall.RawConn
}

// ample is more than an encoder may send while nothing is read. The kernel makes room for it.
const ample = 1 << 20

// gather begins to leave the encoder alone where that is possible.
func (in *inlet) gather() {
	inner := guard.Of(in.c.nc)
	if inner == nil {
		return
	}
	if s, ok := inner.Conn.(syscall.Conn); ok {
		in.socket, _ = s.SyscallConn() // without one every byte wakes us
	}
}

// scatter takes everything as it comes again.
func (in *inlet) scatter() { in.socket = nil }

// Read implements io.Reader.
func (in *inlet) Read(p []byte) (n int, err error) {
	if rest := in.rest(); rest > 0 {
		n, err = in.readAfter(p, rest)
	} else {
		n, err = in.c.nc.Read(p)
	}
	in.n += uint32(n)
	return n, err
}

func (in *inlet) rest() time.Duration {
	if in.socket == nil || in.c.session == nil {
		return 0
	}
	return in.c.session.Rest()
}

// readAfter reads when so much time is over, or the connection is.
func (in *inlet) readAfter(p []byte, rest time.Duration) (n int, err error) {
	in.want(ample)
	in.c.allow(rest)
	n, err = in.c.nc.Read(p)
	in.want(1)
	in.c.allow(in.c.server.cfg.ReadTimeout)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = in.c.nc.Read(p)
	}
	return n, err
}

// want asks the kernel to wake us for no fewer bytes.
func (in *inlet) want(low int) {
	_ = in.socket.Control(func(fd uintptr) { // a kernel that does not do it wakes us more often
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, low)
	})
}
