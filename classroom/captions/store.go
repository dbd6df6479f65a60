package captions

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

func upsert(ctx context.Context, tx *gorm.DB, lesson media.ID, lang, text string, cues int, at database.Instant) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO captions (lesson_id, lang, cues, bytes, at, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (lesson_id, lang) DO UPDATE SET cues = excluded.cues, bytes = excluded.bytes, at = excluded.at, body = excluded.body`,
		lesson, lang, cues, len(text), at, text).Error
}

func count(ctx context.Context, q *gorm.DB, lesson media.ID) (int64, error) {
	return gorm.G[Caption](q).Where("lesson_id = ?", lesson).Count(ctx, "lang")
}

func list(ctx context.Context, q *gorm.DB, lesson media.ID) ([]Caption, error) {
	return gorm.G[Caption](q).Select("lesson_id", "lang", "cues", "bytes", "at").Where("lesson_id = ?", lesson).Order("lang").Find(ctx)
}

func body(ctx context.Context, q *gorm.DB, lesson media.ID, lang string) (text string, ok bool, err error) {
	var rows []string
	err = q.WithContext(ctx).Raw("SELECT body FROM captions WHERE lesson_id = ? AND lang = ?", lesson, lang).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	return rows[0], true, nil
}
