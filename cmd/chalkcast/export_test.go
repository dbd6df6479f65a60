package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// TestExport compares what the command line writes with what the API sends.
func TestExport(t *testing.T) {
	ctx, data := t.Context(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := command(t, "user", "add", "ada@school.example", "--name", "Ada", "--admin", "--data", data)
	must(err)
	_, err = command(t, "user", "add", "eva@school.example", "--name", "Eva 王", "--data", data)
	must(err)

	db, err := database.Open(ctx, database.Config{URL: "sqlite:" + filepath.Join(data, "chalkcast.db")})
	must(err)
	defer db.Close()
	acc, err := accounts.New(ctx, accounts.Config{DB: db})
	must(err)
	admin, err := acc.UserByEmail(ctx, "ada@school.example")
	must(err)
	student, err := acc.UserByEmail(ctx, "eva@school.example")
	must(err)
	bus, err := push.NewLocal(nil)
	must(err)
	co := courses.New(courses.Config{DB: db})
	course, err := co.Create(ctx, 0, courses.NewCourse{Code: "BIO", Title: "Biology", Zone: "Europe/Berlin"})
	must(err)
	_, err = co.EnrollAll(ctx, 0, course.ID, []courses.NewMember{{User: student.ID, Role: courses.Student}})
	must(err)
	les := lessons.New(lessons.Config{DB: db, Bus: bus})
	lesson, err := les.Begin(ctx, course.ID, "Cells", "Europe/Berlin", admin.ID)
	must(err)
	att := attendance.New(attendance.Config{DB: db, Accounts: acc, Courses: co, Lessons: les})
	pages, err := templates.New()
	must(err)
	srv, err := web.New(web.Config{Pages: pages, School: acc.WebSchool, Identify: func(context.Context, string) (*web.Viewer, error) {
		return &web.Viewer{ID: admin.ID, Name: admin.DisplayName, Admin: true}, nil
	}})
	must(err)
	reports.New(reports.Config{DB: db, Accounts: acc, Attendance: att}).Routes(srv)
	api := func(path string) string {
		t.Helper()
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1"+path, nil)
		r.Header.Set("Cookie", "cc=x")
		w := httptest.NewRecorder()
		srv.Handler().ServeHTTP(w, r)
		b, err := io.ReadAll(w.Result().Body)
		must(err)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, b)
		}
		return string(b)
	}

	id, of := lesson.ID.String(), course.ID.String()
	for _, c := range []struct{ args, path string }{
		{"register " + id + " --format csv", "/lessons/" + id + "/register.csv"},
		{"register " + id + " --format csv --preset short --separator semicolon --bom 0", "/lessons/" + id + "/register.csv?preset=short&separator=semicolon&bom=0"},
		{"matrix " + of + " --format csv --encoding utf-16le", "/courses/" + of + "/matrix.csv?encoding=utf-16le"},
		{"students --format csv --course " + of + " --student Eva", "/registers.csv?course=" + of + "&student=Eva"},
		{"students --format csv --below --status absent", "/registers.csv?below=1&status=absent"},
		{"summary --format csv --separator tab", "/summary.csv?separator=tab"},
		{"intervals " + id + " --format csv", "/lessons/" + id + "/intervals.csv"},
	} {
		args := append([]string{"export"}, strings.Fields(c.args+" --as ada@school.example --data "+data)...)
		said, err := command(t, args...)
		if want := api(c.path); err != nil || said != want || said == "" {
			t.Errorf("export %s: %v %q, the API gives %q", c.args, err, said, want)
		}
	}

	// A workbook says when it was made, so it is compared by its sheet of rows.
	for _, c := range []struct{ args, path string }{
		{"register " + id, "/lessons/" + id + "/register.xlsx"},
		{"matrix " + of, "/courses/" + of + "/matrix.xlsx"},
		{"students", "/registers.xlsx"},
		{"summary", "/summary.xlsx"},
		{"intervals " + id, "/lessons/" + id + "/intervals.xlsx"},
	} {
		said, err := command(t, append([]string{"export"}, strings.Fields(c.args+" --as ada@school.example --lang en --data "+data)...)...)
		if got, want := firstSheet(t, said), firstSheet(t, api(c.path)); err != nil || got != want {
			t.Errorf("export %s: %v\n%s\nthe API gives\n%s", c.args, err, got, want)
		}
	}

	out := filepath.Join(t.TempDir(), "register.xlsx")
	if said, err := command(t, "export", "register", id, "--as", "ada@school.example", "--data", data, "-o", out, "--lang", "ja"); err != nil || said != "" {
		t.Fatalf("to a file: %v %q", err, said)
	}
	if b, err := os.ReadFile(out); err != nil || !bytes.HasPrefix(b, []byte("PK")) {
		t.Errorf("the workbook: %v %.20q", err, b)
	}
	for what, args := range map[string][]string{
		"a student":      {"register", id, "--as", "eva@school.example"},
		"nobody":         {"register", id, "--as", "tom@school.example"},
		"no such lesson": {"register", of, "--as", "ada@school.example"},
		"a file there":   {"register", id, "--as", "ada@school.example", "-o", out},
		"a bad option":   {"matrix", of, "--as", "ada@school.example", "--format", "csv", "--separator", "pipe"},
	} {
		if said, err := command(t, append(append([]string{"export"}, args...), "--data", data)...); err == nil {
			t.Errorf("export for %s: %q", what, said)
		}
	}
}

// firstSheet is the XML of a workbook's first sheet.
func firstSheet(t *testing.T, book string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Long work draws one line that says how far it is, not more often than a person can read, and always its end.
func TestProgress(t *testing.T) {
	var drawn strings.Builder
	p := &progress{w: &drawn}
	for done := range int64(301) {
		p.say("Rows", done, 300)
	}
	if !strings.HasPrefix(drawn.String(), "\rRows 0 %\x1b[K") || !strings.HasSuffix(drawn.String(), "\rRows 100 %\x1b[K\n") {
		t.Errorf("drew %q", drawn.String())
	}
}
