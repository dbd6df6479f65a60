package attendance_test

import (
	"testing"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
)

const minute = time.Minute

// nine returns the instant m minutes after nine.
func nine(m int) database.Instant {
	return database.At(day).Add(9*time.Hour + time.Duration(m)*minute)
}

func between(from, to int) attendance.Interval {
	return attendance.Interval{From: nine(from), To: nine(to)}
}

// played is a stretch of normal play from one minute after nine to another that saw the programme from minute p on.
func played(from, to, p int) attendance.Stretch {
	seen := attendance.Interval{From: programme(p), To: programme(p + to - from)}
	return attendance.Stretch{State: attendance.Playing, Time: between(from, to), Seen: seen}
}

func programme(m int) database.Instant { return database.Instant(m) * 60_000 }

// biology is a lesson of 45 min that took place as planned.
func biology() attendance.Class {
	return attendance.Class{Planned: between(0, 45), Air: []attendance.Interval{between(0, 45)}, EndedAt: nine(45)}
}

func TestReplayNeverAddsToLiveMinutes(t *testing.T) {
	c, p := biology(), attendance.DefaultPolicy()
	w, _ := c.Window(p)
	f := c.Measure([]attendance.Watched{
		{OpenedAt: nine(0), Device: 1, Stretches: []attendance.Stretch{played(0, 10, 0)}},
		{OpenedAt: nine(46), Device: 2, Stretches: []attendance.Stretch{played(46, 56, 0), played(60, 75, 10)}},
	}, p)
	if f.Attending != 10*minute || f.Replay != 25*minute || f.Left != nine(10) || len(f.Visits) != 1 || f.Devices != 1 {
		t.Errorf("attending %v, replay %v, left %v, %d visits, %d devices", f.Attending, f.Replay, f.Left.Time(), len(f.Visits), f.Devices)
	}
	if f.Covered != 25*minute {
		t.Errorf("covered %v, want 25m: the first ten minutes were seen twice", f.Covered)
	}
	if s := f.LiveStatus(w, p); s != attendance.Absent {
		t.Errorf("live status %s, want absent", s)
	}
}

func TestPageOpenAtTheEndStaysLiveUntilTheRegisterCloses(t *testing.T) {
	c := biology()
	f := c.Measure([]attendance.Watched{{OpenedAt: nine(0), Stretches: []attendance.Stretch{played(5, 80, 0)}}}, attendance.DefaultPolicy())
	if c.ClosesAt() != nine(60) || f.Left != nine(60) || f.Replay != 20*minute || f.Attending != 40*minute {
		t.Errorf("closes %v, left %v, replay %v, attending %v", c.ClosesAt().Time(), f.Left.Time(), f.Replay, f.Attending)
	}
}

func TestClosesAt(t *testing.T) {
	c := biology()
	c.EndedAt = 0
	if c.ClosesAt() != 0 {
		t.Errorf("a lesson that goes on closes at %v", c.ClosesAt().Time())
	}
	c.EndedAt = nine(90) // the encoder was lost at 45 and the teacher ended much later
	if c.ClosesAt() != nine(90) {
		t.Errorf("closes at %v, want when it ended", c.ClosesAt().Time())
	}
}

func TestCoverageDoesNotMindSpeedOrRepeats(t *testing.T) {
	c, p := biology(), attendance.DefaultPolicy()
	double := attendance.Stretch{State: attendance.Playing, Time: between(100, 100+22), Seen: attendance.Interval{From: 0, To: programme(44)}}
	for name, s := range map[string]struct {
		stretches []attendance.Stretch
		tenths    int
	}{
		"44 of 45 min at double speed":         {[]attendance.Stretch{double}, 977},
		"the same ten minutes, three times":    {[]attendance.Stretch{played(100, 110, 5), played(110, 120, 5), played(120, 130, 5)}, 222},
		"longer than the programme it is from": {[]attendance.Stretch{played(100, 160, 0)}, 1000},
	} {
		f := c.Measure([]attendance.Watched{{OpenedAt: nine(99), Stretches: s.stretches}}, p)
		if got := attendance.Tenths(f.Covered, c.ProgrammeLength()); got != s.tenths {
			t.Errorf("%s: %d ‰, want %d", name, got, s.tenths)
		}
	}
}

// TestLiveStatus decides at the edges, and in the order of docs/attendance.md.
func TestLiveStatus(t *testing.T) {
	p := attendance.DefaultPolicy()
	w := attendance.Set{{From: nine(0), To: nine(40)}} // 2,400 s
	for _, c := range []struct {
		attending, late, early int
		want                   attendance.Status
	}{
		{599, 0, 0, attendance.Absent},
		{600, 0, 0, attendance.Partial},
		{1799, 301, 301, attendance.Partial},
		{1800, 0, 0, attendance.Present},
		{1800, 300, 300, attendance.Present},
		{1800, 301, 0, attendance.Late},
		{1800, 0, 301, attendance.LeftEarly},
		{1800, 301, 301, attendance.Late},
	} {
		f := attendance.Figures{Here: true, Attending: sec(c.attending), Late: sec(c.late), Early: sec(c.early)}
		if got := f.LiveStatus(w, p); got != c.want {
			t.Errorf("%d s, %d s late, gone %d s early: %s, want %s", c.attending, c.late, c.early, got, c.want)
		}
	}
}

func TestLift(t *testing.T) {
	never := attendance.DefaultPolicy()
	never.MakeupDays = 0
	for name, c := range map[string]struct {
		views        []attendance.Watched
		policy       attendance.Policy
		live, lifted attendance.Status
	}{
		"behind the edge, to the end within the hour": {
			[]attendance.Watched{{OpenedAt: nine(20), Stretches: []attendance.Stretch{played(20, 65, 0)}}},
			attendance.DefaultPolicy(), attendance.Partial, attendance.Present,
		},
		"the same an hour and a minute after the end": {
			[]attendance.Watched{{OpenedAt: nine(20), Stretches: []attendance.Stretch{played(20, 40, 0), played(81, 106, 20)}}},
			never, attendance.Partial, attendance.Present, // 44 of 45 min were seen by then
		},
		"too little within the hour": {
			[]attendance.Watched{{OpenedAt: nine(20), Stretches: []attendance.Stretch{played(20, 40, 0), played(85, 110, 20)}}},
			never, attendance.Partial, attendance.Partial,
		},
		"made up on the seventh day": {
			[]attendance.Watched{{OpenedAt: nine(5 * 24 * 60), Stretches: []attendance.Stretch{played(5*24*60, 5*24*60+36, 0)}}},
			attendance.DefaultPolicy(), attendance.Absent, attendance.MadeUp,
		},
		"one second short": {
			[]attendance.Watched{{OpenedAt: nine(600), Stretches: []attendance.Stretch{{
				State: attendance.Playing, Time: between(600, 636), Seen: attendance.Interval{From: 0, To: programme(36) - 1000},
			}}}},
			attendance.DefaultPolicy(), attendance.Absent, attendance.Absent,
		},
		"too late": {
			[]attendance.Watched{{OpenedAt: nine(8 * 24 * 60), Stretches: []attendance.Stretch{played(8*24*60, 8*24*60+45, 0)}}},
			attendance.DefaultPolicy(), attendance.Absent, attendance.Absent,
		},
		"making up is switched off": {
			[]attendance.Watched{{OpenedAt: nine(600), Stretches: []attendance.Stretch{played(600, 645, 0)}}},
			never, attendance.Absent, attendance.Absent,
		},
	} {
		f := biology().Measure(c.views, c.policy)
		w, _ := biology().Window(c.policy)
		live := f.LiveStatus(w, c.policy)
		if lifted := f.Lift(live); live != c.live || lifted != c.lifted {
			t.Errorf("%s: %s becomes %s, want %s and %s", name, live, lifted, c.live, c.lifted)
		}
	}
}

func TestBridgeOverTheStartCounts(t *testing.T) {
	c, p := biology(), attendance.DefaultPolicy()
	half := attendance.Interval{From: nine(-5), To: nine(0).Add(-20 * time.Second)}
	rest := attendance.Interval{From: nine(0).Add(20 * time.Second), To: nine(45)}
	f := c.Measure([]attendance.Watched{{OpenedAt: nine(-5), Stretches: []attendance.Stretch{
		{State: attendance.Stalled, Time: half}, {State: attendance.Playing, Time: rest},
	}}}, p)
	if f.Late != 20*time.Second || f.Attending != 45*minute || f.Played != 45*minute-20*time.Second {
		t.Errorf("late %v, attending %v, played %v", f.Late, f.Attending, f.Played)
	}
}

func TestTenthsAreRoundedDown(t *testing.T) {
	for _, c := range []struct {
		part, whole time.Duration
		want        int
	}{
		{0, 0, 0}, {0, minute, 0}, {minute, minute, 1000}, {2024 * time.Second, 2700 * time.Second, 749}, {2025 * time.Second, 2700 * time.Second, 750},
	} {
		if got := attendance.Tenths(c.part, c.whole); got != c.want {
			t.Errorf("Tenths(%v, %v) = %d, want %d", c.part, c.whole, got, c.want)
		}
	}
}

func TestPolicyLayers(t *testing.T) {
	p, err := attendance.ParsePolicy(`{"present_at_pct":80,"late_after_s":0}`, "", `{"late_after_s":600,"weights":{"partial":25}}`)
	want := attendance.DefaultPolicy()
	want.PresentAtPct, want.LateAfterS, want.Weights.Partial = 80, 600, 25
	if err != nil || p != want {
		t.Errorf("layers give %+v, %v; want %+v", p, err, want)
	}
	if again, err := attendance.ParsePolicy(p.JSON()); err != nil || again != p {
		t.Errorf("%s reads as %+v, %v", p.JSON(), again, err)
	}
	for _, bad := range []string{
		`{`, `[]`, `{"present":1}`, `{"present_at_pct":101}`, `{"present_at_pct":-1}`, `{"absent_below_pct":76}`, `{"bridge_s":3601}`,
		`{"makeup_days":1.5}`, `{"weights":{"partial":101}}`,
	} {
		if p, err := attendance.ParsePolicy(bad); err == nil {
			t.Errorf("%s was read as %+v", bad, p)
		}
	}
}

func TestRate(t *testing.T) {
	w := attendance.DefaultPolicy().Weights
	for _, c := range []struct {
		counts       map[attendance.Status]int
		held, tenths int
		rated        bool
	}{
		{nil, 0, 0, false},
		{map[attendance.Status]int{attendance.Excused: 2, attendance.NotHeld: 3, attendance.Pending: 1}, 2, 0, false},
		{map[attendance.Status]int{attendance.Absent: 1, attendance.Excused: 1}, 2, 0, true},
		{map[attendance.Status]int{attendance.Present: 1, attendance.Absent: 2}, 3, 333, true},
		{map[attendance.Status]int{attendance.Present: 5, attendance.Late: 1, attendance.LeftEarly: 1, attendance.MadeUp: 1, attendance.Partial: 1, attendance.Absent: 1, attendance.Excused: 1}, 11, 850, true},
	} {
		if held, tenths, rated := attendance.Rate(c.counts, w); held != c.held || tenths != c.tenths || rated != c.rated {
			t.Errorf("%v: %d held, %d, %v; want %d, %d and %v", c.counts, held, tenths, rated, c.held, c.tenths, c.rated)
		}
	}
}
