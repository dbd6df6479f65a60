package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// TestExport compares what the command line writes with what the API sends: every kind of file as a workbook and as
// CSV, and one of them in every form of that.
func TestExport(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testExport(t, "sqlite:"+filepath.Join(t.TempDir(), "chalkcast.db")) })
	if databasetest.HasPostgres() {
		t.Run("postgres", func(t *testing.T) { testExport(t, databasetest.PostgresURL(t)) })
	}
}

func testExport(t *testing.T, url string) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := command(t, "user", "add", "ada@school.example", "--name", "Ada", "--admin", "--database", url)
	must(err)
	_, err = command(t, "user", "add", "eva@school.example", "--name", "Eva 王", "--database", url)
	must(err)

	db, err := database.Open(ctx, database.Config{URL: url})
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
	for i, kind := range []struct{ args, path, query string }{
		{"register " + id, "/lessons/" + id + "/register", ""},
		{"register " + id + " --preset short", "/lessons/" + id + "/register", "preset=short"},
		{"matrix " + of, "/courses/" + of + "/matrix", ""},
		{"students --course " + of + " --student Eva", "/registers", "course=" + of + "&student=Eva"},
		{"students --below --status absent", "/registers", "below=1&status=absent"},
		{"summary", "/summary", ""},
		{"intervals " + id, "/lessons/" + id + "/intervals", ""},
	} {
		for _, form := range []struct{ args, extension, query string }{
			{"--format csv", ".csv", ""},
			{"--lang en", ".xlsx", ""},
			{"--format csv --separator semicolon --bom 0", ".csv", "separator=semicolon&bom=0"},
			{"--format csv --separator tab", ".csv", "separator=tab"},
			{"--format csv --encoding utf-16le", ".csv", "encoding=utf-16le"},
		} {
			if i > 0 && form.query != "" {
				continue // one writer serves all kinds
			}
			args := append([]string{"export"}, strings.Fields(kind.args+" "+form.args+" --as ada@school.example --database "+url)...)
			said, err := command(t, args...)
			if err != nil || said == "" {
				t.Errorf("%q: %v %q", args, err, said)
				continue
			}
			want := api(kind.path + form.extension + "?" + kind.query + "&" + form.query)
			if form.extension == ".xlsx" {
				said, want = timeless(t, said), timeless(t, want)
			}
			if said != want {
				t.Errorf("%q writes\n%q\nthe API gives\n%q", args, said, want)
			}
		}
	}

	out := filepath.Join(t.TempDir(), "register.xlsx")
	if said, err := command(t, "export", "register", id, "--as", "ada@school.example", "--database", url, "-o", out, "--lang", "ja"); err != nil || said != "" {
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
		if said, err := command(t, append(append([]string{"export"}, args...), "--database", url)...); err == nil {
			t.Errorf("export for %s: %q", what, said)
		}
	}
}

// madeAt is the instant at which a workbook was made, as its second sheet has it.
var madeAt = regexp.MustCompile(`<v>[0-9]{5}\.[0-9]+</v>`)

// timeless is every part of a workbook, save for when it was made.
func timeless(t *testing.T, book string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, part := range z.File {
		f, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		if part.Name == "xl/worksheets/sheet2.xml" {
			b = madeAt.ReplaceAll(b, nil)
		}
		fmt.Fprintf(&all, "%s\n%s\n", part.Name, b)
	}
	return all.String()
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
