package lessons

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// Whoever calls these has asked for the right to do so next to the data; see package classroom.

// tries is how often an order is given again when a row changed under it, as when an encoder drops in the very
// moment of a click.
const tries = 3

// GoLive shows to the students of a lesson what publisher streams. Once more for the same two does nothing. A
// colleague who goes live replaces the stream that was shown.
func (l *Lessons) GoLive(ctx context.Context, id, publisher media.ID) (State, error) {
	for range tries {
		state, done, err := l.goLive(ctx, id, publisher)
		if err != nil || done {
			return state, err
		}
	}
	return "", fault.Conflict("lesson.changed")
}

func (l *Lessons) goLive(ctx context.Context, id, publisher media.ID) (state State, done bool, err error) {
	row, err := l.Find(ctx, id)
	if err != nil {
		return "", false, err
	}
	now := l.now()
	state = row.StateAt(now)
	next, ok := state.After(GoesLive)
	if !ok {
		return state, false, notNow(state)
	}
	r, err := l.forAir(id, publisher, now)
	if err != nil {
		return state, false, err
	}
	if r.lesson == id && state == Live {
		return state, true, nil
	}
	if err := l.origin.GoLive(ctx, id, publisher); errors.Is(err, ErrNoInput) {
		return state, false, fault.Conflict("studio.no_stream").Because(err)
	} else if err != nil {
		return state, false, fmt.Errorf("go live with %s: %w", id, err)
	}
	moved, err := l.putOnAir(ctx, row, next, r)
	if err != nil || !moved {
		return state, false, errors.Join(err, l.offAir(ctx, id))
	}
	l.log.Info("lesson live", "lesson", id, "publisher", publisher)
	l.tellState(ctx, id)
	return next, true, nil
}

// offAir closes the channel again when the lesson ended while it went live.
func (l *Lessons) offAir(ctx context.Context, id media.ID) error {
	row, err := l.Find(ctx, id)
	if err != nil || !row.State.Over() {
		return err
	}
	l.mu.Lock()
	delete(l.told, id)
	l.mu.Unlock()
	return l.endChannel(ctx, id)
}

// forAir returns a copy of the run that publisher could show in a lesson.
func (l *Lessons) forAir(lesson, publisher media.ID, now time.Time) (run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.connected(func(r *run) bool { return r.grant.Publisher == publisher && r.sends(now) })
	switch {
	case r == nil:
		return run{}, fault.Conflict("studio.no_stream")
	case r.lesson != 0 && r.lesson != lesson:
		return run{}, fault.Conflict("studio.still_on_air")
	}
	return *r, nil
}

// putOnAir writes that a lesson is live with r from now on; false means that the row changed meanwhile.
func (l *Lessons) putOnAir(ctx context.Context, row Lesson, next State, r run) (moved bool, err error) {
	now := l.now()
	r.lesson = row.ID
	columns := map[string]any{"publisher_id": r.grant.Publisher}
	if row.LiveAt == 0 {
		columns["live_at"] = database.At(now)
	}
	err = l.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if moved, err = change(ctx, tx, row, next, columns); err != nil || !moved {
			return err
		}
		if err := closeAnyAir(ctx, tx, row.ID, database.At(now)); err != nil {
			return err
		}
		if _, err = beginAir(ctx, tx, r, now); err != nil {
			return err
		}
		return l.note(ctx, tx, r.grant.Publisher, "lesson.live", row.ID)
	})
	if err != nil || !moved {
		return false, wrap("put on air", row.ID, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear(row.ID)
	if on := l.runs[r.grant.Broadcast]; on != nil {
		on.lesson, on.airing, on.aired, on.grant.Lesson = row.ID, row.ID, row.ID, row.ID
	}
	return true, nil
}

// clear takes every run off the air of a lesson. The caller holds mu.
func (l *Lessons) clear(lesson media.ID) {
	for _, r := range l.runs {
		if r.lesson == lesson {
			r.lesson, r.airing = 0, 0
		}
	}
}

func wrap(what string, id media.ID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s lesson %s: %w", what, id, err)
}

func notNow(s State) error {
	switch s {
	case Planned:
		return fault.Conflict("lesson.too_early")
	case Cancelled:
		return fault.Conflict("lesson.cancelled")
	}
	return fault.Conflict("lesson.over")
}

// End ends a lesson: nothing more can be shown live, and the replay is ready at once. Once more does nothing.
func (l *Lessons) End(ctx context.Context, id, by media.ID) (State, error) {
	for range tries {
		row, err := l.Find(ctx, id)
		if err != nil {
			return "", err
		}
		now := l.now()
		switch state := row.StateAt(now); state {
		case Ended, Closed:
			return state, nil
		case Planned, Cancelled:
			return state, notNow(state)
		}
		ended, err := l.end(ctx, row, now, by)
		if err != nil {
			return row.State, wrap("end", id, err)
		}
		if !ended {
			continue
		}
		l.log.Info("lesson ended", "lesson", id)
		if err := l.endChannel(ctx, id); err != nil {
			// The lesson is over for everybody; Run goes on telling the origin.
			l.log.Error("end channel", "lesson", id, "err", err)
		}
		return Ended, nil
	}
	return "", fault.Conflict("lesson.changed")
}

// The lengths that Extend takes.
const (
	extendStep = 10
	extendMax  = 180
)

// Extend gives a planned lesson ten more minutes: pages, tickets and the end by the clock move, the plan that
// the register counts against does not. It returns the new end.
func (l *Lessons) Extend(ctx context.Context, id, by media.ID) (time.Time, error) {
	row, err := l.Find(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	state := row.StateAt(l.now())
	switch {
	case state.Over() || state == Planned:
		return row.EndAt(), notNow(state)
	case !row.HasPlan() || row.ExtendedMin+extendStep > extendMax:
		return row.EndAt(), fault.Conflict("lesson.not_extended")
	}
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := extend(ctx, tx, row, row.ExtendedMin+extendStep); err != nil {
			return err
		}
		return l.note(ctx, tx, by, "lesson.extend", id)
	})
	if err != nil {
		return row.EndAt(), wrap("extend", id, err)
	}
	if row, err = l.Find(ctx, id); err == nil {
		l.tellState(ctx, id)
	}
	return row.EndAt(), err
}

// note writes the audit line of an order; by is 0 for the clock.
func (l *Lessons) note(ctx context.Context, tx *gorm.DB, by media.ID, action string, id media.ID) error {
	return audit.Write(ctx, tx, audit.Line{At: l.now(), Actor: by, Action: action, Object: audit.Object("lesson", id)})
}
