package templates

import "time"

// Page is what every page has. The zero value is a page for somebody who is not signed in.
type Page struct {
	School string    // the school's name
	Viewer *Viewer   // nil when nobody is signed in
	Here   string    // which entry of the menu this page is: home, today, attendance, settings, or empty
	Path   string    // where the reader is, to come back to after signing in
	Flash  []Flash   // what the last action did, said once
	Now    time.Time // the moment the page was made, in the reader's zone
}

// Viewer is the signed-in person.
type Viewer struct {
	ID      string
	Name    string
	Admin   bool
	Teaches bool // is teacher or assistant of some course
	Studies bool // is a student of some course
}

// Flash is a sentence about what just happened. Key is a catalogue key, Data fills its placeholders.
type Flash struct {
	Kind string // good, info or bad
	Key  string
	Data map[string]any
}

// Person is somebody in a list.
type Person struct {
	ID        string
	Name      string
	StudentID string
	Group     string
	State     string // here, absent, left; empty when it does not matter
}

// The states of a lesson, as the database and the API name them.
const (
	Planned     = "planned"
	Open        = "open" // from 30 min before the start; the studio is open
	Live        = "live"
	Interrupted = "interrupted"
	Ended       = "ended"
	Closed      = "closed" // ended, and its register is frozen
	Cancelled   = "cancelled"
)

// Lesson is a lesson as a card or a heading shows it.
type Lesson struct {
	ID         string
	Title      string
	CourseID   string
	CourseCode string
	Course     string
	Teachers   []string
	State      string
	Start, End time.Time // planned, in the reader's zone
	// CourseStart and CourseEnd are the same instants in the course's zone: shown too where the clocks differ.
	CourseStart, CourseEnd time.Time
	LiveSince              time.Time // zero when it was never on air
	Late                   bool      // the start has passed and nobody has gone live
	Staff                  bool      // the reader teaches it: cards lead to the studio
	Replay                 bool      // it can be watched again
	Result                 *Result   // the reader's own, where there is one
	Here, Enrolled         int       // for staff and admins
	MovedFrom              time.Time // the start that students knew first; zero when it was not moved
	Note                   string    // why it is cancelled, in the teacher's own words
}

// Result is a student's own figures of one lesson.
type Result struct {
	Status   string        // a status of the register: present, late, left_early, partial, absent, excused, pending, not_held
	Counted  time.Duration // attending time inside the counted window
	Window   time.Duration // length of the counted window
	PctTenth int           // counted of window in tenths of a percent
	Joined   time.Time
	Left     time.Time
	Late     time.Duration
	Early    time.Duration
	MadeUp   bool
}

// Policy is the numbers of the rule that decides a register, for the sentence that explains it.
type Policy struct {
	PresentAt   int           // percent
	AbsentBelow int           // percent
	LateAfter   time.Duration // more than this is late
	EarlyBefore time.Duration
	Bridge      time.Duration // gaps up to this are closed
	OutageMerge time.Duration // outages up to this belong to the lesson
	MakeupPct   int           // percent of the programme that make a missed lesson up
	MakeupDays  int           // how long that is possible; 0 is never
}

// Span is a half-open interval.
type Span struct{ From, To time.Time }
