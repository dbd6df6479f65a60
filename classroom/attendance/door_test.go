package attendance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// door is the feature behind its HTTP server, with a clock that the test turns.
type door struct {
	*school
	acc    *accounts.Accounts
	att    *attendance.Attendance
	taught *lessons.Lessons
	url    string
	clock  atomic.Int64 // Unix milliseconds
	stop   func()
	admins map[media.ID]bool
}

func (d *door) now() time.Time         { return database.Instant(d.clock.Load()).Time() }
func (d *door) set(i database.Instant) { d.clock.Store(int64(i)) }

// openDoor serves a school until the test ends or stop is called. Who asks is named in the cookie: there are no
// passwords here.
func openDoor(t testing.TB, s *school) *door {
	t.Helper()
	d := &door{school: s, admins: map[media.ID]bool{}}
	d.set(nine(0))
	acc, err := accounts.New(t.Context(), accounts.Config{DB: s.db, Now: d.now})
	if err != nil {
		t.Fatal(err)
	}
	co := courses.New(courses.Config{DB: s.db, Now: d.now})
	bus, err := push.NewLocal(nil)
	if err != nil {
		t.Fatal(err)
	}
	les := lessons.New(lessons.Config{DB: s.db, Bus: bus, Now: d.now})
	d.taught, d.acc = les, acc
	d.att = attendance.New(attendance.Config{
		DB: s.db, Accounts: acc, Courses: co, Lessons: les, Log: slog.New(slog.DiscardHandler), Now: d.now,
	})
	for _, erase := range []accounts.Eraser{co.Erase, les.Erase, d.att.Erase} {
		acc.OnErase(erase)
	}
	for _, export := range []accounts.Exporter{co.Export, les.Export, d.att.Export} {
		acc.OnExport(export)
	}
	pages, err := parsedPages()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := web.New(web.Config{
		Pages: pages, School: acc.WebSchool, Now: d.now,
		Identify: func(_ context.Context, token string) (*web.Viewer, error) {
			id, err := media.ParseID(token)
			if err != nil {
				return nil, nil
			}
			return &web.Viewer{ID: id, Name: "Somebody", Admin: d.admins[id], Session: uint64(id)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.att.Routes(srv)
	h := httptest.NewServer(srv.Handler())
	d.url = h.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.att.Run(ctx) }() // ends with cancel
	stopped := false
	d.stop = func() {
		if stopped {
			return
		}
		stopped = true
		h.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(d.stop)
	return d
}

// parsedPages reads the templates once for all tests.
var parsedPages = sync.OnceValues(templates.New)

// do sends a request as somebody and returns status and body.
func (d *door) do(t testing.TB, who media.ID, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if who != 0 {
		req.AddCookie(&http.Cookie{Name: "cc", Value: who.String()})
	}
	req.Header.Set("Content-Type", "text/plain;charset=UTF-8") // as sendBeacon does
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

func (d *door) path(rest string) string { return "/api/v1/lessons/" + d.lesson.String() + rest }

type beatAnswer struct {
	N          int64 `json:"n"`
	CountedS   int   `json:"counted_s"`
	IntervalMS int   `json:"interval_ms"`
}

// beat posts a beat that arrives at an instant.
func (d *door) beat(t testing.TB, who media.ID, at database.Instant, view string, n int64, state attendance.State, held time.Duration) beatAnswer {
	t.Helper()
	d.set(at)
	body := fmt.Sprintf(`{"view":%q,"n":%d,"state":%q,"d_ms":%d,"pos":0}`, view, n, state, held.Milliseconds())
	status, b := d.do(t, who, "POST", d.path("/beats"), body)
	var a beatAnswer
	if err := json.Unmarshal(b, &a); status != http.StatusOK || err != nil {
		t.Fatalf("%s at %v: %d %s", body, at.Time(), status, b)
	}
	return a
}

// posted is a beat of a schedule.
type posted struct {
	at    database.Instant
	view  string
	state attendance.State
	held  time.Duration
}

// schedule is the beats that a page sends for what a vector says of its view: one every 85 s, as seldom as they may be,
// and one at each change.
func schedule(v vector) []posted {
	var all []posted
	for name, attending := range v.Views {
		states := map[attendance.Interval]attendance.State{}
		played, differs := v.Played[name]
		if !differs {
			played = attending
		}
		for _, iv := range intervals(attending) {
			for _, cut := range cutAt(iv, intervals(played)) {
				states[cut] = attendance.Stalled
				if slices.ContainsFunc(intervals(played), func(p attendance.Interval) bool { return p.From <= cut.From && cut.To <= p.To }) {
					states[cut] = attendance.Playing
				}
			}
		}
		for iv, state := range states {
			all = append(all, posted{iv.From, name, attendance.Paused, 0})
			for at := iv.From; at < iv.To; {
				next := min(iv.To, at.Add(85*time.Second))
				all = append(all, posted{next, name, state, next.Sub(at)})
				at = next
			}
		}
	}
	slices.SortStableFunc(all, func(a, b posted) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(b.held - a.held) // what ends first
	})
	return all
}

// cutAt splits an interval where others begin or end.
func cutAt(iv attendance.Interval, others []attendance.Interval) []attendance.Interval {
	edges := []database.Instant{iv.From, iv.To}
	for _, o := range others {
		for _, e := range []database.Instant{o.From, o.To} {
			if iv.From < e && e < iv.To {
				edges = append(edges, e)
			}
		}
	}
	slices.Sort(edges)
	var cuts []attendance.Interval
	for i := range edges[1:] {
		cuts = append(cuts, attendance.Interval{From: edges[i], To: edges[i+1]})
	}
	return cuts
}

// answeredRegister is the register as the API gives it.
type answeredRegister struct {
	Closed  bool
	NotHeld bool `json:"not_held"`
	Outside bool `json:"outside_schedule"`
	Window  []struct{ From, To time.Time }
	Version int
	Hash    string `json:"intervals_sha256"`
	Rows    []answeredRow
}

type answeredRow struct {
	UserID       media.ID `json:"user_id"`
	StudentID    string   `json:"student_id"`
	FamilyName   string   `json:"family_name"`
	Status       string
	LiveStatus   string    `json:"live_status"`
	JoinedAt     time.Time `json:"joined_at"`
	LeftAt       time.Time `json:"left_at"`
	Visits       []struct{ From, To time.Time }
	Devices      int
	LateS        *int        `json:"late_s"`
	EarlyS       *int        `json:"early_s"`
	AttendingS   int         `json:"attending_s"`
	AttendingPct json.Number `json:"attending_pct"`
	PlayedS      int         `json:"played_s"`
	ReplayS      int         `json:"replay_s"`
	CoveredPct   json.Number `json:"covered_pct"`
	Correction   *struct {
		Status, Previous, Reason, Note, By string
		Minutes                            *int
	}
	Attempts []struct{ Reason string }
}

func (d *door) register(t testing.TB, who media.ID) answeredRegister {
	t.Helper()
	status, b := d.do(t, who, "GET", d.path("/register"), "")
	var r answeredRegister
	if err := json.Unmarshal(b, &r); status != http.StatusOK || err != nil {
		t.Fatalf("register: %d %s %v", status, b, err)
	}
	return r
}

// TestVectorsThroughTheDoor posts every vector as the beats of real pages, closes the register by the clock and
// compares what the API says.
func TestVectorsThroughTheDoor(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		readVectors(t, func(t *testing.T, v vector, p attendance.Policy) {
			t.Parallel()
			s := newSchool(t, db, 1, "live")
			s.plan(t, v, p)
			d := openDoor(t, s)
			n := map[string]int64{}
			for _, b := range schedule(v) {
				d.beat(t, s.students[0], b.at, b.view, n[b.view], b.state, b.held)
				n[b.view]++
			}
			end := nine(12 * 60)
			s.end(t, end)
			d.set(end.Add(16 * time.Minute))
			if err := d.att.CloseDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := d.register(t, s.teacher)
			if !r.Closed || len(r.Rows) != 1 {
				t.Fatalf("closed %t, %d rows", r.Closed, len(r.Rows))
			}
			r.check(t, v)
		})
	})
}

// TestBeatVectorsThroughTheDoor posts the beats of every vector, by the clock, and reads back what the database holds.
func TestBeatVectorsThroughTheDoor(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		readBeatVectors(t, func(t *testing.T, v beatVector) {
			s := newSchool(t, db, 1, "live")
			d := openDoor(t, s)
			for _, b := range v.Beats {
				d.beat(t, s.students[0], nine(0)+database.Instant(b.At), b.View, b.N, b.State, time.Duration(b.Held)*time.Millisecond)
			}
			watched := s.stored(t, s.students[0])
			for _, w := range watched {
				for i := range w.Stretches {
					w.Stretches[i].Time.From -= nine(0)
					w.Stretches[i].Time.To -= nine(0)
				}
			}
			v.check(t, watched)
		})
	})
}

// plan gives the lesson the plan and the air of a vector, and the course its policy.
func (s *school) plan(t testing.TB, v vector, p attendance.Policy) {
	t.Helper()
	s.exec(t, `UPDATE lessons SET planned_start_at = ?, planned_end_at = ? WHERE id = ?`, v.Planned.From, v.Planned.To, s.lesson)
	s.exec(t, `UPDATE courses SET policy = ? WHERE id = ?`, p.JSON(), s.course)
	s.air(t, intervals(v.Air)...)
}

func (r answeredRegister) check(t *testing.T, v vector) {
	t.Helper()
	row := r.Rows[0]
	var w attendance.Set
	for _, s := range r.Window {
		w = append(w, attendance.Interval{From: database.At(s.From), To: database.At(s.To)})
	}
	f := attendance.Figures{
		Joined: database.At(row.JoinedAt), Left: database.At(row.LeftAt), Devices: row.Devices, Visits: make(attendance.Set, len(row.Visits)),
		Attending: time.Duration(row.AttendingS) * time.Second, Played: time.Duration(row.PlayedS) * time.Second,
	}
	if row.LateS != nil {
		f.Here, f.Late, f.Early = true, time.Duration(*row.LateS)*time.Second, time.Duration(*row.EarlyS)*time.Second
	}
	v.check(t, w, r.Outside, f, attendance.Status(row.LiveStatus))
	if row.Status != row.LiveStatus {
		t.Errorf("status %s, live %s", row.Status, row.LiveStatus)
	}
}

func (d *door) find(t testing.TB) (lessons.Lesson, error) {
	t.Helper()
	return lessons.New(lessons.Config{DB: d.db, Now: d.now}).Find(t.Context(), d.lesson)
}
