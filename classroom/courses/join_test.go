package courses_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

var (
	school1 = netip.MustParseAddr("198.51.100.7")
	school2 = netip.MustParseAddr("203.0.113.9")
)

// openCode opens the class code and returns it.
func (s *school) openCode(t testing.TB) courses.JoinCode {
	t.Helper()
	if err := s.OpenCode(t.Context(), s.people["tina"].ID, s.course.ID); err != nil {
		t.Fatal(err)
	}
	code, err := s.JoinCode(t.Context(), s.course.ID)
	if err != nil || !code.Open || !code.Approve {
		t.Fatalf("the code: %+v, %v", code, err)
	}
	return code
}

func TestCodesAreUnambiguous(t *testing.T) {
	form := regexp.MustCompile(`^[346789CDFGHJKMNPQRTVWXY]{8}$`)
	seen := map[string]bool{}
	for range 1000 {
		code := courses.NewCode()
		if !form.MatchString(code) || seen[code] {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
	}
}

// Who joins waits, sees nothing of the course until they are let in, and is a student then.
func TestJoinAndWait(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		if got, err := s.JoinCode(t.Context(), s.course.ID); err != nil || got.Open || got.Code != "" || !got.Approve {
			t.Errorf("before there is one: %+v, %v", got, err)
		}
		code := s.openCode(t)
		typed := strings.ToLower(code.Code[:4]) + " - " + code.Code[4:]
		course, found, err := s.Invited(t.Context(), typed, school1)
		if err != nil || course.ID != s.course.ID || found.Code != code.Code {
			t.Fatalf("typed %q: %+v, %v", typed, course, err)
		}
		for range 2 {
			if got, err := s.Join(t.Context(), course, found, s.people["nina"].ID); err != nil || got != courses.Waiting {
				t.Errorf("nina joins: %v, %v", got, err)
			}
		}
		if got, err := s.Join(t.Context(), course, found, s.people["sue"].ID); err != nil || got != courses.Inside {
			t.Errorf("sue, who is in: %v, %v", got, err)
		}
		if _, err := s.Access(t.Context(), s.people["nina"], s.course.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("who waits knows the course: %v", err)
		}
		if asked, err := s.Asked(t.Context(), s.people["nina"].ID); err != nil || len(asked) != 1 || asked[0].ID != s.course.ID {
			t.Errorf("nina asked for %+v, %v", asked, err)
		}
		list, err := s.WaitingList(t.Context(), s.course.ID)
		if err != nil || len(list) != 1 || list[0].DisplayName != "The nina" || !list[0].AskedAt.Equal(monday) {
			t.Errorf("the list: %+v, %v", list, err)
		}
		if got, err := s.JoinCode(t.Context(), s.course.ID); err != nil || got.Uses != 1 {
			t.Errorf("the code after one use: %+v, %v", got, err)
		}
		users := []media.ID{s.people["nina"].ID, s.people["omar"].ID}
		if n, err := s.Answer(t.Context(), s.people["asif"].ID, s.course.ID, users, true); n != 1 || err != nil {
			t.Errorf("let in: %d, %v", n, err)
		}
		if a, err := s.Access(t.Context(), s.people["nina"], s.course.ID); err != nil || a.Role != courses.Student {
			t.Errorf("who was let in: %+v, %v", a, err)
		}
		if n, err := s.Answer(t.Context(), 0, s.course.ID, users, true); n != 0 || err != nil {
			t.Errorf("once more: %d, %v", n, err)
		}
		if _, err := s.Join(t.Context(), course, found, s.people["omar"].ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Answer(t.Context(), 0, s.course.ID, users, false); n != 1 || err != nil {
			t.Errorf("decline: %d, %v", n, err)
		}
		if got, err := s.StandingIn(t.Context(), s.course.ID, s.people["omar"].ID); err != nil || got != courses.Outside {
			t.Errorf("who was declined: %v, %v", got, err)
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("course", s.course.ID), 20)
		var said []string
		for _, l := range lines {
			said = append(said, l.Action)
		}
		slices.Reverse(said)
		if want := "code.open join.ask access.denied join.approve join.ask join.decline"; err != nil || !strings.HasSuffix(strings.Join(said, " "), want) {
			t.Errorf("audit: %v, %v; want %s", said, err, want)
		}
	})
}

// A code that is closed, replaced, of an archived course or made up answers alike.
func TestCodesThatDoNotWork(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		code := s.openCode(t)
		course, found, err := s.Invited(t.Context(), code.Code, school1)
		if err != nil {
			t.Fatal(err)
		}
		gone := func(what, typed string) {
			t.Helper()
			_, _, err := s.Invited(t.Context(), typed, school1)
			if f, _ := fault.Of(err); f == nil || f.Kind != fault.KindNotFound || f.Key != "join.no_code" {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, typed := range []string{"", "x", "346789CD", strings.Repeat("3", 5000), "'; --", code.Code + "3", "ＡＢＣＤＥＦＧＨ"} {
			gone("made up", typed)
		}
		if _, _, err := s.Invited(t.Context(), "３"+"4"+code.Code[2:], school1); err == nil && code.Code[:2] != "34" {
			t.Error("another code let somebody in")
		}
		if err := s.RotateCode(t.Context(), 0, s.course.ID); err != nil {
			t.Fatal(err)
		}
		gone("replaced", code.Code)
		if _, err := s.Join(t.Context(), course, found, s.people["nina"].ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("replaced while somebody looked: %v", err)
		}
		next, err := s.JoinCode(t.Context(), s.course.ID)
		if err != nil || next.Code == code.Code || !next.Open || next.Uses != 0 {
			t.Errorf("the next code: %+v, %v", next, err)
		}
		if err := s.CloseCode(t.Context(), 0, s.course.ID); err != nil {
			t.Fatal(err)
		}
		gone("closed", next.Code)
		if err := s.OpenCode(t.Context(), 0, s.course.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Archive(t.Context(), 0, s.course.ID, true); err != nil {
			t.Fatal(err)
		}
		gone("archived", next.Code)
	})
}

// Two at the last place of a code: one is in.
func TestLimit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		s.openCode(t)
		if err := s.SetCode(t.Context(), 0, s.course.ID, false, 1); err != nil {
			t.Fatal(err)
		}
		code, err := s.JoinCode(t.Context(), s.course.ID)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		said := map[courses.Standing]int{}
		for _, name := range []string{"nina", "omar", "nina", "omar"} {
			wg.Go(func() {
				got, err := s.Join(t.Context(), s.course, code, s.people[name].ID)
				if f, _ := fault.Of(err); err != nil && (f == nil || f.Key != "join.full") {
					t.Errorf("%s: %v", name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				said[got]++
			})
		}
		wg.Wait()
		if in := s.class(t); len(in) != 5 || said[courses.Waiting] > 0 {
			t.Errorf("one place: %v in the course, %v", in, said)
		}
		for _, limit := range []int{-1, 20_001} {
			if err := s.SetCode(t.Context(), 0, s.course.ID, true, limit); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("a limit of %d: %v", limit, err)
			}
		}
	})
}

// A hundred wrong codes from one network, and it has to wait; a school whose students type theirs right does not.
func TestGuessing(t *testing.T) {
	s := open(t, databasetest.New(t))
	code := s.openCode(t)
	for range 300 {
		if _, _, err := s.Invited(t.Context(), code.Code, school1); err != nil {
			t.Fatalf("right: %v", err)
		}
	}
	for i := range 100 {
		if _, _, err := s.Invited(t.Context(), courses.NewCode(), school1); !fault.Is(err, fault.KindNotFound) {
			t.Fatalf("wrong, try %d: %v", i+1, err)
		}
	}
	if _, _, err := s.Invited(t.Context(), code.Code, school1); !fault.Is(err, fault.KindTooMany) {
		t.Errorf("after 100 wrong ones: %v", err)
	}
	if _, _, err := s.Invited(t.Context(), code.Code, school2); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	s.pass(15 * time.Minute)
	if _, _, err := s.Invited(t.Context(), code.Code, school1); err != nil {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}

// The pages: type the code, sign up, wait, be let in; and what does not work is said where it was typed.
func TestJoinPages(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	code := s.openCode(t)
	if status, page := d.ask(t, "", "GET", "/join", ""); status != 200 || !strings.Contains(page, "Class code") {
		t.Errorf("ask: %d", status)
	}
	if status, to := d.post(t, "", "/join", "code="+strings.ToLower(code.Grouped())); status != 303 || to != "/join/"+code.Code {
		t.Errorf("typed: %d to %q", status, to)
	}
	if status, _ := d.post(t, "", "/join", "code=x"); status != 404 {
		t.Errorf("typed wrong: %d", status)
	}
	if status, page := d.ask(t, "", "GET", "/join/3CCCCCCC", ""); status != 404 || !strings.Contains(page, "This code does not work") {
		t.Errorf("a wrong code: %d", status)
	}
	path := "/join/" + code.Code
	if status, page := d.ask(t, "", "GET", path, ""); status != 200 || !strings.Contains(page, "Biology 7b") || !strings.Contains(page, "The tina") || strings.Contains(page, "The sam") {
		t.Errorf("the invitation: %d", status)
	}
	form := func(name, email, password string) string {
		return url.Values{"name": {name}, "email": {email}, "password": {password}, "admin": {"1"}, "role": {"teacher"}}.Encode()
	}
	for what, c := range map[string]struct {
		form   string
		status int
	}{
		"no name":          {form("", "new@x.example", "drei Affen im Garten"), 400},
		"no address":       {form("New", "", "drei Affen im Garten"), 400},
		"a bad address":    {form("New", "a@b\r\nBcc: x", "drei Affen im Garten"), 400},
		"a short password": {form("New", "new@x.example", "kurz"), 400},
		"no password":      {form("New", "new@x.example", ""), 400},
		"somebody's":       {form("New", "SUE@x.example", "drei Affen im Garten"), 409},
	} {
		if status, to := d.post(t, "", path, c.form); status != c.status {
			t.Errorf("%s: %d to %q, want %d", what, status, to, c.status)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.url+path, strings.NewReader(form(" Zoe\u0308 ", "Zoe@x.example", "drei Affen im Garten")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if cookies := answer.Cookies(); answer.StatusCode != 303 || answer.Header.Get("Location") != path || len(cookies) != 1 || len(cookies[0].Value) < 40 {
		t.Errorf("sign up: %d to %q with %v", answer.StatusCode, answer.Header.Get("Location"), cookies)
	}
	zoe, err := s.accounts.UserByEmail(t.Context(), "zoe@x.example")
	if err != nil || zoe.Admin || zoe.DisplayName != "Zoë" {
		t.Fatalf("the account: %+v, %v", zoe, err)
	}
	if _, _, err := s.accounts.SignIn(t.Context(), "zoe@x.example", "drei Affen im Garten", accounts.From{Addr: school1}); err != nil {
		t.Errorf("sign in: %v", err)
	}
	// Somebody who is signed in joins with one press.
	if status, page := d.ask(t, "nina", "GET", path, ""); status != 200 || !strings.Contains(page, "You join as The nina") {
		t.Errorf("signed in: %d", status)
	}
	if status, to := d.post(t, "nina", path, ""); status != 303 || to != path {
		t.Errorf("join: %d to %q", status, to)
	}
	if _, page := d.ask(t, "nina", "GET", path, ""); !strings.Contains(page, "You are on the list") {
		t.Error("who waits is not told so")
	}
	if _, page := d.ask(t, "nina", "GET", "/courses", ""); !strings.Contains(page, "You asked to join Biology 7b") {
		t.Error("the list of courses does not say what nina waits for")
	}
	people := "/courses/" + s.course.ID.String() + "/people"
	if _, page := d.ask(t, "asif", "GET", people, ""); !strings.Contains(page, "Zoë") || !strings.Contains(page, "The nina") {
		t.Error("the waiting list lacks somebody")
	}
	if status, to := d.post(t, "asif", "/courses/"+s.course.ID.String()+"/waiting", "do=approve&user="+zoe.ID.String()+"&user="+s.people["nina"].ID.String()); status != 303 || to != people {
		t.Errorf("let in: %d to %q", status, to)
	}
	if in := s.class(t); in["Zoë"] != "student" || in["The nina"] != "student" {
		t.Errorf("in the course: %v", in)
	}
	if status, page := d.ask(t, "nina", "GET", path, ""); status != 200 || !strings.Contains(page, "You are in this course") {
		t.Errorf("inside: %d", status)
	}
}

// Nobody takes another's place by signing up with their address: neither a list nor a typed address finds an account
// that nobody has let in, and neither makes its owner staff.
func TestImpostor(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		code := s.openCode(t)
		_, err := s.SignUp(t.Context(), s.course, code, accounts.NewUser{DisplayName: "Head", Email: "head@x.example", Password: "drei Affen im Garten"}, accounts.From{Addr: school1})
		if err != nil {
			t.Fatal(err)
		}
		const list = "email,name,role\nhead@x.example,The Head,"
		refused := func(what, role string) {
			t.Helper()
			if r := s.importAs(t, "root", list+role+"\n"); r.Mistakes.N != 1 || r.Mistakes.List[0].Fault.Key != "roster.unchecked" {
				t.Errorf("%s, by a list: %+v", what, r)
			}
		}
		by := courses.Importer{Admin: true, Appoints: true}
		byHand := func(role courses.Role) string {
			_, _, err := s.EnrollBy(t.Context(), by, s.other.ID, "Head@x.example", courses.NewMember{Role: role})
			if f, ok := fault.Of(err); ok {
				return f.Key
			}
			return ""
		}
		refused("a student", "")
		refused("a teacher", "teacher")
		if got := byHand(courses.Student); got != "roster.unchecked" {
			t.Errorf("by hand: %q", got)
		}
		u, err := s.accounts.UserByEmail(t.Context(), "head@x.example")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Answer(t.Context(), 0, s.course.ID, []media.ID{u.ID}, true); n != 1 || err != nil {
			t.Fatalf("let in: %d, %v", n, err)
		}
		refused("a teacher, once they were let in as a student", "teacher")
		if got := byHand(courses.Teacher); got != "roster.unchecked" {
			t.Errorf("a teacher by hand: %q", got)
		}
		if got := byHand(courses.Student); got != "" {
			t.Errorf("a student by hand, once let in elsewhere: %q", got)
		}
		if r := s.importAs(t, "root", list+"student\n"); r.Mistakes.N != 0 {
			t.Errorf("a student by a list, once let in: %+v", r.Mistakes)
		}
	})
}

func TestCodeOnThePage(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	course := "/courses/" + s.course.ID.String()
	if status, _ := d.ask(t, "tina", "GET", course+"/code.svg", ""); status != 404 {
		t.Errorf("a picture of no code: %d", status)
	}
	for _, form := range []string{"do=open", "do=set&limit=30&approve=1", "do=close", "do=rotate", "do=set&limit=x", "do=set&limit="} {
		if status, to := d.post(t, "tina", course+"/code", form); status != 303 || to != course+"#code" {
			t.Errorf("%s: %d to %q", form, status, to)
		}
	}
	code, err := s.JoinCode(t.Context(), s.course.ID)
	if err != nil || !code.Open || code.Approve || code.Max != 0 {
		t.Errorf("the code: %+v, %v", code, err)
	}
	if status, _ := d.post(t, "tina", course+"/code", "do=explode"); status != 400 {
		t.Errorf("an order that is none: %d", status)
	}
	_, page := d.ask(t, "tina", "GET", course, "")
	if !strings.Contains(page, code.Grouped()) || !strings.Contains(page, d.url+"/join/"+code.Code) || !strings.Contains(page, course+"/code.svg") {
		t.Error("the page lacks the code, its link or its picture")
	}
	for _, name := range []string{"asif", "sue"} {
		if _, page := d.ask(t, name, "GET", course, ""); strings.Contains(page, code.Grouped()) {
			t.Errorf("%s sees the code", name)
		}
	}
	status, picture := d.ask(t, "tina", "GET", course+"/code.svg", "")
	if status != 200 || !strings.HasPrefix(picture, "<svg ") || strings.Count(picture, "M") < 100 {
		t.Errorf("the picture: %d %.200s", status, picture)
	}
}

// Courses are made, changed and put away on their pages.
func TestCoursePages(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	status, to := d.post(t, "tina", "/courses", "code=CHEM&title=+Chemistry+&term=2026&zone=Asia/Tokyo&auto_live=1")
	if status != 303 || !strings.HasPrefix(to, "/courses/") {
		t.Fatalf("make: %d to %q", status, to)
	}
	if status, page := d.ask(t, "tina", "GET", to+"/edit", ""); status != 200 || !strings.Contains(page, `value="Chemistry"`) || !strings.Contains(page, "checked") {
		t.Errorf("edit: %d", status)
	}
	for _, form := range []string{
		"code=BIO-7B&title=x&term=2026&zone=UTC", "code=X&title=+&zone=UTC", "code=X&title=" + strings.Repeat("x", 5000) + "&zone=UTC",
		"code=X&title=a%0Ab&zone=UTC", "code=X&title=x&zone=Mars/Olympus", "code=X&title=x&zone=localtime", "code=&title=x&zone=UTC",
	} {
		for _, path := range []string{"/courses", to + "/edit"} {
			if status, where := d.post(t, "tina", path, form); status != 400 && status != 409 {
				t.Errorf("%s %.40s: %d to %q", path, form, status, where)
			}
		}
	}
	if status, where := d.post(t, "tina", to+"/edit", "code=CHEM&title=Chemistry+8&term=2027&zone=UTC"); status != 303 || where != to {
		t.Errorf("save: %d to %q", status, where)
	}
	_, list := d.ask(t, "tina", "GET", "/courses", "")
	if !strings.Contains(list, "Chemistry 8") || !strings.Contains(list, "2027") || strings.Contains(list, "PHY-8") {
		t.Error("tina's list lacks a course, or holds another's")
	}
	if _, list := d.ask(t, "root", "GET", "/courses", ""); !strings.Contains(list, "PHY-8") || !strings.Contains(list, "2 students") {
		t.Error("the admin's list lacks a course or its students")
	}
	bio := "/courses/" + s.course.ID.String()
	if status, where := d.post(t, "tina", bio+"/archive", ""); status != 303 || where != bio {
		t.Errorf("archive: %d to %q", status, where)
	}
	if places, err := s.Places(t.Context(), s.people["sue"].ID); err != nil || len(places) != 0 {
		t.Errorf("sue is in %+v, %v", places, err)
	}
	if status, page := d.ask(t, "sue", "GET", bio, ""); status != 200 || !strings.Contains(page, "archived") {
		t.Errorf("sue looks at what she did: %d", status)
	}
	for _, form := range []string{"/people/add?who=nina@x.example&role=student", "/people?do=end&user=" + s.people["sue"].ID.String(), "/import/" + media.NewID().String()} {
		path, body, _ := strings.Cut(form, "?")
		if status, _ := d.post(t, "tina", bio+path, body); status != 409 {
			t.Errorf("%s of an archived course: %d, want 409", path, status)
		}
	}
	if _, list := d.ask(t, "tina", "GET", "/courses?archived=1", ""); !strings.Contains(list, "BIO-7B") || strings.Contains(list, "CHEM") {
		t.Error("the archived ones")
	}
	if status, _ := d.post(t, "tina", bio+"/unarchive", ""); status != 303 {
		t.Errorf("unarchive: %d", status)
	}
	if places, err := s.Places(t.Context(), s.people["sue"].ID); err != nil || len(places) != 1 {
		t.Errorf("sue is in %+v, %v", places, err)
	}
}

func TestPeoplePage(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	people := "/courses/" + s.course.ID.String() + "/people"
	id := func(name string) string { return "&user=" + s.people[name].ID.String() }
	s.pass(time.Minute)
	for _, c := range []struct {
		as, path, form string
		status         int
	}{
		{"asif", "/add", "who=s-nina&role=student&group=b", 303},
		{"asif", "/add", "who=OMAR@x.example&role=teacher", 403},
		{"asif", "/add", "who=nobody@x.example&role=student", 400},
		{"tina", "/add", "who=omar@x.example&role=assistant", 303},
		{"tina", "/add", "who=omar@x.example&role=admin", 400},
		{"asif", "", "do=end" + id("tina"), 403},
		{"asif", "", "do=role&role=teacher" + id("sue"), 403},
		{"asif", "", "do=group&group=c" + id("sue") + id("sam"), 303},
		{"asif", "", "do=end" + id("sam"), 303},
		{"tina", "", "do=role&role=student" + id("omar"), 303},
		{"tina", "", "do=role&role=king" + id("omar"), 303}, // said on the page
		{"tina", "", "do=nothing" + id("omar"), 400},
		{"tina", "", "do=end", 303},
		{"tina", "", "do=end&user=x", 400},
	} {
		if status, to := d.post(t, c.as, people+c.path, c.form); status != c.status {
			t.Errorf("%s %s %s: %d to %q, want %d", c.as, c.path, c.form, status, to, c.status)
		}
	}
	want := map[string]string{"The tina": "teacher", "The asif": "assistant", "The sue": "student c", "The nina": "student b", "The omar": "student"}
	in := s.class(t)
	for name, role := range want {
		if in[name] != role {
			t.Errorf("%s is %q, want %q", name, in[name], role)
		}
	}
	if len(in) != len(want) {
		t.Errorf("in the course: %v", in)
	}
	_, page := d.ask(t, "tina", "GET", people, "")
	if !strings.Contains(page, "7\u00a0September 2026") || !strings.Contains(page, "Left the course") || !strings.Contains(page, "The sam") {
		t.Errorf("the page lacks a day or who left\n%.3000s", page)
	}
	if status, _ := d.ask(t, "tina", "DELETE", "/api/v1/courses/"+s.course.ID.String()+"/enrollments/"+s.people["omar"].ID.String(), ""); status != 204 || s.class(t)["The omar"] != "" {
		t.Errorf("end by the API: %d", status)
	}
	// Who leaves the course themselves lands where they may be.
	if status, to := d.post(t, "tina", people, "do=end"+id("tina")); status != 303 || to != "/courses" {
		t.Errorf("tina leaves: %d to %q", status, to)
	}
}

// A course of 300 is read, sorted and written for its teacher.
func BenchmarkCoursePage(b *testing.B) {
	run := func(b *testing.B, open func(testing.TB) *database.DB) {
		s := newSchool(b, open(b))
		s.importAs(b, "root", manyPeople(300))
		d := s.serve(b)
		for _, page := range []string{"", "/people"} {
			name := "course"
			if page != "" {
				name = "people"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.pass(time.Minute) // what is kept for half a minute is read again
					if status, _ := d.ask(b, "tina", "GET", "/courses/"+s.course.ID.String()+page, ""); status != 200 {
						b.Fatal(status)
					}
				}
			})
		}
	}
	b.Run("sqlite", func(b *testing.B) { run(b, databasetest.New) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { run(b, databasetest.Postgres) })
	}
}
