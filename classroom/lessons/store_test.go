package lessons_test

import (
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

func TestModels(t *testing.T) {
	databasetest.Models(t, &lessons.Lesson{}, &lessons.Series{}, &lessons.Broadcast{}, &lessons.AirInterval{}, &lessons.PublishAttempt{})
}

// Every query runs on every kind of database: a lesson from its plan to its closed register, on the real clock.
func TestStore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := schoolOn(t, db)
		ctx := t.Context()
		start := time.Now().Add(5 * time.Minute)
		id := s.create(start, 45*time.Minute)
		for range 12 {
			if _, err := s.lessons.Admit(ctx, s.attempt(media.Key{ID: s.key.ID, Secret: "x"})); err == nil {
				t.Fatal("a wrong key was let in")
			}
		}
		if n := len(s.attempts(s.teacher)); n != 10 {
			t.Errorf("%d attempts kept, want 10", n)
		}
		g, err := s.lessons.Admit(ctx, s.attempt(s.key))
		if err != nil || g.Lesson != id {
			t.Fatalf("granted %+v, %v; want %s", g, err, id)
		}
		s.lessons.Started(g, nil, "OBS")
		if state, err := s.lessons.GoLive(ctx, id, s.teacher); state != lessons.Live || err != nil {
			t.Fatalf("Go live: %s, %v", state, err)
		}
		if _, err := s.lessons.Extend(ctx, id, s.teacher); err != nil {
			t.Error(err)
		}
		s.stop() // writes the broadcast and closes the air
		s.wantState(id, lessons.Interrupted)
		s.boot()
		if state, err := s.lessons.End(ctx, id, s.teacher); state != lessons.Ended || err != nil {
			t.Fatalf("End: %s, %v", state, err)
		}
		if air := s.air(id); len(air) != 1 || air[0].Open {
			t.Errorf("air %+v, want one closed interval", air)
		}
		s.wantDue(time.Now().Add(14 * time.Minute))
		s.wantDue(time.Now().Add(16*time.Minute), id)
		for _, want := range []bool{true, false} {
			err := db.Tx(ctx, func(tx *gorm.DB) error {
				closed, err := lessons.Close(ctx, tx, id, time.Now())
				if closed != want {
					t.Errorf("closed %v, want %v", closed, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.wantState(id, lessons.Closed)
		s.wantBetween(start.Add(-time.Hour), start.Add(time.Hour), id)
		s.wantBetween(start.Add(time.Hour), start.Add(2*time.Hour))
	})
}

func (s *school) wantBetween(from, until time.Time, want ...media.ID) {
	s.t.Helper()
	for name, load := range map[string]func() ([]lessons.Lesson, error){
		"of the course": func() ([]lessons.Lesson, error) {
			return s.lessons.Between(s.t.Context(), []media.ID{s.course}, from, until)
		},
		"of the school": func() ([]lessons.Lesson, error) { return s.lessons.AllBetween(s.t.Context(), from, until) },
	} {
		rows, err := load()
		if err != nil {
			s.t.Fatal(err)
		}
		var got []media.ID
		for _, row := range rows {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, want) {
			s.t.Errorf("lessons %s: %v, want %v", name, got, want)
		}
	}
}
