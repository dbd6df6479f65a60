package templates_test

import (
	"fmt"
	"time"

	"chalkcast/templates"
)

func coursePage(role string) templates.Page {
	p := page(role)
	p.Here = "courses"
	return p
}

func courseList() templates.Courses {
	row := func(id, code, title, role string, students, waiting int, teachers ...string) templates.ListedCourse {
		return templates.ListedCourse{ID: id, Code: code, Title: title, Teachers: teachers, Role: role, Students: students, Waiting: waiting}
	}
	return templates.Courses{
		Page: coursePage("admin"), MayCreate: true, Others: 14, Asked: []string{"Klub Debat & Pidato"},
		Terms: []templates.TermCourses{
			{Term: "Term 3, 2026", Courses: []templates.ListedCourse{
				row("1", "BIO-7B", "Biology, year 7", "teacher", 304, 3, "Ms Tanaka 田中 美咲", "Mr Hafiz"),
				row("2", "FR-2", "Français débutants – écrire, lire et parler avec des amis du monde entier", "admin", 21, 0, "Mme Élodie Lefèvre"),
				row("3", "SEJ-TINGKATAN-1-PAGI", "Sejarah tingkatan 1", "admin", 0, 0),
			}},
			{Courses: []templates.ListedCourse{row("4", "KLUB", "クラブ活動：天文学", "student", 40, 0, "أ. سلمى")}},
		},
	}
}

func enrolled(i int, role string) templates.Enrolled {
	family, given, name := person(i)
	return templates.Enrolled{
		UserID: fmt.Sprintf("%013d", i+1), Name: name, Family: family, Given: given, StudentID: fmt.Sprintf("%06d", 20413+i*7),
		Email: fmt.Sprintf("s%06d@queenstown-lakes.school.example", 20413+i*7), Group: string('a' + rune(i%3)), Role: role,
		From: now.AddDate(0, -i%9, 0),
	}
}

func coursePeople() templates.CoursePeople {
	p := templates.CoursePeople{
		Page: coursePage("teacher"), ID: "5c4d3e2f1g0hj", Code: "BIO-7B", Title: "Biology, year 7", MayAppoint: true, LeftMore: 12,
		Who: "eva@school.example", Role: "assistant", Group: "b", From: "2026-09-14", To: "2026-12-18", Error: "enrollment.unknown",
	}
	for i := range 304 {
		p.Students = append(p.Students, enrolled(i, "student"))
	}
	p.Staff = []templates.Enrolled{enrolled(400, "teacher"), enrolled(401, "assistant")}
	p.Staff[0].Fixed, p.Staff[0].StudentID = true, ""
	p.Staff[1].Until = now.AddDate(0, 2, 0)
	for i := range 3 {
		e := enrolled(500+i, "student")
		p.Waiting = append(p.Waiting, templates.Applicant{UserID: e.UserID, Name: e.Name, Email: e.Email, Asked: now.Add(-time.Duration(i) * time.Hour)})
		gone := enrolled(600+i, "student")
		gone.Until = now.AddDate(0, 0, -i)
		p.Left = append(p.Left, gone)
	}
	return p
}

func rosterPreview() templates.RosterReview {
	p := templates.RosterReview{
		Page: coursePage("admin"), ID: "5c4d3e2f1g0hj", Code: "BIO-7B", Title: "Biology, year 7", Upload: "7h3k9m2p4q6rs",
		File: "Klassenliste 7b – 学生名单 (final) 2.csv", Encoding: "GB18030", Encodings: []string{"UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "Shift_JIS", "Windows-1252"},
		Separator: "semicolon",
		Columns:   []templates.RosterColumn{{Heading: "学号", Means: "student_id"}, {Heading: "姓", Means: "family_name"}, {Heading: "名", Means: "given_name"}, {Heading: "邮箱", Means: "email"}, {Heading: "班主任"}},
		Counts:    templates.RosterCounts{New: 280, Made: 275, Changed: 9, Unchanged: 12, Missing: 3, Kept: 1},
	}
	for i := range 100 {
		e := enrolled(i, "student")
		p.New = append(p.New, templates.RosterLine{Line: i + 2, Name: e.Name, StudentID: e.StudentID, Email: e.Email, Group: e.Group, Role: e.Role})
	}
	p.Changed = p.New[40:49]
	for i := range 3 {
		p.Gone = append(p.Gone, enrolled(700+i, "student"))
	}
	return p
}

// courseSamples is the pages of courses, class codes and class lists.
func courseSamples() map[string]any {
	page, door := coursePage("admin"), templates.Page{School: "Queenstown Lakes School", Now: now}
	ofCourse := func() (id, code, title string) { return "5c4d3e2f1g0hj", "BIO-7B", "Biology, year 7" }
	id, code, title := ofCourse()

	run := course("teacher")
	run.MayEdit, run.Enrolls, run.Waiting = true, true, 3
	run.Join = &templates.ClassCode{Code: "K7QM-4XVT", URL: "https://queenstown-lakes.school.example/join/K7QM4XVT", Open: true, Approve: true, Max: 310, Uses: 304}
	shut := course("admin")
	shut.MayEdit, shut.Enrolls, shut.Students, shut.Coming, shut.Past = true, true, nil, nil, nil
	shut.Join = &templates.ClassCode{Code: "K7QM-4XVT", Approve: true}
	away := course("teacher")
	away.MayEdit, away.Enrolls, away.Archived, away.Coming = true, true, true, nil
	put := courseList()
	put.Archived, put.Terms, put.Asked, put.MayCreate = true, put.Terms[:1], nil, false

	form := templates.CourseForm{
		Page: page, Code: "BIO-7B", Title: " ", Term: "Term 3, 2026", Zone: "Middle Earth", AutoLive: true, Terms: []string{"Term 3, 2026", "Term 2, 2026"},
		Errors: map[string]string{"title": "field.missing", "zone": "field.zone", "code": "course.code_taken"},
	}
	alone := templates.CoursePeople{Page: page, ID: id, Code: code, Title: title}
	join := templates.Join{Page: door, Code: "K7QM4XVT", Course: title, CourseID: id, Short: code, Teachers: []string{"Ms Tanaka 田中 美咲"}, Standing: "outside"}
	signUp, full, waiting, inside := join, join, join, join
	signUp.Name, signUp.Email, signUp.Errors = "ليان الزهراني", "layan@school.example", map[string]string{"email": "join.taken", "password": "setup.password_short"}
	full.Page, full.Error = coursePage("student"), "join.full"
	waiting.Page, waiting.Standing = coursePage("student"), "waiting"
	inside.Page, inside.Standing = coursePage("student"), "inside"

	bad := rosterPreview()
	bad.MistakeCount, bad.New, bad.Changed, bad.Gone = 204, nil, nil, nil
	for i, m := range []templates.RosterMistake{
		{Key: "roster.quote", Data: map[string]any{"Line": 7}},
		{Column: "email", Key: "setup.email_bad"},
		{Key: "roster.two_people"},
		{Column: "role", Key: "roster.role_admin"},
		{Column: "email", Key: "roster.unchecked"},
		{Key: "roster.twice", Data: map[string]any{"First": 3}},
	} {
		m.Line = 7 + i*113
		bad.Mistakes = append(bad.Mistakes, m)
	}
	same := rosterPreview()
	same.New, same.Changed, same.Gone, same.Counts = nil, nil, nil, templates.RosterCounts{Unchanged: 304}
	state := templates.RosterState{Page: page, ID: id, Code: code, Title: title, State: "queued", Done: 14_500, Total: 40_000}
	turn, done, failed := state, state, state
	turn.Done, turn.Total = 0, 0
	done.State, done.Counts = "done", templates.RosterCounts{New: 280, Made: 275, Changed: 9, Unchanged: 12, Missing: 3, Ended: 3}
	failed.State, failed.Fault = "failed", "course.archived"
	return map[string]any{
		"course-code":      run,
		"course-closed":    shut,
		"course-archived":  away,
		"courses":          courseList(),
		"courses-archived": put,
		"courses-none":     templates.Courses{Page: coursePage("student")},
		"course-new":       templates.CourseForm{Page: page, Zone: "Asia/Singapore"},
		"course-edit":      templates.CourseForm{Page: page, ID: id, Code: code, Title: title, Term: "Term 3, 2026", Zone: "Asia/Singapore"},
		"course-mistakes":  form,
		"course-people":    coursePeople(),
		"course-alone":     alone,
		"join":             templates.Join{Page: door},
		"join-wrong":       templates.Join{Page: door, Code: "K7QM-4XV0", Error: "join.no_code"},
		"join-sign-up":     signUp,
		"join-full":        full,
		"join-waiting":     waiting,
		"join-inside":      inside,
		"roster":           templates.RosterUpload{Page: page, ID: id, Code: code, Title: title},
		"roster-refused":   templates.RosterUpload{Page: page, ID: id, Code: code, Title: title, Error: "roster.too_large", Data: map[string]any{"MiB": 5}},
		"roster-preview":   rosterPreview(),
		"roster-mistakes":  bad,
		"roster-same":      same,
		"roster-turn":      turn,
		"roster-working":   state,
		"roster-done":      done,
		"roster-failed":    failed,
	}
}
