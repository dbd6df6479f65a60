package lessons

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/media"
)

// Erase is an accounts.Eraser: how somebody's encoder was received is nobody's business when they are gone. Their
// broadcasts stay, which the lessons' air is made of, without the name that their encoder gave itself.
func (l *Lessons) Erase(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error) {
	for _, statement := range []string{
		"DELETE FROM publish_attempts WHERE user_id = ?",
		"UPDATE broadcasts SET encoder = '' WHERE publisher_id = ?",
	} {
		if err := tx.WithContext(ctx).Exec(statement, user).Error; err != nil {
			return nil, fmt.Errorf("erase what an encoder left: %w", err)
		}
	}
	return nil, nil
}

// Export is an accounts.Exporter.
func (l *Lessons) Export(ctx context.Context, q *gorm.DB, user media.ID) ([]accounts.Table, error) {
	broadcasts, err := accounts.Select(ctx, q, "broadcasts",
		"SELECT id, lesson_id, encoder, video, audio, started_at, ended_at FROM broadcasts WHERE publisher_id = ? ORDER BY started_at, id", user)
	if err != nil {
		return nil, err
	}
	attempts, err := accounts.Select(ctx, q, "publish_attempts",
		"SELECT at AS tried_at, protocol, admitted, code FROM publish_attempts WHERE user_id = ? ORDER BY at, id", user)
	return []accounts.Table{broadcasts, attempts}, err
}
