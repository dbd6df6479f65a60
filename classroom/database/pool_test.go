package database_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

// A statement that takes too long is cancelled, a server that says nothing is given up, and a caller that finds no
// connection free goes away; each is a time without a database and no bug (FLT-11, FLT-12).
func TestNobodyWaitsForEver(t *testing.T) {
	if !databasetest.HasPostgres() {
		return
	}
	proxy, url := databasetest.NewProxy(t)
	db, err := database.Open(t.Context(), database.Config{
		URL: url, MaxConns: 1, StatementTimeout: 200 * time.Millisecond, AcquireTimeout: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ask := func(query string) error {
		var s string
		return db.Reader().WithContext(t.Context()).Raw(query).Scan(&s).Error
	}
	wantAway := func(what string, err error) {
		t.Helper()
		if !database.Away(err) {
			t.Errorf("%s: %v, want an error that says the database is away", what, err)
		}
	}
	wantAway("a statement of ten seconds", ask("SELECT pg_sleep(10)::text"))
	if err := ask("SELECT name FROM school"); err != nil {
		t.Errorf("after a cancelled statement: %v", err)
	}
	err = db.Tx(t.Context(), func(*gorm.DB) error {
		wantAway("no connection free", ask("SELECT name FROM school"))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := db.Snapshot(t.Context(), func(tx *gorm.DB) error { return tx.Exec("SELECT pg_sleep(0.4)").Error }); err != nil {
		t.Errorf("an export that takes longer than a page may: %v", err)
	}
	proxy.Hold()
	wantAway("a server that says nothing", ask("SELECT name FROM school"))
	wantAway("nor anything to who asks next", ask("SELECT name FROM school"))
	proxy.Let()
	deadline := time.After(time.Minute)
	for err = ask("SELECT name FROM school"); err != nil; err = ask("SELECT name FROM school") {
		select {
		case <-deadline:
			t.Fatalf("the database is back: %v", err)
		default:
		}
	}
}

func TestAway(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{database.ErrNotFound, false},
		{database.ErrDuplicate, false},
		{errors.New("a bug"), false},
		{context.Canceled, false},
		{context.DeadlineExceeded, true},
		{database.ErrAway, true},
	} {
		if got := database.Away(c.err); got != c.want {
			t.Errorf("Away(%v) = %t", c.err, got)
		}
	}
}

func TestMemory(t *testing.T) {
	var m database.Memory[string, int]
	at := time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
	bug := errors.New("a bug")
	for _, step := range []struct {
		what    string
		at      time.Duration
		value   int
		err     error
		want    int
		wantErr error
	}{
		{"away, and nothing known", 0, 0, database.ErrAway, 0, database.ErrAway},
		{"read", 0, 7, nil, 7, nil},
		{"away", 9 * time.Minute, 0, database.ErrAway, 7, nil},
		{"a bug is not hidden", 9 * time.Minute, 0, bug, 0, bug},
		{"nor what is gone", 9 * time.Minute, 0, database.ErrNotFound, 0, database.ErrNotFound},
		{"away for long", 10 * time.Minute, 0, database.ErrAway, 0, database.ErrAway},
	} {
		got, err := m.Or("key", at.Add(step.at), step.value, step.err)
		if got != step.want || !errors.Is(err, step.wantErr) {
			t.Errorf("%s: %d, %v; want %d, %v", step.what, got, err, step.want, step.wantErr)
		}
	}
	m.Forget()
	if _, err := m.Or("key", at, 0, database.ErrAway); err == nil {
		t.Error("what was forgotten is known")
	}
}
