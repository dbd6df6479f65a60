package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// FLT-30: the school is put back as it was before today's lessons. Their recordings are in the storage, and the school
// finds them: that of a planned lesson by itself, that of one which nobody had planned in the course that it is given.
// Nobody is absent for what was lost.
func TestRestoredSchoolFindsItsRecordings(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	backup := filepath.Join(s.dir, "backup")
	s.command("backup", backup)

	a, _ := s.goOnAir()
	a.teacher.order(s.LessonID, "end")
	a.viewer.compare(s, a.replay(a.teacher))
	unplanned := s.begin(a.teacher, "Nobody planned this")
	unplanned.goLive(a.teacher)
	a.teacher.order(unplanned.LessonID, "end")
	unplanned.replay(a.teacher)
	for _, lesson := range []string{s.LessonID, unplanned.LessonID} {
		s.waitUntil("the recording is in the storage", func() bool {
			_, err := os.Stat(filepath.Join(s.data(), "spool", lesson))
			return os.IsNotExist(err)
		})
	}

	s.stop()
	s.putBack(backup)
	s.restart()
	teacher := s.signIn(s.Teacher)
	if p := teacher.playback(s.LessonID); p.State != "open" || p.URL != "" {
		t.Fatalf("the restored school remembers its lesson: %s, %q", p.State, p.URL)
	}
	for _, args := range [][]string{{"--dry-run"}, {}} {
		said := s.command("reindex", append(args, "--as", s.Admin.Email)...)
		for _, want := range []string{s.LessonID, unplanned.LessonID, "its lesson is not in the database any more", "1 of 2 forgotten recordings have their lesson back, 0 have a new one"} {
			if !strings.Contains(said, want) {
				t.Errorf("reindex %v does not say %q:\n%s", args, want, said)
			}
		}
		if p := teacher.playback(s.LessonID); (p.State == "ended") != (len(args) == 0) {
			t.Errorf("after reindex %v the lesson is %s", args, p.State)
		}
	}
	a.viewer.compare(s, s.replay(teacher))
	var register struct {
		NotHeld bool `json:"not_held"`
	}
	if teacher.get("/api/v1/lessons/"+s.LessonID+"/register", &register); !register.NotHeld {
		t.Error("the register counts a lesson of which nobody knows who was there")
	}
	if _, page := teacher.do(http.MethodGet, "/lessons/"+s.LessonID+"/register", nil); !strings.Contains(string(page), "is not known any more") {
		t.Errorf("the page of the register does not say what was lost:\n%s", page)
	}

	if said := s.command("reindex", "--as", s.Admin.Email, "--into", s.CourseID, "--title", "Found again"); !strings.Contains(said, "0 of 1 forgotten recordings have their lesson back, 1 have a new one") {
		t.Errorf("reindex --into: %s", said)
	}
	var found struct{ Title string }
	teacher.get("/api/v1/lessons/"+unplanned.LessonID, &found)
	if found.Title != "Found again" {
		t.Errorf("the lesson made for a recording is called %q", found.Title)
	}
	unplanned.replay(s.signIn(s.Students[0]))
	if said := s.command("reindex", "--as", s.Admin.Email); said != "The database knows every recording of the storage.\n" {
		t.Errorf("reindex once more: %s", said)
	}
	s.command("audit verify")
}

func (s *school) data() string { return filepath.Join(s.dir, "data") }

// command runs a command on the school's folder, and returns what it printed.
func (s *school) command(verb string, args ...string) string {
	s.t.Helper()
	name, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(name, append(append(strings.Fields(verb), args...), "--data", s.data())...)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("chalkcast %s %v: %v\n%s%s", verb, args, err, out, trouble.String())
	}
	return string(out)
}

// begin makes a lesson that nobody has planned, and returns the school with that one as its lesson.
func (s *school) begin(teacher *visitor, title string) *school {
	s.t.Helper()
	status, body := teacher.do(http.MethodPost, "/api/v1/lessons", map[string]string{"course_id": s.CourseID, "title": title})
	var made struct{ Lessons []struct{ ID string } }
	if err := json.Unmarshal(body, &made); err != nil || status != http.StatusCreated || len(made.Lessons) != 1 {
		s.t.Fatalf("begin a lesson: got %d, %v: %s", status, err, body)
	}
	other := *s
	other.LessonID = made.Lessons[0].ID
	return &other
}

// putBack replaces everything but the recordings by what a backup holds.
func (s *school) putBack(backup string) {
	s.t.Helper()
	lost := filepath.Join(s.dir, "lost")
	if err := os.Rename(s.data(), lost); err != nil {
		s.t.Fatal(err)
	}
	s.command("restore", backup)
	if err := os.Rename(filepath.Join(lost, "objects"), filepath.Join(s.data(), "objects")); err != nil {
		s.t.Fatal(err)
	}
}
