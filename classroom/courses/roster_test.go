package courses_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/media"
)

// importAs imports a list as somebody.
func (s *school) importAs(t testing.TB, name, text string, change ...func(*courses.RosterImport)) *courses.RosterReport {
	t.Helper()
	r, err := s.tryImport(t, name, text, change...)
	if err != nil {
		t.Fatalf("import %q as %s: %v", text, name, err)
	}
	return r
}

func (s *school) tryImport(t testing.TB, name, text string, change ...func(*courses.RosterImport)) (*courses.RosterReport, error) {
	t.Helper()
	file, err := roster.Read([]byte(text), "")
	if err != nil {
		t.Fatalf("read %q: %v", text, err)
	}
	a, err := s.Access(t.Context(), s.people[name], s.course.ID)
	if err != nil {
		t.Fatal(err)
	}
	in := courses.RosterImport{Course: s.course.ID, By: courses.NewImporter(a), File: file}
	for _, c := range change {
		c(&in)
	}
	return s.ImportRoster(t.Context(), in)
}

func dryRun(in *courses.RosterImport)     { in.DryRun = true }
func endMissing(in *courses.RosterImport) { in.EndMissing = true }

// counts is a report in short: new, people made, changed, unchanged, missing, ended, kept, mistakes.
func counts(r *courses.RosterReport) string {
	return fmt.Sprint(r.New, r.Made, r.Changed, r.Unchanged, r.Missing, r.Ended, r.Kept, r.Mistakes.N)
}

// class is who is in the course: "name role group", sorted by name.
func (s *school) class(t testing.TB) map[string]string {
	t.Helper()
	members, err := s.Members(t.Context(), s.course.ID)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, e := range members {
		m[e.DisplayName] = strings.TrimSpace(string(e.Role) + " " + e.Section)
	}
	return m
}

const everybody = "email,given_name,family_name,student_id,group,role\n" +
	"sue@x.example,,,s-sue,a,\n" + // in it already, without a group
	"sam@x.example,,,,,student\n" + // in it already, just so
	"nina@x.example,,,s-nina,b,assistant\n" + // known, not in it
	"Lei@X.example,雷,李,0007,b,\n" + // new
	",Zoe\u0308,Fauré,0008,,\n" // new, without an address, decomposed

// A list is looked at first, applied as a whole, and changes nothing the second time; all on both databases.
func TestImportRoster(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		var told []media.ID
		s.OnEnd(func(_, user media.ID) { told = append(told, user) })
		before := s.class(t)
		if r := s.importAs(t, "tina", everybody, dryRun); counts(r) != "3 2 1 1 0 0 0 0" || r.Applied {
			t.Errorf("dry run: %s %+v", counts(r), r)
		}
		if after := s.class(t); len(after) != len(before) {
			t.Errorf("a dry run changed the course: %v", after)
		}
		s.pass(time.Minute)
		var last, total int
		r := s.importAs(t, "tina", everybody, func(in *courses.RosterImport) {
			in.Progress = func(done, all int) { last, total = done, all }
		})
		if counts(r) != "3 2 1 1 0 0 0 0" || !r.Applied || last != total || total != 7 { // 2 people, 1 end, 4 begins
			t.Errorf("applied: %s %+v, progress %d of %d", counts(r), r, last, total)
		}
		want := map[string]string{
			"The tina": "teacher", "The asif": "assistant", "The sue": "student a", "The sam": "student",
			"The nina": "assistant b", "李雷": "student b", "Zoë Fauré": "student",
		}
		got := s.class(t)
		for name, role := range want {
			if got[name] != role {
				t.Errorf("%s is %q, want %q", name, got[name], role)
			}
		}
		if len(got) != len(want) || len(told) != 1 || told[0] != s.people["sue"].ID {
			t.Errorf("in the course: %v; told of %v", got, told)
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("course", s.course.ID), 1)
		if err != nil || len(lines) != 1 || lines[0].Action != "roster.import" || lines[0].Actor != s.people["tina"].ID || lines[0].Detail["new"] != 3.0 {
			t.Errorf("audit: %+v, %v", lines, err)
		}
		s.pass(time.Minute)
		if r := s.importAs(t, "tina", everybody); counts(r) != "0 0 0 5 0 0 0 0" {
			t.Errorf("the same file again: %s %+v", counts(r), r.Rows)
		}
		if again, err := audit.Of(t.Context(), db.Reader(), audit.Object("course", s.course.ID), 1); err != nil || !again[0].At.Equal(lines[0].At) {
			t.Errorf("the same file again left a line: %+v, %v", again, err)
		}
		if _, err := audit.Verify(t.Context(), db); err != nil {
			t.Error(err)
		}
	})
}

// Nobody is removed unless it is asked for, and staff never.
func TestMissing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		s.pass(time.Minute)
		const list = "student_id\ns-sue\n"
		if r := s.importAs(t, "tina", list); counts(r) != "0 0 0 1 1 0 0 0" || len(s.class(t)) != 4 || r.Gone[0].DisplayName != "The sam" {
			t.Errorf("%s %+v", counts(r), r)
		}
		if r := s.importAs(t, "tina", list, endMissing); counts(r) != "0 0 0 1 1 1 0 0" {
			t.Errorf("%s %+v", counts(r), r)
		}
		if in := s.class(t); len(in) != 3 || in["The sam"] != "" || in["The asif"] == "" {
			t.Errorf("in the course: %v", in)
		}
		s.pass(time.Minute)
		if r := s.importAs(t, "tina", "student_id\ns-sam\n"); counts(r) != "1 0 0 0 1 0 0 0" {
			t.Errorf("sam comes back: %s", counts(r))
		}
	})
}

// What a line cannot mean is a mistake and no guess, and one mistake keeps the whole list out. The list "Roster CSV"
// is here as far as it is about lines.
func TestRosterMistakes(t *testing.T) {
	long := strings.Repeat("x", 400)
	for what, c := range map[string]struct {
		as, line, key, field string
	}{
		"nobody to find":                 {"root", ",Eva,W,,,", "roster.no_key", ""},
		"a new person, no name":          {"root", "new@x.example,,,,,", "roster.nameless", ""},
		"number of one, mail of another": {"root", "sam@x.example,,,s-sue,,", "roster.two_people", ""},
		"another mail":                   {"root", "eva@x.example,,,s-sue,,", "roster.other_email", "email"},
		"another number":                 {"root", "sue@x.example,,,s-eva,,", "roster.other_number", "student_id"},
		"an admin, by a teacher":         {"tina", "eva@x.example,Eva,W,,,admin", "roster.role_admin", "role"},
		"an admin, by an admin":          {"root", "eva@x.example,Eva,W,,,管理员", "roster.role_admin", "role"},
		"a role that is none":            {"root", "eva@x.example,Eva,W,,,king", "enrollment.role", "role"},
		"staff, by an assistant":         {"asif", "eva@x.example,Eva,W,,,teacher", "roster.role_right", "role"},
		"staff down, by an assistant":    {"asif", "tina@x.example,,,,,student", "roster.role_right", "role"},
		"a switched off account":         {"root", "omar@x.example,,,,,", "roster.disabled", ""},
		"a header in an address":         {"root", "\"a@b\r\nBcc: x\",Eva,W,,,", "setup.email_bad", "email"},
		"no address":                     {"root", "eva,Eva,W,,,", "setup.email_bad", "email"},
		"400 letters":                    {"root", "eva@x.example," + long + ",W,,,", "field.too_long", "given_name"},
		"a long group":                   {"root", "eva@x.example,Eva,W,," + long + ",", "field.too_long", "group"},
		"a zero byte":                    {"root", "eva@x.example,E\x00va,W,,,", "field.bad_text", "given_name"},
		"text that turns around":         {"root", "eva@x.example,E\u202eva,W,,,", "field.bad_text", "given_name"},
		"only zero width":                {"root", "new@x.example,\u200b\u200d,,,,", "roster.nameless", ""},
	} {
		s := open(t, databasetest.New(t))
		if err := s.accounts.Disable(t.Context(), 0, s.people["omar"].ID); err != nil {
			t.Fatal(err)
		}
		r := s.importAs(t, c.as, "email,given_name,family_name,student_id,group,role\nnina@x.example,,,,,\n"+c.line+"\n")
		if r.Applied || r.Mistakes.N != 1 {
			t.Errorf("%s: %s %+v", what, counts(r), r)
			continue
		}
		if m := r.Mistakes.List[0]; m.Line != 3 || m.Fault.Key != c.key || m.Fault.Field != c.field {
			t.Errorf("%s: line %d, %v of %q; want %s of %q", what, m.Line, m.Fault, m.Fault.Field, c.key, c.field)
		}
		if s.class(t)["The nina"] != "" {
			t.Errorf("%s: the good line was applied", what)
		}
	}
	// Twice in the file: by number, by address, and by each of a person once.
	s := open(t, databasetest.New(t))
	for _, list := range []string{
		"email,student_id,name\n,1,A\n,1,B\n", "email,student_id,name\na@x.example,,A\nA@x.example,,B\n", "email,student_id,name\nsue@x.example,,\n,s-sue,\n",
	} {
		if r := s.importAs(t, "root", list); r.Mistakes.N != 1 || r.Mistakes.List[0].Fault.Key != "roster.twice" || r.Mistakes.List[0].Fault.Data["First"] != 2 {
			t.Errorf("%q: %+v", list, r.Mistakes)
		}
	}
	if _, err := s.ImportRoster(t.Context(), courses.RosterImport{Course: media.NewID(), File: &roster.File{}}); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("into no course: %v", err)
	}
}

// The list "Names and forms (Unicode)": names are accepted, kept in NFC and found again by either form.
func TestNames(t *testing.T) {
	for file, want := range map[string]string{
		"Null": "Null", "O'Brien": "O'Brien", "Łukasz": "Łukasz", "李雷": "李雷", "محمد": "محمد", "Zoe\u0308": "Zoë", "Zoë": "Zoë", "X": "X",
		"👩‍👩‍👧 Ana": "👩‍👩‍👧 Ana", "=CMD()|x": "=CMD()|x", "+49": "+49", "@x": "@x", "<b>x</b>": "<b>x</b>", "\u3000佐藤\u00a0": "佐藤",
	} {
		s := open(t, databasetest.New(t))
		r := s.importAs(t, "root", "student_id,name\n1,"+file+"\n")
		if !r.Applied || s.class(t)[want] != "student" {
			t.Errorf("%q: %+v, %v", file, r, s.class(t))
		}
		if r := s.importAs(t, "root", "student_id,name\n1,"+want+"\n"); counts(r) != "0 0 0 1 2 0 0 0" {
			t.Errorf("%q and then %q: %s", file, want, counts(r))
		}
	}
}

// An admin's list changes what the school has; a teacher's only enrolls, or they could put their own address to anybody.
func TestWhoRenames(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		plain, err := s.accounts.Create(t.Context(), 0, accounts.NewUser{GivenName: "Eva", FamilyName: "Wang", StudentID: "77"})
		if err != nil {
			t.Fatal(err)
		}
		const list = "student_id,email,given_name,family_name\n77,eva@x.example,Eva Maria,Wang\ns-sue,,Susanne,sue\n"
		if r := s.importAs(t, "tina", list); counts(r) != "1 0 0 1 1 0 2 0" {
			t.Errorf("a teacher's list: %s", counts(r))
		}
		if u, err := s.accounts.User(t.Context(), plain.ID); err != nil || u.Email != "" || u.DisplayName != "Eva Wang" {
			t.Errorf("a teacher's list made %+v of eva, %v", u, err)
		}
		if r := s.importAs(t, "root", list); counts(r) != "0 0 2 0 1 0 0 0" {
			t.Errorf("an admin's list: %s", counts(r))
		}
		if u, err := s.accounts.User(t.Context(), plain.ID); err != nil || u.Email != "eva@x.example" || u.DisplayName != "Eva Maria Wang" {
			t.Errorf("an admin's list made %+v of eva, %v", u, err)
		}
		// Who is called something else than their names goes on being called so.
		if u, err := s.accounts.User(t.Context(), s.people["sue"].ID); err != nil || u.GivenName != "Susanne" || u.DisplayName != "The sue" {
			t.Errorf("sue: %+v, %v", u, err)
		}
		if r := s.importAs(t, "root", list); counts(r) != "0 0 0 2 1 0 0 0" {
			t.Errorf("once more: %s", counts(r))
		}
	})
}

// Two lists at once: the second waits, and finds what the first did (SEC-71).
func TestImportsTakeTurns(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		other := courses.New(courses.Config{DB: db, Now: s.Now}) // another node
		var wg sync.WaitGroup
		made := make(chan int, 6)
		for i := range 6 {
			node := s.Courses
			if i%2 == 1 {
				node = other
			}
			wg.Go(func() {
				file, err := roster.Read([]byte(everybody), "")
				if err != nil {
					t.Error(err)
				}
				r, err := node.ImportRoster(t.Context(), courses.RosterImport{Course: s.course.ID, By: courses.Importer{Admin: true, Appoints: true}, File: file})
				if err != nil {
					t.Error(err)
					return
				}
				made <- r.Made
			})
		}
		wg.Wait()
		close(made)
		sum := 0
		for n := range made {
			sum += n
		}
		if sum != 2 {
			t.Errorf("six imports of one list made %d people, want 2", sum)
		}
	})
}

// uploadAs sends a file to the page and returns where it leads, or the page that says no.
func (d *door) uploadAs(t *testing.T, name, file, text string) (status int, to, body string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, text); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.url+"/courses/"+d.course.ID.String()+"/import", &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "cc", Value: name})
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(page)
}

var entities = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&")

// Upload, look, apply, see: the pages of a list, without script.
func TestImportPages(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	status, to, body := d.uploadAs(t, "asif", "7b\u202e \"x\" <b>.csv", everybody)
	if status != 303 || !regexp.MustCompile(`^/courses/\w{13}/import/\w{13}$`).MatchString(to) {
		t.Fatalf("upload: %d to %q %.300s", status, to, body)
	}
	if status, page := d.ask(t, "asif", "GET", to, ""); status != 200 || !strings.Contains(page, "1 line cannot be used") || !strings.Contains(page, "Only a teacher of the course") || strings.Contains(page, "<b>.csv") {
		t.Errorf("an assistant's list with staff in it: %d %.2000s", status, page)
	}
	if status, _ := d.ask(t, "tina", "GET", to, ""); status != 404 {
		t.Errorf("somebody else's upload: %d", status)
	}
	_, to, _ = d.uploadAs(t, "tina", "7b.csv", everybody)
	if status, page := d.ask(t, "tina", "GET", to, ""); status != 200 || !strings.Contains(page, "This is what the list would do") || !strings.Contains(page, "李雷") || !strings.Contains(page, "Zoë Fauré") {
		t.Errorf("look: %d %.2000s", status, page)
	}
	if status, page := d.ask(t, "tina", "GET", to+"?as=UTF-16LE", ""); status != 200 || strings.Contains(page, "李雷") {
		t.Errorf("in another encoding: %d %.2000s", status, page)
	}
	if len(s.class(t)) != 4 {
		t.Error("looking changed something")
	}
	if status, where := d.post(t, "tina", to, "end_missing=1&as=UTF-8"); status != 303 || where != to {
		t.Errorf("apply: %d to %q", status, where)
	}
	if status, page := d.ask(t, "tina", "GET", to, ""); status != 200 || !strings.Contains(page, "The list is being applied") {
		t.Errorf("while it is queued: %d %.2000s", status, page)
	}
	s.WorkOff(t.Context())
	if status, page := d.ask(t, "tina", "GET", to, ""); status != 200 || !strings.Contains(page, "The list is applied") || !strings.Contains(page, "have no password yet") {
		t.Errorf("afterwards: %d %.2000s", status, page)
	}
	if in := s.class(t); len(in) != 7 || in["李雷"] != "student b" {
		t.Errorf("in the course: %v", in)
	}
	if status, page := d.ask(t, "tina", "GET", "/courses/"+s.course.ID.String()+"/people", ""); status != 200 || !strings.Contains(page, "<bdi>李雷</bdi>") {
		t.Errorf("people: %d %.500s", status, page)
	}
	// A second press changes nothing; a day later the upload is gone.
	if status, where := d.post(t, "tina", to, ""); status != 303 || where != to {
		t.Errorf("apply again: %d to %q", status, where)
	}
	s.pass(25 * time.Hour)
	s.SweepRosters(t.Context(), s.Now())
	if status, _ := d.ask(t, "tina", "GET", to, ""); status != 404 {
		t.Errorf("a day later: %d", status)
	}
	for what, c := range map[string]struct {
		text   string
		status int
		said   string
	}{
		"5 MiB + 1":     {strings.Repeat("x", 5<<20+1), 413, "larger than 5 MiB"},
		"6 MiB":         {strings.Repeat("x", 6<<20), 413, ""},
		"an empty file": {"", 400, "Please fill this in"},
		"no headings":   {"eva@x.example,Eva\n", 400, "email, student_id"},
		"a workbook":    {"PK\x03\x04\xff\xff\xff", 303, ""}, // shown, with the encodings to choose from
	} {
		if status, _, page := d.uploadAs(t, "tina", "x", c.text); status != c.status || !strings.Contains(entities.Replace(page), c.said) {
			t.Errorf("%s: %d %.300s", what, status, page)
		}
	}
	_, to, _ = d.uploadAs(t, "tina", "x", "PK\x03\x04\xff\xff\xff")
	if status, page := d.ask(t, "tina", "GET", to, ""); status != 200 || !strings.Contains(page, "does not look like a text file") {
		t.Errorf("a workbook: %d %.300s", status, page)
	}
	if status, where := d.post(t, "tina", to+"/discard", ""); status != 303 || !strings.HasSuffix(where, "/people") {
		t.Errorf("discard: %d to %q", status, where)
	}
	if status, _ := d.ask(t, "tina", "GET", to, ""); status != 404 {
		t.Errorf("a discarded upload: %d", status)
	}
}

// Who lost their rights between looking and applying applies nothing.
func TestQueuedWithoutRights(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		d := s.serve(t)
		_, to, _ := d.uploadAs(t, "asif", "x", "student_id,name\n1,Eva\n")
		d.post(t, "asif", to, "")
		if err := s.Leave(t.Context(), 0, s.course.ID, s.people["asif"].ID); err != nil {
			t.Fatal(err)
		}
		s.WorkOff(t.Context())
		if in := s.class(t); in["Eva"] != "" {
			t.Errorf("in the course: %v", in)
		}
		_, to, _ = d.uploadAs(t, "tina", "x", "student_id,name\n1,Eva\n")
		d.post(t, "tina", to, "")
		if err := s.Archive(t.Context(), 0, s.course.ID, true); err != nil {
			t.Fatal(err)
		}
		s.WorkOff(t.Context())
		if status, page := d.ask(t, "tina", "GET", to, ""); status != 409 && !strings.Contains(page, "not applied") {
			t.Errorf("archived meanwhile: %d %.1000s", status, page)
		}
		if err := s.Archive(t.Context(), 0, s.course.ID, false); err != nil {
			t.Fatal(err)
		}
		if status, page := d.ask(t, "tina", "GET", to, ""); status != 200 || !strings.Contains(page, "not applied") || !strings.Contains(page, "archived") {
			t.Errorf("archived meanwhile: %d %.1000s", status, page)
		}
	})
}

// What changed between looking and applying is looked at again.
func TestQueuedWithMistakes(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	_, to, _ := d.uploadAs(t, "tina", "x", "student_id,email,name\n1,eva@x.example,Eva\n")
	d.post(t, "tina", to, "")
	if _, err := s.accounts.Create(t.Context(), 0, accounts.NewUser{DisplayName: "Eva", Email: "eva@x.example", StudentID: "2"}); err != nil {
		t.Fatal(err)
	}
	s.WorkOff(t.Context())
	if _, page := d.ask(t, "tina", "GET", to, ""); !strings.Contains(page, "1 line cannot be used") {
		t.Errorf("%.2000s", page)
	}
}

// SEC-84: what stays of a list is numbers. One that waits to be applied goes when anybody is erased: it may name them.
func TestErasedPeopleAreInNoList(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		s.accounts.OnErase(s.Erase)
		d := s.serve(t)
		const list = "student_id,email,name\n1,eva@x.example,Eva Nowak\n"
		_, applied, _ := d.uploadAs(t, "root", "7b.csv", list)
		d.post(t, "root", applied, "")
		s.WorkOff(t.Context())
		_, queued, _ := d.uploadAs(t, "tina", "7b.csv", list)
		d.post(t, "tina", queued, "")
		_, looked, _ := d.uploadAs(t, "asif", "7b.csv", list)
		var eva media.ID
		members, err := s.Members(t.Context(), s.course.ID)
		for _, m := range members {
			if m.DisplayName == "Eva Nowak" {
				eva = m.User
			}
		}
		err = errors.Join(err, s.accounts.Disable(t.Context(), 0, eva), s.accounts.Erase(t.Context(), 0, eva))
		if err != nil {
			t.Fatal(err)
		}
		for name, path := range map[string]string{"tina": queued, "asif": looked} {
			if status, page := d.ask(t, name, "GET", path, ""); status != 404 || !strings.Contains(page, "Upload it again") {
				t.Errorf("the list of %s: %d %.1000s", name, status, page)
			}
		}
		s.WorkOff(t.Context())
		if in := s.class(t); in["Eva Nowak"] != "" {
			t.Errorf("she is back: %v", in)
		}
		rows, err := db.SQL().QueryContext(t.Context(), "SELECT content, outcome FROM roster_imports")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var content, outcome string
			if err := rows.Scan(&content, &outcome); err != nil || content != "" || !regexp.MustCompile(`^\{("[A-Za-z]+":(\d+|""),?)+\}$`).MatchString(outcome) {
				t.Errorf("kept: %q %q, %v", content, outcome, err)
			}
		}
		if err := rows.Err(); err != nil || n != 1 {
			t.Errorf("%d lists kept, want the one that was applied; %v", n, err)
		}
	})
}

// Run applies what is queued, and ends with its context.
func TestRun(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	_, to, _ := d.uploadAs(t, "tina", "x", "student_id,name\n1,Eva\n")
	d.post(t, "tina", to, "")
	applied := make(chan struct{})
	other := courses.New(courses.Config{DB: s.db, Now: s.Now}) // after a restart: nobody woke it
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(applied)
		if err := other.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	defer func() {
		stop()
		<-applied
	}()
	for t.Context().Err() == nil { // it looks at once
		if _, page := d.ask(t, "tina", "GET", to, ""); strings.Contains(page, "The list is applied") {
			return
		}
	}
}

func TestImportAPI(t *testing.T) {
	s := open(t, databasetest.New(t))
	d := s.serve(t)
	path := "/api/v1/courses/" + s.course.ID.String() + "/enrollments/import"
	type report struct {
		DryRun, Applied                                         bool
		Encoding, Separator                                     string
		New, Made, Changed, Unchanged, Missing, Ended, Mistakes int
		Errors                                                  []struct {
			Line                 int
			Field, Code, Message string
		}
	}
	send := func(query, text string) (status int, r report) {
		status, body := d.ask(t, "root", "POST", path+query, text)
		if err := json.Unmarshal([]byte(strings.ReplaceAll(body, "dry_run", "dryrun")), &r); err != nil {
			t.Fatalf("%s: %d %s", query, status, body)
		}
		return status, r
	}
	if status, r := send("?dry_run=1&end_missing=1", everybody); status != 200 || !r.DryRun || r.Applied || r.New != 3 || r.Encoding != "UTF-8" || r.Separator != "comma" || len(s.class(t)) != 4 {
		t.Errorf("dry run: %d %+v", status, r)
	}
	if status, r := send("", everybody+"sue@x.example,,,s-sam,,\n"); status != 422 || r.Applied || r.Mistakes != 1 || len(r.Errors) != 1 || r.Errors[0].Line != 7 || r.Errors[0].Code != "roster.twice" || !strings.Contains(r.Errors[0].Message, "line 2") || len(s.class(t)) != 4 {
		t.Errorf("with a mistake: %d %+v", status, r)
	}
	if status, r := send("", everybody); status != 200 || !r.Applied || r.Made != 2 || len(s.class(t)) != 7 {
		t.Errorf("apply: %d %+v", status, r)
	}
	if status, body := d.ask(t, "root", "POST", path, strings.Repeat("x", 5<<20+1)); status != 413 {
		t.Errorf("5 MiB + 1: %d %s", status, body)
	}
	if status, body := d.ask(t, "root", "POST", path+"?encoding=EBCDIC", everybody); status != 400 || !strings.Contains(body, "roster.encoding") {
		t.Errorf("an encoding we do not know: %d %s", status, body)
	}
}

// What one school may hold at most goes through on both databases, names and all.
func TestLargeRoster(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		if r := s.importAs(t, "root", manyPeople(1501), endMissing); counts(r) != "1501 1501 0 0 2 2 0 0" {
			t.Errorf("1501 people: %s", counts(r))
		}
		s.pass(time.Minute)
		renamed := strings.ReplaceAll(manyPeople(1501), "Given", "Other")
		if r := s.importAs(t, "root", renamed); counts(r) != "0 0 1501 0 0 0 0 0" {
			t.Errorf("all renamed: %s", counts(r))
		}
		if in := s.class(t); len(in) != 1503 || in["Other00042 Family00042"] != "student 7b" {
			t.Errorf("%d in the course", len(in))
		}
	})
}

func manyPeople(n int) string {
	var b strings.Builder
	b.WriteString("email,given_name,family_name,student_id,group,role\n")
	for i := range n {
		fmt.Fprintf(&b, "student%05[1]d@school.example,Given%05[1]d,Family%05[1]d,%06[1]d,7b,student\n", i)
	}
	return b.String()
}

// Reading, planning and writing 20,000 people (LOAD-08), and what is in use when the first row is written and at most
// while all of them are.
func BenchmarkImport(b *testing.B) {
	text := manyPeople(roster.MaxPeople)
	if !utf8.ValidString(text) || len(text) > roster.MaxBytes {
		b.Fatalf("a file of %d bytes", len(text))
	}
	run := func(b *testing.B, open func(testing.TB) *database.DB) {
		first, most := uint64(0), uint64(0)
		watch := func(in *courses.RosterImport) {
			first = 0
			in.Progress = func(done, _ int) {
				if first != 0 && done%5000 != 0 {
					return
				}
				var m runtime.MemStats
				runtime.GC() // what is in use and not what was
				runtime.ReadMemStats(&m)
				if first == 0 {
					first = m.HeapAlloc
				}
				most = max(most, m.HeapAlloc)
			}
		}
		for b.Loop() {
			b.StopTimer()
			s := newSchool(b, open(b))
			b.StartTimer()
			if r := s.importAs(b, "root", text, watch); r.Made != roster.MaxPeople {
				b.Fatalf("made %d", r.Made)
			}
		}
		b.ReportMetric(float64(first>>20), "MiB-before-writing")
		b.ReportMetric(float64(most>>20), "MiB-most")
	}
	b.Run("sqlite", func(b *testing.B) { run(b, databasetest.New) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { run(b, databasetest.Postgres) })
	}
}
