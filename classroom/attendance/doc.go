// Package attendance keeps the register of a lesson: who was there, for how long, and how that is known. The rule
// it follows is docs/attendance.md.
//
//	page ── beat ──► View.Take (credit) ──► Recorder (group commit) ──► views, intervals
//	                                                                        │
//	lesson: plan, air ── Class.Window ──► Class.Measure ◄───────────────────┘
//	                                           │
//	policy, corrections ──► Figures ──► status ──► register rows (frozen by the Closer)
//
// The core computes on values and reads no clock, database or socket: interval.go (sets of half-open intervals),
// credit.go (what one beat earns), policy.go (the numbers), tally.go (intervals and air to figures and a status).
// Everything in it is integers; what a register prints, whole seconds, is also what it decides by.
//
// Promises. A beat that was answered is committed. A number counts once, whatever is repeated, reordered or sent
// again across a restart. Nobody earns more than wall time, nothing is earned in a silence of more than 90 s, and
// two devices are one student. A closed register never changes: what comes later lies on top (corrections, made
// up) or makes a new version (recompute).
//
// A page that was open when the lesson ended stays live until the register closes, because it plays on what it has
// buffered; a page that is opened later is replay. Run owns three goroutines: the Recorder, the closer and the one
// that tells studios who is here. Between them stand two mutexes, of the fact cache and of the board of who is
// here; neither is held across a query and they do not nest.
package attendance
