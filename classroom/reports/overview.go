package reports

import (
	"context"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/lessons"
)

// Standings makes the file of the students that a filter finds, one row for each course they are in.
func (f *Reports) Standings(ctx context.Context, who Reader, filter attendance.Filter, o Options) (*File, error) {
	return f.overviewFile(ctx, who, filter, o, "standings.v1", func(v *attendance.Overview) report {
		return report{
			title: who.T("registers.heading", nil), count: len(v.Students),
			head: func(called func(string) string) []string {
				names := append([]string{"course_code", "course"}, studentColumns...)
				return calledAll(called, append(append(names, "email"), standingColumns...))
			},
			rows: func(line func([]value) error) error {
				for _, s := range v.Students {
					cells := append([]value{person(s.Course.Code), person(s.Course.Title)}, studentCells(s.Student)...)
					cells = append(cells, person(s.Student.Email))
					if err := line(append(cells, standingCells(s.Standing)...)); err != nil {
						return err
					}
				}
				return nil
			},
		}
	})
}

// Summary makes the file of the school's courses week by week.
func (f *Reports) Summary(ctx context.Context, who Reader, filter attendance.Filter, o Options) (*File, error) {
	return f.overviewFile(ctx, who, filter, o, "summary.v1", func(v *attendance.Overview) report {
		rows := 0
		for _, c := range v.Courses {
			rows += len(c.Weeks)
		}
		return report{
			title: who.T("export.weeks", nil), count: rows,
			head: func(called func(string) string) []string {
				return calledAll(called, append([]string{"course_code", "course", "week", "lessons"}, standingColumns...))
			},
			rows: func(line func([]value) error) error {
				for _, c := range v.Courses {
					for _, w := range c.Weeks {
						cells := []value{person(c.Course.Code), person(c.Course.Title), {kind: day, at: w.Monday}, number(int64(w.Lessons))}
						if err := line(append(cells, standingCells(w.Standing)...)); err != nil {
							return err
						}
					}
				}
				return nil
			},
		}
	})
}

func (f *Reports) overviewFile(ctx context.Context, who Reader, filter attendance.Filter, o Options, format string, of func(*attendance.Overview) report) (*File, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	v, err := f.attendance.Overview(ctx, filter)
	if err != nil {
		return nil, err
	}
	r := of(v)
	if err := f.note(ctx, who, "school", o, map[string]any{"format": format, "rows": r.count}); err != nil {
		return nil, err
	}
	zone := filter.From.Location()
	now := f.now().In(zone)
	from, to := filter.From.Format(time.DateOnly), filter.Until.AddDate(0, 0, -1).Format(time.DateOnly)
	r.format = format
	r.about = append([]aboutLine{
		{who.T("export.school", nil), person(f.accounts.School().Name)},
		{who.T("filter.from", nil), date(from)},
		{who.T("filter.to", nil), date(to)},
		{who.T("export.zone", nil), name(zone.String())},
	}, madeBy(who, now, format)...)
	plain := format[:len(format)-len(".v1")] + "-" + from + "-" + to
	return newFile(plain, plain, o, who, r), nil
}

// Intervals makes the file of everything that was recorded of a lesson. It is for admins only.
func (f *Reports) Intervals(ctx context.Context, who Reader, l lessons.Lesson, o Options) (*File, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	fine, err := f.attendance.Intervals(ctx, l)
	if err != nil {
		return nil, err
	}
	err = f.note(ctx, who, audit.Object("lesson", l.ID), o, map[string]any{"format": "intervals.v1", "rows": len(fine)})
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return nil, err
	}
	r := report{
		title: who.T("export.intervals", nil), format: "intervals.v1", count: len(fine),
		head: func(called func(string) string) []string {
			return calledAll(called, append(append([]string{}, studentColumns...), "view", "kind", "from", "to", "seconds", "device_class", "state"))
		},
		rows: func(line func([]value) error) error {
			for _, i := range fine {
				err := line(append(studentCells(i.Student), name(i.View.String()), name(kindOf(i)), clock(i.Time.From, zone), clock(i.Time.To, zone),
					lasting(i.Time.Length()), name(i.DeviceClass), name(string(i.State))))
				if err != nil {
					return err
				}
			}
			return nil
		},
		about: append([]aboutLine{
			{who.T("export.school", nil), person(f.accounts.School().Name)},
			{who.T("export.lesson", nil), person(l.Title)},
			{who.T("export.zone", nil), name(zone.String())},
		}, madeBy(who, f.now().In(zone), "intervals.v1")...),
	}
	plain := "intervals-" + l.LocalDate + "-" + l.ID.String()
	return newFile(plain, plain, o, who, r), nil
}
