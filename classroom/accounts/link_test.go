package accounts_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

func (o *office) link(t testing.TB, user media.ID, life time.Duration) string {
	t.Helper()
	token, err := o.NewLink(t.Context(), user, life)
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

const deadLink = "This link no longer works"

func TestLink(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		b := o.serve(t)
		token := o.link(t, ada.ID, 15*time.Minute)
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(token) {
			t.Errorf("token of %d characters, want 22 that a mail program leaves alone", len(token))
		}
		path := accounts.LinkPath(media.Secret(token))
		// Whatever opens the link, it is not spent by that.
		for _, method := range []string{"GET", "HEAD", "GET"} {
			answer, body := b.do(method, path, "", "")
			if answer.StatusCode != 200 || b.token() != "" || method == "GET" && !strings.Contains(body, ada.DisplayName) {
				t.Errorf("%s: %d, signed in %t", method, answer.StatusCode, b.token() != "")
			}
			if answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the page with the token may be kept: %q", answer.Header.Get("Cache-Control"))
			}
		}
		answer, _ := b.post("/sign-in/link", "token", token)
		if answer.StatusCode != 303 || answer.Header.Get("Location") != "/" {
			t.Fatalf("press the button: %d", answer.StatusCode)
		}
		if _, body := b.api("GET", "/me", ""); !strings.Contains(body, ada.ID.String()) || !strings.Contains(body, `"admin":true`) {
			t.Errorf("after the button: %s", body)
		}
		other := b.fresh()
		for _, token := range []string{token, "", "x", strings.Repeat("A", 22), strings.Repeat("A", 4000)} {
			answer, page := other.get("/sign-in/link?token=" + token)
			posted, again := other.post("/sign-in/link", "token", token)
			for method, a := range map[string]struct {
				status int
				body   string
			}{"GET": {answer.StatusCode, page}, "POST": {posted.StatusCode, again}} {
				if a.status != 404 || !strings.Contains(a.body, deadLink) || strings.Contains(a.body, ada.DisplayName) {
					t.Errorf("%s with a dead link %.30q: %d", method, token, a.status)
				}
			}
		}
		if other.token() != "" {
			t.Error("a dead link signs in")
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("user", ada.ID), 10)
		var said []string
		for _, l := range lines {
			said = append(said, l.Action)
		}
		if want := "session.refused session.start link.create user.create"; err != nil || strings.Join(said, " ") != want {
			t.Errorf("audit: %v, %v; want %s", said, err, want)
		}
	})
}

func TestLinkExpires(t *testing.T) {
	o := openNew(t)
	ada := o.add(t, "ada@x.example", true)
	b := o.serve(t)
	short, long := o.link(t, ada.ID, 15*time.Minute), o.link(t, ada.ID, 7*24*time.Hour)
	o.clock.pass(15*time.Minute - time.Second)
	if answer, _ := b.get("/sign-in/link?token=" + short); answer.StatusCode != 200 {
		t.Errorf("a second before its end: %d", answer.StatusCode)
	}
	o.clock.pass(time.Second)
	if answer, _ := b.post("/sign-in/link", "token", short); answer.StatusCode != 404 || b.token() != "" {
		t.Errorf("at its end: %d", answer.StatusCode)
	}
	if err := o.Sweep(o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if answer, _ := b.post("/sign-in/link", "token", long); answer.StatusCode != 303 {
		t.Errorf("another link, after the sweep: %d", answer.StatusCode)
	}
	for _, life := range []time.Duration{0, -time.Second, 7*24*time.Hour + 1} {
		if token, err := o.NewLink(t.Context(), ada.ID, life); err == nil || token != "" {
			t.Errorf("a link of %v is made", life)
		}
	}
}

// Of many that press the button of one link at the same time, one is in.
func TestLinkIsSpentOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		b := o.serve(t)
		token := o.link(t, ada.ID, time.Minute)
		var wg sync.WaitGroup
		statuses := make([]int, 8)
		for i := range statuses {
			wg.Go(func() {
				answer, _ := b.fresh().post("/sign-in/link", "token", token)
				statuses[i] = answer.StatusCode
			})
		}
		wg.Wait()
		in := 0
		for _, s := range statuses {
			if s == 303 {
				in++
			} else if s != 404 {
				t.Errorf("status %d", s)
			}
		}
		if in != 1 {
			t.Errorf("%d of 8 are in, want 1", in)
		}
	})
}

func TestWhatEndsLinks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		o.add(t, "root@x.example", true)
		u := o.add(t, "u@x.example", false)
		b := o.serve(t)
		for what, end := range map[string]func() error{
			"a new password": func() error { return o.SetPassword(t.Context(), u.ID, u.ID, password) },
			"becoming admin": func() error { return o.SetAdmin(t.Context(), 0, u.ID, true) },
			"a closed account, opened again": func() error {
				defer o.Enable(t.Context(), 0, u.ID)
				return o.Disable(t.Context(), 0, u.ID)
			},
		} {
			token := o.link(t, u.ID, time.Hour)
			if err := end(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if answer, _ := b.post("/sign-in/link", "token", token); answer.StatusCode != 404 {
				t.Errorf("after %s: %d", what, answer.StatusCode)
			}
		}
		if err := o.Disable(t.Context(), 0, u.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := o.NewLink(t.Context(), u.ID, time.Hour); !fault.Is(err, fault.KindConflict) {
			t.Errorf("for a closed account: %v", err)
		}
		if _, err := o.NewLink(t.Context(), media.NewID(), time.Hour); !errors.Is(err, database.ErrNotFound) {
			t.Errorf("for nobody: %v", err)
		}
	})
}

// Somebody who is signed in already sees who they become, and their session ends.
func TestLinkInAUsedBrowser(t *testing.T) {
	o := openNew(t)
	ada, eve := o.add(t, "ada@x.example", true), o.add(t, "eve@x.example", false)
	b := o.serve(t)
	b.post("/sign-in", "email", "eve@x.example", "password", password)
	before := b.token()
	token := o.link(t, ada.ID, time.Minute)
	if _, body := b.get("/sign-in/link?token=" + token); !strings.Contains(body, eve.DisplayName+" is signed in here at the moment.") {
		t.Error("nothing says that another sign-in ends")
	}
	b.post("/sign-in/link", "token", token)
	if _, body := b.api("GET", "/me", ""); !strings.Contains(body, ada.ID.String()) {
		t.Errorf("signed in as %s", body)
	}
	old := b.fresh()
	old.plant(before)
	if answer, _ := old.api("GET", "/me", ""); answer.StatusCode != 401 {
		t.Errorf("the session before: %d", answer.StatusCode)
	}
	if answer, body := b.get("/sign-in/link?token=" + token); answer.StatusCode != 404 || !strings.Contains(body, "You are signed in already") {
		t.Errorf("the same link once more, signed in: %d", answer.StatusCode)
	}
}
