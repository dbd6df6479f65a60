package attendance

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// Beat is what a class page reports: State held for Held since the last beat that was acknowledged.
type Beat struct {
	View  string        // random name of the page instance
	N     int64         // counts up from 0 within the view
	State State         //
	Held  time.Duration // by the page's own monotonic clock
	Pos   time.Duration // where in the programme the player stands now
}

// Limits of a beat.
const (
	MaxBeatBytes = 1 << 10
	maxViewBytes = 64
	maxBeatCount = 1 << 53 // beyond it JavaScript cannot count
	maxProgramme = 7 * 24 * time.Hour
)

// ParseBeat reads one JSON object with view, n, state, d_ms and pos; other members are ignored. Its errors are
// faults of kind Invalid or TooLarge that name the member that is wrong.
func ParseBeat(b []byte) (Beat, error) {
	if len(b) > MaxBeatBytes {
		return Beat{}, fault.TooLarge("beat.too_large")
	}
	m, err := members(b)
	if err != nil {
		return Beat{}, fault.Invalid("beat.malformed").Because(err)
	}
	var beat Beat
	if json.Unmarshal(m["view"], &beat.View) != nil || !validView(beat.View) {
		return Beat{}, fault.Invalid("beat.view").At("view")
	}
	if json.Unmarshal(m["state"], &beat.State) != nil || !beat.State.attending() && beat.State != Paused {
		return Beat{}, fault.Invalid("beat.state").At("state")
	}
	if beat.N, err = number(m["n"], maxBeatCount); err != nil {
		return Beat{}, fault.Invalid("beat.n").At("n").Because(err)
	}
	held, err := number(m["d_ms"], maxBeatCount)
	if err != nil {
		return Beat{}, fault.Invalid("beat.d_ms").At("d_ms").Because(err)
	}
	// Anything so long is beyond maxSilence too; cut, it fits into a Duration.
	beat.Held = time.Duration(min(held, maxProgramme.Milliseconds())) * time.Millisecond
	if pos := m["pos"]; pos != nil && string(pos) != "null" { // a page that waits has no position
		ms, err := number(pos, maxProgramme.Milliseconds())
		if err != nil {
			return Beat{}, fault.Invalid("beat.pos").At("pos").Because(err)
		}
		beat.Pos = time.Duration(ms) * time.Millisecond
	}
	return beat, nil
}

// members takes a JSON object apart without looking into its values. Names are compared exactly, and one that
// stands twice is an error: two readers could disagree about which of them counts.
func members(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not an object: %w", orMalformed(err))
	}
	m := make(map[string]json.RawMessage, 5)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, orMalformed(err)
		}
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("%.20q stands twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		m[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more after the object: %w", errMalformed)
	}
	return m, nil
}

var errMalformed = fmt.Errorf("malformed JSON")

func orMalformed(err error) error {
	if err == nil {
		return errMalformed
	}
	return err
}

func number(raw json.RawMessage, most int64) (int64, error) {
	var n *int64
	if err := json.Unmarshal(raw, &n); err != nil {
		return 0, err
	}
	if n == nil || *n < 0 || *n > most {
		return 0, fmt.Errorf("not between 0 and %d", most)
	}
	return *n, nil
}

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
	N     int64 // of the beat that began it: its name within the view
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

// Take applies a beat that arrived at now. It reports whether anything changed: a number that was taken before
// changes nothing. When grown is true v.Open is new or longer than it was, and keeps its beginning when it is
// the one that was open before.
func (v *View) Take(now database.Instant, b Beat) (taken, grown bool) {
	if b.N <= v.N {
		return false, false
	}
	credit := Credit(b.Held, now.Sub(v.Last))
	seen := Interval{}
	if b.State == Playing {
		seen = programmeSeen(v.Pos, b.Pos, credit)
	}
	v.N, v.Last, v.Pos = b.N, now, b.Pos
	if credit == 0 {
		return true, false
	}
	next := Stretch{N: b.N, State: b.State, Time: Interval{now.Add(-credit), now}, Seen: seen}
	if !v.extend(next) {
		v.Open = next
	}
	return true, true
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
