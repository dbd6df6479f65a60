package classroom_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// weekly makes a series of the course and returns its id.
func (s *school) weekly() media.ID {
	s.t.Helper()
	rows, err := s.k.Lessons.Create(s.t.Context(), lessons.Draft{
		Course: s.course, Title: "Cells", By: s.people["teacher"].id, Weeks: 4,
		Plan: lessons.Plan{Date: "2031-10-20", Start: "09:00", End: "09:45", Zone: "Europe/Berlin"},
	})
	s.must(err)
	return rows[0].SeriesID
}

type lessonsJSON struct {
	Lessons []struct {
		ID                      media.ID
		Title, Date, Start, End string
		State                   lessons.State
		SeriesID                *media.ID  `json:"series_id"`
		PlannedStart            *time.Time `json:"planned_start"`
		MovedFrom               *time.Time `json:"moved_from"`
	}
	Clashes []struct {
		LessonID media.ID `json:"lesson_id"`
		Title    string
	}
}

// Planning through the pages: a series over a change of clocks is shown before it is made, then moved, cancelled and
// taken back; students read of each.
func TestTimetablePages(t *testing.T) {
	s := newSchool(t)
	page := "/courses/" + s.course.String() + "/timetable"
	s.wantPage("teacher", "/courses/"+s.course.String(), page)
	s.wantPage("teacher", page+"/new", `name="repeat"`)

	form := url.Values{
		"title": {"Cells"}, "date": {"2031-10-20"}, "start": {"09:00"}, "end": {"09:45"}, "repeat": {"weekly"}, "weeks": {"2"}, "weekday": {"1", "3"},
	}
	s.wantPage("teacher", page+"/new?look=1&"+form.Encode(), "Monday 20\u00a0October", "Wednesday 29\u00a0October", "UTC&#43;01:00", "Plan 4 lessons")
	if a := s.ask("teacher", "POST", page, form.Encode()); a.status != 303 || a.location != page {
		t.Fatalf("plan: %d to %q\n%.300s", a.status, a.location, a.body)
	}
	s.wantPage("teacher", page, "4 lessons are planned.", "Monday, Wednesday", "until 2\u00a0November 2031")

	var list lessonsJSON
	s.json("student", "GET", "/api/v1/courses/"+s.course.String()+"/lessons", "", &list)
	if len(list.Lessons) != 4 {
		t.Fatalf("%d lessons, want 4", len(list.Lessons))
	}
	first := "/lessons/" + list.Lessons[0].ID.String()
	s.wantPage("teacher", first+"/edit", `value="2031-10-20"`, `name="scope"`)
	move := url.Values{"title": {"Cells"}, "date": {"2031-10-21"}, "start": {"10:00"}, "end": {"10:45"}, "scope": {"one"}}
	s.wantPage("teacher", first+"/edit?look=1&"+move.Encode(), "Tuesday 21\u00a0October", "Change 1 lesson")
	if a := s.ask("teacher", "POST", first+"/edit", move.Encode()); a.status != 303 {
		t.Fatalf("move: %d\n%.300s", a.status, a.body)
	}
	s.wantPage("student", first, "Moved from Monday 20\u00a0October, 07:00") // the school is in UTC
	s.wantPage("student", "/courses/"+s.course.String(), "Moved from Monday 20\u00a0October")

	last := "/lessons/" + list.Lessons[3].ID.String()
	if a := s.ask("teacher", "POST", last+"/cancel", "scope=all&note=I+am+ill."); a.status != 303 {
		t.Fatalf("cancel: %d\n%.300s", a.status, a.body)
	}
	s.wantPage("teacher", page, "4 lessons are cancelled.", "Hold all 4 cancelled together")
	s.wantPage("student", last, "is cancelled", "I am ill.")
	s.wantPage("student", "/courses/"+s.course.String(), "I am ill.")
	if a := s.ask("teacher", "POST", last+"/restore", "together=1"); a.status != 303 {
		t.Fatalf("restore: %d\n%.300s", a.status, a.body)
	}
	s.wantPage("teacher", page, "4 lessons take place after all.")
	s.wantPage("student", last, `data-state="planned"`)
}

// What was meant for today and moved to another day stands on today's page, where its students look for it.
func TestHomeSaysWhereALessonWent(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(3 * time.Hour).String()
	if a := s.ask("teacher", "PATCH", "/api/v1/lessons/"+id, `{"date":"2031-10-20"}`); a.status != http.StatusOK {
		t.Fatalf("move: %d %s", a.status, a.body)
	}
	s.wantPage("student", "/", "Moved to Monday 20\u00a0October", "Moved")
	off := s.lesson(4 * time.Hour).String()
	s.ask("teacher", "POST", "/api/v1/lessons/"+off+"/cancel", `{"note":"The hall is wet."}`)
	s.wantPage("student", "/", "Cancelled", "The hall is wet.")
}

// A time that clocks show twice is asked for; one that they skip says what it becomes (RELIABILITY, time zones).
func TestTimesThatAreNotOne(t *testing.T) {
	s := newSchool(t)
	page := "/courses/" + s.course.String() + "/timetable"
	form := url.Values{"title": {"Night sky"}, "date": {"2031-10-26"}, "start": {"02:30"}, "end": {"03:30"}, "repeat": {"once"}}
	s.wantPage("teacher", page+"/new?look=1&"+form.Encode(), "Clocks show 02:30 twice on 26\u00a0October 2031")
	a := s.ask("teacher", "POST", page, form.Encode())
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, "Please choose one of the two.") || !strings.Contains(a.body, `value="Night sky"`) {
		t.Errorf("without a choice: %d\n%.2000s", a.status, a.body)
	}
	form.Set("second", "second")
	if a := s.ask("teacher", "POST", page, form.Encode()); a.status != 303 {
		t.Errorf("the second: %d\n%.300s", a.status, a.body)
	}
	var list lessonsJSON
	s.json("teacher", "GET", "/api/v1/courses/"+s.course.String()+"/lessons", "", &list)
	if len(list.Lessons) != 1 || !list.Lessons[0].PlannedStart.Equal(time.Date(2031, 10, 26, 1, 30, 0, 0, time.UTC)) {
		t.Errorf("lessons %+v, want one at 01:30Z", list.Lessons)
	}
	spring := url.Values{"title": {"Dawn"}, "date": {"2032-03-28"}, "start": {"02:30"}, "end": {"03:30"}}
	s.wantPage("teacher", page+"/new?look=1&"+spring.Encode(), "Clocks skip 02:30 on this day: it begins at 03:30.")

	s.json("teacher", "POST", "/api/v1/lessons", `{"course_id":"`+s.course.String()+`","title":"Owls","date":"2031-10-26","start":"02:45","end":"03:45","second":true}`, &list)
	if len(list.Lessons) != 1 || len(list.Clashes) != 1 || list.Clashes[0].Title != "Night sky" {
		t.Errorf("made %+v with clashes %+v, want a warning of the night sky", list.Lessons, list.Clashes)
	}
}

// Forms that make no lesson say at which field, and keep what was typed.
func TestPlanningMistakes(t *testing.T) {
	s := newSchool(t)
	page := "/courses/" + s.course.String() + "/timetable"
	good := url.Values{"title": {"Cells"}, "date": {"2031-11-03"}, "start": {"09:00"}, "end": {"09:45"}, "repeat": {"weekly"}, "weeks": {"3"}}
	for _, tt := range []struct{ field, value, says string }{
		{"title", "", "Please fill this in."},
		{"title", strings.Repeat("long", 2500), "longer than fits"},
		{"title", "two\nlines", "cannot be kept"},
		{"date", "2031-02-30", "not a day and time"},
		{"date", "2030-01-01", "This day has passed."},
		{"start", "9 o'clock", "not a day and time"},
		{"weeks", "54", "from 1 to 53 weeks"},
		{"weeks", "many", "Please fill this in."},
		{"until", "2040-01-01", "from 1 to 53 weeks"},
		{"weekday", "9", "not a day and time"},
	} {
		form, err := url.ParseQuery(good.Encode())
		s.must(err)
		form.Set(tt.field, tt.value)
		for _, a := range []answer{
			s.ask("teacher", "POST", page, form.Encode()),
			s.ask("teacher", "GET", page+"/new?look=1&"+form.Encode(), ""),
		} {
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, tt.says) || !strings.Contains(a.body, `value="09:00"`) && tt.field != "start" {
				t.Errorf("%s = %.20q: %d, want 400 and %q\n%.1500s", tt.field, tt.value, a.status, tt.says, a.body)
			}
		}
	}
	live := s.lesson(10 * time.Minute)
	s.stream("teacher")
	s.clock.add(12 * time.Minute)
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+live.String()+"/end", "{}"); a.status != 200 {
		t.Fatalf("end: %d", a.status)
	}
	for path, body := range map[string]string{"edit": good.Encode(), "cancel": "", "restore": ""} {
		before := s.k
		a := s.ask("teacher", "POST", "/lessons/"+live.String()+"/"+path, body)
		if row, err := before.Lessons.Find(t.Context(), live); err != nil || row.State != lessons.Ended || row.Title != "Cells" {
			t.Errorf("%s of a lesson that was held: %d, row %+v, %v", path, a.status, row, err)
		}
	}
	if a := s.ask("teacher", "GET", "/lessons/"+live.String()+"/edit", ""); a.status != 303 {
		t.Errorf("the form of a lesson that was held: %d", a.status)
	}
}

// The same through the API.
func TestTimetableAPI(t *testing.T) {
	s := newSchool(t)
	var made, changed lessonsJSON
	a := s.json("teacher", "POST", "/api/v1/series", `{"course_id":"`+s.course.String()+`","title":"Cells","date":"2031-10-20","start":"09:00","end":"09:45","weeks":4,"weekdays":[1]}`, &made)
	if a.status != http.StatusCreated || len(made.Lessons) != 4 || made.Lessons[0].SeriesID == nil {
		t.Fatalf("made: %d %+v", a.status, made)
	}
	series := "/api/v1/series/" + made.Lessons[0].SeriesID.String()
	s.json("teacher", "PATCH", "/api/v1/lessons/"+made.Lessons[1].ID.String(), `{"scope":"later","start":"08:00","end":"08:45"}`, &changed)
	if len(changed.Lessons) != 3 || changed.Lessons[2].Start != "08:00" || changed.Lessons[0].MovedFrom == nil {
		t.Errorf("this and later: %+v", changed.Lessons)
	}
	s.json("teacher", "PATCH", series, `{"title":"Atoms"}`, &changed)
	if len(changed.Lessons) != 1 || changed.Lessons[0].Title != "Atoms" {
		t.Errorf("what is left of the first series: %+v", changed.Lessons)
	}
	var all struct {
		Series []struct {
			ID           media.ID
			Title, Until string
			Weekdays     []int
		}
	}
	s.json("assistant", "GET", "/api/v1/courses/"+s.course.String()+"/series", "", &all)
	if len(all.Series) != 2 || all.Series[1].Title != "Cells" || len(all.Series[1].Weekdays) != 1 || all.Series[1].Weekdays[0] != 1 {
		t.Fatalf("series %+v, want two", all.Series)
	}
	rest := "/api/v1/series/" + all.Series[1].ID.String()
	if a := s.ask("teacher", "PATCH", rest, `{"until":"2031-12-01"}`); a.status != 200 || !strings.Contains(a.body, `"until":"2031-12-01"`) {
		t.Errorf("longer: %d %s", a.status, a.body)
	}
	if a := s.ask("teacher", "POST", rest+"/cancel", `{"note":"Away"}`); a.status != 200 || !strings.Contains(a.body, `"lessons":6`) {
		t.Errorf("the rest called off: %d %s", a.status, a.body)
	}
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+made.Lessons[2].ID.String()+"/restore", `{"together":true}`); a.status != 200 || !strings.Contains(a.body, `"lessons":6`) {
		t.Errorf("taken back: %d %s", a.status, a.body)
	}
	for body, field := range map[string]string{`{"scope":"some"}`: "scope", `{"date":"never"}`: "date", `{"title":""}`: "title", `{"start":"25:00"}`: "start"} {
		if a := s.ask("teacher", "PATCH", "/api/v1/lessons/"+made.Lessons[0].ID.String(), body); a.status != 400 || !strings.Contains(a.body, `"`+field+`"`) {
			t.Errorf("%s: %d %s, want 400 at %s", body, a.status, a.body, field)
		}
	}
}

// A teacher without a lesson begins one, and the stream that rehearses goes into it.
func TestUnplannedLesson(t *testing.T) {
	s := newSchool(t)
	s.wantPage("teacher", "/courses/"+s.course.String()+"/timetable", "Unplanned lesson")
	g := s.stream("teacher")
	if g.Lesson != 0 {
		t.Fatalf("granted %+v, want a rehearsal", g)
	}
	begin := "/courses/" + s.course.String() + "/begin"
	s.wantPage("teacher", "/", "You are in rehearsal", begin, "Start an unplanned lesson in BIO-7B")
	if page := s.wantPage("assistant", "/"); strings.Contains(page, "rehearsal") {
		t.Error("the assistant reads of the teacher's rehearsal")
	}
	a := s.ask("teacher", "POST", begin, "title=")
	if a.status != 303 || !regexp.MustCompile(`^/lessons/\w+/studio$`).MatchString(a.location) {
		t.Fatalf("begin: %d to %q", a.status, a.location)
	}
	s.wantPage("teacher", a.location, "Unplanned lesson")
	s.wantPage("student", "/", "Unplanned lesson")
	if a := s.ask("teacher", "POST", strings.Replace(a.location, "/studio", "/live", 1), ""); a.status != 303 {
		t.Errorf("go live: %d %.300s", a.status, a.body)
	}
	s.wantPage("student", strings.TrimSuffix(a.location, "/studio"), `data-state="live"`)
}

// Two lessons that begin at the same time: nobody guesses, home and studio ask.
func TestTwoLessonsAtOnce(t *testing.T) {
	s := newSchool(t)
	one, two := s.lesson(10*time.Minute), s.lesson(10*time.Minute)
	studio := "/lessons/" + two.String() + "/studio"
	if g := s.stream("teacher"); g.Lesson != 0 {
		t.Fatalf("granted %+v, want neither of the two", g)
	}
	s.wantPage("teacher", "/", "Which one do you teach now?", studio, "/lessons/"+one.String()+"/studio")
	s.wantPage("teacher", "/lessons/"+one.String()+"/studio", "Which one do you teach now?", studio, "BIO-7B: this one")
	if a := s.ask("teacher", "POST", "/lessons/"+two.String()+"/live", ""); a.status != 303 {
		t.Errorf("go live: %d %.300s", a.status, a.body)
	}
	if p := s.playback("student", two); p.State != lessons.Live {
		t.Errorf("the one that was chosen is %s, want live", p.State)
	}
	if page := s.wantPage("teacher", "/lessons/"+two.String()+"/studio"); strings.Contains(page, "Which one") {
		t.Error("the studio still asks")
	}
}
