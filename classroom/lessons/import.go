package lessons

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Past is a lesson that took place already: taken over from elsewhere, or made up for a school to look around in.
type Past struct {
	Course    media.ID
	Title     string
	Plan      Plan
	By        media.ID
	Cancelled bool  // then Air is empty
	Air       []Air // in order, none open
}

// Import writes down lessons that are over. Their registers close by themselves, as those of other lessons do.
func (l *Lessons) Import(ctx context.Context, past []Past) ([]Lesson, error) {
	rows := make([]Lesson, len(past))
	var air []AirInterval
	for i, p := range past {
		row, err := newLesson(p.Course, p.Title, p.Plan, p.By, time.Time{})
		if err != nil {
			return nil, err
		}
		row.State, row.CreatedAt = Cancelled, row.PlannedStartAt
		if !p.Cancelled {
			row.State, row.EndedAt, row.PublisherID = Ended, row.PlannedEndAt, p.By
		}
		for _, a := range p.Air {
			until := database.At(a.Until)
			air = append(air, AirInterval{ID: media.NewID(), LessonID: row.ID, FromAt: database.At(a.From), UntilAt: until, SeenAt: until})
			row.EndedAt = max(row.EndedAt, until)
		}
		if len(p.Air) > 0 {
			row.LiveAt = database.At(p.Air[0].From)
		}
		rows[i] = row
	}
	err := l.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertLessons(ctx, tx, rows); err != nil {
			return err
		}
		if err := insertAirs(ctx, tx, air); err != nil {
			return err
		}
		for i, row := range rows {
			if err := l.note(ctx, tx, past[i].By, "lesson.import", row.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import %d lessons: %w", len(past), err)
	}
	return rows, nil
}
