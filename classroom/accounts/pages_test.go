package accounts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

const wrongPassword = "This e-mail and password do not go together."

func TestSignInPage(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	b := o.serve(t)
	if answer, body := b.get("/sign-in?next=/lessons/1"); answer.StatusCode != 200 || !strings.Contains(body, `value="/lessons/1"`) {
		t.Errorf("sign-in page: %d, next is not kept", answer.StatusCode)
	}
	answer, body := b.post("/sign-in", "email", "Ada@x.example", "password", "nonsense", "next", "/lessons/1")
	if answer.StatusCode != 401 || !strings.Contains(body, wrongPassword) || !strings.Contains(body, "Ada@x.example") || strings.Contains(body, "nonsense") {
		t.Errorf("wrong password: %d", answer.StatusCode)
	}
	for next, want := range map[string]string{"/lessons/1": "/lessons/1", "//evil.example": "/", "": "/"} {
		answer, _ := b.fresh().post("/sign-in", "email", "ada@x.example", "password", password, "next", next)
		if answer.StatusCode != 303 || answer.Header.Get("Location") != want {
			t.Errorf("sign in with next %q: %d to %q", next, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	if answer, _ := b.get("/sign-in?next=/x"); answer.StatusCode != 303 || answer.Header.Get("Location") != "/x" {
		t.Errorf("sign-in page for somebody who is: %d", answer.StatusCode)
	}
	old := b.token()
	if answer, _ := b.post("/sign-out"); answer.StatusCode != 303 || b.token() != "" {
		t.Errorf("sign out: %d, cookie %q", answer.StatusCode, b.token())
	}
	if _, body := b.get("/sign-in"); !strings.Contains(body, "You are signed out.") {
		t.Error("nothing says that one is signed out")
	}
	b.plant(old)
	if answer, _ := b.api("GET", "/me", ""); answer.StatusCode != 401 {
		t.Errorf("the old session after signing out: %d", answer.StatusCode)
	}
}

// What somebody learns who tries addresses: nothing.
func TestUnknownAddressLooksLikeWrongPassword(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	gone := o.add(t, "gone@x.example", false)
	if err := o.Disable(t.Context(), 0, gone.ID); err != nil {
		t.Fatal(err)
	}
	b := o.serve(t)
	var bodies []string
	for _, email := range []string{"ada@x.example", "eve@x.example", "gone@x.example"} {
		answer, body := b.post("/sign-in", "email", email, "password", "nonsense")
		bodies = append(bodies, answer.Status+strings.ReplaceAll(body, email, "EMAIL"))
		answer, body = b.api("POST", "/session", `{"email":"`+email+`","password":"nonsense"}`)
		bodies[len(bodies)-1] += answer.Status + body
	}
	if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
		t.Errorf("the answers differ:\n%s\n%s\n%s", bodies[0], bodies[1], bodies[2])
	}
}

func TestSessionAPI(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		b := o.serve(t)
		if answer, _ := b.api("GET", "/me", ""); answer.StatusCode != 401 {
			t.Errorf("me before: %d", answer.StatusCode)
		}
		answer, body := b.api("POST", "/session", `{"email":"ada@x.example","password":"`+password+`","admin":true,"user_id":"x"}`)
		var me struct {
			User struct {
				ID          media.ID
				DisplayName string `json:"display_name"`
				Admin       bool
			}
		}
		if err := json.Unmarshal([]byte(body), &me); err != nil || answer.StatusCode != 200 || me.User.ID != ada.ID || me.User.DisplayName != ada.DisplayName || !me.User.Admin {
			t.Errorf("sign in: %d %s %v", answer.StatusCode, body, err)
		}
		if answer, again := b.api("GET", "/me", ""); answer.StatusCode != 200 || again != body {
			t.Errorf("me: %d %s, want %s", answer.StatusCode, again, body)
		}
		for range 2 {
			if answer, _ := b.api("DELETE", "/session", ""); answer.StatusCode != 204 {
				t.Errorf("sign out: %d", answer.StatusCode)
			}
		}
		if answer, _ := b.api("GET", "/me", ""); answer.StatusCode != 401 {
			t.Errorf("me after: %d", answer.StatusCode)
		}
	})
}

func TestSessionIsNewAtEverySignIn(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	o.add(t, "eve@x.example", false)
	b := o.serve(t)
	const planted = "a-token-that-somebody-else-knows"
	b.plant(planted)
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	first := b.token()
	if first == planted || len(first) != 43 {
		t.Fatalf("token %q after signing in with a planted one", first)
	}
	// Signing in as somebody else ends the session that was there: a shared browser keeps one person.
	b.post("/sign-in", "email", "eve@x.example", "password", password)
	for what, token := range map[string]string{"planted": planted, "first": first} {
		other := b.fresh()
		other.plant(token)
		if answer, _ := other.api("GET", "/me", ""); answer.StatusCode != 401 {
			t.Errorf("the %s token still works: %d", what, answer.StatusCode)
		}
	}
	if answer, body := b.api("GET", "/me", ""); answer.StatusCode != 200 || !strings.Contains(body, "eve") {
		t.Errorf("the new session: %d %s", answer.StatusCode, body)
	}
}

func TestThrottledPage(t *testing.T) {
	o := openNew(t)
	b := o.serve(t)
	var answer *http.Response
	var body string
	for range 11 {
		answer, body = b.post("/sign-in", "email", "ada@x.example", "password", "nonsense")
	}
	if answer.StatusCode != 429 || !strings.Contains(body, "Too many tries.") {
		t.Errorf("11th try: %d", answer.StatusCode)
	}
	answer, _ = b.api("POST", "/session", `{"email":"ada@x.example","password":"nonsense"}`)
	if answer.StatusCode != 429 || answer.Header.Get("Retry-After") != "90" {
		t.Errorf("by API: %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
}

func TestHostileSignIns(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	b := o.serve(t)
	for what, c := range map[string]struct {
		body   string
		status int
	}{
		"1 MiB password":      {`{"email":"ada@x.example","password":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		"NUL":                 {`{"email":"ada@x.example\u0000","password":"\u0000"}`, 401},
		"numbers":             {`{"email":7,"password":true}`, 400},
		"null":                {`null`, 401},
		"nothing":             {``, 400},
		"two passwords":       {`{"email":"ada@x.example","password":"a","password":"` + password + `"}`, 400},
		"pattern for address": {`{"email":"%","password":"` + password + `"}`, 401},
		"quote":               {`{"email":"' OR 1=1 --","password":"` + password + `"}`, 401},
	} {
		if answer, body := b.fresh().api("POST", "/session", c.body); answer.StatusCode != c.status {
			t.Errorf("%s: %d %.200s, want %d", what, answer.StatusCode, body, c.status)
		}
	}
	if answer, _ := b.do("POST", "/sign-in", "application/json", `{"email":"x"}`); answer.StatusCode != 400 {
		t.Errorf("JSON for a form: %d", answer.StatusCode)
	}
	// A page of another site cannot sign anybody in or out.
	for _, path := range []string{"/sign-in", "/sign-in/link", "/sign-out", "/setup", "/settings/language", "/settings/keys"} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", b.url+path, strings.NewReader("email=ada@x.example"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		answer, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 403 {
			t.Errorf("POST %s from another site: %d, want 403", path, answer.StatusCode)
		}
	}
}

// A school that signs in at once from one address waits its turn; nobody is told to slow down.
func TestSchoolBehindOneAddressSignsIn(t *testing.T) {
	o := openNew(t)
	hash, err := o.HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]accounts.NewUser, 120) // more than the budget of a network
	for i := range list {
		list[i] = accounts.NewUser{Email: fmt.Sprint("s", i, "@x.example"), DisplayName: "Student", PasswordHash: hash}
	}
	if _, err := o.CreateMany(t.Context(), 0, list); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, n := range list {
		wg.Go(func() {
			if _, _, err := o.SignIn(t.Context(), n.Email, password, accounts.From{Addr: home}); err != nil {
				t.Errorf("%s: %v", n.Email, err)
			}
		})
	}
	wg.Wait()
}

func TestSetup(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		b := o.serve(t)
		token, err := o.NewSetup(t.Context())
		if err != nil || token == "" {
			t.Fatalf("set-up token %q, %v", string(token), err)
		}
		if answer, _ := b.get("/setup?token=guess"); answer.StatusCode != 404 {
			t.Errorf("guessed token: %d", answer.StatusCode)
		}
		if answer, _ := b.get("/setup"); answer.StatusCode != 404 {
			t.Errorf("no token: %d", answer.StatusCode)
		}
		if answer, body := b.get("/setup?token=" + string(token)); answer.StatusCode != 200 || !strings.Contains(body, string(token)) {
			t.Errorf("set-up page: %d", answer.StatusCode)
		}
		answer, body := b.post("/setup", "token", string(token), "school", " ", "name", "", "email", "nope", "password", "short")
		if answer.StatusCode != 400 || strings.Count(body, "Please fill this in.") != 3 ||
			!strings.Contains(body, "This does not look like an e-mail address.") || !strings.Contains(body, "Use at least 8 characters.") {
			t.Errorf("bad form: %d\n%s", answer.StatusCode, body)
		}
		good := []string{"token", string(token), "school", "Grove School", "name", "Ada", "email", "ada@x.example", "password", password, "zone", "Asia/Tokyo"}
		for _, zone := range []string{"GMT 8", "Local", "localtime", "../../etc/passwd", "asia/tokyo", "Factory", "right/UTC", "/"} {
			answer, body := b.post("/setup", append(slices.Clone(good), "zone", zone)...)
			if answer.StatusCode != 400 || !strings.Contains(body, "This is not a time zone.") || !strings.Contains(body, `value="`+zone) {
				t.Errorf("zone %q: %d", zone, answer.StatusCode)
			}
		}
		if answer, _ := b.post("/setup", append([]string{}, append(good[2:], "token", "guess")...)...); answer.StatusCode != 404 {
			t.Errorf("form with a guessed token: %d", answer.StatusCode)
		}
		answer, _ = b.post("/setup", good...)
		if answer.StatusCode != 303 || answer.Header.Get("Location") != "/" {
			t.Fatalf("set up: %d", answer.StatusCode)
		}
		if _, body := b.api("GET", "/me", ""); !strings.Contains(body, `"display_name":"Ada","admin":true`) {
			t.Errorf("the first admin is not signed in: %s", body)
		}
		if s := o.School(); s.Name != "Grove School" || s.Zone.String() != "Asia/Tokyo" || s.Lang != "en" {
			t.Errorf("school %+v", s)
		}
		if answer, _ := b.fresh().post("/setup", good...); answer.StatusCode != 404 {
			t.Errorf("the token a second time: %d", answer.StatusCode)
		}
		if again, err := o.NewSetup(t.Context()); again != "" || err != nil {
			t.Errorf("a school with an admin gets a set-up token: %v", err)
		}
	})
}

func TestSetupTokenExpiresAndIsReplaced(t *testing.T) {
	o := openNew(t)
	b := o.serve(t)
	first, err := o.NewSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.NewSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := b.get("/setup?token=" + string(first)); answer.StatusCode != 404 {
		t.Errorf("a token that was replaced: %d", answer.StatusCode)
	}
	o.clock.pass(24*time.Hour - time.Second)
	if answer, _ := b.get("/setup?token=" + string(second)); answer.StatusCode != 200 {
		t.Errorf("just before a day is over: %d", answer.StatusCode)
	}
	o.clock.pass(time.Second)
	if answer, _ := b.get("/setup?token=" + string(second)); answer.StatusCode != 404 {
		t.Errorf("after a day: %d", answer.StatusCode)
	}
}

// Two people who open the printed link at the same time do not both become admin.
func TestSetupIsSpentOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		b := o.serve(t)
		token, err := o.NewSetup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		statuses := make([]int, 8)
		for i := range statuses {
			wg.Go(func() {
				answer, _ := b.fresh().post("/setup", "token", string(token), "school", "S", "zone", "Asia/Tokyo", "name", "N",
					"email", string(rune('a'+i))+"@x.example", "password", password)
				statuses[i] = answer.StatusCode
			})
		}
		wg.Wait()
		made := 0
		for _, s := range statuses {
			if s == 303 {
				made++
			} else if s != 404 {
				t.Errorf("status %d", s)
			}
		}
		users, err := o.Users(t.Context(), 0, 100)
		if made != 1 || len(users) != 1 || err != nil {
			t.Errorf("%d set-ups succeeded, %d users, %v", made, len(users), err)
		}
	})
}

var keyOnPage = regexp.MustCompile(`ck_[a-z2-7]{8}_[a-z2-7]{26}`)

func TestSettingsKeys(t *testing.T) {
	o := openNew(t)
	ada := o.add(t, "ada@x.example", true)
	o.add(t, "emil@x.example", false)
	b := o.serve(t)
	student := b.fresh()
	student.post("/sign-in", "email", "emil@x.example", "password", password)
	if answer, _ := student.post("/settings/keys", "name", "laptop"); answer.StatusCode != 403 {
		t.Errorf("a student makes a key: %d", answer.StatusCode)
	}
	if answer, body := student.get("/settings"); answer.StatusCode != 200 || strings.Contains(body, "/settings/stream") {
		t.Errorf("settings of a student: %d, or they offer keys", answer.StatusCode)
	}

	b.post("/sign-in", "email", "ada@x.example", "password", password)
	answer, body := b.post("/settings/keys", "name", "Ada's <laptop>")
	shown := keyOnPage.FindString(body)
	k, ok := media.FindKey(shown)
	if answer.StatusCode != 200 || !ok || !strings.Contains(body, "rtmp://school.example/live") || strings.Contains(body, "<laptop>") {
		t.Fatalf("make a key: %d, key shown %t", answer.StatusCode, ok)
	}
	if owner, err := o.FindByKey(t.Context(), k); err != nil || owner.User != ada.ID || owner.Name != "Ada's <laptop>" {
		t.Errorf("the key that was shown: %+v, %v", owner, err)
	}
	if answer, body := b.get("/settings/stream"); answer.StatusCode != 200 || keyOnPage.MatchString(body) || !strings.Contains(body, k.ID) {
		t.Errorf("settings later: %d, or the secret is shown again, or the key is not listed", answer.StatusCode)
	}
	if answer, _ := b.post("/settings/keys", "name", ""); answer.StatusCode != 303 {
		t.Errorf("a key without a name: %d", answer.StatusCode)
	}
	if answer, _ := student.post("/settings/keys/" + k.ID + "/revoke"); answer.StatusCode != 404 {
		t.Errorf("another's key: %d", answer.StatusCode)
	}
	if answer, _ := b.post("/settings/keys/" + k.ID + "/revoke"); answer.StatusCode != 303 {
		t.Errorf("revoke: %d", answer.StatusCode)
	}
	if _, body := b.get("/settings/stream"); !strings.Contains(body, "The key is revoked.") {
		t.Error("nothing says that the key is revoked")
	}
	if _, err := o.FindByKey(t.Context(), k); err == nil {
		t.Error("the revoked key works")
	}
}

func TestLanguage(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	b := o.serve(t)
	if answer, _ := b.post("/settings/language", "lang", "ja", "next", "/sign-in"); answer.StatusCode != 303 || answer.Header.Get("Location") != "/sign-in" {
		t.Errorf("choose before signing in: %d", answer.StatusCode)
	}
	if _, body := b.get("/sign-in"); !strings.Contains(body, `lang="ja"`) {
		t.Error("the choice is not kept")
	}
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	if answer, _ := b.post("/settings/language", "lang", "id"); answer.StatusCode != 303 {
		t.Errorf("choose: %d", answer.StatusCode)
	}
	other := b.fresh()
	other.post("/sign-in", "email", "ada@x.example", "password", password)
	if _, body := other.get("/settings"); !strings.Contains(body, `lang="id"`) {
		t.Error("another browser of the same person has another language")
	}
	if answer, _ := b.post("/settings/language", "lang", "xx"); answer.StatusCode != 400 {
		t.Errorf("a language nobody wrote: %d", answer.StatusCode)
	}
}

// No secret reaches the log or the database (SEC-02, SEC-80).
func TestSecretsAreNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "school.db")
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, db)
	b := o.serve(t)
	setup, err := o.NewSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.post("/setup", "token", string(setup), "school", "S", "zone", "UTC", "name", "Ada", "email", "canary-mail@x.example", "password", password)
	session := b.token()
	_, body := b.post("/settings/keys", "name", "laptop")
	key, ok := media.FindKey(keyOnPage.FindString(body))
	if !ok || session == "" {
		t.Fatal("no key or no session to look for")
	}
	b.post("/sign-in", "email", "canary-mail@x.example", "password", "canary wrong password")
	ada, err := o.UserByEmail(t.Context(), "canary-mail@x.example")
	if err != nil {
		t.Fatal(err)
	}
	link := o.link(t, ada.ID, time.Hour)
	b.get("/sign-in/link?token=" + link)
	b.fresh().post("/sign-in/link", "token", link)
	b.fresh().post("/sign-in/link", "token", link)
	b.get("/setup?token=" + string(setup))
	b.api("GET", "/nowhere/"+session, "")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b.get("/sign-in/link?token=" + link)
	b.get("/settings") // a database that is gone is an error worth a line
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log := o.log.String()
	if !strings.Contains(string(dump), "canary-mail@x.example") || log == "" {
		t.Fatal("the dump or the log is empty; this test would find nothing")
	}
	for what, secret := range map[string]string{
		"password": password, "wrong password": "canary wrong password", "session": session,
		"key": string(key.Secret), "set-up token": string(setup), "link": link,
	} {
		if strings.Contains(string(dump), secret) {
			t.Errorf("the %s is in the database", what)
		}
		if strings.Contains(log, secret) {
			t.Errorf("the %s is in the log:\n%s", what, log)
		}
	}
	if strings.Contains(log, "canary-mail") {
		t.Errorf("the address is in the log:\n%s", log)
	}
}
