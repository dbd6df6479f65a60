package templates

import "time"

// CorrectionImport takes a file of corrections and shows what it would change. Its forms go to its own address: the file
// as multipart {file, reason}, then urlencoded {text, reason} to do it.
type CorrectionImport struct {
	Page
	LessonID   string
	Title      string
	CourseCode string
	Day        time.Time
	Reasons    []string // catalogue keys below reason
	Reason     string   // the chosen one
	Error      string   // why the file cannot be read, as a sentence
	Read       bool     // a file was read, and this is what it says
	Text       string   // of the file
	Changes    []ImportChange
	Problems   []ImportProblem
	Unchanged  int
}

// ImportChange is one student who would get another status.
type ImportChange struct {
	Name, StudentID string
	From, To        string
	Note            string
}

// ImportProblem is a line that has to be mended first.
type ImportProblem struct {
	Line int
	Text string
}
