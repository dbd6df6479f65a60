package lessons

// State is where a lesson stands.
//
//	planned ⇄ open ─► live ⇄ interrupted
//	    ▲│     │  │     │    │
//	    │▼     ▼  └─────┴────┴─► ended ─► closed
//	   cancelled                   ▲
//	                               └ whatever had not been live, when its recording recalls it
type State string

const (
	Planned     State = "planned"
	Open        State = "open"        // from 30 min before the start: the studio takes a stream
	Live        State = "live"        // students see the teacher
	Interrupted State = "interrupted" // it was live and the encoder is lost; it stays possible to return
	Ended       State = "ended"
	Closed      State = "closed" // the register is frozen
	Cancelled   State = "cancelled"
)

// Event is something that happens to a lesson.
type Event string

const (
	Opens     Event = "opens"    // 30 min before the start, or made without a plan
	GoesLive  Event = "live"     // the teacher pressed Go live; again while live: another encoder is shown
	Lost      Event = "lost"     // nothing came from the encoder for 5 s, or it hung up
	Returns   Event = "returns"  // media arrives again
	Ends      Event = "ends"     // End lesson, or 60 min after the planned end without packets
	Closes    Event = "closes"   // 15 min after the last air interval
	IsDropped Event = "dropped"  // the lesson is cancelled
	Returned  Event = "back"     // a cancelled lesson takes place after all
	Moves     Event = "moves"    // it is planned for another time
	Recalled  Event = "recalled" // it was held, as its recording shows, and the database had lost that
)

var transitions = map[State]map[Event]State{
	Planned:     {Opens: Open, IsDropped: Cancelled, Moves: Planned, Recalled: Ended},
	Open:        {GoesLive: Live, Ends: Ended, IsDropped: Cancelled, Moves: Planned, Recalled: Ended},
	Live:        {GoesLive: Live, Lost: Interrupted, Ends: Ended},
	Interrupted: {GoesLive: Live, Returns: Live, Ends: Ended},
	Ended:       {Closes: Closed, Recalled: Ended},
	Closed:      {Recalled: Closed},
	Cancelled:   {Returned: Planned, Recalled: Ended},
}

// After returns the state that e leads to, and whether e can happen in s at all.
func (s State) After(e Event) (State, bool) {
	next, ok := transitions[s][e]
	return next, ok
}

// Over reports whether nothing more can be shown live.
func (s State) Over() bool { return s == Ended || s == Closed || s == Cancelled }

// OnAir reports whether the lesson was put on air and not ended: students wait for media or see it.
func (s State) OnAir() bool { return s == Live || s == Interrupted }
