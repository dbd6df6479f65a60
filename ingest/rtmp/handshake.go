package rtmp

import (
	"crypto/rand"
	"io"
)

const (
	rtmpVersion   = 3
	handshakeSize = 1536
)

// handshake plays the server's part of the simple handshake (RTMP section 5.2). Our version field is zero, which
// tells clients that offer the complex handshake with digests to go on without it.
func handshake(rw io.ReadWriter) error {
	c := make([]byte, 1+handshakeSize)
	if _, err := io.ReadFull(rw, c[:1]); err != nil {
		return err
	}
	if c[0] != rtmpVersion {
		return protocolErrorf("handshake version %d", c[0])
	}
	if _, err := io.ReadFull(rw, c[1:]); err != nil {
		return err
	}
	s := make([]byte, 1+2*handshakeSize) // S0, S1, S2
	s[0] = rtmpVersion
	rand.Read(s[9 : 1+handshakeSize]) // after time and version, both zero
	copy(s[1+handshakeSize:], c[1:])  // S2 echoes C1
	if _, err := rw.Write(s); err != nil {
		return err
	}
	_, err := io.ReadFull(rw, c[1:]) // C2 should echo S1; some encoders send anything
	return err
}
