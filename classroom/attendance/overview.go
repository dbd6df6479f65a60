package attendance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Filter chooses among the registers of the school.
type Filter struct {
	From, Until time.Time // lessons that touch [From, Until)
	Course      media.ID  // 0: all
	Teacher     media.ID  // who is on the staff of the course now; 0: all
	Student     string    // part of a name, a number or an address, in any case
	Status      Status    // students who have it at least once
	Below       int       // students whose rate is under so many percent; 0: all
}

// usualWeeks is how far back registers are looked at when no date is given: a term.
const usualWeeks = 14

// maxPeriod bounds what one question may read.
const maxPeriod = 400 * 24 * time.Hour

// ParsePeriod reads two local dates, both days included; an empty one is the usual. now is in the reader's zone.
func ParsePeriod(from, to string, now time.Time) (start, until time.Time, err error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	start, until = midnight.AddDate(0, 0, -7*usualWeeks), midnight.AddDate(0, 0, 1)
	if to != "" {
		if until, err = time.ParseInLocation(time.DateOnly, to, now.Location()); err != nil {
			return start, until, fault.Invalid("period.date").At("to").Because(err)
		}
		until = until.AddDate(0, 0, 1)
		start = until.AddDate(0, 0, -7*usualWeeks)
	}
	if from != "" {
		if start, err = time.ParseInLocation(time.DateOnly, from, now.Location()); err != nil {
			return start, until, fault.Invalid("period.date").At("from").Because(err)
		}
	}
	if !start.Before(until) || until.Sub(start) > maxPeriod {
		return start, until, fault.Invalid("period.length").At("from")
	}
	return start, until, nil
}

// Overview is what a filter finds: the courses week by week, and their students.
type Overview struct {
	Courses  []CourseLine  // with a lesson in the period, by term and code
	Weeks    []Week        // all of them together, in order
	Students []StudentLine // in the order of the courses
}

// CourseLine is one course of an overview, all its students together.
type CourseLine struct {
	Course  courses.Course
	Lessons int // held and decided
	Weeks   []Week
	Standing
}

// StudentLine is one student in one course.
type StudentLine struct {
	Course  courses.Course
	Student Student
	Standing
}

// Overview reads the registers that a filter chooses. Whoever calls it has asked for the right to see all of them.
func (a *Attendance) Overview(ctx context.Context, f Filter) (*Overview, error) {
	all, err := a.courses.All(ctx)
	if err != nil {
		return nil, err
	}
	o := &Overview{}
	for _, co := range all {
		ok, err := a.chosen(ctx, co, f)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		m, err := a.Matrix(ctx, co.ID, f.From, f.Until)
		if err != nil {
			return nil, err
		}
		o.add(m, f)
	}
	return o, nil
}

func (a *Attendance) chosen(ctx context.Context, co courses.Course, f Filter) (bool, error) {
	if f.Course != 0 && f.Course != co.ID {
		return false, nil
	}
	if f.Teacher == 0 {
		return true, nil
	}
	members, err := a.courses.Members(ctx, co.ID)
	return slices.ContainsFunc(members, func(m courses.Member) bool { return m.User == f.Teacher && m.Role.Staff() }), err
}

func (o *Overview) add(m *Matrix, f Filter) {
	if len(m.Lessons) == 0 {
		return
	}
	line := CourseLine{Course: m.Course, Weeks: m.Weeks(), Standing: Standing{Counts: map[Status]int{}}}
	for _, w := range line.Weeks {
		o.week(w.Monday).add(w)
		line.Lessons += w.Lessons
		for s, n := range w.Counts {
			line.Counts[s] += n
		}
	}
	line.Held, line.Tenths, line.Rated = Rate(line.Counts, m.Policy.Weights)
	o.Courses = append(o.Courses, line)
	for _, row := range m.Rows {
		if f.matches(row) {
			o.Students = append(o.Students, StudentLine{m.Course, row.Student, row.Standing})
		}
	}
}

// week returns the school's week that begins at monday.
func (o *Overview) week(monday time.Time) *Week {
	i, there := slices.BinarySearchFunc(o.Weeks, monday, func(w Week, t time.Time) int { return w.Monday.Compare(t) })
	if !there {
		o.Weeks = slices.Insert(o.Weeks, i, newWeek(monday))
	}
	return &o.Weeks[i]
}

func (f Filter) matches(row MatrixRow) bool {
	if f.Below > 0 && !row.Below(f.Below) || f.Status != "" && row.Counts[f.Status] == 0 {
		return false
	}
	want := strings.ToLower(strings.TrimSpace(f.Student))
	for _, text := range []string{row.Name, row.Given + " " + row.Family, row.Family + " " + row.Given, row.Number, row.Email} {
		if strings.Contains(strings.ToLower(text), want) {
			return true
		}
	}
	return false
}

// Fine is a stretch of one view as it was recorded, cut where live time ends and replay begins.
type Fine struct {
	Student     Student
	View        media.ID
	DeviceClass string
	State       State
	Replay      bool
	Time        Interval
}

// Intervals returns everything that is recorded of a lesson, by student and time. It is nobody's but an admin's; that
// of the students given, and no others, is theirs.
func (a *Attendance) Intervals(ctx context.Context, l lessons.Lesson, students ...media.ID) ([]Fine, error) {
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return nil, fmt.Errorf("intervals of %s: %w", l.ID, err)
	}
	air, err := lessons.AirOf(ctx, a.db.Reader(), l.ID)
	if err != nil {
		return nil, err
	}
	views, intervals, err := recorded(ctx, a.db.Reader(), l.ID, students)
	if err != nil {
		return nil, fmt.Errorf("intervals of %s: %w", l.ID, err)
	}
	c, people := class(l, air, a.now()), roll.people()
	stretches := map[media.ID][]Stretch{}
	for _, r := range intervals {
		stretches[r.ViewID] = append(stretches[r.ViewID], r.stretch())
	}
	var fine []Fine
	for _, v := range views {
		s := people[v.UserID]
		s.ID = v.UserID
		end := c.liveUntil(v.OpenedAt)
		for _, st := range stretches[v.ID] {
			one := Fine{Student: s, View: v.ID, DeviceClass: v.DeviceClass, State: st.State}
			if one.Time = (Interval{st.Time.From, min(st.Time.To, end)}); !one.Time.empty() {
				fine = append(fine, one)
			}
			if one.Time = (Interval{max(st.Time.From, end), st.Time.To}); !one.Time.empty() {
				one.Replay = true
				fine = append(fine, one)
			}
		}
	}
	slices.SortStableFunc(fine, func(x, y Fine) int {
		if by := byStudent(x.Student, y.Student); by != 0 {
			return by
		}
		return int(x.Time.From - y.Time.From)
	})
	return fine, nil
}
