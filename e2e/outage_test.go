package e2e

import (
	"regexp"
	"strconv"
	"testing"
	"time"
)

// watchLesson opens the class page as the first student, and marks it: the mark is gone after a reload.
func (s *school) watchLesson() *tab {
	s.t.Helper()
	tb := s.openBrowser().openTab()
	tb.signIn(s.Students[0])
	tb.open("/lessons/" + s.LessonID)
	tb.waitFrames(75)
	eval[bool](tb, `window.marked = true`)
	return tb
}

func (tb *tab) checkNotReloaded() {
	tb.t.Helper()
	if !eval[bool](tb, `window.marked === true`) {
		tb.t.Error("the page was loaded anew, want that it goes on by itself")
	}
	if w := tb.watched(); len(w.Errors) > 0 {
		tb.t.Errorf("the page: errors %q", w.Errors)
	}
}

// position is where a live playlist stands.
type position struct{ sequence, discontinuity, segments int }

var (
	sequenceLine      = regexp.MustCompile(`(?m)^#EXT-X-MEDIA-SEQUENCE:(\d+)$`)
	discontinuityLine = regexp.MustCompile(`(?m)^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)$`)
	segmentLine       = regexp.MustCompile(`(?m)^#EXTINF:`)
	renditionLine     = regexp.MustCompile(`(?m)^([^#\s].*\.m3u8)$`)
)

// position reads the first rendition's playlist as v may watch it.
func (s *school) position(v *visitor) position {
	s.t.Helper()
	index := v.playback(s.LessonID).URL
	status, body := v.do("GET", index, nil)
	name := renditionLine.FindStringSubmatch(string(body))
	if status != 200 || name == nil {
		s.t.Fatalf("multivariant playlist: status %d\n%s", status, body)
	}
	status, body = v.do("GET", index[:len(index)-len("index.m3u8")]+name[1], nil)
	if status != 200 {
		s.t.Fatalf("media playlist: status %d\n%s", status, body)
	}
	number := func(line *regexp.Regexp) int {
		m := line.FindSubmatch(body)
		if m == nil {
			return 0
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			s.t.Fatalf("playlist: %v", err)
		}
		return n
	}
	return position{number(sequenceLine), number(discontinuityLine), len(segmentLine.FindAll(body, -1))}
}

func (s *school) checkGoesOn(before, after position) {
	s.t.Helper()
	if after.sequence < before.sequence || after.discontinuity < before.discontinuity {
		s.t.Errorf("playlist went back: from %+v to %+v", before, after)
	}
	if after.sequence+after.segments <= before.sequence+before.segments {
		s.t.Errorf("playlist did not go on: from %+v to %+v", before, after)
	}
}

// The encoder is gone without a word and comes back: the page waits, and goes on by itself in the same lesson.
func TestEncoderReturns(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	laptop := publish(t, s.publishURL(), -1)
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)
	tb := s.watchLesson()
	before := s.position(teacher)

	laptop.kill()
	tb.waitFor("the page says that the teacher was lost", `document.querySelector("main").dataset.state === "interrupted"`)
	tb.waitFor("the picture stands still", `Date.now() - window.watched.moved.at(-1)[1] > 1000`)
	tb.keep("interrupted")
	if p := teacher.playback(s.LessonID); p.State != "interrupted" {
		t.Errorf("lesson after the encoder was lost: got %q, want interrupted", p.State)
	}

	publish(t, s.publishURL(), -1)
	tb.waitFrames(75)
	tb.waitFor("the page says that the lesson is live", `document.querySelector("main").dataset.state === "live"`)
	tb.checkNotReloaded()
	after := s.position(teacher)
	s.checkGoesOn(before, after)
	if p := teacher.playback(s.LessonID); p.State != "live" || !p.Live {
		t.Errorf("lesson after the encoder came back: got %+v, want live", p)
	}
}

// The server loses power in the middle of a lesson. On the same folder it remembers where it was: sequence numbers
// go on, the page recovers without a reload, and no beat that was answered is lost.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)
	tb := s.watchLesson()
	tb.waitFor("some beats are acknowledged", `window.watched.beats >= 2 && window.watched.counted >= 2`)
	before := s.position(teacher)
	acknowledged := time.Duration(tb.watched().Counted) * time.Second

	s.kill()
	s.restart()
	publish(t, s.publishURL(), -1) // OBS dials again by itself

	tb.waitFrames(75)
	tb.checkNotReloaded()
	s.checkGoesOn(before, s.position(teacher))
	tb.waitFor("a beat is acknowledged by the new server", `window.watched.beats > `+jsNumber(tb.watched().Beats))
	page := tb.watched()
	tb.leave()
	stayed := time.Since(milliseconds(page.Since))

	// A beat has one word for all the time since the last answer, so an outage blurs played and stalled. Attending,
	// which decides, is whole: an outage costs nothing.
	var me entry
	for deadline := time.Now().Add(patience); ; time.Sleep(pollInterval) {
		me = s.register(teacher)[s.Students[0].Email]
		if near(me.seconds(t, "attending_s"), stayed) || time.Now().After(deadline) {
			break
		}
	}
	attending := me.seconds(t, "attending_s")
	t.Logf("on the page for %v, played %v; in the register attending %v", stayed, union(page), attending)
	if attending < acknowledged {
		t.Errorf("register after the restart: %v, but the page had been told %v", attending, acknowledged)
	}
	if !near(attending, stayed) {
		t.Errorf("register after the restart: %v, but the page was open for %v", attending, stayed)
	}
}
