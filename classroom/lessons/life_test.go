package lessons_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// minutes after the planned start, to read the stories below.
func (s *school) at(minutes, seconds int) time.Time {
	return s.start.Add(time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second)
}

func TestLessonLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.plan(31*time.Minute, 15*time.Minute)
		s.wantState(id, lessons.Planned)
		s.sleepUntil(s.at(-30, 15))
		s.wantState(id, lessons.Open)

		s.skipUntil(s.at(-2, 0))
		first := s.connect(s.key)
		if first.grant.Lesson != id || first.grant.Live {
			t.Fatalf("granted %+v, want the preview of %s", first.grant, id)
		}
		s.sleepUntil(s.at(1, 0))
		if state, err := s.lessons.GoLive(t.Context(), id, s.teacher); state != lessons.Live || err != nil {
			t.Fatalf("Go live: %s, %v", state, err)
		}
		s.sleepUntil(s.at(4, 0))
		s.wantState(id, lessons.Live)
		first.drop()
		s.settle()
		s.wantState(id, lessons.Interrupted)

		s.sleepUntil(s.at(4, 20))
		second := s.connect(s.key)
		if second.grant.Lesson != id || !second.grant.Live {
			t.Fatalf("a lost encoder returned to %+v, want %s live", second.grant, id)
		}
		s.settle()
		s.wantState(id, lessons.Live)

		s.sleepUntil(s.at(8, 0))
		if state, err := s.lessons.End(t.Context(), id, s.teacher); state != lessons.Ended || err != nil {
			t.Fatalf("End: %s, %v", state, err)
		}
		s.sleepUntil(s.at(9, 0)) // the encoder runs on, nobody sees it
		s.wantState(id, lessons.Ended)
		s.wantAir(id, span{s.at(1, 0), s.at(4, 0)}, span{s.at(4, 20), s.at(8, 0)})
		s.wantCalls("live "+id.String(), "end "+id.String())

		second.stop()
		s.wantDue(s.at(22, 59))
		s.wantDue(s.at(23, 0), id)
	})
}

func TestSilenceInterruptsAndMediaReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		e := s.encoder

		s.sleepUntil(s.at(5, 0))
		e.pause()
		s.sleepUntil(s.at(5, 4))
		s.wantState(id, lessons.Live)
		s.sleepUntil(s.at(5, 7))
		s.wantState(id, lessons.Interrupted)
		s.wantAir(id, span{s.at(0, 0), s.at(5, 0)})

		s.sleepUntil(s.at(6, 0))
		e.resume()
		s.sleepUntil(s.at(6, 3))
		s.wantState(id, lessons.Live)
		s.end(id)
		// That media is back shows in the next health, a second later at most.
		s.wantAir(id, span{s.at(0, 0), s.at(5, 0)}, span{s.at(6, 1), s.at(6, 3)})
	})
}

// An encoder that hangs so badly that not even its health arrives is lost all the same.
func TestNoHealthIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.sleepUntil(s.at(5, 0))
		s.encoder.freeze()
		s.sleepUntil(s.at(5, 7))
		s.wantState(id, lessons.Interrupted)
		s.wantAir(id, span{s.at(0, 0), s.at(5, 0)})
	})
}

func TestOrders(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*school) media.ID
		order   func(context.Context, *school, media.ID) error
		key     string // of the fault; empty: it works
		after   lessons.State
	}{
		{"go live without a stream", (*school).open, goLive, "studio.no_stream", lessons.Open},
		{"go live too early", (*school).tomorrow, goLive, "lesson.too_early", lessons.Planned},
		{"go live twice", (*school).onAir, goLive, "", lessons.Live},
		{"go live after the end", (*school).over, goLive, "lesson.over", lessons.Ended},
		{"go live when cancelled", (*school).cancelled, goLive, "lesson.cancelled", lessons.Cancelled},
		{"go live with a silent encoder", (*school).silent, goLive, "studio.no_stream", lessons.Open},
		{"go live with a stream that others see", (*school).elsewhere, goLive, "studio.still_on_air", lessons.Open},
		{"go live when the origin has no input", (*school).originLost, goLive, "studio.no_stream", lessons.Open},
		{"end before anybody came", (*school).tomorrow, end, "lesson.too_early", lessons.Planned},
		{"end an open lesson", (*school).open, end, "", lessons.Ended},
		{"end twice", (*school).over, end, "", lessons.Ended},
		{"end when cancelled", (*school).cancelled, end, "lesson.cancelled", lessons.Cancelled},
		{"extend a live lesson", (*school).onAir, extend, "", lessons.Live},
		{"extend tomorrow", (*school).tomorrow, extend, "lesson.too_early", lessons.Planned},
		{"extend after the end", (*school).over, extend, "lesson.over", lessons.Ended},
		{"cancel tomorrow", (*school).tomorrow, cancel, "", lessons.Cancelled},
		{"cancel an open lesson", (*school).open, cancel, "", lessons.Cancelled},
		{"cancel twice", (*school).cancelled, cancel, "", lessons.Cancelled},
		{"cancel a live lesson", (*school).onAir, cancel, "lesson.over", lessons.Live},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchool(t)
				id := tt.prepare(s)
				err := tt.order(t.Context(), s, id)
				if tt.key == "" && err != nil {
					t.Errorf("refused: %v", err)
				} else if f, ok := fault.Of(err); tt.key != "" && (!ok || f.Key != tt.key) {
					t.Errorf("error %v, want %s", err, tt.key)
				}
				s.wantState(id, tt.after)
			})
		})
	}
}

func goLive(ctx context.Context, s *school, id media.ID) error {
	_, err := s.lessons.GoLive(ctx, id, s.teacher)
	return err
}

func end(ctx context.Context, s *school, id media.ID) error {
	_, err := s.lessons.End(ctx, id, s.teacher)
	return err
}

func extend(ctx context.Context, s *school, id media.ID) error {
	_, err := s.lessons.Extend(ctx, id, s.teacher)
	return err
}

func cancel(ctx context.Context, s *school, id media.ID) error {
	return s.lessons.Cancel(ctx, id, s.teacher)
}

func TestOrdersForNoLesson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		for name, order := range map[string]func(context.Context, *school, media.ID) error{"go live": goLive, "end": end, "extend": extend, "cancel": cancel} {
			if err := order(t.Context(), s, media.NewID()); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s of no lesson: %v, want not found", name, err)
			}
		}
	})
}

func TestExtendMovesTheEndNotThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		until, err := s.lessons.Extend(t.Context(), id, s.teacher)
		if err != nil || !until.Equal(s.at(55, 0)) {
			t.Fatalf("extended to %v, %v; want %v", until, err, s.at(55, 0))
		}
		row := s.find(id)
		if got := row.PlannedEndAt.Time(); !got.Equal(s.at(45, 0)) {
			t.Errorf("the plan ends %v, want %v as before", got, s.at(45, 0))
		}
		for range 30 {
			_, err = s.lessons.Extend(t.Context(), id, s.teacher)
		}
		if f, ok := fault.Of(err); !ok || f.Key != "lesson.not_extended" {
			t.Errorf("thirty times more: %v, want lesson.not_extended", err)
		}
		if row := s.find(id); row.ExtendedMin != 180 {
			t.Errorf("extended by %d min, want 180", row.ExtendedMin)
		}
	})
}

func TestEndsByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		never := s.plan(2*time.Minute, 5*time.Minute) // nobody comes
		s.skipUntil(s.at(64, 50))
		s.wantState(never, lessons.Open)
		s.sleepUntil(s.at(65, 15))
		s.wantState(never, lessons.Ended)
		s.wantAir(never)
		if got := s.find(never).EndedAt.Time(); !got.Equal(s.at(65, 0)) {
			t.Errorf("ended %v, want %v", got, s.at(65, 0))
		}
		s.wantDue(s.at(79, 59))
		s.wantDue(s.at(80, 0), never)
	})
}

// A lesson that runs on is not ended while its encoder sends, nor for an hour after that.
func TestRunsOnWhilePacketsArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.plan(2*time.Minute, time.Minute)
		s.skipUntil(s.at(60, 0)) // the planned end is 59 min ago
		e := s.connect(s.key)
		if err := goLive(t.Context(), s, id); err != nil {
			t.Fatal(err)
		}
		s.sleepUntil(s.at(62, 0))
		s.wantState(id, lessons.Live)
		e.drop()
		s.settle()
		s.skipUntil(s.at(121, 50))
		s.wantState(id, lessons.Interrupted)
		s.sleepUntil(s.at(122, 15))
		s.wantState(id, lessons.Ended)
		s.wantAir(id, span{s.at(60, 0), s.at(62, 0)})
		s.wantCalls("live "+id.String(), "end "+id.String())
	})
}

func TestUnplannedLesson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		e := s.connect(s.key)
		if e.grant.Lesson != 0 {
			t.Fatalf("granted %+v, want a rehearsal", e.grant)
		}
		row, err := s.lessons.Begin(t.Context(), s.course, "Questions", "Europe/Berlin", s.teacher)
		if err != nil {
			t.Fatal(err)
		}
		s.start = time.Now()
		if err := goLive(t.Context(), s, row.ID); err != nil {
			t.Fatal(err)
		}
		s.sleepUntil(s.at(2, 0))
		e.drop()
		s.sleepUntil(s.at(3, 0))
		if e = s.connect(s.key); e.grant.Lesson != row.ID || !e.grant.Live {
			t.Errorf("the lost encoder returned to %+v, want %s live", e.grant, row.ID)
		}
		e.drop()
		s.settle()
		s.skipUntil(s.at(62, 50))
		s.wantState(row.ID, lessons.Interrupted)
		s.sleepUntil(s.at(63, 15))
		s.wantState(row.ID, lessons.Ended)
	})
}

// What a killed server leaves behind: an open interval and no encoder. The next one closes it at the last packet
// that was written down, and the encoder comes back to the same lesson.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.sleepUntil(s.at(7, 3))
		s.kill()
		s.sleepUntil(s.at(7, 30))
		s.boot()
		s.settle()
		s.wantState(id, lessons.Interrupted)
		air := s.air(id)
		if len(air) != 1 || air[0].Open || s.at(7, 3).Sub(air[0].Until) > 6*time.Second || air[0].Until.After(s.at(7, 3)) {
			t.Fatalf("air after the restart %+v, want one interval that ends within the last 6 s before 07:03", air)
		}
		e := s.connect(s.key)
		if e.grant.Lesson != id || !e.grant.Live {
			t.Fatalf("the encoder returned to %+v, want %s live", e.grant, id)
		}
		s.sleepUntil(s.at(8, 0))
		s.wantState(id, lessons.Live)
		s.end(id)
		s.wantAir(id, span{s.at(0, 0), air[0].Until}, span{s.at(7, 30), s.at(8, 0)})

		// Killed again between the row and the origin: the origin is told by the next one.
		s.kill()
		s.origin.forget()
		s.boot()
		s.settle()
		s.wantCalls("end " + id.String())
	})
}

// A server that is stopped in order closes its intervals at the last packet itself.
func TestStopClosesTheAir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.sleepUntil(s.at(3, 0))
		s.stop()
		s.wantState(id, lessons.Interrupted)
		s.wantAir(id, span{s.at(0, 0), s.at(3, 0)})
	})
}

// A colleague takes the lesson over with their own encoder.
func TestColleagueGoesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.sleepUntil(s.at(2, 0))
		other := s.connect(s.colleagueKey)
		if other.grant.Lesson != id || other.grant.Live {
			t.Fatalf("a colleague was granted %+v, want the preview of %s", other.grant, id)
		}
		s.sleepUntil(s.at(3, 0))
		if _, err := s.lessons.GoLive(t.Context(), id, s.colleague); err != nil {
			t.Fatal(err)
		}
		s.sleepUntil(s.at(4, 0))
		s.encoder.drop() // nobody sees this one any more
		s.sleepUntil(s.at(5, 0))
		s.wantState(id, lessons.Live)
		s.end(id)
		s.wantAir(id, span{s.at(0, 0), s.at(3, 0)}, span{s.at(3, 0), s.at(5, 0)})
	})
}

// While the database hangs the Gate does not wait, and what happened meanwhile is written down with its own times.
func TestSlowDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.sleepUntil(s.at(3, 0))
		release := s.holdDatabase()
		s.encoder.drop() // returns, or the bubble reports a deadlock
		s.sleepUntil(s.at(3, 30))
		s.wantState(id, lessons.Live) // as far as anybody could write
		release()
		s.sleepUntil(s.at(3, 40))
		s.wantState(id, lessons.Interrupted)
		s.wantAir(id, span{s.at(0, 0), s.at(3, 0)})
	})
}

func TestNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.open()
		lesson, own := s.follow(id), s.follow(s.teacher)
		e := s.connect(s.key)
		s.sleepUntil(s.at(0, 2))
		lesson.want(t) // a preview is nobody's but the publisher's
		own.want(t, "health publishing=true live=false", "health publishing=true live=false")

		if err := goLive(t.Context(), s, id); err != nil {
			t.Fatal(err)
		}
		s.sleepUntil(s.at(0, 3))
		lesson.want(t, "state live", "health publishing=true live=true")
		own.want(t, "health publishing=true live=true")
		e.drop()
		s.settle()
		lesson.want(t, "health publishing=false live=false", "state interrupted")
		own.want(t, "health publishing=false live=false")
		s.end(id)
		lesson.want(t, "state ended")
	})
}

// Students hear what is wrong with the lesson for all of them, once when it begins and once when it is over. What only
// the teacher can see to is not their concern.
func TestNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.open()
		e := s.connect(s.key)
		s.sleepUntil(s.at(0, 1))
		if err := goLive(t.Context(), s, id); err != nil {
			t.Fatal(err)
		}
		s.sleepUntil(s.at(0, 2))
		lesson := s.follow(id)
		e.warn(media.AudioMissing)
		s.sleepUntil(s.at(0, 4))
		const health = "health publishing=true live=true"
		lesson.want(t, health, "notes [audio_missing]", health)
		if n, err := s.lessons.News(t.Context(), s.find(id)); err != nil || len(n.Notes) != 1 {
			t.Errorf("a page that opens now is told %+v, %v", n, err)
		}
		e.warn(media.KeyframeLong)
		s.sleepUntil(s.at(0, 6))
		lesson.want(t, health, "notes []", health)
	})
}

// What the channel knows, of a slow store and of shared links, is in the studio like any other trouble.
func TestChannelWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		id := s.onAir()
		s.origin.warn(id, media.StorageDown)
		b, ok := s.lessons.BroadcastOf(id)
		if !ok || len(b.Health.Warnings) != 1 || b.Health.Warnings[0].Code != "storage_down" {
			t.Errorf("broadcast %+v, %v; want the warning that storage is down", b.Health, ok)
		}
	})
}

// A stream that begins long before its lesson, or runs on after one, belongs to the lesson that is due.
func TestPreviewFindsItsLesson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		first := s.plan(31*time.Minute, 10*time.Minute)
		e := s.connect(s.key)
		if e.grant.Lesson != 0 {
			t.Fatalf("granted %+v, want a rehearsal", e.grant)
		}
		s.sleepUntil(s.at(-30, 6))
		s.wantPreview(first)
		second := s.create(time.Now().Add(3*time.Minute), 10*time.Minute)
		s.sleepUntil(time.Now().Add(6 * time.Second))
		s.wantPreview(second) // its start is nearer
		e.drop()
	})
}

func (s *school) wantPreview(lesson media.ID) {
	s.t.Helper()
	b, ok := s.lessons.BroadcastFor(0, s.teacher)
	if !ok || b.Lesson != lesson || b.Live {
		s.t.Errorf("the stream is %+v, %v; want the preview of %s", b, ok, lesson)
	}
}

func TestAutoLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchool(t)
		course, err := s.courses.Create(t.Context(), 0, courses.NewCourse{Code: "AUTO", Title: "Auto", Term: "2026", Zone: "UTC", AutoLive: true, Teacher: s.teacher})
		if err != nil {
			t.Fatal(err)
		}
		s.course = course.ID
		id := s.plan(2*time.Minute, 10*time.Minute)
		e := s.connect(s.key)
		e.warn(media.AudioMissing)
		s.sleepUntil(s.at(0, -1))
		s.wantState(id, lessons.Open)
		s.sleepUntil(s.at(0, 30))
		s.wantState(id, lessons.Open) // it is not healthy
		e.warn("")
		s.sleepUntil(s.at(0, 37))
		s.wantState(id, lessons.Live)
		s.wantCalls("live " + id.String())
		s.end(id)
		s.sleepUntil(s.at(1, 0))
		s.wantState(id, lessons.Ended) // and it does not begin again
	})
}
