package templates

// MyAttendance is a student's own record, with the rule that made it.
type MyAttendance struct {
	Page
	Of      string // the student's name, when somebody else reads it
	Courses []MyCourse
}

// MyCourse is one course of a student.
type MyCourse struct {
	ID      string
	Code    string
	Title   string
	Policy  Policy
	Rate    CourseRate
	Lessons []MyLesson // latest first
}

// MyLesson is one lesson of a student: the figures, and the bar of own intervals on the lesson's bar.
type MyLesson struct {
	Lesson
	Result Result
	Window Span
	Air    []Span
	Visits []Span
}
