package database_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

func TestInstant(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	moment := time.Date(2026, 9, 3, 18, 0, 0, 123_999_999, tokyo)
	i := database.At(moment)
	if got, want := i.Time().Format(time.RFC3339Nano), "2026-09-03T09:00:00.123Z"; got != want {
		t.Errorf("At(%v).Time() = %s, want %s", moment, got, want)
	}
	if database.At(time.Time{}) != 0 || !database.Instant(0).Time().IsZero() || !database.Instant(0).IsZero() {
		t.Error("no time and instant 0 are not each other")
	}
	if got := i.Add(90 * time.Second).Sub(i); got != 90*time.Second {
		t.Errorf("90 s later is %v later", got)
	}
}

func TestTxCommitsOrRollsBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		insert := func(tx *gorm.DB, code string) error {
			return tx.Exec("INSERT INTO courses (id, code, title, term, zone, policy, auto_live, created_at, archived_at) "+
				"VALUES (?, ?, '', '', 'UTC', '{}', FALSE, 1, 0)", len(code), code).Error
		}
		oops := errors.New("oops")
		if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return errors.Join(insert(tx, "a"), oops) }); !errors.Is(err, oops) {
			t.Fatalf("Tx returned %v, want what the function returned", err)
		}
		func() {
			defer func() { recover() }()
			_ = db.Tx(t.Context(), func(tx *gorm.DB) error { _ = insert(tx, "bb"); panic("bug") })
		}()
		if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return insert(tx, "ccc") }); err != nil {
			t.Fatal(err)
		}
		var codes []string
		if err := db.Reader().Raw("SELECT code FROM courses").Scan(&codes).Error; err != nil || !slices.Equal(codes, []string{"ccc"}) {
			t.Errorf("courses = %q, %v; want only the committed one", codes, err)
		}
		if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return insert(tx, "ccc") }); !errors.Is(err, database.ErrDuplicate) {
			t.Errorf("second course with one id: %v, want ErrDuplicate", err)
		}
	})
}

func TestConstraintsHaveNames(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		exec := func(query string) error {
			return db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(query).Error })
		}
		if err := exec("INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at) VALUES ('x', 7, 1, 1, 1)"); !errors.Is(err, database.ErrReference) {
			t.Errorf("session of nobody: %v, want ErrReference", err)
		}
		if err := exec("UPDATE school SET id = 2"); !errors.Is(err, database.ErrCheck) {
			t.Errorf("second school: %v, want ErrCheck", err)
		}
	})
}

func TestReaderOfSQLiteDoesNotWrite(t *testing.T) {
	db := databasetest.New(t)
	if err := db.Reader().Exec("UPDATE school SET name = 'x'").Error; err == nil {
		t.Error("the reader wrote")
	}
}

func TestSnapshotSeesOneInstant(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		name := func(q *gorm.DB) (s string) {
			if err := q.Raw("SELECT name FROM school").Scan(&s).Error; err != nil {
				t.Fatal(err)
			}
			return s
		}
		rename := func(to string) {
			if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("UPDATE school SET name = ?", to).Error }); err != nil {
				t.Fatal(err)
			}
		}
		rename("before")
		err := db.Snapshot(t.Context(), func(tx *gorm.DB) error {
			first := name(tx)
			rename("after")
			if second := name(tx); first != "before" || second != "before" {
				t.Errorf("snapshot saw %q, then %q", first, second)
			}
			if err := tx.Exec("UPDATE school SET name = 'x'").Error; err == nil {
				t.Error("the snapshot wrote")
			}
			return nil
		})
		if err != nil && db.Dialect() == database.SQLite { // PostgreSQL ends the transaction at the refused write
			t.Fatal(err)
		}
		if got := name(db.Reader()); got != "after" {
			t.Errorf("after the snapshot: %q", got)
		}
	})
}

func TestOpenAgainMigratesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "school?a=b#c%20.db")
	for i := range 2 {
		db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + path})
		if err != nil {
			t.Fatalf("open no. %d: %v", i+1, err)
		}
		if db.SchemaVersion() < 1 {
			t.Errorf("schema version %d", db.SchemaVersion())
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: mode %v, %v; want -rw-------", path, info.Mode(), err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "school.db")
	db, err := database.Open(t.Context(), database.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Tx(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)").Error
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if db, err = database.Open(t.Context(), database.Config{URL: url}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("opening the file of a newer version: %v, %v", db, err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, url := range []string{"", "school.db", "sqlite:", "sqlite::memory:", "mysql://x", "postgres://u:geheim@host:notaport/x"} {
		_, err := database.Open(context.Background(), database.Config{URL: url})
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("Open(%q) = %v, want an error that keeps the password", url, err)
		}
	}
}

// Both folders tell the same story, and numbers are never reused.
func TestMigrationsComeInPairs(t *testing.T) {
	list := func(dir string) (names []string) {
		entries, err := fs.ReadDir(os.DirFS("migrations"), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	a, b := list("sqlite"), list("postgres")
	if !slices.Equal(a, b) {
		t.Errorf("sqlite has %q, postgres %q", a, b)
	}
	for i := 1; i < len(a); i++ {
		if a[i][:4] == a[i-1][:4] {
			t.Errorf("two migrations have the number %s", a[i][:4])
		}
	}
}

// modernc.org/sqlite is translated against one exact version of modernc.org/libc; another one corrupts memory.
// (A test binary carries no list of its modules, so this reads go.mod.)
func TestSQLiteAndItsLibcMatch(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"modernc.org/sqlite v1.60.1", "modernc.org/libc v1.77.1"} {
		if !strings.Contains(string(mod), "\t"+want+" // indirect\n") && !strings.Contains(string(mod), "\t"+want+"\n") {
			t.Errorf("go.mod does not say %s; after an update read the libc version in sqlite's own go.mod and change both here", want)
		}
	}
}

// Somebody else holds the file of SQLite for a moment, a backup or a command line: who writes waits for them and gets
// its turn (FLT-13).
func TestWriterWaitsForAnotherHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "school.db")
	open := func() *database.DB {
		db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + path})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	server, other := open(), open()
	rename := func(db *database.DB, to string) error {
		return db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("UPDATE school SET name = ?", to).Error })
	}
	done := make(chan error, 1)
	err := other.Tx(t.Context(), func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE school SET name = 'other'").Error; err != nil {
			return err
		}
		go func() { done <- rename(server, "server") }() // ends when this transaction does
		select {
		case err := <-done:
			return fmt.Errorf("the second writer did not wait: %w", err)
		case <-time.After(100 * time.Millisecond):
			return nil
		}
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := server.Reader().Raw("SELECT name FROM school").Scan(&name).Error; err != nil || name != "server" {
		t.Errorf("the school is called %q, %v; want what was written last", name, err)
	}
}
