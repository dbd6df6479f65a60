package attendance_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// everything is an export as text.
func everything(t testing.TB, d *door, user media.ID) string {
	t.Helper()
	tables, err := d.acc.Export(t.Context(), 0, user)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, table := range tables {
		fmt.Fprintln(&b, table.Name, table.Columns)
		for _, row := range table.Rows {
			fmt.Fprintln(&b, row...)
		}
	}
	return b.String()
}

// SEC-84: what is kept about one student is handed out, then erased, then not to be found in the file of the database.
// The figures of the register stay, also when it is settled and counted again afterwards.
func TestErase(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSchool(t, db, 2, "live")
		gone, stays := s.students[0], s.students[1]
		s.exec(t, `UPDATE users SET display_name = 'Canarina Zeisig', given_name = 'Canarina', family_name = 'Zeisig',
			email = 'canary@school.example', student_id = 'C4N4RY' WHERE id = ?`, gone)
		s.air(t, attendance.Interval{From: nine(0), To: nine(45)})
		d := openDoor(t, s)
		for i := range 31 {
			for _, who := range s.students {
				d.beat(t, who, nine(0).Add(time.Duration(i)*85*time.Second), "abcdefghijkl"+who.String()[:4], int64(i), attendance.Playing, min(time.Duration(i), 1)*85*time.Second)
			}
		}
		if status, _ := d.do(t, gone, "POST", d.path("/attempts"), `{"reason":"server_busy"}`); status != 204 {
			t.Fatalf("attempt: %d", status)
		}
		s.end(t, nine(45))
		d.set(nine(70))
		if err := d.att.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		status, body := d.do(t, s.teacher, "POST", d.path("/register/corrections"),
			`{"students":["`+gone.String()+`"],"status":"late","reason":"illness","note":"the canary has a cold"}`)
		if status != 200 {
			t.Fatalf("correct: %d %s", status, body)
		}
		before := d.register(t, s.teacher)

		out := everything(t, d, gone)
		for _, want := range []string{"Canarina", "canary@school.example", "C4N4RY", "playing", "server_busy", "the canary has a cold", "registers", "Biology 7b"} {
			if !strings.Contains(out, want) {
				t.Errorf("the export lacks %q:\n%s", want, out)
			}
		}
		if strings.Contains(out, stays.String()) {
			t.Error("the export tells of somebody else")
		}
		if err := d.acc.Disable(t.Context(), 0, gone); err != nil {
			t.Fatal(err)
		}
		if err := d.acc.Erase(t.Context(), 0, gone); err != nil {
			t.Fatal(err)
		}

		left := everything(t, d, gone)
		for _, bad := range []string{"Canarina", "Zeisig", "canary", "C4N4RY", "playing", "server_busy"} {
			if strings.Contains(left, bad) {
				t.Errorf("%q is still there:\n%s", bad, left)
			}
		}
		check := func(when string) {
			t.Helper()
			after := d.register(t, s.teacher)
			for i, row := range after.Rows {
				j := 0
				for before.Rows[j].UserID != row.UserID {
					j++
				}
				old := before.Rows[j]
				if row.Status != old.Status || row.LiveStatus != old.LiveStatus || row.AttendingS != old.AttendingS || row.PlayedS != old.PlayedS {
					t.Errorf("%s: row %d is %+v, was %+v", when, i, row, old)
				}
				if row.UserID == gone && (row.FamilyName != "" || row.StudentID != "" || row.Correction == nil) {
					t.Errorf("%s: %+v", when, row)
				}
			}
		}
		check("erased")
		if err := d.att.Recompute(t.Context(), 0, s.lesson); err != nil {
			t.Fatal(err)
		}
		check("counted again")
		d.set(nine(60 * 24 * 40))
		if err := d.att.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("settled")
		if len(s.stored(t, gone)) != 0 || len(s.stored(t, stays)) == 0 {
			t.Errorf("%d views of the one who is gone, %d of the other", len(s.stored(t, gone)), len(s.stored(t, stays)))
		}
		if db.Dialect() == database.SQLite {
			grep(t, db, "Canarina", "Zeisig", "canary@school", "C4N4RY", "has a cold")
		}
	})
}

// grep looks for what was erased in every byte of the database.
func grep(t testing.TB, db *database.DB, words ...string) {
	t.Helper()
	var file string
	if err := db.Reader().Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file).Error; err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + "-wal"} {
		bytes, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if strings.Contains(string(bytes), w) {
				t.Errorf("%q can be found in %s", w, path)
			}
		}
	}
}
