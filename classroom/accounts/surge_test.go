package accounts_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
)

// surge lets n people sign in at the same moment from one school, each trying again when the server is busy, and
// returns the most memory that was in use meanwhile and how often somebody had to try again.
func (o *office) surge(t testing.TB, n int) (peak uint64, busy int64) {
	t.Helper()
	var wg sync.WaitGroup
	var again atomic.Int64
	for i := range n {
		wg.Go(func() {
			for {
				_, _, err := o.SignIn(t.Context(), fmt.Sprintf("s%05d@x.example", i), password, accounts.From{Addr: home})
				if err == nil {
					return
				}
				if !fault.Is(err, fault.KindBusy) && !errors.Is(err, database.ErrAway) {
					t.Errorf("sign in: %v", err)
					return
				}
				again.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return peak, again.Load()
		case <-tick.C:
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}
}

func openSurge(t testing.TB, db *database.DB, n int, cost accounts.Cost) *office {
	t.Helper()
	o := open(t, db)
	var err error
	o.Accounts, err = accounts.New(t.Context(), accounts.Config{DB: db, Cost: cost, HashSlots: 2, Now: o.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := o.HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]accounts.NewUser, n)
	for i := range list {
		list[i] = accounts.NewUser{Email: fmt.Sprintf("s%05d@x.example", i), DisplayName: "Student", PasswordHash: hash}
	}
	if _, err := o.CreateMany(t.Context(), 0, list); err != nil {
		t.Fatal(err)
	}
	return o
}

// SEC-30: 500 who sign in at once take the memory of as many hashes as there are slots, and what the garbage collector
// has not come to yet; not that of 500.
func TestSurgeIsBounded(t *testing.T) {
	const people, each = 500, 1 << 20
	db := databasetest.New(t)
	if _, err := db.SQL().ExecContext(t.Context(), "PRAGMA synchronous = OFF"); err != nil { // no test pulls the plug
		t.Fatal(err)
	}
	o := openSurge(t, db, people, accounts.Cost{MemoryKiB: each >> 10, Passes: 1})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak, _ := o.surge(t, people)
	if limit := 3*before.HeapInuse + 20*each; peak > limit {
		t.Errorf("%d MiB in use, want at most %d of the %d that 500 hashes would take", peak>>20, limit>>20, people*each>>20)
	}
}

func BenchmarkSignInSurge(b *testing.B) {
	const people = 500
	run := func(b *testing.B, db *database.DB) {
		o := openSurge(b, db, people, accounts.Cost{})
		peak, busy := uint64(0), int64(0)
		for b.Loop() {
			p, again := o.surge(b, people)
			peak, busy = max(peak, p), busy+again
		}
		b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "sign-ins/s")
		b.ReportMetric(float64(peak>>20), "MiB-peak")
		b.ReportMetric(float64(busy)/float64(b.N), "busy/op")
	}
	b.Run("sqlite", func(b *testing.B) { run(b, databasetest.New(b)) })
	if databasetest.HasPostgres() {
		b.Run("postgres", func(b *testing.B) { run(b, databasetest.Postgres(b)) })
	}
}
