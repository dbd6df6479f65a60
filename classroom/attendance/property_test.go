package attendance_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// sent is one beat on its way: when it leaves its page, and how often it arrives.
type sent struct {
	second int
	beat   attendance.Beat
	again  []int // seconds at which it arrives once more, after younger ones
}

// What pages do, the most telling first, since the first are drawn most often. Lengths are at the edges of the rule: of a
// silence that still counts, and of a pause that is bridged.
var (
	states   = []attendance.State{attendance.Playing, attendance.Paused, attendance.Stalled, attendance.Playing}
	silences = []int{91, 61, 90, 119, 240}
	pauses   = []int{20, 3, 21, 19, 70}
)

// drawPage makes up a page: what it did, second by second, and the beats that reach the server over a network that
// loses beats, loses answers and delivers late and twice. It claims more than it did, now and then, and its lid is
// closed: what it says of a silence of more than 90 s is worth nothing.
func drawPage(rt *rapid.T, name string, attending, played *seconds) (arrive []sent) {
	second := rapid.IntRange(0, 500).Draw(rt, "opened")
	n, acked := int64(0), second
	var first attendance.State // what held since acked, before the state that holds
	var firstFor int
	beat := func(state attendance.State) attendance.Beat {
		b := attendance.Beat{View: name, N: n, State: state, Held: sec(second - acked)}
		if first != "" && first != state {
			b.Before = sec(firstFor)
		} else if second-acked < 80 && rapid.SampledFrom([]bool{false, false, true}).Draw(rt, "boast") {
			b.Held = sec(80)
		}
		n++
		return b
	}
	arrive = append(arrive, sent{second: second, beat: beat(attendance.Paused)})
	next := rapid.SampledFrom(states).Draw(rt, "state")
	for range rapid.IntRange(3, 8).Draw(rt, "phases") {
		state := next
		next = rapid.SampledFrom(states).Draw(rt, "state")
		// A stall that begins or ends while nothing comes through is told by one beat for both: Before.
		both := first == "" && next != state && state != attendance.Paused && next != attendance.Paused
		if first == "" && rapid.SampledFrom([]bool{false, false, true}).Draw(rt, "lid") { // all that was before is acknowledged by now
			began := second
			second = min(second+rapid.SampledFrom(silences).Draw(rt, "silence"), modelSeconds-1)
			if second-began <= 90 && state != attendance.Paused {
				attending.mark(began, second)
			}
			if second-began <= 90 && state == attendance.Playing {
				played.mark(began, second)
			}
			arrive = append(arrive, sent{second: second, beat: beat(state)})
			acked = second
			continue
		}
		length := rapid.IntRange(1, 150).Draw(rt, "length")
		if state == attendance.Paused {
			length = rapid.SampledFrom(pauses).Draw(rt, "pause")
		}
		end := min(second+length, modelSeconds-1)
		for second < end {
			step := min(rapid.IntRange(1, 15).Draw(rt, "step"), end-second)
			if state != attendance.Paused {
				attending.mark(second, second+step)
			}
			if state == attendance.Playing {
				played.mark(second, second+step)
			}
			second += step
			s := sent{second: second, beat: beat(state)}
			// Any other change is told at once and again until it is known, so only what lies within a state is lost whole.
			fate := rapid.SampledFrom([]string{"answered", "lost", "answer lost", "answered"}).Draw(rt, "fate")
			if second == end && fate == "lost" && !both || second-acked > 60 {
				fate = "answered"
			}
			if fate != "lost" {
				for range rapid.IntRange(0, 2).Draw(rt, "copies") {
					s.again = append(s.again, second+rapid.IntRange(0, 40).Draw(rt, "delay"))
				}
				arrive = append(arrive, s)
			}
			if fate == "answered" {
				acked, first, firstFor = second, "", 0
			}
		}
		switch {
		case acked == second:
		case both:
			first, firstFor = state, second-acked
		case state == attendance.Paused && first == "":
			acked = second // nothing that counts
		default: // the page tries again before anything else happens to it
			arrive = append(arrive, sent{second: second, beat: beat(state)})
			acked, first, firstFor = second, "", 0
		}
	}
	if first != "" { // what was to be told with what came next
		arrive = append(arrive, sent{second: second, beat: beat(first)})
	}
	return arrive
}

// arrival is a beat at the server.
type arrived struct {
	second int
	beat   attendance.Beat
}

// arrivals puts the beats of all pages in an order that a network may bring them in: copies of old ones between, and
// what arrives at the same second in any order that keeps each page's own.
func arrivals(rt *rapid.T, pages [][]sent) (all []arrived) {
	var copies []arrived
	next := make([]int, len(pages))
	for {
		var due []int
		earliest := 1 << 30
		for i, p := range pages {
			if next[i] < len(p) {
				earliest = min(earliest, p[next[i]].second)
			}
		}
		for i, p := range pages {
			if next[i] < len(p) && p[next[i]].second == earliest {
				due = append(due, i)
			}
		}
		if len(due) == 0 {
			break
		}
		i := rapid.SampledFrom(due).Draw(rt, "next")
		s := pages[i][next[i]]
		next[i]++
		all = append(all, arrived{s.second, s.beat})
		for _, second := range s.again {
			copies = append(copies, arrived{second, s.beat})
		}
	}
	all = append(all, copies...)
	slices.SortStableFunc(all, func(a, b arrived) int { return a.second - b.second }) // copies come behind
	return all
}

// TestRegisterIsWhatHappened holds what the database says of made-up lessons against the stopwatch of modelMeasure,
// whatever the network did to the beats: any order, copies, losses and repetitions (FLT-22, FLT-23).
func TestRegisterIsWhatHappened(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := flag.Set("rapid.checks", "50"); err != nil {
			t.Fatal(err)
		}
	}
	p := attendance.DefaultPolicy()
	p.BridgeS, p.OutageMergeS, p.LateAfterS, p.EarlyBeforeS, p.MakeupDays = 20, 40, 60, 60, 0
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 1, "live")
		s.exec(t, `UPDATE courses SET policy = ? WHERE id = ?`, p.JSON(), s.course)
		d := openDoor(t, s)
		rapid.Check(t, func(rt *rapid.T) {
			var attending, played, air, planned seconds
			var aired []attendance.Interval
			from := rapid.IntRange(0, 300).Draw(rt, "air from")
			for range rapid.SampledFrom([]int{2, 1, 3, 0}).Draw(rt, "broadcasts") {
				until := min(from+rapid.IntRange(1, 400).Draw(rt, "air for"), modelSeconds)
				air.mark(from, until)
				aired = append(aired, attendance.Interval{From: at(from), To: at(until)})
				from = min(until+rapid.SampledFrom([]int{40, 41, 1, 80}).Draw(rt, "outage"), modelSeconds-1)
			}
			start := rapid.IntRange(0, 300).Draw(rt, "planned from")
			end := start + rapid.IntRange(60, 590).Draw(rt, "planned for")
			planned.mark(start, end)
			var pages [][]sent
			for i := range rapid.SampledFrom([]int{2, 1, 3, 0}).Draw(rt, "pages") {
				pages = append(pages, drawPage(rt, fmt.Sprint("view-", i), &attending, &played))
			}
			d.newLesson(t, at(start), at(end), aired)
			for _, a := range arrivals(rt, pages) {
				d.set(at(a.second))
				body := fmt.Sprintf(`{"view":%q,"n":%d,"state":%q,"d_ms":%d,"before_ms":%d,"pos":0}`,
					a.beat.View, a.beat.N, a.beat.State, a.beat.Held.Milliseconds(), a.beat.Before.Milliseconds())
				if status, b := d.do(t, s.students[0], "POST", d.path("/beats"), body); status != 200 {
					rt.Fatalf("%s: %d %s", body, status, b)
				}
			}
			d.end(t, at(modelSeconds))
			d.set(at(modelSeconds).Add(time.Hour))
			if err := d.att.CloseDue(t.Context()); err != nil {
				rt.Fatal(err)
			}
			want, status, outside := modelMeasure(&planned, air, attending, played, p)
			if status == attendance.NotHeld {
				outside = false
			}
			r := d.register(t, s.teacher)
			row := r.Rows[0]
			got := attendance.Figures{Attending: sec(row.AttendingS), Played: sec(row.PlayedS)}
			if row.LateS != nil {
				got.Here, got.Late, got.Early = true, sec(*row.LateS), sec(*row.EarlyS)
			}
			if diff := cmp.Diff(want, got); diff != "" || attendance.Status(row.LiveStatus) != status || r.Outside != outside {
				rt.Fatalf("the stopwatch says %s (−), the database %s (+):\n%s", status, row.LiveStatus, diff)
			}
		})
	})
}

// newLesson puts another lesson of the course in the place of the one before.
func (d *door) newLesson(t testing.TB, start, end database.Instant, air []attendance.Interval) {
	t.Helper()
	d.lesson = media.NewID()
	d.exec(t, `INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at,
		planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by)
		VALUES (?, ?, 0, 'Cells', '2026-09-07', '11:00', '11:45', 'Europe/Berlin', ?, ?, 0, 'live', 0, 0, 0, 0, 1, ?)`,
		d.lesson, d.course, start, end, d.teacher)
	d.air(t, air...)
}
