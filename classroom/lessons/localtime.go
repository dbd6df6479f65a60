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
}

// Resolve returns the two instants of p in UTC. The start stands on the wall clock; the end is as much later as the
// times say, so three hours stay three hours when the clocks change in between. Errors wrap ErrPlan.
func (p Plan) Resolve() (start, end time.Time, err error) {
	loc, err := zone(p.Zone)
	if err != nil {
		return start, end, err
	}
	from, err := wallClock(p.Date, p.Start)
	if err != nil {
		return start, end, err
	}
	until, err := wallClock(p.Date, p.End)
	if err != nil {
		return start, end, err
	}
	if !until.After(from) {
		until = until.AddDate(0, 0, 1)
	}
	length := until.Sub(from)
	if length > maxLength {
		return start, end, fmt.Errorf("%w: %s to %s on %s lasts %v", ErrPlan, p.Start, p.End, p.Date, length)
	}
	start = resolve(from, loc)
	return start, start.Add(length), nil
}

// Later returns the same plan some weeks later: the same times on the wall clock.
func (p Plan) Later(weeks int) (Plan, error) {
	day, err := wallClock(p.Date, p.Start)
	if err != nil {
		return p, err
	}
	p.Date = day.AddDate(0, 0, 7*weeks).Format("2006-01-02")
	return p, nil
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
	return resolve(wall, loc), nil
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

// resolve walks through the spans of constant offset around wall and takes the first that contains it. When the
// next span begins later than that, wall lies in the gap between them.
func resolve(wall time.Time, loc *time.Location) time.Time {
	probe := wall.Add(-36 * time.Hour) // no zone is further from UTC than 26 h
	before := probe
	for first := true; ; first = false {
		start, end := probe.In(loc).ZoneBounds()
		_, offset := probe.In(loc).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		switch {
		case !first && t.Before(start):
			return before
		case end.IsZero() || t.Before(end):
			return t
		}
		probe, before = end, t
	}
}
