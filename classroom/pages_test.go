package classroom_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

type playback struct {
	URL           string        `json:"url"`
	ExpiresAt     *time.Time    `json:"expires_at"`
	Live          bool          `json:"live"`
	LatencyMS     int           `json:"latency_target_ms"`
	State         lessons.State `json:"state"`
	LiveSince     *time.Time    `json:"live_since"`
	InterruptedAt *time.Time    `json:"interrupted_at"`
}

func (s *school) playback(who string, id media.ID) playback {
	s.t.Helper()
	var p playback
	if a := s.json(who, "GET", "/api/v1/lessons/"+id.String()+"/playback", "", &p); a.status != http.StatusOK {
		s.t.Fatalf("playback: %d %s", a.status, a.body)
	}
	return p
}

func (s *school) wantPage(who, path string, words ...string) string {
	s.t.Helper()
	a := s.ask(who, "GET", path, "")
	if a.status != http.StatusOK {
		s.t.Fatalf("GET %s as %s: %d", path, who, a.status)
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			s.t.Errorf("%s as %s does not say %q", path, who, w)
		}
	}
	return a.body
}

// One lesson through its pages: what the student and the teacher see and may play in every state.
func TestLessonThroughItsPages(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(40 * time.Minute)
	class, studio, api := "/lessons/"+id.String(), "/lessons/"+id.String()+"/studio", "/api/v1/lessons/"+id.String()

	s.wantPage("student", class, `data-state="planned"`)
	if p := s.playback("student", id); p.URL != "" || p.State != lessons.Planned || p.ExpiresAt != nil {
		t.Errorf("playback of a planned lesson: %+v", p)
	}
	s.clock.add(20 * time.Minute)
	s.wantPage("student", class, `data-state="open"`)
	s.wantPage("teacher", studio, "rtmp://school.example/live", "Cells")

	g := s.stream("teacher")
	if g.Lesson != id {
		t.Fatalf("granted %+v, want lesson %s", g, id)
	}
	var preview playback
	s.json("teacher", "GET", api+"/preview", "", &preview)
	if !strings.Contains(preview.URL, "true") || !strings.HasSuffix(preview.URL, "/l/"+s.people["teacher"].id.String()+"/index.m3u8") {
		t.Errorf("the teacher's preview is at %q, want their own channel with a ticket for staff", preview.URL)
	}
	s.json("assistant", "GET", api+"/preview", "", &preview)
	if preview.URL != "" {
		t.Errorf("the assistant gets a preview at %q, want none: it is the teacher's own", preview.URL)
	}
	if p := s.playback("student", id); p.URL != "" || p.State != lessons.Open {
		t.Errorf("playback during the rehearsal: %+v, want nothing", p)
	}

	s.clock.add(20 * time.Minute)
	s.beat(g)
	if a := s.ask("teacher", "POST", class+"/live", ""); a.status != 303 || a.location != studio {
		t.Fatalf("Go live: %d to %q", a.status, a.location)
	}
	p := s.playback("student", id)
	if !p.Live || p.State != lessons.Live || p.LatencyMS != 1500 || p.LiveSince == nil || !strings.Contains(p.URL, "-false-") || !strings.HasSuffix(p.URL, "/l/"+id.String()+"/index.m3u8") {
		t.Errorf("playback of a live lesson: %+v", p)
	}
	// 45 min of lesson and an hour; the plan was made to the minute.
	if left := p.ExpiresAt.Sub(s.clock.Now()); left < 104*time.Minute || left > 105*time.Minute {
		t.Errorf("the ticket lives %v, want 105 min", left)
	}
	leaves := s.clock.Now().Add(20 * time.Minute).Truncate(time.Millisecond)
	_, err := s.k.Courses.EnrollAll(t.Context(), 0, s.course, []courses.NewMember{{User: s.people["outsider"].id, Role: courses.Student, Until: leaves}})
	s.must(err)
	if p := s.playback("outsider", id); p.URL == "" || !p.ExpiresAt.Equal(leaves) {
		t.Errorf("the ticket of a student who leaves at %v: %+v, want one until then", leaves, p)
	}
	s.beat(g)
	s.wantPage("student", class, `data-state="live"`)
	s.wantPage("teacher", studio, "8.3") // the keyframe warning
	var health struct {
		Publishing, Live bool
		Tracks           []struct{ Words string }
	}
	s.json("assistant", "GET", api+"/health", "", &health)
	if !health.Publishing || !health.Live || len(health.Tracks) != 1 {
		t.Errorf("health for the assistant %+v, want the live broadcast", health)
	}

	s.clock.add(10 * time.Minute)
	s.k.Lessons.Ended(g, media.End{At: s.clock.Now()})
	s.wait("the lesson is interrupted", func() bool { return s.playback("student", id).State == lessons.Interrupted })
	if p := s.playback("student", id); p.URL == "" || p.InterruptedAt == nil {
		t.Errorf("playback of an interrupted lesson: %+v, want the same channel and since when", p)
	}
	s.wantPage("student", class, `data-state="interrupted"`)

	if a := s.ask("teacher", "POST", api+"/end", "{}"); a.status != 200 || !strings.Contains(a.body, `"ended"`) {
		t.Fatalf("End: %d %s", a.status, a.body)
	}
	if p := s.playback("student", id); p.URL == "" || p.Live || p.State != lessons.Ended || p.ExpiresAt.Sub(s.clock.Now()) != 6*time.Hour {
		t.Errorf("playback after the end: %+v, want the replay for 6 h", p)
	}
	s.wantPage("student", class, `data-state="ended"`)
	s.wantPage("teacher", studio, "/lessons/"+id.String()+"/register")
}

// wait gives the goroutine of the lessons the time it needs to write something down.
func (s *school) wait(what string, done func() bool) {
	s.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			s.t.Fatalf("%s: not after 5 s", what)
		case <-tick.C:
		}
	}
}

func TestStudioSaysWhyAnEncoderWasRefused(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(10 * time.Minute)
	key, err := s.k.Accounts.CreateKey(t.Context(), s.people["teacher"].id, "laptop")
	s.must(err)
	wrong := media.Key{ID: key.ID, Secret: media.NewKey().Secret}
	if _, err := s.k.Lessons.Admit(t.Context(), media.Attempt{Key: wrong, HasKey: true}); err == nil {
		t.Fatal("a wrong key was let in")
	}
	studio := "/lessons/" + id.String() + "/studio"
	s.wantPage("teacher", studio, "data-refused", "old or mistyped key")
	if page := s.wantPage("assistant", studio); strings.Contains(page, "data-refused") {
		t.Error("the assistant reads of the teacher's key")
	}
	s.clock.add(61 * time.Minute)
	if page := s.wantPage("teacher", studio); strings.Contains(page, "data-refused") {
		t.Error("the studio still speaks of an attempt an hour ago")
	}
}

// The studio says what was wrong with a stream, in its own words.
func TestStudioSaysWhyABroadcastEnded(t *testing.T) {
	s := newSchool(t)
	studio := "/lessons/" + s.lesson(10*time.Minute).String() + "/studio"
	key, err := s.k.Accounts.CreateKey(t.Context(), s.people["teacher"].id, "laptop")
	s.must(err)
	for _, tc := range []struct {
		name    string
		attempt media.Attempt
		end     media.End
		want    string // empty: nothing
	}{
		{"cannot be played", media.Attempt{}, media.End{Code: media.VideoCodec, Detail: "VP6"}, "Your encoder sends VP6. Choose H.264."},
		{"a path that is nearly right", media.Attempt{Mistyped: true, Path: "/live/abc"}, media.End{}, "the server field reads /live/abc"},
		{"nothing wrong", media.Attempt{}, media.End{Stopped: true}, ""},
	} {
		a := tc.attempt
		a.Key, a.HasKey = key, true
		g, err := s.k.Lessons.Admit(t.Context(), a)
		s.must(err)
		tc.end.At = s.clock.Now()
		s.k.Lessons.Ended(g, tc.end)
		if tc.want == "" {
			if page := s.wantPage("teacher", studio); strings.Contains(page, "data-refused") {
				t.Errorf("%s: the studio still speaks of an attempt", tc.name)
			}
			continue
		}
		s.wait("the studio says that "+tc.name, func() bool {
			return strings.Contains(s.wantPage("teacher", studio, "Studio"), tc.want)
		})
		s.clock.add(time.Second)
	}
}

func TestGoLiveWithoutStreamSaysSo(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(10 * time.Minute)
	a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/live", "{}")
	if a.status != 409 || !strings.Contains(a.body, "studio.no_stream") {
		t.Errorf("%d %s, want a 409 problem", a.status, a.body)
	}
	s.ask("teacher", "POST", "/lessons/"+id.String()+"/live", "")
	s.wantPage("teacher", "/lessons/"+id.String()+"/studio", "Nothing arrives from your encoder yet")
}

// A right that ends takes its playback tickets along, those of the ended one only.
func TestTicketsEndWithTheRight(t *testing.T) {
	s := newSchool(t)
	id := s.lesson(0)
	s.stream("teacher")
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/live", "{}"); a.status != 200 {
		t.Fatalf("Go live: %d %s", a.status, a.body)
	}
	viewer := func(url string) string { return strings.Split(strings.TrimPrefix(url, "/p/"), "-")[0] }
	before := viewer(s.playback("student", id).URL)
	if again := viewer(s.playback("student", id).URL); again != before {
		t.Errorf("one sign-in has the seats %s and %s, want one", before, again)
	}
	if other := viewer(s.playback("assistant", id).URL); other == before {
		t.Error("two people share a seat")
	}
	s.must(s.k.Courses.Leave(t.Context(), 0, s.course, s.people["student"].id))
	if s.deniedTickets() != 1 {
		t.Fatalf("%d tickets denied when a student left, want 1", s.deniedTickets())
	}
	if a := s.ask("student", "GET", "/api/v1/lessons/"+id.String()+"/playback", ""); a.status != 404 {
		t.Errorf("a former student asks for a ticket: %d, want 404", a.status)
	}
	s.clock.add(time.Second)
	s.enroll(s.course, "student", "student")
	if after := viewer(s.playback("student", id).URL); after == before {
		t.Error("who comes back gets the seat that was denied")
	}
	s.ask("assistant", "POST", "/sign-out", "")
	if s.deniedTickets() != 2 {
		t.Errorf("%d tickets denied after a sign-out, want 2", s.deniedTickets())
	}
}

// stream of events as a page reads it.
type events struct {
	t     *testing.T
	lines *bufio.Scanner
	last  string // id of an event
}

func (s *school) events(who string, lesson media.ID) *events { return s.eventsSince(who, lesson, "") }

// eventsSince opens a stream as a page that saw an event before.
func (s *school) eventsSince(who string, lesson media.ID, last string) *events {
	s.t.Helper()
	return s.listen(who, "/api/v1/lessons/"+lesson.String()+"/events", last)
}

func (s *school) listen(who, path, last string) *events {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	s.must(err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := s.people[who].http.Do(r)
	s.must(err)
	s.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		s.t.Fatalf("events: %d %v", res.StatusCode, res.Header)
	}
	return &events{t: s.t, lines: bufio.NewScanner(res.Body)}
}

// next returns the next event as "name data", passing over those of the room.
func (e *events) next() string {
	e.t.Helper()
	for {
		if got := e.any(); !strings.HasPrefix(got, "chat ") {
			return got
		}
	}
}

func (e *events) any() string {
	e.t.Helper()
	name := ""
	for e.lines.Scan() {
		line := e.lines.Text()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.last = id
		} else if n, ok := strings.CutPrefix(line, "event: "); ok {
			name = n
		} else if data, ok := strings.CutPrefix(line, "data: "); ok {
			return name + " " + data
		}
	}
	e.t.Fatalf("the stream ended: %v", e.lines.Err())
	return ""
}

func (e *events) want(name string, words ...string) {
	e.t.Helper()
	got := e.next()
	if !strings.HasPrefix(got, name+" ") {
		e.t.Errorf("event %q, want %s", got, name)
	}
	for _, w := range words {
		if !strings.Contains(got, w) {
			e.t.Errorf("event %q does not hold %q", got, w)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newSchool(t)
	row, err := s.k.Lessons.Begin(t.Context(), s.course, "Questions", "Europe/Berlin", s.people["teacher"].id)
	s.must(err)
	id := row.ID
	student, teacher, assistant := s.events("student", id), s.events("teacher", id), s.events("assistant", id)
	for _, e := range []*events{student, teacher, assistant} {
		e.want("state", `"state":"open"`, `"live_since":null`)
	}
	g := s.stream("teacher")
	teacher.want("health", `"publishing":true`, `"live":false`, `"code":"keyframe_long"`)
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/live", "{}"); a.status != 200 {
		t.Fatalf("Go live: %d %s", a.status, a.body)
	}
	for _, e := range []*events{student, teacher, assistant} {
		e.want("state", `"state":"live"`, `"live_since":"2031-10-15T`)
	}
	s.beat(g)
	teacher.want("health", `"live":true`)
	assistant.want("health", `"live":true`) // once, and no preview before
	s.k.Lessons.TellHere(id, lessons.HereNews{Here: 3, Enrolled: 4})
	teacher.want("here", `"here":3`, `"enrolled":4`)
	if a := s.ask("teacher", "POST", "/api/v1/lessons/"+id.String()+"/end", "{}"); a.status != 200 {
		t.Fatalf("End: %d %s", a.status, a.body)
	}
	student.want("state", `"state":"ended"`) // and nothing of health or here before it
	s.k.Web.Drain()
	for student.lines.Scan() { // ends, or the test does not
	}
}

func TestHome(t *testing.T) {
	s := newSchool(t)
	now, later, week := s.lesson(10*time.Minute), s.lesson(3*time.Hour), s.lesson(50*time.Hour)
	page := s.wantPage("student", "/", "/lessons/"+now.String(), "/lessons/"+later.String(), "/lessons/"+week.String(), "BIO-7B")
	if strings.Contains(page, "/studio") {
		t.Error("a student is sent to the studio")
	}
	if i, j := strings.Index(page, now.String()), strings.Index(page, later.String()); i > j {
		t.Error("the lesson of now does not come first")
	}
	s.wantPage("teacher", "/", "/lessons/"+now.String()+"/studio")
	if page := s.wantPage("outsider", "/"); strings.Contains(page, now.String()) {
		t.Error("a student of another course sees the lesson")
	}
	s.wantPage("student", "/courses/"+s.course.String(), "/lessons/"+now.String())
	s.wantPage("admin", "/today", "/lessons/"+now.String()+"/studio", "/lessons/"+later.String()+"/studio")
	if page := s.wantPage("admin", "/today"); strings.Contains(page, week.String()) {
		t.Error("the board of today shows a lesson of another day")
	}
}

func TestCreateLessons(t *testing.T) {
	s := newSchool(t)
	var out struct {
		Lessons []struct {
			ID           media.ID
			State        lessons.State
			Start, End   string
			PlannedStart *time.Time `json:"planned_start"`
		}
		Code string
	}
	body := func(rest string) string {
		return `{"course_id":"` + s.course.String() + `","title":" Cells ",` + rest + `}`
	}
	a := s.json("teacher", "POST", "/api/v1/lessons", body(`"date":"2031-10-20","start":"09:00","end":"09:45","weeks":2`), &out)
	if a.status != 201 || len(out.Lessons) != 2 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for i, want := range []string{"2031-10-20T07:00:00Z", "2031-10-27T08:00:00Z"} { // the same clock across the change
		if got := out.Lessons[i].PlannedStart.Format(time.RFC3339); got != want || out.Lessons[i].Start != "09:00" {
			t.Errorf("lesson %d begins %s, want %s", i, got, want)
		}
	}
	if out.Lessons[0].ID == out.Lessons[1].ID {
		t.Error("two lessons have one id")
	}
	list := out
	s.json("student", "GET", "/api/v1/courses/"+s.course.String()+"/lessons?from=2031-10-20&until=2031-10-21", "", &list)
	if len(list.Lessons) != 1 || list.Lessons[0].ID != out.Lessons[0].ID {
		t.Errorf("lessons of one day: %+v, want the first", list.Lessons)
	}
	for rest, code := range map[string]string{
		`"date":"2031-02-30","start":"09:00","end":"09:45"`:             "lesson.bad_plan",
		`"date":"2031-10-20","start":"09:00","end":""`:                  "lesson.bad_plan",
		`"date":"2031-10-20"`:                                           "lesson.bad_plan",
		`"weeks":3`:                                                     "lesson.bad_plan",
		`"date":"2031-09-01","start":"09:00","end":"09:45"`:             "lesson.in_the_past",
		`"date":"2031-10-20","start":"09:00","end":"09:45","weeks":54`:  "lesson.bad_weeks",
		`"date":"2031-10-20","start":"09:00","end":"09:45","weeks":-1`:  "lesson.bad_weeks",
		`"date":"2031-10-20","start":"09:00","end":"09:45","title":"x"`: "invalid", // a name twice
	} {
		out.Code = ""
		if a := s.json("teacher", "POST", "/api/v1/lessons", body(rest), &out); a.status != 400 || out.Code != code {
			t.Errorf("%s: %d %s, want 400 %s", rest, a.status, out.Code, code)
		}
	}
	for _, title := range []string{"", "   ", strings.Repeat("é", 121), "a\u202eb"} {
		a := s.ask("teacher", "POST", "/api/v1/lessons", `{"course_id":"`+s.course.String()+`","title":"`+title+`"}`)
		if a.status != 400 {
			t.Errorf("title %q: %d, want 400", title, a.status)
		}
	}
}

func TestMediaAndStaticAreMounted(t *testing.T) {
	s := newSchool(t)
	if a := s.ask("nobody", "GET", "/p/ticket/l/lesson/live.m3u8", ""); a.body != "media /p/ticket/l/lesson/live.m3u8" {
		t.Errorf("media: %d %q", a.status, a.body)
	}
	page := s.ask("nobody", "GET", "/sign-in", "").body
	_, rest, _ := strings.Cut(page, `href="/static/`)
	name, _, _ := strings.Cut(rest, `"`)
	if a := s.ask("nobody", "GET", "/static/"+name, ""); a.status != 200 {
		t.Errorf("/static/%s: %d", name, a.status)
	}
}
