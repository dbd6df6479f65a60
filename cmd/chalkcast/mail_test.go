package main

import (
	"strings"
	"testing"

	"chalkcast/classroom/mail/mailtest"
)

// check tries the mail server, and says what is wrong with the settings or the server.
func TestCheckTriesMail(t *testing.T) {
	server := mailtest.New(t)
	try := func(args ...string) (string, error) {
		t.Helper()
		var out strings.Builder
		err := run(t.Context(), append([]string{
			"check", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--rtmp", "", "--rtsp", "", "--metrics", "",
		}, args...), &out, &out)
		return out.String(), err
	}
	if out, err := try("--smtp", server.URL(""), "--mail-from", "Grove <office@school.example>"); err != nil || !strings.Contains(out, "✓ mail") {
		t.Errorf("a good server: %v\n%s", err, out)
	}
	for want, args := range map[string][]string{
		"mail-from":     {"--smtp", server.URL("")},
		"smtp-password": {"--smtp", server.URL("office"), "--mail-from", "a@x.example"},
		"smtp: want":    {"--smtp", "mail.example", "--mail-from", "a@x.example"},
	} {
		if _, err := try(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want something about %s", args, err, want)
		}
	}
	server.Stop()
	if out, err := try("--smtp", server.URL(""), "--mail-from", "a@x.example"); err == nil || !strings.Contains(out, "✗ mail") {
		t.Errorf("a server that is down: %v\n%s", err, out)
	}
}
