package lessons_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// The bubbles of synctest begin on Saturday, 1 January 2000.

// weekly plans a series from Monday, 3 January 2000 on.
func (s *school) weekly(weeks int, days ...time.Weekday) []lessons.Lesson {
	s.t.Helper()
	rows, err := s.lessons.Create(s.t.Context(), lessons.Draft{
		Course: s.course, Title: "Cells", By: s.teacher, Weeks: weeks, Weekdays: days,
		Plan: lessons.Plan{Date: "2000-01-03", Start: "09:00", End: "09:45", Zone: "UTC"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// timetable is every lesson of the course in words: when it is, its title when it is not Cells, its state when it
// is not planned.
func (s *school) timetable() (lines []string) {
	s.t.Helper()
	rows, err := s.lessons.Between(s.t.Context(), []media.ID{s.course}, time.Unix(0, 0), time.Now().AddDate(5, 0, 0))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		line := row.PlannedStartAt.Time().Format("Mon 01-02 15:04")
		if row.Title != "Cells" {
			line += " " + row.Title
		}
		if row.State != lessons.Planned {
			line += " " + string(row.State)
		}
		if row.MovedFromAt != 0 {
			line += " from " + row.MovedFromAt.Time().Format("Mon 01-02 15:04")
		}
		lines = append(lines, line)
	}
	return lines
}

func (s *school) wantTimetable(want ...string) {
	s.t.Helper()
	if d := cmp.Diff(want, s.timetable()); d != "" {
		s.t.Errorf("timetable (-want +got):\n%s", d)
	}
}

func (s *school) change(ch lessons.Change) int {
	s.t.Helper()
	ch.By = s.teacher
	n, err := s.lessons.Change(s.t.Context(), ch)
	if err != nil {
		s.t.Fatalf("change %+v: %v", ch, err)
	}
	return n
}

func at(date, start, end string) lessons.Plan {
	return lessons.Plan{Date: date, Start: start, End: end}
}

// A series has its lessons a term ahead, each once: whether the server runs, was down over many of them, or was
// killed after making some of them.
func TestSeriesIsMadeATermAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		rows := s.weekly(40, time.Monday, time.Thursday)
		if len(rows) != 36 { // 126 days ahead of 1 January is 6 May
			t.Fatalf("%d lessons made at once, want 36", len(rows))
		}
		if last := rows[len(rows)-1].LocalDate; last != "2000-05-04" {
			t.Errorf("the last one is on %s, want 2000-05-04", last)
		}
		s.skipUntil(time.Date(2000, 1, 8, 12, 0, 0, 0, time.UTC))
		if n := len(s.timetable()); n != 38 {
			t.Errorf("a week later %d lessons, want 38", n)
		}
		s.wantState(rows[0].ID, lessons.Ended) // the server was down at its start and at its end
		if end := s.find(rows[0].ID).EndedAt.Time(); !end.Equal(time.Date(2000, 1, 3, 10, 45, 0, 0, time.UTC)) {
			t.Errorf("the lesson that nobody held ended at %v, want 60 min after its planned end", end)
		}

		// Killed in the middle: some lessons of the next days are there, the note of it is not.
		s.exec("UPDATE series SET made_until = '2000-04-01'")
		s.exec("DELETE FROM lessons WHERE local_date > '2000-05-01'")
		s.skipUntil(time.Date(2000, 1, 8, 12, 1, 0, 0, time.UTC))
		s.skipUntil(time.Date(2000, 1, 8, 12, 2, 0, 0, time.UTC))
		if n := len(s.timetable()); n != 38 {
			t.Errorf("after a kill %d lessons, want the same 38", n)
		}

		// Down for longer than a term: what is over is not made any more.
		s.skipUntil(time.Date(2000, 9, 20, 12, 0, 0, 0, time.UTC))
		lines := s.timetable()
		want := []string{"Thu 09-21 09:00", "Mon 09-25 09:00", "Thu 09-28 09:00", "Mon 10-02 09:00", "Thu 10-05 09:00"}
		if !slices.Equal(lines[38:], want) {
			t.Errorf("after a long time %v, want %v", lines[38:], want)
		}
	})
}

// What was held keeps its day, its title and the rule it was held by.
func TestChangeReachesWhatItSays(t *testing.T) {
	tests := []struct {
		name   string
		change func(rows []lessons.Lesson) lessons.Change
		n      int
		want   []string
	}{
		{
			"this one is moved to Tuesday",
			func(r []lessons.Lesson) lessons.Change {
				return lessons.Change{Lesson: r[2].ID, Scope: lessons.One, Title: "Cells", Plan: at("2000-01-18", "10:00", "11:00")}
			},
			1,
			[]string{"Mon 01-03 09:00 ended", "Mon 01-10 09:00", "Tue 01-18 10:00 from Mon 01-17 09:00", "Mon 01-24 09:00"},
		},
		{
			"this one and later get another title and time",
			func(r []lessons.Lesson) lessons.Change {
				return lessons.Change{Lesson: r[2].ID, Scope: lessons.Later, Title: "Atoms", Plan: at("2000-01-17", "08:00", "08:45")}
			},
			2,
			// Only the first is near enough to be news.
			[]string{"Mon 01-03 09:00 ended", "Mon 01-10 09:00", "Mon 01-17 08:00 Atoms from Mon 01-17 09:00", "Mon 01-24 08:00 Atoms"},
		},
		{
			"all that were not held go to Wednesday",
			func(r []lessons.Lesson) lessons.Change {
				return lessons.Change{Lesson: r[3].ID, Scope: lessons.All, Title: "Cells", Plan: at("2000-01-26", "09:00", "09:45")}
			},
			3,
			[]string{"Mon 01-03 09:00 ended", "Wed 01-12 09:00 from Mon 01-10 09:00", "Wed 01-19 09:00 from Mon 01-17 09:00", "Wed 01-26 09:00"},
		},
		{
			"nothing is different",
			func(r []lessons.Lesson) lessons.Change {
				return lessons.Change{Lesson: r[1].ID, Scope: lessons.All, Title: "Cells", Plan: at("2000-01-10", "09:00", "09:45")}
			},
			0,
			[]string{"Mon 01-03 09:00 ended", "Mon 01-10 09:00", "Mon 01-17 09:00", "Mon 01-24 09:00"},
		},
		{
			"only the title, of one",
			func(r []lessons.Lesson) lessons.Change {
				return lessons.Change{Lesson: r[1].ID, Scope: lessons.One, Title: "Exam", Plan: at("2000-01-10", "09:00", "09:45")}
			},
			1,
			[]string{"Mon 01-03 09:00 ended", "Mon 01-10 09:00 Exam", "Mon 01-17 09:00", "Mon 01-24 09:00"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				rows := s.weekly(4)
				s.skipUntil(time.Date(2000, 1, 4, 12, 0, 0, 0, time.UTC))
				ch := tt.change(rows)
				when, reached, err := s.lessons.Foresee(t.Context(), ch)
				if err != nil || len(when) != len(reached) || reached[0].ID != ch.Lesson {
					t.Fatalf("foreseen: %d days of %d lessons, %v", len(when), len(reached), err)
				}
				if n := s.change(ch); n != tt.n {
					t.Errorf("%d lessons changed, want %d", n, tt.n)
				}
				s.wantTimetable(tt.want...)
			})
		})
	}
}

// A series that was changed in its middle goes on by its new rule, and its lessons can be told from others.
func TestChangedSeriesGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		rows := s.weekly(30)
		s.change(lessons.Change{Lesson: rows[1].ID, Scope: lessons.One, Title: "Exam", Plan: at("2000-01-11", "09:00", "10:00")})
		if n := s.change(lessons.Change{Lesson: rows[0].ID, Scope: lessons.All, Title: "Atoms", Plan: at("2000-01-05", "08:00", "08:45")}); n != 17 {
			t.Errorf("%d lessons changed, want the 17 that were not changed by themselves", n)
		}
		if exam := s.find(rows[1].ID); exam.Title != "Exam" || exam.LocalDate != "2000-01-11" || exam.SeriesID != s.find(rows[0].ID).SeriesID {
			t.Errorf("the exam became %+v", exam)
		}
		s.skipUntil(time.Date(2000, 2, 1, 12, 0, 0, 0, time.UTC))
		lines := s.timetable()
		if n := len(lines); n != 22 || !slices.Contains(lines, "Wed 05-31 08:00 Atoms") {
			t.Errorf("%d lessons a month later: %v", n, lines)
		}
		list, err := s.lessons.SeriesOf(t.Context(), s.course)
		if err != nil || len(list) != 1 || list[0].Weekdays != "3" || list[0].LastDate != "2000-08-01" {
			t.Errorf("series %+v, %v; want one of Wednesdays", list, err)
		}
		longer, made, err := s.lessons.Prolong(t.Context(), list[0].ID, "2000-12-31", s.teacher)
		if err != nil || longer.LastDate != "2000-12-31" || len(made) != 0 {
			t.Errorf("prolonged: %+v, %d made, %v", longer, len(made), err)
		}
		for until, key := range map[string]string{"2000-12-31": "series.not_longer", "2001-02-01": "lesson.bad_weeks", "soon": "lesson.bad_plan"} {
			if _, _, err := s.lessons.Prolong(t.Context(), list[0].ID, until, s.teacher); !hasKey(err, key) {
				t.Errorf("prolonged until %s: %v, want %s", until, err, key)
			}
		}
	})
}

func TestCancelAndRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		ctx := t.Context()
		rows := s.weekly(30)
		s.skipUntil(time.Date(2000, 1, 4, 12, 0, 0, 0, time.UTC))
		n, err := s.lessons.CallOff(ctx, lessons.Cancellation{Lesson: rows[2].ID, Scope: lessons.Later, Note: "I am away.", By: s.teacher})
		if n != 17 || err != nil {
			t.Fatalf("%d lessons called off, %v; want 17", n, err)
		}
		if row := s.find(rows[5].ID); row.Note != "I am away." || row.CancelID == 0 || row.Revision != 1 {
			t.Errorf("called off: %+v", row)
		}
		s.skipUntil(time.Date(2000, 2, 1, 12, 0, 0, 0, time.UTC))
		if n := len(s.timetable()); n != 19 {
			t.Errorf("%d lessons a month later, want the 19 there were", n)
		}
		if n, err := s.lessons.Restore(ctx, rows[10].ID, true, s.teacher); n != 14 || err != nil {
			t.Errorf("%d lessons restored, %v; want the 14 whose time has not passed", n, err)
		}
		s.skipUntil(time.Date(2000, 2, 1, 12, 1, 0, 0, time.UTC))
		if n := len(s.timetable()); n != 23 {
			t.Errorf("%d lessons, want those of the next term too", n)
		}
		if _, err := s.lessons.Restore(ctx, rows[2].ID, false, s.teacher); !hasKey(err, "lesson.over") {
			t.Errorf("restoring what has passed: %v", err)
		}
		if _, err := s.lessons.Change(ctx, lessons.Change{Lesson: rows[2].ID, Scope: lessons.One, Title: "x", Plan: at("2000-03-01", "09:00", "10:00")}); !hasKey(err, "lesson.cancelled") {
			t.Errorf("moving what is cancelled: %v", err)
		}
		if n, err := s.lessons.CallOff(ctx, lessons.Cancellation{Lesson: rows[2].ID, Scope: lessons.One, By: s.teacher}); n != 0 || err != nil {
			t.Errorf("called off twice: %d, %v", n, err)
		}
	})
}

// A lesson whose studio is open can still be moved; pages that are open hear of it. One that is on air cannot.
func TestOpenLessonIsMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.open()
		news := s.follow(id)
		day := s.start.UTC().AddDate(0, 0, 1).Format(time.DateOnly)
		s.change(lessons.Change{Lesson: id, Scope: lessons.One, Title: "Cells", Plan: at(day, "09:00", "09:45")})
		news.want(t, "state planned")
		s.wantState(id, lessons.Planned)
		if row := s.find(id); row.MovedFromAt.Time().IsZero() || row.Own {
			t.Errorf("moved: %+v", row)
		}
		live := s.onAir()
		_, err := s.lessons.Change(t.Context(), lessons.Change{Lesson: live, Scope: lessons.One, Title: "Cells", Plan: at(day, "10:00", "10:45")})
		if !hasKey(err, "lesson.held") {
			t.Errorf("moving a lesson on air: %v", err)
		}
		if _, err := s.lessons.CallOff(t.Context(), lessons.Cancellation{Lesson: live, Scope: lessons.One}); !hasKey(err, "lesson.over") {
			t.Errorf("calling off a lesson on air: %v", err)
		}
	})
}

func hasKey(err error, key string) bool {
	f, ok := fault.Of(err)
	return ok && f.Key == key
}

// The days of a draft are those that its preview says, across both changes of clocks, and past midnight.
func TestOccurrences(t *testing.T) {
	draft := func(date, start, end, zone string) lessons.Draft {
		return lessons.Draft{Title: "Cells", Plan: plan(date, start, end, zone)}
	}
	night := draft("2026-10-11", "01:30", "02:30", "America/New_York")
	night.Weeks = 5
	second := night
	second.Plan.Second = true
	spring := draft("2026-03-22", "02:30", "03:15", "Europe/Berlin")
	spring.Weeks = 2
	autumn := draft("2026-10-19", "09:00", "09:45", "Europe/Berlin")
	autumn.Until = "2026-10-31"
	autumn.Weekdays = []time.Weekday{time.Friday, time.Monday, time.Monday}
	tests := []struct {
		name  string
		draft lessons.Draft
		want  []string
	}{
		{"a time shown twice: the first", night, []string{
			"2026-10-11T05:30:00Z", "2026-10-18T05:30:00Z", "2026-10-25T05:30:00Z", "2026-11-01T05:30:00Z twice", "2026-11-08T06:30:00Z",
		}},
		{"a time shown twice: the second", second, []string{
			"2026-10-11T05:30:00Z", "2026-10-18T05:30:00Z", "2026-10-25T05:30:00Z", "2026-11-01T06:30:00Z twice", "2026-11-08T06:30:00Z",
		}},
		{"a time that is skipped", spring, []string{"2026-03-22T01:30:00Z", "2026-03-29T01:30:00Z skipped"}},
		{"two days a week, the wall clock stays", autumn, []string{
			"2026-10-19T07:00:00Z", "2026-10-23T07:00:00Z", "2026-10-26T08:00:00Z", "2026-10-30T08:00:00Z",
		}},
		{"past midnight", draft("2026-12-31", "23:30", "00:30", "Asia/Tokyo"), []string{"2026-12-31T14:30:00Z"}},
	}
	l := lessons.New(lessons.Config{Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := l.Occurrences(tt.draft)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range all {
				line := o.Start.UTC().Format(time.RFC3339)
				if o.Skipped {
					line += " skipped"
				}
				if o.Twice {
					line += " twice"
				}
				got = append(got, line)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestDraftsThatAreNone(t *testing.T) {
	good := lessons.Draft{Title: "Cells", Plan: plan("2026-10-19", "09:00", "09:45", "Europe/Berlin")}
	l := lessons.New(lessons.Config{Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }})
	for _, tt := range []struct {
		key    string
		change func(*lessons.Draft)
	}{
		{"lesson.bad_plan", func(d *lessons.Draft) { d.Plan.Zone = "Mars/Olympus" }},
		{"lesson.bad_plan", func(d *lessons.Draft) { d.Plan.Zone = "Local" }},
		{"lesson.bad_plan", func(d *lessons.Draft) { d.Plan.Date = "2026-02-30"; d.Weeks = 3 }},
		{"lesson.bad_plan", func(d *lessons.Draft) { d.Until = "later" }},
		{"lesson.bad_plan", func(d *lessons.Draft) { d.Plan.End = "24:00" }},
		{"lesson.bad_weeks", func(d *lessons.Draft) { d.Weekdays = []time.Weekday{time.Monday} }},
		{"lesson.bad_weeks", func(d *lessons.Draft) { d.Until = "2026-10-18" }},
		{"lesson.bad_weeks", func(d *lessons.Draft) { d.Until = "2027-10-25" }},
		{"lesson.no_day", func(d *lessons.Draft) { d.Until = "2026-10-20"; d.Weekdays = []time.Weekday{time.Friday} }},
		{"lesson.in_the_past", func(d *lessons.Draft) { d.Plan.Date = "2025-12-31" }},
	} {
		d := good
		tt.change(&d)
		if _, err := l.Occurrences(d); !hasKey(err, tt.key) {
			t.Errorf("%+v: %v, want %s", d, err, tt.key)
		}
	}
}

// What a teacher holds elsewhere at the same time is told, and is no reason to refuse.
func TestClashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		ctx := t.Context()
		var other []media.ID
		for i, teacher := range []media.ID{s.teacher, 0} {
			c, err := s.courses.Create(ctx, 0, courses.NewCourse{Code: fmt.Sprintf("C%d", i), Title: "Other", Zone: "UTC", Teacher: teacher})
			if err != nil {
				t.Fatal(err)
			}
			other = append(other, c.ID)
		}
		for _, course := range other {
			for _, start := range []string{"09:30", "09:45"} {
				_, err := s.lessons.Create(ctx, lessons.Draft{Course: course, Title: start, By: s.teacher, Plan: plan("2000-01-10", start, "10:30", "UTC")})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		rows := s.weekly(2)
		when, reached, err := s.lessons.Foresee(ctx, lessons.Change{Lesson: rows[1].ID, Scope: lessons.One, Title: "Cells", Plan: at("2000-01-10", "09:00", "09:45")})
		if err != nil {
			t.Fatal(err)
		}
		for _, except := range [][]media.ID{{reached[0].ID}, nil} {
			found, err := s.lessons.Clashes(ctx, s.course, when, except)
			if err != nil {
				t.Fatal(err)
			}
			var titles []string
			for _, row := range found[0] {
				titles = append(titles, row.Title)
			}
			want := []string{"09:30"} // 09:45 begins when ours ends; the other course has another teacher
			if except == nil {
				want = []string{"Cells", "09:30"}
			}
			if !slices.Equal(titles, want) {
				t.Errorf("clashes %v, want %v", titles, want)
			}
		}
	})
}

// Every query of series runs on every kind of database.
func TestSeriesStore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := schoolOn(t, db)
		ctx := t.Context()
		day := time.Now().UTC().AddDate(0, 0, 2)
		rows, err := s.lessons.Create(ctx, lessons.Draft{
			Course: s.course, Title: "Cells", By: s.teacher, Weeks: 3, Weekdays: []time.Weekday{day.Weekday(), day.AddDate(0, 0, 1).Weekday()},
			Plan: plan(day.Format(time.DateOnly), "09:00", "09:45", "UTC"),
		})
		if err != nil || len(rows) != 6 {
			t.Fatalf("%d lessons, %v; want 6", len(rows), err)
		}
		// Each moves onto the day of the next: a moment in which two stand for one day must not be.
		n := s.change(lessons.Change{Lesson: rows[1].ID, Scope: lessons.Later, Title: "Cells", Plan: at(day.AddDate(0, 0, 2).Format(time.DateOnly), "09:00", "09:45")})
		if n != 5 {
			t.Errorf("%d moved, want 5", n)
		}
		moved, err := s.lessons.MovedAway(ctx, []media.ID{s.course}, time.Now(), time.Now().AddDate(0, 1, 0))
		if err != nil || len(moved) < 3 {
			t.Errorf("%d moved away, %v", len(moved), err)
		}
		list, err := s.lessons.SeriesOf(ctx, s.course)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d series, %v; want two", len(list), err)
		}
		if _, _, err := s.lessons.Prolong(ctx, list[1].ID, day.AddDate(0, 0, 60).Format(time.DateOnly), s.teacher); err != nil {
			t.Error(err)
		}
		if _, err := s.lessons.FindSeries(ctx, list[1].ID); err != nil {
			t.Error(err)
		}
		if _, err := s.lessons.FindSeries(ctx, s.course); !hasKey(err, "lesson.not_found") {
			t.Errorf("a series that is none: %v", err)
		}
		if n, err := s.lessons.CallOff(ctx, lessons.Cancellation{Lesson: rows[1].ID, Scope: lessons.All, By: s.teacher}); n < 6 || err != nil {
			t.Errorf("%d called off, %v", n, err)
		}
		if n, err := s.lessons.Restore(ctx, rows[1].ID, true, s.teacher); n < 6 || err != nil {
			t.Errorf("%d restored, %v", n, err)
		}
		if _, err := s.lessons.Clashes(ctx, s.course, []lessons.Occurrence{{Start: day, End: day.Add(time.Hour)}}, nil); err != nil {
			t.Error(err)
		}
	})
}
