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
// All functions are safe for concurrent use. No goroutines. One mutex guards the cached classes; it is not held
// across a query.
package courses
