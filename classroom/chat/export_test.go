package chat

import "chalkcast/media"

// Models are held against the schema by a test.
func Models() []any {
	return []any{&roomRow{}, &messageRow{}, &questionRow{}, &handRow{}, &pollRow{}, &optionRow{}, &voteRow{}, &muteRow{}}
}

// FramesKept is how far a listener may lag.
const FramesKept = framesKept

// WriteQueue is how many changes may wait.
const WriteQueue = writeQueue

// Waiting is how many changes wait to be written.
func (f *Chat) Waiting() int { return len(f.writer.queue) }

// Lag makes a room look as if n more frames had been made.
func (f *Chat) Lag(lesson media.ID, n int64) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.hub.rooms[lesson].latest.Add(n)
}

// SpendRoom takes one message from what all students of a room may write.
func (f *Chat) SpendRoom(lesson media.ID) error {
	return f.spend("room", map[limitKey]budget{{lesson: lesson, say: true}: roomBudget})
}
