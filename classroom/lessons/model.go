package lessons

import (
	"time"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Lesson is a row of lessons. Plan and instants are both stored: the plan is what people agreed on, the instants
// are what it meant when it was made.
type Lesson struct {
	ID             media.ID `gorm:"primaryKey;autoIncrement:false"`
	CourseID       media.ID
	SeriesID       media.ID // lessons of one weekly series share it; 0 is none
	Title          string
	LocalDate      string // of an unplanned lesson: when it was begun
	LocalStart     string
	LocalEnd       string // empty when unplanned
	Zone           string
	PlannedStartAt database.Instant // 0 when unplanned
	PlannedEndAt   database.Instant
	ExtendedMin    int // more time given while it ran; not part of the plan
	State          State
	PublisherID    media.ID         // whose encoder students see, or saw last; 0 before the first Go live
	LiveAt         database.Instant // first Go live
	EndedAt        database.Instant
	ClosedAt       database.Instant
	CreatedAt      database.Instant `gorm:"autoCreateTime:false"`
	CreatedBy      media.ID

	SeriesDate  string           // the day of the series' rule that it stands for, also when it was moved
	Second      bool             // of a start that clocks show twice the second is meant
	Own         bool             // changed by itself: what is done to its series leaves it alone
	MovedFromAt database.Instant // the start that students knew first; 0: it was never moved
	Note        string           // why it is cancelled, in the teacher's words
	CancelID    media.ID         // lessons that were cancelled together share it
	Revision    int64            // how often calendars had to learn it anew
	ChangedAt   database.Instant // when they had to last
}

// Series is a row of series: the rule of a weekly series. Its lessons are rows of their own, made a term ahead.
type Series struct {
	ID         media.ID `gorm:"primaryKey;autoIncrement:false"`
	CourseID   media.ID
	Title      string
	Weekdays   Weekdays
	FirstDate  string
	LastDate   string // the last day on which there can be a lesson
	LocalStart string
	LocalEnd   string
	Zone       string
	Second     bool             // as in Lesson
	MadeUntil  string           // every day up to this one has its lesson
	StopID     media.ID         // the cancellation that ended it; 0 while it goes on
	CreatedAt  database.Instant `gorm:"autoCreateTime:false"`
	CreatedBy  media.ID
}

// TableName keeps gorm from looking for a plural.
func (Series) TableName() string { return "series" }

// Broadcast is a row of broadcasts: one unbroken run of one encoder.
type Broadcast struct {
	ID          media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID    media.ID // 0 for a rehearsal
	PublisherID media.ID
	KeyID       string
	Encoder     string
	Video       string // in words: "1280×720, H.264 High"; empty without picture
	Audio       string
	StartedAt   database.Instant
	SeenAt      database.Instant // the last packet known of
	EndedAt     database.Instant
	Stopped     bool // the teacher pressed Stop
	EndCode     media.Code
}

// AirInterval is a row of air_intervals: [FromAt, UntilAt), during which students could see the lesson.
type AirInterval struct {
	ID          media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID    media.ID
	BroadcastID media.ID
	FromAt      database.Instant
	UntilAt     database.Instant // 0 while it goes on
	SeenAt      database.Instant // the last packet known of
}

// PublishAttempt is a row of publish_attempts: how an encoder was received, for the studio.
type PublishAttempt struct {
	ID       media.ID `gorm:"primaryKey;autoIncrement:false"`
	UserID   media.ID
	KeyID    string
	At       database.Instant
	Protocol media.Protocol
	Admitted bool
	Code     media.Code // empty when there is nothing to say
	Detail   string
}

// Remarkable reports whether the studio has to say something about the attempt: it was refused, the server ended
// its broadcast, or the teacher should mend an address. That it is a rehearsal shows by itself.
func (a *PublishAttempt) Remarkable() bool { return a.Code != "" && a.Code != media.NoLesson }

// HasPlan reports whether the lesson was planned; an unplanned one has no window of its own but its air.
func (l *Lesson) HasPlan() bool { return l.PlannedStartAt != 0 }

// Plan is when the lesson is meant to be, as people said it.
func (l *Lesson) Plan() Plan {
	return Plan{Date: l.LocalDate, Start: l.LocalStart, End: l.LocalEnd, Zone: l.Zone, Second: l.Second}
}

// EndAt is when pages, keys and tickets take the lesson to end: the planned end and what was added to it. It is
// the zero time when there is no plan.
func (l *Lesson) EndAt() time.Time {
	if !l.HasPlan() {
		return time.Time{}
	}
	return l.PlannedEndAt.Time().Add(time.Duration(l.ExtendedMin) * time.Minute)
}

// StateAt is the state at now: a planned lesson opens by the clock, whether or not anybody has written it down.
func (l *Lesson) StateAt(now time.Time) State {
	if l.State == Planned && l.HasPlan() && !now.Before(l.PlannedStartAt.Time().Add(-opensBefore)) {
		return Open
	}
	return l.State
}
