package courses

import (
	"time"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Role is what a person is in a course.
type Role string

const (
	Teacher   Role = "teacher"
	Assistant Role = "assistant"
	Student   Role = "student"
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == Teacher || r == Assistant || r == Student }

// Staff reports whether r teaches. Staff never appear in the register.
func (r Role) Staff() bool { return r == Teacher || r == Assistant }

// Course is what people are taught together.
type Course struct {
	ID         media.ID
	Code       string // "BIO-7B"
	Title      string
	Term       string
	Zone       *time.Location // its lessons' local times are of this zone
	Policy     string         // JSON: what differs from the school's attendance policy
	AutoLive   bool           // a lesson that is due and healthy goes live by itself
	CreatedAt  time.Time
	ArchivedAt time.Time // zero while it runs
}

// Member is a person in a course, for as long as one enrollment lasts.
type Member struct {
	Enrollment  media.ID
	User        media.ID
	Role        Role
	Section     string    // the group inside the course
	From        time.Time // half-open [From, Until)
	Until       time.Time // zero while it lasts and nobody has said how long
	DisplayName string
	GivenName   string
	FamilyName  string
	StudentID   string
	Email       string
}

// Covers reports whether the enrollment runs at t.
func (m Member) Covers(t time.Time) bool {
	return !t.Before(m.From) && (m.Until.IsZero() || t.Before(m.Until))
}

// Touches reports whether the enrollment covers any instant of [from, until).
func (m Member) Touches(from, until time.Time) bool {
	return m.From.Before(until) && (m.Until.IsZero() || m.Until.After(from))
}

type courseRow struct {
	ID         media.ID `gorm:"primaryKey;autoIncrement:false"`
	Code       string
	Title      string
	Term       string
	Zone       string
	Policy     string
	AutoLive   bool
	CreatedAt  database.Instant `gorm:"autoCreateTime:false"`
	ArchivedAt database.Instant
}

func (courseRow) TableName() string { return "courses" }

func (r courseRow) course() (Course, error) {
	zone, err := time.LoadLocation(r.Zone)
	return Course{
		ID: r.ID, Code: r.Code, Title: r.Title, Term: r.Term, Zone: zone, Policy: r.Policy, AutoLive: r.AutoLive,
		CreatedAt: r.CreatedAt.Time(), ArchivedAt: r.ArchivedAt.Time(),
	}, err
}

type enrollmentRow struct {
	ID       media.ID `gorm:"primaryKey;autoIncrement:false"`
	CourseID media.ID
	UserID   media.ID
	Role     Role
	Section  string
	FromAt   database.Instant
	UntilAt  database.Instant
}

func (enrollmentRow) TableName() string { return "enrollments" }

// lasts reports whether the enrollment runs at now or is yet to begin.
func (r enrollmentRow) lasts(now database.Instant) bool { return r.UntilAt == 0 || r.UntilAt > now }

// memberRow is an enrollment with its person.
type memberRow struct {
	Enrollment  enrollmentRow `gorm:"embedded"`
	DisplayName string
	GivenName   string
	FamilyName  string
	StudentID   string
	Email       string
}

func (r memberRow) member() Member {
	e := r.Enrollment
	return Member{
		Enrollment: e.ID, User: e.UserID, Role: e.Role, Section: e.Section, From: e.FromAt.Time(), Until: e.UntilAt.Time(),
		DisplayName: r.DisplayName, GivenName: r.GivenName, FamilyName: r.FamilyName, StudentID: r.StudentID, Email: r.Email,
	}
}
