package templates

import "time"

// Register is the attendance record of one lesson: the picture, then the table.
type Register struct {
	Page
	Lesson     Lesson
	ClosesAt   time.Time // zero once it is closed
	ClosedAt   time.Time // zero before
	NotHeld    bool      // nothing counts: it was never live, or nobody knows any more who was there
	Outside    bool      // held outside its schedule
	Window     Span      // what counts
	Counted    time.Duration
	Air        []Span // when students could see it
	Policy     Policy
	Rows       []RegisterRow // in order of family name
	Counts     []StatusCount // how many of each status, in the order of the legend
	MayCorrect bool
	MayExport  bool
	Show       string   // only rows of this status; empty for all
	Awaited    []Person // while it is on air: whose page has not been heard of
	Editable   bool     // the reader may set statuses now
	Choices    []string // statuses to set
	Reasons    []string // catalogue keys below reason
	Done       []string // students the reader corrected a moment ago: one press takes it back
}

// Shows reports whether a row is among those of a status.
func (r RegisterRow) Shows(status string) bool {
	return status == "" || r.Status == status && !r.MadeUp || status == "made_up" && r.MadeUp
}

// StatusCount is one entry of the legend.
type StatusCount struct {
	Status string
	N      int
}

// RegisterRow is one enrolled student.
type RegisterRow struct {
	UserID    string
	StudentID string // the school's number
	Name      string
	Family    string
	Given     string
	Email     string
	Group     string
	Result
	Played      time.Duration
	Visits      []Span // attending, gaps up to the bridge closed
	Devices     int
	CoveredPct  int // tenths of a percent of the programme seen, live or replayed
	Attempts    []FailedAttempt
	Corrected   bool
	CorrectedBy string
	Computed    string // the status before a correction
	Reason      string // catalogue key below reason
	Note        string
}

// FailedAttempt is a try to join that did not work, kept because it was a try.
type FailedAttempt struct {
	At     time.Time
	Reason string // code of the message table: server_busy, too_early, …
}
