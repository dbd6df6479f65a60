package attendance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Register returns the record of a lesson as it stands: counted anew while it is provisional, as it was frozen
// afterwards, with corrections and attempts on top. Everything in it is of one instant of the database.
func (a *Attendance) Register(ctx context.Context, l lessons.Lesson) (*Register, error) {
	return a.register(ctx, l, 0)
}

// register reads all rows, or that of one student only.
func (a *Attendance) register(ctx context.Context, l lessons.Lesson, only media.ID) (*Register, error) {
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return nil, fmt.Errorf("register of %s: %w", l.ID, err)
	}
	roll.only = only
	var r *Register
	err = a.db.Snapshot(ctx, func(tx *gorm.DB) error {
		row, err := latestRegister(ctx, tx, l.ID)
		switch {
		case errors.Is(err, database.ErrNotFound):
			r, _, err = count(ctx, tx, l, roll, a.now())
		case err == nil:
			r, err = thaw(ctx, tx, l, roll, row)
		}
		if err != nil {
			return err
		}
		return r.layOnTop(ctx, tx, roll.users())
	})
	if err != nil {
		return nil, fmt.Errorf("register of %s: %w", l.ID, err)
	}
	if err := a.correctors(ctx, r, roll); err != nil {
		return nil, fmt.Errorf("register of %s: %w", l.ID, err)
	}
	for i := range r.Rows {
		r.Rows[i].show(r.Closed())
	}
	slices.SortFunc(r.Rows, byName)
	return r, nil
}

// Record gives the register of each lesson that holds something about a student, with their row alone, the oldest
// first and one at a time.
func (a *Attendance) Record(ctx context.Context, student media.ID, each func(*Register) error) error {
	ids, err := lessonsAbout(ctx, a.db.Reader(), student)
	if err != nil {
		return fmt.Errorf("lessons of a student: %w", err)
	}
	for _, id := range ids {
		l, err := a.lessons.Find(ctx, id)
		if err != nil {
			return err
		}
		r, err := a.register(ctx, l, student)
		if err != nil {
			return err
		}
		if len(r.Rows) == 0 {
			continue // only knocked
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// base is what a register says whoever was there.
func base(ctx context.Context, q *gorm.DB, l lessons.Lesson, roll roll, now time.Time) (*Register, Class, error) {
	air, err := lessons.AirOf(ctx, q, l.ID)
	if err != nil {
		return nil, Class{}, err
	}
	c := class(l, air, now)
	return &Register{
		Lesson: l, Course: roll.course, Policy: roll.policy, PolicyVersion: roll.version,
		Air: Union(c.Air...), ClosesAt: c.ClosesAt(), Programme: wholeSeconds(c.ProgrammeLength()),
	}, c, nil
}

// count makes the register from what is recorded so far.
func count(ctx context.Context, q *gorm.DB, l lessons.Lesson, roll roll, now time.Time) (*Register, Class, error) {
	r, c, err := base(ctx, q, l, roll, now)
	if err != nil {
		return nil, c, err
	}
	r.Window, r.Outside = c.Window(r.Policy)
	views, intervals, err := recorded(ctx, q, l.ID, roll.users())
	if err != nil {
		return nil, c, err
	}
	r.Hash = hashIntervals(views, intervals)
	by := watchedBy(views, intervals)
	for _, s := range roll.students(c.covers(now)) {
		row := Row{Student: s, Figures: c.measure(r.Window, by[s.ID], r.Policy)}
		row.Live = row.LiveStatus(r.Window, r.Policy)
		r.Rows = append(r.Rows, row)
	}
	return r, c, nil
}

// covers is the time that an enrollment must touch for its student to be a row: the plan, or else the air.
func (c Class) covers(now time.Time) Interval {
	if !c.Planned.empty() {
		return c.Planned
	}
	if hull := Union(c.Air...).Hull(); !hull.empty() {
		return hull
	}
	return Interval{database.At(now) - 1, database.At(now)}
}

// thaw reads a frozen register, with what students saw of the lesson since, until that is frozen too.
func thaw(ctx context.Context, q *gorm.DB, l lessons.Lesson, roll roll, row registerRow) (*Register, error) {
	r, c, err := base(ctx, q, l, roll, row.ClosedAt.Time())
	if err != nil {
		return nil, err
	}
	if r.Policy, err = ParsePolicy(row.Policy); err != nil {
		return nil, err
	}
	if r.Window, err = parseSet(row.Counted); err != nil {
		return nil, err
	}
	r.Version, r.ClosedAt, r.PolicyVersion, r.Outside, r.Hash = row.Version, row.ClosedAt, row.PolicyVersion, row.Outside, row.IntervalsHash
	r.Programme = seconds(int(row.ProgrammeS))
	frozen, err := studentRows(ctx, q, l.ID, row.Version, roll.users()...)
	if err != nil {
		return nil, fmt.Errorf("load rows: %w", err)
	}
	people := roll.people()
	var by map[media.ID][]Watched
	if !row.Settled {
		views, intervals, err := recorded(ctx, q, l.ID, roll.users())
		if err != nil {
			return nil, err
		}
		by = watchedBy(views, intervals)
	}
	for _, f := range frozen {
		one, err := f.thaw()
		if err != nil {
			return nil, err
		}
		one.Student = people[f.UserID]
		one.ID, one.Section = f.UserID, f.Section
		if !row.Settled {
			one.later(c.measure(r.Window, by[f.UserID], r.Policy))
		}
		r.Rows = append(r.Rows, one)
	}
	return r, nil
}

func recorded(ctx context.Context, q *gorm.DB, lesson media.ID, users []media.ID) ([]viewRow, []intervalRow, error) {
	views, err := viewsOf(ctx, q, lesson, users...)
	if err != nil {
		return nil, nil, fmt.Errorf("load views: %w", err)
	}
	intervals, err := intervalsOf(ctx, q, lesson, users...)
	if err != nil {
		return nil, nil, fmt.Errorf("load intervals: %w", err)
	}
	return views, intervals, nil
}

// layOnTop adds corrections and attempts to join.
func (r *Register) layOnTop(ctx context.Context, q *gorm.DB, users []media.ID) error {
	at := make(map[media.ID]*Row, len(r.Rows))
	for i := range r.Rows {
		at[r.Rows[i].ID] = &r.Rows[i]
	}
	corrections, err := correctionsOf(ctx, q, r.Lesson.ID, users...)
	if err != nil {
		return fmt.Errorf("load corrections: %w", err)
	}
	for _, c := range corrections {
		if row := at[c.UserID]; row != nil && c.Status != "" {
			row.Correction = c.correction()
		}
	}
	attempts, err := joinFailuresOf(ctx, q, r.Lesson.ID, users...)
	if err != nil {
		return fmt.Errorf("load attempts to join: %w", err)
	}
	for _, f := range attempts {
		if row := at[f.UserID]; row != nil {
			row.Attempts = append(row.Attempts, Attempt{f.At, f.Reason})
		}
	}
	return nil
}

// correctors fills in who made the corrections: staff of the course as a rule, or an admin.
func (a *Attendance) correctors(ctx context.Context, r *Register, roll roll) error {
	names := map[media.ID]string{}
	people := roll.people()
	for i := range r.Rows {
		k := r.Rows[i].Correction
		if k == nil {
			continue
		}
		name, known := names[k.By]
		if !known {
			if name = people[k.By].Name; name == "" {
				u, err := a.accounts.User(ctx, k.By)
				if err != nil && !errors.Is(err, database.ErrNotFound) {
					return err
				}
				name = u.DisplayName
			}
			names[k.By] = name
		}
		k.ByName = name
	}
	return nil
}
