package classroom_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// beats of one student's page that plays without a pause.
type page struct {
	s      *school
	who    string
	lesson media.ID
	air    media.Grant // of the encoder, which sends all the time
	n      int
	silent time.Duration // since the last beat that was answered
}

// beat lets the clock go on and reports it; the page covers the time of beats that nobody answered.
func (p *page) beat(after time.Duration) (status, counted int) {
	p.s.t.Helper()
	p.s.pass(p.air, after)
	p.silent += after
	p.n++
	var out struct {
		CountedS int `json:"counted_s"`
	}
	a := p.s.json(p.who, "POST", "/api/v1/lessons/"+p.lesson.String()+"/beats", fmt.Sprintf(
		`{"view":"abcdefghijklmnop","n":%d,"state":"playing","d_ms":%d,"pos":0}`, p.n, p.silent.Milliseconds()), &out)
	if a.status == http.StatusOK {
		p.silent = 0
	}
	return a.status, out.CountedS
}

// The database is down for 30 s in a lesson (FLT-11): refused, as when it was stopped at once, and silent behind open
// connections. Whoever was seen in the last ten minutes joins and plays on; others get the page that tries again by
// itself; nobody has to sign in again; no second of attendance is lost.
func TestDatabaseDown(t *testing.T) {
	if !databasetest.HasPostgres() {
		return // SQLite is in the process
	}
	for _, fault := range []struct {
		name string
		down func(*databasetest.Proxy)
		up   func(*databasetest.Proxy, testing.TB)
	}{
		{"stopped", (*databasetest.Proxy).Cut, (*databasetest.Proxy).Restore},
		{"silent", (*databasetest.Proxy).Hold, func(p *databasetest.Proxy, _ testing.TB) { p.Let() }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			proxy, url := databasetest.NewProxy(t)
			// Half of the usual time, so that what is silent is given up sooner, and more for a machine that is slow.
			db, err := database.Open(t.Context(), database.Config{URL: url, StatementTimeout: time.Second, AcquireTimeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			s := newSchoolOn(t, db)
			s.outage(func() { fault.down(proxy) }, func() { fault.up(proxy, t) })
		})
	}
}

func (s *school) outage(down, up func()) {
	t := s.t
	id := s.lesson(0)
	class, api := "/lessons/"+id.String(), "/api/v1/lessons/"+id.String()
	air := s.stream("teacher")
	if a := s.ask("teacher", "POST", api+"/live", "{}"); a.status != 200 {
		t.Fatalf("Go live: %d %s", a.status, a.body)
	}
	student := &page{s: s, who: "student", lesson: id, air: air}
	s.wantPage("student", class, `data-state="live"`)
	s.ask("student", "GET", api+"/playback", "")
	student.beat(0)
	if status, counted := student.beat(15 * time.Second); status != 200 || counted != 15 {
		t.Fatalf("a beat before the outage: %d, %d s counted", status, counted)
	}
	news := s.events("student", id)
	news.want("state", `"state":"live"`)

	down()
	if status, _ := student.beat(15 * time.Second); status != http.StatusServiceUnavailable {
		t.Errorf("a beat without a database: %d, want 503", status)
	}
	if p := s.playback("student", id); p.URL == "" || !p.Live {
		t.Errorf("playback without a database: %+v", p)
	}
	s.wantPage("student", class, `data-state="live"`) // and another page of the same browser
	if a := s.ask("student", "GET", "/p/ticket/l/lesson/live.m3u8", ""); a.status != 200 {
		t.Errorf("media without a database: %d", a.status)
	}
	// The assistant signed in and has not been seen since.
	if a := s.ask("assistant", "GET", class, ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "data-retry") {
		t.Errorf("a join of somebody not seen: %d, want the 503 that tries again\n%.300s", a.status, a.body)
	}
	if a := s.ask("student", "GET", "/me/attendance", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "data-retry") {
		t.Errorf("a page that needs the database: %d, want the 503 that tries again", a.status)
	}
	if a := s.ask("student", "GET", "/api/v1/courses/"+s.course.String()+"/lessons", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `"busy"`) {
		t.Errorf("an answer for programs: %d %s", a.status, a.body)
	}

	up()
	s.wait("the school is ready again", func() bool { return s.ask("nobody", "GET", "/readyz", "").status == 200 })
	s.wait("beats are taken again", func() bool { status, _ := student.beat(0); return status == 200 })
	if status, counted := student.beat(15 * time.Second); status != 200 || counted != 45 {
		t.Errorf("the beats after the outage: %d, %d s counted; want all 45", status, counted)
	}
	s.wantPage("assistant", class, `data-state="live"`) // without signing in again
	if a := s.ask("teacher", "POST", api+"/end", "{}"); a.status != 200 {
		t.Errorf("End after the outage: %d %s", a.status, a.body)
	}
	news.want("state", `"state":"ended"`) // the stream of before lived through it
}

// The database takes long for every answer (FLT-12): connections stay bounded, who gets none in time is shed with a
// 503, and what needs no database answers as ever.
func TestDatabaseSlow(t *testing.T) {
	if !databasetest.HasPostgres() {
		return
	}
	t.Parallel()
	const conns = 3
	proxy, url := databasetest.NewProxy(t)
	db, err := database.Open(t.Context(), database.Config{URL: url, MaxConns: conns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := newSchoolOn(t, db)
	s.wantPage("student", "/")

	proxy.Slow(100 * time.Millisecond)
	s.wait("a page comes, if slowly", func() bool { return s.ask("student", "GET", "/me/attendance", "").status == 200 })
	statuses := make(chan int, 40)
	var wg sync.WaitGroup
	for range cap(statuses) {
		wg.Go(func() { statuses <- s.ask("student", "GET", "/me/attendance", "").status })
	}
	for range 50 {
		if a := s.ask("student", "GET", "/p/ticket/l/lesson/live.m3u8", ""); a.status != 200 {
			t.Errorf("media beside a slow database: %d", a.status)
		}
	}
	wg.Wait()
	close(statuses)
	got := map[int]int{}
	for status := range statuses {
		got[status]++
	}
	if got[503] == 0 || got[200]+got[503] != cap(statuses) {
		t.Errorf("answers %v, want pages for some, and 503 for the others", got)
	}
	if most := proxy.Most(); most > conns+5 { // those for migrations and for snapshots are beside them
		t.Errorf("%d connections at once, want the bound of %d to hold", most, conns)
	}
	proxy.Slow(0)
	s.wait("all is well again", func() bool { return s.ask("student", "GET", "/me/attendance", "").status == 200 })
}
