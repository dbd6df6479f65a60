package lessons_test

import (
	"slices"
	"testing"
	"time"

	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

func TestRoute(t *testing.T) {
	at := func(clock string) time.Time {
		tm, err := time.Parse("15:04:05", clock)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	lesson := func(id media.ID, start, end string) lessons.Candidate {
		return lessons.Candidate{Lesson: id, Start: at(start), End: at(end)}
	}
	onAir := func(c lessons.Candidate) lessons.Candidate { c.OnAir = true; return c }
	nine, ten := lesson(9, "09:00:00", "09:45:00"), lesson(10, "10:00:00", "10:45:00")

	tests := []struct {
		name       string
		now        string
		candidates []lessons.Candidate
		want       media.ID
		tie        []media.ID
	}{
		{name: "nothing planned", now: "09:00:00"},
		{name: "30 min early", now: "08:30:00", candidates: []lessons.Candidate{nine}, want: 9},
		{name: "a second too early", now: "08:29:59", candidates: []lessons.Candidate{nine}},
		{name: "60 min after the end", now: "10:45:00", candidates: []lessons.Candidate{nine}, want: 9},
		{name: "a second too late", now: "10:45:01", candidates: []lessons.Candidate{nine}},
		{name: "before half way", now: "09:29:59", candidates: []lessons.Candidate{nine, ten}, want: 9},
		{name: "after half way", now: "09:30:01", candidates: []lessons.Candidate{ten, nine}, want: 10},
		{name: "just half way", now: "09:30:00", candidates: []lessons.Candidate{nine, ten}, tie: []media.ID{9, 10}},
		{name: "two at once", now: "08:55:00", candidates: []lessons.Candidate{nine, lesson(99, "09:00:00", "11:00:00"), ten}, tie: []media.ID{9, 99}},
		{name: "a nearer one after a tie", now: "09:50:00", candidates: []lessons.Candidate{nine, lesson(99, "09:00:00", "11:00:00"), ten}, want: 10},
		{name: "returns to what it was lost from", now: "09:58:00", candidates: []lessons.Candidate{ten, onAir(nine)}, want: 9},
		{name: "returns long after the plan", now: "12:00:00", candidates: []lessons.Candidate{onAir(nine)}, want: 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, tie := lessons.Route(at(tt.now), tt.candidates)
			if len(tie) == 0 {
				tie = nil
			}
			if got != tt.want || !slices.Equal(tie, tt.tie) {
				t.Errorf("at %s a stream belongs to %d, tie %v; want %d, tie %v", tt.now, got, tie, tt.want, tt.tie)
			}
		})
	}
}
