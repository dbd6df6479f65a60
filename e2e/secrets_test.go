package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// checkSecrets looks for what must not be seen in the school's log and in its folder: the passwords and the stream
// key that the demo made up, and the tickets that its answers held.
func (s *school) checkSecrets() {
	secrets := map[string]string{
		"the teacher's stream key": keySecret(s.Teacher.StreamKey),
		"the teacher's password":   s.Teacher.Password,
		"the admin's password":     s.Admin.Password,
	}
	if len(s.Students) > 0 {
		secrets["a student's password"] = s.Students[0].Password
		// Addresses belong in the database and nowhere else.
		if strings.Contains(s.log(), s.Students[0].Email) {
			s.t.Error("the log holds a student's mail address")
		}
	}
	for what, secret := range secrets {
		if len(secret) >= 4 && strings.Contains(s.log(), secret) {
			s.t.Errorf("the log holds %s", what)
		}
	}
	if strings.Contains(s.log(), "/p/") && ticketInLog.MatchString(s.log()) {
		s.t.Errorf("the log holds a playback ticket: %s", ticketInLog.FindString(s.log()))
	}
	s.checkFolder(secrets)
}

// checkFolder reads the database and everything else the server keeps.
func (s *school) checkFolder(secrets map[string]string) {
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "demo.json" { // the demo's own note of its made-up people
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for what, secret := range secrets {
			if len(secret) >= 4 && bytes.Contains(content, []byte(secret)) {
				s.t.Errorf("%s holds %s", name, what)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Errorf("read the school's folder: %v", err)
	}
}

// keySecret is the part of a stream key that is secret.
func keySecret(key string) string { return key[strings.LastIndexByte(key, '_')+1:] }

// ticketInLog is a playback ticket in a path: some 50 letters, where a log may say /p/*** at most.
var ticketInLog = regexp.MustCompile(`/p/[A-Za-z0-9_-]{20,}`)
