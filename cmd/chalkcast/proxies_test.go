package main

import (
	"net/http"
	"testing"
)

func TestViewerAddress(t *testing.T) {
	for _, test := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:1", nil, "203.0.113.7"},
		{"a stranger who says so", "203.0.113.7:1", []string{"192.0.2.1"}, "203.0.113.7"},
		{"our proxy", "10.0.0.5:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"two of ours", "10.0.0.5:1", []string{"203.0.113.7, 10.0.0.9"}, "203.0.113.7"},
		{"two headers", "10.0.0.5:1", []string{"192.0.2.1", "203.0.113.7"}, "203.0.113.7"},
		{"what a viewer made up", "10.0.0.5:1", []string{"192.0.2.1, 203.0.113.7"}, "203.0.113.7"},
		{"nonsense", "10.0.0.5:1", []string{"unknown"}, "10.0.0.5"},
		{"nothing", "10.0.0.5:1", nil, "10.0.0.5"},
		{"one address", "[::ffff:192.0.2.9]:1", []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		where := viewerAddress([]string{"10.0.0.0/8", "192.0.2.9"})
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := where(r); got.String() != test.want {
			t.Errorf("%s: the viewer is at %v, want %s", test.name, got, test.want)
		}
	}
}
