package templates

import "time"

// Courses is the list of courses: all of them for an admin, one's own for everybody else.
type Courses struct {
	Page
	Terms     []TermCourses
	Asked     []string // courses that the reader waits to be let into
	Archived  bool     // these are the archived ones
	Others    int      // archived ones, or running ones where these are archived
	MayCreate bool
}

// TermCourses is the courses of one term.
type TermCourses struct {
	Term    string // empty for those without one
	Courses []ListedCourse
}

// ListedCourse is one line of the list.
type ListedCourse struct {
	ID, Code, Title string
	Teachers        []string
	Role            string // of the reader: teacher, assistant, student or admin
	Students        int
	Waiting         int // people who asked to join, for those who let them in
}

// CourseForm makes a course, or changes one.
type CourseForm struct {
	Page
	ID       string // empty: a new one
	Code     string
	Title    string
	Term     string
	Zone     string // IANA name
	AutoLive bool
	Archived bool
	Terms    []string          // that other courses have
	Errors   map[string]string // field to catalogue key
}

// CoursePeople is everybody in a course, for those who enroll.
type CoursePeople struct {
	Page
	ID, Code, Title string
	Archived        bool
	MayAppoint      bool // makes and removes staff
	Staff           []Enrolled
	Students        []Enrolled // in order of family name
	Left            []Enrolled // the last first
	LeftMore        int        // not shown
	Waiting         []Applicant
	Who, Role       string // what was typed when Error says that it did not work
	Group, From, To string
	Error           string // catalogue key
}

// Enrolled is somebody in a course.
type Enrolled struct {
	UserID, Name, Family, Given string
	StudentID, Email, Group     string
	Role                        string
	From                        time.Time
	Until                       time.Time // zero while nobody has said how long
	Fixed                       bool      // not the reader's to change
}

// Applicant is somebody who asked to join.
type Applicant struct {
	UserID, Name, Email string
	Asked               time.Time
}

// Join is where somebody comes in with a class code. Without a course it asks for the code.
type Join struct {
	Page
	Code     string // as it was typed
	Course   string
	CourseID string
	Short    string // the course's code
	Teachers []string
	Standing string            // outside, waiting or inside
	Error    string            // catalogue key
	Name     string            // what was typed in the form
	Email    string            //
	Errors   map[string]string // field to catalogue key
}

// RosterUpload is where a class list is uploaded.
type RosterUpload struct {
	Page
	ID, Code, Title string
	Error           string // catalogue key
	Data            map[string]any
}

// RosterReview is what an uploaded class list would do.
type RosterReview struct {
	Page
	ID, Code, Title string
	Upload          string // names it in addresses
	File            string
	Encoding        string
	Encodings       []string
	Separator       string // comma, semicolon or tab
	Columns         []RosterColumn
	Counts          RosterCounts
	EndMissing      bool // was ticked before
	Mistakes        []RosterMistake
	MistakeCount    int
	New, Changed    []RosterLine // the first of them
	Gone            []Enrolled   // the first of the missing
}

// Usable reports whether the list can be applied and does something.
func (p RosterReview) Usable() bool {
	return p.MistakeCount == 0 && p.Counts.New+p.Counts.Changed+p.Counts.Missing > 0
}

// RosterColumn is a heading of a list and what it was taken for.
type RosterColumn struct{ Heading, Means string }

// RosterCounts is what a list does, in numbers.
type RosterCounts struct {
	New, Made, Changed, Unchanged, Missing, Ended, Kept int
}

// RosterMistake is a line that cannot be used.
type RosterMistake struct {
	Line   int
	Column string // empty for the whole line
	Key    string
	Data   map[string]any
}

// RosterLine is a line and who it is about.
type RosterLine struct {
	Line                                int
	Name, StudentID, Email, Group, Role string
}

// RosterState is a class list that is being brought in, or was.
type RosterState struct {
	Page
	ID, Code, Title string
	State           string // queued, done or failed
	Done, Total     int    // rows written, while it is queued; zeros when nobody knows
	Counts          RosterCounts
	Fault           string // catalogue key, when it failed
}
