// Package chat is what a class says while a lesson runs: chat, questions to the teacher, raised hands and polls. All
// of it lies in the lesson's room.
//
//	page ── POST ──► limits ─► writer (group commit, one number of the room for each change) ─► rows
//	                                                                                             │ wake
//	page ◄─ the lesson's event stream ◄─ Listener ◄─ Frame ◄─ hub (at most every 250 ms) ◄───────┘
//
// Rows are the truth. Every change takes the next number of its room (rev), in the transaction that makes it, and
// each row holds the number of its last change. So what a page missed is what has a higher number than it saw, and a
// page that comes back names that number as Last-Event-ID. News is put in, not played back: an item that comes twice
// changes nothing.
//
// The hub reads what changed since its last frame and renders it once for everybody, once for staff, and for each
// author what only they may see besides. Listeners walk a linked list of frames at their own pace: nobody waits for a
// slow one, and one that lags too far is sent away, to come back and read. A page that missed a little is served
// from the frames still held, so that a class that comes back all at once asks the database nothing.
//
// Who sees what is decided in one place, visible.go: a private message and a question reach staff and their author,
// and nobody else before staff pins the question; then it is shown without a name. A hand shows its place in line to
// everybody and its owner to staff. The counts of an open poll are for staff.
//
// Text is data: one line of at most 500 characters and 2 KiB, NFC, without controls; pages put it in as text, isolated
// from its surroundings. It is never logged. What moderators do has its audit line, without the text.
//
// Bounds: the writer's queue (full: Busy), messages of one student and of all students of a room (beyond: TooMany, and
// the page keeps the text), hands in line, frames held. Chat shares with attendance only the database, in which it
// takes one transaction at most every 100 ms; with media it shares nothing.
//
// Run owns two goroutines, the writer and the hub. The mutexes of the limiter and of the hub are held for lines, never
// across a query, and do not nest.
package chat
