package lessons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	// maxWeeks is the longest series: a school year.
	maxWeeks = 53
	// termAhead is how many days ahead a series has its lessons.
	termAhead = 18 * 7
)

// Weekdays are days of the week as digits in their order, 1 for Monday to 7 for Sunday: "135".
type Weekdays string

// OnDays returns days as Weekdays, each once and in order.
func OnDays(days ...time.Weekday) Weekdays {
	var b strings.Builder
	for n, digit := range "1234567" {
		if slices.Contains(days, time.Weekday((n+1)%7)) {
			b.WriteRune(digit)
		}
	}
	return Weekdays(b.String())
}

// Days returns w as days, from Monday on.
func (w Weekdays) Days() []time.Weekday {
	var days []time.Weekday
	for _, digit := range w {
		days = append(days, time.Weekday((digit-'0')%7))
	}
	return days
}

// Later returns w moved on by some days.
func (w Weekdays) Later(days int) Weekdays {
	moved := w.Days()
	for i, d := range moved {
		moved[i] = time.Weekday(((int(d)+days)%7 + 7) % 7)
	}
	return OnDays(moved...)
}

// Plan is the plan of the series on a date.
func (s *Series) Plan(date string) Plan {
	return Plan{Date: date, Start: s.LocalStart, End: s.LocalEnd, Zone: s.Zone, Second: s.Second}
}

// dates returns the days of the series after one date, until another, which is included.
func (s *Series) dates(after, until string) (dates []string) {
	t, err := time.Parse(time.DateOnly, max(after, s.FirstDate))
	if err != nil {
		return nil
	}
	on := s.Weekdays.Days()
	for ; ; t = t.AddDate(0, 0, 1) {
		date := t.Format(time.DateOnly)
		if date > min(until, s.LastDate) {
			return dates
		}
		if date > after && slices.Contains(on, t.Weekday()) {
			dates = append(dates, date)
		}
	}
}

// horizon is the day up to which series have their lessons at now.
func horizon(now time.Time) string { return now.UTC().AddDate(0, 0, termAhead).Format(time.DateOnly) }

// lesson is the lesson of a series on one of its dates.
func (s *Series) lesson(date string, now time.Time) (Lesson, error) {
	row, err := newLesson(s.CourseID, s.Title, s.Plan(date), s.CreatedBy, now)
	row.SeriesID, row.SeriesDate = s.ID, date
	return row, err
}

// fill makes the lessons that s should have at now, in the transaction that locked it, and notes how far it came.
// A day that has its lesson, whatever has become of it, gets no other; one that is over gets none: nobody could
// come.
func (s *Series) fill(ctx context.Context, tx *gorm.DB, now time.Time) (made []Lesson, err error) {
	until := min(s.LastDate, horizon(now))
	if until <= s.MadeUntil {
		return nil, nil
	}
	for _, date := range s.dates(s.MadeUntil, until) {
		row, err := s.lesson(date, now)
		if err != nil {
			return nil, fmt.Errorf("lesson of series %s on %s: %w", s.ID, date, err)
		}
		if row.PlannedEndAt.Time().After(now) {
			made = append(made, row)
		}
	}
	if err := insertSeriesLessons(ctx, tx, made); err != nil {
		return nil, err
	}
	s.MadeUntil = until
	return made, updateSeries(ctx, tx, s.ID, map[string]any{"made_until": until})
}

// makeAhead gives every series that goes on its lessons up to a term ahead. It can be stopped anywhere and done
// again, by several nodes at once.
func (l *Lessons) makeAhead(ctx context.Context, now time.Time) error {
	behind, err := seriesBehind(ctx, l.db.Reader(), horizon(now))
	if err != nil {
		return fmt.Errorf("load series: %w", err)
	}
	var errs []error
	for _, s := range behind {
		err := l.db.Tx(ctx, func(tx *gorm.DB) error {
			s, err := lockSeries(ctx, tx, s.ID)
			if err != nil || s.StopID != 0 {
				return err
			}
			_, err = s.fill(ctx, tx, now)
			return err
		})
		if err != nil && !errors.Is(err, database.ErrNotFound) {
			errs = append(errs, fmt.Errorf("make lessons of series %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

// SeriesOf returns the series of a course that are not over, by their first day.
func (l *Lessons) SeriesOf(ctx context.Context, course media.ID) ([]Series, error) {
	rows, err := seriesOf(ctx, l.db.Reader(), course, l.now().AddDate(0, 0, -1).Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("load series of course %s: %w", course, err)
	}
	return rows, nil
}

// FindSeries returns a series, or fault lesson.not_found.
func (l *Lessons) FindSeries(ctx context.Context, id media.ID) (Series, error) {
	row, err := seriesByID(ctx, l.db.Reader(), id)
	if errors.Is(err, database.ErrNotFound) {
		return Series{}, fault.NotFound("lesson.not_found")
	}
	if err != nil {
		return Series{}, fmt.Errorf("load series %s: %w", id, err)
	}
	return row, nil
}

// Prolong lets a series go on until another day, which is included, and makes its lessons.
func (l *Lessons) Prolong(ctx context.Context, id media.ID, until string, by media.ID) (s Series, made []Lesson, err error) {
	if _, err := laterDay(until, 0); err != nil {
		return s, nil, fault.Invalid("lesson.bad_plan").At("until").Because(err)
	}
	now := l.now()
	err = l.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if s, err = lockSeries(ctx, tx, id); err != nil {
			return err
		}
		switch {
		case s.StopID != 0:
			return fault.Conflict("lesson.cancelled")
		case until <= s.LastDate:
			return fault.Invalid("series.not_longer").At("until")
		case daysBetween(s.FirstDate, until) >= 7*maxWeeks:
			return fault.Invalid("lesson.bad_weeks").At("until").With("Max", maxWeeks)
		}
		s.LastDate = until
		if err = updateSeries(ctx, tx, id, map[string]any{"last_date": until}); err != nil {
			return err
		}
		if made, err = s.fill(ctx, tx, now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: now, Actor: by, Action: "series.prolong", Object: audit.Object("series", id), Detail: map[string]any{"until": until},
		})
	})
	if errors.Is(err, database.ErrNotFound) {
		return s, nil, fault.NotFound("lesson.not_found")
	}
	if err != nil {
		return s, nil, fmt.Errorf("prolong series %s: %w", id, err)
	}
	return s, made, nil
}

// NextOf returns the first lesson of a series that was not held yet, or fault lesson.over.
func (l *Lessons) NextOf(ctx context.Context, series media.ID) (Lesson, error) {
	rows, err := lessonsOfSeries(ctx, l.db.Reader(), series, "")
	if err != nil {
		return Lesson{}, fmt.Errorf("load lessons of series %s: %w", series, err)
	}
	for _, row := range rows {
		if unheld(row, l.now()) == nil {
			return row, nil
		}
	}
	return Lesson{}, fault.Conflict("lesson.over")
}
