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
}

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
