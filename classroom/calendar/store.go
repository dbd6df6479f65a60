package calendar

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Link is a row of calendar_links: who has an address for their calendar.
type Link struct {
	UserID media.ID `gorm:"primaryKey;autoIncrement:false"`
	Turn   int64    // 1, 2, …: a new address is a new turn
	MadeAt database.Instant
}

// TableName is the table's.
func (Link) TableName() string { return "calendar_links" }

func linkOf(ctx context.Context, q *gorm.DB, user media.ID) (Link, error) {
	return gorm.G[Link](q).Where("user_id = ?", user).Take(ctx)
}

// turnOf returns the turn of the address of somebody who may sign in, 0 when there is none.
func turnOf(ctx context.Context, q *gorm.DB, user media.ID) (turn int64, err error) {
	err = q.WithContext(ctx).Raw(`SELECT COALESCE(MAX(l.turn), 0) FROM calendar_links l JOIN users u ON u.id = l.user_id
		WHERE l.user_id = ? AND u.disabled_at = 0`, user).Scan(&turn).Error
	return turn, err
}

func nextTurn(ctx context.Context, tx *gorm.DB, user media.ID, at database.Instant) (turn int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO calendar_links (user_id, turn, made_at) VALUES (?, 1, ?)
		ON CONFLICT (user_id) DO UPDATE SET turn = calendar_links.turn + 1, made_at = excluded.made_at RETURNING turn`, user, at).Scan(&turn).Error
	return turn, err
}

// EraseLink forgets the address of somebody's calendar inside the transaction.
func EraseLink(ctx context.Context, tx *gorm.DB, user media.ID) error {
	_, err := gorm.G[Link](tx).Where("user_id = ?", user).Delete(ctx)
	return err
}
