package lessons

import (
	"context"
	"errors"
	"fmt"

	"chalkcast/media"
)

// attend looks after the streams that only their teachers see: to which lesson each belongs changes with the
// clock, and in courses that want it so a healthy one goes live by itself when its lesson begins.
func (l *Lessons) attend(ctx context.Context) error {
	var errs []error
	for _, r := range l.snapshot(l.now()) {
		if r.lesson != 0 || !r.sends(l.now()) {
			continue
		}
		if err := l.attendTo(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("broadcast %s: %w", r.grant.Broadcast, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Lessons) attendTo(ctx context.Context, r run) error {
	lesson, _, err := l.route(ctx, r.grant.Publisher)
	if err != nil {
		return err
	}
	if lesson != r.grant.Lesson {
		l.update(r.grant.Broadcast, func(r *run) { r.grant.Lesson = lesson })
	}
	if lesson == 0 || len(r.health.Warnings) > 0 || r.health.At.IsZero() {
		return nil
	}
	due, err := l.goesLiveByItself(ctx, lesson)
	if err != nil || !due {
		return err
	}
	_, _, err = l.goLive(ctx, lesson, r.grant.Publisher)
	return err
}

func (l *Lessons) goesLiveByItself(ctx context.Context, lesson media.ID) (bool, error) {
	row, err := l.Find(ctx, lesson)
	if err != nil {
		return false, err
	}
	now := l.now()
	if !row.HasPlan() || row.StateAt(now) != Open || now.Before(row.PlannedStartAt.Time()) {
		return false, nil
	}
	course, err := l.courses.Course(ctx, row.CourseID)
	return course.AutoLive, err
}
