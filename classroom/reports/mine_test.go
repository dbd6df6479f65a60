package reports_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// TestOwnData gives a student everything about them, and nothing about anybody else.
func TestOwnData(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newTerm(t, db, 3, 2)
		err := s.db.Tx(t.Context(), func(tx *gorm.DB) error {
			for i, user := range []int{1000, 1001} {
				err := tx.Exec(`INSERT INTO views (id, lesson_id, user_id, token, device, device_class, n, pos_ms, opened_at, last_at)
				VALUES (?, 5001, ?, 'v', 1, 'phone', 3, 0, 1, 1)`, 70+i, user).Error
				if err == nil {
					err = tx.Exec(`INSERT INTO intervals (view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms)
					VALUES (?, 1, 'playing', 1770000000000, 1770000060000, 0, 60000)`, 70+i).Error
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pages, err := templates.New()
		if err != nil {
			t.Fatal(err)
		}
		srv, err := web.New(web.Config{Pages: pages, School: s.accounts.WebSchool, Identify: func(context.Context, string) (*web.Viewer, error) {
			return &web.Viewer{ID: 1001, Name: "Eva"}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.reports.Routes(srv)
		get := func(path string) string {
			t.Helper()
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.AddCookie(&http.Cookie{Name: "cc", Value: "x"})
			w := httptest.NewRecorder()
			srv.Handler().ServeHTTP(w, r)
			b, err := io.ReadAll(w.Result().Body)
			if err != nil || w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="my-attendance-`) {
				t.Fatalf("%s: %d %v %s %v", path, w.Code, w.Header(), b, err)
			}
			return string(b)
		}
		table := get("/api/v1/me/attendance.csv?preset=short&bom=0")
		const want = "student_id,family_name,given_name,status,code,joined,left,minutes,percent,late_min,note\r\n" +
			"00001,Family 0001,Given,present,P,,,43,96.2,0,\r\n00001,Family 0001,Given,late,L,,,43,96.2,0,\r\n"
		if table != want {
			t.Errorf("the table:\n%swant\n%s", table, want)
		}
		text := get("/api/v1/me/attendance")
		var all struct {
			UserID  media.ID `json:"user_id"`
			Lessons []struct {
				Register struct {
					Lesson struct{ Date string }
					Rows   []struct {
						UserID media.ID `json:"user_id"`
						Status string
					}
				}
				Intervals []struct {
					View media.ID
					Kind string
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if all.UserID != 1001 || len(all.Lessons) != 2 || all.Lessons[0].Register.Lesson.Date != "2026-02-01" {
			t.Fatalf("%s", text)
		}
		last := all.Lessons[1]
		if len(last.Register.Rows) != 1 || last.Register.Rows[0].UserID != 1001 || len(last.Intervals) != 1 || last.Intervals[0].View != 71 || last.Intervals[0].Kind != "live" {
			t.Errorf("the second lesson: %+v", last)
		}
		for _, other := range []string{"Family 0000", media.ID(1000).String(), media.ID(70).String()} {
			if strings.Contains(text, other) {
				t.Errorf("the data of one student holds %q of another", other)
			}
		}
		var lines int
		if err := s.db.Reader().WithContext(t.Context()).Raw("SELECT COUNT(*) FROM audit WHERE action = 'register.export' AND actor_id = 1001").Scan(&lines).Error; err != nil || lines != 2 {
			t.Errorf("%d audit lines, want 2 (%v)", lines, err)
		}
	})
}
