package templates_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chalkcast/templates"
)

// The samples fill every field of every page, with what real schools have: names in five scripts, 304
// students, long titles. Screenshots are made of them, and every test walks them.

var (
	zone = must(time.LoadLocation("Asia/Singapore"))
	now  = time.Date(2026, 9, 3, 10, 12, 40, 0, zone)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func at(clock string) time.Time {
	t := must(time.Parse("15:04:05", clock))
	return time.Date(2026, 9, 3, t.Hour(), t.Minute(), t.Second(), 0, zone)
}

func span(from, to string) templates.Span { return templates.Span{From: at(from), To: at(to)} }

var policy = templates.Policy{
	PresentAt: 75, AbsentBelow: 25, LateAfter: 5 * time.Minute, EarlyBefore: 5 * time.Minute,
	Bridge: time.Minute, OutageMerge: 2 * time.Minute, MakeupPct: 80, MakeupDays: 7,
}

func page(role string) templates.Page {
	p := templates.Page{School: "Queenstown Lakes School", Now: now, Path: "/"}
	switch role {
	case "student":
		p.Viewer = &templates.Viewer{ID: "0000000000007", Name: "Nur Aisyah binti Rahman", Studies: true}
	case "teacher":
		p.Viewer = &templates.Viewer{ID: "0000000000008", Name: "田中 美咲", Teaches: true}
	case "admin":
		p.Viewer = &templates.Viewer{ID: "0000000000009", Name: "Rosalind Adeyemi-Clarke", Admin: true, Teaches: true}
	}
	return p
}

func lesson(state string) templates.Lesson {
	l := templates.Lesson{
		ID: "7h3k9m2p4q6rs", Title: "Cells, tissue and what holds them together", CourseID: "5c4d3e2f1g0hj",
		CourseCode: "BIO-7B", Course: "Biology, year 7", Teachers: []string{"Ms Tanaka 田中 美咲"}, State: state,
		Start: at("10:00:00"), End: at("10:45:00"), Here: 296, Enrolled: 304,
	}
	l.CourseStart, l.CourseEnd = l.Start, l.End
	if slices.Contains([]string{templates.Live, templates.Interrupted, templates.Ended, templates.Closed}, state) {
		l.LiveSince = at("10:01:12")
	}
	return l
}

func listed(title, code, course, teacher, state string, start time.Time) templates.Lesson {
	l := lesson(state)
	l.Title, l.CourseCode, l.Course, l.Teachers = title, code, course, []string{teacher}
	l.Start, l.End = start, start.Add(45*time.Minute)
	l.CourseStart, l.CourseEnd = l.Start, l.End
	l.ID = fmt.Sprintf("%013d", start.Unix()%1e9)
	return l
}

func today() []templates.Lesson {
	return []templates.Lesson{
		listed("Quadratic equations: the discriminant", "MA-7A", "Mathematics, year 7", "Dr Wei Chen 陈 伟", templates.Planned, at("11:00:00")),
		listed("Lettre à un ami – écrire et répondre", "FR-2", "Français débutants", "Mme Élodie Lefèvre", templates.Cancelled, at("13:30:00")),
		listed("Sejarah: Kesultanan Melayu Melaka dan perdagangan di Selat", "SEJ-7", "Sejarah tingkatan 1", "Cikgu Hafiz", templates.Planned, at("14:15:00")),
	}
}

func week() []templates.Lesson {
	day := 24 * time.Hour
	away := listed("Climate and how we know", "GEO-7", "Geography (taught from Auckland)", "Mr Tamati", templates.Planned, at("08:00:00").Add(2*day))
	away.CourseStart, away.CourseEnd = away.Start.In(must(time.LoadLocation("Pacific/Auckland"))), away.End.In(must(time.LoadLocation("Pacific/Auckland")))
	return []templates.Lesson{
		listed("Cells II: inside the nucleus", "BIO-7B", "Biology, year 7", "Ms Tanaka 田中 美咲", templates.Planned, at("10:00:00").Add(day)),
		listed("Quadratic equations: word problems", "MA-7A", "Mathematics, year 7", "Dr Wei Chen 陈 伟", templates.Planned, at("11:00:00").Add(day)),
		away,
	}
}

func missed() []templates.Lesson {
	l := listed("Photosynthesis: light into sugar", "BIO-7B", "Biology, year 7", "Ms Tanaka 田中 美咲", templates.Closed, at("10:00:00").Add(-48*time.Hour))
	l.Replay = true
	l.Result = &templates.Result{Status: "absent"}
	return []templates.Lesson{l}
}

func result(status string) templates.Result {
	r := templates.Result{
		Status: status, Counted: 41*time.Minute + 30*time.Second, Window: 43*time.Minute + 48*time.Second, PctTenth: 947,
		Joined: at("10:01:12"), Left: at("10:45:00"), Late: 0, Early: 0,
	}
	switch status {
	case "late":
		r.Joined, r.Late, r.Counted, r.PctTenth = at("10:09:20"), 8*time.Minute+8*time.Second, 35*time.Minute+40*time.Second, 814
	case "left_early":
		r.Left, r.Early, r.Counted, r.PctTenth = at("10:36:00"), 9*time.Minute, 34*time.Minute+48*time.Second, 795
	case "partial":
		r.Joined, r.Left, r.Late, r.Early, r.Counted, r.PctTenth = at("10:12:00"), at("10:38:00"), 10*time.Minute+48*time.Second, 7*time.Minute, 21*time.Minute, 479
	case "absent", "excused":
		r = templates.Result{Status: status, Window: r.Window}
	case "pending":
		r.Status = "pending"
	}
	return r
}

func visits(status string, i int) []templates.Span {
	jitter := time.Duration(i*37%50) * time.Second
	switch status {
	case "present", "pending":
		if i%9 == 0 {
			return []templates.Span{{From: at("10:01:12").Add(jitter), To: at("10:17:00")}, {From: at("10:19:30"), To: at("10:45:00")}}
		}
		return []templates.Span{{From: at("10:01:12").Add(jitter), To: at("10:45:00")}}
	case "late":
		return []templates.Span{{From: at("10:09:20").Add(jitter), To: at("10:45:00")}}
	case "left_early":
		return []templates.Span{{From: at("10:01:12"), To: at("10:36:00").Add(jitter)}}
	case "partial":
		return []templates.Span{{From: at("10:12:00").Add(jitter), To: at("10:23:00")}, {From: at("10:28:00"), To: at("10:38:00")}}
	}
	return nil
}

var names = [][2]string{ // family, given
	{"Rahman", "Nur Aisyah binti"},
	{"Tan", "Wei Ling 陈薇玲"},
	{"佐藤", "陽翔"},
	{"Müller-Østergård", "Søren Åke"},
	{"الزهراني", "ليان"},
	{"முருகன்", "கவிதா"},
	{"O’Connell", "Caoimhe"},
	{"Nguyễn", "Thị Minh Khai"},
	{"김", "서연"},
	{"Wijaya", "Putri Ayu Kusumawardhani"},
	{"Kahananui", "Leilani"},
	{"山田", "さくら"},
	{"Okonkwo", "Chidiebere"},
	{"Sharma", "Arjun"},
	{"王", "浩然"},
	{"Abdullah", "Muhammad Danish bin"},
}

func person(i int) (family, given, name string) {
	n := names[i%len(names)]
	family, given = n[0], n[1]
	if i >= len(names) {
		given += fmt.Sprintf(" %c.", 'A'+rune(i/len(names)%26))
	}
	name = given + " " + family
	if strings.ContainsAny(family, "佐山王김") {
		name = family + " " + given
	}
	return family, given, name
}

func people(n int) []templates.Person {
	var out []templates.Person
	for i := range n {
		_, _, name := person(i)
		state := "here"
		if i%41 == 5 {
			state = "absent"
		} else if i%67 == 9 {
			state = "left"
		}
		out = append(out, templates.Person{ID: fmt.Sprintf("%013d", i), Name: name, StudentID: fmt.Sprintf("%06d", 20413+i*7), Group: string('a' + rune(i%3)), State: state})
	}
	return out
}

func rows(n int) []templates.RegisterRow {
	cycle := []string{"present", "present", "present", "late", "present", "present", "partial", "present", "present", "present", "left_early", "present", "present", "absent", "present", "present", "present", "excused", "present"}
	var out []templates.RegisterRow
	for i := range n {
		status := cycle[i%len(cycle)]
		family, given, name := person(i)
		r := templates.RegisterRow{
			UserID: fmt.Sprintf("%013d", i), StudentID: fmt.Sprintf("%06d", 20413+i*7), Name: name, Family: family, Given: given,
			Email: fmt.Sprintf("s%06d@school.example", 20413+i*7), Group: string('a' + rune(i%3)), Result: result(status),
			Played: 40 * time.Minute, Visits: visits(status, i), Devices: 1 + i%2, CoveredPct: 932,
		}
		switch {
		case status == "excused":
			r.Corrected, r.CorrectedBy, r.Computed, r.Reason, r.Note = true, "Ms Tanaka", "absent", "illness", "Called in at 08:10"
		case status == "absent" && i%2 == 1:
			r.Attempts = []templates.FailedAttempt{{At: at("10:03:00"), Reason: "server_busy"}}
		}
		out = append(out, r)
	}
	return out
}

func register(n int) templates.Register {
	p := templates.Register{
		Page: page("teacher"), Lesson: lesson(templates.Closed), ClosedAt: at("11:00:00"),
		Window: span("10:01:12", "10:45:00"), Counted: 43*time.Minute + 48*time.Second,
		Air: []templates.Span{span("10:01:12", "10:22:05"), span("10:22:31", "10:47:30")}, Policy: policy,
		Rows: rows(n), MayCorrect: true, MayExport: true,
	}
	p.Editable, p.Reasons = true, []string{"illness", "family", "school", "technical", "mistake", "other"}
	p.Choices = []string{"present", "late", "left_early", "partial", "absent", "excused"}
	counts := map[string]int{}
	for _, r := range p.Rows {
		counts[r.Status]++
	}
	for _, s := range []string{"present", "late", "left_early", "partial", "excused", "absent"} {
		p.Counts = append(p.Counts, templates.StatusCount{Status: s, N: counts[s]})
	}
	return p
}

func class(state string) templates.Class {
	return templates.Class{
		Page: page("student"), Lesson: lesson(state), Beats: true, Writes: true, Counted: 11*time.Minute + 20*time.Second, Policy: policy,
		InterruptedAt: at("10:11:58"), LatencyTarget: 3 * time.Second,
	}
}

func health(bad bool) *templates.Health {
	h := &templates.Health{
		At: now, SilenceMS: 40, BitrateBPS: 2_480_000, FPSMilli: 30_000, KeyframeMS: 2000, SkewMS: 12, Encoder: "obs-output module (libobs version 31.1.2)",
		Tracks: []templates.HealthTrack{
			{Kind: "video", Words: "H.264 High", Width: 1280, Height: 720},
			{Kind: "audio", Words: "AAC stereo", SampleRate: 48000, Channels: 2},
		},
		Publishing: true,
	}
	for i := range 60 {
		h.SparkBPS = append(h.SparkBPS, 2_300_000+(i*7919%13)*40_000)
	}
	if bad {
		h.BitrateBPS, h.KeyframeMS, h.SilenceMS = 812_000, 8300, 2400
		h.Warnings = []templates.HealthWarning{{Code: "starved", Detail: "0.8", Since: now}, {Code: "keyframe_long", Detail: "8.3", Since: now}}
	}
	return h
}

func studio(state string) templates.Studio {
	s := templates.Studio{
		Page: page("teacher"), Lesson: lesson(state), Server: "rtmp://stream.queenstown-lakes.school/live",
		Keys:   []templates.StreamKey{{ID: "k7qm2xva", Name: "laptop", Created: now.AddDate(0, -3, 0), LastUsed: now}},
		People: people(304), InClass: 296, Enrolled: 304,
	}
	switch state {
	case templates.Live:
		s.Publishing, s.OnAir, s.Health = true, true, health(true)
		s.Health.Live = true
	case templates.Open:
		s.Publishing, s.Health = true, health(false)
	case templates.Planned:
		s.NewKey = "ck_k7qm2xva_abcdefghijklmnopqrstuvwxyz"
		s.Refused = &templates.Refused{At: at("09:58:00"), Code: "key_wrong"}
		s.InClass = 0
	}
	return s
}

func admin() templates.Today {
	row := func(l templates.Lesson, trouble string, since time.Time) templates.TodayLesson {
		return templates.TodayLesson{Lesson: l, Trouble: trouble, Since: since}
	}
	live := lesson(templates.Live)
	lost := listed("Poetry aloud", "EN-8C", "English, year 8", "Mr Okafor", templates.Interrupted, at("09:45:00"))
	lost.LiveSince, lost.Here, lost.Enrolled = at("09:46:00"), 27, 28
	late := listed("Chemistry of the kitchen", "CH-9", "Chemistry, year 9", "Ms Silva", templates.Open, at("10:00:00"))
	late.Late, late.Here, late.Enrolled, late.LiveSince = true, 31, 33, time.Time{}
	done := listed("Assembly", "ALL", "Whole school", "Rosalind Adeyemi-Clarke", templates.Closed, at("08:00:00"))
	done.LiveSince, done.Here, done.Enrolled = at("08:00:20"), 611, 640
	rows := []templates.TodayLesson{row(done, "", now), row(lost, "interrupted", at("10:11:58")), row(live, "", now), row(late, "late", at("10:00:00"))}
	for _, l := range today() {
		l.LiveSince, l.Here = time.Time{}, 0
		rows = append(rows, row(l, "", now))
	}
	return templates.Today{Page: page("admin"), Lessons: rows, Watching: 354, StoredBytes: 184_300_000_000, FreeBytes: 812_000_000_000, MailQueued: 2}
}

func mine() templates.MyAttendance {
	rate := templates.CourseRate{Held: 12, Present: 8, Late: 1, LeftEarly: 1, Partial: 1, Absent: 1, Excused: 1, MadeUp: 1, Rated: true, PctTenth: 917}
	c := templates.MyCourse{ID: "5c4d3e2f1g0hj", Code: "BIO-7B", Title: "Biology, year 7", Policy: policy, Rate: rate}
	for i, status := range []string{"present", "late", "absent", "partial", "left_early", "excused"} {
		l := listed("Cells, part "+fmt.Sprint(6-i), "BIO-7B", "Biology, year 7", "Ms Tanaka", templates.Closed, at("10:00:00").Add(-time.Duration(i)*24*time.Hour))
		r := result(status)
		r.MadeUp = status == "absent"
		c.Lessons = append(c.Lessons, templates.MyLesson{Lesson: l, Result: r, Window: span("10:01:12", "10:45:00"), Air: []templates.Span{span("10:01:12", "10:47:30")}, Visits: visits(status, i)})
	}
	return templates.MyAttendance{Page: page("student"), Courses: []templates.MyCourse{c, {ID: "1", Code: "MA-7A", Title: "Mathematics, year 7", Policy: policy}}}
}

func standing(i int) templates.Standing {
	s := templates.Standing{Held: 12, Present: 12 - i%5, Absent: i % 5, Rated: true, PctTenth: 1000 * (12 - i%5) / 12}
	if i%11 == 7 {
		s = templates.Standing{Held: 1, Excused: 1}
	}
	return s
}

func matrix() templates.Matrix {
	m := templates.Matrix{
		Page: page("teacher"), CourseID: "5c4d3e2f1g0hj", Code: "BIO-7B", Course: "Biology, year 7", From: now.AddDate(0, 0, -98), To: now, Policy: policy, MayExport: true,
		Legend: []templates.Mark{{Status: "present", Code: "P"}, {Status: "late", Code: "L"}, {Status: "left_early", Code: "E"}, {Status: "partial", Code: "H"}, {Status: "absent", Code: "A"}, {Status: "made_up", Code: "M"}, {Status: "excused", Code: "X"}, {Status: "pending", Code: "?"}, {Status: "not_held", Code: "N"}},
	}
	for i := range 12 {
		m.Lessons = append(m.Lessons, templates.MatrixLesson{ID: fmt.Sprintf("%013d", i), Title: "Cells, part " + fmt.Sprint(i+1), Day: now.AddDate(0, 0, 7*(i-12)), Rated: i != 4, PctTenth: 700 + 23*i})
	}
	for i := range 60 {
		_, _, name := person(i)
		row := templates.MatrixRow{UserID: fmt.Sprintf("%013d", i), Name: name, StudentID: fmt.Sprintf("%06d", 20413+i*7), Group: "a", Standing: standing(i)}
		for l := range m.Lessons {
			k := (i*7 + l*5) % 23
			if k >= len(m.Legend) {
				k = 0
			}
			row.Marks = append(row.Marks, m.Legend[k])
		}
		if i%13 == 2 {
			row.Marks[0], row.Marks[1] = templates.Mark{}, templates.Mark{}
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func registers() templates.Registers {
	p := templates.Registers{
		Page: page("admin"), From: now.AddDate(0, 0, -98), To: now, Below: 80, Limit: 80, BelowCount: 14, Query: "below=1&from=2026-05-28", Course: "2", Status: "absent",
		AllCourses: []templates.Choice{{ID: "1", Name: "MA-7A · Mathematics, year 7"}, {ID: "2", Name: "BIO-7B · Biology, year 7"}},
		Teachers:   []templates.Choice{{ID: "8", Name: "田中 美咲"}}, Statuses: []string{"present", "absent"},
	}
	p.Here = "registers"
	for w := range 14 {
		p.Weeks = append(p.Weeks, now.AddDate(0, 0, 7*(w-14)))
		p.Together = append(p.Together, templates.WeekMark{Lessons: 4, Rated: w != 6, PctTenth: 1000 - (w*97)%310})
	}
	for i, code := range []string{"BIO-7B", "MA-7A", "FR-2", "SEJ-7"} {
		c := templates.CourseWeeks{ID: fmt.Sprint(i), Code: code, Title: "Biology, year 7", Lessons: 14, Standing: standing(i)}
		for w := range p.Weeks {
			c.Weeks = append(c.Weeks, templates.WeekMark{Lessons: 1, Rated: w != 6, PctTenth: 1000 - (i*131+w*97)%620})
		}
		p.Courses = append(p.Courses, c)
	}
	for i := range 40 {
		family, given, name := person(i)
		p.Rows = append(p.Rows, templates.StudentStanding{UserID: fmt.Sprint(i), Name: name, Family: family, Given: given, StudentID: fmt.Sprintf("%06d", 20413+i*7), CourseID: "2", CourseCode: "BIO-7B", Standing: standing(i)})
	}
	return p
}

func settings() templates.Settings {
	s := templates.Settings{
		Page: page("teacher"), Publishes: true, Choose: true,
	}
	s.Sessions = []templates.Session{
		{Name: "00000000000000a1", Device: "Firefox · Windows", Since: now.Add(-70 * time.Minute), LastUsed: now, Here: true},
		{Name: "00000000000000b2", Device: "Samsung Internet · Android", Since: now.AddDate(0, 0, -12), LastUsed: now.Add(-26 * time.Hour)},
		{Name: "00000000000000c3", Since: now.AddDate(0, -2, 0), LastUsed: now.AddDate(0, 0, -9)},
	}
	s.Here = "settings"
	s.Flash = []templates.Flash{{Kind: "good", Key: "settings.saved"}}
	return s
}

func home(role string) templates.Home {
	p := page(role)
	p.Here = "home"
	h := templates.Home{Page: p, Today: today(), Week: week()}
	live := lesson(templates.Live)
	switch role {
	case "student":
		live.Here, live.Enrolled = 0, 0
		h.Current, h.Missed = &live, missed()
		h.Courses = []templates.CourseCount{{ID: "1", Code: "BIO-7B", Title: "Biology, year 7", Role: "student"}, {ID: "2", Code: "MA-7A", Title: "Mathematics, year 7", Role: "student"}}
	case "teacher":
		soon := lesson(templates.Open)
		soon.Start, soon.End = at("10:24:00"), at("11:09:00")
		soon.CourseStart, soon.CourseEnd, soon.Staff, soon.Here = soon.Start, soon.End, true, 41
		h.Current = &soon
		h.Today = h.Today[:1]
		h.Review = []templates.Review{{LessonID: "3", Title: "Photosynthesis: light into sugar", Course: "BIO-7B", Start: at("10:00:00").Add(-24 * time.Hour), Absent: 9, Partial: 4, Unresolved: 2}}
		h.Courses = []templates.CourseCount{{ID: "1", Code: "BIO-7B", Title: "Biology, year 7", Role: "teacher", Students: 304}}
	case "admin":
		h.Week, h.Today = nil, nil
		h.Day = &templates.SchoolDay{Lessons: 7, OnAir: 1, Watching: 354}
		for _, l := range admin().Lessons {
			if l.Trouble != "" {
				h.Day.Troubles = append(h.Day.Troubles, l)
			}
		}
		h.Courses = []templates.CourseCount{{ID: "1", Code: "BIO-7B", Title: "Biology, year 7", Role: "admin", Students: 304}, {ID: "2", Code: "MA-7A", Title: "Mathematics, year 7", Role: "admin", Students: 1}}
	}
	return h
}

func course(role string) templates.Course {
	c := templates.Course{
		Page: page(role), ID: "5c4d3e2f1g0hj", Code: "BIO-7B", Title: "Biology, year 7", Term: "Term 3, 2026", Zone: "Asia/Singapore", Role: role,
		Staff: []templates.Person{{Name: "Ms Tanaka 田中 美咲"}, {Name: "Mr Hafiz"}}, Coming: week(), Past: missed(),
	}
	if role == "student" {
		c.Rate = &templates.CourseRate{Held: 12, Present: 10, Late: 1, Absent: 1, Rated: true, PctTenth: 917}
	} else {
		c.Students = people(304)
	}
	return c
}

// samples returns a full example of every page in every state, by a name fit for a file.
func samples() map[string]any {
	later, cancelled, before, after := class(templates.Planned), class(templates.Cancelled), class(templates.Planned), class(templates.Closed)
	later.Lesson.Start, later.Lesson.End, later.Lesson.MovedFrom = at("11:24:00"), at("12:09:00"), at("10:00:00").Add(-24*time.Hour)
	later.Lesson.CourseStart, later.Lesson.CourseEnd = later.Lesson.Start, later.Lesson.End
	cancelled.Lesson.Note = "Ms Tanaka is ill. Please read pages 41 to 44 instead."
	before.Lesson.Start, before.Lesson.End = at("10:24:00"), at("11:09:00")
	before.Lesson.CourseStart = before.Lesson.Start.In(must(time.LoadLocation("Asia/Tokyo")))
	before.Lesson.CourseEnd = before.Lesson.End.In(must(time.LoadLocation("Asia/Tokyo")))
	r := result("late")
	after.Lesson.Result, after.Lesson.Replay = &r, true
	others := mine()
	others.Page, others.Of = page("admin"), "Nur Aisyah binti Rahman"
	door := templates.Page{School: "Queenstown Lakes School", Now: now}
	open := register(28)
	open.ClosedAt, open.ClosesAt, open.Outside = time.Time{}, at("11:00:00"), true
	open.Editable, open.Awaited = false, people(9)
	some := register(28)
	some.Show, some.Done = "absent", []string{"0000000000001", "0000000000002"}
	empty := register(0)
	never := register(3)
	never.NotHeld, never.Lesson.LiveSince = true, time.Time{}
	lost := never
	lost.Lesson.LiveSince = at("10:00:00")
	nothing := templates.Home{Page: page("student")}
	full := home("student")
	for range 5 {
		full.Today, full.Missed = append(full.Today, today()...), append(full.Missed, missed()...)
	}
	nobody := studio(templates.Ended)
	nobody.People, nobody.Enrolled, nobody.InClass = nil, 0, 0
	all := map[string]any{
		"sign-in":            templates.SignIn{Page: door},
		"sign-in-wrong":      templates.SignIn{Page: door, Email: "aisyah@school.example", Next: "/lessons/7h3k9m2p4q6rs", Error: "sign_in.wrong"},
		"link":               templates.SignInLink{Page: door, Token: "t", Name: "Nur Aisyah binti Rahman"},
		"link-instead":       templates.SignInLink{Page: page("student"), Token: "t", Name: "田中 美咲", Instead: "Nur Aisyah binti Rahman"},
		"link-gone":          templates.SignInLink{Page: door},
		"link-gone-inside":   templates.SignInLink{Page: page("student")},
		"setup":              templates.Setup{Page: templates.Page{Now: now}, Token: "t", SchoolName: "Queenstown Lakes School", Zone: "Middle Earth", Name: "Rosalind", Email: "x", Errors: map[string]string{"zone": "field.zone", "email": "setup.email_bad", "password": "setup.password_short"}},
		"home-student":       home("student"),
		"home-teacher":       home("teacher"),
		"home-admin":         home("admin"),
		"home-empty":         nothing,
		"home-full":          full,
		"course-student":     course("student"),
		"course-teacher":     course("teacher"),
		"class-before":       before,
		"class-waiting":      class(templates.Open),
		"class-live":         class(templates.Live),
		"class-interrupted":  class(templates.Interrupted),
		"class-ended":        after,
		"class-cancelled":    cancelled,
		"class-moved":        later,
		"studio-setup":       studio(templates.Planned),
		"studio-preview":     studio(templates.Open),
		"studio-live":        studio(templates.Live),
		"studio-interrupted": studio(templates.Interrupted),
		"studio-ended":       nobody,
		"today":              admin(),
		"today-empty":        templates.Today{Page: page("admin"), FreeBytes: -1},
		"register":           register(304),
		"register-open":      open,
		"register-some":      some,
		"register-empty":     empty,
		"register-not-held":  never,
		"register-lost":      lost,
		"my-attendance":      mine(),
		"student":            others,
		"matrix":             matrix(),
		"matrix-empty":       templates.Matrix{Page: page("teacher"), Code: "BIO-7B", Course: "Biology, year 7", From: now, To: now, Policy: policy},
		"registers":          registers(),
		"registers-empty":    templates.Registers{Page: page("admin"), From: now, To: now, Limit: 80},
		"settings":           settings(),
		"error-403":          templates.ErrorPage{Page: page("student"), Status: 403, Code: "not_enrolled", HelpName: "Ms Tanaka"},
		"error-404":          templates.ErrorPage{Page: page("student"), Status: 404, Key: "error.404_help"},
		"error-500":          templates.ErrorPage{Page: door, Status: 500, Reference: "7F3A-91"},
		"error-503":          templates.ErrorPage{Page: door, Status: 503, Code: "server_busy"},
		"error-418":          templates.ErrorPage{Page: door, Status: 418},
		"home-moved":         moved(),
		"home-rehearsal":     rehearsal(nil),
		"home-which":         rehearsal(due()),
		"studio-which":       studioWhich(),
		"timetable":          timetable(),
		"timetable-empty":    templates.Timetable{Page: page("teacher"), Code: "BIO-7B", Course: "Biology, year 7", Zone: "UTC"},
		"calendar":           templates.Calendar{Page: page("student"), Address: "https://queenstown-lakes.school/calendar/aaaaaaaaaaaaaaaqaaaaaajm5pxx3ozv7q4k2d6lw3f7a.ics"},
		"calendar-none":      templates.Calendar{Page: page("student")},
		"stream":             streamPage(),
		"stream-new":         templates.StreamPage{Page: page("teacher"), Server: "rtmp://stream.queenstown-lakes.school/live"},
		"obs":                setUpOBS(false),
		"obs-done":           setUpOBS(true),
		"lesson-new":         lessonForm(),
		"lesson-preview":     previewed(),
		"lesson-edit":        lessonEdit(),
		"storybook":          templates.Storybook{Page: page("admin")},
	}
	for _, more := range []map[string]any{
		reportSamples(),
		courseSamples(),
		schoolSamples(),
		peopleSamples(),
		captionSamples(),
	} {
		for name, page := range more {
			if _, has := all[name]; has {
				panic("two samples are called " + name)
			}
			all[name] = page
		}
	}
	return all
}
