package lessons_test

import (
	"testing"
	"time"

	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
)

// SEC-22: a ticket lasts as long as its lesson, because players stall when it changes.
func TestTicketUntil(t *testing.T) {
	start := time.Date(2026, 10, 26, 8, 0, 0, 0, time.UTC)
	planned := func(state lessons.State, length time.Duration, extended int) lessons.Lesson {
		return lessons.Lesson{
			State: state, ExtendedMin: extended,
			PlannedStartAt: database.At(start), PlannedEndAt: database.At(start.Add(length)),
		}
	}
	tests := []struct {
		name   string
		lesson lessons.Lesson
		now    time.Duration // after the start
		want   time.Duration // from now
	}{
		{"early, 45 min", planned(lessons.Open, 45*time.Minute, 0), -30 * time.Minute, 135 * time.Minute},
		{"extended twice", planned(lessons.Live, 45*time.Minute, 20), 0, 125 * time.Minute},
		{"three hours need one ticket", planned(lessons.Live, 3*time.Hour, 0), 0, 4 * time.Hour},
		{"ten hours", planned(lessons.Live, 10*time.Hour, 0), 0, 6 * time.Hour},
		{"runs on", planned(lessons.Live, 45*time.Minute, 0), 3 * time.Hour, 15 * time.Minute},
		{"replay", planned(lessons.Ended, 45*time.Minute, 0), 46 * time.Minute, 6 * time.Hour},
		{"closed", planned(lessons.Closed, 45*time.Minute, 0), 24 * time.Hour, 6 * time.Hour},
		{"unplanned", lessons.Lesson{State: lessons.Live}, 0, 6 * time.Hour},
	}
	for _, tt := range tests {
		now := start.Add(tt.now)
		if got := tt.lesson.TicketUntil(now).Sub(now); got != tt.want {
			t.Errorf("%s: a ticket lives %v, want %v", tt.name, got, tt.want)
		}
	}
}
