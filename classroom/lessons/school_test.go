package lessons_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// school is a course with a teacher and a colleague, a real database, and the feature running on the clock of the
// bubble it was made in.
type school struct {
	t        *testing.T
	db       *database.DB
	accounts *accounts.Accounts
	courses  *courses.Courses
	bus      push.Bus
	origin   *origin
	lessons  *lessons.Lessons
	quit     context.CancelFunc
	done     chan struct{}

	course             media.ID
	teacher, colleague media.ID
	key, colleagueKey  media.Key

	start   time.Time // of the planned lesson
	length  time.Duration
	encoder *encoder // that onAir connected
}

// origin is the other wing: it notes what it is told.
type origin struct {
	mu      sync.Mutex
	calls   []string
	noInput bool
	trouble map[media.ID]media.Code
}

func (o *origin) GoLive(_ context.Context, lesson, _ media.ID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.noInput {
		return lessons.ErrNoInput
	}
	o.calls = append(o.calls, "live "+lesson.String())
	return nil
}

func (o *origin) End(_ context.Context, lesson media.ID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, "end "+lesson.String())
	return nil
}

func (o *origin) Status(channel media.ID) (st media.ChannelStatus) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if code := o.trouble[channel]; code != "" {
		st.Warnings = []media.Warning{{Code: code}}
	}
	return st
}

func (o *origin) warn(channel media.ID, code media.Code) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trouble = map[media.ID]media.Code{channel: code}
}

func (o *origin) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = nil
}

type span struct{ From, Until time.Time }

func (s *school) boot() {
	s.t.Helper()
	bus, err := push.NewLocal(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.bus = bus
	s.lessons = lessons.New(lessons.Config{
		DB: s.db, Accounts: s.accounts, Courses: s.courses, Bus: bus, Origin: s.origin, Log: quiet(),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	run := s.lessons
	go func() { // ends with stop or kill
		defer close(done)
		if err := run.Run(ctx); err != nil {
			s.t.Errorf("Run: %v", err)
		}
	}()
	s.quit, s.done = cancel, done
}

// stop ends the feature in order.
func (s *school) stop() {
	s.quit()
	<-s.done
}

// kill leaves the database as it is at this instant, as SIGKILL would: what the feature writes when it is stopped
// is undone.
func (s *school) kill() {
	s.t.Helper()
	s.settle()
	tables := []string{"lessons", "air_intervals", "broadcasts"}
	for _, name := range tables {
		s.exec("CREATE TABLE kept_" + name + " AS SELECT * FROM " + name)
	}
	s.stop()
	for _, name := range slices.Backward(tables) {
		s.exec("DELETE FROM " + name)
	}
	for _, name := range tables {
		s.exec("INSERT INTO " + name + " SELECT * FROM kept_" + name)
		s.exec("DROP TABLE kept_" + name)
	}
}

func (s *school) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.SQL().ExecContext(context.Background(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// settle waits until the feature has nothing to do but wait for the clock.
func (s *school) settle() { synctest.Wait() }

func (s *school) sleepUntil(at time.Time) {
	time.Sleep(time.Until(at))
	synctest.Wait()
}

// skipUntil lets time pass while the server is down, which costs nothing.
func (s *school) skipUntil(at time.Time) {
	s.t.Helper()
	s.stop()
	time.Sleep(time.Until(at))
	s.boot()
	s.settle()
}

// encoder is one OBS. Like the desk of the other wing it reports its health once a second.
type encoder struct {
	s     *school
	grant media.Grant
	quit  chan struct{}

	mu     sync.Mutex
	last   time.Time // the last packet
	paused bool      // no packets, but health
	frozen bool      // neither
	ended  bool

	warnings []media.Warning
}

func (s *school) attempt(key media.Key) media.Attempt {
	return media.Attempt{At: time.Now(), Protocol: media.RTMP, Key: key, HasKey: true}
}

// connect lets an encoder in and starts it.
func (s *school) connect(key media.Key) *encoder {
	s.t.Helper()
	g, err := s.lessons.Admit(s.t.Context(), s.attempt(key))
	if err != nil {
		s.t.Fatalf("admit: %v", err)
	}
	e := &encoder{s: s, grant: g, quit: make(chan struct{}), last: time.Now()}
	to := s.lessons
	to.Started(g, []media.Track{{Kind: media.Video, Clock: 90000, Params: mediatest.H264Params()}}, "OBS 32")
	go e.run(to) // ends with the encoder, or with the test
	s.t.Cleanup(e.drop)
	s.settle()
	return e
}

func (e *encoder) run(to *lessons.Lessons) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-e.quit:
			return
		case now := <-tick.C:
			e.mu.Lock()
			if !e.paused {
				e.last = now
			}
			h, frozen := media.Health{At: now, Silence: now.Sub(e.last), BitrateBPS: 2_500_000, Warnings: e.warnings}, e.frozen
			e.mu.Unlock()
			if !frozen {
				to.Health(e.grant, h)
			}
		}
	}
}

func (e *encoder) pause()  { e.set(func() { e.paused = true }) }
func (e *encoder) resume() { e.set(func() { e.paused = false; e.last = time.Now() }) }
func (e *encoder) freeze() { e.set(func() { e.paused, e.frozen = true, true }) }
func (e *encoder) drop()   { e.finish(media.End{}) }
func (e *encoder) stop()   { e.finish(media.End{Stopped: true}) }

// warn makes the encoder unhealthy in one way, or well for an empty code.
func (e *encoder) warn(code media.Code) {
	e.set(func() {
		e.warnings = nil
		if code != "" {
			e.warnings = []media.Warning{{Code: code, Since: time.Now()}}
		}
	})
}

func (e *encoder) set(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

func (e *encoder) finish(end media.End) {
	e.mu.Lock()
	ended := e.ended
	e.ended = true
	end.At = e.last
	e.mu.Unlock()
	if ended {
		return
	}
	close(e.quit)
	e.s.lessons.Ended(e.grant, end)
	synctest.Wait()
}

// --- lessons in a state; each is one way to begin a story at its planned start ---

// plan makes a lesson that starts soon.
func (s *school) plan(in, length time.Duration) media.ID {
	s.t.Helper()
	s.start = time.Now().Add(in).Truncate(time.Minute)
	return s.create(s.start, length)
}

func (s *school) create(start time.Time, length time.Duration) media.ID {
	s.t.Helper()
	utc := start.UTC()
	rows, err := s.lessons.Create(s.t.Context(), lessons.Draft{
		Course: s.course, Title: "Cells", By: s.teacher,
		Plan: lessons.Plan{Date: utc.Format("2006-01-02"), Start: utc.Format("15:04"), End: utc.Add(length).Format("15:04"), Zone: "UTC"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return rows[0].ID
}

func (s *school) tomorrow() media.ID {
	s.t.Helper()
	return s.create(time.Now().Add(24*time.Hour), 45*time.Minute)
}

func (s *school) open() media.ID {
	s.t.Helper()
	id := s.plan(2*time.Minute, s.length)
	s.sleepUntil(s.start)
	return id
}

func (s *school) onAir() media.ID {
	s.t.Helper()
	id := s.open()
	s.encoder = s.connect(s.key)
	if _, err := s.lessons.GoLive(s.t.Context(), id, s.teacher); err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *school) over() media.ID {
	s.t.Helper()
	id := s.onAir()
	s.end(id)
	return id
}

func (s *school) cancelled() media.ID {
	s.t.Helper()
	id := s.open()
	if err := s.lessons.Cancel(s.t.Context(), id, s.teacher); err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *school) silent() media.ID {
	s.t.Helper()
	id := s.open()
	s.connect(s.key).pause()
	s.sleepUntil(s.start.Add(10 * time.Second))
	return id
}

func (s *school) originLost() media.ID {
	s.t.Helper()
	id := s.open()
	s.connect(s.key)
	s.origin.noInput = true
	return id
}

// elsewhere is an open lesson while the teacher is on air in another.
func (s *school) elsewhere() media.ID {
	s.t.Helper()
	s.onAir()
	return s.create(time.Now().Add(20*time.Minute), 45*time.Minute)
}

func (s *school) end(id media.ID) {
	s.t.Helper()
	if _, err := s.lessons.End(s.t.Context(), id, s.teacher); err != nil {
		s.t.Fatal(err)
	}
}

// --- what is there ---

func (s *school) find(id media.ID) lessons.Lesson {
	s.t.Helper()
	row, err := s.lessons.Find(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

func (s *school) wantState(id media.ID, want lessons.State) {
	s.t.Helper()
	row := s.find(id)
	if got := row.StateAt(time.Now()); got != want {
		s.t.Errorf("%v after the start: lesson %s, want %s", time.Since(s.start), got, want)
	}
}

func (s *school) air(id media.ID) []lessons.Air {
	s.t.Helper()
	air, err := lessons.AirOf(s.t.Context(), s.db.Reader(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return air
}

func (s *school) wantAir(id media.ID, want ...span) {
	s.t.Helper()
	var got []span
	for _, a := range s.air(id) {
		if a.Open {
			s.t.Errorf("the interval from %v is open", a.From)
		}
		got = append(got, span{a.From.Local(), a.Until.Local()})
	}
	for i := range want {
		want[i] = span{want[i].From.Local(), want[i].Until.Local()}
	}
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("air intervals (-want +got):\n%s", d)
	}
}

func (s *school) wantCalls(want ...string) {
	s.t.Helper()
	s.origin.mu.Lock()
	defer s.origin.mu.Unlock()
	if d := cmp.Diff(want, s.origin.calls); d != "" {
		s.t.Errorf("calls of the origin (-want +got):\n%s", d)
	}
}

func (s *school) wantDue(at time.Time, want ...media.ID) {
	s.t.Helper()
	rows, err := s.lessons.Due(s.t.Context(), at)
	if err != nil {
		s.t.Fatal(err)
	}
	var got []media.ID
	for _, row := range rows {
		got = append(got, row.ID)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("at %v registers of %v are due, want %v", at.Sub(s.start), got, want)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newSchool(t *testing.T) *school { return schoolOn(t, databasetest.New(t)) }

// schoolOn builds the school in a database.
func schoolOn(t *testing.T, db *database.DB) *school {
	t.Helper()
	ctx := t.Context()
	s := &school{t: t, db: db, origin: &origin{}, start: time.Now(), length: 45 * time.Minute}
	var err error
	if s.accounts, err = accounts.New(ctx, accounts.Config{DB: db, Log: quiet()}); err != nil {
		t.Fatal(err)
	}
	s.courses = courses.New(courses.Config{DB: db, Log: quiet()})
	people := s.people("Mei Tanaka", "Ola Nordmann")
	s.teacher, s.colleague = people[0], people[1]
	course, err := s.courses.Create(ctx, 0, courses.NewCourse{Code: "BIO-7B", Title: "Biology", Term: "2026", Zone: "UTC", Teacher: s.teacher})
	if err != nil {
		t.Fatal(err)
	}
	s.course = course.ID
	if _, err := s.courses.EnrollAll(ctx, 0, s.course, []courses.NewMember{{User: s.colleague, Role: courses.Teacher}}); err != nil {
		t.Fatal(err)
	}
	if db.Dialect() == database.SQLite {
		s.exec("PRAGMA synchronous = OFF") // no test pulls the plug
	}
	s.key, s.colleagueKey = s.newKey(s.teacher), s.newKey(s.colleague)
	s.boot()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *school) people(names ...string) (ids []media.ID) {
	s.t.Helper()
	var list []accounts.NewUser
	for _, name := range names {
		list = append(list, accounts.NewUser{DisplayName: name})
	}
	users, err := s.accounts.CreateMany(s.t.Context(), 0, list)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	return ids
}

func (s *school) newKey(user media.ID) media.Key {
	s.t.Helper()
	k, err := s.accounts.CreateKey(s.t.Context(), user, "laptop")
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// holdDatabase keeps everybody from writing until release.
func (s *school) holdDatabase() (release func()) {
	s.t.Helper()
	conn, err := s.db.SQL().Conn(s.t.Context()) // the only one that writes
	if err != nil {
		s.t.Fatal(err)
	}
	return func() {
		if err := conn.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// news is what a page hears on one topic.
type news struct{ ch <-chan push.Event }

func (s *school) follow(topic media.ID) news { return news{s.bus.Subscribe(s.t.Context(), topic)} }

// want compares what arrived since the last call.
func (n news) want(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for {
		select {
		case e := <-n.ch:
			got = append(got, sentence(t, e))
			continue
		default:
		}
		break
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("news (-want +got):\n%s", d)
	}
}

func sentence(t *testing.T, e push.Event) string {
	t.Helper()
	var v struct {
		State            lessons.State
		Publishing, Live bool
		Notes            []media.Code
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		t.Fatalf("event %s: %v", e.Name, err)
	}
	if e.Staff != (e.Name != lessons.EventState && e.Name != lessons.EventNotes) {
		t.Errorf("event %s is for staff: %v", e.Name, e.Staff)
	}
	switch e.Name {
	case lessons.EventState:
		return "state " + string(v.State)
	case lessons.EventNotes:
		return fmt.Sprint("notes ", v.Notes)
	}
	return fmt.Sprintf("%s publishing=%v live=%v", e.Name, v.Publishing, v.Live)
}
