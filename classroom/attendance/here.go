package attendance

import (
	"context"
	"errors"
	"sync"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// A student counts as here until two beats, jitter included, have not come.
const hereFor = 40 * time.Second

// hereBoard knows for which lessons beats come, and what the studio was told last.
type hereBoard struct {
	mu      sync.Mutex
	lessons map[media.ID]*boardLine
}

type boardLine struct {
	course media.ID
	beat   time.Time
	told   lessons.HereNews
}

func newHereBoard() *hereBoard { return &hereBoard{lessons: map[media.ID]*boardLine{}} }

func (b *hereBoard) note(l lessons.Lesson, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.lessons[l.ID]
	if line == nil {
		line = &boardLine{course: l.CourseID}
		b.lessons[l.ID] = line
	}
	line.beat = now
}

// active returns the lessons with a beat not long ago, and forgets the others: by then nobody is here, and the
// studio has been told so.
func (b *hereBoard) active(now time.Time) map[media.ID]boardLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := make(map[media.ID]boardLine, len(b.lessons))
	for id, line := range b.lessons {
		if now.Sub(line.beat) > 3*hereFor {
			delete(b.lessons, id)
			continue
		}
		lines[id] = *line
	}
	return lines
}

func (b *hereBoard) tell(lesson media.ID, n lessons.HereNews) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.lessons[lesson]
	if line == nil || line.told == n {
		return false
	}
	line.told = n
	return true
}

// Here returns the students of a lesson whose class page is open now.
func (a *Attendance) Here(ctx context.Context, lesson media.ID) ([]media.ID, error) {
	return hereSince(ctx, a.db.Reader(), lesson, database.At(a.now().Add(-hereFor)))
}

// tellHere tells the studios how many students are in class, when the number changed.
func (a *Attendance) tellHere(ctx context.Context) error {
	var errs []error
	for id, line := range a.here.active(a.now()) {
		users, err := a.Here(ctx, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		members, err := a.courses.Members(ctx, line.course)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n := lessons.HereNews{Here: len(users)}
		for _, m := range members {
			if m.Role == courses.Student {
				n.Enrolled++
			}
		}
		if a.here.tell(id, n) {
			a.lessons.TellHere(id, n)
		}
	}
	return errors.Join(errs...)
}
