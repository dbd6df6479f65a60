package main

import (
	"crypto/tls"
	"net"
	"testing"
)

// What a teacher writes into OBS follows from the open doors.
func TestServerAddress(t *testing.T) {
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	http, clear, secure := listen(), listen(), listen()
	_, clearPort, _ := net.SplitHostPort(clear.Addr().String())
	_, securePort, _ := net.SplitHostPort(secure.Addr().String())
	for _, tc := range []struct {
		name        string
		base        string
		rtmp, rtmps net.Listener
		want        string
	}{
		{"a trial", "", clear, nil, "rtmp://127.0.0.1:" + clearPort + "/live"},
		{"a school", "https://school.example", clear, nil, "rtmp://school.example:" + clearPort + "/live"},
		{"a school with TLS", "https://school.example", clear, secure, "rtmps://school.example:" + securePort + "/live"},
		{"TLS without a name", "", clear, secure, "rtmp://127.0.0.1:" + clearPort + "/live"},
		{"TLS only", "", nil, secure, "rtmps://127.0.0.1:" + securePort + "/live"},
		{"RTSP only", "https://school.example", nil, nil, ""},
	} {
		sc := &school{
			settings: &settings{BaseURL: tc.base},
			doors:    &doors{http: http, rtmp: tc.rtmp, rtmps: tc.rtmps, tls: &tls.Config{}},
		}
		if _, got := sc.addresses(); got != tc.want {
			t.Errorf("%s: server %q, want %q", tc.name, got, tc.want)
		}
	}
}
