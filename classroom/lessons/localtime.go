package lessons

import (
	"errors"
	"fmt"
	"time"
)

// ErrPlan is wrapped by every error about a date, a time of day or a zone that makes no plan.
var ErrPlan = errors.New("not a plan")

// maxLength bounds one lesson: longer than a school day is a typing mistake.
const maxLength = 12 * time.Hour

// Plan is when a lesson is meant to be, as people say it: local date and times beside their zone.
type Plan struct {
	Date  string // 2026-10-26
	Start string // 09:00
	End   string // 09:45; not later than Start means the next day
	Zone  string // IANA name
	// Second chooses the later of the two instants when clocks show Start twice.
	Second bool
}

// Resolve returns the two instants of p in UTC. The start stands on the wall clock; the end is as much later as the
// times say, so three hours stay three hours when the clocks change in between. Errors wrap ErrPlan.
func (p Plan) Resolve() (start, end time.Time, err error) {
	o, err := p.occur()
	return o.Start, o.End, err
}

// Occurrence is what a plan means on its day.
type Occurrence struct {
	Plan       Plan
	Start, End time.Time // UTC
	Skipped    bool      // clocks skip the start; it is read with the offset before the gap
	Twice      bool      // clocks show the start twice; Plan.Second says which is meant
}

// occur returns what p means. Errors wrap ErrPlan.
func (p Plan) occur() (o Occurrence, err error) {
	o.Plan = p
	loc, err := zone(p.Zone)
	if err != nil {
		return o, err
	}
	from, err := wallClock(p.Date, p.Start)
	if err != nil {
		return o, err
	}
	until, err := wallClock(p.Date, p.End)
	if err != nil {
		return o, err
	}
	if !until.After(from) {
		until = until.AddDate(0, 0, 1)
	}
	length := until.Sub(from)
	if length > maxLength {
		return o, fmt.Errorf("%w: %s to %s on %s lasts %v", ErrPlan, p.Start, p.End, p.Date, length)
	}
	var second time.Time
	o.Start, second, o.Skipped = resolve(from, loc)
	o.Twice = !second.IsZero()
	if o.Twice && p.Second {
		o.Start = second
	}
	o.End = o.Start.Add(length)
	return o, nil
}

// ResolveLocal returns the instant at which clocks in the IANA zone show date (2026-10-26) and clock (09:00).
// A time that the clocks skip is read with the offset before the gap, one that they show twice is the first of
// the two (RFC 5545 section 3.3.5). Errors wrap ErrPlan.
func ResolveLocal(date, clock, zoneName string) (time.Time, error) {
	loc, err := zone(zoneName)
	if err != nil {
		return time.Time{}, err
	}
	wall, err := wallClock(date, clock)
	if err != nil {
		return time.Time{}, err
	}
	first, _, _ := resolve(wall, loc)
	return first, nil
}

// zone loads an IANA zone. "Local" and "" are refused: they mean something else on every machine.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%w: zone %q", ErrPlan, name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%w: zone %q", ErrPlan, name)
	}
	return loc, nil
}

// wallClock returns what a clock on the wall shows, written as if the wall were in UTC.
func wallClock(date, clock string) (time.Time, error) {
	const form = "2006-01-02 15:04"
	text := date + " " + clock
	t, err := time.Parse(form, text)
	if err != nil || t.Format(form) != text {
		return time.Time{}, fmt.Errorf("%w: %q", ErrPlan, text)
	}
	return t, nil
}

// resolve walks through the spans of constant offset around wall and takes the first that contains it; second is
// in the span after it when that contains wall too. When the next span begins later than wall, wall lies in the gap
// between them.
func resolve(wall time.Time, loc *time.Location) (first, second time.Time, skipped bool) {
	probe := wall.Add(-36 * time.Hour) // no zone is further from UTC than 26 h
	before := probe
	for at := 0; ; at++ {
		start, end := probe.In(loc).ZoneBounds()
		t := wall.Add(-offset(probe, loc))
		switch {
		case at > 0 && t.Before(start):
			return before, time.Time{}, true
		case end.IsZero():
			return t, time.Time{}, false
		case t.Before(end):
			if again := wall.Add(-offset(end, loc)); !again.Before(end) {
				second = again
			}
			return t, second, false
		}
		probe, before = end, t
	}
}

// offset is how far clocks in a zone are ahead of UTC at t.
func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// laterDay returns the date some days after another.
func laterDay(date string, days int) (string, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return "", fmt.Errorf("%w: date %q", ErrPlan, date)
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly), nil
}

// daysBetween returns how many days it is from one date to another. Both are dates.
func daysBetween(from, to string) int {
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA != nil || errB != nil {
		return 0
	}
	return int(b.Sub(a).Hours() / 24)
}
