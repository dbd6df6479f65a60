package accounts_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/mail"
	"chalkcast/classroom/mail/mailtest"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

var pages = sync.OnceValues(templates.New)

var (
	home   = netip.MustParseAddr("198.51.100.7")
	cheap  = accounts.Cost{MemoryKiB: 64, Passes: 1} // tests are about the rules, not the heat
	monday = time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// office is the feature on a database of its own.
type office struct {
	*accounts.Accounts
	db    *database.DB
	clock *clock
	log   *safeBuffer

	outbox *mail.Outbox
	server *mailtest.Server // nil where there is no mail
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func open(t testing.TB, db *database.DB) *office { t.Helper(); return openWith(t, db, nil) }

// openMail returns the feature with a mail server of its own.
func openMail(t testing.TB, db *database.DB) *office {
	t.Helper()
	return openWith(t, db, mailtest.New(t))
}

func openWith(t testing.TB, db *database.DB, server *mailtest.Server) *office {
	t.Helper()
	o := &office{db: db, clock: &clock{now: monday}, log: &safeBuffer{}, server: server}
	log := slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var send mail.Sender
	if server != nil {
		s, err := mail.NewSMTP(mail.SMTPConfig{URL: server.URL(""), From: "office@school.example", TLS: server.TLS()})
		if err != nil {
			t.Fatal(err)
		}
		send = s.Send
	}
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	if o.outbox, err = mail.New(mail.Config{DB: db, Send: send, Log: log, Now: o.clock.Now}); err != nil {
		t.Fatal(err)
	}
	o.Accounts, err = accounts.New(t.Context(), accounts.Config{
		DB: db, Cost: cheap, Now: o.clock.Now, Server: "rtmp://school.example/live", Log: log,
		Outbox: o.outbox, Pages: set, Address: "https://school.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func openNew(t testing.TB) *office { t.Helper(); return open(t, databasetest.New(t)) }

const password = "drei Affen im Garten"

func (o *office) add(t testing.TB, email string, admin bool) accounts.User {
	t.Helper()
	u, err := o.Create(t.Context(), 0, accounts.NewUser{Email: email, DisplayName: "Zoë " + email, Password: password, Admin: admin})
	if err != nil {
		t.Fatalf("create %s: %v", email, err)
	}
	return u
}

// browser is somebody in front of the pages, with cookies.
type browser struct {
	t    testing.TB
	url  string
	http *http.Client

	agent string // what it calls itself, empty for the usual
}

// serve opens the doors and returns a browser.
func (o *office) serve(t testing.TB) *browser {
	t.Helper()
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := web.New(web.Config{Pages: set, Identify: o.Identify, School: o.WebSchool, Now: o.clock.Now, Log: slog.New(slog.NewTextHandler(o.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	o.Register(srv)
	ts := httptest.NewServer(srv.Handler())
	t.Cleanup(ts.Close)
	return (&browser{t: t, url: ts.URL}).fresh()
}

// fresh returns another browser at the same door.
func (b *browser) fresh() *browser {
	return &browser{t: b.t, url: b.url, http: &http.Client{
		Jar:           newJar(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *browser) do(method, path, kind, body string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.agent != "" {
		r.Header.Set("User-Agent", b.agent)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer, string(text)
}

func (b *browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	return b.do("GET", path, "", "")
}

func (b *browser) post(path string, pairs ...string) (*http.Response, string) {
	b.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return b.do("POST", path, "application/x-www-form-urlencoded", v.Encode())
}

func (b *browser) api(method, path, body string) (*http.Response, string) {
	b.t.Helper()
	return b.do(method, "/api/v1"+path, "application/json", body)
}

// token returns what the browser holds as its session.
func (b *browser) token() string {
	u, _ := url.Parse(b.url)
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == "cc" {
			return c.Value
		}
	}
	return ""
}

func (b *browser) plant(token string) {
	u, _ := url.Parse(b.url)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: "cc", Value: token, Path: "/"}})
}
