package chat

import (
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Mode says who reads what students write.
type Mode string

const (
	All         Mode = "all"
	TeacherOnly Mode = "teacher" // staff and the author
	Off         Mode = "off"     // students write nothing; staff still can
)

type roomRow struct {
	LessonID media.ID `gorm:"primaryKey;autoIncrement:false"`
	Rev      int64
	Mode     Mode
	SlowS    int
	SetRev   int64
}

func (roomRow) TableName() string { return "rooms" }

type messageRow struct {
	ID        media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID  media.ID
	UserID    media.ID
	Rev       int64
	Role      courses.Role
	Private   bool
	Body      string
	Nonce     string
	At        database.Instant
	PosMS     int64
	RemovedAt database.Instant
	RemovedBy media.ID
}

func (messageRow) TableName() string { return "messages" }

type questionRow struct {
	ID         media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID   media.ID
	UserID     media.ID
	Rev        int64
	ShownRev   int64
	Body       string
	Nonce      string
	At         database.Instant
	PosMS      int64
	Answer     string
	AnsweredAt database.Instant
	AnsweredBy media.ID
	Pinned     bool
}

func (questionRow) TableName() string { return "questions" }

type handRow struct {
	ID        media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID  media.ID
	UserID    media.ID
	Rev       int64
	RaisedRev int64
	RaisedAt  database.Instant
	CalledAt  database.Instant
	LoweredAt database.Instant
	LoweredBy media.ID
}

func (handRow) TableName() string { return "hands" }

type pollRow struct {
	ID       media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID media.ID
	Rev      int64
	ShownRev int64
	Body     string
	Multiple bool
	PosMS    int64
	OpenedAt database.Instant
	OpenedBy media.ID
	ClosedAt database.Instant
	Voters   int
}

func (pollRow) TableName() string { return "polls" }

type optionRow struct {
	PollID media.ID `gorm:"primaryKey;autoIncrement:false"`
	N      int      `gorm:"primaryKey;autoIncrement:false"`
	Body   string
	Votes  int
}

func (optionRow) TableName() string { return "poll_options" }

type voteRow struct {
	PollID  media.ID `gorm:"primaryKey;autoIncrement:false"`
	UserID  media.ID `gorm:"primaryKey;autoIncrement:false"`
	Choices int64
	At      database.Instant
}

func (voteRow) TableName() string { return "votes" }

type muteRow struct {
	LessonID media.ID `gorm:"primaryKey;autoIncrement:false"`
	UserID   media.ID `gorm:"primaryKey;autoIncrement:false"`
	Rev      int64
	Muted    bool
	At       database.Instant
	ByID     media.ID
}

func (muteRow) TableName() string { return "mutes" }
