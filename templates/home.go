package templates

import "time"

// Home is the first page after signing in; who the viewer is decides its words. The lists hold what is
// not in Current.
type Home struct {
	Page
	Rehearsal *Rehearsal    // a stream of the viewer's that belongs to no lesson; nil without one
	Current   *Lesson       // the one big card: on air, or next today; nil when there is none
	Today     []Lesson      // in order of start
	Away      []Lesson      // were meant for today and moved to another day
	Week      []Lesson      // the six days after today
	Missed    []Lesson      // for students: ended, not attended, can be watched
	Review    []Review      // for staff: registers that need a look
	Courses   []CourseCount // all courses of the viewer
	Day       *SchoolDay    // for admins
}

// Rehearsal is a stream that nobody but its teacher sees, because no lesson is due, or several are.
type Rehearsal struct {
	Due     []Lesson      // begin at the same time: which one is it?
	Courses []CourseCount // where it can become an unplanned lesson: POST /courses/{ID}/begin
}

// SchoolDay is the day of the whole school in a few numbers.
type SchoolDay struct {
	Lessons  int
	OnAir    int
	Watching int           // students in class right now
	Troubles []TodayLesson // what needs somebody
}

// Review is a closed register with something in it for a teacher to decide.
type Review struct {
	LessonID   string
	Title      string
	Course     string
	Start      time.Time
	Absent     int
	Partial    int
	Unresolved int // attempts to join that failed
}

// CourseCount is one course in a list.
type CourseCount struct {
	ID       string
	Code     string
	Title    string
	Role     string // teacher, assistant, student or admin
	Students int
	Next     time.Time // zero: nothing planned
}
