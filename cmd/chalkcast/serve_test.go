package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// What keeps a school from opening is said in a sentence that names the setting.
func TestServeRefusesToOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	for name, test := range map[string]struct {
		flags []string
		want  string
	}{
		"http is taken":          {[]string{"--http", port}, "choose a free port with --http"},
		"a later door is taken":  {[]string{"--http", "127.0.0.1:0", "--rtmp", port}, "choose a free port with --rtmp"},
		"no door for browsers":   {[]string{"--http", "", "--rtmp", "127.0.0.1:0", "--rtsp", ""}, "http: the school needs an address"},
		"no database":            {[]string{"--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--rtsp", "", "--database", "postgres://nobody@" + port + "/none?connect_timeout=1"}, "database"},
		"no certificate in file": {[]string{"--http", "127.0.0.1:0", "--tls-cert", filepath.Join(t.TempDir(), "none"), "--tls-key", "none"}, "certificate:"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := command(t, append([]string{"serve", "--data", t.TempDir(), "--metrics", ""}, test.flags...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("serve: %v, want an error with %q\n%s", err, test.want, said)
			}
		})
	}
}
