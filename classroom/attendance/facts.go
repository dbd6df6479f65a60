package attendance

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

const (
	factsFresh = time.Second
	factsStale = 10 * time.Minute // good enough while the database is away
	maxFacts   = 1000
)

// facts is what every beat of a lesson asks: read once a second for all of them.
type facts struct {
	lesson lessons.Lesson
	air    []lessons.Air
	policy Policy
	read   time.Time
}

// class is the lesson as it stands at now.
func (f *facts) class(now time.Time) Class { return class(f.lesson, f.air, now) }

// counted is how much of a student's attending time lies in the window so far, in whole seconds.
func (f *facts) counted(attending Set, now time.Time) time.Duration {
	w, _ := f.class(now).Window(f.policy)
	return wholeSeconds(attending.CloseGaps(f.policy.bridge()).Intersect(w).Length())
}

// factCache keeps the facts of lessons that beats come for.
type factCache struct {
	load   func(context.Context, media.ID) (*facts, error)
	flight singleflight.Group

	mu    sync.Mutex
	known map[media.ID]*facts
}

func newFactCache(load func(context.Context, media.ID) (*facts, error)) *factCache {
	return &factCache{load: load, known: map[media.ID]*facts{}}
}

// get returns facts that are at most a second old, or older ones while the database is away.
func (fc *factCache) get(ctx context.Context, lesson media.ID, now time.Time) (*facts, error) {
	fc.mu.Lock()
	f := fc.known[lesson]
	fc.mu.Unlock()
	if f != nil && now.Sub(f.read).Abs() < factsFresh {
		return f, nil
	}
	// The first who asks reads for all that wait; their going away must not end it.
	v, err, _ := fc.flight.Do(lesson.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
		defer cancel()
		return fc.load(ctx, lesson)
	})
	if err != nil {
		if f != nil && now.Sub(f.read) < factsStale && !errors.Is(err, database.ErrNotFound) {
			return f, nil
		}
		return nil, err
	}
	fresh := v.(*facts)
	fc.mu.Lock()
	defer fc.mu.Unlock()
	if len(fc.known) >= maxFacts {
		clear(fc.known)
	}
	fc.known[lesson] = fresh
	return fresh, nil
}

// Air returns when students could see a lesson, as pages turn instants into places of the programme: in Unix
// milliseconds, 0 for an end that has not come. It asks the database once a second, however many pages ask.
func (a *Attendance) Air(ctx context.Context, lesson media.ID) ([][2]int64, error) {
	f, err := a.facts.get(ctx, lesson, a.now())
	if err != nil {
		return nil, err
	}
	air := make([][2]int64, len(f.air))
	for i, iv := range f.air {
		air[i] = [2]int64{int64(database.At(iv.From)), int64(database.At(iv.Until))}
		if iv.Open {
			air[i][1] = 0
		}
	}
	return air, nil
}

func (a *Attendance) loadFacts(ctx context.Context, lesson media.ID) (*facts, error) {
	f := &facts{read: a.now()}
	var err error
	if f.lesson, err = a.lessons.Find(ctx, lesson); err != nil {
		return nil, err
	}
	if f.air, err = lessons.AirOf(ctx, a.db.Reader(), lesson); err != nil {
		return nil, err
	}
	co, err := a.courses.Course(ctx, f.lesson.CourseID)
	if err != nil {
		return nil, err
	}
	f.policy, err = ParsePolicy(a.accounts.School().Policy, co.Policy)
	return f, err
}
