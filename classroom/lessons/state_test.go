package lessons_test

import (
	"testing"

	"chalkcast/classroom/lessons"
)

// The table is the drawing of State, arrow by arrow; every pair that is not in it must be refused.
func TestStateAfter(t *testing.T) {
	states := []lessons.State{lessons.Planned, lessons.Open, lessons.Live, lessons.Interrupted, lessons.Ended, lessons.Closed, lessons.Cancelled, "", "asleep"}
	events := []lessons.Event{lessons.Opens, lessons.GoesLive, lessons.Lost, lessons.Returns, lessons.Ends, lessons.Closes, lessons.IsDropped, lessons.Returned, lessons.Moves, lessons.Recalled, "", "sneezes"}
	type arrow struct {
		from lessons.State
		on   lessons.Event
	}
	want := map[arrow]lessons.State{
		{lessons.Planned, lessons.Opens}:        lessons.Open,
		{lessons.Planned, lessons.IsDropped}:    lessons.Cancelled,
		{lessons.Open, lessons.GoesLive}:        lessons.Live,
		{lessons.Open, lessons.Ends}:            lessons.Ended,
		{lessons.Open, lessons.IsDropped}:       lessons.Cancelled,
		{lessons.Live, lessons.GoesLive}:        lessons.Live,
		{lessons.Live, lessons.Lost}:            lessons.Interrupted,
		{lessons.Live, lessons.Ends}:            lessons.Ended,
		{lessons.Interrupted, lessons.GoesLive}: lessons.Live,
		{lessons.Interrupted, lessons.Returns}:  lessons.Live,
		{lessons.Interrupted, lessons.Ends}:     lessons.Ended,
		{lessons.Ended, lessons.Closes}:         lessons.Closed,
		{lessons.Planned, lessons.Moves}:        lessons.Planned,
		{lessons.Open, lessons.Moves}:           lessons.Planned,
		{lessons.Cancelled, lessons.Returned}:   lessons.Planned,
		{lessons.Planned, lessons.Recalled}:     lessons.Ended,
		{lessons.Open, lessons.Recalled}:        lessons.Ended,
		{lessons.Cancelled, lessons.Recalled}:   lessons.Ended,
		{lessons.Ended, lessons.Recalled}:       lessons.Ended,
		{lessons.Closed, lessons.Recalled}:      lessons.Closed,
	}
	for _, s := range states {
		for _, e := range events {
			next, ok := s.After(e)
			expected, allowed := want[arrow{s, e}]
			if ok != allowed || next != expected {
				t.Errorf("%q after %q is %q, %v; want %q, %v", s, e, next, ok, expected, allowed)
			}
		}
	}
}
