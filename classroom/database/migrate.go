package database

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// migrate applies what is missing and returns the version reached.
func migrate(ctx context.Context, dialect Dialect, db *sql.DB) (int64, error) {
	folder, err := fs.Sub(migrations, "migrations/"+string(dialect))
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
	if _, err := p.Up(ctx); err != nil {
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
