package attendance_test

import (
	"sync"
	"testing"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

// BenchmarkRecorder is 500 pages that send their next beat as soon as the last one is answered. The figure is the
// time of one beat, committed; all of it is the recorder's and the database's.
func BenchmarkRecorder(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkRecorder(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { benchmarkRecorder(b, databasetest.Postgres(b)) })
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
