package reports_test

import (
	"context"
	"encoding/csv"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

func TestDownload(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		acc, err := accounts.New(ctx, accounts.Config{DB: db})
		must(err)
		people, err := acc.CreateMany(ctx, 0, []accounts.NewUser{
			{Email: "ada@school.example", GivenName: "Ada", FamilyName: "Teacher"},
			{Email: "eva@school.example", GivenName: "Eva", FamilyName: "=Formula", StudentID: "0012"},
			{Email: "tom@school.example", GivenName: "Tom", FamilyName: "Stranger"},
		})
		must(err)
		teacher, student, stranger, admin := people[0].ID, people[1].ID, people[2].ID, media.NewID()
		co := courses.New(courses.Config{DB: db})
		course, err := co.Create(ctx, 0, courses.NewCourse{Code: "生物/7b", Title: "Biology", Zone: "Europe/Berlin", Teacher: teacher})
		must(err)
		_, err = co.EnrollAll(ctx, 0, course.ID, []courses.NewMember{{User: student, Role: courses.Student}})
		must(err)
		bus, err := push.NewLocal(nil)
		must(err)
		les := lessons.New(lessons.Config{DB: db, Bus: bus})
		lesson, err := les.Begin(ctx, course.ID, "Cells", "Europe/Berlin", teacher)
		must(err)
		att := attendance.New(attendance.Config{DB: db, Accounts: acc, Courses: co, Lessons: les, Log: slog.New(slog.DiscardHandler)})
		pages, err := templates.New()
		must(err)
		srv, err := web.New(web.Config{
			Pages: pages, School: acc.WebSchool,
			Identify: func(_ context.Context, token string) (*web.Viewer, error) {
				id, err := media.ParseID(token)
				if err != nil {
					return nil, nil
				}
				return &web.Viewer{ID: id, Admin: id == admin}, nil
			},
		})
		must(err)
		reports.New(reports.Config{DB: db, Accounts: acc, Attendance: att}).Routes(srv)
		door := httptest.NewServer(srv.Handler())
		defer door.Close()
		fetch := func(who media.ID, path string) (*http.Response, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(ctx, "GET", door.URL+"/api/v1"+path, nil)
			must(err)
			req.AddCookie(&http.Cookie{Name: "cc", Value: who.String()})
			resp, err := http.DefaultClient.Do(req)
			must(err)
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			must(err)
			return resp, string(b)
		}
		get := func(who media.ID, query string) (*http.Response, string) {
			t.Helper()
			return fetch(who, "/lessons/"+lesson.ID.String()+"/register.csv"+query)
		}

		resp, body := get(teacher, "")
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
		if resp.StatusCode != 200 || err != nil || len(lines) != 2 || !strings.HasPrefix(body, "\ufeff") || lines[1][13] != "'=Formula" {
			t.Fatalf("%d %v %q", resp.StatusCode, err, body)
		}
		if kind := resp.Header.Get("Content-Type"); kind != "text/csv; charset=utf-8; header=present" {
			t.Errorf("content type %q", kind)
		}
		disposition := resp.Header.Get("Content-Disposition")
		plain := "register-provisional-" + lesson.LocalDate + "-" + lesson.ID.String() + ".csv"
		if !strings.HasPrefix(disposition, `attachment; filename="`+plain+`"; filename*=UTF-8''%E7%94%9F%E7%89%A9%20`) {
			t.Errorf("disposition %q", disposition)
		}
		if _, params, err := mime.ParseMediaType(disposition); err != nil || params["filename"] == "" {
			t.Errorf("disposition %q reads as %v, %v", disposition, params, err)
		}
		if resp, body := get(teacher, "?preset=short&separator=semicolon&bom=0"); resp.StatusCode != 200 || !strings.HasPrefix(body, "student_id;family_name;") {
			t.Errorf("short with semicolons: %d %q", resp.StatusCode, body)
		}
		for query, want := range map[string]int{"?preset=long": 400, "?separator=pipe": 400, "?bom=maybe": 400, "?encoding=ebcdic": 400} {
			if resp, body := get(teacher, query); resp.StatusCode != want {
				t.Errorf("%s: %d %s, want %d", query, resp.StatusCode, body, want)
			}
		}
		for who, want := range map[media.ID]int{student: 403, stranger: 404} {
			if resp, body := get(who, ""); resp.StatusCode != want {
				t.Errorf("%v: %d %s, want %d", who, resp.StatusCode, body, want)
			}
		}
		noted, err := audit.Of(ctx, db.Reader(), audit.Object("lesson", lesson.ID), 10)
		must(err)
		exports := 0
		for _, l := range noted {
			if l.Action == "register.export" && l.Actor == teacher && l.Detail["rows"] == float64(1) {
				exports++
			}
		}
		if exports != 2 {
			t.Errorf("%d audit lines about exports, want 2: %+v", exports, noted)
		}

		// What is of many lessons. Nothing has been held yet, so there are headers, and the formats they promise.
		const standing = "held,present,late,left_early,partial,absent,made_up,excused,rate_pct"
		for _, c := range []struct {
			who        media.ID
			path, want string
		}{
			{teacher, "/courses/" + course.ID.String() + "/matrix.csv?bom=0", "student_id,family_name,given_name,display_name,group," + standing},
			{admin, "/registers.csv?bom=0&below=1", "course_code,course,student_id,family_name,given_name,display_name,group,email," + standing},
			{admin, "/summary.csv?bom=0", "course_code,course,week,lessons," + standing},
			{
				admin, "/lessons/" + lesson.ID.String() + "/intervals.csv?bom=0",
				"student_id,family_name,given_name,display_name,group,view,kind,from,to,seconds,device_class,state",
			},
		} {
			resp, body := fetch(c.who, c.path)
			if resp.StatusCode != 200 || body != c.want+"\r\n" {
				t.Errorf("%s: %d %q, want the header %q", c.path, resp.StatusCode, body, c.want)
			}
			resp, body = fetch(c.who, strings.Replace(c.path, ".csv", ".xlsx", 1))
			if resp.StatusCode != 200 || !strings.HasPrefix(body, "PK") || !strings.Contains(resp.Header.Get("Content-Disposition"), ".xlsx") {
				t.Errorf("%s as a workbook: %d %.100q %v", c.path, resp.StatusCode, body, resp.Header)
			}
		}
		if resp, _ := fetch(admin, "/registers.csv?from=2026-13-01"); resp.StatusCode != 400 {
			t.Errorf("a month that is not there: %d, want 400", resp.StatusCode)
		}
		noted, err = audit.Of(ctx, db.Reader(), "school", 10)
		must(err)
		if len(noted) != 4 {
			t.Errorf("%d audit lines about exports of the school, want 4", len(noted))
		}
	})
}
