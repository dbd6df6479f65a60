package mail

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// putMail adds a letter, or renews the one that waits.
func putMail(ctx context.Context, tx *gorm.DB, r mailRow) error {
	return gorm.G[mailRow](tx, clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}, {Name: "kind"}},
		DoUpdates: clause.AssignmentColumns([]string{"created_at", "expires_at", "due_at", "tries"}),
	}).Create(ctx, &r)
}

func countMails(ctx context.Context, q *gorm.DB) (int64, error) {
	return gorm.G[mailRow](q).Count(ctx, "id")
}

func dueMails(ctx context.Context, q *gorm.DB, now database.Instant, limit int) ([]mailRow, error) {
	return gorm.G[mailRow](q).Where("due_at <= ?", now).Order("due_at, id").Limit(limit).Find(ctx)
}

// claimMail moves a letter to its next try, unless another node did or it was renewed.
func claimMail(ctx context.Context, tx *gorm.DB, r mailRow, next database.Instant) (int, error) {
	return gorm.G[mailRow](tx).Where("id = ? AND due_at = ?", r.ID, r.DueAt).Set(
		clause.Assignment{Column: clause.Column{Name: "due_at"}, Value: next},
		clause.Assignment{Column: clause.Column{Name: "tries"}, Value: r.Tries + 1},
	).Update(ctx)
}

// deleteMail deletes a letter that was claimed until next, unless it was renewed since.
func deleteMail(ctx context.Context, tx *gorm.DB, id media.ID, next database.Instant) error {
	_, err := gorm.G[mailRow](tx).Where("id = ? AND due_at = ?", id, next).Delete(ctx)
	return err
}

func deleteMailsOf(ctx context.Context, tx *gorm.DB, user media.ID, kinds []string) error {
	g := gorm.G[mailRow](tx).Where("user_id = ?", user)
	if len(kinds) > 0 {
		g = g.Where("kind IN ?", kinds)
	}
	_, err := g.Delete(ctx)
	return err
}
