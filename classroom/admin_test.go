package classroom_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom"
	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// The school's periods are what the privacy page says and what the nightly sweep does: nothing older remains, registers
// and the chain of the audit log do (SEC-82, SEC-83).
func TestRetention(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchoolOn(t, db)
		form := func(over string) string {
			v := url.Values{"name": {"Grove"}, "zone": {"Europe/Berlin"}, "lang": {"ja"}, "chat": {"60"}, "attendance": {"100"}, "audit": {"200"}, "access": {"20"}}
			name, value, _ := strings.Cut(over, "=")
			v.Set(name, value)
			return v.Encode()
		}
		for _, bad := range []string{"access=31", "attendance=29", "audit=x", "chat=", "zone=Middle Earth", "name="} {
			if a := s.ask("admin", "POST", "/school", form(bad)); a.status != http.StatusBadRequest || !strings.Contains(a.body, `aria-invalid="true"`) {
				t.Errorf("POST /school with %s: %d, want a form that says what is wrong", bad, a.status)
			}
		}
		if a := s.ask("admin", "POST", "/school", form("access=21")); a.status != http.StatusSeeOther {
			t.Fatalf("POST /school: %d %.300s", a.status, a.body)
		}
		if got := s.k.Accounts.School().Retention; got != (accounts.Retention{Chat: 60, Attendance: 100, Audit: 200, Access: 21}) {
			t.Fatalf("periods %+v", got)
		}
		s.wantPage("nobody", "/privacy", "60日", "100日", "200日", "21日", "180日")

		id := s.pastLesson(db)
		s.must(db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("UPDATE sessions SET device = 'Firefox · Linux'").Error }))
		count := func(query string) (n int64) {
			t.Helper()
			s.must(db.Reader().Raw(query).Scan(&n).Error)
			return n
		}
		registers := count("SELECT count(*) FROM register_rows")
		const dated = "SELECT (SELECT count(*) FROM views) + (SELECT count(*) FROM intervals) + (SELECT count(*) FROM join_failures)"
		if count(dated) < 3 || registers == 0 || count("SELECT count(*) FROM publish_attempts") == 0 {
			t.Fatal("there is nothing to sweep")
		}
		sweep := func(day int) {
			t.Helper()
			s.clock.set(morning.AddDate(0, 0, day))
			s.must(s.k.Sweep(t.Context()))
		}
		sweep(20)
		if count("SELECT count(*) FROM publish_attempts") == 0 || count("SELECT count(*) FROM sessions WHERE device <> ''") == 0 {
			t.Error("what encoders tried, or on what people signed in, went early")
		}
		sweep(22)
		if a, d := count("SELECT count(*) FROM publish_attempts"), count("SELECT count(*) FROM sessions WHERE device <> ''"); a != 0 || d != 0 {
			t.Errorf("after 22 days: %d attempts of encoders, %d devices", a, d)
		}
		sweep(99)
		if count(dated) < 3 {
			t.Error("attendance went early")
		}
		sweep(102)
		if n := count(dated); n != 0 {
			t.Errorf("after 102 days: %d views, intervals and failed attempts", n)
		}
		if n := count("SELECT count(*) FROM register_rows"); n != registers {
			t.Errorf("%d rows of registers, want all %d", n, registers)
		}
		if err := s.k.Attendance.Recompute(t.Context(), s.people["admin"].id, id); err == nil || !strings.Contains(err.Error(), "register.swept") {
			t.Errorf("count again what is gone: %v", err)
		}
		oldest := count("SELECT min(seq) FROM audit")
		sweep(203)
		if n := count("SELECT min(seq) FROM audit"); n <= oldest {
			t.Errorf("the audit log still begins at line %d", n)
		}
		if _, err := audit.Verify(t.Context(), db); err != nil {
			t.Error(err)
		}
		found, err := audit.Of(t.Context(), db.Reader(), "school", 3)
		if err != nil || len(found) == 0 || found[0].Action != "retention.run" {
			t.Errorf("the newest line about the school: %+v, %v", found, err)
		}
	})
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// pastLesson is over, with everything that a lesson leaves behind.
func (s *school) pastLesson(db *database.DB) media.ID {
	s.t.Helper()
	id := s.lesson(0)
	g := s.stream("teacher")
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/live", "{}"); a.status != 200 {
		s.t.Fatalf("Go live: %d %s", a.status, a.body)
	}
	p := &page{s: s, who: "student", lesson: id, air: g}
	p.beat(0)
	p.beat(30 * time.Second)
	if a := s.ask("student", "POST", "/api/v1/lessons/"+id.String()+"/attempts", `{"reason":"server_busy"}`); a.status != 204 {
		s.t.Fatalf("attempt: %d", a.status)
	}
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/end", "{}"); a.status != 200 {
		s.t.Fatalf("End: %d", a.status)
	}
	s.must(db.Tx(s.t.Context(), func(tx *gorm.DB) error { // as the clock does after a quarter of an hour
		at := database.At(s.clock.Now())
		return errors.Join(
			tx.Exec("UPDATE lessons SET state = 'closed', closed_at = ? WHERE id = ?", at, id).Error,
			tx.Exec("INSERT INTO registers (lesson_id, version, closed_at, closed_by, policy, policy_version, counted, outside, programme_s, intervals_hash, settles_at, settled) "+
				"VALUES (?, 1, ?, 0, '{}', 1, '[]', FALSE, 30, ?, 1, TRUE)", id, at, make([]byte, 32)).Error,
			tx.Exec("INSERT INTO register_rows (lesson_id, version, user_id, section, live_status, status, visits, devices, attended, attending_s, played_s, late_s, early_s, replay_s, covered_s) "+
				"VALUES (?, 1, ?, '', 'present', 'present', '[]', 1, TRUE, 30, 30, 0, 0, 0, 30)", id, s.people["student"].id).Error,
		)
	}))
	return id
}

// A program signs in with a token: it reads, and changes only when the token may; it acts as who made it, and ends with
// the token, its time, or its maker.
func TestTokens(t *testing.T) {
	s := newSchool(t)
	api := func(method, path, token, body string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		s.must(err)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultTransport.RoundTrip(r)
		s.must(err)
		res.Body.Close()
		return res.StatusCode
	}
	made := regexp.MustCompile(`cct_[A-Za-z0-9_-]{43}`)
	make := func(scope string) string {
		t.Helper()
		a := s.ask("admin", "POST", "/tokens", "name=Timetable+sync&days=30&scope="+scope)
		token := made.FindString(a.body)
		if a.status != 200 || token == "" {
			t.Fatalf("make a token: %d", a.status)
		}
		return token
	}
	read, change := make("read"), make("write")
	if page := s.wantPage("admin", "/tokens", "Timetable sync"); made.MatchString(page) {
		t.Error("the page shows a token a second time")
	}
	course := fmt.Sprintf(`{"code":"T-%d","title":"x","term":"2026"}`, 1)
	for _, c := range []struct {
		what         string
		method, path string
		token        string
		want         int
	}{
		{"reads", "GET", "/api/v1/me", read, 200},
		{"reads what admins may", "GET", "/api/v1/registers.csv", read, 200},
		{"may not change", "POST", "/api/v1/courses", read, 403},
		{"may change", "POST", "/api/v1/courses", change, 201},
		{"opens no page", "GET", "/today", change, 303},
		{"is nobody's", "GET", "/api/v1/me", "cct_" + strings.Repeat("a", 43), 401},
		{"is none", "GET", "/api/v1/me", "x", 401},
	} {
		if got := api(c.method, c.path, c.token, course); got != c.want {
			t.Errorf("a token that %s: %s %s answers %d, want %d", c.what, c.method, c.path, got, c.want)
		}
	}
	if a := s.ask("admin", "POST", "/tokens", "name=x&scope=read&days=367"); a.status != 400 || !strings.Contains(a.body, "366") {
		t.Errorf("a token for more than a year: %d", a.status)
	}
	list, err := s.k.Accounts.Tokens(t.Context())
	s.must(err)
	for _, token := range list {
		if token.Scope == accounts.ScopeWrite {
			if a := s.ask("admin", "POST", fmt.Sprintf("/tokens/%016x/revoke", token.ID), ""); a.status != 303 {
				t.Errorf("revoke: %d", a.status)
			}
		}
	}
	if got := api("GET", "/api/v1/me", change, ""); got != 401 {
		t.Errorf("a revoked token: %d", got)
	}
	s.clock.add(31 * 24 * time.Hour)
	if got := api("GET", "/api/v1/me", read, ""); got != 401 {
		t.Errorf("an expired token: %d", got)
	}
	s.signIn("admin")
	last := make("read")
	other, err := s.k.Accounts.Create(t.Context(), 0, accounts.NewUser{DisplayName: "Other", Admin: true})
	s.must(err)
	s.must(s.k.Accounts.Disable(t.Context(), other.ID, s.people["admin"].id))
	if got := api("GET", "/api/v1/me", last, ""); got != 401 {
		t.Errorf("the token of somebody whose account was closed: %d", got)
	}
}

// The audit log is found by who, what, about what and when, and leaves as CSV with a line about that.
func TestAuditPage(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	s.must(s.k.Accounts.SetSchool(ctx, s.people["admin"].id, "=CMD()", "Europe/Berlin", "en"))
	s.wantPage("admin", "/audit?who=admin@school.example&what=school.", "school.edit", "Person admin", "=CMD()")
	if page := s.wantPage("admin", "/audit?what=user."); strings.Contains(page, "school.edit") {
		t.Error("the filter lets other actions through")
	}
	s.wantPage("admin", "/audit?who=eve@school.example", "Nobody has this address.")
	s.wantPage("admin", "/audit?from=2031-99-01", "A date looks like")
	s.wantPage("admin", "/audit?from=2031-10-16", "No line is like that.")
	a := s.ask("admin", "GET", "/api/v1/audit.csv?what=school.", "")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][4] != "school.edit" || rows[1][1] != "2031-10-15T06:30:00.000Z" {
		t.Errorf("CSV: %q, %v", rows, err)
	}
	s.wantPage("admin", "/audit?what=audit.export", "audit.export")
}

// The self-test runs once for all who ask, says how far it is, and names what does not work.
func TestSelfTest(t *testing.T) {
	hold := make(chan struct{})
	runs := 0
	s := newSchoolWith(t, databasetest.New(t), func(c *classroom.Config) {
		c.Checks = []classroom.Check{
			{Name: "ports", Try: func(context.Context) error { runs++; return nil }},
			{Name: "storage", Try: func(context.Context) error { <-hold; return errors.New("bucket is gone") }},
		}
	})
	s.wantPage("admin", "/health", "Run the self-test")
	for range 3 {
		if a := s.ask("admin", "POST", "/health", ""); a.status != 303 || a.location != "/health" {
			t.Fatalf("run: %d to %q", a.status, a.location)
		}
	}
	s.wait("the first part is done", func() bool { return strings.Contains(s.wantPage("admin", "/health", "data-running"), `value="1"`) })
	close(hold)
	s.wait("the run is done", func() bool { return !strings.Contains(s.wantPage("admin", "/health"), "data-running") })
	s.wantPage("admin", "/health", "1 thing needs you", "bucket is gone", "Ports")
	if runs != 1 {
		t.Errorf("%d runs, want one", runs)
	}
}

// What somebody will ask about later stands in the audit log, with who did it: sign-ins that worked and that did not,
// keys, broadcasts, roles and enrollments, class lists, corrections with old, new and why, exports, recordings that staff
// looked at, and what people were refused (SEC-44, SEC-81).
func TestAuditHasWhatMatters(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	admin, student, teacher := s.people["admin"].id, s.people["student"].id, s.people["teacher"].id
	id := s.lesson(0)
	lesson, course := "/lessons/"+id.String(), "/courses/"+s.course.String()
	ask := func(who, method, path, body string, want int) {
		t.Helper()
		if a := s.ask(who, method, path, body); a.status != want {
			t.Fatalf("%s %s as %s: %d %.200s, want %d", method, path, who, a.status, a.body, want)
		}
	}
	ask("nobody", "POST", "/api/v1/session", `{"email":"student@school.example","password":"wrong"}`, 401)
	g := s.stream("teacher")
	ask("teacher", "POST", "/api/v1"+lesson+"/live", "{}", 200)
	s.k.Lessons.Ended(g, media.End{At: s.clock.Now(), Stopped: true})
	ask("teacher", "POST", "/api/v1"+lesson+"/end", "{}", 200)
	ask("teacher", "GET", "/api/v1"+lesson+"/playback", "", 200)
	ask("student", "GET", "/api/v1"+lesson+"/playback", "", 200) // what students watch is in the register
	ask("teacher", "POST", "/api/v1"+lesson+"/register/corrections", `{"students":["`+student.String()+`"],"status":"excused","reason":"illness"}`, 200)
	ask("teacher", "GET", "/api/v1"+lesson+"/register.csv", "", 200)
	ask("student", "GET", "/today", "", 404)
	ask("outsider", "GET", course, "", 404)
	ask("student", "GET", lesson+"/studio", "", 403)
	keys, err := s.k.Accounts.Keys(ctx, teacher)
	s.must(err)
	ask("teacher", "POST", "/settings/keys/"+keys[0].ID+"/revoke", "", 303)
	ask("teacher", "POST", "/api/v1"+course+"/enrollments/import", "email,given_name,family_name\nnew@school.example,New,Pupil\n", 200)
	s.must(s.k.Accounts.SetAdmin(ctx, admin, teacher, true))
	s.must(s.k.Courses.Leave(ctx, admin, s.course, student))

	var entries []audit.Entry
	find := func(action string, actor media.ID) *audit.Entry {
		for i, e := range entries {
			if e.Action == action && (actor == 0 || e.Actor == actor) {
				return &entries[i]
			}
		}
		return nil
	}
	s.wait("the end of the broadcast and the refused sign-in are written down", func() bool {
		var err error
		entries, err = audit.Search(ctx, s.db.Reader(), audit.Filter{}, 1000)
		s.must(err)
		return find("broadcast.stop", teacher) != nil && find("session.refused", 0) != nil
	})
	for _, want := range []struct {
		action string
		actor  media.ID
	}{
		{"session.start", student},
		{"session.refused", 0},
		{"key.create", teacher},
		{"key.revoke", teacher},
		{"broadcast.start", teacher},
		{"lesson.live", teacher},
		{"lesson.end", teacher},
		{"recording.view", teacher},
		{"register.correct", teacher},
		{"register.export", teacher},
		{"roster.import", teacher},
		{"enrollment.begin", 0},
		{"enrollment.end", admin},
		{"user.admin", admin},
		{"user.create", 0},
		{"user.disable", 0},
		{"course.create", 0},
	} {
		if find(want.action, want.actor) == nil {
			t.Errorf("the log does not have %s by %s", want.action, want.actor)
		}
	}
	if find("recording.view", student) != nil {
		t.Error("a student's own watching is a line")
	}
	detail := fmt.Sprint(find("register.correct", teacher).Detail)
	for _, word := range []string{student.String(), "excused", "illness"} {
		if !strings.Contains(detail, word) {
			t.Errorf("the correction's line %s does not say %s", detail, word)
		}
	}
	denied := map[string]bool{}
	for _, e := range entries {
		if e.Action == "access.denied" {
			denied[e.Object+" "+e.Actor.String()] = true
		}
	}
	for _, want := range []string{"route:/today " + student.String(), audit.Object("course", s.course) + " " + s.people["outsider"].id.String(), audit.Object("course", s.course) + " " + student.String()} {
		if !denied[want] {
			t.Errorf("no line about the refusal %s; there are %v", want, denied)
		}
	}
	for _, e := range entries {
		if text := fmt.Sprint(e.Detail, e.Object); strings.Contains(text, "@school.example") {
			t.Errorf("line %d holds a mail address: %s", e.Seq, text)
		}
	}
}
