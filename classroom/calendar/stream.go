package calendar

import (
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Stream is a calendar with its events.
type Stream struct {
	Name   string
	Events []Event
}

// Event is one lesson in a calendar.
type Event struct {
	ID          string // never changes, never used again
	Start, End  time.Time
	Created     time.Time
	Changed     time.Time // when this revision was made
	Revision    int64
	Cancelled   bool
	Summary     string
	Description string
	URL         string // empty for none
}

// refresh is how often a calendar should look again: a move on the morning of a lesson has to be seen in time.
const refresh = "PT30M"

// Write writes s as text/calendar in UTF-8.
func (s Stream) Write(w io.Writer) error {
	cal := ics.NewCalendarFor("chalkcast")
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	cal.SetXWRCalName(plain(s.Name))
	cal.SetRefreshInterval(refresh, ics.WithValue(string(ics.ValueDataTypeDuration)))
	cal.SetXPublishedTTL(refresh)
	for _, e := range s.Events {
		e.add(cal)
	}
	if err := cal.SerializeTo(w, ics.WithNewLineWindows); err != nil {
		return fmt.Errorf("write calendar: %w", err)
	}
	return nil
}

func (e Event) add(cal *ics.Calendar) {
	v := cal.AddEvent(e.ID + "@chalkcast")
	v.SetDtStampTime(e.Changed)
	v.SetCreatedTime(e.Created)
	v.SetModifiedAt(e.Changed)
	v.SetStartAt(e.Start)
	v.SetEndAt(e.End)
	v.SetSequence(int(e.Revision))
	v.SetSummary(plain(e.Summary))
	if e.Description != "" {
		v.SetDescription(plain(e.Description))
	}
	if e.URL != "" {
		v.SetURL(e.URL)
	}
	status := ics.ObjectStatusConfirmed
	if e.Cancelled {
		status = ics.ObjectStatusCancelled
	}
	v.SetStatus(status)
}

// plain leaves out the control characters that a text value may not hold (RFC 5545 section 3.3.11).
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
