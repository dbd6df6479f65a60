package attendance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// TestMatrix reads a course with a closed, a running and a coming lesson.
func TestMatrix(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.watch(t, 0, "a", 0, 45)
		d.watch(t, 1, "b", 0, 20)
		d.close(t)
		for i, state := range []string{"live", "planned"} {
			at := nine(24 * 60 * (i + 1))
			d.exec(t, `INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at,
				planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by)
				VALUES (?, ?, 0, 'More', '2026-09-08', '11:00', '11:45', 'Europe/Berlin', ?, ?, 0, ?, 0, 0, 0, 0, 1, ?)`,
				media.NewID(), d.course, at, at.Add(45*time.Minute), state, d.teacher)
		}
		d.exec(t, `UPDATE enrollments SET from_at = ? WHERE user_id = ?`, nine(60), d.students[2])
		d.set(nine(24*60 + 10))
		m := func() (all []string) {
			t.Helper()
			m, err := d.att.Matrix(t.Context(), d.course, nine(-60).Time(), nine(4*24*60).Time())
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range m.Rows {
				line := row.Family
				for _, s := range row.Statuses {
					line += " " + s.Code()
				}
				all = append(all, line+" "+attendance.Percent(time.Duration(row.Tenths)*time.Second, 1000*time.Second))
			}
			return all
		}
		// The third was in no register yet; the frozen row of the first lesson is from when they were enrolled.
		want := []string{"Family000 P ? 100.0", "Family001 H ? 50.0", "Family002 A ? 0.0"}
		if diff := cmp.Diff(want, m()); diff != "" {
			t.Errorf("matrix, want (−), got (+):\n%s", diff)
		}
		status, b := d.do(t, d.teacher, "POST", d.path("/register/corrections"), `{"students":["`+d.students[1].String()+`"],"status":"excused","reason":"illness"}`)
		if status != 200 {
			t.Fatalf("%d %s", status, b)
		}
		want[1] = "Family001 X ? 0.0"
		if diff := cmp.Diff(want, m()); diff != "" {
			t.Errorf("corrected, want (−), got (+):\n%s", diff)
		}
		// Settled registers are read another way, and say the same.
		d.exec(t, `UPDATE registers SET settled = ?`, true)
		if diff := cmp.Diff(want, m()); diff != "" {
			t.Errorf("settled, want (−), got (+):\n%s", diff)
		}
	})
}

func TestOverview(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.watch(t, 0, "a", 0, 45)
		d.watch(t, 1, "b", 0, 20)
		d.close(t)
		for name, c := range map[string]struct {
			filter attendance.Filter
			want   string
		}{
			"all":             {attendance.Filter{}, "Family000 Family001 Family002"},
			"below":           {attendance.Filter{Below: 80}, "Family001 Family002"},
			"status":          {attendance.Filter{Status: attendance.Absent}, "Family002"},
			"student":         {attendance.Filter{Student: "given1 FAM"}, "Family001"},
			"teacher":         {attendance.Filter{Teacher: d.teacher}, "Family000 Family001 Family002"},
			"no teacher":      {attendance.Filter{Teacher: d.students[0]}, ""},
			"other course":    {attendance.Filter{Course: media.NewID()}, ""},
			"outside of time": {attendance.Filter{From: nine(48 * 60).Time()}, ""},
		} {
			if c.filter.From.IsZero() {
				c.filter.From = nine(-60).Time()
			}
			c.filter.Until = nine(72 * 60).Time()
			o, err := d.att.Overview(t.Context(), c.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range o.Students {
				got = append(got, s.Student.Family)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
			if name == "all" && (len(o.Courses) != 1 || o.Courses[0].Tenths != 500 || len(o.Courses[0].Weeks) != 1 || o.Courses[0].Weeks[0].Monday.Weekday() != time.Monday) {
				t.Errorf("courses %+v", o.Courses)
			}
		}
	})
}

func TestParsePeriod(t *testing.T) {
	now := time.Date(2026, 10, 26, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct{ from, to, want string }{
		{"", "", "2026-07-20 2026-10-27"},
		{"2026-09-01", "", "2026-09-01 2026-10-27"},
		{"2026-09-01", "2026-09-01", "2026-09-01 2026-09-02"},
		{"2026-09-02", "2026-09-01", "bad"},
		{"2020-09-02", "2026-09-01", "bad"},
		{"yesterday", "", "bad"},
		{"", "1", "bad"},
	} {
		from, until, err := attendance.ParsePeriod(c.from, c.to, now)
		got := from.Format(time.DateOnly) + " " + until.Format(time.DateOnly)
		if err != nil {
			got = "bad"
		}
		if got != c.want {
			t.Errorf("from %q to %q: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
