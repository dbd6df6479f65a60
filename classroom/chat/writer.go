package chat

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	writeQueue   = 4096                   // waiting changes; more are refused
	writeBatch   = 200                    // changes of one transaction
	writeSpacing = 100 * time.Millisecond // between two of them: SQLite has one writer, and beats come first
	writeTime    = 5 * time.Second        // then the database counts as away
	retryAfter   = 3 * time.Second
)

// change is something that somebody does in a room. do writes all of it or, returning a fault, nothing; it may run
// again when the transaction failed for another's sake.
type change struct {
	lesson media.ID
	do     func(ctx context.Context, tx *gorm.DB) error
	done   chan error // holds one
}

// writer commits what waits together. What it keeps belongs to the goroutine of run.
type writer struct {
	db      *database.DB
	log     *slog.Logger
	spacing time.Duration
	queue   chan *change
	stopped chan struct{}
	told    func(lessons map[media.ID]bool) // after a commit
	last    time.Time
	failing bool
}

func newWriter(cfg Config, told func(map[media.ID]bool)) *writer {
	return &writer{
		db: cfg.DB, log: cfg.Log, spacing: cfg.WriteSpacing, queue: make(chan *change, writeQueue), stopped: make(chan struct{}), told: told,
	}
}

// write returns when do is committed, or with the fault that do returned. It is Busy when it could not be written. It
// waits for somebody who has hung up, too, so that what do fills in has one owner at a time.
func (w *writer) write(lesson media.ID, do func(context.Context, *gorm.DB) error) error {
	c := &change{lesson: lesson, do: do, done: make(chan error, 1)}
	select {
	case w.queue <- c:
	default:
		return fault.Busy("chat.not_sent", retryAfter)
	}
	select {
	case err := <-c.done:
		return err
	case <-w.stopped:
		select {
		case err := <-c.done: // in the last commit
			return err
		default:
			return fault.Busy("chat.not_sent", retryAfter)
		}
	}
}

// run commits changes until ctx ends, and those that wait then.
func (w *writer) run(ctx context.Context) error {
	defer close(w.stopped)
	for {
		select {
		case first := <-w.queue:
			pace(ctx, w.last, w.spacing)
			w.last = time.Now()
			w.commit(context.WithoutCancel(ctx), w.gather([]*change{first}))
		case <-ctx.Done():
			for batch := w.gather(nil); len(batch) > 0; batch = w.gather(nil) {
				w.commit(context.WithoutCancel(ctx), batch)
			}
			return nil
		}
	}
}

// pace waits until spacing has passed since last.
func pace(ctx context.Context, last time.Time, spacing time.Duration) {
	wait := spacing - time.Since(last)
	if wait <= 0 {
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (w *writer) gather(batch []*change) []*change {
	for len(batch) < writeBatch {
		select {
		case c := <-w.queue:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) commit(ctx context.Context, batch []*change) {
	results, err := w.try(ctx, batch)
	if err != nil && len(batch) > 1 && refusedRow(err) {
		// One row that the schema does not allow, of somebody who was just erased: the others do not pay for it.
		w.commit(ctx, batch[:len(batch)/2])
		w.commit(ctx, batch[len(batch)/2:])
		return
	}
	if err == nil || !refusedRow(err) {
		w.report(err)
	}
	changed := map[media.ID]bool{}
	for i, c := range batch {
		if err != nil {
			results[i] = fault.Busy("chat.not_sent", retryAfter).Because(err)
		}
		if results[i] == nil {
			changed[c.lesson] = true
		}
	}
	if len(changed) > 0 {
		w.told(changed)
	}
	for i, c := range batch {
		c.done <- results[i]
	}
}

func refusedRow(err error) bool {
	return errors.Is(err, database.ErrDuplicate) || errors.Is(err, database.ErrReference) || errors.Is(err, database.ErrCheck)
}

// try runs a batch in one transaction. A fault is that change's own result; any other error ends all.
func (w *writer) try(ctx context.Context, batch []*change) ([]error, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	results := make([]error, len(batch))
	err := w.db.Tx(ctx, func(tx *gorm.DB) error {
		for i, c := range batch {
			results[i] = c.do(ctx, tx)
			if _, ok := fault.Of(results[i]); results[i] != nil && !ok {
				return results[i]
			}
		}
		return nil
	})
	return results, err
}

// report writes one line when nothing can be written any more and one when it can again.
func (w *writer) report(err error) {
	if failing := err != nil; failing != w.failing {
		w.failing = failing
		if failing {
			w.log.Error("chat cannot be written; pages keep what was not sent", "err", err)
		} else {
			w.log.Info("chat is written again")
		}
	}
}
