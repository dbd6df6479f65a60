package courses

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

type codeRow struct {
	CourseID media.ID `gorm:"primaryKey;autoIncrement:false"`
	Code     string
	Open     bool
	Approve  bool
	MaxUses  int64
	Uses     int64
	MadeAt   database.Instant
}

func (codeRow) TableName() string { return "join_codes" }

func (r codeRow) code() JoinCode {
	return JoinCode{Code: r.Code, Open: r.Open, Approve: r.Approve, Max: int(r.MaxUses), Uses: int(r.Uses), MadeAt: r.MadeAt.Time()}
}

type waitingRow struct {
	CourseID media.ID `gorm:"primaryKey;autoIncrement:false"`
	UserID   media.ID `gorm:"primaryKey;autoIncrement:false"`
	AskedAt  database.Instant
}

func (waitingRow) TableName() string { return "waiting" }

type signUpRow struct {
	UserID   media.ID `gorm:"primaryKey;autoIncrement:false"`
	CourseID media.ID
	At       database.Instant
}

func (signUpRow) TableName() string { return "sign_ups" }

const codeColumns = "course_id, code, open, approve, max_uses, uses, made_at"

func codeOf(ctx context.Context, q *gorm.DB, course media.ID) (codeRow, error) {
	return gorm.G[codeRow](q).Select(codeColumns).Where("course_id = ?", course).Take(ctx)
}

func lockCode(ctx context.Context, tx *gorm.DB, course media.ID) (codeRow, error) {
	return gorm.G[codeRow](tx, clause.Locking{Strength: "UPDATE"}).Select(codeColumns).Where("course_id = ?", course).Take(ctx)
}

func codeByText(ctx context.Context, q *gorm.DB, code string) (codeRow, error) {
	return gorm.G[codeRow](q).Select(codeColumns).Where("code = ?", code).Take(ctx)
}

// insertCode makes the first code of a course; one that is there stays.
func insertCode(ctx context.Context, tx *gorm.DB, r codeRow) error {
	return gorm.G[codeRow](tx, clause.OnConflict{Columns: []clause.Column{{Name: "course_id"}}, DoNothing: true}).Create(ctx, &r)
}

func updateCode(ctx context.Context, tx *gorm.DB, r codeRow) error {
	_, err := gorm.G[codeRow](tx).Where("course_id = ?", r.CourseID).Set(
		clause.Assignment{Column: clause.Column{Name: "code"}, Value: r.Code},
		clause.Assignment{Column: clause.Column{Name: "open"}, Value: r.Open},
		clause.Assignment{Column: clause.Column{Name: "approve"}, Value: r.Approve},
		clause.Assignment{Column: clause.Column{Name: "max_uses"}, Value: r.MaxUses},
		clause.Assignment{Column: clause.Column{Name: "uses"}, Value: r.Uses},
		clause.Assignment{Column: clause.Column{Name: "made_at"}, Value: r.MadeAt},
	).Update(ctx)
	return err
}

// useCode counts one more who comes; 0 rows when the code is closed, replaced or used up.
func useCode(ctx context.Context, tx *gorm.DB, course media.ID, code string) (int, error) {
	return gorm.G[codeRow](tx).Where("course_id = ? AND code = ? AND open AND (max_uses = 0 OR uses < max_uses)", course, code).
		Update(ctx, "uses", gorm.Expr("uses + 1"))
}

func insertWaiting(ctx context.Context, tx *gorm.DB, r waitingRow) error {
	return gorm.G[waitingRow](tx).Create(ctx, &r)
}

func insertSignUp(ctx context.Context, tx *gorm.DB, r signUpRow) error {
	return gorm.G[signUpRow](tx).Create(ctx, &r)
}

func countWaiting(ctx context.Context, q *gorm.DB, course, user media.ID) (int64, error) {
	return gorm.G[waitingRow](q).Where("course_id = ? AND user_id = ?", course, user).Count(ctx, "user_id")
}

// applicantRow is somebody who waits, with their names.
type applicantRow struct {
	UserID      media.ID
	DisplayName string
	Email       string
	AskedAt     database.Instant
}

func waitingList(ctx context.Context, q *gorm.DB, course media.ID) (rows []applicantRow, err error) {
	err = q.WithContext(ctx).Raw("SELECT w.user_id, u.display_name, u.email, w.asked_at FROM waiting w JOIN users u ON u.id = w.user_id "+
		"WHERE w.course_id = ? AND u.disabled_at = 0 ORDER BY w.asked_at, w.user_id", course).Scan(&rows).Error
	return rows, err
}

func askedBy(ctx context.Context, q *gorm.DB, user media.ID) (rows []courseRow, err error) {
	err = q.WithContext(ctx).Raw("SELECT c.id, c.code, c.title, c.term, c.zone, c.policy, c.auto_live, c.created_at, c.archived_at "+
		"FROM waiting w JOIN courses c ON c.id = w.course_id WHERE w.user_id = ? AND c.archived_at = 0 ORDER BY c.term, c.code", user).Scan(&rows).Error
	return rows, err
}

// takeWaiting removes people from a waiting list and returns those who were on it. Who comes second finds nobody.
func takeWaiting(ctx context.Context, tx *gorm.DB, course media.ID, users []media.ID) (taken []media.ID, err error) {
	for part := range slices.Chunk(users, batch) {
		var ids []media.ID
		err := tx.WithContext(ctx).Raw("DELETE FROM waiting WHERE course_id = ? AND user_id IN ? RETURNING user_id", course, part).Scan(&ids).Error
		if err != nil {
			return nil, err
		}
		taken = append(taken, ids...)
	}
	return taken, nil
}
