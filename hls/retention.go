package hls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"chalkcast/media"
	"chalkcast/storage"
)

const (
	roundEvery = 24 * time.Hour   // how often the store is counted and cleared
	roundAgain = 10 * time.Minute // when that did not work
)

// rounds counts what the store holds and deletes what has been kept long enough, now and once a day until ctx ends.
func (o *Origin) rounds(ctx context.Context) {
	for {
		pause := time.NewTimer(roundEvery)
		deleted, err := o.Expire(ctx, func(_ media.ID, ended time.Time) bool {
			return o.cfg.Keep > 0 && o.cfg.Now().Sub(ended) > o.cfg.Keep
		})
		if len(deleted) > 0 {
			o.cfg.Log.Info("old recordings deleted", "lessons", len(deleted), "kept", o.cfg.Keep)
		}
		if err != nil && ctx.Err() == nil {
			o.cfg.Log.Warn("recordings cannot all be counted and cleared, trying again", "err", err)
			pause.Reset(roundAgain)
		}
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// Expire deletes the recordings for which due returns true, and nothing else: it is asked about every lesson that is
// over, with the time of its end. It goes through the whole store, so that Stored knows anew. Lessons that it could
// not delete do not keep it from the others; the error tells about them.
func (o *Origin) Expire(ctx context.Context, due func(lesson media.ID, ended time.Time) bool) (deleted []media.ID, err error) {
	held, total, err := holdings(ctx, o.cfg.Store, func() {})
	if err != nil {
		return nil, fmt.Errorf("count recordings: %w", err)
	}
	o.tally.set(total)
	o.channels.Range(func(id, v any) bool {
		if c := v.(*channel); !c.preview() && held[c.id] == nil {
			held[c.id] = &holding{} // so far only the spool has it
		}
		return true
	})
	var errs []error
	for id, h := range held {
		ended, over, err := o.ended(ctx, id, h)
		if err == nil && over && due(id, ended) {
			if err = o.Delete(ctx, id); err == nil {
				deleted = append(deleted, id)
				o.cfg.Log.Info("recording deleted: kept long enough", "lesson", id, "ended", ended, "bytes", h.bytes)
			}
		}
		if err != nil && !errors.Is(err, ErrOnAir) {
			errs = append(errs, fmt.Errorf("lesson %s: %w", id, err))
		}
	}
	return deleted, errors.Join(errs...)
}

// ended returns when a lesson ended. over is false for one that goes on. A lesson that was never ended, because its
// machine was lost, ended with its last segment; one without an index when the store got its last object.
func (o *Origin) ended(ctx context.Context, id media.ID, h *holding) (at time.Time, over bool, err error) {
	if c := o.channel(id); c != nil && !c.recording {
		s := c.shape.get()
		return s.endedAt, s.ended, nil
	}
	if h.index.Name == "" {
		return h.newest, true, nil
	}
	const tail = 8 << 10 // the end stands in the last line
	r := storage.Range{Offset: max(h.index.Size-tail, 0)}
	obj, err := o.cfg.Store.Get(ctx, h.index.Name, r)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read end: %w", err)
	}
	defer obj.Body.Close()
	b, err := io.ReadAll(io.LimitReader(obj.Body, tail))
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read end: %w", err)
	}
	recs, _, _ := parseJournal(b)
	return lastMoment(recs, h.newest), true, nil
}

// Stored returns the bytes of all lessons in the store, about: what was counted last, and what came and went since.
// It is negative until they have been counted.
func (o *Origin) Stored() int64 { return o.tally.get() }

// tally is a number that is unknown at first.
type tally struct {
	known atomic.Bool
	n     atomic.Int64
}

func (t *tally) add(n int64) { t.n.Add(n) }

func (t *tally) set(n int64) {
	t.n.Store(n)
	t.known.Store(true)
}

func (t *tally) get() int64 {
	if !t.known.Load() {
		return -1
	}
	return max(t.n.Load(), 0)
}
