package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// ErrAway is what a query returns, wrapped, when the database did not answer a moment ago or has no connection free.
var ErrAway = errors.New("the database is away")

// Away reports whether an error means that the database cannot be asked now, and may be asked again: it is not there,
// it does not answer, it is full, or the query took longer than it may.
func Away(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if errors.Is(err, ErrAway) || errors.Is(err, context.DeadlineExceeded) || lost(err) {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// connection, resources, operator intervention (among them 57014, the statement's own time limit)
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57")
	}
	return sqliteBusy(err)
}

// lost reports whether a connection broke, could not be made or was silent for too long.
func lost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "57P") // it shuts down, or starts
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func sqliteBusy(err error) bool {
	coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	return ok && coded.Code()&0xff == 5 // SQLITE_BUSY
}

// limited is a pool whose callers wait for a connection for a while and no longer. After a connection was lost it asks
// the database once a second with the query of one caller and turns the others away at once: hundreds of pages must
// not wait one after the other for what does not answer.
type limited struct {
	pool *sql.DB
	wait time.Duration
	next atomic.Int64 // when the database may be asked again, in Unix nanoseconds; 0 while it answers
}

const probeEvery = time.Second

// conn takes a connection.
func (l *limited) conn(ctx context.Context) (*sql.Conn, error) {
	if next := l.next.Load(); next != 0 {
		now := time.Now()
		if now.UnixNano() < next || !l.next.CompareAndSwap(next, now.Add(probeEvery).UnixNano()) {
			return nil, ErrAway
		}
	}
	waiting, cancel := context.WithTimeout(ctx, l.wait)
	defer cancel()
	c, err := l.pool.Conn(waiting)
	if err != nil {
		l.note(err)
		if ctx.Err() == nil && waiting.Err() != nil {
			return nil, fmt.Errorf("%w: no connection for %v", ErrAway, l.wait)
		}
		return nil, err
	}
	return c, nil
}

// note remembers whether the database answers.
func (l *limited) note(err error) {
	_, unreached := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case err == nil:
		l.next.Store(0)
	case errors.Is(err, context.Canceled): // whoever asked went away
	case unreached, lost(err) && !errors.Is(err, context.DeadlineExceeded):
		l.next.Store(time.Now().Add(probeEvery).UnixNano())
	}
}

// PrepareContext implements gorm.ConnPool. We prepare nothing by hand.
func (l *limited) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return l.pool.PrepareContext(ctx, query)
}

// ExecContext implements gorm.ConnPool.
func (l *limited) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, err := c.ExecContext(ctx, query, args...)
	l.note(err)
	return r, err
}

// QueryContext implements gorm.ConnPool.
func (l *limited) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.QueryContext(ctx, query, args...)
	l.note(err)
	giveBack(c)
	return rows, err
}

// QueryRowContext implements gorm.ConnPool. A Row cannot hold an error of ours, so it waits as long as ctx allows.
func (l *limited) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return l.pool.QueryRowContext(ctx, query, args...)
}

// BeginTx implements gorm.TxBeginner.
func (l *limited) BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := c.BeginTx(ctx, o)
	l.note(err)
	giveBack(c)
	return tx, err
}

// GetDBConn implements gorm.GetDBConnector.
func (l *limited) GetDBConn() (*sql.DB, error) { return l.pool, nil }

// giveBack returns a connection to its pool as soon as its rows or its transaction are done with it: Close waits for
// that, and so the goroutine ends then.
func giveBack(c *sql.Conn) { go c.Close() }

var (
	_ gorm.ConnPool       = (*limited)(nil)
	_ gorm.TxBeginner     = (*limited)(nil)
	_ gorm.GetDBConnector = (*limited)(nil)
)

// patientConn is a connection to a server that may be silent for so long while it owes an answer, and no longer. pgx
// reads only then. A server that hangs behind an open connection would otherwise hold its callers for ever.
type patientConn struct {
	net.Conn
	patience time.Duration

	mu    sync.Mutex
	outer time.Time // the deadline that pgx set
}

func (c *patientConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	_ = c.Conn.SetReadDeadline(c.deadline())
	c.mu.Unlock()
	return c.Conn.Read(b)
}

func (c *patientConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	_ = c.Conn.SetWriteDeadline(c.deadline())
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// deadline is the nearer of pgx's and ours; the caller holds mu.
func (c *patientConn) deadline() time.Time {
	own := time.Now().Add(c.patience)
	if !c.outer.IsZero() && c.outer.Before(own) {
		return c.outer
	}
	return own
}

func (c *patientConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outer = t
	return c.Conn.SetDeadline(c.deadline())
}

// limits say how long things may take in a pool; zero is no limit.
type limits struct {
	conns     int
	statement time.Duration // a statement, by the server's clock
	acquire   time.Duration // waiting for a connection
}

// openPool opens a pool of connections to PostgreSQL, and gorm on top of it.
func openPool(pc *pgx.ConnConfig, l limits, log *slog.Logger) (*gorm.DB, *sql.DB, error) {
	c := pc.Copy()
	if l.statement > 0 {
		c.RuntimeParams["statement_timeout"] = fmt.Sprint(l.statement.Milliseconds())
		c.ConnectTimeout = min(l.statement, 5*time.Second)
		dial, patience := c.DialFunc, l.statement+time.Second // the server is the first to give up
		c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &patientConn{Conn: conn, patience: patience}, nil
		}
	}
	pool := stdlib.OpenDB(*c)
	bound(pool, l.conns, 20)
	var shared gorm.ConnPool = pool
	if l.acquire > 0 {
		shared = &limited{pool: pool, wait: l.acquire}
	}
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: shared}), gormConfig(log))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database %s on %s: %w", c.Database, c.Host, err), pool.Close())
	}
	return g, pool, nil
}
