package attendance_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// school is a course with a lesson and some students in a real database.
type school struct {
	db             *database.DB
	course, lesson media.ID
	teacher        media.ID
	students       []media.ID
}

// newSchool writes the rows. The lesson is planned from nine to a quarter to ten and in the state given.
func newSchool(t testing.TB, db *database.DB, students int, state string) *school {
	t.Helper()
	s := &school{db: db, course: media.NewID(), lesson: media.NewID(), teacher: media.NewID()}
	for range students {
		s.students = append(s.students, media.NewID())
	}
	s.exec(t, `INSERT INTO courses (id, code, title, term, zone, policy, auto_live, created_at, archived_at)
		VALUES (?, ?, 'Biology 7b', '2026', 'Europe/Berlin', '{}', ?, 1, 0)`, s.course, "BIO-"+s.course.String(), false)
	s.person(t, s.teacher, "teacher", "Ada", "Teacher", "")
	for i, id := range s.students {
		s.person(t, id, "student", fmt.Sprintf("Given%d", i), fmt.Sprintf("Family%03d", i), "00"+id.String())
	}
	s.exec(t, `INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at,
		planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by)
		VALUES (?, ?, 0, 'Cells', '2026-09-07', '11:00', '11:45', 'Europe/Berlin', ?, ?, 0, ?, 0, 0, 0, 0, 1, ?)`,
		s.lesson, s.course, nine(0), nine(45), state, s.teacher)
	return s
}

func (s *school) person(t testing.TB, id media.ID, role, given, family, number string) {
	t.Helper()
	s.exec(t, `INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, '', 1, 0)`,
		id, id.String()+"@school.example", given+" "+family, given, family, number, false)
	s.exec(t, `INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at) VALUES (?, ?, ?, ?, 'A', 1, 0)`,
		media.NewID(), s.course, id, role)
}

func (s *school) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := s.db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(query, args...).Error })
	if err != nil {
		t.Fatalf("%.60s…: %v", query, err)
	}
}

// air writes when students could see the lesson.
func (s *school) air(t testing.TB, intervals ...attendance.Interval) {
	t.Helper()
	for _, iv := range intervals {
		s.exec(t, `INSERT INTO air_intervals (id, lesson_id, broadcast_id, from_at, until_at, seen_at) VALUES (?, ?, 1, ?, ?, ?)`,
			media.NewID(), s.lesson, iv.From, iv.To, iv.To)
	}
}

// end writes the end of the lesson.
func (s *school) end(t testing.TB, at database.Instant) {
	t.Helper()
	s.exec(t, `UPDATE lessons SET state = 'ended', ended_at = ? WHERE id = ?`, at, s.lesson)
}

// startRecorder runs a recorder until the test ends or stop is called; stop waits for it.
func startRecorder(t testing.TB, db *database.DB) (r *attendance.Recorder, stop func()) {
	t.Helper()
	return startPacedRecorder(t, db, 0)
}

func startPacedRecorder(t testing.TB, db *database.DB, spacing time.Duration) (r *attendance.Recorder, stop func()) {
	t.Helper()
	r = attendance.NewRecorder(attendance.RecorderConfig{DB: db, Spacing: spacing})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // ends with cancel
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("recorder: %v", err)
		}
	}
	t.Cleanup(stop)
	return r, stop
}

// stored reads back what the database holds for a student of the lesson.
func (s *school) stored(t testing.TB, user media.ID) (views []attendance.Watched) {
	t.Helper()
	var rows []struct {
		ViewID, N              int64
		State                  attendance.State
		OpenedAt, FromAt, ToAt database.Instant
		SeenFromMs, SeenToMs   database.Instant
	}
	err := s.db.Reader().WithContext(t.Context()).Raw(`SELECT i.*, v.opened_at FROM intervals i JOIN views v ON v.id = i.view_id
		WHERE v.lesson_id = ? AND v.user_id = ? ORDER BY v.opened_at, v.id, i.n`, s.lesson, user).Scan(&rows).Error
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for _, r := range rows {
		if r.ViewID != last {
			views = append(views, attendance.Watched{OpenedAt: r.OpenedAt})
			last = r.ViewID
		}
		v := &views[len(views)-1]
		v.Stretches = append(v.Stretches, attendance.Stretch{
			N: r.N, State: r.State, Time: attendance.Interval{From: r.FromAt, To: r.ToAt},
			Seen: attendance.Interval{From: r.SeenFromMs, To: r.SeenToMs},
		})
	}
	return views
}

func attendingOf(views []attendance.Watched) attendance.Set {
	return timeIn(views, attendance.Playing, attendance.Stalled)
}

func playedOf(views []attendance.Watched) attendance.Set { return timeIn(views, attendance.Playing) }

func timeIn(views []attendance.Watched, states ...attendance.State) attendance.Set {
	var ivs []attendance.Interval
	for _, v := range views {
		for _, s := range v.Stretches {
			if slices.Contains(states, s.State) {
				ivs = append(ivs, s.Time)
			}
		}
	}
	return attendance.Union(ivs...)
}

func sec(n int) time.Duration { return time.Duration(n) * time.Second }
