package lessons

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// A database that is older than the recordings, because it was restored, does not know of lessons that were held since.
// What a recording tells is when its lesson was on air; who was in it is lost. So such a lesson gets its recording back
// and no air: its register counts for nobody, and nobody is absent for what a server forgot.

// Recording is a lesson as its recording shows it.
type Recording struct {
	Lesson       media.ID
	Began, Ended time.Time
}

// Held returns the lessons that were on air as far as the database knows.
func (l *Lessons) Held(ctx context.Context) (map[media.ID]bool, error) {
	ids, err := lessonsHeld(ctx, l.db.Reader())
	if err != nil {
		return nil, fmt.Errorf("load lessons that were held: %w", err)
	}
	held := make(map[media.ID]bool, len(ids))
	for _, id := range ids {
		held[id] = true
	}
	return held, nil
}

// Recall writes down that a lesson was held, and returns it. A lesson that the database knows to have been on air stays
// as it is, with fault lesson.changed. The error is fault lesson.not_found for one that it does not know.
func (l *Lessons) Recall(ctx context.Context, r Recording, by media.ID) (row Lesson, err error) {
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		if row, err = find(ctx, tx, r.Lesson); err != nil {
			return err
		}
		next, ok := row.State.After(Recalled)
		if !ok || row.LiveAt != 0 {
			return fault.Conflict("lesson.changed")
		}
		done, err := change(ctx, tx, row, next, map[string]any{
			"live_at": database.At(r.Began), "ended_at": database.At(r.Ended),
			"cancel_id": 0, "note": "", "revision": row.Revision + 1, "changed_at": database.At(l.now()),
		})
		if err != nil {
			return err
		}
		if !done {
			return fault.Conflict("lesson.changed")
		}
		return l.note(ctx, tx, by, "lesson.recall", row.ID)
	})
	return row, wrap("recall", r.Lesson, err)
}

// Adopt makes a lesson of course for a recording that has none any more.
func (l *Lessons) Adopt(ctx context.Context, r Recording, course courses.Course, title string, by media.ID) (Lesson, error) {
	row := unplanned(r.Lesson, course.ID, title, r.Began.In(course.Zone), by)
	row.State, row.LiveAt, row.EndedAt = Ended, database.At(r.Began), database.At(r.Ended)
	err := l.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertLessons(ctx, tx, []Lesson{row}); err != nil {
			return err
		}
		return l.note(ctx, tx, by, "lesson.adopt", row.ID)
	})
	return row, wrap("adopt", r.Lesson, err)
}
