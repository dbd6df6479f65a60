package lessons

import (
	"time"
)

// The lifetime of playback tickets (SEC-22): one ticket lasts for a lesson, because players stall when it changes.
const (
	ticketMax = 6 * time.Hour
	ticketMin = 15 * time.Minute // for a lesson that runs on past everything that was planned
)

// TicketUntil is when a ticket issued now for a lesson expires: an hour after its end, at most six hours from
// now. Replays, and lessons without a plan, get the six hours.
func (l *Lesson) TicketUntil(now time.Time) time.Time {
	until := now.Add(ticketMax)
	if !l.HasPlan() || l.State.Over() {
		return until
	}
	if end := l.EndAt().Add(staysAfter); end.Before(until) {
		until = end
	}
	if least := now.Add(ticketMin); until.Before(least) {
		return least
	}
	return until
}
