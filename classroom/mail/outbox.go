package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const (
	maxWaiting = 20_000
	roundSize  = 100
	atOnce     = 4
	roundEvery = 5 * time.Second
	sendTime   = 30 * time.Second // for one letter
	firstRetry = time.Minute      // longer than sendTime: what is being sent is not due
	lastRetry  = time.Hour
)

// Config is what New needs.
type Config struct {
	DB *database.DB
	// Send hands messages over. Nil turns the outbox off.
	Send    Sender
	Metrics prometheus.Registerer // nil: none are kept
	Log     *slog.Logger          // nil means slog.Default
	Now     func() time.Time      // nil means time.Now
}

// Outbox keeps letters until they are sent.
type Outbox struct {
	db      *database.DB
	send    Sender
	log     *slog.Logger
	now     func() time.Time
	wake    chan struct{}
	results *prometheus.CounterVec
	waiting prometheus.Gauge

	// Set while the program is wired, then only read.
	writers   map[string]Writer
	onRefused func(ctx context.Context, l Letter)

	mu      sync.Mutex // guards what follows
	failing time.Time  // since when nothing gets through; zero while it does
}

// New returns an outbox.
func New(cfg Config) (*Outbox, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	o := &Outbox{
		db: cfg.DB, send: cfg.Send, log: cfg.Log, now: cfg.Now, wake: make(chan struct{}, 1), writers: map[string]Writer{},
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chalkcast_mail_letters_total",
			Help: "Letters by what became of them: sent, deferred, refused, expired, unwanted, failed (the mail server does not answer), full (not taken).",
		}, []string{"result"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "chalkcast_mail_waiting", Help: "Letters that wait for the mail server."}),
	}
	if cfg.Metrics == nil {
		return o, nil
	}
	return o, errors.Join(cfg.Metrics.Register(o.results), cfg.Metrics.Register(o.waiting))
}

// Writes registers who writes the letters of a kind. Call before Run.
func (o *Outbox) Writes(kind string, w Writer) { o.writers[kind] = w }

// OnRefused registers a function that is told of every letter that the server will never take. Call before Run.
func (o *Outbox) OnRefused(f func(ctx context.Context, l Letter)) { o.onRefused = f }

// On reports whether there is a mail server at all.
func (o *Outbox) On() bool { return o.send != nil }

// Put promises a letter inside the transaction tx; after lasts nobody wants it any more. Call Wake when tx has been
// committed. It does nothing while the outbox is off. The error wraps ErrFull when too many letters wait.
func (o *Outbox) Put(ctx context.Context, tx *gorm.DB, user media.ID, kind string, lasts time.Duration) error {
	if !o.On() {
		return nil
	}
	n, err := countMails(ctx, tx)
	if err == nil && n >= maxWaiting {
		o.results.WithLabelValues("full").Inc()
		err = ErrFull
	}
	if err == nil {
		now := database.At(o.now())
		err = putMail(ctx, tx, mailRow{ID: media.NewID(), UserID: user, Kind: kind, CreatedAt: now, ExpiresAt: now.Add(lasts), DueAt: now})
	}
	if err != nil {
		return fmt.Errorf("put a letter into the outbox: %w", err)
	}
	return nil
}

// Drop takes back a person's letters of some kinds, of all when none is named.
func (o *Outbox) Drop(ctx context.Context, tx *gorm.DB, user media.ID, kinds ...string) error {
	if err := deleteMailsOf(ctx, tx, user, kinds); err != nil {
		return fmt.Errorf("take back letters: %w", err)
	}
	return nil
}

// Wake makes Run look at once. It does not wait.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Status is how the outbox does.
type Status struct {
	On      bool
	Waiting int
	Failing time.Time // since when the mail server does not answer; zero while it does
}

// Status counts the letters that wait.
func (o *Outbox) Status(ctx context.Context) (Status, error) {
	n, err := countMails(ctx, o.db.Reader())
	if err != nil {
		return Status{}, fmt.Errorf("count letters: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return Status{On: o.On(), Waiting: int(n), Failing: o.failing}, nil
}

// Run sends what is due until ctx ends. It returns nil.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.On() {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(roundEvery)
	defer tick.Stop()
	for {
		for {
			n, err := o.Deliver(ctx)
			if n > 0 || err != nil { // an empty round says nothing of the mail server
				o.note(ctx, err)
			}
			if n < roundSize || err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-o.wake:
		}
	}
}

// note keeps since when nothing gets through, and logs the two ends of that time.
func (o *Outbox) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil && o.failing.IsZero():
		o.failing = o.now()
		o.log.WarnContext(ctx, "mail waits", "err", err)
	case err == nil && !o.failing.IsZero():
		o.failing = time.Time{}
		o.log.InfoContext(ctx, "mail goes out again")
	}
}

// Deliver tries every letter that is due, up to 100, and returns how many it looked at. An error says why none gets
// through; what was left is tried again.
func (o *Outbox) Deliver(ctx context.Context) (int, error) {
	due, err := dueMails(ctx, o.db.Reader(), database.At(o.now()), roundSize)
	if err != nil {
		return 0, fmt.Errorf("read the outbox: %w", err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, r := range due {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return o.try(gctx, r) })
	}
	err = g.Wait()
	if n, cerr := countMails(ctx, o.db.Reader()); cerr == nil {
		o.waiting.Set(float64(n))
	}
	return len(due), err
}

// try sends one letter. It returns an error only when others need not be tried.
func (o *Outbox) try(ctx context.Context, r mailRow) error {
	now := o.now()
	next := database.At(now.Add(backOff(r.Tries)))
	if claimed, err := o.claim(ctx, r, next); err != nil || !claimed {
		return err
	}
	l := Letter{ID: r.ID, User: r.UserID, Kind: r.Kind}
	result, err := o.post(ctx, l, !now.Before(r.ExpiresAt.Time()))
	o.results.WithLabelValues(result).Inc()
	switch result {
	case "failed":
		return err
	case "deferred":
		o.log.InfoContext(ctx, "letter deferred", "letter", l.ID, "kind", l.Kind, "tries", r.Tries+1)
		return nil
	case "refused":
		o.log.WarnContext(ctx, "letter refused", "letter", l.ID, "kind", l.Kind, "user", l.User)
		if o.onRefused != nil {
			o.onRefused(ctx, l)
		}
	}
	// The letter is gone, or never will be: what ends ctx now must not make it go twice.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := o.db.Tx(ctx, func(tx *gorm.DB) error { return deleteMail(ctx, tx, r.ID, next) }); err != nil {
		return fmt.Errorf("strike out a letter: %w", err)
	}
	return nil
}

func (o *Outbox) claim(ctx context.Context, r mailRow, next database.Instant) (bool, error) {
	n := 0
	err := o.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		n, err = claimMail(ctx, tx, r, next)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take a letter out of the outbox: %w", err)
	}
	return n == 1, nil
}

// post writes and sends a letter, and returns what became of it.
func (o *Outbox) post(ctx context.Context, l Letter, expired bool) (string, error) {
	write := o.writers[l.Kind]
	if expired {
		return "expired", nil
	}
	if write == nil { // of a version of the program that knew it
		return "unwanted", nil
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	m, err := write(ctx, l)
	if errors.Is(err, ErrNobody) {
		return "unwanted", nil
	}
	if err == nil {
		m.ID = l.ID
		err = o.send(ctx, m)
	}
	switch {
	case err == nil:
		return "sent", nil
	case errors.Is(err, ErrRefused):
		return "refused", err
	case errors.Is(err, ErrDeferred):
		return "deferred", err
	}
	return "failed", err
}

// backOff is how long after its so-manieth failure a letter is tried again.
func backOff(tries int) time.Duration {
	return min(firstRetry<<min(tries, 10), lastRetry)
}
