package databasetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Each runs test once per kind of database that is there, as subtests "sqlite" and "postgres".
func Each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, New(t)) })
	if serverURL() != "" {
		t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
	}
}

// New returns an empty school on SQLite; it is closed and gone when the test ends.
func New(t testing.TB) *database.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "school.db")
	bytes, err := migrated()
	if err == nil {
		err = os.WriteFile(path, bytes, 0o600)
	}
	if err != nil {
		t.Fatalf("prepare a database: %v", err)
	}
	return open(t, "sqlite:"+path)
}

// migrated returns the file of an empty school. Migrating once for all tests of a package saves most of the time
// of a test that takes a database.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "chalkcast-database-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "school.db")
	db, err := database.Open(context.Background(), database.Config{URL: "sqlite:" + path})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Postgres returns an empty school on a PostgreSQL database of its own. It fails the test when no server is
// given; most tests want Each.
func Postgres(t testing.TB) *database.DB {
	t.Helper()
	return open(t, PostgresURL(t))
}

// PostgresURL creates an empty database, without our schema, and returns its address.
func PostgresURL(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(serverURL())
	if err != nil || serverURL() == "" {
		t.Fatal("CHALKCAST_TEST_POSTGRES holds no postgres:// address")
	}
	server, err := sql.Open("pgx", serverURL())
	if err != nil {
		t.Fatalf("reach PostgreSQL: %v", err)
	}
	name := "chalkcast_test_" + media.NewID().String()
	if _, err := server.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	t.Cleanup(func() {
		_, err := server.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		if err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
		server.Close()
	})
	u.Path = "/" + name
	return u.String()
}

// HasPostgres reports whether tests are given a PostgreSQL server.
func HasPostgres() bool { return serverURL() != "" }

func serverURL() string { return os.Getenv("CHALKCAST_TEST_POSTGRES") }

func open(t testing.TB, address string) *database.DB {
	t.Helper()
	// A test machine that is slow is not the fault that these limits are for: those who test that set their own.
	patience := time.Minute
	db, err := database.Open(t.Context(), database.Config{URL: address, StatementTimeout: patience, AcquireTimeout: patience})
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}
