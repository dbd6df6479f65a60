package main

import "time"

// buffer is what a player has and has not shown yet. It is pure: the playhead moves with the clock while there is
// something to show, and stands still while there is not.
type buffer struct {
	began time.Time // when playing began; zero before
	empty time.Time // when it will have shown everything
}

// begin starts to play with so much in the buffer.
func (b *buffer) begin(now time.Time, have time.Duration) {
	b.began, b.empty = now, now.Add(have)
}

// add puts more into the buffer. When it had run dry, stalled says since when.
func (b *buffer) add(now time.Time, more time.Duration) (stalled time.Time, dry bool) {
	if dry = now.After(b.empty); dry {
		stalled = b.empty
		b.empty = now
	}
	b.empty = b.empty.Add(more)
	return stalled, dry
}

// within returns how much of from–to lies in a window whose end is open.
func within(from, to, window time.Time) time.Duration {
	if window.IsZero() {
		return 0
	}
	if from.Before(window) {
		from = window
	}
	return max(to.Sub(from), 0)
}
