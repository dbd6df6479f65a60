package reports

import (
	"context"
	"fmt"
	"io"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/media"
)

// report is any table with what its second sheet says about it.
type report struct {
	title  string // of the first sheet
	format string
	head   func(called func(name string) string) []string
	count  int // of rows; a CSV does not need it
	rows   func(line func([]value) error) error
	about  []aboutLine
}

// write writes the report as the options say. It calls each after every row.
func (r report) write(w io.Writer, o Options, who Reader, each func()) error {
	rows := func(line func([]value) error) error {
		return r.rows(func(cells []value) error {
			err := line(cells)
			each()
			return err
		})
	}
	write := r.writeBook
	if o.CSV {
		write = r.writeCSV
	}
	if err := write(w, o.Form, who, rows); err != nil {
		return fmt.Errorf("write %s: %w", r.format, err)
	}
	return nil
}

func (r report) writeCSV(w io.Writer, f Form, _ Reader, rows func(func([]value) error) error) error {
	t, err := newTable(w, f)
	if err != nil {
		return err
	}
	if err := t.head(r.head(func(name string) string { return name })); err != nil {
		return err
	}
	if err := rows(t.line); err != nil {
		return err
	}
	return t.close()
}

func (r report) writeBook(w io.Writer, _ Form, who Reader, rows func(func([]value) error) error) error {
	b, err := newBook(r.title)
	if err != nil {
		return err
	}
	defer b.close() // it has no file of its own that could stay behind
	if err := b.head(r.head(func(name string) string { return who.T("column."+name, nil) }), r.count); err != nil {
		return err
	}
	return b.finish(w, who.T("export.about", nil), r.about, rows)
}

// studentColumns begin every table of students, standingColumns end it.
var (
	studentColumns  = []string{"student_id", "family_name", "given_name", "display_name", "group"}
	standingColumns = []string{"held", "present", "late", "left_early", "partial", "absent", "made_up", "excused", "rate_pct"}
)

func studentCells(s attendance.Student) []value {
	return []value{person(s.Number), person(s.Family), person(s.Given), person(s.Name), person(s.Section)}
}

func standingCells(s attendance.Standing) []value {
	cells := []value{number(int64(s.Held))}
	for _, status := range []attendance.Status{
		attendance.Present, attendance.Late, attendance.LeftEarly, attendance.Partial, attendance.Absent, attendance.MadeUp, attendance.Excused,
	} {
		cells = append(cells, number(int64(s.Counts[status])))
	}
	if !s.Rated {
		return append(cells, value{})
	}
	return append(cells, value{kind: tenths, n: int64(s.Tenths)})
}

func calledAll(called func(string) string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = called(n)
	}
	return out
}

// Matrix makes the file of a course: students in rows, lessons in columns. Whoever calls it has asked for the
// right to export.
func (f *Reports) Matrix(ctx context.Context, who Reader, course media.ID, from, until time.Time, o Options) (*File, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	m, err := f.attendance.Matrix(ctx, course, from, until)
	if err != nil {
		return nil, err
	}
	err = f.note(ctx, who, audit.Object("course", course), o, map[string]any{"format": "matrix.v1", "rows": len(m.Rows), "lessons": len(m.Lessons)})
	if err != nil {
		return nil, err
	}
	now := f.now().In(m.Course.Zone)
	r := matrixReport(m, f.accounts.School().Name, who, now)
	return newFile(m.Course.Code+" "+m.Course.Title, "matrix-"+now.Format(time.DateOnly)+"-"+course.String(), o, who, r), nil
}

func matrixReport(m *attendance.Matrix, school string, who Reader, now time.Time) report {
	return report{
		title: m.Course.Code, format: "matrix.v1", count: len(m.Rows),
		head: func(called func(string) string) []string {
			names := calledAll(called, studentColumns)
			names = append(names, lessonNames(m)...)
			return append(names, calledAll(called, standingColumns)...)
		},
		rows: func(line func([]value) error) error {
			for _, row := range m.Rows {
				cells := studentCells(row.Student)
				for _, s := range row.Statuses {
					cells = append(cells, name(s.Code()))
				}
				if err := line(append(cells, standingCells(row.Standing)...)); err != nil {
					return err
				}
			}
			return nil
		},
		about: append([]aboutLine{
			{who.T("export.school", nil), person(school)},
			{who.T("export.course", nil), person(m.Course.Code + " · " + m.Course.Title)},
			{who.T("export.zone", nil), name(m.Course.Zone.String())},
			{who.T("export.rule", nil), person(policySentence(who, m.Policy))},
			{who.T("export.marks", nil), person(legend(who))},
		}, madeBy(who, now, "matrix.v1")...),
	}
}

// lessonNames are the days of the lessons; where a day has more of them, with their clock, and their number at last.
func lessonNames(m *attendance.Matrix) []string {
	taken := map[string]bool{}
	names := make([]string, len(m.Lessons))
	for i, l := range m.Lessons {
		for _, n := range []string{l.LocalDate, l.LocalDate + " " + l.LocalStart, l.LocalDate + " " + l.ID.String()} {
			if names[i] = n; !taken[n] {
				break
			}
		}
		taken[names[i]] = true
	}
	return names
}

// legend explains the letters.
func legend(who Reader) string {
	text := ""
	for _, s := range attendance.Statuses {
		if text != "" {
			text += " · "
		}
		text += s.Code() + " " + who.T("status."+string(s), nil)
	}
	return text
}
