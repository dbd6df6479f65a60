package rtsp

import (
	"slices"
	"time"

	"chalkcast/media"
)

const (
	// How far apart sound and picture may drift before one is moved: less is not noticed (ITU-R BT.1359).
	maxDrift = 60 * time.Millisecond
	// Reports that contradict the time of arrival by more are made up by the encoder.
	maxReportError = 5 * time.Second
	// A report says when a packet was sent, which on a busy machine is late (rtcp-sync-send-time of GStreamer's rtpbin):
	// of so many the earliest is believed, and sound is not moved for one that was.
	reportsKept = 3
)

// clock brings the RTP times of the tracks of one encoder onto one line. It is pure. Each track counts ticks from
// an origin that is unknown at first: RTP times begin at random. Two things tell the origins of two tracks
// apart: sender reports, exactly, and arrival, roughly.
type clock struct {
	tracks  []trackClock
	main    int  // index of the track that the others follow
	settled bool // origins are in use
}

// trackClock is one track's. Origins are wall-clock times of tick 0, of which only differences mean anything.
type trackClock struct {
	rate  int
	seen  bool
	last  uint32
	ticks media.Ticks // of last, unwrapped

	arrived  time.Duration   // origin by the packet that was fastest
	reported []time.Duration // origins by the newest sender reports
	early    *senderReport   // came before the first packet

	used   bool
	origin time.Duration // in use
}

// senderReport says which RTP time a track had at which time of the encoder's wall clock.
type senderReport struct {
	wall time.Duration // since an epoch that all tracks of the encoder share
	rtp  uint32
}

func newClock(tracks []*track) *clock {
	c := &clock{tracks: make([]trackClock, len(tracks))}
	for i, t := range tracks {
		c.tracks[i].rate = t.Clock
		if t.Kind == media.Video {
			c.main = i
		}
	}
	return c
}

// unwrap returns the ticks of a packet that arrived at this time since some epoch.
func (c *clock) unwrap(track int, rtp uint32, at time.Duration) media.Ticks {
	t := &c.tracks[track]
	if !t.seen {
		t.ticks = media.Ticks(rtp)
	} else {
		t.ticks += media.Ticks(int32(rtp - t.last))
	}
	t.last = rtp
	origin := at - t.ticks.Duration(t.rate)
	if !t.seen || !t.used && origin < t.arrived {
		t.arrived = origin
	}
	t.seen = true
	if t.early != nil {
		early := *t.early
		t.early = nil
		c.report(track, early)
	}
	if c.settled && !t.used {
		c.place(t)
	}
	return t.ticks
}

// report takes a sender report.
func (c *clock) report(track int, r senderReport) {
	t := &c.tracks[track]
	if !t.seen {
		t.early = &r
		return
	}
	if len(t.reported) == reportsKept {
		t.reported = slices.Delete(t.reported, 0, 1)
	}
	t.reported = append(t.reported, r.wall-(t.ticks+media.Ticks(int32(r.rtp-t.last))).Duration(t.rate))
}

// exact reports whether all tracks were seen and reported on.
func (c *clock) exact() bool {
	for _, t := range c.tracks {
		if !t.seen || len(t.reported) == 0 {
			return false
		}
	}
	return true
}

// settle puts the best origins that are known into use. A track that was not seen yet gets its own when it comes.
func (c *clock) settle() {
	c.settled = true
	for i := range c.tracks {
		if c.tracks[i].seen {
			c.place(&c.tracks[i])
		}
	}
}

// place gives t its origin, relative to a track that has one.
func (c *clock) place(t *trackClock) {
	t.used, t.origin = true, t.arrived
	for i := range c.tracks {
		r := &c.tracks[i]
		if r == t || !r.used {
			continue
		}
		apart, ok := t.apart(r)
		if !ok {
			apart = t.arrived - r.arrived
		}
		t.origin = r.origin + apart
		return
	}
}

// apart returns by how much t's origin is later than r's according to sender reports; false when there are none,
// or they cannot be true.
func (t *trackClock) apart(r *trackClock) (time.Duration, bool) {
	if len(t.reported) == 0 || len(r.reported) == 0 {
		return 0, false
	}
	apart := slices.Min(t.reported) - slices.Min(r.reported)
	return apart, (apart - (t.arrived - r.arrived)).Abs() <= maxReportError
}

// correct moves tracks that sender reports show to be out of step, always forward, and reports whether it did.
// It is called where a jump does least harm.
func (c *clock) correct() (moved bool) {
	m := &c.tracks[c.main]
	for i := range c.tracks {
		t := &c.tracks[i]
		apart, ok := t.apart(m)
		if i == c.main || !ok || !t.used || !m.used {
			continue
		}
		late := apart - (t.origin - m.origin)
		switch {
		case late.Abs() <= maxDrift || late.Abs() > maxReportError:
			continue
		case late > 0:
			t.origin += late
		default:
			m.origin -= late
		}
		moved = true
	}
	return moved
}

// wall returns where on the common line a tick of a track lies.
func (c *clock) wall(track int, ticks media.Ticks) time.Duration {
	t := &c.tracks[track]
	return t.origin + ticks.Duration(t.rate)
}

// time returns ticks of a track on the common line that begins at epoch.
func (c *clock) time(track int, ticks media.Ticks, epoch time.Duration) media.Ticks {
	t := &c.tracks[track]
	return ticks + media.TicksOf(t.origin-epoch, t.rate)
}
