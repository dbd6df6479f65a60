package templates

import "time"

// Recount is what counting a closed register again by today's policy would change. Its form: POST to its own address.
type Recount struct {
	Page
	Lesson      Lesson
	Version     int // of the register as it is
	ClosedAt    time.Time
	Then, Today Policy
	SamePolicy  bool
	Students    int
	Rows        []RecountRow // those that would be another
}

// RecountRow is one student.
type RecountRow struct {
	Name          string
	StudentID     string
	Before, After string // statuses; before is empty for who had no row
	CountedBefore time.Duration
	CountedAfter  time.Duration
}
