package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Filter chooses lines. Zero fields choose all.
type Filter struct {
	Actor       media.ID
	Action      string // exactly, or with a point at its end all that begin so: "user."
	Object      string // exactly
	From, Until time.Time
	Before      int64 // lines with a lower number, for the next page
}

// Entry is a line with its number.
type Entry struct {
	Seq int64
	Line
}

// Search returns the newest lines that a filter chooses, at most limit.
func Search(ctx context.Context, q *gorm.DB, f Filter, limit int) ([]Entry, error) {
	g := gorm.G[row](q).Where("seq > 0")
	if f.Actor != 0 {
		g = g.Where("actor_id = ?", f.Actor)
	}
	if f.Action != "" && f.Action[len(f.Action)-1] == '.' {
		g = g.Where("action >= ? AND action < ?", f.Action, f.Action[:len(f.Action)-1]+"/") // what follows the point
	} else if f.Action != "" {
		g = g.Where("action = ?", f.Action)
	}
	if f.Object != "" {
		g = g.Where("object = ?", f.Object)
	}
	if !f.From.IsZero() {
		g = g.Where("at >= ?", database.At(f.From))
	}
	if !f.Until.IsZero() {
		g = g.Where("at < ?", database.At(f.Until))
	}
	if f.Before > 0 {
		g = g.Where("seq < ?", f.Before)
	}
	rows, err := g.Order("seq DESC").Limit(limit).Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("search audit: %w", err)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = Entry{Seq: r.Seq, Line: Line{At: r.At.Time(), Actor: r.ActorID, Action: r.Action, Object: r.Object}}
		if err := json.Unmarshal([]byte(r.Detail), &entries[i].Detail); err != nil {
			return nil, fmt.Errorf("read audit line %d: %w", r.Seq, err)
		}
	}
	return entries, nil
}

// sweepLines is how many lines one transaction removes.
const sweepLines = 5000

// Sweep removes the lines from before and moves the anchor, so that Verify still sees when somebody else removes any. It
// returns how many went. The newest line always stays.
func Sweep(ctx context.Context, db *database.DB, before time.Time) (lines int, err error) {
	for {
		n := 0
		err := db.Tx(ctx, func(tx *gorm.DB) (err error) {
			n, err = sweep(ctx, tx, database.At(before))
			return err
		})
		lines += n
		if err != nil {
			return lines, fmt.Errorf("sweep audit: %w", err)
		}
		if n < sweepLines {
			return lines, nil
		}
	}
}

func sweep(ctx context.Context, tx *gorm.DB, before database.Instant) (int, error) {
	first, err := gorm.G[row](tx).Select("seq").Order("seq").Limit(1).Find(ctx)
	if err != nil || len(first) == 0 {
		return 0, err
	}
	// Lines are in the order in which they were written, and their times are too, but for clocks that were set back:
	// the first line that stays is the first that is young enough.
	young, err := gorm.G[row](tx).Select("seq").Where("at >= ?", before).Order("seq").Limit(1).Find(ctx)
	if err != nil {
		return 0, err
	}
	h, err := gorm.G[head](tx).Where("id = 1").Take(ctx)
	if err != nil {
		return 0, err
	}
	last := min(h.Seq, first[0].Seq+sweepLines) - 1
	if len(young) > 0 {
		last = min(last, young[0].Seq-1)
	}
	if last < first[0].Seq {
		return 0, nil
	}
	end, err := gorm.G[row](tx).Where("seq = ?", last).Take(ctx)
	if err != nil {
		return 0, err
	}
	if err := gorm.G[anchor](tx).Exec(ctx, "UPDATE audit_anchor SET seq = ?, hash = ? WHERE id = 1", end.Seq, end.Hash); err != nil {
		return 0, err
	}
	return gorm.G[row](tx).Where("seq <= ?", last).Delete(ctx)
}
