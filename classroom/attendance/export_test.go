package attendance

import (
	"context"
	"time"

	"chalkcast/media"
)

// Waiting returns how many beats are in the queue.
func (r *Recorder) Waiting() int { return len(r.queue) }

// CloseDue is one round of the closer.
func (a *Attendance) CloseDue(ctx context.Context) error { return a.closeDue(ctx) }

// Watching counts the pages of a lesson by how they are doing.
func (a *Attendance) Watching(lesson media.ID) (playing, stalled int, behind time.Duration) {
	return a.here.watching(lesson, a.now())
}
