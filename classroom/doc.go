// Package classroom is the house that people enter: it puts the features together, lists what every address needs
// (routes.go) and holds the pages on which features meet.
//
//	home.go    what now? one card, today, this week
//	watch.go   the class page of a student, and how its player gets its address
//	studio.go  the teacher's side of a lesson
//	today.go   the admin's board of all lessons
//	api.go     lessons for scripts and programs · events.go what open pages are told
//
// New wires accounts, courses, lessons, attendance and reports to one database and one web server; what comes from
// the other wing (the origin, tickets, the media handler) arrives in Config. Handler is everything behind the HTTP
// door. Run runs the features' own goroutines until its context ends and has waited for them when it returns. The gate
// of the encoders' desk is Lessons.
//
// Rights stand beside the data (courses.Access); permissions_test.go walks every route as everybody.
package classroom
