package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
)

// What the database says no with; test with errors.Is. Queries return them wrapped or plain.
var (
	ErrNotFound  = gorm.ErrRecordNotFound          // Take found no row
	ErrDuplicate = gorm.ErrDuplicatedKey           // a unique index: somebody was first
	ErrReference = gorm.ErrForeignKeyViolated      // the row it points to is not there, or is still pointed to
	ErrCheck     = gorm.ErrCheckConstraintViolated // a value the schema does not allow
)

// Dialect is the kind of database.
type Dialect string

const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Config says which database to open.
type Config struct {
	// URL is "sqlite:PATH" or "postgres://user:password@host:port/name?…". The file of SQLite and its folder
	// are made when missing, readable by their owner only.
	URL string
	// MaxConns bounds the connections to PostgreSQL, and the reading ones of SQLite. 0 means 20, and 8.
	MaxConns int
	// StatementTimeout is how long one statement may take on PostgreSQL before it is cancelled; a second more is how
	// long a server may be silent. AcquireTimeout is how long a caller waits for one of the connections. 0 means 2 s, and
	// 500 ms. SQLite is in the same process and has neither.
	StatementTimeout, AcquireTimeout time.Duration
	// Log gets slow queries, without their values. Nil means slog.Default.
	Log *slog.Logger
}

// DB is an open database with its schema in place. Safe for concurrent use.
type DB struct {
	dialect       Dialect
	reader        *gorm.DB
	writer        *gorm.DB
	readSQL       *sql.DB
	writeSQL      *sql.DB  // the same as readSQL on PostgreSQL
	slow          *gorm.DB // for Snapshot: the reader on SQLite, connections of its own on PostgreSQL
	slowSQL       *sql.DB
	schemaVersion int64
}

// Open connects, applies the migrations that are missing and returns the database; the caller closes it. Errors
// name the file or host, never a password.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	d, err := connect(cfg, false)
	if err != nil {
		return nil, err
	}
	version, err := migrate(ctx, d.dialect, d.writeSQL, 0)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if d.dialect == Postgres { // a migration takes as long as it takes, a query does not
		if err := d.Close(); err != nil {
			return nil, err
		}
		if d, err = connect(cfg, true); err != nil {
			return nil, err
		}
	}
	d.schemaVersion = version
	return d, nil
}

// connect opens the pools and leaves the schema as it is. Without limits a statement may take for ever.
func connect(cfg Config, withLimits bool) (*DB, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if path, ok := strings.CutPrefix(cfg.URL, "sqlite:"); ok {
		return openSQLite(path, cfg)
	}
	if strings.HasPrefix(cfg.URL, "postgres://") || strings.HasPrefix(cfg.URL, "postgresql://") {
		return openPostgres(cfg, withLimits)
	}
	return nil, errors.New("database address: want sqlite:PATH or postgres://…")
}

func openSQLite(path string, cfg Config) (*DB, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("database address: sqlite: wants the path of a file")
	}
	if err := makePrivate(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	writeSQL, err := sql.Open(sqlite.DriverName, sqliteDSN(path, "synchronous(FULL)", "journal_size_limit(67108864)")+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	writeSQL.SetMaxOpenConns(1)
	readSQL, err := sql.Open(sqlite.DriverName, sqliteDSN(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), writeSQL.Close())
	}
	bound(readSQL, cfg.MaxConns, 8)

	d := &DB{dialect: SQLite, readSQL: readSQL, writeSQL: writeSQL}
	// The writer first: it turns the file into WAL mode, which a query_only connection may not.
	d.writer, err = gorm.Open(sqlite.New(sqlite.Config{Conn: writeSQL}), gormConfig(cfg.Log))
	if err == nil {
		d.reader, err = gorm.Open(sqlite.New(sqlite.Config{Conn: readSQL}), gormConfig(cfg.Log))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), d.Close())
	}
	d.slow, d.slowSQL = d.reader, d.readSQL
	return d, nil
}

// makePrivate creates the file before SQLite does, which would let everybody on the machine read it. SQLite
// gives the WAL beside it the same mode.
func makePrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func sqliteDSN(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)", "temp_store(MEMORY)",
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String()
}

// Connections for snapshots are few and patient: an export is the first to wait when there is much to do, and must not
// keep a class waiting.
const (
	slowConns     = 4
	slowStatement = time.Minute
	slowAcquire   = 5 * time.Second
)

func openPostgres(cfg Config, withLimits bool) (*DB, error) {
	pc, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		// pgx hides the password in what it quotes, but not every mistake in the address.
		return nil, errors.New("database address: not a valid postgres:// address")
	}
	pc.RuntimeParams["timezone"] = "UTC"
	if pc.RuntimeParams["application_name"] == "" {
		pc.RuntimeParams["application_name"] = "chalkcast"
	}
	// A node that hangs inside a transaction must not hold its locks for ever.
	pc.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	usual, patient := limits{conns: cfg.MaxConns}, limits{conns: slowConns}
	if withLimits {
		usual.statement, usual.acquire = orUsual(cfg.StatementTimeout, 2*time.Second), orUsual(cfg.AcquireTimeout, 500*time.Millisecond)
		patient.statement, patient.acquire = slowStatement, slowAcquire
	}
	d := &DB{dialect: Postgres}
	if d.reader, d.readSQL, err = openPool(pc, usual, cfg.Log); err != nil {
		return nil, err
	}
	d.writer, d.writeSQL = d.reader, d.readSQL
	if d.slow, d.slowSQL, err = openPool(pc, patient, cfg.Log); err != nil {
		return nil, errors.Join(err, d.readSQL.Close())
	}
	return d, nil
}

func orUsual(d, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return d
}

func bound(pool *sql.DB, n, usual int) {
	if n <= 0 {
		n = usual
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
}

func gormConfig(log *slog.Logger) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true, // writes go through Tx
		TranslateError:         true,
		Logger:                 queryLog{log},
	}
}

// Dialect says which kind of SQL the database speaks.
func (d *DB) Dialect() Dialect { return d.dialect }

// SchemaVersion is the number of the newest migration applied.
func (d *DB) SchemaVersion() int64 { return d.schemaVersion }

// Reader returns the handle for reading outside transactions. On SQLite it refuses to write. It sees what is
// committed when each statement begins.
func (d *DB) Reader() *gorm.DB { return d.reader }

// SQL returns the pool of connections that may write, for bulk work that gorm is too slow for (pgx CopyFrom
// through (*sql.Conn).Raw). On SQLite it holds one connection: give it back soon.
func (d *DB) SQL() *sql.DB { return d.writeSQL }

// Tx runs fn in one transaction and commits when fn returns nil; an error or a panic rolls back. Transactions on
// SQLite run one after another; on PostgreSQL they are READ COMMITTED, so lock what you read to decide on. fn
// may not call Tx again, and should be short.
func (d *DB) Tx(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return d.writer.WithContext(ctx).Transaction(fn)
}

// Shred is Tx for what has to be gone: SQLite overwrites what fn deletes, in its file and in the log beside it,
// rather than to leave it until the room is needed. PostgreSQL does so at its next vacuum.
func (d *DB) Shred(ctx context.Context, fn func(tx *gorm.DB) error) error {
	if d.dialect != SQLite {
		return d.Tx(ctx, fn)
	}
	err := d.Tx(ctx, func(tx *gorm.DB) error {
		// Of the one writing connection; deletions cost more with it, so it is off again afterwards.
		if err := tx.Exec("PRAGMA secure_delete = ON").Error; err != nil {
			return err
		}
		return errors.Join(fn(tx), tx.Exec("PRAGMA secure_delete = OFF").Error)
	})
	if err != nil {
		return err
	}
	if err := d.writer.WithContext(ctx).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error; err != nil {
		return fmt.Errorf("empty the log of the database: %w", err)
	}
	return nil
}

// Snapshot runs fn in a read-only transaction in which every query sees the same instant of the data. Its statements may
// take a minute, for exports.
func (d *DB) Snapshot(ctx context.Context, fn func(tx *gorm.DB) error) error {
	o := &sql.TxOptions{ReadOnly: true}
	if d.dialect == Postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	return d.slow.WithContext(ctx).Transaction(fn, o)
}

// Ping asks the database for a sign of life, for /readyz.
func (d *DB) Ping(ctx context.Context) error {
	return errors.Join(d.readSQL.PingContext(ctx), d.writeSQL.PingContext(ctx))
}

// Try writes a row and takes it back, for the self-test.
func (d *DB) Try(ctx context.Context) error {
	undo := errors.New("undo")
	err := d.Tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE goose_db_version SET version_id = version_id WHERE version_id = 1").Error; err != nil {
			return err
		}
		return undo
	})
	if errors.Is(err, undo) {
		return nil
	}
	return fmt.Errorf("write to the database: %w", err)
}

// clockGap is how far the clock of the database may be from ours.
const clockGap = 5 * time.Second

// TryClock compares the clock of the database's machine with ours. SQLite has none of its own.
func (d *DB) TryClock(ctx context.Context) error {
	if d.dialect == SQLite {
		return nil
	}
	var theirs time.Time
	before := time.Now()
	if err := d.readSQL.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	if theirs.Before(before.Add(-clockGap)) || theirs.After(time.Now().Add(clockGap)) {
		return fmt.Errorf("the database's clock says %s, ours %s", theirs.UTC().Format(time.TimeOnly), before.UTC().Format(time.TimeOnly))
	}
	return nil
}

// Close waits for running queries and closes all connections.
func (d *DB) Close() error {
	var errs []error
	for i, pool := range []*sql.DB{d.readSQL, d.writeSQL, d.slowSQL} {
		if pool != nil && !slices.Contains([]*sql.DB{d.readSQL, d.writeSQL, d.slowSQL}[:i], pool) {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}
