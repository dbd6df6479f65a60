package templates

import "time"

// Timetable is where the staff of a course plan its lessons. Forms: POST /courses/{CourseID}/begin {title}, POST
// /series/{ID}/prolong {until}, POST /lessons/{ID}/restore {together}.
type Timetable struct {
	Page
	CourseID  string
	Code      string
	Course    string
	Zone      string          // IANA name; all times on this page are of this zone
	Publishes bool            // may begin an unplanned lesson
	Lessons   []PlannedLesson // in order of start
	Series    []Series
}

// PlannedLesson is a lesson as those see it who plan.
type PlannedLesson struct {
	Lesson
	Editable   bool // not held yet
	Restorable bool // cancelled, and its time has not passed
	Together   int  // how many on this page were cancelled with it, itself included
}

// Series is a weekly series that goes on.
type Series struct {
	ID          string
	Title       string
	Weekdays    []time.Weekday
	Start, End  string // on the clock
	First, Last time.Time
}

// LessonForm plans a lesson or a weekly series of them, or changes what is planned. It is sent with GET for a
// preview, which changes nothing, and with POST to Action. Fields: title, date, start, end, second; for new ones
// repeat, weekday (several), weeks, until; for those of a series scope.
type LessonForm struct {
	Page
	CourseID string
	Code     string
	Course   string
	Zone     string
	LessonID string // empty: a new one
	Action   string // POST
	Look     string // GET
	Title    string // the fields as they were typed
	Date     string
	Start    string
	End      string
	Second   string // first, second; empty: not said
	Repeat   string // once, weekly
	Weekdays []WeekdayChoice
	Weeks    string
	Until    string
	InSeries bool
	Scope    string            // one, later, all
	Errors   map[string]string // field → catalogue key
	Max      int               // for the sentence of an error
	Preview  *Preview          // nil: not asked for yet
}

// WeekdayChoice is one box to tick.
type WeekdayChoice struct {
	Day time.Weekday
	On  bool
}

// Preview is what a form leads to.
type Preview struct {
	Dates   []PlannedDate
	Twice   *PlannedDate // a time that clocks show twice: the form asks which is meant
	Clashes int          // of Dates
}

// PlannedDate is one lesson that would be.
type PlannedDate struct {
	Start, End time.Time // in the course's zone
	Offset     string    // UTC+02:00, when the clocks have changed since the date before
	Skipped    string    // the time that was asked for, when clocks skip it
	Twice      bool      // clocks show the time twice
	Clashes    []string  // titles of lessons of the same teacher at this time
}
