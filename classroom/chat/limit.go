package chat

import (
	"sync"
	"time"

	"chalkcast/media"
)

// A budget allows burst at once, and one more every each.
type budget struct {
	burst int
	each  time.Duration
}

var (
	// Whatever one person does in a room, moderators included.
	actBudget = budget{30, 500 * time.Millisecond}
	// Messages and questions of one student.
	sayBudget = budget{4, 2 * time.Second}
	// Messages of all students of a room: nobody reads more than 20 a second.
	roomBudget = budget{20, 50 * time.Millisecond}
)

// maxLimits bounds the memory of the limiter; what is forgotten early only allows a little more.
const maxLimits = 100_000

type limitKey struct {
	lesson, user media.ID // no user: the room
	say          bool
}

// limiter keeps for each key until when its budget is spent (the generic cell rate algorithm).
type limiter struct {
	mu    sync.Mutex
	spent map[limitKey]time.Time
}

func newLimiter() *limiter { return &limiter{spent: map[limitKey]time.Time{}} }

// take spends one of each budget, or nothing and returns how long until it could.
func (l *limiter) take(now time.Time, budgets map[limitKey]budget) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := make(map[limitKey]time.Time, len(budgets))
	for k, b := range budgets {
		until := l.spent[k]
		if until.Before(now) {
			until = now
		}
		next[k] = until.Add(b.each)
		wait = max(wait, next[k].Sub(now)-time.Duration(b.burst)*b.each)
	}
	if wait > 0 {
		return wait
	}
	if len(l.spent) >= maxLimits {
		for k, until := range l.spent {
			if until.Before(now) {
				delete(l.spent, k)
			}
		}
		if len(l.spent) >= maxLimits {
			clear(l.spent)
		}
	}
	for k, until := range next {
		l.spent[k] = until
	}
	return 0
}
