package attendance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
)

// record sends a beat that arrives so many seconds after nine.
func (s *school) record(t testing.TB, r *attendance.Recorder, student int, view string, second int, n int64, state attendance.State, held int) (attendance.Receipt, error) {
	t.Helper()
	return r.Record(t.Context(), attendance.Arrival{
		Lesson: s.lesson, User: s.students[student], Device: 7, DeviceClass: "phone",
		At:   nine(0).Add(sec(second)),
		Beat: attendance.Beat{View: view, N: n, State: state, Held: sec(held), Pos: sec(second)},
	})
}

func (s *school) mustRecord(t testing.TB, r *attendance.Recorder, student int, view string, second int, n int64, state attendance.State, held int) attendance.Receipt {
	t.Helper()
	got, err := s.record(t, r, student, view, second, n, state, held)
	if err != nil {
		t.Fatalf("beat %d of view %s at %d s: %v", n, view, second, err)
	}
	return got
}

func TestRecorderExtendsInPlace(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 1, "live")
		r, _ := startRecorder(t, db)
		s.mustRecord(t, r, 0, "a", 0, 0, attendance.Playing, 0)
		s.mustRecord(t, r, 0, "a", 15, 1, attendance.Playing, 15)
		s.mustRecord(t, r, 0, "a", 30, 2, attendance.Playing, 15)
		s.mustRecord(t, r, 0, "a", 40, 3, attendance.Stalled, 10)
		s.mustRecord(t, r, 0, "a", 55, 4, attendance.Playing, 15)
		got := s.mustRecord(t, r, 0, "b", 56, 0, attendance.Paused, 0)
		if got.N != 0 || got.Interval != sec(15) {
			t.Errorf("receipt of the first beat of a second view: %+v", got)
		}
		want := []attendance.Watched{{OpenedAt: nine(0), Stretches: []attendance.Stretch{
			{N: 1, State: attendance.Playing, Time: during(0, 30), Seen: attendance.Interval{From: 0, To: 30_000}},
			{N: 3, State: attendance.Stalled, Time: during(30, 40)},
			{N: 4, State: attendance.Playing, Time: during(40, 55), Seen: attendance.Interval{From: 40_000, To: 55_000}},
		}}}
		if diff := cmp.Diff(want, s.stored(t, s.students[0])); diff != "" {
			t.Errorf("stored, want (−), got (+):\n%s", diff)
		}
		if diff := cmp.Diff(attendance.Set{during(0, 55)}, got.Attending); diff != "" {
			t.Errorf("the receipt counts, want (−), got (+):\n%s", diff)
		}
	})
}

func during(from, to int) attendance.Interval {
	return attendance.Interval{From: nine(0).Add(sec(from)), To: nine(0).Add(sec(to))}
}

// TestRecorderSurvivesItsRestart stops the recorder at every beat, and sends each beat once more to the next one,
// as a page does whose answer was lost.
func TestRecorderSurvivesItsRestart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 1, "live")
		for n := range int64(8) {
			r, stop := startRecorder(t, db)
			if n > 0 {
				again := s.mustRecord(t, r, 0, "a", int(n)*15-5, n-1, attendance.Playing, 15)
				if again.N != n-1 {
					t.Fatalf("beat %d was sent again; acknowledged is %d", n-1, again.N)
				}
			}
			got := s.mustRecord(t, r, 0, "a", int(n)*15, n, attendance.Playing, 15)
			if want := sec(int(n) * 15); got.N != n || got.Attending.Length() != want {
				t.Fatalf("after beat %d: %d acknowledged, %v counted, want %v", n, got.N, got.Attending.Length(), want)
			}
			stop()
			if _, err := s.record(t, r, 0, "a", int(n)*15+1, n+1, attendance.Playing, 1); !fault.Is(err, fault.KindBusy) {
				t.Fatalf("a stopped recorder answers %v, want busy", err)
			}
		}
		views := s.stored(t, s.students[0])
		if len(views) != 1 || len(views[0].Stretches) != 1 || views[0].Stretches[0].Time != during(0, 105) {
			t.Errorf("stored %+v, want one stretch of 105 s", views)
		}
	})
}

// TestDatabaseAwayCostsNothing closes the tables while pages go on, one of them new.
func TestDatabaseAwayCostsNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 2, "live")
		r, _ := startRecorder(t, db)
		s.mustRecord(t, r, 0, "a", 0, 0, attendance.Playing, 0)
		s.mustRecord(t, r, 0, "a", 15, 1, attendance.Playing, 15)

		s.exec(t, `ALTER TABLE intervals RENAME TO away`)
		if _, err := s.record(t, r, 0, "a", 30, 2, attendance.Playing, 15); !fault.Is(err, fault.KindBusy) {
			t.Fatalf("a beat without a database is answered %v, want busy", err)
		}
		if _, err := s.record(t, r, 1, "b", 31, 0, attendance.Playing, 0); !fault.Is(err, fault.KindBusy) {
			t.Fatalf("a first beat without a database is answered %v, want busy", err)
		}
		s.exec(t, `ALTER TABLE away RENAME TO intervals`)

		got := s.mustRecord(t, r, 0, "a", 60, 3, attendance.Playing, 45)
		if got.Attending.Length() != sec(60) {
			t.Errorf("after 45 s without a database %v are counted, want 1m", got.Attending.Length())
		}
		got = s.mustRecord(t, r, 1, "b", 61, 1, attendance.Playing, 30)
		if got.Attending.Length() != sec(30) {
			t.Errorf("the page that opened meanwhile has %v, want 30s", got.Attending.Length())
		}
	})
}

func TestOneBadRowHarmsNobodyElse(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 20, "live")
		ghost := s.students[7]
		s.exec(t, `DELETE FROM enrollments WHERE user_id = ?`, ghost)
		s.exec(t, `DELETE FROM users WHERE id = ?`, ghost)
		r := attendance.NewRecorder(attendance.RecorderConfig{DB: db})
		errs := make([]error, len(s.students))
		var wg sync.WaitGroup
		for i := range s.students {
			wg.Go(func() { _, errs[i] = s.record(t, r, i, "a", 0, 0, attendance.Playing, 0) })
		}
		for r.Waiting() < len(s.students) { // all in one batch
			runtime.Gosched()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for i, err := range errs {
			if (err != nil) != (i == 7) {
				t.Errorf("student %d: %v", i, err)
			}
		}
	})
}

func TestFloodOfOneStudent(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 2, "live")
		r, _ := startRecorder(t, s.db)
		var refused int
		for n := range int64(300) {
			_, err := s.record(t, r, 0, "a", 0, n, attendance.Playing, 0)
			if fault.Is(err, fault.KindTooMany) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused != 60 {
			t.Errorf("of 300 beats in one second %d were refused, want 60", refused)
		}
		s.mustRecord(t, r, 1, "a", 0, 0, attendance.Playing, 0)
		s.mustRecord(t, r, 0, "a", 15, 1000, attendance.Playing, 15)
	})
}

// TestShuffledBeats posts the beats of several pages to the database in any order that keeps each page's
// clock, with repetitions, and expects what a perfect line gives.
func TestShuffledBeats(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 6, "live")
		r, _ := startRecorder(t, db)
		want := map[int]attendance.Set{}
		type beat struct {
			student, second int
			view            string
			n               int64
			state           attendance.State
			held            int
		}
		var beats []beat
		rnd := rand.New(rand.NewPCG(1, 2))
		for student := range s.students {
			var ivs []attendance.Interval
			for view := range 3 {
				second := rnd.IntN(100)
				for n := range int64(12) {
					held := 1 + rnd.IntN(15)
					state := []attendance.State{attendance.Playing, attendance.Playing, attendance.Stalled, attendance.Paused}[rnd.IntN(4)]
					if n == 0 {
						held = 0
					}
					second += held
					beats = append(beats, beat{student, second, fmt.Sprint("v", view), n, state, held})
					if state != attendance.Paused {
						ivs = append(ivs, during(second-held, second))
					}
				}
			}
			want[student] = attendance.Union(ivs...)
		}
		var wg sync.WaitGroup
		for student := range s.students { // students at once, each in order of time but with old ones between
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(3, uint64(student)))
				var past []beat
				for _, b := range beats {
					if b.student != student {
						continue
					}
					s.mustRecord(t, r, b.student, b.view, b.second, b.n, b.state, b.held)
					past = append(past, b)
					old := past[rnd.IntN(len(past))]
					s.mustRecord(t, r, old.student, old.view, b.second+rnd.IntN(3), old.n, old.state, old.held)
				}
			})
		}
		wg.Wait()
		for student, set := range want {
			if diff := cmp.Diff(set, attendingOf(s.stored(t, s.students[student]))); diff != "" {
				t.Errorf("student %d, perfect line (−), this one (+):\n%s", student, diff)
			}
		}
	})
}
