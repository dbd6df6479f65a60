package courses

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const (
	classTime  = 30 * time.Second // what another node may lag behind a change
	staleTime  = 10 * time.Minute // good enough while the database is away
	maxClasses = 2000
)

// class is a course with everybody who is or was in it. It is read-only once made.
type class struct {
	course  Course
	members []Member // by begin
	byUser  map[media.ID][]Member
	read    time.Time
}

// at returns what a person is at an instant.
func (c *class) at(user media.ID, t time.Time) (Member, bool) {
	for _, m := range c.byUser[user] {
		if m.Covers(t) {
			return m, true
		}
	}
	return Member{}, false
}

// classes keeps the classes that were asked for lately.
type classes struct {
	db     *database.DB
	flight singleflight.Group // one reading at a time for each course

	mu      sync.RWMutex
	known   map[media.ID]*class
	changes uint64 // what was read before a change may not be kept after it
}

// get returns a class. The error wraps database.ErrNotFound when there is no such course.
func (cs *classes) get(ctx context.Context, id media.ID, now time.Time) (*class, error) {
	c, changes := cs.fresh(id, now)
	if c != nil {
		return c, nil
	}
	// The first who asks reads for all that wait, so their going away must not end it; a change begins a new one.
	key := fmt.Sprintf("%v %d", id, changes)
	v, err, _ := cs.flight.Do(key, func() (any, error) {
		if c, _ := cs.fresh(id, now); c != nil { // the flight before this one landed just now
			return c, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		c, err := readClass(ctx, cs.db, id, now)
		if err == nil {
			cs.put(c, changes)
		}
		return c, err
	})
	if c := cs.stale(id, now); c != nil && database.Away(err) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return v.(*class), nil
}

// stale returns what was known of a class lately, for a time without a database.
func (cs *classes) stale(id media.ID, now time.Time) *class {
	cs.mu.RLock()
	defer cs.mu.RUnlock()
	if c := cs.known[id]; c != nil && now.Sub(c.read) < staleTime {
		return c
	}
	return nil
}

// fresh returns what is known of a class, nil for nothing or what is old, and the number to give to put.
func (cs *classes) fresh(id media.ID, now time.Time) (*class, uint64) {
	cs.mu.RLock()
	defer cs.mu.RUnlock()
	c := cs.known[id]
	if c == nil || now.Sub(c.read) >= classTime {
		return nil, cs.changes
	}
	return c, cs.changes
}

func (cs *classes) put(c *class, changes uint64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.changes != changes {
		return
	}
	if len(cs.known) >= maxClasses {
		clear(cs.known)
	}
	cs.known[c.course.ID] = c
}

// drop forgets a class that was changed.
func (cs *classes) drop(id media.ID) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.changes++
	delete(cs.known, id)
}

func readClass(ctx context.Context, db *database.DB, id media.ID, now time.Time) (*class, error) {
	r, err := courseByID(ctx, db.Reader(), id)
	if err != nil {
		return nil, fmt.Errorf("read course: %w", err)
	}
	c := &class{byUser: map[media.ID][]Member{}, read: now}
	if c.course, err = r.course(); err != nil {
		return nil, fmt.Errorf("read course: %w", err)
	}
	rows, err := membersOf(ctx, db.Reader(), id)
	if err != nil {
		return nil, fmt.Errorf("read enrollments: %w", err)
	}
	for _, row := range rows {
		m := row.member()
		c.members = append(c.members, m)
		c.byUser[m.User] = append(c.byUser[m.User], m)
	}
	return c, nil
}
