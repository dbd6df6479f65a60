package ingest

import "time"

// pace knows when frames are due, so that an encoder can be left alone until what it sends makes a difference. It is
// pure: what it knows of time it is told.
//
// A live encoder sends frames as fast as they play. The frame that came earliest, for its place in the broadcast, tells
// when all others are due, whatever held those up.
type pace struct {
	zero  time.Time     // when position 0 was due
	main  time.Duration // position of the latest frame of the track that paces the broadcast
	from  time.Time     // everything that had arrived by then was read
	until time.Time     // nothing is read before
}

const (
	mostRest  = 500 * time.Millisecond
	leastRest = 50 * time.Millisecond  // a shorter one costs as much as it saves
	early     = 5 * time.Millisecond   // for our timers, which are late
	catchUp   = 100 * time.Millisecond // for reading what came meanwhile
	yield     = 1024                   // frames for a line that lags behind to be believed
)

// frame takes a frame at a position that is read now, and returns when it arrived as far as we can tell.
func (p *pace) frame(now time.Time, position time.Duration, main bool) (arrived time.Time) {
	if main {
		p.main = position
		if late := now.Sub(p.zero) - position; p.zero.IsZero() || late < 0 {
			p.zero = now.Add(-position)
		} else {
			p.zero = p.zero.Add(late / yield)
		}
	}
	arrived = p.zero.Add(position)
	switch {
	case p.from.IsZero() || arrived.After(now):
		return now
	case arrived.Before(p.from):
		return p.from
	}
	return arrived
}

// rest returns for how long nothing needs to be read when viewers get something new after so much more, which is not
// known when it is 0.
func (p *pace) rest(now time.Time, more time.Duration) (d time.Duration) {
	if more > 0 && !p.zero.IsZero() {
		d = min(p.zero.Add(p.main+more).Sub(now), mostRest) - early
	}
	switch {
	case d >= leastRest:
		p.from, p.until = now, now.Add(d)
		return d
	case now.Sub(p.until) > catchUp:
		p.from = now
	}
	return 0
}

// read returns up to when everything that arrived was read.
func (p *pace) read(now time.Time) time.Time {
	if now.Before(p.until) {
		return p.from
	}
	return now
}
