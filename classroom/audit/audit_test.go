package audit

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

var nine = time.Date(2026, 9, 3, 9, 0, 0, 0, time.UTC)

func write(t testing.TB, db *database.DB, l Line) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return Write(t.Context(), tx, l) }); err != nil {
		t.Fatal(err)
	}
}

func TestModels(t *testing.T) { databasetest.Models(t, &row{}, &head{}, &anchor{}) }

func TestLinesComeBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		actor, course := media.NewID(), media.NewID()
		write(t, db, Line{At: nine, Actor: actor, Action: "course.create", Object: Object("course", course)})
		write(t, db, Line{At: nine, Actor: actor, Action: "course.create", Object: Object("course", media.NewID())})
		write(t, db, Line{At: nine.Add(time.Hour), Action: "course.edit", Object: Object("course", course), Detail: map[string]any{"title": "Bio 7b"}})
		lines, err := Of(t.Context(), db.Reader(), Object("course", course), 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != 2 || lines[0].Action != "course.edit" || lines[0].Detail["title"] != "Bio 7b" ||
			!lines[0].At.Equal(nine.Add(time.Hour)) || lines[1].Actor != actor {
			t.Errorf("lines about the course: %+v", lines)
		}
		if n, err := Verify(t.Context(), db); n != 3 || err != nil {
			t.Errorf("Verify = %d, %v; want 3 lines", n, err)
		}
	})
}

func TestRolledBackLineLeavesNoGap(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		write(t, db, Line{At: nine, Action: "a.b"})
		oops := errors.New("oops")
		err := db.Tx(t.Context(), func(tx *gorm.DB) error {
			return errors.Join(Write(t.Context(), tx, Line{At: nine, Action: "a.b"}), oops)
		})
		if !errors.Is(err, oops) {
			t.Fatal(err)
		}
		write(t, db, Line{At: nine, Action: "a.b"})
		if n, err := Verify(t.Context(), db); n != 2 || err != nil {
			t.Errorf("Verify = %d, %v; want 2 lines", n, err)
		}
	})
}

func TestManyWritersMakeOneChain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 5 {
					err := db.Tx(t.Context(), func(tx *gorm.DB) error {
						return Write(t.Context(), tx, Line{At: nine, Action: "a.b", Object: fmt.Sprint("writer:", i)})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n, err := Verify(t.Context(), db); n != 40 || err != nil {
			t.Errorf("Verify = %d, %v; want 40 lines", n, err)
		}
	})
}

func TestVerifyFindsEveryChange(t *testing.T) {
	for _, c := range []struct{ name, change string }{
		{"another actor", "UPDATE audit SET actor_id = 7 WHERE seq = 2"},
		{"another time", "UPDATE audit SET at = at + 1 WHERE seq = 2"},
		{"text moved between columns", "UPDATE audit SET action = 'a.bx', object = 'y:1' WHERE seq = 2"},
		{"another detail", "UPDATE audit SET detail = '[]' WHERE seq = 3"},
		{"a line removed", "DELETE FROM audit WHERE seq = 2"},
		{"the end cut off", "DELETE FROM audit WHERE seq = 3"},
		{"all removed", "DELETE FROM audit"},
		{"two lines swapped", "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq > 1; UPDATE audit SET seq = -seq WHERE seq < 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := databasetest.New(t)
			for range 3 {
				write(t, db, Line{At: nine, Action: "a.b", Object: "xy:1"})
			}
			if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(c.change).Error }); err != nil {
				t.Fatal(err)
			}
			if n, err := Verify(t.Context(), db); !errors.Is(err, ErrBroken) {
				t.Errorf("Verify = %d, %v; want ErrBroken", n, err)
			}
		})
	}
}

// Retention removes the oldest lines and the chain still holds; nobody else can (SEC-83).
func TestSweep(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for day := range 5 {
			write(t, db, Line{At: nine.AddDate(0, 0, day), Action: "a.b"})
		}
		if n, err := Sweep(t.Context(), db, nine.AddDate(0, 0, 2)); n != 2 || err != nil {
			t.Errorf("Sweep = %d, %v; want the two lines of two days", n, err)
		}
		if n, err := Verify(t.Context(), db); n != 3 || err != nil {
			t.Errorf("Verify = %d, %v; want the three lines left", n, err)
		}
		if n, err := Sweep(t.Context(), db, nine.AddDate(0, 0, 2)); n != 0 || err != nil {
			t.Errorf("Sweep again = %d, %v", n, err)
		}
		if n, err := Sweep(t.Context(), db, nine.AddDate(1, 0, 0)); n != 2 || err != nil {
			t.Errorf("Sweep of all = %d, %v; want all but the newest", n, err)
		}
		write(t, db, Line{At: nine.AddDate(1, 0, 0), Action: "a.b"})
		if err := db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("DELETE FROM audit WHERE seq = 5").Error }); err != nil {
			t.Fatal(err)
		}
		if n, err := Verify(t.Context(), db); !errors.Is(err, ErrBroken) {
			t.Errorf("the oldest line was removed by hand: %d, %v; want ErrBroken", n, err)
		}
	})
}

func TestSearch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		sue, sam := media.NewID(), media.NewID()
		for i, l := range []Line{
			{Actor: sue, Action: "user.create", Object: "user:1"},
			{Actor: sue, Action: "user.disable", Object: "user:1", Detail: map[string]any{"why": "left"}},
			{Actor: sam, Action: "users.import", Object: "users"},
			{Actor: sam, Action: "user.create", Object: "user:2"},
		} {
			l.At = nine.Add(time.Duration(i) * time.Hour)
			write(t, db, l)
		}
		for _, c := range []struct {
			name string
			f    Filter
			want []int64
		}{
			{"all", Filter{}, []int64{4, 3, 2, 1}},
			{"who", Filter{Actor: sam}, []int64{4, 3}},
			{"what exactly", Filter{Action: "user.create"}, []int64{4, 1}},
			{"what it begins with", Filter{Action: "user."}, []int64{4, 2, 1}},
			{"about", Filter{Object: "user:1"}, []int64{2, 1}},
			{"when", Filter{From: nine.Add(time.Hour), Until: nine.Add(3 * time.Hour)}, []int64{3, 2}},
			{"the next page", Filter{Before: 3}, []int64{2, 1}},
			{"nothing", Filter{Action: "no.such"}, nil},
		} {
			entries, err := Search(t.Context(), db.Reader(), c.f, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, e := range entries {
				got = append(got, e.Seq)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: lines %v, want %v", c.name, got, c.want)
			}
		}
		if entries, err := Search(t.Context(), db.Reader(), Filter{}, 2); err != nil || len(entries) != 2 {
			t.Errorf("limit: %d lines, %v", len(entries), err)
		}
	})
}
