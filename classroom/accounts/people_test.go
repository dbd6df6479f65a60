package accounts_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// crowd makes n people with names in five scripts and one password.
func (o *office) crowd(t testing.TB, n int) []accounts.User {
	t.Helper()
	names := [][2]string{{"Müller-Østergård", "Søren Åke"}, {"佐藤", "陽翔"}, {"الزهراني", "ليان"}, {"முருகன்", "கவிதா"}, {"Nguyễn", "Thị Minh Khai"}, {"O’Connell", "Caoimhe"}}
	list := make([]accounts.NewUser, n)
	for i := range list {
		name := names[i%len(names)]
		list[i] = accounts.NewUser{FamilyName: name[0], GivenName: name[1], Email: fmt.Sprintf("s%05d@x.example", i), StudentID: fmt.Sprintf("%05d", i)}
	}
	users, err := o.CreateMany(t.Context(), 0, list)
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func TestFind(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		users := o.crowd(t, 304)
		o.add(t, "root@x.example", true)
		if _, err := o.Invite(t.Context(), 0, accounts.NewUser{DisplayName: "Zed", Email: "zed@x.example"}); err != nil {
			t.Fatal(err)
		}
		if err := o.Disable(t.Context(), 0, users[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := o.Disable(t.Context(), 0, users[1].ID); err != nil {
			t.Fatal(err)
		}
		if err := o.Erase(t.Context(), 0, users[1].ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			s    accounts.Search
			all  int
			page int
		}{
			{accounts.Search{}, 305, 100},
			{accounts.Search{Skip: 300}, 305, 5},
			{accounts.Search{Skip: 400}, 305, 0},
			{accounts.Search{Limit: 500}, 305, 305},
			{accounts.Search{Text: "SOREN muller"}, 51, 51},
			{accounts.Search{Text: "佐藤"}, 50, 50},
			{accounts.Search{Text: "ليان"}, 51, 51},
			{accounts.Search{Text: "nguyen 00010"}, 1, 1},
			{accounts.Search{Text: "s00010@"}, 1, 1},
			{accounts.Search{Text: "%"}, 0, 0},
			{accounts.Search{Role: "admin"}, 1, 1},
			{accounts.Search{Role: "teacher"}, 0, 0},
			{accounts.Search{State: accounts.Invited}, 1, 1},
			{accounts.Search{State: accounts.Disabled}, 1, 1},
			{accounts.Search{State: accounts.Erased}, 1, 1},
			{accounts.Search{State: accounts.Active, Limit: 500}, 303, 303},
		} {
			found, err := o.Find(t.Context(), c.s)
			if err != nil || found.All != c.all || len(found.People) != c.page {
				t.Errorf("%+v: %d of %d, %v; want %d of %d", c.s, len(found.People), found.All, err, c.page, c.all)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	o := openNew(b)
	o.crowd(b, 20_000)
	for b.Loop() {
		if found, err := o.Find(b.Context(), accounts.Search{Text: "nguyen 123"}); err != nil || found.All == 0 {
			b.Fatal(found.All, err)
		}
	}
}

// root signs in an admin.
func (o *office) root(t testing.TB) *browser {
	t.Helper()
	o.add(t, "root@x.example", true)
	b := o.serve(t)
	b.post("/sign-in", "email", "root@x.example", "password", password)
	return b
}

func TestPeoplePages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		users := o.crowd(t, 120)
		b := o.root(t)
		answer, body := b.get("/people")
		if n := strings.Count(body, `<input type="checkbox" name="user"`); answer.StatusCode != 200 || n != 100 || !strings.Contains(body, `href="/people?skip=100"`) {
			t.Errorf("people: %d, %d rows", answer.StatusCode, n)
		}
		if _, body := b.get("/people?skip=100&q=x.example"); strings.Count(body, `name="user"`) != 21 || !strings.Contains(body, "101–121") || strings.Contains(body, `rel="next"`) {
			t.Error("the second page does not hold the rest")
		}
		for query, want := range map[string]int{"?q=%00": 400, "?skip=-1": 400, "?skip=x": 400, "?state=x": 400, "?role=x": 400, "?q=" + strings.Repeat("a", 200): 400, "?q=nobody+of+that+name": 200} {
			if answer, _ := b.get("/people" + query); answer.StatusCode != want {
				t.Errorf("GET /people%.30s: %d, want %d", query, answer.StatusCode, want)
			}
		}
		page := "/people/" + users[0].ID.String()
		for _, step := range []struct {
			path   string
			pairs  []string
			status int
			then   string // on the page
		}{
			{"/edit", []string{"name", "Søren", "given_name", "S", "family_name", "M", "email", "soren@x.example", "student_id", "1"}, 303, "soren@x.example"},
			{"/edit", []string{"name", "Søren", "email", "root@x.example"}, 409, "belongs to somebody already"},
			{"/edit", []string{"name", "", "email", "nonsense"}, 400, "nonsense"},
			{"/link", []string{"for", "sign_in", "by", "copy"}, 200, "https://school.example/sign-in/link?token="},
			{"/link", []string{"for", "reset", "by", "copy"}, 200, "https://school.example/sign-in/reset?token="},
			{"/link", []string{"for", "code", "by", "copy"}, 400, ""},
			{"/link", []string{"for", "reset", "by", "mail"}, 303, "This school sends no mail."},
			{"/uninvite", nil, 303, "There is no open invitation."},
			{"/admin", []string{"admin", "1"}, 303, "This person is an admin now."},
			{"/admin", []string{"admin", "0"}, 303, "This person is no longer an admin."},
			{"/sign-out", nil, 303, "signed out everywhere"},
			{"/erase", []string{"sure", "1"}, 303, "Disable the account first."},
			{"/disable", nil, 303, "The account is closed."},
			{"/link", []string{"for", "reset", "by", "copy"}, 409, ""},
			{"/enable", nil, 303, "The account is open again."},
			{"/disable", nil, 303, "This account has been closed since"},
			{"/erase", nil, 400, "Tick the box if you are sure."},
			{"/erase", []string{"sure", "1"}, 303, "Removed student "},
			{"/erase", []string{"sure", "1"}, 303, "What was erased cannot be erased again."},
			{"/enable", nil, 303, "This is about nobody any more."},
			{"/admin", []string{"admin", "1"}, 303, "This is about nobody any more."},
			{"/edit", []string{"name", "Søren"}, 303, "This is about nobody any more."},
		} {
			answer, body := b.post(page+step.path, step.pairs...)
			if answer.StatusCode == http.StatusSeeOther {
				_, body = b.get(page)
			}
			if answer.StatusCode != step.status || !strings.Contains(body, step.then) {
				t.Errorf("%s %v: %d, want %d with %q", step.path, step.pairs, answer.StatusCode, step.status, step.then)
			}
		}
		// The last admin stays one.
		root, err := o.UserByEmail(t.Context(), "root@x.example")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/admin", "/disable"} {
			b.post("/people/"+root.ID.String()+path, "admin", "0")
			if _, body := b.get("/people"); !strings.Contains(body, "This is the last admin.") {
				t.Errorf("%s of the last admin: nothing is said", path)
			}
		}
		for _, id := range []string{media.NewID().String(), "x", "0"} {
			for _, path := range []string{"", "/disable", "/erase", "/edit", "/link"} {
				if answer, _ := b.post("/people/"+id+path, "sure", "1", "name", "A", "for", "reset"); answer.StatusCode != 404 && answer.StatusCode != 405 {
					t.Errorf("POST /people/%s%s: %d", id, path, answer.StatusCode)
				}
			}
		}
	})
}

var sheetURL = regexp.MustCompile(`<p class="sheet-url">https://school\.example(/sign-in/link\?token=[A-Za-z0-9_-]{22})</p>`)

// A sheet has a link for everybody chosen, each of which works once, and says who made them.
func TestSheet(t *testing.T) {
	o := openNew(t)
	users := o.crowd(t, 30)
	b := o.root(t)
	if err := o.Disable(t.Context(), 0, users[3].ID); err != nil {
		t.Fatal(err)
	}
	form := ""
	for _, u := range users {
		form += "user=" + u.ID.String() + "&"
	}
	answer, body := b.do("POST", "/people/sheet", "application/x-www-form-urlencoded", form)
	links := sheetURL.FindAllStringSubmatch(body, -1)
	if answer.StatusCode != 200 || len(links) != 29 || strings.Count(body, `class="qr"`) != 29 {
		t.Fatalf("sheet of 30, one of them closed: %d, %d links", answer.StatusCode, len(links))
	}
	for _, want := range []int{303, 404} {
		if answer, _ := b.fresh().post("/sign-in/link", "token", tokenOf(t, links[7][1])); answer.StatusCode != want {
			t.Errorf("a link of the sheet: %d, want %d", answer.StatusCode, want)
		}
	}
	b.post("/people/sheet")
	if _, body := b.get("/people"); !strings.Contains(body, "Tick somebody first.") {
		t.Error("a sheet of nobody says nothing")
	}
	b.do("POST", "/people/sheet", "application/x-www-form-urlencoded", strings.Repeat("user="+users[0].ID.String()+"&", 501))
	if _, body := b.get("/people"); !strings.Contains(body, "At most 500 people at once.") {
		t.Error("a sheet of 501 says nothing")
	}
}

func TestPeopleAPI(t *testing.T) {
	o := openMail(t, databasetest.New(t))
	b := o.root(t)
	answer, body := b.api("POST", "/users", `{"given_name":"Ada","family_name":"Lovelace","email":"ada@x.example","admin":true,"password":"mass assignment"}`)
	ada, err := o.UserByEmail(t.Context(), "ada@x.example")
	if err != nil || answer.StatusCode != 201 || !strings.Contains(body, `"state":"invited"`) || ada.Admin || ada.DisplayName != "Ada Lovelace" {
		t.Errorf("invite: %d %s, %+v %v", answer.StatusCode, body, ada, err)
	}
	if len(o.deliver(t)) != 1 {
		t.Error("no invitation went out")
	}
	at := "/users/" + ada.ID.String()
	for _, c := range []struct {
		path, body string
		status     int
		has        string
	}{
		{"/users", `{"display_name":"Eve","email":"ADA@x.example"}`, 409, "user.taken"},
		{"/users", `{"email":"x"}`, 400, `"field":"name"`},
		{at + "/links", `{"for":"invitation"}`, 201, "https://school.example/sign-in/invitation?token="},
		{at + "/links", `{"for":"code"}`, 400, `"field":"for"`},
		{at, `{"display_name":"Ada King","email":"ada@x.example"}`, 200, `"display_name":"Ada King"`},
		{at + "/uninvite", "{}", 200, `"state":"active"`},
		{at + "/admin", `{"admin":true}`, 200, `"admin":true`},
		{at + "/admin", `{"admin":false}`, 200, `"admin":false`},
		{at + "/erase", "{}", 409, "accounts.erase_open"},
		{at + "/disable", "{}", 200, `"state":"disabled"`},
		{at + "/links", `{"for":"reset"}`, 409, "sign_in.disabled"},
		{at + "/enable", "{}", 200, `"state":"active"`},
		{at + "/disable", "{}", 200, `"state":"disabled"`},
		{at + "/erase", "{}", 200, `"state":"erased"`},
		{"/users/" + media.NewID().String() + "/disable", "{}", 404, ""},
		{"/users/" + media.NewID().String() + "/erase", "{}", 404, ""},
	} {
		if answer, body := b.api("POST", c.path, c.body); answer.StatusCode != c.status || !strings.Contains(body, c.has) {
			t.Errorf("POST %s %s: %d %s, want %d with %s", c.path, c.body, answer.StatusCode, body, c.status, c.has)
		}
	}
	if answer, body := b.api("GET", "/users?q=root&limit=1", ""); answer.StatusCode != 200 || !strings.Contains(body, `"all":1`) || strings.Contains(body, "argon2") {
		t.Errorf("list: %d %s", answer.StatusCode, body)
	}
}

// Two who are erased in the same term can be told apart, and a teacher is not called a student.
func TestRemovedNames(t *testing.T) {
	o := openNew(t)
	names := map[string]bool{}
	for _, u := range o.crowd(t, 40) {
		if err := o.Disable(t.Context(), 0, u.ID); err != nil {
			t.Fatal(err)
		}
		if err := o.Erase(t.Context(), 0, u.ID); err != nil {
			t.Fatal(err)
		}
		u, err := o.User(t.Context(), u.ID)
		if err != nil || !regexp.MustCompile(`^Removed student [0-9A-F]{4,}$`).MatchString(u.DisplayName) {
			t.Errorf("left: %+v, %v", u, err)
		}
		names[u.DisplayName] = true
	}
	if len(names) != 40 {
		t.Errorf("%d names for 40 people", len(names))
	}
	if err := o.Erase(t.Context(), 0, media.NewID()); err == nil || fault.Is(err, fault.KindConflict) {
		t.Errorf("erase nobody: %v", err)
	}
}
