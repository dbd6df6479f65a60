package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Copy says what a backup of a database consists of.
type Copy struct {
	Dialect Dialect    `json:"dialect"`
	Schema  int64      `json:"schema"`
	Files   []CopyFile `json:"files"`
}

// CopyFile is one file of a backup: the whole database on SQLite, the rows of a table on PostgreSQL.
type CopyFile struct {
	Name    string   `json:"name"` // relative to the backup's folder
	Table   string   `json:"table,omitempty"`
	Columns []string `json:"columns,omitempty"`
	Rows    int64    `json:"rows,omitempty"`
	Bytes   int64    `json:"bytes"`
	SHA256  string   `json:"sha256"`
}

// Progress is told how much of a copy is done; total is 0 while nobody knows.
type Progress func(done, total int64)

// Backup copies the database into a folder that is there and empty, as it is at one instant, and changes nothing in
// it. Whoever uses the database goes on meanwhile. What was written is synced when it returns.
func Backup(ctx context.Context, cfg Config, dir string, tell Progress) (Copy, error) {
	if path, ok := strings.CutPrefix(cfg.URL, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil { // opening would make one
			return Copy{}, fmt.Errorf("back up database: %w", err)
		}
	}
	d, err := connect(cfg, false)
	if err != nil {
		return Copy{}, err
	}
	c := Copy{Dialect: d.dialect}
	applied, err := d.applied(ctx)
	for number := range applied {
		c.Schema = max(c.Schema, number)
	}
	switch {
	case err != nil:
	case c.Schema == 0:
		err = errors.New("there is no school in it yet")
	case d.dialect == SQLite:
		c.Files, err = d.copySQLite(ctx, dir, tell)
	default:
		c.Files, err = d.copyPostgres(ctx, dir, tell)
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return Copy{}, fmt.Errorf("back up database: %w", err)
	}
	return c, nil
}

// copyName is the file of an SQLite backup.
const copyName = "chalkcast.db"

func (d *DB) copySQLite(ctx context.Context, dir string, tell Progress) ([]CopyFile, error) {
	var total int64
	err := d.readSQL.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&total)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, copyName)
	if err := makePrivate(path); err != nil { // VACUUM INTO takes an empty file, and would make one that all can read
		return nil, err
	}
	stop := watch(path, total, tell)
	// It reads in one transaction of its own; writers go on behind the WAL.
	_, err = d.writeSQL.ExecContext(ctx, "VACUUM INTO ?", path)
	stop()
	if err != nil {
		return nil, err
	}
	f, err := sealed(dir, CopyFile{Name: copyName})
	return []CopyFile{f}, err
}

// watch tells how a file grows until the returned function is called, which waits for the last word.
func watch(path string, total int64, tell Progress) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			if info, err := os.Stat(path); err == nil {
				tell(info.Size(), max(total, info.Size()))
			}
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(quit); <-done }
}

// sealed syncs a file of a backup and notes its size and sum.
func sealed(dir string, f CopyFile) (CopyFile, error) {
	file, err := os.OpenFile(filepath.Join(dir, f.Name), os.O_RDWR, 0)
	if err != nil {
		return f, err
	}
	err = file.Sync()
	if err = errors.Join(err, file.Close()); err != nil {
		return f, err
	}
	f.Bytes, f.SHA256, err = measure(dir, f.Name)
	return f, err
}

func measure(dir, name string) (size int64, sum string, err error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return 0, "", err
	}
	defer file.Close()
	h := sha256.New()
	size, err = io.Copy(h, file)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

// The tables of the school with their columns, each behind those that it refers to.
const tablesOfPostgres = `WITH RECURSIVE t AS (
		SELECT c.oid, c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname NOT LIKE 'goose\_%'
	), depth AS (
		SELECT oid, 0 AS n FROM t
		UNION SELECT r.conrelid, depth.n + 1 FROM pg_constraint r JOIN depth ON r.confrelid = depth.oid
			WHERE r.contype = 'f' AND r.conrelid <> r.confrelid AND depth.n < 100
	)
	SELECT t.relname, (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute a WHERE a.attrelid = t.oid AND attnum > 0 AND NOT attisdropped)
	FROM t JOIN depth USING (oid) GROUP BY t.oid, t.relname ORDER BY max(n), t.relname`

func (d *DB) copyPostgres(ctx context.Context, dir string, tell Progress) (files []CopyFile, err error) {
	if err := os.Mkdir(filepath.Join(dir, "tables"), 0o700); err != nil {
		return nil, err
	}
	err = d.alone(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
		if files, err = tables(ctx, tx); err != nil {
			return err
		}
		for i := range files {
			tell(int64(i), int64(len(files)))
			if err := copyOut(ctx, tx, dir, &files[i]); err != nil {
				return fmt.Errorf("table %s: %w", files[i].Table, err)
			}
		}
		tell(int64(len(files)), int64(len(files)))
		return nil
	})
	return files, err
}

// alone lends a connection.
func (d *DB) alone(ctx context.Context, do func(*pgx.Conn) error) error {
	c, err := d.writeSQL.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driver any) error { return do(driver.(*stdlib.Conn).Conn()) })
}

func tables(ctx context.Context, tx pgx.Tx) (files []CopyFile, err error) {
	rows, err := tx.Query(ctx, tablesOfPostgres)
	if err != nil {
		return nil, err
	}
	var table, columns string
	_, err = pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
		files = append(files, CopyFile{Name: "tables/" + table + ".copy", Table: table, Columns: strings.Split(columns, ",")})
		return nil
	})
	return files, err
}

// copyStatement names its columns, which may stand in another order in the table that a restore fills.
func copyStatement(f CopyFile, direction string) string {
	quoted := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return "COPY " + pgx.Identifier{f.Table}.Sanitize() + " (" + strings.Join(quoted, ", ") + ") " + direction
}

func copyOut(ctx context.Context, tx pgx.Tx, dir string, f *CopyFile) error {
	file, err := os.OpenFile(filepath.Join(dir, f.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	tag, err := tx.Conn().PgConn().CopyTo(ctx, file, copyStatement(*f, "TO STDOUT"))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	f.Rows = tag.RowsAffected()
	*f, err = sealed(dir, *f)
	return err
}

// Restore fills a database that is not there yet, or is empty, from a backup in dir, and brings it to the schema of
// this program. It refuses a backup of another kind of database, one that is damaged, and a database that holds
// anything. What it could not finish on PostgreSQL is rolled back, but for empty tables.
func Restore(ctx context.Context, cfg Config, dir string, c Copy, tell Progress) error {
	dialect := Postgres
	if strings.HasPrefix(cfg.URL, "sqlite:") {
		dialect = SQLite
	}
	if c.Dialect != dialect {
		return fmt.Errorf("restore database: the backup is of %s, the address is of %s", c.Dialect, dialect)
	}
	for _, f := range c.Files {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("restore database: %q is no file of a backup", f.Name)
		}
		_, sum, err := measure(dir, f.Name)
		if err != nil {
			return fmt.Errorf("restore database: %w", err)
		}
		if sum != f.SHA256 {
			return fmt.Errorf("restore database: %s is not what was backed up", f.Name)
		}
	}
	var err error
	if dialect == SQLite {
		err = restoreSQLite(cfg, dir, tell)
	} else {
		err = restorePostgres(ctx, cfg, dir, c, tell)
	}
	if err != nil {
		return fmt.Errorf("restore database: %w", err)
	}
	d, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	return d.Close()
}

func restoreSQLite(cfg Config, dir string, tell Progress) error {
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	for _, old := range []string{path, path + "-wal"} {
		if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already: move it away first", old)
		}
	}
	if err := makePrivate(path); err != nil {
		return err
	}
	from, err := os.Open(filepath.Join(dir, copyName))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, from)
	if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	tell(n, n)
	return nil
}

func restorePostgres(ctx context.Context, cfg Config, dir string, c Copy, tell Progress) error {
	d, err := connect(cfg, false)
	if err != nil {
		return err
	}
	defer d.Close()
	applied, err := d.applied(ctx)
	if err != nil {
		return err
	}
	if len(applied) > 0 {
		return errors.New("there is a school in the database already: give the address of an empty one")
	}
	if _, err := migrate(ctx, d.dialect, d.writeSQL, c.Schema); err != nil {
		return err
	}
	return d.alone(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fill(ctx, tx, dir, c.Files, tell) })
	})
}

func fill(ctx context.Context, tx pgx.Tx, dir string, files []CopyFile, tell Progress) error {
	for _, f := range files { // what migrations wrote: the school, the head of the audit
		if _, err := tx.Exec(ctx, "TRUNCATE "+pgx.Identifier{f.Table}.Sanitize()+" CASCADE"); err != nil {
			return err
		}
	}
	for i, f := range files {
		tell(int64(i), int64(len(files)))
		file, err := os.Open(filepath.Join(dir, f.Name))
		if err != nil {
			return err
		}
		tag, err := tx.Conn().PgConn().CopyFrom(ctx, file, copyStatement(f, "FROM STDIN"))
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("table %s: %w", f.Table, err)
		}
		if tag.RowsAffected() != f.Rows {
			return fmt.Errorf("table %s: %d rows were backed up, %d came back", f.Table, f.Rows, tag.RowsAffected())
		}
	}
	tell(int64(len(files)), int64(len(files)))
	return nil
}
