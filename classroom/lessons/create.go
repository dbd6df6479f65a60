package lessons

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// Draft is a lesson to be made, or a weekly series of them.
type Draft struct {
	Course media.ID
	Title  string // as web.Line returns it
	Plan   Plan   // of the first day; a series begins on its next weekday
	Weeks  int    // how many weeks in a row; 0 and 1 are a single lesson unless Weekdays are given
	Until  string // instead of Weeks: the last day
	// Weekdays of a series; none are the weekday of Plan.
	Weekdays []time.Weekday
	By       media.ID
}

// weekly reports whether d is a series.
func (d Draft) weekly() bool { return d.Weeks > 1 || d.Until != "" || len(d.Weekdays) > 0 }

// rule returns the series of d. What makes none is a fault.
func (d Draft) rule() (s Series, err error) {
	first, err := time.Parse(time.DateOnly, d.Plan.Date)
	if err != nil {
		return s, fault.Invalid("lesson.bad_plan").At("date").Because(err)
	}
	days := d.Weekdays
	if len(days) == 0 {
		days = []time.Weekday{first.Weekday()}
	}
	last := d.Until
	if last == "" {
		last = first.AddDate(0, 0, 7*d.Weeks-1).Format(time.DateOnly)
	} else if _, err := laterDay(last, 0); err != nil {
		return s, fault.Invalid("lesson.bad_plan").At("until").Because(err)
	}
	if length := daysBetween(d.Plan.Date, last); length < 0 || length >= 7*maxWeeks {
		return s, fault.Invalid("lesson.bad_weeks").At("weeks").With("Max", maxWeeks)
	}
	return Series{
		CourseID: d.Course, Title: d.Title, Weekdays: OnDays(days...), FirstDate: d.Plan.Date, LastDate: last,
		LocalStart: d.Plan.Start, LocalEnd: d.Plan.End, Zone: d.Plan.Zone, Second: d.Plan.Second, CreatedBy: d.By,
	}, nil
}

// Occurrences returns all days that d leads to, at least one. A plan that is none, or that is over already, is a
// fault.
func (l *Lessons) Occurrences(d Draft) ([]Occurrence, error) {
	plans := []Plan{d.Plan}
	if d.weekly() {
		rule, err := d.rule()
		if err != nil {
			return nil, err
		}
		plans = plans[:0]
		for _, date := range rule.dates("", rule.LastDate) {
			plans = append(plans, rule.Plan(date))
		}
		if len(plans) == 0 {
			return nil, fault.Invalid("lesson.no_day").At("weekdays")
		}
	}
	return occurrences(plans, l.now())
}

func occurrences(plans []Plan, now time.Time) ([]Occurrence, error) {
	all := make([]Occurrence, 0, len(plans))
	for _, p := range plans {
		o, err := p.occur()
		if err != nil {
			return nil, fault.Invalid("lesson.bad_plan").At("start").Because(err)
		}
		if !o.End.After(now) {
			return nil, fault.Invalid("lesson.in_the_past").At("date")
		}
		all = append(all, o)
	}
	return all, nil
}

// Create makes the lessons of a draft: one, or those of a weekly series that lie within the next term; Run makes
// the others when their time comes nearer. A series keeps its time on the wall clock across changes of clocks.
func (l *Lessons) Create(ctx context.Context, d Draft) (rows []Lesson, err error) {
	if d.Weeks < 0 || d.Weeks > maxWeeks {
		return nil, fault.Invalid("lesson.bad_weeks").At("weeks").With("Max", maxWeeks)
	}
	if _, err := l.Occurrences(d); err != nil {
		return nil, err
	}
	now := l.now()
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		if d.weekly() {
			rows, err = createSeries(ctx, tx, d, now)
		} else {
			rows, err = createOne(ctx, tx, d, now)
		}
		if err != nil {
			return err
		}
		return l.note(ctx, tx, d.By, "lesson.create", rows[0].ID)
	})
	if err != nil {
		return nil, fmt.Errorf("create lessons in course %s: %w", d.Course, err)
	}
	return rows, nil
}

func createOne(ctx context.Context, tx *gorm.DB, d Draft, now time.Time) ([]Lesson, error) {
	row, err := newLesson(d.Course, d.Title, d.Plan, d.By, now)
	if err != nil {
		return nil, err
	}
	rows := []Lesson{row}
	return rows, insertLessons(ctx, tx, rows)
}

// createSeries stores the rule and makes its lessons; a series that begins later than a term ahead has its first
// at least, so that somebody sees it.
func createSeries(ctx context.Context, tx *gorm.DB, d Draft, now time.Time) ([]Lesson, error) {
	s, err := d.rule()
	if err != nil {
		return nil, err
	}
	s.ID, s.CreatedAt = media.NewID(), database.At(now)
	dates := s.dates("", s.LastDate)
	first, err := s.lesson(dates[0], now)
	if err != nil {
		return nil, err
	}
	s.MadeUntil = dates[0]
	if err := insertSeries(ctx, tx, s); err != nil {
		return nil, err
	}
	if err := insertSeriesLessons(ctx, tx, []Lesson{first}); err != nil {
		return nil, err
	}
	more, err := s.fill(ctx, tx, now)
	return slices.Concat([]Lesson{first}, more), err
}

// newLesson is a planned lesson that nobody has stored yet.
func newLesson(course media.ID, title string, p Plan, by media.ID, now time.Time) (Lesson, error) {
	o, err := p.occur()
	return Lesson{
		ID: media.NewID(), CourseID: course, Title: title,
		LocalDate: p.Date, LocalStart: p.Start, LocalEnd: p.End, Zone: p.Zone, Second: p.Second,
		PlannedStartAt: database.At(o.Start), PlannedEndAt: database.At(o.End),
		State: Planned, CreatedAt: database.At(now), CreatedBy: by, ChangedAt: database.At(now),
	}, err
}

// Begin makes an unplanned lesson that is open at once. Its register will count all of its time on air.
func (l *Lessons) Begin(ctx context.Context, course media.ID, title, zoneName string, by media.ID) (Lesson, error) {
	loc, err := zone(zoneName)
	if err != nil {
		return Lesson{}, err
	}
	row := unplanned(media.NewID(), course, title, l.now().In(loc), by)
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

// unplanned is a lesson without a plan that nobody has stored yet; began is in the zone of its course.
func unplanned(id, course media.ID, title string, began time.Time, by media.ID) Lesson {
	return Lesson{
		ID: id, CourseID: course, Title: title,
		LocalDate: began.Format(time.DateOnly), LocalStart: began.Format("15:04"), Zone: began.Location().String(),
		State: Open, CreatedAt: database.At(began), CreatedBy: by, ChangedAt: database.At(began),
	}
}
