package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var linkInOutput = regexp.MustCompile(`http://127\.0\.0\.1:\d+/\S*`)

// The README's first command: one minute later a newcomer has a lesson on air, links for three people, and what OBS
// wants to know.
func TestDemoIsOnAir(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := openDemo(t)
	tb := s.openBrowser().openTab()
	said := readFile(t, filepath.Join(s.dir, "said"))
	links := linkInOutput.FindAllString(said, -1)
	if len(links) < 3 {
		t.Errorf("the demo prints %d links, want one for an admin, a teacher and a student:\n%s", len(links), said)
	}
	for _, want := range []string{s.RTMP, s.Teacher.StreamKey} {
		if !strings.Contains(said, want) {
			t.Errorf("the demo does not print %q for OBS:\n%s", want, said)
		}
	}
	tb.signIn(s.Students[0])
	tb.open("/lessons/" + s.LessonID)
	tb.waitFrames(50)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("from the command to a picture: %v, want at most a minute", took)
	}
	if w := tb.watched(); len(w.Errors) > 0 {
		t.Errorf("the page: errors %q", w.Errors)
	}
}
