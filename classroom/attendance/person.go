package attendance

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/media"
)

// erasing is what a person leaves behind: when they were there to the second, on what device, how they tried to get
// in, and what was written about them. The figures of registers stay.
var erasing = []string{
	"DELETE FROM intervals WHERE view_id IN (SELECT id FROM views WHERE user_id = ?)",
	"DELETE FROM views WHERE user_id = ?",
	"DELETE FROM join_failures WHERE user_id = ?",
	"UPDATE register_rows SET visits = '[]', devices = 0, section = '' WHERE user_id = ?",
	"UPDATE corrections SET note = '' WHERE user_id = ?",
}

// Erase is an accounts.Eraser.
func (a *Attendance) Erase(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error) {
	for _, statement := range erasing {
		if err := tx.WithContext(ctx).Exec(statement, user).Error; err != nil {
			return nil, fmt.Errorf("erase attendance: %w", err)
		}
	}
	return nil, nil
}

// keepErased puts the figures of the version before in the place of those that cannot be counted again, because the
// intervals of their people were erased.
func keepErased(ctx context.Context, tx *gorm.DB, lesson media.ID, version int, rows []studentRow) error {
	users := make([]media.ID, len(rows))
	for i, r := range rows {
		users[i] = r.UserID
	}
	erased, err := accounts.ErasedAmong(ctx, tx, users)
	if err != nil || len(erased) == 0 {
		return err
	}
	before, err := studentRows(ctx, tx, lesson, version-1)
	if err != nil {
		return fmt.Errorf("load rows: %w", err)
	}
	kept := map[media.ID]studentRow{}
	for _, r := range before {
		kept[r.UserID] = r
	}
	for i, r := range rows {
		if old, ok := kept[r.UserID]; ok && erased[r.UserID] {
			old.Version = version
			rows[i] = old
		}
	}
	return nil
}

// Export is an accounts.Exporter: every record about a person, as the register and the intervals have it.
func (a *Attendance) Export(ctx context.Context, q *gorm.DB, user media.ID) ([]accounts.Table, error) {
	var all []accounts.Table
	for _, part := range []struct{ name, query string }{
		{"registers", `SELECT r.lesson_id, l.title, l.local_date, r.version, g.closed_at, r.live_status, r.status, r.visits,
			r.devices, r.attending_s, r.played_s, r.late_s, r.early_s, r.replay_s, r.covered_s
			FROM register_rows r JOIN registers g ON g.lesson_id = r.lesson_id AND g.version = r.version
			JOIN lessons l ON l.id = r.lesson_id WHERE r.user_id = ? ORDER BY l.planned_start_at, r.lesson_id, r.version`},
		{"corrections", `SELECT lesson_id, seq, status, minutes, reason, note, previous, at AS made_at, by_id
			FROM corrections WHERE user_id = ? ORDER BY at, id`},
		{"intervals", `SELECT v.lesson_id, v.device_class, i.state, i.from_at, i.to_at, i.seen_from_ms, i.seen_to_ms
			FROM intervals i JOIN views v ON v.id = i.view_id WHERE v.user_id = ? ORDER BY i.from_at, i.view_id, i.n`},
		{"join_failures", "SELECT lesson_id, at AS tried_at, reason FROM join_failures WHERE user_id = ? ORDER BY at, id"},
	} {
		t, err := accounts.Select(ctx, q, part.name, part.query, user)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}
