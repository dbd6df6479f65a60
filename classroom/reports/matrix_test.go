package reports_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/reports"
	"chalkcast/media"
)

// schoolTerm is a course with closed and settled registers, and what exports them. Lessons are numbered from 5000,
// students from 1000.
type schoolTerm struct {
	db       *database.DB
	accounts *accounts.Accounts
	lessons  *lessons.Lessons
	reports  *reports.Reports
	course   media.ID
}

func newTerm(t testing.TB, db *database.DB, students, taught int) schoolTerm {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }
	acc, err := accounts.New(ctx, accounts.Config{DB: db, Now: now})
	must(err)
	co := courses.New(courses.Config{DB: db, Now: now})
	c, err := co.Create(ctx, 0, courses.NewCourse{Code: "BIO-7B", Title: "Biology", Zone: "Europe/Berlin"})
	must(err)
	bus, err := push.NewLocal(nil)
	must(err)
	les := lessons.New(lessons.Config{DB: db, Bus: bus, Now: now})
	att := attendance.New(attendance.Config{DB: db, Accounts: acc, Courses: co, Lessons: les, Now: now})
	const status = "CASE (id + ?) % 5 WHEN 2 THEN 'late' WHEN 3 THEN 'absent' ELSE 'present' END"
	must(db.Tx(ctx, func(tx *gorm.DB) error {
		run := func(query string, args ...any) {
			if err == nil {
				err = tx.Exec(query, args...).Error
			}
		}
		run(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
			INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at)
			SELECT 1000 + i, i || '@school.example', 'Given Family ' || i, 'Given', 'Family ' || SUBSTR('000' || i, LENGTH('' || i)),
				SUBSTR('0000' || i, LENGTH('' || i)), '', FALSE, '', 1, 0 FROM n`, students)
		run(`INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at)
			SELECT id, CAST(? AS BIGINT), id, 'student', 'A', 1, 0 FROM users`, c.ID)
		for l := range taught {
			start := time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, l)
			at := database.At(start)
			run(`INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at,
				planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by)
				VALUES (?, ?, 0, 'Cells', ?, '09:00', '09:45', 'Europe/Berlin', ?, ?, 0, 'closed', 0, 0, ?, ?, 1, 1)`,
				5000+l, c.ID, start.Format(time.DateOnly), at, at.Add(45*time.Minute), at.Add(45*time.Minute), at.Add(time.Hour))
			run(`INSERT INTO registers (lesson_id, version, closed_at, closed_by, policy, policy_version, counted, outside, programme_s, intervals_hash, settles_at, settled)
				VALUES (?, 1, ?, 0, '{}', 1, ?, FALSE, 2700, ?, ?, TRUE)`, 5000+l, at, fmt.Sprintf("[[%d,%d]]", at, at.Add(45*time.Minute)), []byte{1}, at)
			run(`INSERT INTO register_rows (lesson_id, version, user_id, section, live_status, status, visits, devices, attended, attending_s, played_s,
				late_s, early_s, replay_s, covered_s) SELECT CAST(? AS BIGINT), 1, id, 'A', `+status+`, `+status+`, '[]', 1, TRUE, 2600, 2600, 0, 0, 0, 2600 FROM users`,
				5000+l, l, l)
		}
		return err
	}))
	f := reports.New(reports.Config{DB: db, Accounts: acc, Attendance: att, Now: now})
	return schoolTerm{db, acc, les, f, c.ID}
}

func writeMatrix(t testing.TB, s schoolTerm, w io.Writer, o reports.Options) {
	t.Helper()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	file, err := s.reports.Matrix(context.Background(), reports.Reader{ID: 1000, Name: "Ada", Lang: "en", T: func(key string, _ map[string]any) string { return key }}, s.course, from, from.AddDate(1, 0, 0), o)
	if err == nil {
		err = file.Write(w, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMatrixCSV(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newTerm(t, db, 3, 4)
		var b strings.Builder
		writeMatrix(t, s, &b, reports.Options{CSV: true, Form: reports.Form{BOMLess: true}})
		const want = "student_id,family_name,given_name,display_name,group,2026-02-01,2026-02-02,2026-02-03,2026-02-04," +
			"held,present,late,left_early,partial,absent,made_up,excused,rate_pct\r\n" +
			"00000,Family 0000,Given,Given Family 0,A,P,P,L,A,4,2,1,0,0,1,0,0,75.0\r\n" +
			"00001,Family 0001,Given,Given Family 1,A,P,L,A,P,4,2,1,0,0,1,0,0,75.0\r\n" +
			"00002,Family 0002,Given,Given Family 2,A,L,A,P,P,4,2,1,0,0,1,0,0,75.0\r\n"
		if b.String() != want {
			t.Errorf("matrix:\n%swant\n%s", b.String(), want)
		}
	})
}

// TestExportMemory writes the matrix of a large course over a school year, which is in memory already. The heap may grow by
// no more than 16 MiB meanwhile, garbage included; BenchmarkExports measures reading it too.
func TestExportMemory(t *testing.T) {
	m := &attendance.Matrix{Lessons: make([]lessons.Lesson, 200), Rows: make([]attendance.MatrixRow, 1000)}
	for i := range m.Rows {
		m.Rows[i].Statuses = slices.Repeat([]attendance.Status{attendance.Present}, len(m.Lessons))
	}
	for kind, o := range map[string]reports.Options{"csv": {CSV: true}, "xlsx": {}} {
		peak := watchHeap()
		if err := reports.WriteMatrix(io.Discard, m, o); err != nil {
			t.Fatal(err)
		}
		if grown := peak() / (1 << 20); grown > 16 {
			t.Errorf("%s: the heap grew by %.1f MiB", kind, grown)
		}
	}
}
