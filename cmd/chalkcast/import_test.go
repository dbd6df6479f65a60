package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
)

// A class list from the command line: look, apply, look again; and what is wrong is said line by line, with status 1.
func TestImportRoster(t *testing.T) {
	data := t.TempDir()
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + filepath.Join(data, "chalkcast.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	acc, err := accounts.New(t.Context(), accounts.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []accounts.NewUser{{Email: "ada@school.example", DisplayName: "Ada", Admin: true}, {Email: "tom@school.example", DisplayName: "Tom"}} {
		if _, err := acc.Create(t.Context(), 0, u); err != nil {
			t.Fatal(err)
		}
	}
	co := courses.New(courses.Config{DB: db})
	course, err := co.Create(context.Background(), 0, courses.NewCourse{Code: "BIO", Title: "Biology"})
	if err != nil {
		t.Fatal(err)
	}
	list := func(text string) string {
		name := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	run := func(file string, more ...string) (string, error) {
		args := append([]string{"import", "roster", file, "--course", course.ID.String(), "--as", "ada@school.example", "--data", data}, more...)
		return command(t, args...)
	}
	good := list("Student ID;Name\n1;Eva\n2;李雷\n")
	for _, c := range []struct {
		file, flags, said string
		wrong             bool
	}{
		{good, "--dry-run", "2 new in the course (2 of them to the school), 0 changed, 0 unchanged", false},
		{good, "", "2 new in the course", false},
		{good, "", "0 new in the course (0 of them to the school), 0 changed, 2 unchanged, 0 not in the list (0 leave).", false},
		{list("id,name,email\n1,Eva,\n1,Eva,\n3,Bo,x\n"), "", "Line 3: student_id: This is the same person as in line 2.\nLine 4: email: This does not look like", true},
		{list("id\n1\n"), "--dry-run --end-missing", "1 not in the list (1 leave).\nNothing was changed", false},
		{list("id\n1\n"), "--end-missing", "1 not in the list (1 leave).\n", false},
		{list("Eva\n"), "", "", true},
		{filepath.Join(data, "nothing.csv"), "", "", true},
		{good, "--encoding EBCDIC", "", true},
		{good, "--as tom@school.example", "", true},
		{good, "--course 0000000000001", "", true},
	} {
		said, err := run(c.file, strings.Fields(c.flags)...)
		if !strings.Contains(said, c.said) || (err != nil) != c.wrong {
			t.Errorf("import roster %s %s: %v\n%s", filepath.Base(c.file), c.flags, err, said)
		}
	}
	members, err := courses.New(courses.Config{DB: db}).Members(t.Context(), course.ID)
	if err != nil || len(members) != 1 || members[0].DisplayName != "Eva" {
		t.Errorf("in the course: %+v, %v", members, err)
	}
}
