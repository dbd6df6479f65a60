package rtsp

import (
	"net"
	"testing"
	"time"
)

// Encoders send a keyframe all at once, and GStreamer what it gathered while it connected. While nobody gets to read, the
// socket holds twice what the usual one does even where the machine gives no more than its default.
func TestSocketHoldsABurst(t *testing.T) {
	t.Parallel()
	c, err := listenUDP("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	encoder, err := net.Dial("udp", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	const burst = 150 // the usual socket of Linux holds 92
	packet := make([]byte, 1200)
	for range burst {
		if _, err := encoder.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	for n := range burst {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadFrom(packet); err != nil {
			t.Fatalf("%d of %d packets were held: %v", n, burst, err)
		}
	}
}
