package attendance

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// A student counts as here until two beats, jitter included, have not come.
const hereFor = 40 * time.Second

// hereBoard knows for which lessons beats come, how the pages that sent them are doing, and what the studio was told last.
type hereBoard struct {
	mu      sync.Mutex
	lessons map[media.ID]*boardLine
}

type boardLine struct {
	course media.ID
	beat   time.Time
	pages  map[pageKey]pageNote
	told   lessons.HereNews
}

// pageKey names a page: what students call their views is theirs.
type pageKey struct {
	user media.ID
	view string
}

// pageNote is what the last beat of a page said.
type pageNote struct {
	at     time.Time
	state  State
	behind time.Duration // the teacher, while it plays
}

// maxPages bounds what the board remembers of one lesson; of more pages than that a part tells as much as all.
const maxPages = 20_000

func newHereBoard() *hereBoard { return &hereBoard{lessons: map[media.ID]*boardLine{}} }

func (b *hereBoard) note(f *facts, user media.ID, beat Beat, now time.Time) {
	edge := Union(f.class(now).Air...).Intersect(Set{{0, database.At(now)}}).Length()
	note := pageNote{at: now, state: beat.State, behind: max(0, edge-beat.Pos)}
	l := f.lesson
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.lessons[l.ID]
	if line == nil {
		line = &boardLine{course: l.CourseID, pages: map[pageKey]pageNote{}}
		b.lessons[l.ID] = line
	}
	line.beat = now
	key := pageKey{user, beat.View}
	before, known := line.pages[key]
	if !beat.Placed { // the media has just changed: what the page said last is nearer than the beginning of the lesson
		note.behind = before.behind
	}
	if known || len(line.pages) < maxPages {
		line.pages[key] = note
	}
}

// watching counts the pages of a lesson by how they are doing, and forgets those that are gone.
func (b *hereBoard) watching(lesson media.ID, now time.Time) (playing, stalled int, behind time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.lessons[lesson]
	if line == nil {
		return 0, 0, 0
	}
	var delays []time.Duration
	for key, p := range line.pages {
		switch {
		case now.Sub(p.at) > hereFor:
			delete(line.pages, key)
		case p.state == Stalled:
			stalled++
		case p.state == Playing:
			delays = append(delays, p.behind)
		}
	}
	if len(delays) == 0 {
		return 0, stalled, 0
	}
	slices.Sort(delays)
	return len(delays), stalled, delays[(len(delays)-1)/2]
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
		var behind time.Duration
		n.Playing, n.Stalled, behind = a.here.watching(id, a.now())
		n.BehindMS = int(behind.Round(100 * time.Millisecond).Milliseconds())
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
