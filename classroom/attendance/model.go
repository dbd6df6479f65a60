package attendance

import (
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// viewRow is a row of views: one open class page on one device.
type viewRow struct {
	ID          media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID    media.ID
	UserID      media.ID
	Token       string
	Device      int64
	DeviceClass string
	N           int64
	PosMS       int64 `gorm:"column:pos_ms"`
	OpenedAt    database.Instant
	LastAt      database.Instant
}

func (viewRow) TableName() string { return "views" }

// intervalRow is a row of intervals: a Stretch.
type intervalRow struct {
	ViewID     media.ID `gorm:"primaryKey;autoIncrement:false"`
	N          int64    `gorm:"primaryKey;autoIncrement:false"`
	State      State    `gorm:"primaryKey"`
	FromAt     database.Instant
	ToAt       database.Instant
	SeenFromMS int64 `gorm:"column:seen_from_ms"`
	SeenToMS   int64 `gorm:"column:seen_to_ms"`
}

func (intervalRow) TableName() string { return "intervals" }

func rowOf(view media.ID, s Stretch) intervalRow {
	return intervalRow{
		ViewID: view, N: s.N, State: s.State, FromAt: s.Time.From, ToAt: s.Time.To,
		SeenFromMS: int64(s.Seen.From), SeenToMS: int64(s.Seen.To),
	}
}

func (r intervalRow) stretch() Stretch {
	return Stretch{
		N: r.N, State: r.State, Time: Interval{r.FromAt, r.ToAt},
		Seen: Interval{database.Instant(r.SeenFromMS), database.Instant(r.SeenToMS)},
	}
}

// registerRow is a row of registers: one version of a closed register.
type registerRow struct {
	LessonID      media.ID `gorm:"primaryKey;autoIncrement:false"`
	Version       int      `gorm:"primaryKey;autoIncrement:false"`
	ClosedAt      database.Instant
	ClosedBy      media.ID // 0: the clock
	Policy        string   // JSON
	PolicyVersion int64
	Counted       string // JSON of a Set
	Outside       bool
	ProgrammeS    int64
	IntervalsHash []byte
	SettlesAt     database.Instant
	Settled       bool
}

func (registerRow) TableName() string { return "registers" }

// studentRow is a row of register_rows: the frozen figures of one student.
type studentRow struct {
	LessonID   media.ID `gorm:"primaryKey;autoIncrement:false"`
	Version    int      `gorm:"primaryKey;autoIncrement:false"`
	UserID     media.ID `gorm:"primaryKey;autoIncrement:false"`
	Section    string
	LiveStatus Status
	Status     Status
	Visits     string // JSON of a Set
	Devices    int
	Attended   bool
	AttendingS int64
	PlayedS    int64
	LateS      int64
	EarlyS     int64
	ReplayS    int64
	CoveredS   int64
}

func (studentRow) TableName() string { return "register_rows" }

// correctionRow is a row of corrections.
type correctionRow struct {
	ID       media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID media.ID
	UserID   media.ID
	Seq      int
	Status   Status // empty: back to what was computed
	Minutes  *int
	Reason   string
	Note     string
	Previous Status
	At       database.Instant
	ByID     media.ID
}

func (correctionRow) TableName() string { return "corrections" }

func (r correctionRow) correction() *Correction {
	return &Correction{
		Status: r.Status, Minutes: r.Minutes, Reason: r.Reason, Note: r.Note, Previous: r.Previous, At: r.At, By: r.ByID,
	}
}

// joinFailureRow is a row of join_failures.
type joinFailureRow struct {
	ID       media.ID `gorm:"primaryKey;autoIncrement:false"`
	LessonID media.ID
	UserID   media.ID
	At       database.Instant
	Reason   string
}

func (joinFailureRow) TableName() string { return "join_failures" }

// policyRow is a row of policies: one change.
type policyRow struct {
	CourseID media.ID `gorm:"primaryKey;autoIncrement:false"` // 0: the school
	Version  int64    `gorm:"primaryKey;autoIncrement:false"`
	Policy   string
	At       database.Instant
	ByID     media.ID
}

func (policyRow) TableName() string { return "policies" }
