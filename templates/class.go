package templates

import "time"

// Class is the page where a student is in class: before, waiting, live, interrupted, ended, replay and
// cancelled are states of this one page, and the script moves between them without a reload.
type Class struct {
	Page
	Lesson         Lesson
	Beats          bool          // the viewer is a student of the course: attendance is counted
	Staff          bool          // the viewer sees what only staff may see
	Writes         bool          // the viewer may take part in the chat
	Counted        time.Duration // so far, when the viewer was here before
	Policy         Policy
	InterruptedAt  time.Time // when the encoder was lost, in state interrupted
	LatencyTarget  time.Duration
	AudioOnlyFirst bool // the reader's setting: start without the picture
}
