// Package lessons knows when a class is meant to be, when it really is on air, and whose encoder shows it.
//
//	encoder ─ Admit ─► key → teacher → the lesson that is due, or rehearsal
//	        ─ Started, Health (each second), Ended ─► runs in memory ─► Run writes what changed
//	teacher ─ GoLive, Extend, End ─► lesson row + air intervals ─► push: state, health
//	staff   ─ Create, Change, CallOff, Restore, Prolong ─► series (the rule) + lesson rows a term ahead
//	register ◄─ Find, AirOf, Due, Close
//	restored school ─ Recall, Adopt ─► lesson rows of recordings that were forgotten
//
// In: attempts and health of encoders (package media), orders of teachers. Out: grants and refusals, the state of
// each lesson, and its air intervals: the spans during which students could really see it. The register is
// counted against those, so they are kept true through every fault: an interval that is open carries seen_at,
// refreshed every 5 s, and whoever finds it open without an encoder (a restarted server) closes it there.
//
// The words: a lesson has a plan (local date and times, IANA zone) or none; a broadcast is one unbroken run of one
// encoder; five seconds of silence end an air interval, never the lesson. Only End, or 60 min without packets
// after the planned end, ends a lesson. More time (Extend) moves when pages and keys expire; the register counts
// against the plan as students knew it.
//
// A weekly series is a rule; its lessons are rows of their own, made a term ahead when it is planned and by the clock
// of Run from then on. A row remembers the day of the rule that it stands for, and a unique index gives a day of a
// series one lesson, so the clock may be stopped anywhere and done again. A lesson that was changed by itself is left
// alone by what is done to its series; one that was held is left alone by everything. Whoever changes the rest of a
// series gives it a rule of its own.
//
// Promises. The Gate methods never wait for the database except Admit, which must. State changes are compare-and-swap
// on the row, so two browsers, a ticker and a second node cannot disagree; a unique index allows one open
// interval per lesson. The goroutine of Run owns all writing that follows the encoder; it can be stopped at any
// line and started again on the same data.
//
// One mutex guards the runs in memory; it is held for lines and never across a query.
package lessons
