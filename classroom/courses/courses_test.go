package courses_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

var (
	pages  = sync.OnceValues(templates.New)
	monday = time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
)

// school is the feature with people in it. Nobody signs in: a token is the person's name.
type school struct {
	*courses.Courses
	accounts *accounts.Accounts
	db       *database.DB
	people   map[string]*web.Viewer
	course   courses.Course // BIO-7B: tina teaches, asif assists, sue and sam learn
	other    courses.Course // PHY-8: omar teaches

	mu  sync.Mutex
	now time.Time
}

func (s *school) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *school) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func open(t testing.TB, db *database.DB) *school {
	t.Helper()
	if db.Dialect() == database.SQLite {
		if _, err := db.SQL().ExecContext(t.Context(), "PRAGMA synchronous = OFF"); err != nil { // no test pulls the plug
			t.Fatal(err)
		}
	}
	return newSchool(t, db)
}

func newSchool(t testing.TB, db *database.DB) *school {
	t.Helper()
	s := &school{db: db, people: map[string]*web.Viewer{}, now: monday}
	a, err := accounts.New(t.Context(), accounts.Config{DB: db, Cost: accounts.Cost{MemoryKiB: 64, Passes: 1}, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.accounts = a
	for _, name := range []string{"root", "tina", "asif", "sue", "sam", "omar", "nina"} {
		u, err := a.Create(t.Context(), 0, accounts.NewUser{
			Email: name + "@x.example", DisplayName: "The " + name, FamilyName: name, StudentID: "s-" + name, Admin: name == "root",
		})
		if err != nil {
			t.Fatal(err)
		}
		s.people[name] = &web.Viewer{ID: u.ID, Name: u.DisplayName, Admin: u.Admin}
	}
	s.Courses = courses.New(courses.Config{DB: db, Accounts: a, Now: s.Now})
	s.course = s.create(t, courses.NewCourse{Code: "BIO-7B", Title: "Biology 7b", Term: "2026", Zone: "Europe/Berlin", Teacher: s.people["tina"].ID})
	s.other = s.create(t, courses.NewCourse{Code: "PHY-8", Title: "Physics 8", Term: "2026", Teacher: s.people["omar"].ID})
	s.enroll(t, "asif", courses.Assistant)
	s.enroll(t, "sue", courses.Student)
	s.enroll(t, "sam", courses.Student)
	return s
}

func (s *school) create(t testing.TB, n courses.NewCourse) courses.Course {
	t.Helper()
	c, err := s.Create(t.Context(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *school) enroll(t testing.TB, name string, role courses.Role) {
	t.Helper()
	if _, err := s.EnrollAll(t.Context(), 0, s.course.ID, []courses.NewMember{{User: s.people[name].ID, Role: role}}); err != nil {
		t.Fatal(err)
	}
}

func TestModels(t *testing.T) { databasetest.Models(t, courses.Models()...) }

// The whole table of rights, person by person.
func TestAccess(t *testing.T) {
	all := []courses.Permission{
		courses.See, courses.Edit, courses.EditSchedule, courses.Enroll, courses.AppointStaff, courses.SeeMembers, courses.Publish,
		courses.SeeStudio, courses.RunStudio, courses.Watch, courses.TakePart, courses.SeeRegister, courses.CorrectRegister,
		courses.ExportRegister, courses.SeeAudit,
	}
	if n := courses.CountPermissions(); n != len(all) {
		t.Fatalf("this test knows %d permissions, there are %d", len(all), n)
	}
	student := []courses.Permission{courses.See, courses.Watch, courses.TakePart}
	assistant := append([]courses.Permission{
		courses.EditSchedule, courses.Enroll, courses.SeeMembers, courses.Publish, courses.SeeStudio, courses.RunStudio, courses.SeeRegister,
	}, student...)
	admin := []courses.Permission{
		courses.See, courses.Edit, courses.EditSchedule, courses.Enroll, courses.AppointStaff, courses.SeeMembers, courses.SeeStudio,
		courses.Watch, courses.SeeRegister, courses.CorrectRegister, courses.ExportRegister, courses.SeeAudit,
	}
	s := open(t, databasetest.New(t))
	for name, may := range map[string][]courses.Permission{
		"tina": all, "asif": assistant, "sue": student, "root": admin, "omar": nil, "nina": nil,
	} {
		a, err := s.Access(t.Context(), s.people[name], s.course.ID)
		if may == nil {
			if !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s: %v, want not found", name, err)
			}
			continue
		}
		if err != nil || a.Course.Title != "Biology 7b" || a.Viewer != s.people[name] {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		for _, p := range all {
			_, err := s.Check(t.Context(), s.people[name], s.course.ID, p)
			if want := slices.Contains(may, p); a.May(p) != want || (err == nil) != want || !want && !fault.Is(err, fault.KindForbidden) {
				t.Errorf("%s may %s: %t, %v; want %t", name, p, a.May(p), err, want)
			}
		}
	}
	if _, err := s.Access(t.Context(), s.people["root"], media.NewID()); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a course that is not there: %v", err)
	}
}

// An admin who teaches a course may do there what a teacher may, and what an admin may.
// Who is turned away leaves one line a minute; who asks for what is not there, or may do it, none.
func TestDeniedAccessIsNoted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		denied := func() (said []string) {
			t.Helper()
			lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("course", s.course.ID), 50)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				for name, v := range s.people {
					if l.Action == "access.denied" && l.Actor == v.ID {
						said = append(said, fmt.Sprintf("%s %v", name, l.Detail["permission"]))
					}
				}
			}
			slices.Reverse(said)
			return said
		}
		ask := func(name string, course media.ID, p courses.Permission) {
			for range 5 {
				_, _ = s.Check(t.Context(), s.people[name], course, p)
			}
		}
		nowhere := media.NewID()
		ask("sue", s.course.ID, courses.Watch)
		ask("tina", s.course.ID, courses.Edit)
		ask("root", s.course.ID, courses.See)
		ask("omar", nowhere, courses.See)
		if got := denied(); len(got) > 0 {
			t.Errorf("who may: %q", got)
		}
		ask("omar", s.course.ID, courses.SeeRegister)
		ask("sue", s.course.ID, courses.SeeRegister)
		ask("sue", s.course.ID, courses.Edit)
		if got, want := denied(), []string{"omar see", "sue see register"}; !slices.Equal(got, want) {
			t.Errorf("who may not: %q, want %q", got, want)
		}
		s.pass(time.Minute)
		ask("sue", s.course.ID, courses.Edit)
		if got, want := denied(), []string{"omar see", "sue see register", "sue edit"}; !slices.Equal(got, want) {
			t.Errorf("a minute later: %q, want %q", got, want)
		}
		if lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("course", nowhere), 1); err != nil || len(lines) > 0 {
			t.Errorf("about a course that is not there: %v, %v", lines, err)
		}
	})
}

func TestAdminWhoTeaches(t *testing.T) {
	s := open(t, databasetest.New(t))
	s.enroll(t, "root", courses.Assistant)
	a, err := s.Access(t.Context(), s.people["root"], s.course.ID)
	if err != nil || !a.May(courses.Publish) || !a.May(courses.ExportRegister) || a.Role != courses.Assistant {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAccessInTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		in := func(name string) bool {
			t.Helper()
			_, err := s.Access(t.Context(), s.people[name], s.course.ID)
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		var told []media.ID
		s.OnEnd(func(_, user media.ID) { told = append(told, user) })
		if !in("sue") || in("nina") {
			t.Fatal("sue is out or nina is in")
		}
		s.pass(time.Hour)
		if err := s.Leave(t.Context(), 0, s.course.ID, s.people["sue"].ID); err != nil {
			t.Fatal(err)
		}
		if in("sue") {
			t.Error("sue left and is in")
		}
		if err := s.Leave(t.Context(), 0, s.course.ID, s.people["sue"].ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("leaving twice: %v", err)
		}
		if len(told) != 1 || told[0] != s.people["sue"].ID {
			t.Errorf("told that %v left, want sue", told)
		}
		s.enroll(t, "nina", courses.Student)
		if !in("nina") {
			t.Error("nina was enrolled and is out")
		}
		s.pass(time.Hour)
		s.enroll(t, "sue", courses.Student)
		if !in("sue") {
			t.Error("sue came back and is out")
		}

		during := func(from, until time.Duration) (names []string) {
			t.Helper()
			members, err := s.MembersDuring(t.Context(), s.course.ID, monday.Add(from), monday.Add(until))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				names = append(names, m.FamilyName)
			}
			slices.Sort(names)
			return names
		}
		for _, c := range []struct {
			from, until time.Duration
			want        string
		}{
			{-time.Hour, 0, ""},
			{0, time.Hour, "asif sam sue tina"},
			{time.Hour, 2 * time.Hour, "asif nina sam tina"},
			{2 * time.Hour, 3 * time.Hour, "asif nina sam sue tina"},
			{0, 3 * time.Hour, "asif nina sam sue sue tina"},
		} {
			if got := strings.Join(during(c.from, c.until), " "); got != c.want {
				t.Errorf("in the course from %v until %v: %s, want %s", c.from, c.until, got, c.want)
			}
		}
	})
}

func TestEnrollAll(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		id := func(name string) media.ID { return s.people[name].ID }
		enroll := func(list ...courses.NewMember) (int, error) {
			return s.EnrollAll(t.Context(), id("root"), s.course.ID, list)
		}
		if n, err := enroll(courses.NewMember{User: id("sue"), Role: courses.Student}, courses.NewMember{User: id("nina"), Role: courses.Student, Section: " A "}); n != 1 || err != nil {
			t.Errorf("one who is in and one who is not: %d changed, %v", n, err)
		}
		if n, err := enroll(courses.NewMember{User: id("nina"), Role: courses.Student, Section: "A"}); n != 0 || err != nil {
			t.Errorf("the same again: %d changed, %v", n, err)
		}
		s.pass(time.Minute)
		if n, err := enroll(courses.NewMember{User: id("nina"), Role: courses.Assistant}); n != 1 || err != nil {
			t.Errorf("another role: %d changed, %v", n, err)
		}
		if n, err := enroll(courses.NewMember{User: id("omar"), Role: courses.Student}, courses.NewMember{User: id("omar"), Role: courses.Student}); n != 1 || err != nil {
			t.Errorf("one person twice in a list: %d changed, %v", n, err)
		}
		members, err := s.Members(t.Context(), s.course.ID)
		if err != nil || len(members) != 6 {
			t.Fatalf("%d members, %v", len(members), err)
		}
		for _, m := range members {
			if m.User == id("nina") && (m.Role != courses.Assistant || !m.From.Equal(monday.Add(time.Minute)) || m.Email != "nina@x.example") {
				t.Errorf("nina: %+v", m)
			}
		}
		for what, list := range map[string][]courses.NewMember{
			"a role that is none":  {{User: id("sam"), Role: "admin"}},
			"nobody":               {{User: id("nina"), Role: courses.Student}, {User: media.NewID(), Role: courses.Student}},
			"a section of a novel": {{User: id("sam"), Role: courses.Student, Section: strings.Repeat("x", 41)}},
		} {
			if n, err := enroll(list...); n != 0 || !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s: %d changed, %v", what, n, err)
			}
		}
		if _, err := s.EnrollAll(t.Context(), 0, media.NewID(), []courses.NewMember{{User: id("sam"), Role: courses.Student}}); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("a course that is not there: %v", err)
		}
		if _, err := audit.Verify(t.Context(), db); err != nil {
			t.Error(err)
		}
	})
}

func TestTwoWhoEnrollTheSamePerson(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := s.EnrollAll(t.Context(), 0, s.course.ID, []courses.NewMember{{User: s.people["nina"].ID, Role: courses.Student}})
				if err != nil && !fault.Is(err, fault.KindConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var n int64
		err := db.Reader().Raw("SELECT count(*) FROM enrollments WHERE user_id = ?", s.people["nina"].ID).Scan(&n).Error
		if n != 1 || err != nil {
			t.Errorf("nina is in the course %d times, %v", n, err)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		for _, c := range []struct {
			n     courses.NewCourse
			kind  fault.Kind
			field string
		}{
			{courses.NewCourse{Code: "BIO-7B", Title: "x", Term: "2026"}, fault.KindConflict, "code"},
			{courses.NewCourse{Code: "BIO-7B", Title: "x", Term: "2027"}, 0, ""},
			{courses.NewCourse{Code: "X", Title: "  "}, fault.KindInvalid, "title"},
			{courses.NewCourse{Code: "X", Title: strings.Repeat("x", 10_000)}, fault.KindInvalid, "title"},
			{courses.NewCourse{Code: "X", Title: "two\nlines"}, fault.KindInvalid, "title"},
			{courses.NewCourse{Code: "", Title: "x"}, fault.KindInvalid, "code"},
			{courses.NewCourse{Code: "X", Title: "<b>x</b>"}, 0, ""},
			{courses.NewCourse{Code: "Y", Title: "x", Zone: "Mars/Olympus"}, fault.KindInvalid, "zone"},
			{courses.NewCourse{Code: "Y", Title: "x", Zone: "Local"}, fault.KindInvalid, "zone"},
			{courses.NewCourse{Code: "Y", Title: "x", Zone: "../../etc/passwd"}, fault.KindInvalid, "zone"},
		} {
			_, err := s.Create(t.Context(), 0, c.n)
			f, _ := fault.Of(err)
			if c.kind == 0 && err != nil || c.kind != 0 && (f == nil || f.Kind != c.kind || f.Field != c.field) {
				t.Errorf("create %.60v: %v", c.n, err)
			}
		}
	})
}

// 300 students who come at once are one query for the class.
func TestAClassIsReadOnce(t *testing.T) {
	db := databasetest.New(t)
	s := open(t, db)
	reads := countReads(t, db)
	s.pass(time.Minute) // what open read is old
	*reads = 0
	var wg sync.WaitGroup
	for range 300 {
		wg.Go(func() {
			if _, err := s.Access(t.Context(), s.people["sue"], s.course.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if *reads != 2 { // the course and its enrollments
		t.Errorf("300 questions made %d queries, want 2", *reads)
	}
}

// countReads counts the queries of the reader that come from now on.
func countReads(t *testing.T, db *database.DB) *int {
	t.Helper()
	n := new(int)
	var mu sync.Mutex
	count := func(*gorm.DB) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}
	callbacks := db.Reader().Callback()
	if err := callbacks.Query().Before("gorm:query").Register("count", count); err != nil {
		t.Fatal(err)
	}
	if err := callbacks.Row().Before("gorm:row").Register("count", count); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPlaces(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		if _, err := s.EnrollAll(t.Context(), 0, s.other.ID, []courses.NewMember{{User: s.people["tina"].ID, Role: courses.Student}}); err != nil {
			t.Fatal(err)
		}
		places, err := s.Places(t.Context(), s.people["tina"].ID)
		if err != nil || len(places) != 2 || places[0].Course.Code != "BIO-7B" || places[0].Role != courses.Teacher ||
			places[0].Course.Zone.String() != "Europe/Berlin" || places[1].Role != courses.Student {
			t.Errorf("places of tina: %+v, %v", places, err)
		}
		ids, err := s.Teaching(t.Context(), s.people["tina"].ID)
		if err != nil || len(ids) != 1 || ids[0] != s.course.ID {
			t.Errorf("tina teaches %v, %v", ids, err)
		}
		for name, want := range map[string][3]bool{ // teaches, studies, may publish
			"tina": {true, true, true}, "asif": {true, false, true}, "sue": {false, true, false}, "root": {false, false, true}, "nina": {},
		} {
			teaches, studies, err := s.Involved(t.Context(), s.people[name])
			may, err2 := s.MayPublish(t.Context(), s.people[name])
			if got := [3]bool{teaches, studies, may}; got != want || err != nil || err2 != nil {
				t.Errorf("%s: %v, %v, %v; want %v", name, got, err, err2, want)
			}
		}
		if err := s.Leave(t.Context(), 0, s.course.ID, s.people["tina"].ID); err != nil {
			t.Fatal(err)
		}
		if ids, err := s.Teaching(t.Context(), s.people["tina"].ID); err != nil || len(ids) != 0 {
			t.Errorf("tina left and teaches %v, %v", ids, err)
		}
	})
}

// door is the feature's routes, asked as somebody.
type door struct {
	*school
	url string
}

func (s *school) serve(t testing.TB) *door {
	t.Helper()
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := web.New(web.Config{
		Pages: set, Now: s.Now, School: func() web.School { return web.School{Name: "Grove", Lang: "en"} }, Involved: s.Involved,
		Identify: func(_ context.Context, token string) (*web.Viewer, error) { return s.people[token], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Register(srv)
	ts := httptest.NewServer(srv.Handler())
	t.Cleanup(ts.Close)
	return &door{s, ts.URL}
}

func (d *door) ask(t testing.TB, name, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "cc", Value: name})
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// post sends a form and returns where it leads.
func (d *door) post(t *testing.T, name, path, form string) (status int, to string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.url+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "cc", Value: name})
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Location")
}

func TestRoutesByRole(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	course, other := s.course.ID.String(), s.other.ID.String()
	enroll := func(name, role string) string {
		return fmt.Sprintf(`{"enrollments":[{"user_id":%q,"role":%q}]}`, s.people[name].ID, role)
	}
	everybody := []string{"", "tina", "asif", "sue", "root", "omar", "nina"}
	for _, c := range []struct {
		method, path, body string
		want               []int // in the order of everybody
	}{
		{"GET", "/courses/" + course, "", []int{303, 200, 200, 200, 200, 404, 404}},
		{"GET", "/courses/" + other, "", []int{303, 404, 404, 404, 200, 200, 404}},
		{"GET", "/courses/nonsense", "", []int{303, 404, 404, 404, 404, 404, 404}},
		{"GET", "/api/v1/courses", "", []int{401, 200, 200, 200, 200, 200, 200}},
		{"POST", "/api/v1/courses", `{}`, []int{401, 400, 403, 403, 400, 400, 403}},
		{"GET", "/api/v1/courses/" + course + "/enrollments", "", []int{401, 200, 200, 403, 200, 404, 404}},
		{"GET", "/api/v1/courses/" + media.NewID().String() + "/enrollments", "", []int{401, 404, 404, 404, 404, 404, 404}},
		{"POST", "/api/v1/courses/" + course + "/enrollments", enroll("sam", "student"), []int{401, 200, 200, 403, 200, 404, 404}},
		{"POST", "/api/v1/courses/" + course + "/enrollments", enroll("asif", "assistant"), []int{401, 200, 403, 403, 200, 404, 404}},
		{"POST", "/api/v1/courses/" + course + "/enrollments", enroll("sue", "admin"), []int{401, 400, 400, 403, 400, 404, 404}},
	} {
		for i, name := range everybody {
			if got, body := d.ask(t, name, c.method, c.path, c.body); got != c.want[i] {
				t.Errorf("%s %s %s as %q: %d, want %d\n%.300s", c.method, c.path, c.body, name, got, c.want[i], body)
			}
		}
	}
	// An assistant enrolls students, but neither appoints staff nor demotes them.
	for _, body := range []string{enroll("nina", "teacher"), enroll("nina", "assistant"), enroll("tina", "student"), enroll("asif", "teacher")} {
		if got, _ := d.ask(t, "asif", "POST", "/api/v1/courses/"+course+"/enrollments", body); got != 403 {
			t.Errorf("an assistant posts %s: %d, want 403", body, got)
		}
	}
}

func TestCoursePage(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	s.create(t, courses.NewCourse{Code: "<i>", Title: "<script>alert(1)</script>", Teacher: s.people["tina"].ID})
	path := "/courses/" + s.course.ID.String()
	if _, body := d.ask(t, "sue", "GET", path, ""); !strings.Contains(body, "Biology 7b") || !strings.Contains(body, "The tina") || strings.Contains(body, "The sam") || strings.Contains(body, "s-sam") {
		t.Error("a student's page lacks the teacher, or names a fellow student")
	}
	if _, body := d.ask(t, "tina", "GET", path, ""); !strings.Contains(body, "The sam") || !strings.Contains(body, "The asif") {
		t.Error("the teacher's page lacks somebody")
	}
}

func TestCoursesAPI(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	status, body := d.ask(t, "tina", "POST", "/api/v1/courses", `{"code":"CHEM","title":" Chemistry ","zone":"Asia/Tokyo","id":"0000000000001","role":"admin"}`)
	var made struct{ ID, Code, Title, Zone, Role string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 201 || made.Title != "Chemistry" || made.Zone != "Asia/Tokyo" || made.Role != "teacher" || made.ID == "0000000000001" {
		t.Errorf("create: %d %s", status, body)
	}
	if status, body := d.ask(t, "tina", "POST", "/api/v1/courses", `{"code":"CHEM","title":"Chemistry"}`); status != 409 || !strings.Contains(body, `"field":"code"`) {
		t.Errorf("create twice: %d %s", status, body)
	}
	codes := func(name string) map[string]string {
		_, body := d.ask(t, name, "GET", "/api/v1/courses", "")
		var list struct{ Courses []struct{ Code, Role string } }
		if err := json.Unmarshal([]byte(body), &list); err != nil || list.Courses == nil {
			t.Fatalf("courses of %s: %s", name, body)
		}
		m := map[string]string{}
		for _, c := range list.Courses {
			m[c.Code] = c.Role
		}
		return m
	}
	for name, want := range map[string]map[string]string{
		"tina": {"BIO-7B": "teacher", "CHEM": "teacher"},
		"sue":  {"BIO-7B": "student"},
		"nina": {},
		"root": {"BIO-7B": "admin", "PHY-8": "admin", "CHEM": "admin"},
	} {
		if got := codes(name); !maps.Equal(got, want) {
			t.Errorf("courses of %s: %v, want %v", name, got, want)
		}
	}
	status, body = d.ask(t, "tina", "GET", "/api/v1/courses/"+s.course.ID.String()+"/enrollments", "")
	if status != 200 || strings.Count(body, `"user_id"`) != 4 || !strings.Contains(body, `"student_id":"s-sue"`) {
		t.Errorf("enrollments: %d %s", status, body)
	}
	path := "/api/v1/courses/" + s.course.ID.String() + "/enrollments"
	many := `{"enrollments":[` + strings.Repeat(fmt.Sprintf(`{"user_id":%q,"role":"student"},`, s.people["nina"].ID), 2000)
	for what, c := range map[string]struct {
		body   string
		status int
	}{
		"2000 lines":  {many[:len(many)-1] + `]}`, 200},
		"2001 lines":  {many + fmt.Sprintf(`{"user_id":%q,"role":"student"}`, s.people["nina"].ID) + `]}`, 400},
		"none":        {`{"enrollments":[]}`, 400},
		"a wrong id":  {`{"enrollments":[{"user_id":"0","role":"student"}]}`, 400},
		"a UUID":      {`{"enrollments":[{"user_id":"550e8400-e29b-41d4-a716-446655440000","role":"student"}]}`, 400},
		"a number":    {`{"enrollments":[{"user_id":7,"role":"student"}]}`, 400},
		"no role":     {fmt.Sprintf(`{"enrollments":[{"user_id":%q}]}`, s.people["nina"].ID), 400},
		"over 1 MiB":  {`{"enrollments":[]` + strings.Repeat(" ", 1<<20) + `}`, 413},
		"another one": {fmt.Sprintf(`{"enrollments":[{"user_id":%q,"role":"student","course_id":%q}]}`, s.people["omar"].ID, s.other.ID), 200},
	} {
		if status, body := d.ask(t, "tina", "POST", path, c.body); status != c.status {
			t.Errorf("%s: %d %.200s, want %d", what, status, body, c.status)
		}
	}
}

// An enrollment can begin and end on a day that is known before: rights follow the time by themselves.
func TestEnrollmentHasItsTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		d := s.serve(t)
		people := "/courses/" + s.course.ID.String() + "/people"
		sees := func(name string) bool {
			t.Helper()
			_, err := s.Access(t.Context(), s.people[name], s.course.ID)
			return err == nil
		}
		add := func(form string) {
			t.Helper()
			if status, to := d.post(t, "tina", people+"/add", form); status != 303 || to != people {
				t.Errorf("%s: %d to %q", form, status, to)
			}
		}
		// It is Monday, 7 September: nina comes for Wednesday and Thursday.
		add("who=nina@x.example&role=student&from=2026-09-09&to=2026-09-10")
		if status, page := d.ask(t, "tina", "GET", people, ""); status != 200 || !strings.Contains(page, "The nina") || !strings.Contains(page, "10\u00a0Sep") || strings.Contains(page, "11\u00a0Sep") {
			t.Errorf("the page: %d %.3000s", status, page)
		}
		for _, in := range []bool{false, false, true, true, false} { // from Monday to Friday
			if sees("nina") != in {
				t.Errorf("%s: in it %t, want %t", s.Now().Format(time.DateOnly), !in, in)
			}
			s.pass(24 * time.Hour)
		}
		// The last word counts: sue, who is in it without an end, leaves on the 15th; then she stays after all.
		add("who=sue@x.example&role=student&to=2026-09-15")
		if !sees("sue") {
			t.Error("sue is out already")
		}
		if _, err := s.ChangeMembers(t.Context(), courses.Importer{ID: s.people["tina"].ID, Appoints: true}, s.course.ID, []media.ID{s.people["sue"].ID}, courses.Change{Section: new("b")}); err != nil {
			t.Error(err)
		}
		s.pass(5 * 24 * time.Hour)
		if sees("sue") {
			t.Error("sue is in after her last day, for another group changed that")
		}
		add("who=sue@x.example&role=student&from=2030-01-01")
		if sees("sue") {
			t.Error("sue is in years before her first day")
		}
		// Who is to come and does not is taken out like anybody; nothing of them is left.
		if err := s.Leave(t.Context(), 0, s.course.ID, s.people["sue"].ID); err != nil {
			t.Error(err)
		}
		s.pass(5 * 365 * 24 * time.Hour)
		if sees("sue") {
			t.Error("sue came though she was taken out")
		}
		for _, bad := range []string{"from=2031-10-10&to=2031-10-09", "to=2026-09-06", "to=tomorrow", "from=2026-13-01"} {
			if status, page := d.ask(t, "tina", "GET", people, ""); status != 200 || strings.Contains(page, "The last day must") {
				t.Errorf("%d", status)
			}
			if status, to := d.post(t, "tina", people+"/add", "who=sam@x.example&role=student&"+bad); status != 400 {
				t.Errorf("%s: %d to %q", bad, status, to)
			}
		}
		api := fmt.Sprintf(`{"enrollments":[{"user_id":%q,"role":"student","from":"2031-12-01T00:00:00Z","until":"2031-12-02T00:00:00Z"}]}`, s.people["nina"].ID)
		if status, body := d.ask(t, "tina", "POST", "/api/v1/courses/"+s.course.ID.String()+"/enrollments", api); status != 200 || !strings.Contains(body, `"changed":1`) {
			t.Errorf("API: %d %s", status, body)
		}
		if _, body := d.ask(t, "tina", "GET", "/api/v1/courses/"+s.course.ID.String()+"/enrollments", ""); !strings.Contains(body, `"from":"2031-12-01T00:00:00Z","until":"2031-12-02T00:00:00Z"`) {
			t.Errorf("API: %s", body)
		}
	})
}
