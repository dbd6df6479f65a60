package courses

import (
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
)

// Permission is one thing that somebody may or may not do in a course.
type Permission string

const (
	See             Permission = "see"              // that the course exists, its page and its lessons
	Edit            Permission = "edit"             // the course itself, its policy, its join code
	EditSchedule    Permission = "edit schedule"    // plan, move and cancel lessons
	Enroll          Permission = "enroll"           // students in and out
	AppointStaff    Permission = "appoint staff"    // teachers and assistants in and out
	SeeMembers      Permission = "see members"      // the list of students with their addresses
	Publish         Permission = "publish"          // stream, go live, end a lesson
	SeeStudio       Permission = "see studio"       // health, who is here, chat as staff sees it
	RunStudio       Permission = "run studio"       // hands, questions, moderation
	Watch           Permission = "watch"            // live and replay
	TakePart        Permission = "take part"        // chat, hand, poll; and be counted
	SeeRegister     Permission = "see register"     // of everybody; one's own needs only See
	CorrectRegister Permission = "correct register" //
	ExportRegister  Permission = "export register"  //
	SeeAudit        Permission = "see audit"        //
)

// who says who has each permission. An admin has those of the first column everywhere, beside what their own
// enrollment gives.
var who = map[Permission]struct{ admin, teacher, assistant, student bool }{
	See:             {true, true, true, true},
	Edit:            {true, true, false, false},
	EditSchedule:    {true, true, true, false},
	Enroll:          {true, true, true, false},
	AppointStaff:    {true, true, false, false},
	SeeMembers:      {true, true, true, false},
	Publish:         {false, true, true, false}, // an admin only as staff of the course
	SeeStudio:       {true, true, true, false},
	RunStudio:       {false, true, true, false},
	Watch:           {true, true, true, true},
	TakePart:        {false, true, true, true},
	SeeRegister:     {true, true, true, false},
	CorrectRegister: {true, true, false, false},
	ExportRegister:  {true, true, false, false},
	SeeAudit:        {true, true, false, false},
}

// Access is who a viewer is in a course. Having one means that the viewer may know the course.
type Access struct {
	Course Course
	Viewer *web.Viewer
	Role   Role   // of the running enrollment; empty for an admin who is not in the course
	Member Member // the enrollment; zero without one
}

// May reports whether the viewer has a permission.
func (a Access) May(p Permission) bool {
	w := who[p]
	switch {
	case a.Viewer.Admin && w.admin:
		return true
	case a.Role == Teacher:
		return w.teacher
	case a.Role == Assistant:
		return w.assistant
	case a.Role == Student:
		return w.student
	}
	return false
}

// Check is a fault when the viewer does not have a permission, or the course is archived and p would change it.
func (a Access) Check(p Permission) error {
	if !a.May(p) {
		return fault.Forbidden("")
	}
	if (p == EditSchedule || p == Enroll || p == AppointStaff) && !a.Course.ArchivedAt.IsZero() {
		return fault.Conflict("course.archived")
	}
	return nil
}
