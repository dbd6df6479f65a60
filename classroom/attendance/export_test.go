package attendance

import "context"

// Waiting returns how many beats are in the queue.
func (r *Recorder) Waiting() int { return len(r.queue) }

// CloseDue is one round of the closer.
func (a *Attendance) CloseDue(ctx context.Context) error { return a.closeDue(ctx) }
