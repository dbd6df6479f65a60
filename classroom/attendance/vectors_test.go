package attendance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
)

// vectorFile is the form of testdata/attendance.json: worked examples of docs/attendance.md.
type vectorFile struct {
	Policy  json.RawMessage
	Vectors []vector
}

type vector struct {
	ID, Title, Why string
	Policy         json.RawMessage // what this case has of its own
	Planned        span
	Air            []span
	Views, Played  map[string][]span // played only where it differs
	Expect         expectation
}

type expectation struct {
	Attending int    `json:"attending_s"`
	Played    int    `json:"played_s"`
	Late      *int   `json:"late_s"`
	Early     *int   `json:"early_s"`
	Joined    *clock `json:"joined"`
	Left      *clock `json:"left"`
	Outside   bool   `json:"outside_schedule"`
	Percent   *int   `json:"percent_floor"`
	NaiveSum  int    `json:"naive_sum_s"`
	Status    string `json:"status"`
	Visits    int    `json:"visits"`
	Window    []span `json:"window"`
	WindowS   int    `json:"window_s"`
}

// day is the day on which the clock times of the vectors lie.
var day = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)

// clock is a time of that day, "09:00:05" or past midnight "24:10:00".
type clock database.Instant

func (c *clock) UnmarshalText(b []byte) error {
	var h, m, s int
	if _, err := fmt.Sscanf(string(b), "%d:%d:%d", &h, &m, &s); err != nil {
		return fmt.Errorf("clock time %q: %w", b, err)
	}
	*c = clock(database.At(day).Add(time.Duration(h*3600+m*60+s) * time.Second))
	return nil
}

func (c clock) String() string { return database.Instant(c).Time().Format("15:04:05") }

// span is "09:00:00-09:45:00".
type span attendance.Interval

func (s *span) UnmarshalText(b []byte) error {
	var from, to clock
	if len(b) != len("09:00:00-09:45:00") || b[8] != '-' {
		return fmt.Errorf("span %q", b)
	}
	if err := from.UnmarshalText(b[:8]); err != nil {
		return err
	}
	if err := to.UnmarshalText(b[9:]); err != nil {
		return err
	}
	*s = span{database.Instant(from), database.Instant(to)}
	return nil
}

func (s span) String() string { return clock(s.From).String() + "-" + clock(s.To).String() }

func intervals(spans []span) []attendance.Interval {
	var out []attendance.Interval
	for _, s := range spans {
		out = append(out, attendance.Interval(s))
	}
	return out
}

func (v vector) class() attendance.Class {
	return attendance.Class{Planned: attendance.Interval(v.Planned), Air: intervals(v.Air)}
}

// watched says the same as the vector does, in the words of stored views.
func (v vector) watched() []attendance.Watched {
	var views []attendance.Watched
	for name, attending := range v.Views {
		w := attendance.Watched{}
		played, differs := v.Played[name]
		if !differs {
			played = attending
		} else {
			for _, iv := range intervals(attending) {
				w.Stretches = append(w.Stretches, attendance.Stretch{State: attendance.Stalled, Time: iv})
			}
		}
		for _, iv := range intervals(played) {
			w.Stretches = append(w.Stretches, attendance.Stretch{State: attendance.Playing, Time: iv})
		}
		views = append(views, w)
	}
	return views
}

// readVectors reads our own copy and every file that ATTENDANCE_VECTORS (a glob) names, and calls fn for each
// case in a subtest named by its id.
func readVectors(t *testing.T, fn func(t *testing.T, v vector, p attendance.Policy)) {
	t.Helper()
	files := []string{"testdata/attendance.json"}
	if glob := os.Getenv("ATTENDANCE_VECTORS"); glob != "" {
		more, err := filepath.Glob(glob)
		if err != nil || len(more) == 0 {
			t.Fatalf("ATTENDANCE_VECTORS=%q names no file (%v)", glob, err)
		}
		files = append(files, more...)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f vectorFile
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(f.Vectors) == 0 {
			t.Fatalf("%s holds no case", name)
		}
		for _, v := range f.Vectors {
			p := attendance.DefaultPolicy()
			for _, layer := range []json.RawMessage{f.Policy, v.Policy} {
				if layer != nil && json.Unmarshal(layer, &p) != nil {
					t.Fatalf("%s: %s: policy %s", name, v.ID, layer)
				}
			}
			t.Run(v.ID, func(t *testing.T) { fn(t, v, p) })
		}
	}
}

func TestVectors(t *testing.T) {
	readVectors(t, func(t *testing.T, v vector, p attendance.Policy) {
		c := v.class()
		w, outside := c.Window(p)
		got := c.Measure(v.watched(), p)
		v.check(t, w, outside, got, got.LiveStatus(w, p))
	})
}

// check compares what was counted with what the vector expects. What it does not name is not compared: figures
// that mean nothing, as the lateness of somebody who never came.
func (v vector) check(t *testing.T, w attendance.Set, outside bool, f attendance.Figures, status attendance.Status) {
	t.Helper()
	want := v.Expect
	got := want // what is compared below replaces it
	got.Attending, got.Played = int(f.Attending/time.Second), int(f.Played/time.Second)
	got.Outside, got.Status, got.Visits = outside, string(status), len(f.Visits)
	got.WindowS = int(w.Length() / time.Second)
	got.Window = []span{}
	for _, iv := range w {
		got.Window = append(got.Window, span(iv))
	}
	if want.Late != nil {
		got.Late = new(int(f.Late / time.Second))
	}
	if want.Early != nil {
		got.Early = new(int(f.Early / time.Second))
	}
	if want.Joined != nil {
		got.Joined = new(clock(f.Joined))
	}
	if want.Left != nil {
		got.Left = new(clock(f.Left))
	}
	if want.Percent != nil {
		got.Percent = new(attendance.Tenths(f.Attending, w.Length()) / 10)
	}
	got.NaiveSum = 0
	for _, spans := range v.Views {
		for _, s := range spans {
			got.NaiveSum += int(attendance.Interval(s).Length() / time.Second)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (%s): expected (−), got (+):\n%s", v.Title, v.Why, diff)
	}
}

// beatVector is one case of testdata/beats.json: what beats are worth. Instants are milliseconds since its beginning.
type beatVector struct {
	ID, Title string
	Beats     []struct {
		At    int64 `json:"t_ms"`
		View  string
		N     int64
		State attendance.State
		Held  int64 `json:"d_ms"`
	}
	Attending, Played attendance.Set
	AttendingS        int `json:"attending_s"`
}

func readBeatVectors(t *testing.T, fn func(t *testing.T, v beatVector)) {
	t.Helper()
	b, err := os.ReadFile("testdata/beats.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Beats []beatVector }
	if err := json.Unmarshal(b, &f); err != nil || len(f.Beats) == 0 {
		t.Fatal(err, len(f.Beats))
	}
	for _, v := range f.Beats {
		t.Run(v.ID, func(t *testing.T) { fn(t, v) })
	}
}

func TestBeatVectors(t *testing.T) {
	readBeatVectors(t, func(t *testing.T, c beatVector) {
		views := map[string]*attendance.View{}
		stretches := map[string]map[stretchName]attendance.Stretch{}
		for _, b := range c.Beats {
			v := views[b.View]
			if v == nil {
				v = new(attendance.NewView(database.Instant(b.At)))
				views[b.View], stretches[b.View] = v, map[stretchName]attendance.Stretch{}
			}
			_, changed := v.Take(database.Instant(b.At), attendance.Beat{
				View: b.View, N: b.N, State: b.State, Held: time.Duration(b.Held) * time.Millisecond,
			})
			for _, s := range changed {
				stretches[b.View][stretchName{s.N, s.State}] = s
			}
		}
		var watched []attendance.Watched
		for _, of := range stretches {
			watched = append(watched, attendance.Watched{Stretches: slices.Collect(maps.Values(of))})
		}
		c.check(t, watched)
	})
}

func (v beatVector) check(t *testing.T, watched []attendance.Watched) {
	t.Helper()
	attending, played := attendingOf(watched), playedOf(watched)
	if diff := cmp.Diff(v.Attending, attending); diff != "" {
		t.Errorf("%s: attending, expected (−), got (+):\n%s", v.Title, diff)
	}
	if diff := cmp.Diff(v.Played, played); diff != "" {
		t.Errorf("%s: played, expected (−), got (+):\n%s", v.Title, diff)
	}
	if s := int(attending.Length() / time.Second); s != v.AttendingS {
		t.Errorf("%s: %d s attending, want %d", v.Title, s, v.AttendingS)
	}
}
