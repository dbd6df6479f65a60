package chat

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/media"
)

// erasing is everything that somebody wrote, asked, voted or raised. What a poll counted when it closed stays.
var erasing = []string{
	"DELETE FROM messages WHERE user_id = ?",
	"DELETE FROM questions WHERE user_id = ?",
	"DELETE FROM hands WHERE user_id = ?",
	"DELETE FROM votes WHERE user_id = ?",
	"DELETE FROM mutes WHERE user_id = ?",
}

// Erase is an accounts.Eraser.
func (f *Chat) Erase(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error) {
	for _, statement := range erasing {
		if err := tx.WithContext(ctx).Exec(statement, user).Error; err != nil {
			return nil, fmt.Errorf("erase chat: %w", err)
		}
	}
	return nil, nil
}

// Export is an accounts.Exporter.
func (f *Chat) Export(ctx context.Context, q *gorm.DB, user media.ID) ([]accounts.Table, error) {
	var all []accounts.Table
	for _, part := range []struct{ name, query string }{
		{"messages", "SELECT lesson_id, body, private, at AS written_at, removed_at FROM messages WHERE user_id = ? ORDER BY at, id"},
		{"questions", "SELECT lesson_id, body, answer, at AS asked_at, answered_at FROM questions WHERE user_id = ? ORDER BY at, id"},
		{"hands", "SELECT lesson_id, raised_at, called_at, lowered_at FROM hands WHERE user_id = ? ORDER BY raised_at, id"},
		{"votes", `SELECT p.lesson_id, p.body, v.choices, v.at AS voted_at FROM votes v JOIN polls p ON p.id = v.poll_id
			WHERE v.user_id = ? ORDER BY v.at, v.poll_id`},
	} {
		t, err := accounts.Select(ctx, q, part.name, part.query, user)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}
