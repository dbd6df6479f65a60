// Package courses knows which courses there are and who takes part in them as what. It answers the question that
// every page of a course begins with:
//
//	a, err := f.Check(ctx, web.MustViewer(c), courseID, courses.EditSchedule)
//
// which is NotFound for who may not know that the course exists, and Forbidden for who may know, but not do this. Both
// leave a line in the audit log, at most one a minute for each person and course.
//
// Nobody reads a course, or what hangs on one, by a bare id: first comes Check, or Access. What a role may do is the
// table in access.go, and nowhere else.
//
// An enrollment is a person in a course with a role, from an instant until another; it covers half-open [from,
// until). One runs at a time for each person and course, those that ended stay for the registers. Changing a role
// ends one and begins the next.
//
// Access reads the whole class on the first question about a course and keeps it for half a minute: 300 students
// who come at 09:00 are one query, not 300. A change on this node is seen at once, one on another node within that
// half minute. Ended tells the parts that hold on to a right (playback tickets) that somebody lost theirs.
//
// People come in three ways: enrolled one by one, by a class code, by a class list.
//
//	code  ─ Invited (guesses are counted) ─► Join or SignUp ─► a row in waiting ─► Answer ─► an enrollment
//	file  ─ roster.Read ─► ImportRoster, dry: a report ─► the same for good, in one transaction
//
// Who waits is not in the course: no enrollment, no rights. A list is applied whole or not at all, plans anew inside its
// transaction, and a school takes one at a time: on one node they wait for each other here, on several for a row.
// What a page queues stays queued until the transaction that applies it says that it is done, so it happens once,
// whatever dies meanwhile.
//
// Run applies what is queued and forgets uploads after a day; it is the only goroutine. All functions are safe for
// concurrent use. One mutex guards the cached classes, one what is known of the progress of imports; neither is held
// across a query, and they never nest.
package courses
