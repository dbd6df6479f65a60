package templates

import "time"

// Today is the admin's board: every lesson of the day on one time line, what needs somebody first.
type Today struct {
	Page
	Lessons     []TodayLesson // in order of start; the page lifts late and missing ones to the top
	Watching    int           // students in class right now, all lessons together
	StoredBytes int64
	FreeBytes   int64 // of the disk; negative when the store does not tell
	MailQueued  int
}

// TodayLesson is one row of the board.
type TodayLesson struct {
	Lesson
	Trouble string // catalogue key below today.trouble: late, missing, interrupted, unhealthy, storage; empty when all is well
	Since   time.Time
}
