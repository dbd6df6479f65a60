package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// command runs one command line and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, &out)
	return out.String(), err
}

func TestUserLink(t *testing.T) {
	data := t.TempDir()
	if said, err := command(t, "user", "add", "ada@school.example", "--name", "Ada", "--data", data); err != nil {
		t.Fatalf("add: %v\n%s", err, said)
	}
	for _, c := range []struct{ flags, base string }{
		{"", "http://localhost:8080"},
		{"--http :18080", "http://localhost:18080"},
		{"--http 0.0.0.0:80", "http://localhost:80"},
		{"--http [::]:80", "http://localhost:80"},
		{"--http 192.0.2.7:80", "http://192.0.2.7:80"},
		{"--base-url https://school.example/", "https://school.example"},
		{"--tls-cert a.pem --tls-key b.pem", "https://localhost:8080"},
	} {
		said, err := command(t, append([]string{"user", "link", "Ada@school.example", "--data", data}, strings.Fields(c.flags)...)...)
		want := regexp.MustCompile("^" + regexp.QuoteMeta(c.base) + `/sign-in/link\?token=[A-Za-z0-9_-]{22}\n$`)
		if err != nil || !want.MatchString(said) {
			t.Errorf("user link %s: %q, %v; want one link at %s", c.flags, said, err, c.base)
		}
	}
	for what, args := range map[string][]string{
		"nobody":   {"eve@school.example"},
		"too long": {"ada@school.example", "--lasts", "169h"},
	} {
		if said, err := command(t, append([]string{"user", "link", "--data", data}, args...)...); err == nil || strings.Contains(said, "token=") {
			t.Errorf("user link for %s: %q", what, said)
		}
	}
}
