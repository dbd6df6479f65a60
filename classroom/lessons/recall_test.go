package lessons_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Whatever a restored database takes a lesson for that was not on air yet, its recording shows that it was held. It has no
// air: nobody is absent for what was lost.
func TestRecall(t *testing.T) {
	for name, story := range map[string]struct {
		before func(*school) media.ID
		after  lessons.State
	}{
		"planned":            {func(s *school) media.ID { return s.plan(2*time.Hour, s.length) }, lessons.Ended},
		"open":               {(*school).open, lessons.Ended},
		"cancelled":          {(*school).cancelled, lessons.Ended},
		"ended by the clock": {(*school).missed, lessons.Ended},
		"closed":             {(*school).closed, lessons.Closed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				id := story.before(s)
				s.stop() // the server does not run meanwhile
				r := lessons.Recording{Lesson: id, Began: s.at(2, 0).UTC(), Ended: s.at(44, 30).UTC()}
				before := s.find(id)
				if _, err := s.lessons.Recall(t.Context(), r, s.teacher); err != nil {
					t.Fatal(err)
				}
				want := before
				want.State, want.LiveAt, want.EndedAt = story.after, database.At(r.Began), database.At(r.Ended)
				want.CancelID, want.Note, want.Revision, want.ChangedAt = 0, "", before.Revision+1, database.At(time.Now())
				if d := cmp.Diff(want, s.find(id)); d != "" {
					t.Errorf("lesson (-want +got):\n%s", d)
				}
				s.wantAir(id)
				if story.after == lessons.Ended {
					s.wantDue(s.at(60, 0), id)
				}
				if _, err := s.lessons.Recall(t.Context(), r, s.teacher); !fault.Is(err, fault.KindConflict) {
					t.Errorf("once more: %v, want a conflict", err)
				}
			})
		})
	}
}

// missed is a lesson that the clock ended: nobody was on air.
func (s *school) missed() media.ID {
	s.t.Helper()
	id := s.open()
	s.skipUntil(s.at(45+60, 30))
	s.wantState(id, lessons.Ended)
	return id
}

// closed is a missed lesson whose register is frozen.
func (s *school) closed() media.ID {
	s.t.Helper()
	id := s.missed()
	err := s.db.Tx(s.t.Context(), func(tx *gorm.DB) error {
		_, err := lessons.Close(s.t.Context(), tx, id, time.Now())
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// What the database knows is not touched.
func TestRecallOfWhatIsKnown(t *testing.T) {
	for name, before := range map[string]func(*school) media.ID{"on air": (*school).onAir, "over": (*school).over} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				id := before(s)
				row := s.find(id)
				_, err := s.lessons.Recall(t.Context(), lessons.Recording{Lesson: id, Began: s.at(2, 0), Ended: s.at(3, 0)}, s.teacher)
				if !fault.Is(err, fault.KindConflict) {
					t.Errorf("recall: %v, want a conflict", err)
				}
				if d := cmp.Diff(row, s.find(id)); d != "" {
					t.Errorf("lesson (-before +after):\n%s", d)
				}
				held, err := s.lessons.Held(t.Context())
				if d := cmp.Diff(map[media.ID]bool{id: true}, held); err != nil || d != "" {
					t.Errorf("held: %v\n%s", err, d)
				}
			})
		})
	}
}

// A recording whose lesson is gone gets one, in the time of its course.
func TestAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		course, err := s.courses.Course(t.Context(), s.course)
		if err != nil {
			t.Fatal(err)
		}
		if course.Zone, err = time.LoadLocation("Europe/Berlin"); err != nil {
			t.Fatal(err)
		}
		r := lessons.Recording{
			Lesson: media.NewID(), Began: time.Date(2026, 9, 7, 22, 30, 0, 0, time.UTC), Ended: time.Date(2026, 9, 7, 23, 15, 0, 0, time.UTC),
		}
		if _, err := s.lessons.Recall(t.Context(), r, s.teacher); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("recall of a lesson that is gone: %v, want not found", err)
		}
		if _, err := s.lessons.Adopt(t.Context(), r, course, "Found again", s.teacher); err != nil {
			t.Fatal(err)
		}
		want := lessons.Lesson{
			ID: r.Lesson, CourseID: s.course, Title: "Found again", LocalDate: "2026-09-08", LocalStart: "00:30", Zone: "Europe/Berlin",
			State: lessons.Ended, LiveAt: database.At(r.Began), EndedAt: database.At(r.Ended),
			CreatedAt: database.At(r.Began), CreatedBy: s.teacher, ChangedAt: database.At(r.Began),
		}
		if d := cmp.Diff(want, s.find(r.Lesson)); d != "" {
			t.Errorf("lesson (-want +got):\n%s", d)
		}
		if n, err := audit.Verify(t.Context(), s.db); err != nil || n == 0 {
			t.Errorf("audit log: %d lines, %v", n, err)
		}
	})
}
