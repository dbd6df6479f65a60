package classroom_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/courses"
)

// Who knocked before they were enrolled has their knocking beside their row.
func TestRefusedStudentHasTried(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(10 * time.Minute)
	for range 3 {
		if a := s.ask("outsider", "GET", "/lessons/"+id.String(), ""); a.status != 404 {
			t.Fatalf("the class page for somebody outside: %d, want 404", a.status)
		}
	}
	s.enroll(s.course, courses.Student, "outsider")
	var r struct {
		Rows []struct {
			FamilyName string `json:"family_name"`
			Attempts   []struct{ Reason string }
		}
	}
	s.json("teacher", "GET", "/api/v1/lessons/"+id.String()+"/register", "", &r)
	got := map[string]string{}
	for _, row := range r.Rows {
		got[row.FamilyName] = fmt.Sprint(row.Attempts)
	}
	if want := "[{not_enrolled}]"; got["outsider"] != want || got["student"] != "[]" {
		t.Errorf("attempts %v, want %s of the outsider alone", got, want)
	}
}

// A page learns when the lesson was on air, so that live and replay speak of the same programme.
func TestPlaybackTellsTheAir(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(time.Minute)
	path := "/api/v1/lessons/" + id.String()
	air := func() [][2]int64 {
		t.Helper()
		s.clock.add(2 * time.Second) // what is known of the lesson is at most a second old
		var p struct{ Air [][2]int64 }
		if a := s.json("student", "GET", path+"/playback", "", &p); strings.Contains(a.body, `"air":null`) {
			t.Error("air is null, want a list")
		}
		return p.Air
	}
	if got := air(); len(got) != 0 {
		t.Errorf("before the lesson: %v", got)
	}
	s.stream("teacher")
	if a := s.ask("teacher", "POST", path+"/live", "{}"); a.status != 200 {
		t.Fatalf("Go live: %d %s", a.status, a.body)
	}
	from := s.clock.Now().UnixMilli()
	if got := air(); len(got) != 1 || got[0] != [2]int64{from, 0} {
		t.Errorf("live: %v, want from %d and no end", got, from)
	}
	if a := s.ask("teacher", "POST", path+"/end", "{}"); a.status != 200 {
		t.Fatalf("End: %d %s", a.status, a.body)
	}
	if got := air(); len(got) != 1 || got[0][0] != from || got[0][1] < from {
		t.Errorf("after the end: %v, want an end", got)
	}
}
