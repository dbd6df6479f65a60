package mail

import (
	"chalkcast/classroom/database"
	"chalkcast/media"
)

type mailRow struct {
	ID        media.ID `gorm:"primaryKey;autoIncrement:false"`
	UserID    media.ID
	Kind      string
	CreatedAt database.Instant `gorm:"autoCreateTime:false"`
	ExpiresAt database.Instant
	DueAt     database.Instant
	Tries     int
}

func (mailRow) TableName() string { return "mails" }
