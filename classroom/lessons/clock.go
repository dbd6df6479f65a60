package lessons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// chase does what the clock alone decides: it makes the lessons of series a term ahead, opens lessons, ends those
// that everybody has left, and tells the origin of ends that it may have missed.
func (l *Lessons) chase(ctx context.Context) error {
	now := l.now()
	return errors.Join(l.makeAhead(ctx, now), l.openDue(ctx, now), l.endLeft(ctx, now), l.endChannels(ctx))
}

func (l *Lessons) openDue(ctx context.Context, now time.Time) error {
	rows, err := lessonsIn(ctx, l.db.Reader(), Planned)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.StateAt(now) != Open {
			break // in the order of their starts
		}
		err := l.db.Tx(ctx, func(tx *gorm.DB) error {
			_, err := change(ctx, tx, row, Open, nil)
			return err
		})
		if err != nil {
			return fmt.Errorf("open lesson %s: %w", row.ID, err)
		}
		l.tellState(ctx, row.ID)
	}
	return nil
}

// endLeft ends lessons 60 min after their planned end, or after the last packet when that came later.
func (l *Lessons) endLeft(ctx context.Context, now time.Time) error {
	rows, err := lessonsIn(ctx, l.db.Reader(), Open, Live, Interrupted)
	if err != nil {
		return err
	}
	for _, row := range rows {
		at, err := l.leftAt(ctx, row)
		if err != nil {
			return err
		}
		if now.Before(at) || l.arriving(row.ID, now) {
			continue
		}
		ended, err := l.end(ctx, row, at, 0)
		if err != nil {
			return wrap("end", row.ID, err)
		}
		if ended {
			l.log.Info("lesson ended by the clock", "lesson", row.ID)
		}
	}
	return nil
}

// leftAt is when a lesson ends by itself as things stand in the database.
func (l *Lessons) leftAt(ctx context.Context, row Lesson) (time.Time, error) {
	last := row.EndAt()
	if !row.HasPlan() {
		last = row.CreatedAt.Time()
	}
	if last.Add(staysAfter).After(l.now()) {
		return last.Add(staysAfter), nil
	}
	seen, err := lastSeen(ctx, l.db.Reader(), row.ID)
	if err != nil {
		return time.Time{}, fmt.Errorf("load last packet of %s: %w", row.ID, err)
	}
	if t := seen.Time(); t.After(last) {
		last = t
	}
	return last.Add(staysAfter), nil
}

// arriving reports whether any encoder sends for a lesson, to its students or to its preview.
func (l *Lessons) arriving(lesson media.ID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected(func(r *run) bool { return r.shows() == lesson && r.sends(now) }) != nil
}

// end writes the end of a lesson at an instant and tells everybody. An open interval ends there too. It reports
// false when the row changed meanwhile.
func (l *Lessons) end(ctx context.Context, row Lesson, at time.Time, by media.ID) (ended bool, err error) {
	next, ok := row.StateAt(l.now()).After(Ends)
	if !ok {
		return false, nil
	}
	err = l.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		ended, err = change(ctx, tx, row, next, map[string]any{"ended_at": database.At(at)})
		if err != nil || !ended {
			return err
		}
		if err := closeAnyAir(ctx, tx, row.ID, database.At(at)); err != nil {
			return err
		}
		return l.note(ctx, tx, by, "lesson.end", row.ID)
	})
	if err != nil || !ended {
		return false, err
	}
	l.mu.Lock()
	l.clear(row.ID)
	l.mu.Unlock()
	l.tellState(ctx, row.ID)
	return true, nil
}

// endedLately is how far back the origin is told again of lessons that ended: longer than any repair takes.
const endedLately = 7 * 24 * time.Hour

// endChannels tells the origin once of every lesson that ended: the server may have been killed between the row
// and the call.
func (l *Lessons) endChannels(ctx context.Context) error {
	ids, err := endedSince(ctx, l.db.Reader(), database.At(l.now().Add(-endedLately)))
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, l.endChannel(ctx, id))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.told {
		if !slices.Contains(ids, id) {
			delete(l.told, id)
		}
	}
	return errors.Join(errs...)
}

// endChannel tells the origin of the end of a lesson unless it has heard.
func (l *Lessons) endChannel(ctx context.Context, lesson media.ID) error {
	l.mu.Lock()
	told := l.told[lesson]
	l.mu.Unlock()
	if told {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := l.origin.End(ctx, lesson); err != nil {
		return fmt.Errorf("end channel of %s: %w", lesson, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told[lesson] = true
	return nil
}
