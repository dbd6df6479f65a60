package lessons

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// closesAfter is the time between the last air interval of an ended lesson and its register.
const closesAfter = 15 * time.Minute

// Air is one air interval as values: [From, Until). Until is the last packet written down while it is Open.
type Air struct {
	From, Until time.Time
	Open        bool
}

// Find returns a lesson, or fault lesson.not_found. While the database is away it returns what was true lately.
func (l *Lessons) Find(ctx context.Context, id media.ID) (Lesson, error) {
	row, err := find(ctx, l.db.Reader(), id)
	return l.lately.Or(id, l.now(), row, err)
}

func find(ctx context.Context, q *gorm.DB, id media.ID) (Lesson, error) {
	row, err := lessonByID(ctx, q, id)
	if errors.Is(err, database.ErrNotFound) {
		return Lesson{}, fault.NotFound("lesson.not_found")
	}
	if err != nil {
		return Lesson{}, fmt.Errorf("load lesson %s: %w", id, err)
	}
	return row, nil
}

// AirOf returns the air intervals of a lesson in the order of time. They do not overlap. q is any handle of the
// database: give the transaction that decides on them.
func AirOf(ctx context.Context, q *gorm.DB, lesson media.ID) ([]Air, error) {
	rows, err := airOf(ctx, q, lesson)
	if err != nil {
		return nil, fmt.Errorf("load air intervals of %s: %w", lesson, err)
	}
	air := make([]Air, 0, len(rows))
	for _, r := range rows {
		a := Air{From: r.FromAt.Time(), Until: r.UntilAt.Time(), Open: r.UntilAt == 0}
		if a.Open {
			a.Until = r.SeenAt.Time()
		}
		air = append(air, a)
	}
	return air, nil
}

// Due returns the ended lessons whose register is to be closed at now: 15 min after their last air interval, or
// after their end when they were never on air.
func (l *Lessons) Due(ctx context.Context, now time.Time) ([]Lesson, error) {
	rows, err := dueForClosing(ctx, l.db.Reader(), database.At(now.Add(-closesAfter)))
	if err != nil {
		return nil, fmt.Errorf("load lessons to close: %w", err)
	}
	return rows, nil
}

// Close marks an ended lesson as closed in the transaction that freezes its register. It reports false when
// another node did so first; the caller then rolls back.
func Close(ctx context.Context, tx *gorm.DB, id media.ID, now time.Time) (bool, error) {
	ok, err := change(ctx, tx, Lesson{ID: id, State: Ended}, Closed, map[string]any{"closed_at": database.At(now)})
	if err != nil {
		return false, fmt.Errorf("close lesson %s: %w", id, err)
	}
	return ok, nil
}

// Between returns the lessons of courses that touch [from, until), by start; an unplanned one stands where it was
// begun. Cancelled ones are there.
func (l *Lessons) Between(ctx context.Context, courses []media.ID, from, until time.Time) ([]Lesson, error) {
	rows, err := lessonsBetween(ctx, l.db.Reader(), courses, from, until)
	if err != nil {
		return nil, fmt.Errorf("load lessons: %w", err)
	}
	return rows, nil
}

// AllBetween is Between for every course of the school.
func (l *Lessons) AllBetween(ctx context.Context, from, until time.Time) ([]Lesson, error) {
	rows, err := everyLessonBetween(ctx, l.db.Reader(), from, until)
	if err != nil {
		return nil, fmt.Errorf("load lessons: %w", err)
	}
	return rows, nil
}

// MovedAway returns the lessons of courses that were meant to start in [from, until) and start at another time, by
// what was meant.
func (l *Lessons) MovedAway(ctx context.Context, courses []media.ID, from, until time.Time) ([]Lesson, error) {
	rows, err := movedBetween(ctx, l.db.Reader(), courses, from, until)
	if err != nil {
		return nil, fmt.Errorf("load moved lessons: %w", err)
	}
	return rows, nil
}
