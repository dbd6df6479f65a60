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
	Archived bool
	MayEdit  bool       // the course itself and its class code
	Enrolls  bool       // sees the people and lets them in
	Waiting  int        // people who asked to join, for those who enroll
	Join     *ClassCode // for those who may edit
}

// ClassCode is how students come into a course by themselves.
type ClassCode struct {
	Code    string // in two groups, empty when none was made yet
	URL     string // where it leads
	Open    bool
	Approve bool // who comes waits until the staff lets them in
	Max     int  // 0: no limit
	Uses    int
}

// CourseRate is a student's own attendance over a course, counts beside the rate.
type CourseRate struct {
	Held, Present, Late, LeftEarly, Partial, Absent, Excused, MadeUp int
	Rated                                                            bool // else there is nothing to take a percentage of
	PctTenth                                                         int  // tenths of a percent
}
