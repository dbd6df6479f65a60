package attendance_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/fault"
)

const goodBeat = `{"view":"k3-Qx_9.z","n":7,"state":"playing","d_ms":15000,"pos":81250}`

func parse(text string) (attendance.Beat, error) {
	var r attendance.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return attendance.Beat{}, err
	}
	return r.Beat()
}

func TestReport(t *testing.T) {
	want := attendance.Beat{View: "k3-Qx_9.z", N: 7, State: attendance.Playing, Held: 15 * time.Second, Pos: 81250 * time.Millisecond, Placed: true}
	for _, text := range []string{goodBeat, `{"more":{"view":"x"},"pos":81250,"state":"playing","n":7,"d_ms":15000,"view":"k3-Qx_9.z"}`} {
		if got, err := parse(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	want.Before = 4 * time.Second
	if got, err := parse(with(`15000`, `15000,"before_ms":4000`)); err != nil || got != want {
		t.Errorf("with before_ms: %+v, %v; want %+v", got, err, want)
	}
	for _, text := range []string{`{"view":"a","n":0,"state":"paused","d_ms":0}`, `{"view":"a","n":0,"state":"paused","d_ms":0,"pos":null}`} {
		if got, err := parse(text); err != nil || got != (attendance.Beat{View: "a", State: attendance.Paused}) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// refused is what is wrong with a beat, by the member that is.
var refused = map[string]string{
	`{}`:                         "view",
	with(`"k3-Qx_9.z"`, `""`):    "view",
	with(`"k3-Qx_9.z"`, `null`):  "view",
	with(`"k3-Qx_9.z"`, `"a b"`): "view",
	with(`"k3-Qx_9.z"`, `"ä"`):   "view",
	with(`"k3-Qx_9.z"`, `"`+strings.Repeat("a", 65)+`"`):                  "view",
	with(`"playing"`, `"dancing"`):                                        "state",
	with(`"playing"`, `""`):                                               "state",
	with(`,"n":7`, ``):                                                    "n",
	with(`"n":7`, `"n":null`):                                             "n",
	with(`"n":7`, `"n":-1`):                                               "n",
	with(`"n":7`, `"n":9007199254740993`):                                 "n",
	with(`15000`, `-1`):                                                   "d_ms",
	with(`,"d_ms":15000`, ``):                                             "d_ms",
	with(`15000`, `15000,"before_ms":15001`):                              "before_ms",
	with(`15000`, `15000,"before_ms":-1`):                                 "before_ms",
	with(`"playing","d_ms":15000`, `"paused","d_ms":15000,"before_ms":1`): "before_ms",
	with(`81250`, `-5`):                                                   "pos",
	with(`81250`, `604800001`):                                            "pos",
}

func with(from, to string) string { return strings.Replace(goodBeat, from, to, 1) }

func TestReportRefuses(t *testing.T) {
	for text, field := range refused {
		_, err := parse(text)
		f, ok := fault.Of(err)
		if !ok || f.Kind != fault.KindInvalid || f.Field != field {
			t.Errorf("%.80s: %v; want it refused about %q", text, err, field)
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(goodBeat))
	for text := range refused {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		beat, err := parse(string(b))
		if err != nil {
			return
		}
		if len(beat.View) == 0 || len(beat.View) > 64 || beat.N < 0 || beat.Held < 0 || beat.Pos < 0 {
			t.Fatalf("%q was taken as %+v", b, beat)
		}
	})
}

func TestCreditIsNeverMoreThanPassed(t *testing.T) {
	for _, c := range []struct{ held, elapsed, want time.Duration }{
		{15 * time.Second, 15 * time.Second, 15 * time.Second},
		{15 * time.Second, 20 * time.Second, 15 * time.Second},
		{80 * time.Second, 15 * time.Second, 15 * time.Second},
		{90 * time.Second, 90 * time.Second, 90 * time.Second},
		{90*time.Second + time.Millisecond, 95 * time.Second, 0},
		{15 * time.Second, -time.Hour, 0}, // the server's clock was set back
		{0, time.Minute, 0},
	} {
		if got := attendance.Credit(c.held, c.elapsed); got != c.want {
			t.Errorf("Credit(%v, %v) = %v, want %v", c.held, c.elapsed, got, c.want)
		}
	}
}

// TestSeen follows what a view saw of the programme through speed, jumps and stalls.
func TestSeen(t *testing.T) {
	v := attendance.NewView(at(0))
	var r recording
	n := int64(0)
	beat := func(second int, state attendance.State, held, pos time.Duration) {
		t.Helper()
		r.take(&v, second, attendance.Beat{N: n, State: state, Held: held, Pos: pos})
		n++
	}
	const s = time.Second
	beat(0, attendance.Playing, 0, 100*s)
	beat(15, attendance.Playing, 15*s, 115*s)  // normal speed: [100, 115)
	beat(30, attendance.Playing, 15*s, 145*s)  // twice as fast: [115, 145)
	beat(45, attendance.Stalled, 15*s, 145*s)  // nothing
	beat(60, attendance.Playing, 15*s, 600*s)  // jumped ahead: [585, 600)
	beat(75, attendance.Playing, 15*s, 10*s)   // jumped back: [0, 10)
	beat(90, attendance.Paused, 15*s, 900*s)   // moved while paused: nothing
	beat(105, attendance.Playing, 15*s, 915*s) // [900, 915)
	var seen []attendance.Interval
	for _, s := range r {
		seen = append(seen, s.Seen)
	}
	want := attendance.Set{{From: 0, To: 10_000}, {From: 100_000, To: 145_000}, {From: 585_000, To: 600_000}, {From: 900_000, To: 915_000}}
	if diff := cmp.Diff(want, attendance.Union(seen...)); diff != "" {
		t.Errorf("programme seen in ms, expected (−), got (+):\n%s", diff)
	}
}

func lasting(from, to int) attendance.Interval {
	return attendance.Interval{From: at(from), To: at(to)}
}

// TestMixedBeats: what stalled and what played of one beat are told apart, and what is not credited is the oldest.
func TestMixedBeats(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name string
		beat attendance.Beat
		want recording
	}{
		{"a stall, then playing", attendance.Beat{State: attendance.Playing, Held: 15 * s, Before: 4 * s, Pos: 11 * s}, recording{
			{5, attendance.Stalled}: {N: 5, State: attendance.Stalled, Time: lasting(5, 9)},
			{5, attendance.Playing}: {N: 5, State: attendance.Playing, Time: lasting(9, 20), Seen: attendance.Interval{From: 0, To: 11_000}},
		}},
		{"playing, then a stall", attendance.Beat{State: attendance.Stalled, Held: 15 * s, Before: 11 * s, Pos: 11 * s}, recording{
			{5, attendance.Playing}: {N: 5, State: attendance.Playing, Time: lasting(5, 16), Seen: attendance.Interval{From: 0, To: 11_000}},
			{5, attendance.Stalled}: {N: 5, State: attendance.Stalled, Time: lasting(16, 20)},
		}},
		{"more than has passed", attendance.Beat{State: attendance.Playing, Held: 30 * s, Before: 15 * s, Pos: 15 * s}, recording{
			{5, attendance.Stalled}: {N: 5, State: attendance.Stalled, Time: lasting(0, 5)},
			{5, attendance.Playing}: {N: 5, State: attendance.Playing, Time: lasting(5, 20), Seen: attendance.Interval{From: 0, To: 15_000}},
		}},
		{"far more than has passed", attendance.Beat{State: attendance.Playing, Held: 60 * s, Before: 30 * s, Pos: 20 * s}, recording{
			{5, attendance.Playing}: {N: 5, State: attendance.Playing, Time: lasting(0, 20), Seen: attendance.Interval{From: 0, To: 20_000}},
		}},
		{"a silence too long", attendance.Beat{State: attendance.Playing, Held: 91 * s, Before: 30 * s}, recording{}},
	} {
		v := attendance.NewView(at(0))
		got := recording{}
		c.beat.N = 5
		got.take(&v, 20, c.beat)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: expected (−), got (+):\n%s", c.name, diff)
		}
	}
}
