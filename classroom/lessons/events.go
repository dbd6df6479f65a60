package lessons

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"chalkcast/classroom/push"
	"chalkcast/media"
	"chalkcast/templates"
)

// The names of events. Their topic is the lesson; the health of a broadcast also goes to the topic of its
// publisher, because a rehearsal has no lesson.
const (
	EventState  = "state"  // StateNews
	EventHealth = "health" // templates.Health, for staff
	EventHere   = "here"   // HereNews, for staff
	EventNotes  = "notes"  // NotesNews
)

// StateNews is what a page must know of a lesson to show the right thing.
type StateNews struct {
	State         State      `json:"state"`
	Start         *time.Time `json:"start"`          // as planned; null without a plan
	LiveSince     *time.Time `json:"live_since"`     // null when it was never on air
	InterruptedAt *time.Time `json:"interrupted_at"` // null unless it is
	End           *time.Time `json:"end"`            // as planned and extended; null without a plan
	Late          bool       `json:"late"`           // the start has passed and nobody has gone live
	NotesNews
}

// NotesNews is what students should know of how their lesson arrives, in codes of the message table.
type NotesNews struct {
	Notes []media.Code `json:"notes"`
}

// HereNews is how many students are in class, and how the pages of those who watch are doing.
type HereNews struct {
	Here     int `json:"here"`
	Enrolled int `json:"enrolled"`
	Playing  int `json:"playing"`   // pages on which it plays
	Stalled  int `json:"stalled"`   // pages that wait for media
	BehindMS int `json:"behind_ms"` // half of those that play are no further behind the teacher; 0 while nothing plays
}

// News returns the state of a lesson as pages are told it.
func (l *Lessons) News(ctx context.Context, row Lesson) (StateNews, error) {
	now := l.now()
	n := StateNews{
		State: row.StateAt(now), Start: pointer(row.PlannedStartAt.Time()), LiveSince: pointer(row.LiveAt.Time()),
		End: pointer(row.EndAt()), Late: row.Late(now), NotesNews: NotesNews{l.notesOf(row.ID)},
	}
	if n.State != Interrupted {
		return n, nil
	}
	air, err := AirOf(ctx, l.db.Reader(), row.ID)
	air, err = l.onAir.Or(row.ID, now, air, err)
	if err != nil || len(air) == 0 {
		return n, err
	}
	n.InterruptedAt = pointer(air[len(air)-1].Until)
	return n, nil
}

// Late reports whether the start has passed and nobody has gone live.
func (l *Lesson) Late(now time.Time) bool {
	return l.HasPlan() && l.StateAt(now) == Open && now.After(l.PlannedStartAt.Time())
}

func pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// tellState publishes the state of a lesson as it is now. News is a wake-up: when it cannot be made, pages find
// out by asking.
func (l *Lessons) tellState(ctx context.Context, id media.ID) {
	row, err := l.Find(ctx, id)
	if err == nil {
		var n StateNews
		if n, err = l.News(ctx, row); err == nil {
			l.tell(id, EventState, n, false)
			return
		}
	}
	l.log.Warn("tell state", "lesson", id, "err", err)
}

// TellHere publishes how many students are in class.
func (l *Lessons) TellHere(lesson media.ID, n HereNews) { l.tell(lesson, EventHere, n, true) }

// tellHealth publishes how a broadcast arrives: to its publisher, and when students see it to all staff.
func (l *Lessons) tellHealth(publisher, onAir media.ID, h templates.Health) {
	l.tell(publisher, EventHealth, h, true)
	if onAir != 0 {
		l.tell(onAir, EventHealth, h, true)
	}
}

func (l *Lessons) tell(topic media.ID, name string, v any, staff bool) {
	b, err := json.Marshal(v)
	if err != nil {
		l.log.Error("write event", "event", name, "err", err)
		return
	}
	l.bus.Publish(topic, push.Event{Name: name, Data: b, Staff: staff})
}

// healthOf is a measurement of a broadcast that arrives, as pages show it. What its channel knows of the store and of
// shared links is a warning like any other.
func (l *Lessons) healthOf(h media.Health, publisher, onAir, belongs media.ID) templates.Health {
	channel := onAir
	if channel == 0 {
		channel = publisher
	}
	h.Warnings = append(slices.Clip(h.Warnings), l.origin.Status(channel).Warnings...)
	out := healthJSON(h, true, onAir != 0)
	if belongs != 0 {
		out.Lesson = belongs.String()
	}
	return out
}

// healthJSON is a measurement as pages show it.
func healthJSON(h media.Health, publishing, live bool) templates.Health {
	out := templates.Health{
		At: h.At.UTC(), SilenceMS: h.Silence.Milliseconds(), BitrateBPS: h.BitrateBPS, FPSMilli: h.FPSMilli,
		KeyframeMS: h.Keyframe.Milliseconds(), SkewMS: h.SkewMS, Encoder: h.Encoder,
		Tracks: make([]templates.HealthTrack, 0, len(h.Tracks)), Warnings: make([]templates.HealthWarning, 0, len(h.Warnings)),
		SparkBPS: append([]int{}, h.SparkBPS...), Publishing: publishing, Live: live,
	}
	for _, t := range h.Tracks {
		track := templates.HealthTrack{Kind: t.Kind.String()}
		if p := t.Params; p != nil {
			track.Words, track.Width, track.Height = p.Words, p.Width, p.Height
			track.SampleRate, track.Channels = p.SampleRate, p.Channels
		}
		out.Tracks = append(out.Tracks, track)
	}
	for _, w := range h.Warnings {
		out.Warnings = append(out.Warnings, templates.HealthWarning{Code: string(w.Code), Detail: w.Detail, Since: w.Since.UTC()})
	}
	return out
}
