package attendance

import (
	"time"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
)

// State is what a player did for a while.
type State string

const (
	Playing State = "playing"
	Stalled State = "stalled" // waiting for media, or for the lesson to begin
	Paused  State = "paused"  // by the student
)

// attending reports whether time in s counts: a stall is the network's doing, a pause is the student's.
func (s State) attending() bool { return s == Playing || s == Stalled }

// other returns the other state that counts.
func (s State) other() State {
	if s == Playing {
		return Stalled
	}
	return Playing
}

// Beat is what a class page reports: State held for Held since the last beat that was acknowledged, save that at
// first, for Before of it, the other state that counts did. So a stall that nobody had time to report, because the
// answer to the last beat was late, does not turn played time into stalled time.
type Beat struct {
	View   string        // random name of the page instance
	N      int64         // counts up from 0 within the view
	State  State         //
	Held   time.Duration // by the page's own monotonic clock
	Before time.Duration // at most Held; 0 when paused
	Pos    time.Duration // where in the programme the player stands now; 0 when it has no position
	Placed bool          // it has one
}

// Report is a beat as a page sends it.
type Report struct {
	View  string `json:"view"`
	N     *int64 `json:"n"`
	State State  `json:"state"`
	DMS   *int64 `json:"d_ms"`
	// BeforeMS is how much of d_ms, at its beginning, was stalled where state is playing, or the reverse.
	BeforeMS int64  `json:"before_ms"`
	Pos      *int64 `json:"pos"` // null or missing while the page waits and has no position
}

// Limits of a beat.
const (
	maxBeatBytes = 1 << 10
	maxViewBytes = 64
	maxBeatCount = 1 << 53 // beyond it JavaScript cannot count
	maxProgramme = 7 * 24 * time.Hour
)

// Beat returns what the report says, or a fault of kind Invalid that names the member that is wrong.
func (r Report) Beat() (Beat, error) {
	switch {
	case !validView(r.View):
		return Beat{}, fault.Invalid("beat.view").At("view")
	case !r.State.attending() && r.State != Paused:
		return Beat{}, fault.Invalid("beat.state").At("state")
	case !within(r.N, maxBeatCount):
		return Beat{}, fault.Invalid("beat.n").At("n")
	case !within(r.DMS, maxBeatCount):
		return Beat{}, fault.Invalid("beat.d_ms").At("d_ms")
	case r.BeforeMS < 0 || r.BeforeMS > *r.DMS || r.BeforeMS > 0 && r.State == Paused:
		return Beat{}, fault.Invalid("beat.before_ms").At("before_ms")
	case r.Pos != nil && !within(r.Pos, maxProgramme.Milliseconds()):
		return Beat{}, fault.Invalid("beat.pos").At("pos")
	}
	b := Beat{View: r.View, N: *r.N, State: r.State}
	// What is longer is beyond maxSilence too; cut, it fits into a Duration.
	b.Held = time.Duration(min(*r.DMS, maxProgramme.Milliseconds())) * time.Millisecond
	b.Before = time.Duration(min(r.BeforeMS, maxProgramme.Milliseconds())) * time.Millisecond
	if r.Pos != nil {
		b.Pos, b.Placed = time.Duration(*r.Pos)*time.Millisecond, true
	}
	return b, nil
}

func within(n *int64, most int64) bool { return n != nil && *n >= 0 && *n <= most }

func validView(s string) bool {
	if s == "" || len(s) > maxViewBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// maxSilence is the longest time one beat can be credited. Safari slows the timers of background tabs to 46 s,
// others to a minute; what is longer is a lid that was closed.
const maxSilence = 90 * time.Second

// Credit returns how much of held counts when elapsed has passed since the view's last beat arrived: never more
// than really passed, and nothing after too long a silence.
func Credit(held, elapsed time.Duration) time.Duration {
	if held > maxSilence {
		return 0
	}
	return max(0, min(held, elapsed))
}

// Stretch is time of one view in one state, and the piece of the programme that was seen in it.
type Stretch struct {
	N     int64 // of the beat that began it: with the state its name within the view
	State State
	Time  Interval
	Seen  Interval // in programme milliseconds; empty unless playing
}

// View is one open class page as far as its beats told. Make it with NewView.
type View struct {
	N    int64            // of the last beat taken, −1 before the first
	Last database.Instant // when that beat arrived, or when the view was first heard of
	Pos  time.Duration    // where its player stood then
	Open Stretch          // the stretch that a next beat of the same state may go on with
}

// NewView returns a view that was first heard of at now.
func NewView(now database.Instant) View { return View{N: -1, Last: now} }

// Take applies a beat that arrived at now. It reports whether the beat was taken: a number that was taken before
// changes nothing. changed are the stretches that are new, or longer than they were with the same beginning; the last
// of them is v.Open.
func (v *View) Take(now database.Instant, b Beat) (taken bool, changed []Stretch) {
	if b.N <= v.N {
		return false, nil
	}
	credit := Credit(b.Held, now.Sub(v.Last))
	// What is not credited is the oldest.
	last := min(credit, b.Held-b.Before)
	turn := now.Add(-last)
	pos := v.Pos
	v.N, v.Last, v.Pos = b.N, now, b.Pos
	changed = v.grow(changed, Stretch{N: b.N, State: b.State.other(), Time: Interval{now.Add(-credit), turn}}, pos, b.Pos)
	changed = v.grow(changed, Stretch{N: b.N, State: b.State, Time: Interval{turn, now}}, pos, b.Pos)
	return true, changed
}

// grow adds next to the view and to changed, if there is anything to it. A player went from one position to the other
// while it played.
func (v *View) grow(changed []Stretch, next Stretch, from, to time.Duration) []Stretch {
	if next.Time.empty() {
		return changed
	}
	if next.State == Playing {
		next.Seen = programmeSeen(from, to, next.Time.Length())
	}
	if !v.extend(next) {
		v.Open = next
	}
	return append(changed, v.Open)
}

// extend lengthens the open stretch by one that goes on without a gap, in time and in the programme.
func (v *View) extend(next Stretch) bool {
	o := &v.Open
	if o.State != next.State || o.Time.empty() || o.Time.To != next.Time.From {
		return false
	}
	if !next.Seen.empty() && !o.Seen.empty() && o.Seen.To != next.Seen.From {
		return false
	}
	if o.Seen.empty() {
		o.Seen = next.Seen
	} else if !next.Seen.empty() {
		o.Seen.To = next.Seen.To
	}
	o.Time.To = next.Time.To
	return true
}

// maxSpeed is how much faster than real time our player goes, with half a second for clocks and rounding.
const (
	maxSpeed  = 2
	speedSlop = 500 * time.Millisecond
)

// programmeSeen returns what was seen of the programme by playing for credit up to the position to. Where it is
// possible without a jump, that is everything since from; after a jump it is what normal speed allows.
func programmeSeen(from, to, credit time.Duration) Interval {
	if to < from || to-from > maxSpeed*credit+speedSlop {
		from = max(0, to-credit)
	}
	return Interval{position(from), position(to)}
}

func position(d time.Duration) database.Instant { return database.Instant(d.Milliseconds()) }
