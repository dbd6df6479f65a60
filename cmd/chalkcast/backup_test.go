package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/media"
)

// A backup is made while beats are written (FLT-13): beats go on, and what was answered before the backup began is in
// what comes back, on both kinds of database.
func TestBackupWhileBeatsAreWritten(t *testing.T) {
	urls := map[string]func(*testing.T) string{
		"sqlite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "school.db") },
	}
	if databasetest.HasPostgres() {
		urls["postgres"] = func(t *testing.T) string { return databasetest.PostgresURL(t) }
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) { backUpAClass(t, url(t), url(t)) })
	}
}

func backUpAClass(t *testing.T, from, to string) {
	db, err := database.Open(t.Context(), database.Config{URL: from})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	class := newBeatingClass(t, db)
	data, copied, restored := t.TempDir(), filepath.Join(t.TempDir(), "monday"), t.TempDir()
	lesson := filepath.Join(data, "spool", class.lesson.String())
	write(t, filepath.Join(data, "secret"), strings.Repeat("s", 32))
	write(t, filepath.Join(lesson, "journal.jsonl"), "a line\n")
	write(t, filepath.Join(lesson, "1-abc.v0.7.m4s"), "a segment")

	class.begin()
	class.wait(20)
	before := class.answered.Load()
	if said, err := command(t, "backup", copied, "--data", data, "--database", from); err != nil || !strings.Contains(said, "holds the school") {
		t.Fatalf("backup: %q, %v", said, err)
	}
	class.wait(20) // and the class goes on
	sent := class.end()

	if said, err := command(t, "restore", copied, "--data", restored, "--database", to); err != nil {
		t.Fatalf("restore: %q, %v", said, err)
	}
	for name, want := range map[string]string{"secret": strings.Repeat("s", 32), filepath.Join("spool", class.lesson.String(), "journal.jsonl"): "a line\n"} {
		if got, err := os.ReadFile(filepath.Join(restored, name)); string(got) != want {
			t.Errorf("restored %s: %q, %v", name, got, err)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(copied, "manifest.json")); !strings.Contains(string(text), "1-abc.v0.7.m4s") {
		t.Errorf("the manifest does not list the segment that waited: %s", text)
	}
	back, err := database.Open(t.Context(), database.Config{URL: to})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	var n int64
	if err := back.Reader().Raw("SELECT sum(n) FROM views").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	if n < before || n > sent {
		t.Errorf("the backup holds %d beats, want at least the %d answered before it and at most the %d ever sent", n, before, sent)
	}
	if lines, err := audit.Verify(t.Context(), back); err != nil || lines == 0 {
		t.Errorf("the audit log that came back: %d lines, %v", lines, err)
	}

	for what, args := range map[string][]string{
		"over a backup":          {"backup", copied, "--data", data, "--database", from},
		"into a school":          {"restore", copied, "--data", restored, "--database", to},
		"into a used database":   {"restore", copied, "--data", t.TempDir(), "--database", to},
		"from what is no backup": {"restore", data, "--data", t.TempDir(), "--database", to},
	} {
		if said, err := command(t, args...); err == nil {
			t.Errorf("%s: %q, want an error", what, said)
		}
	}
	if _, err := os.Stat(copied + ".part"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something unfinished is left beside the backup: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(copied, "tables", "*"))
	if err != nil || len(files) == 0 {
		files = []string{filepath.Join(copied, "chalkcast.db")}
	}
	write(t, files[0], "somebody was here")
	if said, err := command(t, "restore", copied, "--data", t.TempDir(), "--database", to); err == nil || !strings.Contains(err.Error(), "not what was backed up") {
		t.Errorf("restore of a damaged backup: %q, %v", said, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// beatingClass is a class whose pages send beats without a pause.
type beatingClass struct {
	t        *testing.T
	lesson   media.ID
	students []media.ID
	recorder *attendance.Recorder
	answered atomic.Int64
	news     chan struct{} // something was answered
	stop     chan struct{}
	wg       sync.WaitGroup
	sent     atomic.Int64
}

func newBeatingClass(t *testing.T, db *database.DB) *beatingClass {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	acc, err := accounts.New(ctx, accounts.Config{DB: db})
	must(err)
	var people []accounts.NewUser
	for i := range 4 {
		people = append(people, accounts.NewUser{DisplayName: fmt.Sprint("Student ", i)})
	}
	users, err := acc.CreateMany(ctx, 0, people)
	must(err)
	co := courses.New(courses.Config{DB: db})
	course, err := co.Create(ctx, 0, courses.NewCourse{Code: "BIO", Title: "Biology", Zone: "UTC"})
	must(err)
	bus, err := push.NewLocal(nil)
	must(err)
	lesson, err := lessons.New(lessons.Config{DB: db, Bus: bus}).Begin(ctx, course.ID, "Cells", "UTC", users[0].ID)
	must(err)
	c := &beatingClass{t: t, lesson: lesson.ID, news: make(chan struct{}, 1), stop: make(chan struct{}), recorder: attendance.NewRecorder(attendance.RecorderConfig{DB: db})}
	for _, u := range users {
		c.students = append(c.students, u.ID)
	}
	return c
}

// begin lets every student send beat after beat, each a minute later by their own clock.
func (c *beatingClass) begin() {
	ctx := c.t.Context()
	for _, student := range c.students {
		c.wg.Go(func() {
			at := time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
			for n := int64(1); ; n++ {
				select {
				case <-c.stop:
					return
				default:
				}
				at = at.Add(15 * time.Second)
				c.sent.Add(1)
				_, err := c.recorder.Record(ctx, attendance.Arrival{
					Lesson: c.lesson, User: student, At: database.At(at),
					Beat: attendance.Beat{View: "abcdefghijklmnop", N: n, State: attendance.Playing, Held: 15 * time.Second},
				})
				if err != nil {
					c.t.Errorf("beat %d: %v", n, err)
					return
				}
				c.answered.Add(1)
				select {
				case c.news <- struct{}{}:
				default:
				}
			}
		})
	}
	done := make(chan error, 1)
	go func() { done <- c.recorder.Run(ctx) }() // ends with the test
	c.t.Cleanup(func() { <-done })
}

// wait returns when so many more beats were answered.
func (c *beatingClass) wait(more int64) {
	for until := c.answered.Load() + more; c.answered.Load() < until; {
		select {
		case <-c.news:
		case <-time.After(time.Minute):
			c.t.Fatal("no beat was answered for 20 s")
		}
	}
}

// end stops the class and returns how many beats were ever sent.
func (c *beatingClass) end() int64 {
	close(c.stop)
	c.wg.Wait()
	return c.sent.Load()
}
