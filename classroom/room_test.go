package classroom_test

import (
	"encoding/json"
	"strings"
	"testing"

	"chalkcast/media"
)

// room returns the next event of the room.
func (e *events) room() string {
	e.t.Helper()
	for {
		if data, ok := strings.CutPrefix(e.any(), "chat "); ok {
			return data
		}
	}
}

// until reads events of the room until one holds text, and returns all of them.
func (e *events) until(text string) (all string) {
	e.t.Helper()
	for !strings.Contains(all, text) {
		all += e.room() + "\n"
	}
	return all
}

// What happens in a room comes over the stream that every page of the lesson holds open, to whom it may, and what a
// page missed comes when it is back.
func TestRoomOverTheStream(t *testing.T) {
	s := newSchool(t)
	row, err := s.k.Lessons.Begin(t.Context(), s.course, "Questions", "Europe/Berlin", s.people["teacher"].id)
	s.must(err)
	api := "/api/v1/lessons/" + row.ID.String()
	post := func(who, path, body string) media.ID {
		t.Helper()
		a := s.ask(who, "POST", api+path, body)
		if a.status != 201 && a.status != 204 {
			t.Fatalf("POST %s as %s: %d %s", path, who, a.status, a.body)
		}
		var made struct{ ID media.ID }
		if a.status == 201 {
			s.must(json.Unmarshal([]byte(a.body), &made))
		}
		return made.ID
	}
	s.enroll(s.course, "student", "outsider")
	student, classmate, teacher := s.events("student", row.ID), s.events("outsider", row.ID), s.events("teacher", row.ID)
	for _, e := range []*events{student, classmate, teacher} {
		if got := e.room(); !strings.Contains(got, `"fresh":true`) || e.last != "0" {
			t.Errorf("a page begins with %s, id %q", got, e.last)
		}
	}
	post("student", "/chat", `{"text":"Good morning"}`)
	for _, e := range []*events{student, classmate, teacher} {
		e.until("Good morning")
	}
	seen := classmate.last
	post("teacher", "/chat/settings", `{"mode":"teacher","slow_s":0}`)
	post("student", "/chat", `{"text":"for the teacher alone"}`)
	post("student", "/hand", `{"up":true}`)
	post("student", "/questions", `{"text":"a question of mine"}`)
	poll := post("teacher", "/polls", `{"text":"Ready?","options":["Yes","No"]}`)
	post("student", "/polls/"+poll.String()+"/vote", `{"choices":[0]}`)
	post("teacher", "/chat", `{"text":"That is all"}`)

	if got := student.until("That is all"); !strings.Contains(got, "for the teacher alone") || !strings.Contains(got, `"mine":true`) {
		t.Errorf("the author reads %s", got)
	}
	if got := teacher.until("That is all"); !strings.Contains(got, "for the teacher alone") || !strings.Contains(got, "a question of mine") || !strings.Contains(got, "Person student") {
		t.Errorf("the teacher reads %s", got)
	}
	back := s.eventsSince("outsider", row.ID, seen)
	fresh := s.ask("outsider", "GET", api+"/chat", "").body
	for name, got := range map[string]string{"while open": classmate.until("That is all"), "after a reconnect": back.until("That is all"), "afresh": fresh} {
		if strings.Contains(got, "alone") || strings.Contains(got, "of mine") || strings.Contains(got, `"counts"`) || !strings.Contains(got, "Ready?") || !strings.Contains(got, `"up":true`) {
			t.Errorf("%s a classmate reads %s", name, got)
		}
	}
	if again := s.eventsSince("outsider", row.ID, "no number"); !strings.Contains(again.room(), `"fresh":true`) {
		t.Error("a page with an id that is none of ours does not begin anew")
	}
}
