package accounts_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/mail/mailtest"
	"chalkcast/media"
)

// deliver sends what was asked for and what waits, and returns all mails so far.
func (o *office) deliver(t testing.TB) []mailtest.Received {
	t.Helper()
	o.Answer()
	if _, err := o.outbox.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o.server.Mails()
}

var linkInMail = regexp.MustCompile(`https://school\.example(/sign-in/\S+)`)

// follow is the path of the link in a mail.
func follow(t testing.TB, m mailtest.Received) string {
	t.Helper()
	found := linkInMail.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in\n%s", m.Text)
	}
	return found[1]
}

func tokenOf(t testing.TB, path string) string {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

func TestSignInLinkByMail(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := openMail(t, db)
		ada := o.add(t, "ada@x.example", false)
		b := o.serve(t)
		if _, body := b.get("/sign-in"); !strings.Contains(body, `href="/sign-in/mail"`) {
			t.Error("the sign-in page does not offer a link by mail")
		}
		for range 3 {
			if answer, body := b.post("/sign-in/mail", "email", " ADA@x.example ", "what", "sign_in"); answer.StatusCode != 200 || !strings.Contains(body, "Look into your mail") {
				t.Errorf("ask: %d", answer.StatusCode)
			}
		}
		mails := o.deliver(t)
		if len(mails) != 1 || mails[0].To != "ada@x.example" || !strings.Contains(mails[0].Text, ada.DisplayName) || !strings.Contains(mails[0].HTML, "https://school.example/sign-in/link?token=") {
			t.Fatalf("mails: %+v", mails)
		}
		path := follow(t, mails[0])
		o.clock.pass(15*time.Minute - time.Second)
		if answer, _ := b.get(path); answer.StatusCode != 200 || b.token() != "" { // a mail scanner opens it (SEC-32)
			t.Errorf("open the link: %d", answer.StatusCode)
		}
		if answer, _ := b.post("/sign-in/link", "token", tokenOf(t, path)); answer.StatusCode != 303 || b.token() == "" {
			t.Errorf("press the button: %d", answer.StatusCode)
		}
		if answer, _ := b.fresh().post("/sign-in/link", "token", tokenOf(t, path)); answer.StatusCode != 404 {
			t.Errorf("press it again: %d", answer.StatusCode)
		}
	})
}

func TestResetByMail(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := openMail(t, db)
		ada := o.add(t, "ada@x.example", false)
		b := o.serve(t)
		before := b.fresh()
		before.post("/sign-in", "email", "ada@x.example", "password", password)
		b.post("/sign-in/mail", "email", "ada@x.example", "what", "reset")
		path := follow(t, o.deliver(t)[0])
		other := o.link(t, ada.ID, time.Hour)
		for range 2 {
			if answer, body := b.get(path); answer.StatusCode != 200 || !strings.Contains(body, ada.DisplayName) {
				t.Fatalf("open the link: %d", answer.StatusCode)
			}
		}
		token := tokenOf(t, path)
		for what, bad := range map[string]string{"setup.password_short": "short", "setup.password_common": "Password1"} {
			answer, body := b.post("/sign-in/reset", "token", token, "password", bad)
			if answer.StatusCode != 400 || !strings.Contains(body, token) {
				t.Errorf("%s: %d", what, answer.StatusCode)
			}
		}
		if answer, _ := b.post("/sign-in/link", "token", token); answer.StatusCode != 404 {
			t.Errorf("a reset link as a sign-in link: %d", answer.StatusCode)
		}
		const fresh = "vier Affen im Garten"
		if answer, _ := b.post("/sign-in/reset", "token", token, "password", fresh); answer.StatusCode != 303 || b.token() == "" {
			t.Fatalf("reset: %d", answer.StatusCode)
		}
		if _, body := b.api("GET", "/me", ""); !strings.Contains(body, ada.ID.String()) {
			t.Errorf("signed in as %s", body)
		}
		if answer, _ := before.api("GET", "/me", ""); answer.StatusCode != 401 {
			t.Errorf("the session of before: %d", answer.StatusCode)
		}
		for what, token := range map[string]string{"the same link": token, "a link made before": other} {
			page := "/sign-in/reset"
			if what != "the same link" {
				page = "/sign-in/link"
			}
			if answer, _ := b.fresh().post(page, "token", token, "password", fresh+"!"); answer.StatusCode != 404 {
				t.Errorf("%s afterwards: %d", what, answer.StatusCode)
			}
		}
		for pass, want := range map[string]int{password: 401, fresh: 200} {
			if answer, _ := b.fresh().api("POST", "/session", `{"email":"ada@x.example","password":"`+pass+`"}`); answer.StatusCode != want {
				t.Errorf("sign in with %q: %d, want %d", pass, answer.StatusCode, want)
			}
		}
		// A link is good for half an hour.
		b.fresh().post("/sign-in/mail", "email", "ada@x.example", "what", "reset")
		late := follow(t, o.deliver(t)[1])
		o.clock.pass(30 * time.Minute)
		if answer, body := b.fresh().get(late); answer.StatusCode != 404 || !strings.Contains(body, deadLink) {
			t.Errorf("half an hour later: %d", answer.StatusCode)
		}
	})
}

// SEC-33: whoever asks for a mail, signs in or resets learns nothing about who has an account. The work that would tell
// by its time is done after the answer.
func TestAskingTellsNothing(t *testing.T) {
	o := openMail(t, databasetest.New(t))
	o.add(t, "ada@x.example", false)
	gone := o.add(t, "gone@x.example", false)
	if err := o.Disable(t.Context(), 0, gone.ID); err != nil {
		t.Fatal(err)
	}
	b := o.serve(t)
	var queries int
	if err := o.db.Reader().Callback().Query().Register("count", func(*gorm.DB) { queries++ }); err != nil {
		t.Fatal(err)
	}
	if err := o.db.Reader().Callback().Raw().Register("count", func(*gorm.DB) { queries++ }); err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, what := range []string{"sign_in", "reset"} {
		for _, email := range []string{"ada@x.example", "gone@x.example", "nobody@x.example"} {
			answer, body := b.fresh().post("/sign-in/mail", "email", email, "what", what)
			answers = append(answers, answer.Status+strings.ReplaceAll(body, email, "EMAIL"))
		}
	}
	if distinct := slices.Compact(answers); len(distinct) != 1 {
		t.Errorf("%d different answers", len(distinct))
	}
	if queries != 0 {
		t.Errorf("%d queries before the answer: their time tells something", queries)
	}
	if mails := o.deliver(t); len(mails) != 2 || mails[0].To != "ada@x.example" || mails[1].To != "ada@x.example" {
		t.Errorf("mails: %+v", mails)
	}
	for _, bad := range []string{"", "ada", "a@b\r\nBcc: c@d"} {
		if answer, _ := b.post("/sign-in/mail", "email", bad, "what", "reset"); answer.StatusCode != 400 {
			t.Errorf("address %q: %d", bad, answer.StatusCode)
		}
	}
	if strings.Contains(o.log.String(), "x.example") {
		t.Errorf("an address is in the log:\n%s", o.log)
	}
}

// Nobody's mailbox is filled, and no network asks without end; a school behind one address is not locked out.
func TestAskingIsThrottled(t *testing.T) {
	o := openMail(t, databasetest.New(t))
	o.add(t, "ada@x.example", false)
	b := o.serve(t)
	for range 8 {
		b.post("/sign-in/mail", "email", "ada@x.example", "what", "sign_in")
		o.deliver(t)
	}
	if n := len(o.server.Mails()); n != 5 {
		t.Errorf("%d mails to one address, want 5 in an hour", n)
	}
	for range 292 {
		if answer, _ := b.post("/sign-in/mail", "email", "nobody@x.example", "what", "sign_in"); answer.StatusCode != 200 {
			t.Fatalf("one of 300 asked from one network: %d", answer.StatusCode)
		}
		o.Answer()
	}
	if answer, _ := b.post("/sign-in/mail", "email", "nobody@x.example", "what", "sign_in"); answer.StatusCode != 429 {
		t.Errorf("number 301: %d", answer.StatusCode)
	}
	if answer, _ := b.post("/sign-in", "email", "ada@x.example", "password", password); answer.StatusCode != 303 {
		t.Errorf("signing in from there: %d", answer.StatusCode)
	}
}

// FLT-29: while the mail server is down people get in by other means, the page says so, and the mail goes out later.
func TestMailServerDown(t *testing.T) {
	o := openMail(t, databasetest.New(t))
	o.add(t, "root@x.example", true)
	b := o.serve(t)
	b.post("/sign-in", "email", "root@x.example", "password", password)
	o.server.Stop()
	if answer, _ := b.post("/people", "name", "Ada", "email", "ada@x.example"); answer.StatusCode != 303 {
		t.Fatalf("invite: %d", answer.StatusCode)
	}
	if _, err := o.outbox.Deliver(t.Context()); err == nil {
		t.Fatal("nobody noticed that the mail server is down")
	}
	if _, body := b.get("/people"); !strings.Contains(body, "1 mail is on its way") {
		t.Error("the page does not say that a mail waits")
	}
	ada, err := o.UserByEmail(t.Context(), "ada@x.example")
	if err != nil {
		t.Fatal(err)
	}
	answer, body := b.post("/people/"+ada.ID.String()+"/link", "for", "invitation", "by", "copy")
	copied := linkInMail.FindStringSubmatch(body)
	if answer.StatusCode != 200 || copied == nil {
		t.Fatalf("a link to copy: %d", answer.StatusCode)
	}
	if answer, _ := b.fresh().get(strings.TrimSuffix(copied[1], `"`)); answer.StatusCode != 200 {
		t.Errorf("the copied link: %d", answer.StatusCode)
	}
	o.server.Start()
	o.clock.pass(time.Minute)
	if mails := o.deliver(t); len(mails) != 1 || mails[0].To != "ada@x.example" {
		t.Errorf("after it is back: %+v", mails)
	}
}

func TestInvitation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := openMail(t, db)
		o.add(t, "root@x.example", true)
		b := o.serve(t)
		b.post("/sign-in", "email", "root@x.example", "password", password)
		if answer, _ := b.post("/people", "name", "Ada L", "email", "Ada@x.example"); answer.StatusCode != 303 {
			t.Fatalf("invite: %d", answer.StatusCode)
		}
		if answer, body := b.post("/people", "name", "Ada L", "email", "ada@x.example"); answer.StatusCode != 409 || !strings.Contains(body, "belongs to somebody already") {
			t.Errorf("invite twice: %d", answer.StatusCode)
		}
		ada, err := o.UserByEmail(t.Context(), "ada@x.example")
		if err != nil || ada.State() != accounts.Invited {
			t.Fatalf("invited: %+v, %v", ada, err)
		}
		page := "/people/" + ada.ID.String()
		first := follow(t, o.deliver(t)[0])
		o.clock.pass(7*24*time.Hour - time.Second)
		guest := b.fresh()
		if answer, body := guest.get(first); answer.StatusCode != 200 || !strings.Contains(body, `value="Ada L"`) || !strings.Contains(body, "ada@x.example") {
			t.Errorf("open the invitation: %d", answer.StatusCode)
		}
		// Sent again: the link before is worth nothing.
		b.post("/sign-in", "email", "root@x.example", "password", password)
		if answer, _ := b.post(page+"/link", "for", "invitation", "by", "mail"); answer.StatusCode != 303 {
			t.Errorf("resend: %d", answer.StatusCode)
		}
		second := follow(t, o.deliver(t)[1])
		if answer, _ := guest.get(first); answer.StatusCode != 404 {
			t.Errorf("the first link after the second: %d", answer.StatusCode)
		}
		for field, pairs := range map[string][]string{"name": {"name", "", "password", password}, "password": {"name", "Ada", "password", "x"}} {
			if answer, body := guest.post("/sign-in/invitation", append(pairs, "token", tokenOf(t, second))...); answer.StatusCode != 400 || !strings.Contains(body, `id="e-`+field+`"`) {
				t.Errorf("without %s: %d", field, answer.StatusCode)
			}
		}
		if answer, _ := guest.post("/sign-in/invitation", "token", tokenOf(t, second), "name", "Ada Lovelace", "password", "fünf Affen im Garten"); answer.StatusCode != 303 || guest.token() == "" {
			t.Fatalf("accept: %d", answer.StatusCode)
		}
		u, err := o.User(t.Context(), ada.ID)
		if err != nil || u.DisplayName != "Ada Lovelace" || u.State() != accounts.Active {
			t.Errorf("afterwards: %+v, %v", u, err)
		}
		if answer, _ := b.fresh().post("/sign-in/invitation", "token", tokenOf(t, second), "name", "Eve", "password", "sechs Affen im Garten"); answer.StatusCode != 404 {
			t.Errorf("accept twice: %d", answer.StatusCode)
		}

		// Taken back before they came: the link and the letter are worth nothing.
		b.post("/people", "name", "Bob", "email", "bob@x.example")
		bob, err := o.UserByEmail(t.Context(), "bob@x.example")
		if err != nil {
			t.Fatal(err)
		}
		third := follow(t, o.deliver(t)[2])
		b.post("/people/"+bob.ID.String()+"/link", "for", "invitation", "by", "mail")
		if answer, _ := b.post("/people/" + bob.ID.String() + "/uninvite"); answer.StatusCode != 303 {
			t.Errorf("take back: %d", answer.StatusCode)
		}
		if answer, _ := guest.get(third); answer.StatusCode != 404 || len(o.deliver(t)) != 3 {
			t.Errorf("after it was taken back: %d, %d mails", answer.StatusCode, len(o.server.Mails()))
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("user", bob.ID), 10)
		if err != nil || len(lines) == 0 || lines[0].Action != "user.uninvite" {
			t.Errorf("audit: %+v, %v", lines, err)
		}
	})
}

// Without a mail server pages show what to copy.
func TestWithoutMail(t *testing.T) {
	o := openNew(t)
	o.add(t, "root@x.example", true)
	b := o.serve(t)
	if _, body := b.get("/sign-in"); strings.Contains(body, "/sign-in/mail") || !strings.Contains(body, "Ask your school") {
		t.Error("the sign-in page offers mail that nobody sends")
	}
	for _, method := range []func() (int, string){
		func() (int, string) { a, body := b.get("/sign-in/mail"); return a.StatusCode, body },
		func() (int, string) {
			a, body := b.post("/sign-in/mail", "email", "root@x.example", "what", "reset")
			return a.StatusCode, body
		},
	} {
		if status, body := method(); status != 200 || !strings.Contains(body, "This school sends no mail") {
			t.Errorf("a link by mail: %d", status)
		}
	}
	b.post("/sign-in", "email", "root@x.example", "password", password)
	answer, body := b.post("/people", "name", "Ada", "email", "ada@x.example")
	found := linkInMail.FindString(body)
	if answer.StatusCode != 200 || !strings.Contains(found, "/sign-in/invitation?token=") {
		t.Errorf("invite: %d, link %q", answer.StatusCode, found)
	}
	if _, err := o.Mail(t.Context(), 0, []media.ID{1}, accounts.ForReset); !fault.Is(err, fault.KindConflict) {
		t.Errorf("mail without a mail server: %v", err)
	}
}

// No link that was mailed stands in the database or in the log (SEC-32, SEC-80).
func TestMailedLinksAreNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "school.db")
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	o := openMail(t, db)
	o.add(t, "ada@x.example", false)
	b := o.serve(t)
	b.post("/sign-in/mail", "email", "ada@x.example", "what", "reset")
	token := tokenOf(t, follow(t, o.deliver(t)[0]))
	b.get("/sign-in/reset?token=" + token)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b.get("/sign-in/reset?token=" + token)
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(dump), token) || strings.Contains(o.log.String(), token) || !strings.Contains(string(dump), "ada@x.example") {
		t.Error("a link that was mailed can be found")
	}
}
