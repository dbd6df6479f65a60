package attendance

import (
	"time"

	"chalkcast/classroom/database"
)

// Status is how a student took part in one lesson.
type Status string

const (
	NotHeld   Status = "not_held"
	Pending   Status = "pending" // the register is not closed yet
	Excused   Status = "excused"
	Absent    Status = "absent"
	Partial   Status = "partial"
	Late      Status = "late"
	LeftEarly Status = "left_early"
	Present   Status = "present"
	MadeUp    Status = "made_up"
)

// Statuses are all of them in the order of a legend.
var Statuses = []Status{Present, Late, LeftEarly, Partial, Absent, MadeUp, Excused, Pending, NotHeld}

// Code is the mark of a paper register; empty for no status.
func (s Status) Code() string { return codes[s] }

var codes = map[Status]string{
	Present: "P", Late: "L", LeftEarly: "E", Partial: "H", Absent: "A", MadeUp: "M", Excused: "X", Pending: "?", NotHeld: "N",
}

const (
	closeAfter  = 15 * time.Minute // the last air interval: then the register closes
	catchUpTime = 60 * time.Minute // after the end, for those who watch the live lesson behind the edge
	catchUpPct  = 95
)

// Class is what a register must know of the lesson.
type Class struct {
	Planned Interval         // the zero Interval without a plan
	Air     []Interval       // when students could see it; what is still on ends now
	EndedAt database.Instant // 0 while it may go on
}

// Window returns W, what counts of a lesson: its air with outages closed, as far as it lies in the plan; the
// air itself when there is no plan or the air misses it altogether, which is flagged as outside. An empty W is a
// lesson that was not held.
func (c Class) Window(p Policy) (w Set, outside bool) {
	held := Union(c.Air...).CloseGaps(p.outageMerge())
	if c.Planned.empty() {
		return held, false
	}
	if w = held.Intersect(Set{c.Planned}); len(w) > 0 {
		return w, false
	}
	return held, len(held) > 0
}

// ProgrammeLength is how long the lesson is to somebody who watches all of it: the programme runs while the
// lesson is on air, and only then.
func (c Class) ProgrammeLength() time.Duration { return Union(c.Air...).Length() }

// ClosesAt is when the register of an ended lesson closes; 0 while the lesson has not ended.
func (c Class) ClosesAt() database.Instant {
	if c.EndedAt == 0 {
		return 0
	}
	if end := c.airEnd(); end != 0 {
		return max(c.EndedAt, end.Add(closeAfter))
	}
	return c.EndedAt.Add(closeAfter)
}

// SettlesAt is when nothing that a student still watches changes the register any more.
func (c Class) SettlesAt(p Policy) database.Instant {
	return max(c.ClosesAt(), c.airEnd().Add(max(catchUpTime, p.MakeupTime())))
}

func (c Class) airEnd() database.Instant { return Union(c.Air...).Hull().To }

// liveUntil says how long time on a view is live. A page that was open when the lesson ended plays on what it
// has buffered, or catches up from behind the edge; what is watched after the register closed, or on a page that
// was opened later, is replay.
func (c Class) liveUntil(opened database.Instant) database.Instant {
	switch {
	case c.EndedAt == 0:
		return database.Instant(1<<63 - 1)
	case opened < c.EndedAt:
		return c.ClosesAt()
	}
	return c.EndedAt
}

// live returns the part of a stretch that is live attending time.
func (c Class) live(opened database.Instant, s Stretch) Interval {
	if !s.State.attending() {
		return Interval{}
	}
	return Interval{s.Time.From, min(s.Time.To, c.liveUntil(opened))}
}

// Watched is what one view of a student recorded.
type Watched struct {
	OpenedAt  database.Instant
	Device    int64 // the same for all views of one signed-in browser
	Stretches []Stretch
}

// Figures are one student's numbers for one lesson. Lengths are whole seconds, as they are printed: what a
// register shows and what it decides by are the same numbers.
type Figures struct {
	Visits       Set              // live attending time, gaps up to the bridge closed; also outside W
	Joined, Left database.Instant // first and last instant of the visits, 0 without any
	Devices      int              // of the live views
	Here         bool             // attended some of W; Late and Early mean something
	Attending    time.Duration    // in W
	Played       time.Duration    // in W
	Late, Early  time.Duration    // from the start of W to the first attending instant in it; from the last one to its end
	Replay       time.Duration    // wall time on the replay; no part of the above
	Covered      time.Duration    // of the programme, seen at least once, live or replayed
	CaughtUp     bool             // saw nearly all of the programme within the hour after the end
	Recovered    bool             // saw enough of it to make the lesson up, in time
}

// Measure turns what the views of one student recorded into the figures of the register.
func (c Class) Measure(views []Watched, p Policy) Figures {
	w, _ := c.Window(p)
	return c.measure(w, views, p)
}

func (c Class) measure(w Set, views []Watched, p Policy) Figures {
	var attending, played, replay []Interval
	devices := map[int64]bool{}
	for _, v := range views {
		end := c.liveUntil(v.OpenedAt)
		for _, s := range v.Stretches {
			if !s.State.attending() {
				continue
			}
			live := c.live(v.OpenedAt, s)
			attending = append(attending, live)
			if s.State == Playing {
				played = append(played, live)
			}
			if !live.empty() {
				devices[v.Device] = true
			}
			replay = append(replay, Interval{max(s.Time.From, end), s.Time.To})
		}
	}
	f := tally(w, Union(attending...), Union(played...), p)
	f.Devices = len(devices)
	f.Replay = wholeSeconds(Union(replay...).Length())
	c.cover(&f, views, p)
	return f
}

func tally(w, attending, played Set, p Policy) Figures {
	visits := attending.CloseGaps(p.bridge())
	f := Figures{Visits: visits, Joined: visits.Hull().From, Left: visits.Hull().To}
	in := visits.Intersect(w)
	if len(in) == 0 {
		return f
	}
	f.Here = true
	f.Attending = wholeSeconds(in.Length())
	f.Played = wholeSeconds(played.Intersect(w).Length())
	if there := attending.Intersect(w); len(there) > 0 {
		in = there // nobody comes or leaves within a gap that was closed
	}
	f.Late = wholeSeconds(in.Hull().From.Sub(w.Hull().From))
	f.Early = wholeSeconds(w.Hull().To.Sub(in.Hull().To))
	return f
}

// cover adds up which parts of the programme were seen.
func (c Class) cover(f *Figures, views []Watched, p Policy) {
	programme := wholeSeconds(c.ProgrammeLength())
	seen := func(until database.Instant) time.Duration {
		var parts []Interval
		for _, v := range views {
			for _, s := range v.Stretches {
				parts = append(parts, s.seenUntil(until))
			}
		}
		return min(programme, wholeSeconds(Union(parts...).Length()))
	}
	f.Covered = seen(1<<63 - 1)
	if programme == 0 {
		return
	}
	f.CaughtUp = atLeast(seen(c.airEnd().Add(catchUpTime)), catchUpPct, programme)
	f.Recovered = p.MakeupDays > 0 && atLeast(seen(c.airEnd().Add(p.MakeupTime())), p.MakeupPct, programme)
}

// seenUntil returns the part of the programme that was seen before t. Within a stretch the player moves evenly.
func (s Stretch) seenUntil(t database.Instant) Interval {
	switch {
	case t >= s.Time.To:
		return s.Seen
	case t <= s.Time.From:
		return Interval{}
	}
	part := int64(s.Seen.To-s.Seen.From) * int64(t-s.Time.From) / int64(s.Time.To-s.Time.From)
	return Interval{s.Seen.From, s.Seen.From + database.Instant(part)}
}

// LiveStatus decides by the live figures alone.
func (f Figures) LiveStatus(w Set, p Policy) Status {
	window := wholeSeconds(w.Length())
	switch {
	case len(w) == 0:
		return NotHeld
	case !f.Here || !atLeast(f.Attending, p.AbsentBelowPct, window):
		return Absent
	case !atLeast(f.Attending, p.PresentAtPct, window):
		return Partial
	case f.Late > seconds(p.LateAfterS):
		return Late
	case f.Early > seconds(p.EarlyBeforeS):
		return LeftEarly
	}
	return Present
}

// Lift returns what live becomes for those who saw the lesson later: present for who watched it behind the edge
// to its end, made up for who watched enough of the replay in time.
func (f Figures) Lift(live Status) Status {
	switch {
	case f.CaughtUp && (live == Partial || live == LeftEarly):
		return Present
	case f.Recovered && (live == Partial || live == Absent):
		return MadeUp
	}
	return live
}

// atLeast reports whether part is at least pct percent of whole, without rounding.
func atLeast(part time.Duration, pct int, whole time.Duration) bool {
	return part.Milliseconds()*100 >= int64(pct)*whole.Milliseconds()
}

// Tenths returns part of whole in tenths of a percent, rounded down so that 74.96 % never reads as the 75.0 % it
// does not reach; 0 of nothing is 0.
func Tenths(part, whole time.Duration) int {
	if whole <= 0 {
		return 0
	}
	return int(part.Milliseconds() * 1000 / whole.Milliseconds())
}

// wholeSeconds cuts d down, as the register prints it: 5:00.9 is 5:00.
func wholeSeconds(d time.Duration) time.Duration { return d.Truncate(time.Second) }
