package templates_test

import (
	"time"

	"chalkcast/templates"
)

func timetable() templates.Timetable {
	p := templates.Timetable{Page: page("teacher"), CourseID: "5c4d3e2f1g0hj", Code: "BIO-7B", Course: "Biology, year 7", Zone: "Asia/Singapore", Publishes: true}
	for i, l := range week() {
		l.Staff = true
		line := templates.PlannedLesson{Lesson: l, Editable: true}
		switch i {
		case 1:
			line.MovedFrom = l.Start.Add(-3 * time.Hour)
		case 2:
			line.State, line.Note = templates.Cancelled, "Ms Tanaka is ill. Please read pages 41 to 44 instead."
			line.Editable, line.Restorable, line.Together = false, true, 12
		}
		p.Lessons = append(p.Lessons, line)
	}
	p.Series = []templates.Series{
		{ID: "1", Title: "Cells, tissue and what holds them together", Weekdays: []time.Weekday{time.Monday, time.Wednesday}, Start: "10:00", End: "10:45", First: now.AddDate(0, -2, 0), Last: now.AddDate(0, 3, 0)},
		{ID: "2", Title: "Laboratory", Weekdays: []time.Weekday{time.Sunday}, Start: "23:30", End: "00:30", First: now, Last: now.AddDate(0, 1, 0)},
	}
	return p
}

func lessonForm() templates.LessonForm {
	p := templates.LessonForm{
		Page: page("teacher"), CourseID: "5c4d3e2f1g0hj", Code: "BIO-7B", Course: "Biology, year 7", Zone: "Europe/Berlin",
		Action: "/courses/5c4d3e2f1g0hj/timetable", Look: "/courses/5c4d3e2f1g0hj/timetable/new#dates", Repeat: "once", Weeks: "12",
	}
	for n := range 7 {
		p.Weekdays = append(p.Weekdays, templates.WeekdayChoice{Day: time.Weekday((n + 1) % 7), On: n == 5})
	}
	return p
}

// preview is a night lesson across both changes of clocks, one of which it falls into.
func previewed() templates.LessonForm {
	p := lessonForm()
	berlin := must(time.LoadLocation("Europe/Berlin"))
	p.Title, p.Date, p.Start, p.End, p.Repeat, p.Weeks, p.Max = "Night sky: what can be seen without a telescope", "2026-10-18", "02:30", "03:30", "weekly", "60", 53
	p.Errors = map[string]string{"weeks": "lesson.bad_weeks", "second": "timetable.which", "": "lesson.held"}
	day := func(utc time.Time) templates.PlannedDate {
		return templates.PlannedDate{Start: utc.In(berlin), End: utc.Add(time.Hour).In(berlin)}
	}
	a, b, c, d := day(time.Date(2026, 10, 18, 0, 30, 0, 0, time.UTC)), day(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)), day(time.Date(2026, 11, 1, 1, 30, 0, 0, time.UTC)), day(time.Date(2027, 3, 28, 1, 30, 0, 0, time.UTC))
	b.Twice, c.Offset, d.Offset, d.Skipped = true, "UTC+01:00", "UTC+02:00", "02:30"
	a.Clashes = []string{"Quadratic equations: the discriminant"}
	p.Preview = &templates.Preview{Dates: []templates.PlannedDate{a, b, c, d}, Twice: &b, Clashes: 1}
	return p
}

func lessonEdit() templates.LessonForm {
	p := lessonForm()
	p.LessonID, p.Action, p.Look = "7h3k9m2p4q6rs", "/lessons/7h3k9m2p4q6rs/edit", "/lessons/7h3k9m2p4q6rs/edit#dates"
	p.InSeries, p.Scope, p.Title, p.Date, p.Start, p.End = true, "later", "Cells, tissue and what holds them together", "2026-09-03", "10:00", "10:45"
	return p
}

func moved() templates.Home {
	h := home("student")
	away := listed("Climate and how we know", "GEO-7", "Geography", "Mr Tamati", templates.Planned, at("08:00:00").Add(48*time.Hour))
	away.MovedFrom = at("13:00:00")
	h.Away = []templates.Lesson{away}
	here := &h.Today[0]
	here.MovedFrom = here.Start.Add(-2 * time.Hour)
	h.Today[1].Note = "Mme Lefèvre est malade."
	return h
}

func due() []templates.Lesson {
	other := listed("Laboratory: onion skin under the microscope", "BIO-8C", "Biology, year 8", "Ms Tanaka", templates.Open, at("10:00:00"))
	here := lesson(templates.Open)
	here.Staff, other.Staff = true, true
	return []templates.Lesson{here, other}
}

func rehearsal(due []templates.Lesson) templates.Home {
	h := home("teacher")
	h.Current = nil
	h.Rehearsal = &templates.Rehearsal{Due: due, Courses: []templates.CourseCount{{ID: "1", Code: "BIO-7B", Title: "Biology, year 7"}, {ID: "2", Code: "BIO-8C", Title: "Biology, year 8"}}}
	return h
}

func studioWhich() templates.Studio {
	s := studio(templates.Open)
	s.Due = due()
	return s
}

func streamPage() templates.StreamPage {
	p := templates.StreamPage{
		Page: page("teacher"), Server: "rtmp://stream.queenstown-lakes.school/live",
		NewKey: "ck_k7qm2xva_abcdefghijklmnopqrstuvwxyz", NewName: "room 4",
		Keys: []templates.StreamKey{
			{ID: "k7qm2xva", Name: "room 4", Created: now},
			{ID: "b3xvaqm2", Name: "laptop", Created: now.AddDate(0, -3, 0), LastUsed: now.Add(-26 * time.Hour)},
			{ID: "zzvaqm2k", Name: "the old computer in the science preparation room", Created: now.AddDate(-1, 0, 0), LastUsed: now.AddDate(0, -4, 0), Revoked: now.AddDate(0, -3, 0)},
		},
		Multitrack: `{"meta":{"service":"Chalkcast","schema_version":"2024-06-04","config_id":""}}`, Option: "--enable-multitrack-video-dev",
	}
	for i, a := range []templates.Attempt{
		{Admitted: true},
		{Code: "key_revoked"},
		{Code: "path_mistyped", Detail: "/live/abc", Admitted: true},
		{Code: "video_codec", Detail: "VP6"},
		{Code: "key_revoked", Admitted: true},
	} {
		a.At, a.Protocol, a.KeyID, a.Key = now.Add(-time.Duration(i)*19*time.Hour), "RTMP", "b3xvaqm2", "laptop"
		p.Attempts = append(p.Attempts, a)
	}
	return p
}

func setUpOBS(done bool) templates.SetUpOBS {
	p := templates.SetUpOBS{Page: page("teacher"), Server: "rtmp://stream.queenstown-lakes.school/live", Encoder: templates.Encoder{
		Steps: []templates.Step{
			{Name: "key", Done: true, Says: "You have a key. If you have lost it, make another."},
			{Name: "seen", Done: done, Says: "In OBS choose Settings → Stream, the service “Custom…”, paste server and key, then press Start Streaming."},
			{Name: "picture", Done: done, Says: "Settings → Output: encoder H.264, keyframe interval 2 s."},
			{Name: "sound", Done: done, Says: "Settings → Audio: channels Stereo. Speak: Mic/Aux has to move."},
		},
	}}
	if !done {
		p.Refused = &templates.Refused{At: at("09:58:00"), Code: "key_wrong"}
		return p
	}
	for i, says := range []string{"OBS 32 is connected.", "1280×720, H.264 High, a keyframe every 2 s.", "AAC stereo."} {
		p.Encoder.Steps[i+1].Says = says
	}
	p.Encoder.Seen, p.Encoder.All = "We see you: 1280×720, 30 fps, H.264 High, AAC stereo. Private – nobody else sees this.", true
	p.Rehearsal = &templates.Rehearsal{Courses: []templates.CourseCount{{ID: "1", Code: "BIO-7B"}}}
	return p
}
