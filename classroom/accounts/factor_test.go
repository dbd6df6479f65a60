package accounts_test

import (
	"encoding/base32"
	"fmt"
	"html"
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

// The vectors of RFC 6238, appendix B, for SHA-1: eight digits.
func TestTOTP(t *testing.T) {
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := accounts.HOTP([]byte("12345678901234567890"), at/30, 8); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

var (
	secretOnPage = regexp.MustCompile(`value="([A-Z2-7]{32})"`)
	codeOnPage   = regexp.MustCompile(`<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>`)
	pendingForm  = regexp.MustCompile(`name="token" value="([A-Za-z0-9_-]{22})"`)
)

// app is an authenticator.
type app struct {
	secret []byte
	clock  *clock
}

func (a app) code() string { return accounts.HOTP(a.secret, a.clock.Now().Unix()/30, 6) }

// setUpFactor goes through the pages and returns the app and the recovery codes.
func (o *office) setUpFactor(t *testing.T, b *browser) (app, []string) {
	t.Helper()
	if answer, _ := b.post("/settings/second-factor/begin"); answer.StatusCode != 303 {
		t.Fatalf("begin: %d", answer.StatusCode)
	}
	_, body := b.get("/settings/second-factor")
	m := secretOnPage.FindStringSubmatch(body)
	if m == nil || !strings.Contains(body, `class="qr"`) {
		t.Fatalf("no secret on the page:\n%s", body)
	}
	secret, err := base32.StdEncoding.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	a := app{secret, o.clock}
	answer, body := b.post("/settings/second-factor/confirm", "code", a.code())
	var codes []string
	for _, m := range codeOnPage.FindAllStringSubmatch(body, -1) {
		codes = append(codes, m[1])
	}
	if answer.StatusCode != 200 || len(codes) != 10 {
		t.Fatalf("confirm: %d, %d recovery codes", answer.StatusCode, len(codes))
	}
	o.clock.pass(30 * time.Second)
	return a, codes
}

// SEC-36: once it is set up, signing in takes a code as well, and each works once.
func TestSecondFactor(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		b := o.serve(t)
		b.post("/sign-in", "email", "ada@x.example", "password", password)
		if answer, _ := b.post("/settings/second-factor/confirm", "code", "000000"); answer.StatusCode != 400 {
			t.Errorf("a code before there is a secret: %d", answer.StatusCode)
		}
		a, codes := o.setUpFactor(t, b)
		if v, err := o.Identify(t.Context(), b.token()); err != nil || v == nil || !v.SecondFactor {
			t.Errorf("the session that set it up: %+v, %v", v, err)
		}
		if answer, _ := b.post("/settings/second-factor/begin"); answer.StatusCode != 409 {
			t.Errorf("begin over it: %d", answer.StatusCode)
		}

		half := func(b *browser) string {
			t.Helper()
			answer, body := b.post("/sign-in", "email", "ada@x.example", "password", password, "next", "/x")
			m := pendingForm.FindStringSubmatch(body)
			if answer.StatusCode != 200 || m == nil || b.token() != "" {
				t.Fatalf("password alone: %d, session %t", answer.StatusCode, b.token() != "")
			}
			return m[1]
		}
		phone := b.fresh()
		token := half(phone)
		if answer, body := phone.post("/sign-in/code", "token", token, "code", "000000", "next", "/x"); answer.StatusCode != 401 || !strings.Contains(body, token) {
			t.Errorf("wrong code: %d", answer.StatusCode)
		}
		code := a.code()
		if answer, _ := phone.post("/sign-in/code", "token", token, "code", code[:3]+" "+code[3:], "next", "/x"); answer.StatusCode != 303 || answer.Header.Get("Location") != "/x" || phone.token() == "" {
			t.Errorf("right code: %d to %s", answer.StatusCode, answer.Header.Get("Location"))
		}
		again := b.fresh()
		for what, c := range map[string][2]string{"the same code": {half(again), code}, "the same half": {token, a.code()}} {
			if answer, _ := again.post("/sign-in/code", "token", c[0], "code", c[1]); answer.StatusCode != 401 && answer.StatusCode != 404 || again.token() != "" {
				t.Errorf("%s again: %d", what, answer.StatusCode)
			}
		}
		late := half(again)
		o.clock.pass(5 * time.Minute)
		if answer, body := again.post("/sign-in/code", "token", late, "code", a.code()); answer.StatusCode != 404 || !strings.Contains(body, deadLink) {
			t.Errorf("half a sign-in of 5 min ago: %d", answer.StatusCode)
		}
		// Recovery codes, however they are typed.
		for _, typed := range []string{codes[0], strings.ToUpper(strings.ReplaceAll(codes[1], "-", " "))} {
			if answer, _ := b.fresh().post("/sign-in/code", "token", half(b.fresh()), "code", typed); answer.StatusCode != 303 {
				t.Errorf("recovery code %q: %d", typed, answer.StatusCode)
			}
			if answer, _ := b.fresh().post("/sign-in/code", "token", half(b.fresh()), "code", typed); answer.StatusCode != 401 {
				t.Errorf("recovery code %q again: %d", typed, answer.StatusCode)
			}
		}
		// By API, in one step.
		signIn := `{"email":"ada@x.example","password":"` + password + `"`
		if answer, body := b.fresh().api("POST", "/session", signIn+`}`); answer.StatusCode != 401 || !strings.Contains(body, "factor.code_needed") {
			t.Errorf("API without code: %d %s", answer.StatusCode, body)
		}
		if answer, body := b.fresh().api("POST", "/session", signIn+`,"code":"`+a.code()+`"}`); answer.StatusCode != 200 || !strings.Contains(body, ada.ID.String()) {
			t.Errorf("API with code: %d %s", answer.StatusCode, body)
		}
		// A link by mail is half a sign-in as well.
		link := b.fresh()
		if answer, body := link.post("/sign-in/link", "token", o.link(t, ada.ID, time.Hour)); answer.StatusCode != 200 || !pendingForm.MatchString(body) || link.token() != "" {
			t.Errorf("a link alone: %d", answer.StatusCode)
		}
		o.clock.pass(time.Hour)
		b.plant("")
		desk := b.fresh()
		desk.api("POST", "/session", signIn+`,"code":"`+a.code()+`"}`)
		o.clock.pass(30 * time.Second)
		if answer, body := desk.post("/settings/second-factor/recovery", "code", a.code()); answer.StatusCode != 200 || len(codeOnPage.FindAllString(body, -1)) != 10 || strings.Contains(body, codes[5]) {
			t.Errorf("new recovery codes: %d", answer.StatusCode)
		}
		if answer, _ := b.fresh().post("/sign-in/code", "token", half(b.fresh()), "code", codes[5]); answer.StatusCode != 401 {
			t.Errorf("a recovery code that was replaced: %d", answer.StatusCode)
		}
		if answer, _ := desk.post("/settings/second-factor/remove", "code", "123"); answer.StatusCode != 400 {
			t.Errorf("remove without code: %d", answer.StatusCode)
		}
		o.clock.pass(30 * time.Second)
		if answer, _ := desk.post("/settings/second-factor/remove", "code", a.code()); answer.StatusCode != 303 {
			t.Errorf("remove: %d", answer.StatusCode)
		}
		if answer, _ := b.fresh().api("POST", "/session", signIn+`}`); answer.StatusCode != 200 {
			t.Errorf("password alone after that: %d", answer.StatusCode)
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("user", ada.ID), 100)
		seen := map[string]bool{}
		for _, l := range lines {
			seen[l.Action] = true
		}
		if err != nil || !seen["factor.on"] || !seen["factor.off"] || !seen["factor.recovery_new"] {
			t.Errorf("audit: %v, %v", seen, err)
		}
	})
}

// Ten guesses in a quarter of an hour, from wherever they come: they know the password already.
func TestCodesAreThrottled(t *testing.T) {
	o := openNew(t)
	ada := o.add(t, "ada@x.example", true)
	b := o.serve(t)
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	a, _ := o.setUpFactor(t, b)
	s, _, err := o.SignIn(t.Context(), "ada@x.example", password, accounts.From{Addr: home})
	if err != nil || s.Pending == "" || s.Token != "" {
		t.Fatalf("half a sign-in: %+v, %v", s, err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[string]int{}
	for i := range 40 {
		wg.Go(func() {
			_, _, err := o.SignInCode(t.Context(), s.Pending, fmt.Sprintf("%06d", i), accounts.From{Addr: home})
			f, _ := fault.Of(err)
			mu.Lock()
			defer mu.Unlock()
			count[f.Key]++
		})
	}
	wg.Wait()
	if count["factor.code_wrong"] != 10 || count["sign_in.slow_down"] != 30 {
		t.Errorf("40 guesses: %v, want 10 looked at", count)
	}
	if _, _, err := o.SignInCode(t.Context(), s.Pending, a.code(), accounts.From{Addr: home}); !fault.Is(err, fault.KindTooMany) {
		t.Errorf("the right code in the eleventh try: %v", err)
	}
	o.clock.pass(2 * time.Minute)
	if _, u, err := o.SignInCode(t.Context(), s.Pending, a.code(), accounts.From{Addr: home}); err != nil || u.ID != ada.ID {
		t.Errorf("two minutes later: %v", err)
	}
}

// Of many that show one code at the same time, one is in.
func TestCodeIsSpentOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		o.add(t, "ada@x.example", true)
		b := o.serve(t)
		b.post("/sign-in", "email", "ada@x.example", "password", password)
		a, _ := o.setUpFactor(t, b)
		var pending []media.Secret
		for range 5 {
			s, _, err := o.SignIn(t.Context(), "ada@x.example", password, accounts.From{Addr: home})
			if err != nil {
				t.Fatal(err)
			}
			pending = append(pending, s.Pending)
		}
		var wg sync.WaitGroup
		in := make([]bool, len(pending))
		for i, p := range pending {
			wg.Go(func() {
				_, _, err := o.SignInCode(t.Context(), p, a.code(), accounts.From{Addr: home})
				in[i] = err == nil
			})
		}
		wg.Wait()
		n := 0
		for _, is := range in {
			if is {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 5 are in by one code", n)
		}
	})
}

// Who has lost everything asks another admin, or the operator.
func TestRemoveFactor(t *testing.T) {
	o := openNew(t)
	ada := o.add(t, "ada@x.example", true)
	o.add(t, "root@x.example", true)
	b := o.serve(t)
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	o.setUpFactor(t, b)
	root := b.fresh()
	root.post("/sign-in", "email", "root@x.example", "password", password)
	if answer, body := root.get("/people/" + ada.ID.String()); answer.StatusCode != 200 || !strings.Contains(body, "no-second-factor") {
		t.Errorf("the page of somebody with a second factor: %d", answer.StatusCode)
	}
	if answer, _ := root.post("/people/" + ada.ID.String() + "/no-second-factor"); answer.StatusCode != 303 {
		t.Errorf("remove: %d", answer.StatusCode)
	}
	if answer, _ := b.api("GET", "/me", ""); answer.StatusCode != 401 {
		t.Errorf("the sessions of before: %d", answer.StatusCode)
	}
	if f, err := o.Factor(t.Context(), ada.ID); err != nil || f != (accounts.Factor{}) {
		t.Errorf("left: %+v, %v", f, err)
	}
}

// SEC-36: where the school wants it, an admin without a second factor is told how to get one, and what is dangerous
// stays undone. A school that begins at the set-up page wants it.
func TestAdminsNeedASecondFactor(t *testing.T) {
	o := openNew(t)
	token, err := o.NewSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := o.serve(t)
	b.post("/setup", "token", string(token), "school", "Grove", "zone", "UTC", "name", "Ada", "email", "ada@x.example", "password", password)
	bob := o.add(t, "bob@x.example", false)
	danger := "/people/" + bob.ID.String() + "/admin"
	answer, body := b.post(danger, "admin", "1")
	if answer.StatusCode != 403 || !strings.Contains(body, "This needs a second factor") || !strings.Contains(body, `href="/settings/second-factor"`) {
		t.Errorf("make an admin without a second factor: %d\n%s", answer.StatusCode, body)
	}
	if answer, body := b.api("POST", "/users/"+bob.ID.String()+"/links", `{"for":"sign_in"}`); answer.StatusCode != 403 || !strings.Contains(body, "factor.needed") {
		t.Errorf("by API: %d %s", answer.StatusCode, body)
	}
	for _, path := range []string{"/people", "/people/" + bob.ID.String(), "/settings/second-factor"} {
		if answer, _ := b.get(path); answer.StatusCode != 200 {
			t.Errorf("GET %s: %d", path, answer.StatusCode)
		}
	}
	if u, err := o.User(t.Context(), bob.ID); err != nil || u.Admin {
		t.Errorf("done all the same: %+v, %v", u, err)
	}
	o.setUpFactor(t, b)
	if answer, _ := b.post(danger, "admin", "1"); answer.StatusCode != 303 {
		t.Errorf("with a second factor: %d", answer.StatusCode)
	}
	if answer, _ := b.post("/people/second-factor", "needed", "0"); answer.StatusCode != 303 || o.School().SecondFactor {
		t.Errorf("turn the rule off: %d", answer.StatusCode)
	}
	other := b.fresh()
	other.post("/sign-in", "email", "bob@x.example", "password", password)
	if answer, _ := other.post(danger, "admin", "0"); answer.StatusCode != 303 {
		t.Errorf("without rule and factor: %d", answer.StatusCode)
	}
}

// What an app reads from the picture.
func TestSecretURL(t *testing.T) {
	got := accounts.SecretURL("Grove & Sons", "ada+1@x.example", []byte("12345678901234567890"))
	if want := "otpauth://totp/Grove%20&%20Sons:ada+1@x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Grove%20&%20Sons"; got != strings.Replace(want, "issuer=Grove%20&%20Sons", "issuer=Grove%20%26%20Sons", 1) {
		t.Errorf("%s", html.EscapeString(got))
	}
}
