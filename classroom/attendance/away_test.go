package attendance_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

// TestPageOutlivesTheDatabase has the beats of the real page, under node, go on while the database is away for 30 s in
// the middle of a lesson: no counted second is lost, and the page is told the same as the register.
func TestPageOutlivesTheDatabase(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		control := http.NewServeMux()
		control.HandleFunc("POST /clock", func(_ http.ResponseWriter, r *http.Request) {
			if ms, err := strconv.ParseInt(r.FormValue("ms"), 10, 64); err == nil {
				d.set(nine(0).Add(time.Duration(ms) * time.Millisecond))
			}
		})
		rename := func(from, to string) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { d.exec(t, "ALTER TABLE "+from+" RENAME TO "+to) }
		}
		control.HandleFunc("POST /away", rename("intervals", "away"))
		control.HandleFunc("POST /back", rename("away", "intervals"))
		desk := httptest.NewServer(control)
		defer desk.Close()

		student := d.students[0]
		cmd := exec.CommandContext(t.Context(), "node", "../../jstest/lesson.mjs", d.url, desk.URL, d.path("/beats"), "cc="+student.String(), "300", "100", "130")
		out, err := cmd.Output()
		if err != nil {
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				t.Fatalf("the page: %v\n%s", err, exit.Stderr)
			}
			t.Fatal(err)
		}
		var page struct {
			Owed     float64
			CountedS int `json:"counted_s"`
			Beats    int
			Refused  int
		}
		if err := json.Unmarshal(out, &page); err != nil {
			t.Fatalf("the page said %q: %v", out, err)
		}
		if page.Refused == 0 || page.Owed > 0 || page.CountedS < 299 {
			t.Errorf("the page was refused %d beats, is owed %.0f ms and was told %d s; want some, nothing, 299 or 300", page.Refused, page.Owed, page.CountedS)
		}
		d.close(t)
		// Played time has the milliseconds that the page rounds away; a bridged gap hides them from attending.
		if row := d.register(t, d.teacher).Rows[0]; row.AttendingS != page.CountedS || row.PlayedS < page.CountedS-1 {
			t.Errorf("the register says %d s attending, %d s played; the page %d s", row.AttendingS, row.PlayedS, page.CountedS)
		}
	})
}
