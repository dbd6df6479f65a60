package attendance

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Sweep forgets views, intervals and failed attempts of lessons that were over before an instant, one lesson after the
// other, and returns how many rows of views and attempts went. Registers stay; what they were counted from is gone, so
// they cannot be counted again.
func (a *Attendance) Sweep(ctx context.Context, before time.Time) (rows int, err error) {
	ids, err := sweepable(ctx, a.db.Reader(), database.At(before))
	if err != nil {
		return 0, fmt.Errorf("sweep attendance: %w", err)
	}
	for _, lesson := range ids {
		err := a.db.Tx(ctx, func(tx *gorm.DB) error {
			n, err := forgetLesson(ctx, tx, lesson)
			rows += n
			return err
		})
		if err != nil {
			return rows, fmt.Errorf("sweep attendance of lesson %s: %w", lesson, err)
		}
	}
	return rows, nil
}

// swept reports whether what the register of a lesson was counted from may be gone.
func (a *Attendance) swept(l lessons.Lesson) bool {
	keep := a.accounts.School().Retention.Attendance
	return l.EndedAt != 0 && l.EndedAt.Time().Before(a.now().AddDate(0, 0, -keep))
}

// sweepable returns the lessons that were over before and of which something is known.
func sweepable(ctx context.Context, q *gorm.DB, before database.Instant) (ids []media.ID, err error) {
	err = q.WithContext(ctx).Raw(`SELECT id FROM lessons WHERE state IN ('closed', 'cancelled')
		AND CASE WHEN ended_at > 0 THEN ended_at WHEN planned_end_at > 0 THEN planned_end_at ELSE created_at END < ?
		AND (EXISTS (SELECT 1 FROM views WHERE lesson_id = lessons.id) OR EXISTS (SELECT 1 FROM join_failures WHERE lesson_id = lessons.id))
		ORDER BY id`, before).Scan(&ids).Error
	return ids, err
}

func forgetLesson(ctx context.Context, tx *gorm.DB, lesson media.ID) (int, error) {
	views := tx.WithContext(ctx).Exec("DELETE FROM views WHERE lesson_id = ?", lesson) // their intervals go along
	if views.Error != nil {
		return 0, views.Error
	}
	failures := tx.WithContext(ctx).Exec("DELETE FROM join_failures WHERE lesson_id = ?", lesson)
	return int(views.RowsAffected + failures.RowsAffected), failures.Error
}
