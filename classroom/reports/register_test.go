package reports_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/reports"
	"chalkcast/media"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a closed register with a row of every kind.
func sample(t testing.TB) reports.Subject {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	start := database.At(time.Date(2026, 10, 26, 9, 0, 0, 0, berlin)) // the first day of winter time
	at := func(m, s int) database.Instant {
		return start.Add(time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
	}
	visits := func(ivs ...attendance.Interval) attendance.Figures {
		f := attendance.Figures{Visits: ivs, Here: true, Devices: 1}
		f.Joined, f.Left = f.Visits.Hull().From, f.Visits.Hull().To
		return f
	}
	r := &attendance.Register{
		Lesson: lessons.Lesson{
			ID: 1, Title: "Cells; the \"small\" rooms, part 1", LocalDate: "2026-10-26", Zone: "Europe/Berlin",
			PlannedStartAt: start, PlannedEndAt: at(45, 0),
		},
		Course:    courses.Course{ID: 2, Code: "BIO-7B", Title: "Biology 7b", Zone: berlin},
		Window:    attendance.Set{{From: at(1, 30), To: at(45, 0)}},
		Programme: 43*time.Minute + 30*time.Second,
		Version:   1, ClosedAt: at(60, 0), PolicyVersion: 3,
	}
	present := visits(attendance.Interval{From: at(-2, 48), To: at(46, 0)})
	present.Attending, present.Played, present.Covered = 2610*time.Second, 2600*time.Second, 2610*time.Second
	late := visits(attendance.Interval{From: at(12, 1), To: at(30, 0)}, attendance.Interval{From: at(31, 1), To: at(45, 0)})
	late.Attending, late.Played, late.Late, late.Devices, late.Covered = 1918*time.Second, 1918*time.Second, 631*time.Second, 2, 1918*time.Second
	madeUp := attendance.Figures{Replay: 2520 * time.Second, Covered: 2519 * time.Second}
	r.Rows = []attendance.Row{
		{
			Student: attendance.Student{ID: 11, Number: "00123", Family: "Álvarez", Given: "Zoë", Name: "Zoë Álvarez", Email: "zoe@school.example", Section: "A"},
			Figures: present, Live: attendance.Present, Computed: attendance.Present, Status: attendance.Present,
		},
		{
			Student: attendance.Student{ID: 12, Number: "+49", Family: "=HYPERLINK(\"http://x\")", Given: "-Ana", Name: "@ana", Section: "=A"},
			Figures: late, Live: attendance.Partial, Computed: attendance.Partial, Status: attendance.Excused,
			Correction: &attendance.Correction{
				Status: attendance.Excused, Minutes: new(40), Reason: "illness", Note: "Fever,\nsent home", Previous: attendance.Partial,
				At: at(24*60, 0), By: 9, ByName: "Ada Teacher",
			},
		},
		{
			Student: attendance.Student{ID: 13, Number: "7", Family: "王", Given: "小明", Name: "王小明"},
			Figures: madeUp, Live: attendance.Absent, Computed: attendance.MadeUp, Status: attendance.MadeUp,
		},
		{
			Student: attendance.Student{ID: 14, Family: "", Given: "", Name: "محمد"},
			Live:    attendance.Absent, Computed: attendance.Absent, Status: attendance.Absent,
		},
	}
	return reports.Subject{School: "Lindenschule", Register: r}
}

func TestGolden(t *testing.T) {
	for _, preset := range []reports.Preset{reports.Full, reports.Short} {
		var b bytes.Buffer
		if err := reports.WriteCSV(&b, sample(t), preset, reports.Form{}); err != nil {
			t.Fatal(err)
		}
		name := "testdata/register_" + string(preset) + ".csv"
		if *update {
			if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s, want (−), got (+):\n%s", name, diff)
		}
	}
}

// TestHeader holds the columns of register.v1: they may only grow at the end.
func TestHeader(t *testing.T) {
	const v1 = "school,course_code,course,lesson_id,lesson,date,zone,planned_start,planned_end,counted_start,counted_end,counted_s," +
		"student_id,family_name,given_name,display_name,email,group,status,code,joined_at,left_at,visits,devices,late_min," +
		"early_min,attending_s,attending_min,attending_pct,played_s,replay_s,covered_pct,live_status,corrected,corrected_by," +
		"corrected_at,reason,note,policy_version"
	const short = "student_id,family_name,given_name,status,code,joined,left,minutes,percent,late_min,note"
	for preset, want := range map[reports.Preset]string{reports.Full: v1, reports.Short: short} {
		s := sample(t)
		s.Register.Rows = nil
		var b strings.Builder
		if err := reports.WriteCSV(&b, s, preset, reports.Form{BOMLess: true}); err != nil {
			t.Fatal(err)
		}
		if b.String() != want+"\r\n" {
			t.Errorf("%s without a row:\n%swant\n%s", preset, b.String(), want)
		}
	}
}

// TestNotHeld writes a register whose figures mean nothing.
func TestNotHeld(t *testing.T) {
	s := sample(t)
	s.Register.Window, s.Register.Programme = nil, 0
	s.Register.Lesson.PlannedStartAt, s.Register.Lesson.PlannedEndAt = 0, 0
	for i := range s.Register.Rows {
		s.Register.Rows[i] = attendance.Row{Student: s.Register.Rows[i].Student, Live: attendance.NotHeld, Status: attendance.NotHeld}
	}
	var b strings.Builder
	if err := reports.WriteCSV(&b, s, reports.Full, reports.Form{BOMLess: true}); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Fatal(err, len(lines))
	}
	for i, name := range lines[0] {
		got := lines[1][i]
		switch name {
		case "planned_start", "counted_start", "counted_end", "joined_at", "late_min", "attending_pct", "covered_pct", "corrected_at":
			if got != "" {
				t.Errorf("%s is %q, want nothing", name, got)
			}
		case "counted_s", "attending_s", "visits":
			if got != "0" {
				t.Errorf("%s is %q, want 0", name, got)
			}
		case "status", "live_status":
			if got != "not_held" {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
}

// BenchmarkWriteCSV writes a lesson of a thousand students.
func BenchmarkWriteCSV(b *testing.B) {
	s := sample(b)
	rows := s.Register.Rows
	s.Register.Rows = nil
	for i := range 1000 {
		row := rows[i%len(rows)]
		row.ID, row.Number = media.ID(i+1), fmt.Sprintf("%05d", i)
		s.Register.Rows = append(s.Register.Rows, row)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := reports.WriteCSV(io.Discard, s, reports.Full, reports.Form{}); err != nil {
			b.Fatal(err)
		}
	}
}
