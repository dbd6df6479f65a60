package lessons_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

func TestAdmit(t *testing.T) {
	tests := []struct {
		name    string
		attempt func(*school) media.Attempt
		refused bool
		told    media.Code // what the owner's studio reads; "-" when there is nothing to read
	}{
		{"right key", func(s *school) media.Attempt { return s.attempt(s.key) }, false, ""},
		{"right key in a wrong place", func(s *school) media.Attempt {
			a := s.attempt(s.key)
			a.Mistyped, a.Path = true, "/live/abc"
			return a
		}, false, media.PathMistyped},
		{"no key", func(*school) media.Attempt { return media.Attempt{Path: "/live/test"} }, true, "-"},
		{"unknown key", func(s *school) media.Attempt { return s.attempt(media.NewKey()) }, true, "-"},
		{"wrong secret", func(s *school) media.Attempt {
			return s.attempt(media.Key{ID: s.key.ID, Secret: media.NewKey().Secret})
		}, true, media.KeyWrong},
		{"revoked key", func(s *school) media.Attempt {
			if err := s.accounts.RevokeKey(s.t.Context(), s.teacher, s.key.ID); err != nil {
				s.t.Fatal(err)
			}
			return s.attempt(s.key)
		}, true, media.KeyRevoked},
		{"disabled teacher", func(s *school) media.Attempt {
			if err := s.accounts.Disable(s.t.Context(), 0, s.teacher); err != nil {
				s.t.Fatal(err)
			}
			return s.attempt(s.key)
		}, true, media.KeyRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				id := s.open()
				g, err := s.lessons.Admit(t.Context(), tt.attempt(s))
				if !tt.refused {
					if err != nil || g.Publisher != s.teacher || g.Lesson != id || g.Live || g.KeyID != s.key.ID || g.Broadcast == 0 {
						t.Errorf("granted %+v, %v; want lesson %s for %s", g, err, id, s.teacher)
					}
				} else if r, ok := errors.AsType[*media.Refusal](err); !ok || *r != (media.Refusal{Code: media.KeyWrong}) {
					t.Errorf("error %v, want the one refusal that all bad keys get", err)
				}
				s.wantTold(s.teacher, tt.told, !tt.refused)
			})
		})
	}
}

func (s *school) attempts(user media.ID) []lessons.PublishAttempt {
	s.t.Helper()
	list, err := s.lessons.Attempts(s.t.Context(), user)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *school) wantTold(user media.ID, code media.Code, admitted bool) {
	s.t.Helper()
	list := s.attempts(user)
	if code == "-" {
		if len(list) != 0 {
			s.t.Errorf("the studio is told of %+v, want nothing", list)
		}
		return
	}
	if len(list) == 0 || list[0].Code != code || list[0].Admitted != admitted {
		s.t.Errorf("the studio is told %+v, want %q, admitted %v", list, code, admitted)
	}
}

// A key is bound to the courses of its owner (SEC-06).
func TestAdmitNeverFindsSomebodyElsesLesson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		s.open()
		people := s.people("Stranger", "Student")
		if _, err := s.courses.EnrollAll(t.Context(), 0, s.course, []courses.NewMember{{User: people[1], Role: courses.Student}}); err != nil {
			t.Fatal(err)
		}
		for _, user := range people {
			g, err := s.lessons.Admit(t.Context(), s.attempt(s.newKey(user)))
			if err != nil || g.Lesson != 0 || g.Live {
				t.Errorf("granted %+v, %v; want a rehearsal", g, err)
			}
			s.wantTold(user, media.NoLesson, true)
		}
		// Nor does leaving a course keep the right to it.
		if err := s.courses.Leave(t.Context(), 0, s.course, s.colleague); err != nil {
			t.Fatal(err)
		}
		if g, err := s.lessons.Admit(t.Context(), s.attempt(s.colleagueKey)); err != nil || g.Lesson != 0 {
			t.Errorf("a former teacher was granted %+v, %v; want a rehearsal", g, err)
		}
	})
}

func TestAttemptsAreTheLastTen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		other := s.attempt(media.Key{ID: s.colleagueKey.ID, Secret: media.NewKey().Secret})
		if _, err := s.lessons.Admit(t.Context(), other); err == nil {
			t.Fatal("a wrong key was let in")
		}
		for i := range 12 {
			time.Sleep(time.Second)
			a := s.attempt(s.key)
			a.Mistyped, a.Path = true, strings.Repeat("x", i)+strings.Repeat("é", 90*(i/11))+"\xff"
			g, err := s.lessons.Admit(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			s.lessons.Ended(g, media.End{At: time.Now()})
		}
		list := s.attempts(s.teacher)
		if len(list) != 10 {
			t.Fatalf("%d attempts kept, want 10", len(list))
		}
		if want := strings.Repeat("x", 11) + strings.Repeat("é", 69) + "…"; list[0].Detail != want {
			t.Errorf("the latest says %q, want %q", list[0].Detail, want)
		}
		if list[9].Detail != "xx?" {
			t.Errorf("the oldest kept says %q, want xx?", list[9].Detail)
		}
		if n := len(s.attempts(s.colleague)); n != 1 {
			t.Errorf("a colleague has %d attempts, want the one of their own", n)
		}
	})
}

// What becomes of a broadcast after it was let in is told as well.
func TestAttemptRemembersItsEnd(t *testing.T) {
	tests := []struct {
		name     string
		started  bool
		code     media.Code
		detail   string
		told     media.Code
		admitted bool
	}{
		{"second encoder", false, media.SecondEncoder, "", media.SecondEncoder, false},
		{"unplayable", false, media.VideoCodec, "VP6", media.VideoCodec, false},
		{"left before it began", false, "", "", "", true},
		{"revoked while it ran", true, media.KeyRevoked, "", media.KeyRevoked, true},
		{"no keyframes", true, media.KeyframeLong, "12.1", media.KeyframeLong, true},
		{"stopped", true, "", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				s.open()
				g, err := s.lessons.Admit(t.Context(), s.attempt(s.key))
				if err != nil {
					t.Fatal(err)
				}
				if tt.started {
					s.lessons.Started(g, nil, "OBS")
				}
				s.settle()
				s.lessons.Ended(g, media.End{At: time.Now(), Code: tt.code, Detail: tt.detail})
				s.settle()
				s.wantTold(s.teacher, tt.told, tt.admitted)
				if last := s.attempts(s.teacher)[0]; last.Detail != tt.detail {
					t.Errorf("the studio is told the detail %q, want %q", last.Detail, tt.detail)
				}
			})
		})
	}
}

func TestTieAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		start := time.Now().Add(10 * time.Minute)
		one, two := s.create(start, 45*time.Minute), s.create(start, 90*time.Minute)
		g, err := s.lessons.Admit(t.Context(), s.attempt(s.key))
		if err != nil || g.Lesson != 0 {
			t.Fatalf("granted %+v, %v; want a rehearsal", g, err)
		}
		tie, err := s.lessons.Choices(t.Context(), s.teacher)
		if err != nil {
			t.Fatal(err)
		}
		want := map[media.ID]bool{one: true, two: true}
		got := map[media.ID]bool{}
		for _, id := range tie {
			got[id] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("choices (-want +got):\n%s", d)
		}
	})
}
