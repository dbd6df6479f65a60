package reports

import (
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
	cell func(s Subject, row *attendance.Row) value
}

// fullColumns is register.v1. Columns are only ever added, at the end.
var fullColumns = []column{
	{"school", func(s Subject, _ *attendance.Row) value { return person(s.School) }},
	{"course_code", func(s Subject, _ *attendance.Row) value { return person(s.Register.Course.Code) }},
	{"course", func(s Subject, _ *attendance.Row) value { return person(s.Register.Course.Title) }},
	{"lesson_id", func(s Subject, _ *attendance.Row) value { return name(s.Register.Lesson.ID.String()) }},
	{"lesson", func(s Subject, _ *attendance.Row) value { return person(s.Register.Lesson.Title) }},
	{"date", func(s Subject, _ *attendance.Row) value { return date(s.Register.Lesson.LocalDate) }},
	{"zone", func(s Subject, _ *attendance.Row) value { return name(s.Register.Course.Zone.String()) }},
	{"planned_start", func(s Subject, _ *attendance.Row) value { return s.clock(s.Register.Lesson.PlannedStartAt) }},
	{"planned_end", func(s Subject, _ *attendance.Row) value { return s.clock(s.Register.Lesson.PlannedEndAt) }},
	{"counted_start", func(s Subject, _ *attendance.Row) value { return s.clock(s.Register.Window.Hull().From) }},
	{"counted_end", func(s Subject, _ *attendance.Row) value { return s.clock(s.Register.Window.Hull().To) }},
	{"counted_s", func(s Subject, _ *attendance.Row) value { return lasting(s.Register.Counted()) }},
	{"student_id", func(_ Subject, r *attendance.Row) value { return person(r.Number) }},
	{"family_name", func(_ Subject, r *attendance.Row) value { return person(r.Family) }},
	{"given_name", func(_ Subject, r *attendance.Row) value { return person(r.Given) }},
	{"display_name", func(_ Subject, r *attendance.Row) value { return person(r.Name) }},
	{"email", func(_ Subject, r *attendance.Row) value { return person(r.Email) }},
	{"group", func(_ Subject, r *attendance.Row) value { return person(r.Section) }},
	{"status", func(_ Subject, r *attendance.Row) value { return name(string(r.Status)) }},
	{"code", func(_ Subject, r *attendance.Row) value { return name(r.Status.Code()) }},
	{"joined_at", func(s Subject, r *attendance.Row) value { return s.clock(r.Joined) }},
	{"left_at", func(s Subject, r *attendance.Row) value { return s.clock(r.Left) }},
	{"visits", func(_ Subject, r *attendance.Row) value { return number(int64(len(r.Visits))) }},
	{"devices", func(_ Subject, r *attendance.Row) value { return number(int64(r.Devices)) }},
	{"late_min", func(_ Subject, r *attendance.Row) value { return minutes(r, r.Late) }},
	{"early_min", func(_ Subject, r *attendance.Row) value { return minutes(r, r.Early) }},
	{"attending_s", func(_ Subject, r *attendance.Row) value { return lasting(r.Attending) }},
	{"attending_min", func(_ Subject, r *attendance.Row) value { return number(int64(r.Minutes())) }},
	{"attending_pct", func(s Subject, r *attendance.Row) value { return percent(r.Attending, s.Register.Counted()) }},
	{"played_s", func(_ Subject, r *attendance.Row) value { return lasting(r.Played) }},
	{"replay_s", func(_ Subject, r *attendance.Row) value { return lasting(r.Replay) }},
	{"covered_pct", func(s Subject, r *attendance.Row) value { return percent(r.Covered, s.Register.Programme) }},
	{"live_status", func(_ Subject, r *attendance.Row) value { return name(string(r.Live)) }},
	{"corrected", func(_ Subject, r *attendance.Row) value { return yes(r.Correction != nil) }},
	{"corrected_by", func(_ Subject, r *attendance.Row) value { return person(correction(r).ByName) }},
	{"corrected_at", func(s Subject, r *attendance.Row) value { return s.clock(correction(r).At) }},
	{"reason", func(_ Subject, r *attendance.Row) value { return name(correction(r).Reason) }},
	{"note", func(_ Subject, r *attendance.Row) value { return person(correction(r).Note) }},
	{"policy_version", func(s Subject, _ *attendance.Row) value { return number(s.Register.PolicyVersion) }},
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

func columnsOf(p Preset) []column {
	if p == Short {
		return shortColumns
	}
	return fullColumns
}

func namesOf(p Preset) []string {
	columns := columnsOf(p)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// rows gives the rows one by one; what line is given is used again for the next.
func (s Subject) rows(p Preset, line func([]value) error) error {
	columns := columnsOf(p)
	cells := make([]value, len(columns))
	for r := range s.Register.Rows {
		for i, c := range columns {
			cells[i] = c.cell(s, &s.Register.Rows[r])
		}
		if err := line(cells); err != nil {
			return err
		}
	}
	return nil
}

// clock is an instant in the course's zone.
func (s Subject) clock(i database.Instant) value { return clock(i, s.Register.Course.Zone) }

// correction returns the row's, or an empty one.
func correction(r *attendance.Row) attendance.Correction {
	if r.Correction == nil {
		return attendance.Correction{}
	}
	return *r.Correction
}
