// Package database opens the school's database and keeps its schema: SQLite in a file for the first lesson,
// PostgreSQL for a real school. Features write their own SQL in their store.go; this package gives them
// connections, transactions, instants and migrations, and knows no table by name.
//
//	Reader() ── *gorm.DB, read only, many connections      (SQLite: query_only)
//	Tx       ── *gorm.DB, one transaction that writes      (SQLite: BEGIN IMMEDIATE on the one writing connection)
//	Snapshot ── *gorm.DB, one read-only transaction that sees one instant of the data (exports)
//
// A store function takes ctx and a *gorm.DB named q and does not care which of the three it was given:
//
//	func userByID(ctx context.Context, q *gorm.DB, id media.ID) (User, error) {
//		return gorm.G[User](q).Where("id = ?", id).Take(ctx)
//	}
//
// Rules for everybody who writes here:
//
//   - Every write goes through Tx, also a single statement, and everything inside uses the tx it was given.
//     A Tx inside a Tx waits for itself on SQLite. No network, no hashing of passwords, no waiting inside.
//   - A unique index decides who was first: insert and branch on ErrDuplicate. On PostgreSQL an error ends the
//     transaction, so either return it or insert with ON CONFLICT DO NOTHING and look at the rows affected.
//   - Instants are Instant (Unix milliseconds, UTC) in BIGINT columns named *_at; 0 means "not yet". Public
//     ids are media.ID in BIGINT columns. Booleans are BOOLEAN, text is TEXT NOT NULL, JSON is TEXT.
//   - gorm fills a field that is called CreatedAt or UpdatedAt by itself, with seconds: tag ours
//     `gorm:"autoCreateTime:false"`, `gorm:"autoUpdateTime:false"`. databasetest.Models finds those that forgot.
//   - Never Save, never Updates with a struct (it skips zeros): name the columns.
//
// # Schema
//
// migrations/{sqlite,postgres}/NNNN_name.sql are numbered, append-only, written for goose (a `-- +goose Up`
// part only; a schema goes forward). Both folders hold the same numbers and names. Open applies what is missing;
// on PostgreSQL a session lock lets one of several starting nodes do it. Migrations looks without touching anything.
// testdata/dumps holds the database of each release, which the upgrade test brings forward; "make dump" adds one.
//
// The package starts no goroutine of its own; those of the connection pools end with Close.
package database
