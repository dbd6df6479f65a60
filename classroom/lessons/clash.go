package lessons

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/media"
)

// Clashes returns, for each of some occurrences in a course, the lessons of its teachers that overlap with it,
// except those named: they are what is being moved. It is a warning: two teachers may share their lessons as they
// like.
func (l *Lessons) Clashes(ctx context.Context, course media.ID, when []Occurrence, except []media.ID) ([][]Lesson, error) {
	found := make([][]Lesson, len(when))
	if len(when) == 0 {
		return found, nil
	}
	taught, err := l.taughtWith(ctx, course)
	if err != nil {
		return nil, err
	}
	from, until := span(when)
	rows, err := lessonsBetween(ctx, l.db.Reader(), taught, from, until)
	if err != nil {
		return nil, fmt.Errorf("load lessons at the same time: %w", err)
	}
	for i, o := range when {
		for _, row := range rows {
			if row.HasPlan() && row.State != Cancelled && !slices.Contains(except, row.ID) &&
				row.PlannedStartAt.Time().Before(o.End) && row.PlannedEndAt.Time().After(o.Start) {
				found[i] = append(found[i], row)
			}
		}
	}
	return found, nil
}

// taughtWith returns the courses that teachers of a course teach, itself included.
func (l *Lessons) taughtWith(ctx context.Context, course media.ID) ([]media.ID, error) {
	members, err := l.courses.Members(ctx, course)
	if err != nil {
		return nil, err
	}
	taught := []media.ID{course}
	for _, m := range members {
		if m.Role != courses.Teacher {
			continue
		}
		ids, err := l.courses.Teaching(ctx, m.User)
		if err != nil {
			return nil, err
		}
		taught = append(taught, ids...)
	}
	slices.Sort(taught)
	return slices.Compact(taught), nil
}

func span(when []Occurrence) (from, until time.Time) {
	from, until = when[0].Start, when[0].End
	for _, o := range when {
		if o.Start.Before(from) {
			from = o.Start
		}
		if o.End.After(until) {
			until = o.End
		}
	}
	return from, until
}
