package rtsp

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// udpAddresses returns the addresses for RTP and RTCP.
func udpAddresses(rtp string) (string, string, error) {
	host, portText, err := net.SplitHostPort(rtp)
	if err != nil {
		return "", "", fmt.Errorf("RTSP address for UDP: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port%2 != 0 || port == 0 {
		return "", "", fmt.Errorf("RTSP address for UDP %q: the port must be a fixed even number", rtp)
	}
	return rtp, net.JoinHostPort(host, fmt.Sprint(port+1)), nil
}

// udpBuffer is what a socket shall hold, in bytes, while nobody gets to read: all encoders share it, each sends a keyframe
// at once, and GStreamer begins with the two seconds that it gathered while it connected.
const udpBuffer = 4 << 20

// listenUDP opens a socket with as much of that buffer as the machine gives: Linux up to net.core.rmem_max.
func listenUDP(network, address string) (net.PacketConn, error) {
	c, err := new(net.ListenConfig).ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	if u, ok := c.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(udpBuffer) // where less is refused instead of given, the usual buffer stays
	}
	return c, nil
}
