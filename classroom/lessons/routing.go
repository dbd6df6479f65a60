package lessons

import (
	"time"

	"chalkcast/media"
)

// The time around a plan in which a teacher's stream belongs to the lesson.
const (
	opensBefore = 30 * time.Minute
	staysAfter  = 60 * time.Minute
)

// Candidate is one of the lessons a stream could belong to.
type Candidate struct {
	Lesson     media.ID
	Start, End time.Time // the plan
	OnAir      bool      // this publisher's stream is, or was before it broke off, what its students see
}

// Route says which lesson a stream that begins now belongs to: the one it was lost from, else among those with
// now in [start − 30 min, end + 60 min] the one whose start is nearest. When several are equally near it
// returns none of them but all in tie, for the studio to ask. No lesson and no tie is a rehearsal.
func Route(now time.Time, candidates []Candidate) (lesson media.ID, tie []media.ID) {
	var nearest time.Duration
	for _, c := range candidates {
		if c.OnAir {
			return c.Lesson, nil
		}
		if now.Before(c.Start.Add(-opensBefore)) || now.After(c.End.Add(staysAfter)) {
			continue
		}
		d := now.Sub(c.Start).Abs()
		switch {
		case len(tie) == 0 || d < nearest:
			nearest, tie = d, []media.ID{c.Lesson}
		case d == nearest:
			tie = append(tie, c.Lesson)
		}
	}
	if len(tie) == 1 {
		return tie[0], nil
	}
	return 0, tie
}
