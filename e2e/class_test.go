package e2e

import (
	"strings"
	"testing"
	"time"
)

// A student signs in, watches in two tabs and leaves; the register says how long.
func TestStudentWatchesAndIsCounted(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)

	student := s.openBrowser()
	first := student.openTab()
	first.open("/sign-in")
	first.keep("sign-in")
	first.signIn(s.Students[0])
	first.open("/lessons/" + s.LessonID)
	first.waitFrames(50)
	first.keep("class")

	second := student.openTab()
	second.open("/lessons/" + s.LessonID)
	second.waitFrames(150)
	seen := second.watched()
	second.leave()
	first.waitFrames(75)
	all := []watched{first.watched(), seen}
	first.leave()

	for i, page := range all {
		if len(page.Errors) > 0 {
			t.Errorf("tab %d: errors %q", i, page.Errors)
		}
	}
	if entries := s.register(teacher); len(entries) < 300 {
		t.Errorf("register: got %d students, want a row for everybody enrolled, about 300", len(entries))
	}
	me := s.checkPlayed(teacher, union(all...))
	if stayed := time.Since(milliseconds(all[0].Since)); me.seconds(t, "attending_s") > stayed {
		t.Errorf("register: attending %s s, but the first page was opened only %v ago: two tabs count twice", me["attending_s"], stayed)
	}
	other := s.register(teacher)[s.Students[1].Email]
	if got := other.seconds(t, "attending_s"); got != 0 {
		t.Errorf("register: a student who was not there has %v", got)
	}
}

// checkPlayed waits until the register knows how long the first student really played, and returns the row.
func (s *school) checkPlayed(teacher *visitor, played time.Duration) (me entry) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(pollInterval) {
		me = s.register(teacher)[s.Students[0].Email]
		if near(me.seconds(s.t, "played_s"), played) {
			s.t.Logf("played in the page %v, in the register %s s of attending %s s", played, me["played_s"], me["attending_s"])
			return me
		}
		if time.Now().After(deadline) {
			s.t.Errorf("register: played %s s of attending %s s of counted %s s, but the page really played %v", me["played_s"], me["attending_s"], me["counted_s"], played)
			return me
		}
	}
}

// near says whether what a register says is within the 2 s that it may be off. It says whole seconds: a second that has
// begun is not among them.
func near(register, real time.Duration) bool {
	off := real - register
	return off >= -2*time.Second && off < 3*time.Second
}

func milliseconds(unix float64) time.Time { return time.UnixMilli(int64(unix)) }

// leave goes away from the page as a closed tab does.
func (tb *tab) leave() {
	tb.t.Helper()
	tb.open("/healthz")
}

// The studio and the teacher's own preview, before anybody sees it.
func TestTeacherRehearses(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	tb := s.openBrowser().openTab()
	tb.signIn(s.Teacher)
	tb.keep("home")
	tb.open("/lessons/" + s.LessonID + "/studio")
	tb.waitFrames(50)
	tb.keep("studio")
	if w := tb.watched(); len(w.Errors) > 0 {
		t.Errorf("studio: errors %q", w.Errors)
	}
	student := s.signIn(s.Students[0])
	if p := student.playback(s.LessonID); p.URL != "" || p.Live {
		t.Errorf("playback for a student before Go live: got %+v, want no address", p)
	}
	if status, body := student.do("GET", "/api/v1/lessons/"+s.LessonID+"/preview", nil); status != 403 && status != 404 {
		t.Errorf("preview for a student: got %d, want 403 or 404: %s", status, body)
	}
	if text := strings.ToLower(eval[string](tb, `document.body.innerText`)); !strings.Contains(text, "preview") {
		t.Errorf("studio: does not say PREVIEW:\n%s", text)
	}
}
