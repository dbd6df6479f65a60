package courses

import (
	"context"
	"time"
)

// What the tests in package courses_test hold against the schema and the rules.
func Models() []any {
	return []any{&courseRow{}, &enrollmentRow{}, &codeRow{}, &waitingRow{}, &signUpRow{}, &rosterRow{}, &turnRow{}}
}

func NewCode() string { return newCode() }

// WorkOff does what Run does when it looks for queued rosters.
func (f *Courses) WorkOff(ctx context.Context) { f.workOff(ctx) }

func (f *Courses) SweepRosters(ctx context.Context, now time.Time) { f.sweepRosters(ctx, now) }

func CountPermissions() int { return len(who) }
