package classroom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom"
	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/templates"
)

// school is a whole classroom behind a real HTTP server, with two courses and everybody that routes tell apart.
type school struct {
	t      *testing.T
	k      *classroom.Classroom
	db     *database.DB
	url    string
	origin *origin
	clock  *clock
	course media.ID // where teacher, assistant and student are
	other  media.ID // where the others are
	people map[string]*person
	guest  media.ID // somebody in no course, for what is done to people

	mu     sync.Mutex
	denied map[uint64]time.Time
}

func (s *school) deny(viewer uint64, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[viewer] = until
}

func (s *school) deniedTickets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.denied)
}

// The people, by what they are. "nobody" is not signed in; "disabled" is a student of the course whose account was
// closed while they were.
var roles = []string{"nobody", "student", "outsider", "teacher", "stranger", "assistant", "admin", "disabled"}

type person struct {
	id   media.ID
	http *http.Client
}

const password = "correct horse battery"

// morning is when every test begins: 08:30 in Berlin, in a future far enough for the deadlines of real sockets.
var morning = time.Date(2031, 10, 15, 6, 30, 0, 0, time.UTC)

// clock is the time of everything, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// origin is the other wing: channels that tests set, and what it was told.
type origin struct {
	mu       sync.Mutex
	channels map[media.ID]media.ChannelStatus
}

func (o *origin) GoLive(_ context.Context, lesson, _ media.ID) error {
	o.set(lesson, media.ChannelStatus{Publishing: true, Live: true, LatencyTarget: 1500 * time.Millisecond})
	return nil
}

func (o *origin) End(_ context.Context, lesson media.ID) error {
	o.set(lesson, media.ChannelStatus{Ended: true, Replay: true})
	return nil
}

func (o *origin) Status(id media.ID) media.ChannelStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.channels[id]
}

func (o *origin) set(id media.ID, st media.ChannelStatus) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.channels[id] = st
}

var pages = sync.OnceValues(templates.New)

func newSchool(t *testing.T) *school {
	t.Helper()
	db := databasetest.New(t)
	_, err := db.SQL().ExecContext(t.Context(), "PRAGMA synchronous = OFF") // no test pulls the plug
	if err != nil {
		t.Fatal(err)
	}
	return newSchoolOn(t, db)
}

func newSchoolOn(t *testing.T, db *database.DB) *school {
	t.Helper()
	return newSchoolWith(t, db, func(*classroom.Config) {})
}

// newSchoolWith is newSchool with a configuration of its own.
func newSchoolWith(t *testing.T, db *database.DB, configure func(*classroom.Config)) *school {
	t.Helper()
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	s := &school{
		t: t, db: db, origin: &origin{channels: map[media.ID]media.ChannelStatus{}}, people: map[string]*person{},
		clock: &clock{now: morning}, denied: map[uint64]time.Time{},
	}
	cfg := classroom.Config{
		DB: db, Pages: set, Origin: s.origin, Server: "rtmp://school.example/live",
		Ticket: func(channel media.ID, viewer uint64, staff bool, until time.Time) string {
			return fmt.Sprintf("/p/%x-%v-%d/l/%s/index.m3u8", viewer, staff, until.Unix(), channel)
		},
		Deny: s.deny,
		Media: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "media "+r.URL.Path)
		}),
		Cost: accounts.Cost{MemoryKiB: 64, Passes: 1}, Log: slog.New(slog.DiscardHandler), Now: s.clock.Now,
		KeepRecordings: 180,
	}
	configure(&cfg)
	s.k, err = classroom.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.k.Handler())
	t.Cleanup(func() {
		s.k.Web.Drain()
		srv.Close()
	})
	s.url = srv.URL
	s.populate()
	s.run()
	return s
}

// run keeps the features going until the test ends.
func (s *school) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.k.Run(ctx) }() // ends with cancel
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
}

func (s *school) populate() {
	s.t.Helper()
	ctx := s.t.Context()
	var list []accounts.NewUser
	for _, name := range roles[1:] {
		list = append(list, accounts.NewUser{
			DisplayName: "Person " + name, GivenName: "Person", FamilyName: name, Email: name + "@school.example",
			Password: password, Admin: name == "admin",
		})
	}
	users, err := s.k.Accounts.CreateMany(ctx, 0, list)
	s.must(err)
	s.people["nobody"] = &person{http: s.browser()}
	for i, name := range roles[1:] {
		s.people[name] = &person{id: users[i].ID, http: s.browser()}
	}
	s.course = s.newCourse("BIO-7B", "teacher")
	s.other = s.newCourse("PHY-8A", "stranger")
	s.enroll(s.course, courses.Student, "student", "disabled")
	s.enroll(s.course, courses.Assistant, "assistant")
	s.enroll(s.other, courses.Student, "outsider")
	for _, name := range roles[1:] {
		s.signIn(name)
	}
	s.must(s.k.Accounts.Disable(ctx, 0, s.people["disabled"].id))
	guest, err := s.k.Accounts.Create(ctx, 0, accounts.NewUser{Email: "guest@school.example", DisplayName: "Gus Guest", Password: password})
	s.must(err)
	s.guest = guest.ID
}

func (s *school) newCourse(code, teacher string) media.ID {
	s.t.Helper()
	c, err := s.k.Courses.Create(s.t.Context(), 0, courses.NewCourse{
		Code: code, Title: "Course " + code, Term: "2026", Zone: "Europe/Berlin", Teacher: s.people[teacher].id,
	})
	s.must(err)
	return c.ID
}

func (s *school) enroll(course media.ID, role courses.Role, names ...string) {
	s.t.Helper()
	for _, name := range names {
		_, err := s.k.Courses.EnrollAll(s.t.Context(), 0, course, []courses.NewMember{{User: s.people[name].id, Role: role}})
		s.must(err)
	}
}

func (s *school) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *school) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	s.must(err)
	return &http.Client{
		Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *school) signIn(name string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"email":"%s@school.example","password":%q}`, name, password)
	if a := s.ask(name, "POST", "/api/v1/session", body); a.status != http.StatusOK {
		s.t.Fatalf("sign in %s: %d %s", name, a.status, a.body)
	}
}

type answer struct {
	status   int
	body     string
	location string
}

// ask sends a request as somebody. A body that begins with { is JSON, any other a form.
func (s *school) ask(who, method, path, body string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	s.must(err)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := s.people[who].http.Do(r)
	s.must(err)
	defer res.Body.Close()
	a := answer{status: res.StatusCode, location: res.Header.Get("Location")}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return a // it does not end
	}
	b, err := io.ReadAll(res.Body)
	s.must(err)
	a.body = string(b)
	return a
}

// json asks and reads the answer.
func (s *school) json(who, method, path, body string, v any) answer {
	s.t.Helper()
	a := s.ask(who, method, path, body)
	if err := json.NewDecoder(bytes.NewReader([]byte(a.body))).Decode(v); err != nil {
		s.t.Fatalf("%s %s: %d %q: %v", method, path, a.status, a.body, err)
	}
	return a
}

// lesson makes a lesson of the course that starts in some minutes.
func (s *school) lesson(in time.Duration) media.ID {
	s.t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	s.must(err)
	start := s.clock.Now().Add(in).In(berlin)
	rows, err := s.k.Lessons.Create(s.t.Context(), lessons.Draft{
		Course: s.course, Title: "Cells", By: s.people["teacher"].id,
		Plan: lessons.Plan{
			Date: start.Format("2006-01-02"), Start: start.Format("15:04"), End: start.Add(45 * time.Minute).Format("15:04"), Zone: "Europe/Berlin",
		},
	})
	s.must(err)
	return rows[0].ID
}

// stream connects an encoder of somebody.
func (s *school) stream(who string) media.Grant {
	s.t.Helper()
	key, err := s.k.Accounts.CreateKey(s.t.Context(), s.people[who].id, "laptop")
	s.must(err)
	g, err := s.k.Lessons.Admit(s.t.Context(), media.Attempt{Protocol: media.RTMP, Key: key, HasKey: true})
	s.must(err)
	s.k.Lessons.Started(g, []media.Track{{Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}}, "OBS 32")
	s.beat(g)
	s.origin.set(g.Publisher, media.ChannelStatus{Publishing: true, Live: true})
	return g
}

// pass lets d go by in which the encoder sends all the time. Its newest health is there before the clock is: whoever looks
// in between must not see an encoder that was silent for so long.
func (s *school) pass(g media.Grant, d time.Duration) {
	s.health(g, s.clock.Now().Add(d))
	s.clock.add(d)
}

// beat is one second of an encoder's health.
func (s *school) beat(g media.Grant) { s.health(g, s.clock.Now()) }

func (s *school) health(g media.Grant, at time.Time) {
	s.k.Lessons.Health(g, media.Health{
		At: at, BitrateBPS: 2_500_000, FPSMilli: 30_000, Encoder: "OBS 32",
		Tracks:   []media.Track{{Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}},
		Warnings: []media.Warning{{Code: media.KeyframeLong, Detail: "8.3", Since: at}},
	})
}
