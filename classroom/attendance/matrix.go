package attendance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Matrix is a course at one glance: every student, every lesson that has begun.
type Matrix struct {
	Course  courses.Course
	Policy  Policy           // today's, whose weights make the rates
	Lessons []lessons.Lesson // by start
	Rows    []MatrixRow      // by family name, then given name
}

// MatrixRow is one student of a matrix.
type MatrixRow struct {
	Student
	Statuses []Status // one for each lesson; empty where the enrollment does not cover it
	Standing
}

// Standing is how a student did over several lessons.
type Standing struct {
	Counts map[Status]int
	Held   int // lessons that were held and decided, excused ones too
	Tenths int // the course rate; means nothing while Rated is false
	Rated  bool
}

// standing counts statuses.
func standing(statuses []Status, w Weights) Standing {
	s := Standing{Counts: map[Status]int{}}
	for _, status := range statuses {
		if status != "" {
			s.Counts[status]++
		}
	}
	s.Held, s.Tenths, s.Rated = Rate(s.Counts, w)
	return s
}

// Below reports whether the rate is under pct percent. Who has no rate yet is not below anything.
func (s Standing) Below(pct int) bool { return s.Rated && s.Tenths < 10*pct }

// Matrix returns the lessons of a course that began in [from, until), and how each student took part in them.
func (a *Attendance) Matrix(ctx context.Context, course media.ID, from, until time.Time) (*Matrix, error) {
	roll, err := a.roll(ctx, course)
	if err != nil {
		return nil, fmt.Errorf("matrix of %s: %w", course, err)
	}
	taught, err := a.lessons.Between(ctx, []media.ID{course}, from, until)
	if err != nil {
		return nil, fmt.Errorf("matrix of %s: %w", course, err)
	}
	now := a.now()
	m := &Matrix{Course: roll.course, Policy: roll.policy}
	for _, l := range taught {
		switch l.StateAt(now) {
		case lessons.Planned, lessons.Open, lessons.Cancelled:
		default:
			m.Lessons = append(m.Lessons, l)
		}
	}
	rows := map[media.ID][]Status{}
	err = a.db.Snapshot(ctx, func(tx *gorm.DB) error {
		latest, err := latestRegisters(ctx, tx, m.Lessons)
		if err != nil {
			return err
		}
		for i, l := range m.Lessons {
			mark := func(user media.ID, s Status) {
				if rows[user] == nil {
					rows[user] = make([]Status, len(m.Lessons))
				}
				rows[user][i] = s
			}
			if err := marks(ctx, tx, l, latest[l.ID], roll, now, mark); err != nil {
				return fmt.Errorf("lesson %s: %w", l.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("matrix of %s: %w", course, err)
	}
	people := roll.people()
	for user, statuses := range rows {
		s := people[user]
		s.ID = user
		m.Rows = append(m.Rows, MatrixRow{Student: s, Statuses: statuses, Standing: standing(statuses, roll.policy.Weights)})
	}
	slices.SortFunc(m.Rows, func(x, y MatrixRow) int { return byStudent(x.Student, y.Student) })
	return m, nil
}

// marks tells what is shown of each student of one lesson, without the figures.
func marks(ctx context.Context, q *gorm.DB, l lessons.Lesson, row registerRow, roll roll, now time.Time, mark func(media.ID, Status)) error {
	switch {
	case row.Version == 0:
		return pendingMarks(ctx, q, l, roll, now, mark)
	case row.Settled:
		if err := frozenStatuses(ctx, q, l.ID, row.Version, mark); err != nil {
			return err
		}
	default:
		r, err := thaw(ctx, q, l, roll, row)
		if err != nil {
			return err
		}
		for i := range r.Rows {
			mark(r.Rows[i].ID, r.Rows[i].Lift(r.Rows[i].Live))
		}
	}
	window, err := parseSet(row.Counted)
	if err != nil || len(window) == 0 {
		return err // what was not held cannot be corrected either
	}
	corrections, err := correctionsOf(ctx, q, l.ID)
	if err != nil {
		return fmt.Errorf("load corrections: %w", err)
	}
	for _, c := range corrections {
		if c.Status != "" {
			mark(c.UserID, c.Status)
		}
	}
	return nil
}

// pendingMarks are those of a lesson whose register is not closed.
func pendingMarks(ctx context.Context, q *gorm.DB, l lessons.Lesson, roll roll, now time.Time, mark func(media.ID, Status)) error {
	r, c, err := base(ctx, q, l, roll, now)
	if err != nil {
		return err
	}
	status := Pending
	if w, _ := c.Window(r.Policy); len(w) == 0 && c.EndedAt != 0 {
		status = NotHeld
	}
	for _, s := range roll.students(c.covers(now)) {
		mark(s.ID, status)
	}
	return nil
}

// frozenStatuses reads only what a matrix needs: rows in thousands, a few bytes of each.
func frozenStatuses(ctx context.Context, q *gorm.DB, lesson media.ID, version int, mark func(media.ID, Status)) error {
	rows, err := q.WithContext(ctx).Raw("SELECT user_id, status FROM register_rows WHERE lesson_id = ? AND version = ?", lesson, version).Rows()
	if err != nil {
		return fmt.Errorf("load statuses: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var user int64
		var status string
		if err := rows.Scan(&user, &status); err != nil {
			return fmt.Errorf("load statuses: %w", err)
		}
		mark(media.ID(user), known(status))
	}
	return rows.Err()
}

// known returns the constant, so that a large matrix does not keep a copy of each word.
func known(status string) Status {
	if i := slices.Index(Statuses, Status(status)); i >= 0 {
		return Statuses[i]
	}
	return Status(status)
}

// latestRegisters returns the versions that count of lessons that have one.
func latestRegisters(ctx context.Context, q *gorm.DB, of []lessons.Lesson) (map[media.ID]registerRow, error) {
	latest := make(map[media.ID]registerRow, len(of))
	for some := range slices.Chunk(of, rowsPerStatement) {
		ids := make([]media.ID, len(some))
		for i, l := range some {
			ids[i] = l.ID
		}
		rows, err := gorm.G[registerRow](q).Where("lesson_id IN ?", ids).Order("lesson_id, version").Find(ctx)
		if err != nil {
			return nil, fmt.Errorf("load registers: %w", err)
		}
		for _, r := range rows {
			latest[r.LessonID] = r // versions ascend
		}
	}
	return latest, nil
}

// Week is the part of a course, or of several, that was taught in one week.
type Week struct {
	Monday  time.Time // in UTC, as a date
	Lessons int       // held and decided
	Standing
	earned, of int // what the rate is made of: weights, and how many there are
}

func newWeek(monday time.Time) Week {
	return Week{Monday: monday, Standing: Standing{Counts: map[Status]int{}}}
}

// rate counts what the week has earned so far.
func (w *Week) rate() {
	w.Held, w.Rated = w.of+w.Counts[Excused], w.of > 0
	if w.Rated {
		w.Tenths = w.earned * 10 / w.of
	}
}

// add counts the same week of another course, by that one's weights.
func (w *Week) add(other Week) {
	w.Lessons += other.Lessons
	for s, n := range other.Counts {
		w.Counts[s] += n
	}
	w.earned, w.of = w.earned+other.earned, w.of+other.of
	w.rate()
}

// Weeks sums a matrix up by week, all students together.
func (m *Matrix) Weeks() []Week {
	var weeks []Week
	for i, l := range m.Lessons {
		monday := mondayOf(l)
		if n := len(weeks); n == 0 || !weeks[n-1].Monday.Equal(monday) {
			weeks = append(weeks, newWeek(monday))
		}
		w := &weeks[len(weeks)-1]
		decided := false
		for _, row := range m.Rows {
			s := row.Statuses[i]
			if s == "" || s == Pending || s == NotHeld {
				continue
			}
			w.Counts[s]++
			decided = true
		}
		if decided {
			w.Lessons++
		}
	}
	for i := range weeks {
		w := &weeks[i]
		w.earned, w.of = m.Policy.Weights.sum(w.Counts)
		w.rate()
	}
	return weeks
}

// mondayOf is the first day of the week of a lesson's local date.
func mondayOf(l lessons.Lesson) time.Time {
	day, err := time.Parse(time.DateOnly, l.LocalDate)
	if err != nil {
		day = l.CreatedAt.Time().UTC().Truncate(24 * time.Hour)
	}
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}
