package reports

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
)

// Preset is a choice of columns.
type Preset string

const (
	Full  Preset = "full"  // register.v1: what programs read
	Short Preset = "short" // what a form teacher reads
)

// Subject is what a report says about where it comes from, beside the register itself.
type Subject struct {
	School   string
	Register *attendance.Register
}

// column is one column of a preset.
type column struct {
	name string
	cell func(s Subject, row *attendance.Row) string
}

// fullColumns is register.v1. Columns are only ever added, at the end.
var fullColumns = []column{
	{"school", func(s Subject, _ *attendance.Row) string { return Escape(s.School) }},
	{"course_code", func(s Subject, _ *attendance.Row) string { return Escape(s.Register.Course.Code) }},
	{"course", func(s Subject, _ *attendance.Row) string { return Escape(s.Register.Course.Title) }},
	{"lesson_id", func(s Subject, _ *attendance.Row) string { return s.Register.Lesson.ID.String() }},
	{"lesson", func(s Subject, _ *attendance.Row) string { return Escape(s.Register.Lesson.Title) }},
	{"date", func(s Subject, _ *attendance.Row) string { return s.Register.Lesson.LocalDate }},
	{"zone", func(s Subject, _ *attendance.Row) string { return s.Register.Course.Zone.String() }},
	{"planned_start", func(s Subject, _ *attendance.Row) string { return s.clock(s.Register.Lesson.PlannedStartAt) }},
	{"planned_end", func(s Subject, _ *attendance.Row) string { return s.clock(s.Register.Lesson.PlannedEndAt) }},
	{"counted_start", func(s Subject, _ *attendance.Row) string { return s.clock(s.Register.Window.Hull().From) }},
	{"counted_end", func(s Subject, _ *attendance.Row) string { return s.clock(s.Register.Window.Hull().To) }},
	{"counted_s", func(s Subject, _ *attendance.Row) string { return whole(s.Register.Counted(), time.Second) }},
	{"student_id", func(_ Subject, r *attendance.Row) string { return Escape(r.Number) }},
	{"family_name", func(_ Subject, r *attendance.Row) string { return Escape(r.Family) }},
	{"given_name", func(_ Subject, r *attendance.Row) string { return Escape(r.Given) }},
	{"display_name", func(_ Subject, r *attendance.Row) string { return Escape(r.Name) }},
	{"email", func(_ Subject, r *attendance.Row) string { return Escape(r.Email) }},
	{"group", func(_ Subject, r *attendance.Row) string { return Escape(r.Section) }},
	{"status", func(_ Subject, r *attendance.Row) string { return string(r.Status) }},
	{"code", func(_ Subject, r *attendance.Row) string { return codes[r.Status] }},
	{"joined_at", func(s Subject, r *attendance.Row) string { return s.clock(r.Joined) }},
	{"left_at", func(s Subject, r *attendance.Row) string { return s.clock(r.Left) }},
	{"visits", func(_ Subject, r *attendance.Row) string { return strconv.Itoa(len(r.Visits)) }},
	{"devices", func(_ Subject, r *attendance.Row) string { return strconv.Itoa(r.Devices) }},
	{"late_min", func(_ Subject, r *attendance.Row) string { return whenHere(r, r.Late) }},
	{"early_min", func(_ Subject, r *attendance.Row) string { return whenHere(r, r.Early) }},
	{"attending_s", func(_ Subject, r *attendance.Row) string { return whole(r.Attending, time.Second) }},
	{"attending_min", func(_ Subject, r *attendance.Row) string { return strconv.Itoa(r.Minutes()) }},
	{"attending_pct", func(s Subject, r *attendance.Row) string { return percent(r.Attending, s.Register.Counted()) }},
	{"played_s", func(_ Subject, r *attendance.Row) string { return whole(r.Played, time.Second) }},
	{"replay_s", func(_ Subject, r *attendance.Row) string { return whole(r.Replay, time.Second) }},
	{"covered_pct", func(s Subject, r *attendance.Row) string { return percent(r.Covered, s.Register.Programme) }},
	{"live_status", func(_ Subject, r *attendance.Row) string { return string(r.Live) }},
	{"corrected", func(_ Subject, r *attendance.Row) string { return yes(r.Correction != nil) }},
	{"corrected_by", func(_ Subject, r *attendance.Row) string { return Escape(correction(r).ByName) }},
	{"corrected_at", func(s Subject, r *attendance.Row) string { return s.clock(correction(r).At) }},
	{"reason", func(_ Subject, r *attendance.Row) string { return correction(r).Reason }},
	{"note", func(_ Subject, r *attendance.Row) string { return Escape(correction(r).Note) }},
	{"policy_version", func(s Subject, _ *attendance.Row) string { return strconv.FormatInt(s.Register.PolicyVersion, 10) }},
}

// shortColumns are full ones under the names of a paper register.
var shortColumns = renamed(
	"student_id", "student_id", "family_name", "family_name", "given_name", "given_name", "status", "status", "code", "code",
	"joined", "joined_at", "left", "left_at", "minutes", "attending_min", "percent", "attending_pct", "late_min", "late_min", "note", "note",
)

func renamed(pairs ...string) []column {
	var out []column
	for i := 0; i < len(pairs); i += 2 {
		for _, c := range fullColumns {
			if c.name == pairs[i+1] {
				out = append(out, column{pairs[i], c.cell})
			}
		}
	}
	return out
}

// codes are the marks of a paper register.
var codes = map[attendance.Status]string{
	attendance.Present: "P", attendance.Late: "L", attendance.LeftEarly: "E", attendance.Partial: "H", attendance.Absent: "A",
	attendance.MadeUp: "M", attendance.Excused: "X", attendance.Pending: "?", attendance.NotHeld: "N",
}

func columnsOf(p Preset) []column {
	if p == Short {
		return shortColumns
	}
	return fullColumns
}

// WriteCSV writes a register: the header, then one line for each row, as they come.
func WriteCSV(w io.Writer, s Subject, p Preset, f Form) error {
	t, err := newTable(w, f)
	if err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	columns := columnsOf(p)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	if err := t.line(cells); err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	for r := range s.Register.Rows {
		for i, c := range columns {
			cells[i] = c.cell(s, &s.Register.Rows[r])
		}
		if err := t.line(cells); err != nil {
			return fmt.Errorf("write register: %w", err)
		}
	}
	if err := t.close(); err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	return nil
}

// clock writes an instant in the course's zone with its offset, to the second; nothing for one that never was.
func (s Subject) clock(i database.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().In(s.Register.Course.Zone).Format("2006-01-02T15:04:05-07:00")
}

func whole(d, unit time.Duration) string { return strconv.FormatInt(int64(d/unit), 10) }

// whenHere writes whole minutes for those to whom they mean something.
func whenHere(r *attendance.Row, d time.Duration) string {
	if !r.Here {
		return ""
	}
	return whole(d, time.Minute)
}

// percent is empty where there is nothing to be part of.
func percent(part, all time.Duration) string {
	if all == 0 {
		return ""
	}
	return attendance.Percent(part, all)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// correction returns the row's, or an empty one.
func correction(r *attendance.Row) attendance.Correction {
	if r.Correction == nil {
		return attendance.Correction{}
	}
	return *r.Correction
}
