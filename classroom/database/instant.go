package database

import "time"

// Instant is a moment as the database keeps it: milliseconds since 1970 in UTC. 0 means "not yet", "never" or
// "open end", whatever the column says; it is the zero time.Time and back.
type Instant int64

// At returns t cut down to the millisecond.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// Time returns the moment in UTC.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

// IsZero reports whether nothing has happened yet.
func (i Instant) IsZero() bool { return i == 0 }

// Add returns the moment d later, cut down to the millisecond.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Milliseconds()) }

// Sub returns the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i-j) * time.Millisecond }
