package accounts_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

const (
	firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:151.0) Gecko/20100101 Firefox/151.0"
	pixel   = "Mozilla/5.0 (Linux; Android 16; Pixel 9 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Mobile Safari/537.36"
)

func TestDeviceOf(t *testing.T) {
	for agent, want := range map[string]string{
		firefox: "Firefox · Windows",
		pixel:   "Chrome · Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15":                      "Safari · Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1":    "Safari · iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/149.0 Mobile/15E148 Safari/604.1":              "Chrome · iPad",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36 Edg/149.0.0.0":              "Edge · Windows",
		"Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36": "Samsung Internet · Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36":                             "Chrome · ChromeOS",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36 OPR/120.0":                            "Opera · Linux",
		"Go-http-client/1.1": "",
		"":                   "",
		"<script>alert(1)</script> Firefox/1 " + strings.Repeat("x", 10_000): "Firefox",
	} {
		if got := accounts.DeviceOf(agent); got != want {
			t.Errorf("%.90q: %q, want %q", agent, got, want)
		}
	}
}

// as makes the browser call itself something.
func (b *browser) as(agent string) *browser {
	b.agent = agent
	return b
}

var endForm = regexp.MustCompile(`action="(/settings/sessions/[0-9a-f]{16}/end)"`)

func TestMySessions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", false)
		o.add(t, "eve@x.example", false)
		var told []uint64
		o.OnSessionEnd(func(session uint64) { told = append(told, session) })
		laptop := o.serve(t).as(firefox)
		phone, script, eve := laptop.fresh().as(pixel), laptop.fresh(), laptop.fresh()
		laptop.post("/sign-in", "email", "ada@x.example", "password", password)
		o.clock.pass(time.Hour)
		phone.post("/sign-in", "email", "ada@x.example", "password", password)
		o.clock.pass(time.Hour)
		script.post("/sign-in", "email", "ada@x.example", "password", password)
		eve.post("/sign-in", "email", "eve@x.example", "password", password)

		answer, body := laptop.get("/settings")
		for _, want := range []string{"Firefox · Windows", "this browser", "Chrome · Android", "A browser we do not know", "Sign out everywhere else"} {
			if answer.StatusCode != 200 || !strings.Contains(body, want) {
				t.Errorf("settings: %d, without %q", answer.StatusCode, want)
			}
		}
		forms := endForm.FindAllStringSubmatch(body, -1)
		if len(forms) != 2 {
			t.Fatalf("%d sessions can be ended, want the 2 others", len(forms))
		}
		endScript, endPhone := forms[0][1], forms[1][1] // the one used last is first
		if _, body := eve.get("/settings"); strings.Contains(body, "Firefox") || strings.Contains(body, "Sign out everywhere else") {
			t.Error("the list shows the sessions of somebody else")
		}
		for _, path := range []string{endPhone, "/settings/sessions/ffffffffffffffff/end", "/settings/sessions/x/end", "/settings/sessions/0/end"} {
			if answer, _ := eve.post(path); answer.StatusCode != 404 {
				t.Errorf("somebody else posts to %s: %d", path, answer.StatusCode)
			}
		}
		signedIn := func() (in []bool) {
			for _, b := range []*browser{laptop, phone, script, eve} {
				answer, _ := b.api("GET", "/me", "")
				in = append(in, answer.StatusCode == 200)
			}
			return in
		}
		if answer, _ := laptop.post(endPhone); answer.StatusCode != 303 {
			t.Errorf("end the phone's session: %d", answer.StatusCode)
		}
		if got := signedIn(); !slices.Equal(got, []bool{true, false, true, true}) {
			t.Errorf("after ending the phone's: laptop, phone, script, eve signed in %v", got)
		}
		if _, body := laptop.get("/settings"); !strings.Contains(body, "That browser is signed out.") || strings.Contains(body, "Android") {
			t.Error("the page does not say that the phone is signed out")
		}
		if answer, _ := laptop.post(endPhone); answer.StatusCode != 404 {
			t.Errorf("end it twice: %d", answer.StatusCode)
		}
		phone.post("/sign-in", "email", "ada@x.example", "password", password)
		if answer, _ := laptop.post("/settings/sessions/end-others"); answer.StatusCode != 303 {
			t.Errorf("end the others: %d", answer.StatusCode)
		}
		if got := signedIn(); !slices.Equal(got, []bool{true, false, false, true}) {
			t.Errorf("after ending the others: laptop, phone, script, eve signed in %v", got)
		}
		if len(told) != 3 {
			t.Errorf("playback was told of %d ends, want 3", len(told))
		}
		if answer, _ := script.post(endScript); answer.StatusCode != 303 || !strings.HasPrefix(answer.Header.Get("Location"), "/sign-in") {
			t.Errorf("a session that was ended ends itself: %d", answer.StatusCode)
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("user", ada.ID), 2)
		if err != nil || lines[0].Action != "session.end" || lines[0].Detail["count"] != 2.0 || lines[0].Actor != ada.ID {
			t.Errorf("audit: %+v, %v", lines, err)
		}
	})
}

func TestSessionsThatAreOverAreNotListed(t *testing.T) {
	o := openNew(t)
	u := o.add(t, "u@x.example", false)
	var last accounts.Session
	for _, wait := range []time.Duration{0, 14 * 24 * time.Hour} {
		o.clock.pass(wait)
		var err error
		if last, _, err = o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home, Agent: firefox}); err != nil {
			t.Fatal(err)
		}
	}
	v, err := o.Identify(t.Context(), string(last.Token))
	if err != nil || v == nil {
		t.Fatal(v, err)
	}
	list, err := o.Sessions(t.Context(), v)
	want := accounts.OpenSession{Name: v.Session, Device: "Firefox · Windows", Since: o.clock.Now(), SeenAt: o.clock.Now()}
	if err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("listed %+v, %v; want %+v", list, err, want)
	}
	if err := o.EndOtherSessions(t.Context(), u.ID, v.Session); err != nil {
		t.Error(err)
	}
	if v, err := o.Identify(t.Context(), string(last.Token)); v == nil || err != nil {
		t.Errorf("the session that was kept: %v, %v", v, err)
	}
}

func TestEndingTheSessionOfThisPage(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", false)
	b := o.serve(t)
	b.post("/sign-in", "email", "ada@x.example", "password", password)
	other := b.fresh()
	other.post("/sign-in", "email", "ada@x.example", "password", password)
	_, body := other.get("/settings")
	b.post(endForm.FindStringSubmatch(body)[1])
	answer, _ := b.get("/settings")
	if u, err := url.Parse(answer.Header.Get("Location")); answer.StatusCode != 303 || err != nil || u.Path != "/sign-in" {
		t.Errorf("a browser that ended its own session: %d to %v", answer.StatusCode, u)
	}
}
