package attendance

import (
	"context"
	"fmt"
	"time"

	"chalkcast/media"
)

// Seen returns which parts of the programme a student has seen, live or as a replay, as offsets from its beginning.
func (a *Attendance) Seen(ctx context.Context, lesson, student media.ID) ([][2]time.Duration, error) {
	rows, err := intervalsOf(ctx, a.db.Reader(), lesson, student)
	if err != nil {
		return nil, fmt.Errorf("load what %s saw of lesson %s: %w", student, lesson, err)
	}
	parts := make([]Interval, 0, len(rows))
	for _, r := range rows {
		parts = append(parts, r.stretch().Seen)
	}
	var seen [][2]time.Duration
	for _, iv := range Union(parts...) {
		seen = append(seen, [2]time.Duration{milliseconds(int64(iv.From)), milliseconds(int64(iv.To))})
	}
	return seen, nil
}
