package accounts

import (
	"time"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// User is a person.
type User struct {
	ID          media.ID
	Email       string // folded: lower case, NFC; empty for those who have none
	DisplayName string
	GivenName   string
	FamilyName  string
	StudentID   string // the school's own number, kept as text
	Admin       bool
	Lang        string // empty follows the browser
	CreatedAt   time.Time
	DisabledAt  time.Time // zero while they may sign in
	InvitedAt   time.Time // zero when they were not invited, or have come
	ErasedAt    time.Time // zero: this is still about a person
}

// Standing is what a person is in courses, now.
type Standing struct{ Teaches, Studies bool }

// Key is a stream key without its secret.
type Key struct {
	ID        string // the public eight letters
	Name      string // "laptop", "room 4"
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
	RevokedAt time.Time // zero: still good
}

// School is the row about the school.
type School struct {
	Name          string
	Zone          *time.Location
	Lang          string
	Policy        string // JSON: what differs from the default attendance policy
	PolicyVersion int64
	Retention     Retention
	SecondFactor  bool // admins need one for what cannot be taken back
}

type userRow struct {
	ID          media.ID `gorm:"primaryKey;autoIncrement:false"`
	Email       string
	DisplayName string
	GivenName   string
	FamilyName  string
	StudentID   string
	Password    string
	Admin       bool
	Lang        string
	CreatedAt   database.Instant `gorm:"autoCreateTime:false"`
	DisabledAt  database.Instant
	InvitedAt   database.Instant
	ErasedAt    database.Instant
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() User {
	return User{
		ID: r.ID, Email: r.Email, DisplayName: r.DisplayName, GivenName: r.GivenName, FamilyName: r.FamilyName,
		StudentID: r.StudentID, Admin: r.Admin, Lang: r.Lang, CreatedAt: r.CreatedAt.Time(), DisabledAt: r.DisabledAt.Time(),
		InvitedAt: r.InvitedAt.Time(), ErasedAt: r.ErasedAt.Time(),
	}
}

type sessionRow struct {
	Hash      []byte `gorm:"primaryKey"`
	UserID    media.ID
	CreatedAt database.Instant `gorm:"autoCreateTime:false"`
	SeenAt    database.Instant
	ExpiresAt database.Instant
	Device    string
}

func (sessionRow) TableName() string { return "sessions" }

// Purpose is what a link is for.
type Purpose string

const (
	ForSignIn     Purpose = "sign_in"    // signs in and does nothing else
	ForReset      Purpose = "reset"      // a new password
	ForInvitation Purpose = "invitation" // the first password

	forCode Purpose = "code" // the second half of a sign-in, for who has shown the first
)

type linkRow struct {
	Hash      []byte `gorm:"primaryKey"`
	UserID    media.ID
	Purpose   Purpose
	CreatedAt database.Instant `gorm:"autoCreateTime:false"`
	ExpiresAt database.Instant
	UsedAt    database.Instant
}

func (linkRow) TableName() string { return "sign_in_links" }

type keyRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    media.ID
	Name      string
	Hash      []byte
	CreatedAt database.Instant `gorm:"autoCreateTime:false"`
	UsedAt    database.Instant
	RevokedAt database.Instant
}

func (keyRow) TableName() string { return "stream_keys" }

func (r keyRow) key() Key {
	return Key{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt.Time(), UsedAt: r.UsedAt.Time(), RevokedAt: r.RevokedAt.Time()}
}

type tokenRow struct {
	Hash      []byte `gorm:"primaryKey"`
	UserID    media.ID
	Name      string
	Scope     Scope
	CreatedAt database.Instant `gorm:"autoCreateTime:false"`
	UsedAt    database.Instant
	ExpiresAt database.Instant
	RevokedAt database.Instant
}

func (tokenRow) TableName() string { return "api_tokens" }

type schoolRow struct {
	ID             int64 `gorm:"primaryKey;autoIncrement:false"`
	Name           string
	Zone           string
	Lang           string
	Policy         string
	PolicyVersion  int64
	SetupHash      []byte
	SetupExpiresAt database.Instant
	CreatedAt      database.Instant `gorm:"autoCreateTime:false"`
	Retention      string
	SecondFactor   bool
}

func (schoolRow) TableName() string { return "school" }

type factorRow struct {
	UserID      media.ID `gorm:"primaryKey;autoIncrement:false"`
	Secret      []byte
	ConfirmedAt database.Instant // 0 until its first code was right
	LastStep    int64            // of the last code taken
}

func (factorRow) TableName() string { return "second_factors" }

type recoveryRow struct {
	UserID media.ID `gorm:"primaryKey;autoIncrement:false"`
	Hash   []byte   `gorm:"primaryKey"`
}

func (recoveryRow) TableName() string { return "recovery_codes" }
