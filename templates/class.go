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
	AudioOnlyFirst bool               // the reader's setting: start without the picture
	Seen           [][2]time.Duration // what of the lesson the reader has seen, from its beginning
}

// SeenS returns Seen for the script, in seconds.
func (c Class) SeenS() [][2]float64 {
	out := make([][2]float64, 0, len(c.Seen))
	for _, s := range c.Seen {
		out = append(out, [2]float64{s[0].Seconds(), s[1].Seconds()})
	}
	return out
}
