package templates

// Course is a course with its lessons.
type Course struct {
	Page
	ID       string
	Code     string
	Title    string
	Term     string
	Zone     string // IANA name
	Role     string // of the viewer: teacher, assistant, student or admin
	Staff    []Person
	Students []Person // only for staff and admins
	Coming   []Lesson // in order of start
	Past     []Lesson // latest first
	Rate     *CourseRate
}

// CourseRate is a student's own attendance over a course, counts beside the rate.
type CourseRate struct {
	Held, Present, Late, LeftEarly, Partial, Absent, Excused, MadeUp int
	PctTenth                                                         int // tenths of a percent
}
