package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const (
	refusalEvery = time.Minute
	refusalWait  = 2 * time.Second // for the database, while somebody waits for their 404
	maxRefusals  = 10_000          // lines a minute of one node
)

// Refusals writes lines about what people were refused, and about what they merely looked at. It writes one a minute for the same actor, action and
// object, however often they try, and maxRefusals a minute in all: a flood of requests is no flood of lines. Each
// node counts for itself. Safe for concurrent use.
type Refusals struct {
	db  *database.DB
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	written map[refusal]time.Time
}

type refusal struct {
	actor          media.ID
	action, object string
}

// NewRefusals returns a writer of refusals into db.
func NewRefusals(db *database.DB, log *slog.Logger, now func() time.Time) *Refusals {
	return &Refusals{db: db, log: log, now: now, written: map[refusal]time.Time{}}
}

// Note writes l, with the present time, when its turn has come. It waits for the database, also for somebody who
// has hung up meanwhile. A line that cannot be written is logged, because the answer is no either way.
func (r *Refusals) Note(ctx context.Context, l Line) {
	l.At = r.now()
	if !r.due(l) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalWait)
	defer cancel()
	if err := r.db.Tx(ctx, func(tx *gorm.DB) error { return Write(ctx, tx, l) }); err != nil {
		r.log.WarnContext(ctx, "refusal not noted", "user", l.Actor, "action", l.Action, "object", l.Object, "err", err)
	}
}

// due reports whether a line may be written now, and counts it as written.
func (r *Refusals) due(l Line) bool {
	key := refusal{l.Actor, l.Action, l.Object}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.written[key]; ok && l.At.Sub(last) < refusalEvery {
		return false
	}
	if len(r.written) >= maxRefusals {
		for k, last := range r.written {
			if l.At.Sub(last) >= refusalEvery {
				delete(r.written, k)
			}
		}
		if len(r.written) >= maxRefusals {
			return false
		}
	}
	r.written[key] = l.At
	return true
}
