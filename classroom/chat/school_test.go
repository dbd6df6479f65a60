package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"chalkcast/classroom/chat"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

var (
	pages = sync.OnceValues(templates.New)
	nine  = time.Date(2026, 9, 7, 9, 0, 0, 0, time.UTC)
)

// school is a live lesson with its room behind an HTTP server. Nobody signs in: a token is the person's name.
type school struct {
	t       testing.TB
	db      *database.DB
	chat    *chat.Chat
	lessons *lessons.Lessons
	metrics *prometheus.Registry
	course  media.ID
	lesson  media.ID
	people  map[string]*web.Viewer // tina teaches, sue, sam and sol learn, ann is an admin
	url     string
	clock   atomic.Int64 // Unix milliseconds
}

func (s *school) now() time.Time       { return time.UnixMilli(s.clock.Load()).UTC() }
func (s *school) pass(d time.Duration) { s.clock.Add(d.Milliseconds()) }

// newSchool writes the rows; open starts the feature.
func newSchool(t testing.TB, db *database.DB) *school {
	t.Helper()
	s := &school{t: t, db: db, course: media.NewID(), lesson: media.NewID(), people: map[string]*web.Viewer{}}
	s.clock.Store(nine.Add(10 * time.Minute).UnixMilli())
	s.exec(`INSERT INTO courses (id, code, title, term, zone, policy, auto_live, created_at, archived_at)
		VALUES (?, ?, 'Biology 7b', '2026', 'UTC', '{}', ?, 1, 0)`, s.course, "BIO-"+s.course.String(), false)
	for _, name := range []string{"tina", "sue", "sam", "sol", "ann"} {
		s.people[name] = &web.Viewer{ID: media.NewID(), Name: name, Admin: name == "ann"}
		s.exec(`INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at)
			VALUES (?, ?, ?, '', '', ?, '', ?, '', 1, 0)`, s.people[name].ID, name+"@school.example", "Person "+name, name, name == "ann")
	}
	for name, role := range map[string]courses.Role{"tina": courses.Teacher, "sue": courses.Student, "sam": courses.Student, "sol": courses.Student} {
		s.exec(`INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at) VALUES (?, ?, ?, ?, '', 1, 0)`,
			media.NewID(), s.course, s.people[name].ID, role)
	}
	s.exec(`INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at,
		planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by)
		VALUES (?, ?, 0, 'Cells', '2026-09-07', '09:00', '09:45', 'UTC', ?, ?, 0, 'live', 0, ?, 0, 0, 1, ?)`,
		s.lesson, s.course, database.At(nine), database.At(nine.Add(45*time.Minute)), database.At(nine), s.people["tina"].ID)
	s.exec(`INSERT INTO air_intervals (id, lesson_id, broadcast_id, from_at, until_at, seen_at) VALUES (?, ?, 1, ?, ?, ?)`,
		media.NewID(), s.lesson, database.At(nine), database.At(nine.Add(3*time.Minute)), database.At(nine.Add(3*time.Minute)))
	s.exec(`INSERT INTO air_intervals (id, lesson_id, broadcast_id, from_at, until_at, seen_at) VALUES (?, ?, 1, ?, 0, ?)`,
		media.NewID(), s.lesson, database.At(nine.Add(5*time.Minute)), database.At(nine.Add(10*time.Minute)))
	return s
}

func (s *school) exec(query string, args ...any) {
	s.t.Helper()
	err := s.db.Tx(s.t.Context(), func(tx *gorm.DB) error { return tx.Exec(query, args...).Error })
	if err != nil {
		s.t.Fatalf("%.60s…: %v", query, err)
	}
}

// open starts the feature until the test ends or close is called, which waits for it.
func (s *school) open() (close func()) {
	s.t.Helper()
	f := s.make()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }() // ends with cancel
	var once sync.Once
	close = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				s.t.Errorf("run: %v", err)
			}
		})
	}
	s.t.Cleanup(close)
	return close
}

// make puts the feature together without running it.
func (s *school) make() *chat.Chat {
	s.t.Helper()
	bus, err := push.NewLocal(nil)
	s.must(err)
	co := courses.New(courses.Config{DB: s.db, Log: slog.New(slog.DiscardHandler), Now: s.now})
	s.metrics = prometheus.NewRegistry()
	s.lessons = lessons.New(lessons.Config{DB: s.db, Bus: bus, Now: s.now})
	s.chat, err = chat.New(chat.Config{
		DB: s.db, Courses: co, Lessons: s.lessons, Bus: bus, WriteSpacing: time.Millisecond, NewsSpacing: 5 * time.Millisecond,
		Metrics: s.metrics, Log: slog.New(slog.DiscardHandler), Now: s.now,
	})
	s.must(err)
	set, err := pages()
	s.must(err)
	srv, err := web.New(web.Config{
		Pages: set, Now: s.now, Log: slog.New(slog.DiscardHandler), School: func() web.School { return web.School{Name: "School", Lang: "en"} },
		Identify: func(_ context.Context, token string) (*web.Viewer, error) { return s.people[token], nil },
	})
	s.must(err)
	s.chat.Routes(srv)
	h := httptest.NewServer(srv.Handler())
	s.t.Cleanup(h.Close)
	s.url = h.URL
	return s.chat
}

func (s *school) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

type answer struct {
	status int
	code   string
	id     string
	body   []byte
}

// ask sends a request about the lesson as somebody; body is JSON or nil.
func (s *school) ask(who, method, path string, body any) answer {
	s.t.Helper()
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		s.must(err)
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1/lessons/"+s.lesson.String()+path, sent)
	s.must(err)
	r.AddCookie(&http.Cookie{Name: "cc", Value: who})
	res, err := http.DefaultClient.Do(r)
	s.must(err)
	defer res.Body.Close()
	a := answer{status: res.StatusCode}
	a.body, err = io.ReadAll(res.Body)
	s.must(err)
	var known struct{ Code, ID string }
	if len(a.body) > 0 {
		s.must(json.Unmarshal(a.body, &known))
	}
	a.code, a.id = known.Code, known.ID
	return a
}

// post does what must work and returns the id of what it made.
func (s *school) post(who, path string, body any) string {
	s.t.Helper()
	a := s.ask(who, "POST", path, body)
	if a.status != http.StatusCreated && a.status != http.StatusNoContent {
		s.t.Fatalf("POST %s as %s: %d %s", path, who, a.status, a.body)
	}
	return a.id
}

// refused does what must be refused.
func (s *school) refused(who, path string, body any, status int, code string) {
	s.t.Helper()
	if a := s.ask(who, "POST", path, body); a.status != status || a.code != code {
		s.t.Errorf("POST %s as %s: %d %s, want %d %s", path, who, a.status, a.body, status, code)
	}
}

type m = map[string]any

func (s *school) say(who, text string) string {
	s.t.Helper()
	return s.post(who, "/chat", m{"text": text})
}

// read is the room as somebody reads it; query is empty or ?after=.
func (s *school) read(who, query string) (n chat.News, text string) {
	s.t.Helper()
	a := s.ask(who, "GET", "/chat"+query, nil)
	if a.status != http.StatusOK {
		s.t.Fatalf("GET chat%s as %s: %d %s", query, who, a.status, a.body)
	}
	s.must(json.Unmarshal(a.body, &n))
	return n, string(a.body)
}

// page is an open page: what it was told, and every byte of it.
type page struct {
	s        *school
	l        *chat.Listener
	wire     strings.Builder
	rev      string
	messages map[media.ID]chat.Message
	last     map[string]chat.Hand
	polls    map[media.ID]chat.Poll
	asked    map[media.ID]chat.Question
	muted    *bool
}

func (s *school) reader(who string) chat.Reader {
	return chat.Reader{User: s.people[who].ID, Staff: who == "tina" || who == "ann"}
}

// follow opens a page of somebody that has seen after.
func (s *school) follow(who string, after int64) *page {
	s.t.Helper()
	l, err := s.chat.Listen(s.t.Context(), s.lesson, s.reader(who), after)
	s.must(err)
	s.t.Cleanup(l.Close)
	return &page{
		s: s, l: l, messages: map[media.ID]chat.Message{}, last: map[string]chat.Hand{}, polls: map[media.ID]chat.Poll{},
		asked: map[media.ID]chat.Question{},
	}
}

// until takes what comes until something is true.
func (p *page) until(what string, true func() bool) {
	p.s.t.Helper()
	limit := time.After(time.Minute)
	for !true() {
		select {
		case <-p.l.Ready():
		case <-limit:
			p.s.t.Fatalf("not within 10 s: %s\n%s", what, p.wire.String())
		}
		events, ok := p.l.Next()
		if !ok {
			p.s.t.Fatalf("sent away while waiting: %s", what)
		}
		for _, e := range events {
			p.take(e)
		}
	}
}

func (p *page) take(event []byte) {
	p.s.t.Helper()
	p.wire.Write(event)
	var data string
	for line := range strings.SplitSeq(string(event), "\n") {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			p.rev = id
		}
		if d, ok := strings.CutPrefix(line, "data: "); ok {
			data = d
		}
	}
	var n chat.News
	p.s.must(json.Unmarshal([]byte(data), &n))
	for _, msg := range n.Messages {
		p.messages[msg.ID] = msg
	}
	for _, h := range n.Hands {
		h.Mine = h.Mine || p.last[h.ID.String()].Mine
		p.last[h.ID.String()] = h
	}
	for _, poll := range n.Polls {
		p.polls[poll.ID] = poll
	}
	for _, q := range n.Questions {
		p.asked[q.ID] = q
	}
	if n.Muted != nil {
		p.muted = n.Muted
	}
}

func (p *page) sees(text string) func() bool {
	return func() bool { return strings.Contains(p.wire.String(), text) }
}

func id(t testing.TB, text string) media.ID {
	t.Helper()
	i, err := media.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (s *school) count(name string) (sum float64) {
	s.t.Helper()
	families, err := s.metrics.Gather()
	s.must(err)
	for _, f := range families {
		if f.GetName() == name {
			for _, x := range f.GetMetric() {
				sum += x.GetCounter().GetValue() + x.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func after(rev int64) string { return fmt.Sprint("?after=", rev) }
