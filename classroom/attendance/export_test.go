package attendance

// Waiting returns how many beats are in the queue.
func (r *Recorder) Waiting() int { return len(r.queue) }
