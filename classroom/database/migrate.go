package database

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Migration is one step of the schema.
type Migration struct {
	Number    int64
	Name      string    // lessons
	AppliedAt time.Time // zero while the database does not have it
}

// Migrations returns every migration that this program or the database knows, by number, and changes nothing: a
// database that is not there is not made.
func Migrations(ctx context.Context, cfg Config) ([]Migration, error) {
	if path, ok := strings.CutPrefix(cfg.URL, "sqlite:"); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return known(SQLite, nil)
		}
	}
	d, err := connect(cfg, false)
	if err != nil {
		return nil, err
	}
	applied, err := d.applied(ctx)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	return known(d.dialect, applied)
}

// known joins the files of this program with what a database has.
func known(dialect Dialect, applied map[int64]time.Time) ([]Migration, error) {
	files, err := fs.ReadDir(migrations, "migrations/"+string(dialect))
	if err != nil {
		return nil, err
	}
	var all []Migration
	for _, f := range files {
		number, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), ".sql"), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", f.Name(), err)
		}
		all = append(all, Migration{Number: n, Name: strings.ReplaceAll(name, "_", " "), AppliedAt: applied[n]})
		delete(applied, n)
	}
	for n, at := range applied {
		all = append(all, Migration{Number: n, AppliedAt: at})
	}
	slices.SortFunc(all, func(a, b Migration) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

// applied reads what the database says of itself; a database without our schema says nothing.
func (d *DB) applied(ctx context.Context) (map[int64]time.Time, error) {
	table := "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'"
	if d.dialect == Postgres {
		table = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'"
	}
	var n int
	if err := d.readSQL.QueryRowContext(ctx, table).Scan(&n); err != nil {
		return nil, fmt.Errorf("read schema version: %w", err)
	}
	applied := map[int64]time.Time{}
	if n == 0 {
		return applied, nil
	}
	rows, err := d.readSQL.QueryContext(ctx, "SELECT version_id, tstamp FROM goose_db_version WHERE version_id > 0 ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read schema version: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var at time.Time
		if err := rows.Scan(&number, &at); err != nil {
			return nil, fmt.Errorf("read schema version: %w", err)
		}
		applied[number] = at.UTC()
	}
	return applied, rows.Err()
}

// migrate applies what is missing, up to a version or, when it is 0, all, and returns the version reached.
func migrate(ctx context.Context, dialect Dialect, db *sql.DB, to int64) (int64, error) {
	folder, err := fs.Sub(migrations, path.Join("migrations", string(dialect)))
	if err != nil {
		return 0, err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	gooseDialect := goose.DialectSQLite3
	if dialect == Postgres {
		gooseDialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120)) // a look each second, for 2 min
		if err != nil {
			return 0, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(gooseDialect, db, folder, options...)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	if to > 0 {
		_, err = p.UpTo(ctx, to)
	} else {
		_, err = p.Up(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("migrate database: %w", err)
	}
	current, newest, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if current > newest {
		return 0, fmt.Errorf("the database is at schema %d, this program knows up to %d: it was used by a newer version", current, newest)
	}
	return current, nil
}
