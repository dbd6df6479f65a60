package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/mail"
	"chalkcast/classroom/mail/mailtest"
	"chalkcast/media"
	"chalkcast/templates"
)

func TestModels(t *testing.T) { databasetest.Models(t, mail.Models()...) }

// office is an outbox in front of a real mail server.
type office struct {
	*mail.Outbox
	t       testing.TB
	db      *database.DB
	server  *mailtest.Server
	metrics *prometheus.Registry
	log     *bytes.Buffer

	mu      sync.Mutex
	now     time.Time
	refused []media.ID
	gone    map[media.ID]bool // whose letters nobody wants
}

func (o *office) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func open(t testing.TB, db *database.DB) *office {
	t.Helper()
	o := &office{
		t: t, db: db, server: mailtest.New(t), metrics: prometheus.NewRegistry(), log: &bytes.Buffer{},
		now: time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC), gone: map[media.ID]bool{},
	}
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: o.server.URL(""), From: "Grove School <office@school.example>", TLS: o.server.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	o.Outbox, err = mail.New(mail.Config{DB: db, Send: s.Send, Metrics: o.metrics, Now: o.Now, Log: slog.New(slog.NewTextHandler(o.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	o.Writes("hello", o.write)
	o.OnRefused(func(_ context.Context, l mail.Letter) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.refused = append(o.refused, l.User)
	})
	return o
}

func address(user media.ID) string { return "u" + user.String() + "@x.example" }

func (o *office) write(_ context.Context, l mail.Letter) (mail.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone[l.User] {
		return mail.Message{}, mail.ErrNobody
	}
	return mail.Message{To: address(l.User), Mail: templates.Mail{Subject: "Grüße", Text: "Hallo 陽翔,\nbis bald\n", HTML: "<p>Hallo</p>"}}, nil
}

// person makes somebody whom letters can be for.
func (o *office) person() media.ID {
	o.t.Helper()
	id := media.NewID()
	err := o.db.Tx(o.t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at) "+
			"VALUES (?, ?, 'A', '', '', '', '', FALSE, '', 1, 0)", id, address(id)).Error
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) put(user media.ID, lasts time.Duration) error {
	return o.db.Tx(o.t.Context(), func(tx *gorm.DB) error { return o.Put(o.t.Context(), tx, user, "hello", lasts) })
}

func (o *office) mustPut(user media.ID) {
	o.t.Helper()
	if err := o.put(user, time.Hour); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) waiting() int {
	o.t.Helper()
	s, err := o.Status(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return s.Waiting
}

func (o *office) count(result string) int {
	o.t.Helper()
	families, err := o.metrics.Gather()
	if err != nil {
		o.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if len(m.Label) == 1 && m.Label[0].GetValue() == result {
				return int(m.Counter.GetValue())
			}
		}
	}
	return 0
}

func TestLetterArrives(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.person()
		for range 3 { // somebody impatient
			o.mustPut(ada)
		}
		if n, err := o.Deliver(t.Context()); n != 1 || err != nil {
			t.Fatalf("delivered %d, %v", n, err)
		}
		got := o.server.Mails()
		if len(got) != 1 || got[0].To != address(ada) || got[0].From != "office@school.example" || got[0].Subject != "Grüße" ||
			got[0].Text != "Hallo 陽翔,\nbis bald\n" || got[0].HTML != "<p>Hallo</p>" {
			t.Errorf("arrived: %+v", got)
		}
		h := got[0].Header
		if h.Get("From") != `"Grove School" <office@school.example>` || h.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(h.Get("Message-Id"), "@school.example>") {
			t.Errorf("head: %v", h)
		}
		if n, err := o.Deliver(t.Context()); n != 0 || err != nil || o.waiting() != 0 || o.count("sent") != 1 {
			t.Errorf("afterwards: %d more, %v, %d wait, %d sent", n, err, o.waiting(), o.count("sent"))
		}
	})
}

// FLT-29: the mail server is down, and back. Letters wait in the database, over a restart too; the outbox says since
// when, and tries less and less often.
func TestServerDownThenBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		o.server.Stop()
		users := []media.ID{o.person(), o.person(), o.person()}
		for _, u := range users {
			o.mustPut(u)
		}
		ctx, stop := context.WithCancel(t.Context())
		running := make(chan error, 1)
		go func() { running <- o.Run(ctx) }()
		o.Wake()
		for o.count("failed") == 0 && t.Context().Err() == nil { // Run is at it
			o.Wake()
		}
		stop()
		if err := <-running; err != nil {
			t.Fatal(err)
		}
		// The next start, when the server answers again.
		next := open(t, db)
		next.pass(2 * time.Minute)
		for range 9 {
			if _, err := next.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(next.server.Mails()); got != 3 || next.waiting() != 0 {
			t.Errorf("%d of 3 arrived, %d wait", got, next.waiting())
		}
	})
}

func TestBackOff(t *testing.T) {
	o := open(t, databasetest.New(t))
	o.server.Stop()
	if err := o.put(o.person(), 1000*time.Hour); err != nil {
		t.Fatal(err)
	}
	tried := func() bool {
		t.Helper()
		n, err := o.Deliver(t.Context())
		if (n == 1) != (err != nil) {
			t.Fatalf("looked at %d, %v", n, err)
		}
		return n == 1
	}
	if !tried() {
		t.Fatal("not tried at once")
	}
	for wait := mail.FirstRetry; ; wait = min(2*wait, mail.LastRetry) {
		o.pass(wait - time.Second)
		if tried() {
			t.Fatalf("tried again before %v", wait)
		}
		o.pass(time.Second)
		if !tried() {
			t.Fatalf("not tried again after %v", wait)
		}
		if wait == mail.LastRetry {
			break
		}
	}
	o.server.Start()
	o.pass(mail.LastRetry)
	if n, err := o.Deliver(t.Context()); n != 1 || err != nil || len(o.server.Mails()) != 1 {
		t.Errorf("the server is back: %d, %v, %d arrived", n, err, len(o.server.Mails()))
	}
}

func TestLettersExpire(t *testing.T) {
	o := open(t, databasetest.New(t))
	o.mustPut(o.person())
	o.pass(time.Hour)
	if n, err := o.Deliver(t.Context()); n != 1 || err != nil || o.waiting() != 0 || o.count("expired") != 1 || len(o.server.Mails()) != 0 {
		t.Errorf("looked at %d, %v, %d wait, %d expired", n, err, o.waiting(), o.count("expired"))
	}
}

func TestStatusSaysSinceWhen(t *testing.T) {
	o := open(t, databasetest.New(t))
	o.server.Stop()
	o.mustPut(o.person())
	begun := o.Now()
	ctx, stop := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() { running <- o.Run(ctx) }()
	status := func(until func(mail.Status) bool) {
		t.Helper()
		for t.Context().Err() == nil {
			s, err := o.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if until(s) {
				return
			}
			o.Wake()
		}
	}
	status(func(s mail.Status) bool { return s.On && s.Waiting == 1 && s.Failing.Equal(begun) })
	o.server.Start()
	o.pass(time.Hour - time.Second)
	status(func(s mail.Status) bool { return s.Waiting == 0 && s.Failing.IsZero() })
	stop()
	if err := <-running; err != nil {
		t.Error(err)
	}
	if log := o.log.String(); strings.Count(log, "mail waits") != 1 || strings.Count(log, "goes out again") != 1 || strings.Contains(log, "x.example") {
		t.Errorf("the log:\n%s", log)
	}
}

// What the server says of one letter is no reason to keep the others.
func TestRefusedAndDeferred(t *testing.T) {
	o := open(t, databasetest.New(t))
	never, later, good, left := o.person(), o.person(), o.person(), o.person()
	o.server.Answer(address(never), 550)
	o.server.Answer(address(later), 451)
	o.gone[left] = true
	for _, u := range []media.ID{never, later, good, left} {
		o.mustPut(u)
	}
	if n, err := o.Deliver(t.Context()); n != 4 || err != nil {
		t.Errorf("looked at %d, %v", n, err)
	}
	if got := o.server.Mails(); len(got) != 1 || got[0].To != address(good) || o.waiting() != 1 {
		t.Errorf("arrived %+v, %d wait; want the good one, and one deferred", got, o.waiting())
	}
	if len(o.refused) != 1 || o.refused[0] != never || strings.Contains(o.log.String(), "x.example") {
		t.Errorf("told of %v, log\n%s", o.refused, o.log)
	}
	o.server.Answer(address(later), 0)
	o.pass(mail.FirstRetry)
	if n, err := o.Deliver(t.Context()); n != 1 || err != nil || o.waiting() != 0 {
		t.Errorf("the deferred one: %d, %v, %d wait", n, err, o.waiting())
	}
	for result, want := range map[string]int{"refused": 1, "deferred": 1, "sent": 2, "unwanted": 1} {
		if got := o.count(result); got != want {
			t.Errorf("%d %s, want %d", got, result, want)
		}
	}
}

func TestTwoNodesSendOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		for range 20 {
			o.mustPut(o.person())
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := o.Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, m := range o.server.Mails() {
			if seen[m.To] {
				t.Errorf("%s got two", m.To)
			}
			seen[m.To] = true
		}
		if len(seen) != 20 {
			t.Errorf("%d of 20 arrived", len(seen))
		}
	})
}

func TestOutboxIsBounded(t *testing.T) {
	o := open(t, databasetest.New(t))
	user := o.person()
	err := o.db.Tx(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec(fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "+
			"INSERT INTO mails (id, user_id, kind, created_at, expires_at, due_at, tries) SELECT i, ?, i, 1, 2, 9e15, 0 FROM n", mail.MaxWaiting-1), user).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	o.mustPut(user)
	if err := o.put(o.person(), time.Hour); !errors.Is(err, mail.ErrFull) || o.count("full") != 1 {
		t.Errorf("one too many: %v", err)
	}
	if err := o.db.Tx(t.Context(), func(tx *gorm.DB) error { return o.Drop(t.Context(), tx, user) }); err != nil || o.waiting() != 0 {
		t.Errorf("drop: %v, %d wait", err, o.waiting())
	}
}

func TestOff(t *testing.T) {
	db := databasetest.New(t)
	o, err := mail.New(mail.Config{DB: db})
	if err != nil || o.On() {
		t.Fatal(err, o.On())
	}
	if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return o.Put(t.Context(), tx, 1, "hello", time.Hour) }); err != nil {
		t.Errorf("put while off: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := o.Run(ctx); err != nil {
		t.Error(err)
	}
}

// SEC-73: nothing that comes from people gets into the head of a mail.
func TestHeadersCannotBeInjected(t *testing.T) {
	server := mailtest.New(t)
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: server.URL(""), From: "office@school.example", TLS: server.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	send := func(to, subject, text string) error {
		return s.Send(t.Context(), mail.Message{ID: media.NewID(), To: to, Mail: templates.Mail{Subject: subject, Text: text, HTML: text}})
	}
	for _, c := range []struct{ to, subject string }{
		{"a@x.example\r\nBcc: b@x.example", "s"},
		{"a@x.example\nRCPT TO:<b@x.example>", "s"},
		{"a@x.example>, <b@x.example", "s"},
		{`"b@x.example" <a@x.example>`, "s"},
		{"a@x.example, b@x.example", "s"},
		{strings.Repeat("a", 250) + "@x.example", "s"},
		{"", "s"},
		{"a@x.example", "s\r\nBcc: b@x.example"},
		{"a@x.example", "s\nBcc: b@x.example"},
		{"a@x.example", strings.Repeat("s", 1001)},
	} {
		if err := send(c.to, c.subject, "t"); !errors.Is(err, mail.ErrRefused) {
			t.Errorf("to %.40q, subject %.40q: %v", c.to, c.subject, err)
		}
	}
	for _, subject := range []string{"=?utf-8?q?Bcc=3A?=", "Grüße\u2028Bcc: b@x.example", "a\u0085Bcc: b", strings.Repeat("数学", 150)} {
		if err := send("李雷@x.example", subject, ".\r\n.\r\nMAIL FROM:<evil@x.example>\n\r\nBcc: b@x.example"); err != nil {
			t.Errorf("subject %.40q: %v", subject, err)
		}
	}
	for _, m := range server.Mails() {
		if m.To != "李雷@x.example" || m.Header.Get("Bcc") != "" || len(m.Header["To"]) != 1 || len(m.Header["Subject"]) != 1 {
			t.Errorf("to %s, head %v", m.To, m.Header)
		}
	}
	if got := server.Mails(); len(got) != 4 || got[1].Subject != "Grüße\u2028Bcc: b@x.example" {
		t.Errorf("%d arrived: %+v", len(got), got)
	}
}

func TestSMTPSettings(t *testing.T) {
	for _, c := range []struct {
		url, password, from string
		good                bool
	}{
		{"smtp://mail.example", "", "a@x.example", true},
		{"smtp://u@mail.example:2525", "p", "Grove <a@x.example>", true},
		{"smtps://u%40x.example@mail.example", "p", "a@x.example", true},
		{"smtps://[::1]:465", "", "a@x.example", true},
		{"", "", "a@x.example", false},
		{"mail.example:25", "", "a@x.example", false},
		{"http://mail.example", "", "a@x.example", false},
		{"smtp://mail.example/path", "", "a@x.example", false},
		{"smtp://mail.example:0", "", "a@x.example", false},
		{"smtp://mail.example:70000", "", "a@x.example", false},
		{"smtp://u:p@mail.example", "", "a@x.example", false},
		{"smtp://u@mail.example", "", "a@x.example", false},
		{"smtp://mail.example", "p", "a@x.example", false},
		{"smtp://mail.example", "", "", false},
		{"smtp://mail.example", "", "a@x.example\r\nBcc: b@x.example", false},
		{"smtp://mail.example", "", "a@x.example, b@x.example", false},
	} {
		_, err := mail.NewSMTP(mail.SMTPConfig{URL: c.url, Password: media.Secret(c.password), From: c.from})
		if (err == nil) != c.good {
			t.Errorf("%q from %q: %v", c.url, c.from, err)
		}
		if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestSigningIn(t *testing.T) {
	server := mailtest.New(t)
	server.User, server.Password = "office@school.example", "s3cret"
	check := func(password media.Secret) error {
		cfg := mail.SMTPConfig{URL: server.URL("office%40school.example"), Password: password, From: "office@school.example", TLS: server.TLS()}
		s, err := mail.NewSMTP(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			return err
		}
		return s.Send(t.Context(), mail.Message{ID: 1, To: "a@x.example", Mail: templates.Mail{Subject: "s", Text: "t", HTML: "h"}})
	}
	if err := check("s3cret"); err != nil || len(server.Mails()) != 1 {
		t.Errorf("good password: %v", err)
	}
	if err := check("guess"); err == nil || strings.Contains(err.Error(), "guess") || errors.Is(err, mail.ErrRefused) {
		t.Errorf("wrong password: %v", err)
	}
	relay := mailtest.New(t) // takes mail of the house, with a certificate of its own
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: relay.URL(""), From: "office@school.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("a relay in the house: %v", err)
	}
	server.Stop()
	if err := check("s3cret"); err == nil {
		t.Error("checked a server that is down")
	}
}
