package templates

import "time"

// Matrix is a course at one glance: students in rows, lessons in columns.
type Matrix struct {
	Page
	CourseID  string
	Code      string
	Course    string
	From, To  time.Time // both days included
	Policy    Policy
	Lessons   []MatrixLesson // in order of start
	Rows      []MatrixRow    // in order of family name
	Legend    []Mark
	MayExport bool
}

// MatrixLesson is one column, and its total.
type MatrixLesson struct {
	ID       string
	Title    string
	Day      time.Time
	Rated    bool
	PctTenth int
}

// MatrixRow is one student.
type MatrixRow struct {
	UserID    string
	Name      string
	StudentID string
	Group     string
	Marks     []Mark // one for each lesson; empty where the enrollment does not cover it
	Standing
}

// Mark is a status as a letter, so that nobody needs the color.
type Mark struct {
	Status string
	Code   string
}

// Standing is how somebody did over several lessons: counts beside the rate.
type Standing struct {
	Held, Present, Late, LeftEarly, Partial, Absent, Excused, MadeUp int
	Rated                                                            bool // else there is nothing to take a percentage of
	PctTenth                                                         int
}

// Registers is every register of the school through one filter.
type Registers struct {
	Page
	From, To                         time.Time // both days included
	Course, Teacher, Student, Status string    // what was asked for; empty for all
	Below                            int       // percent; 0 for all
	Limit                            int       // what below means
	BelowCount                       int       // students under the limit in at least one of Rows
	Query                            string    // the filter as an address carries it, for exports
	AllCourses, Teachers             []Choice
	Statuses                         []string
	Weeks                            []time.Time // Mondays
	Together                         []WeekMark  // the courses together, one for each week
	Courses                          []CourseWeeks
	Rows                             []StudentStanding
}

// MissedOver is the limit said the other way round: who is below 80 % has missed more than 20 %.
func (r Registers) MissedOver() int { return 100 - r.Limit }

// Choice is one entry of a select.
type Choice struct{ ID, Name string }

// CourseWeeks is one course over the weeks, all students together.
type CourseWeeks struct {
	ID, Code, Title string
	Lessons         int
	Weeks           []WeekMark
	Standing
}

// WeekMark is one week of a course.
type WeekMark struct {
	Lessons  int
	Rated    bool
	PctTenth int
}

// StudentStanding is one student in one course.
type StudentStanding struct {
	UserID, Name, Family, Given, StudentID string
	CourseID, CourseCode                   string
	Standing
}

// Shade is which of five fields of a heat map a rate belongs to: 0 is the worst.
func Shade(tenths int) int {
	switch {
	case tenths < 500:
		return 0
	case tenths < 700:
		return 1
	case tenths < 800:
		return 2
	case tenths < 900:
		return 3
	}
	return 4
}
