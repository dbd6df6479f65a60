package reports_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/reports"
	"chalkcast/media"
)

// BenchmarkExports writes every kind of file of a large course over a school year: 1,000 students, 200 lessons. peak-MiB
// is how far the heap grew meanwhile, garbage included.
func BenchmarkExports(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkExports(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { benchmarkExports(b, databasetest.Postgres(b)) })
	}
}

func benchmarkExports(b *testing.B, db *database.DB) {
	s := newTerm(b, db, 1000, 200)
	s.watched(b)
	ctx := context.Background()
	who := reports.Reader{ID: 1000, Name: "Ada", Lang: "en", T: func(key string, _ map[string]any) string { return key }}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	filter := attendance.Filter{From: from, Until: from.AddDate(1, 0, 0)}
	lesson, err := s.lessons.Find(ctx, 5000)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		of   func(o reports.Options) (*reports.File, error)
	}{
		{"matrix", func(o reports.Options) (*reports.File, error) {
			return s.reports.Matrix(ctx, who, s.course, filter.From, filter.Until, o)
		}},
		{"students", func(o reports.Options) (*reports.File, error) { return s.reports.Standings(ctx, who, filter, o) }},
		{"summary", func(o reports.Options) (*reports.File, error) { return s.reports.Summary(ctx, who, filter, o) }},
		{"register", func(o reports.Options) (*reports.File, error) { return s.reports.Register(ctx, who, lesson, o) }},
		{"intervals", func(o reports.Options) (*reports.File, error) { return s.reports.Intervals(ctx, who, lesson, o) }},
	} {
		for kind, o := range map[string]reports.Options{"csv": {CSV: true}, "xlsx": {}} {
			b.Run(c.name+"/"+kind, func(b *testing.B) {
				peak := watchHeap()
				for b.Loop() {
					file, err := c.of(o)
					if err == nil {
						err = file.Write(io.Discard, nil)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(peak()/(1<<20), "peak-MiB")
			})
		}
	}
}

// watched gives the first lesson 20,000 intervals.
func (s schoolTerm) watched(b *testing.B) {
	b.Helper()
	err := s.db.Tx(b.Context(), func(tx *gorm.DB) (err error) {
		for i := 0; i < 1000 && err == nil; i++ {
			view := media.NewID()
			err = tx.Exec(`INSERT INTO views (id, lesson_id, user_id, token, device, device_class, n, pos_ms, opened_at, last_at)
				VALUES (?, 5000, ?, 'v', 1, 'phone', 3, 0, 1, 1)`, view, 1000+i).Error
			var rows strings.Builder
			for n := range 20 {
				fmt.Fprintf(&rows, ",(%d,%d,'playing',%d,%d,0,0)", view, n, 1_769_932_800_000+n*60_000, 1_769_932_850_000+n*60_000)
			}
			if err == nil {
				err = tx.Exec("INSERT INTO intervals (view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms) VALUES " + rows.String()[1:]).Error
			}
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// watchHeap looks at the heap every millisecond until it is asked how many bytes it grew by at most.
func watchHeap() (peak func() float64) {
	heap := func() uint64 {
		one := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(one)
		return one[0].Value.Uint64()
	}
	runtime.GC()
	runtime.GC() // what had a finalizer is gone only now
	before, most := heap(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, heap())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-done
		return float64(most) - float64(before)
	}
}
