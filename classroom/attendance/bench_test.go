package attendance_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

// BenchmarkRecorder is 500 pages that send their next beat as soon as the last one is answered: what the recorder and
// its database can take at most. ns/op is the time of one beat, committed.
func BenchmarkRecorder(b *testing.B) { eachDatabase(b, benchmarkRecorder) }

func eachDatabase(b *testing.B, bench func(b *testing.B, db *database.DB)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { bench(b, databasetest.Postgres(b)) })
	}
}

func benchmarkRecorder(b *testing.B, db *database.DB) {
	const pages = 500
	s := newSchool(b, db, pages, "live")
	r, _ := startRecorder(b, db)
	for i := range pages {
		s.mustRecord(b, r, i, "a", 0, 0, attendance.Playing, 0)
	}
	round := 0
	b.ResetTimer()
	for done := 0; done < b.N; done += pages {
		round++
		var wg sync.WaitGroup
		for i := range pages {
			wg.Go(func() {
				if _, err := s.record(b, r, i, "a", round*15, int64(round), attendance.Playing, 15); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkBeatRate sends 5,000 beats a second, evenly, from as many pages, and says what one second of that costs: the
// CPU time of this process in percent of one core (clients included; PostgreSQL has a process of its own), and how long
// the slowest hundredth of the answers took.
func BenchmarkBeatRate(b *testing.B) {
	for _, spacing := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond} {
		b.Run(spacing.String(), func(b *testing.B) {
			eachDatabase(b, func(b *testing.B, db *database.DB) { benchmarkBeatRate(b, db, spacing) })
		})
	}
}

func benchmarkBeatRate(b *testing.B, db *database.DB, spacing time.Duration) {
	const pages, parts = 5000, 100
	s := newSchool(b, db, pages, "live")
	r, _ := startPacedRecorder(b, db, spacing)
	second := 0
	var mu sync.Mutex
	var took []time.Duration
	send := func(i int, wg *sync.WaitGroup) {
		wg.Go(func() {
			began := time.Now()
			if _, err := s.record(b, r, i, "a", second*15, int64(second), attendance.Playing, 15); err != nil {
				b.Error(err)
			}
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
		})
	}
	oneSecond := func() {
		var wg sync.WaitGroup
		tick := time.NewTicker(time.Second / parts)
		defer tick.Stop()
		for part := range parts {
			<-tick.C
			for i := part * pages / parts; i < (part+1)*pages/parts; i++ {
				send(i, &wg)
			}
		}
		wg.Wait()
		second++
	}
	oneSecond() // opens the views
	took = took[:0]
	began, cpu := time.Now(), cpuTime(b)
	for b.Loop() {
		oneSecond()
	}
	wall := time.Since(began)
	slices.Sort(took)
	b.ReportMetric(100*float64(cpuTime(b)-cpu)/float64(wall), "%core")
	b.ReportMetric(float64(cpuTime(b)-cpu)/float64(len(took))/1000, "cpu-µs/beat")
	b.ReportMetric(float64(len(took))/wall.Seconds(), "beats/s")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkViews says what the recorder keeps in memory for 100,000 pages, ten of each student.
func BenchmarkViews(b *testing.B) {
	const pages, students = 10_000, 1000
	db := databasetest.New(b)
	s := newSchool(b, db, students, "live")
	var before, after runtime.MemStats
	for b.Loop() {
		r, stop := startRecorder(b, db)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for round := range pages / students { // fewer at once than the queue holds
			var wg sync.WaitGroup
			for i := range students {
				wg.Go(func() {
					s.mustRecord(b, r, i, fmt.Sprint("view-0123456789abcdef-", round), round, 0, attendance.Playing, 0)
				})
			}
			wg.Wait()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		stop()
		runtime.KeepAlive(r)
	}
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/pages*100_000/(1<<20), "MiB/100k-views")
}

// BenchmarkClose closes the register of a lesson that a thousand students watched on two devices each, with some ten
// intervals: counting, and writing a thousand rows.
func BenchmarkClose(b *testing.B) {
	eachDatabase(b, func(b *testing.B, db *database.DB) {
		s := newSchool(b, db, 1000, "live")
		s.air(b, between(0, 45))
		r, stop := startRecorder(b, db)
		var wg sync.WaitGroup
		for i := range s.students {
			wg.Go(func() {
				for device := range 2 {
					for n := range int64(10) {
						state := attendance.Playing
						if n%2 == 1 {
							state = attendance.Stalled
						}
						s.mustRecord(b, r, i, fmt.Sprint("device-", device), int(n)*80, n, state, 80)
					}
				}
			})
		}
		wg.Wait()
		stop()
		d := openDoor(b, s)
		s.end(b, nine(45))
		d.set(nine(61))
		b.ResetTimer()
		for b.Loop() {
			b.StopTimer()
			s.exec(b, `DELETE FROM register_rows`)
			s.exec(b, `DELETE FROM registers`)
			s.exec(b, `UPDATE lessons SET state = 'ended', closed_at = 0 WHERE id = ?`, s.lesson)
			b.StartTimer()
			if err := d.att.CloseDue(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTake is the credit rule alone.
func BenchmarkTake(b *testing.B) {
	v := attendance.NewView(0)
	now, n := database.Instant(0), int64(0)
	for b.Loop() {
		now, n = now+15_000, n+1
		v.Take(now, attendance.Beat{N: n, State: attendance.Playing, Held: sec(15), Pos: sec(int(n) * 15)})
	}
}

// BenchmarkMeasure is one student's row from ten intervals on three devices.
func BenchmarkMeasure(b *testing.B) {
	c, p := biology(), attendance.DefaultPolicy()
	var views []attendance.Watched
	for device := range int64(3) {
		w := attendance.Watched{OpenedAt: nine(0), Device: device}
		for i := range 10 {
			w.Stretches = append(w.Stretches, played(i*4, i*4+3, i*4))
		}
		views = append(views, w)
	}
	for b.Loop() {
		c.Measure(views, p)
	}
}
