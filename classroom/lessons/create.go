package lessons

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// maxWeeks is the longest series: a school year.
const maxWeeks = 53

// Draft is a lesson to be made.
type Draft struct {
	Course media.ID
	Title  string // as web.Line returns it
	Plan   Plan
	Weeks  int // how many weeks in a row; 0 and 1 are a single lesson
	By     media.ID
}

// Create makes the lessons of a draft: one, or a weekly series that keeps its time on the wall clock across
// changes of clocks. A plan that is none, or that is over already, is a fault.
func (l *Lessons) Create(ctx context.Context, d Draft) ([]Lesson, error) {
	if d.Weeks < 0 || d.Weeks > maxWeeks {
		return nil, fault.Invalid("lesson.bad_weeks").At("weeks").With("Max", maxWeeks)
	}
	now := l.now()
	rows := make([]Lesson, 0, max(1, d.Weeks))
	var series media.ID
	if d.Weeks > 1 {
		series = media.NewID()
	}
	for week := range max(1, d.Weeks) {
		row, err := d.lesson(week, now)
		if err != nil {
			return nil, err
		}
		row.SeriesID = series
		rows = append(rows, row)
	}
	err := l.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertLessons(ctx, tx, rows); err != nil {
			return err
		}
		return l.note(ctx, tx, d.By, "lesson.create", rows[0].ID)
	})
	if err != nil {
		return nil, fmt.Errorf("create lessons in course %s: %w", d.Course, err)
	}
	return rows, nil
}

func (d Draft) lesson(week int, now time.Time) (Lesson, error) {
	plan, err := d.Plan.Later(week)
	if err != nil {
		return Lesson{}, fault.Invalid("lesson.bad_plan").At("date").Because(err)
	}
	start, end, err := plan.Resolve()
	if err != nil {
		return Lesson{}, fault.Invalid("lesson.bad_plan").At("start").Because(err)
	}
	if !end.After(now) {
		return Lesson{}, fault.Invalid("lesson.in_the_past").At("date")
	}
	return Lesson{
		ID: media.NewID(), CourseID: d.Course, Title: d.Title,
		LocalDate: plan.Date, LocalStart: plan.Start, LocalEnd: plan.End, Zone: plan.Zone,
		PlannedStartAt: database.At(start), PlannedEndAt: database.At(end),
		State: Planned, CreatedAt: database.At(now), CreatedBy: d.By,
	}, nil
}

// Begin makes an unplanned lesson that is open at once. Its register will count all of its time on air.
func (l *Lessons) Begin(ctx context.Context, course media.ID, title, zoneName string, by media.ID) (Lesson, error) {
	loc, err := zone(zoneName)
	if err != nil {
		return Lesson{}, err
	}
	now := l.now()
	local := now.In(loc)
	row := Lesson{
		ID: media.NewID(), CourseID: course, Title: title,
		LocalDate: local.Format("2006-01-02"), LocalStart: local.Format("15:04"), Zone: zoneName,
		State: Open, CreatedAt: database.At(now), CreatedBy: by,
	}
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertLessons(ctx, tx, []Lesson{row}); err != nil {
			return err
		}
		return l.note(ctx, tx, by, "lesson.create", row.ID)
	})
	if err != nil {
		return Lesson{}, fmt.Errorf("begin a lesson in course %s: %w", course, err)
	}
	return row, nil
}
