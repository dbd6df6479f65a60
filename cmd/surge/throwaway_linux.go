package main

import (
	"io"
	"net"
	"syscall"
)

// void is where throwAway lets the kernel write nothing.
var void [1 << 20]byte

// throwAway takes n bytes off a connection without copying them: MSG_TRUNC discards what it receives (tcp(7)).
func throwAway(c *net.TCPConn, n int64) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	for n > 0 {
		var got int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			got, _, failed = syscall.Recvfrom(int(fd), void[:min(n, int64(len(void)))], syscall.MSG_TRUNC)
			return failed != syscall.EAGAIN
		})
		switch {
		case err != nil:
			return err
		case failed == syscall.EINTR:
			continue
		case failed != nil:
			return failed
		case got == 0:
			return io.ErrUnexpectedEOF
		}
		n -= int64(got)
	}
	return nil
}
