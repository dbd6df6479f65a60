package courses

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// batch is how many rows one statement of an import writes.
const batch = 500

// The states of an uploaded roster.
const (
	rosterPreview = "preview" // to be looked at
	rosterQueued  = "queued"  // to be applied, or being it
	rosterDone    = "done"
	rosterFailed  = "failed"
)

type rosterRow struct {
	ID         media.ID `gorm:"primaryKey;autoIncrement:false"`
	CourseID   media.ID
	ByID       media.ID
	Name       string
	Encoding   string
	Content    []byte
	EndMissing bool
	State      string
	Outcome    string
	MadeAt     database.Instant
}

func (rosterRow) TableName() string { return "roster_imports" }

type turnRow struct {
	ID int64 `gorm:"primaryKey;autoIncrement:false"`
	At database.Instant
}

func (turnRow) TableName() string { return "roster_turn" }

// takeRosterTurn waits until no other node imports a roster.
func takeRosterTurn(ctx context.Context, tx *gorm.DB, at database.Instant) error {
	_, err := gorm.G[turnRow](tx).Where("id = 1").Update(ctx, "at", at)
	return err
}

func insertRoster(ctx context.Context, tx *gorm.DB, r rosterRow) error {
	return gorm.G[rosterRow](tx).Create(ctx, &r)
}

// rosterOf returns an upload of a course without its content.
func rosterOf(ctx context.Context, q *gorm.DB, course, id media.ID) (rosterRow, error) {
	return gorm.G[rosterRow](q).Select("id, course_id, by_id, name, encoding, end_missing, state, outcome, made_at").
		Where("id = ? AND course_id = ?", id, course).Take(ctx)
}

func rosterContent(ctx context.Context, q *gorm.DB, id media.ID) ([]byte, error) {
	r, err := gorm.G[rosterRow](q).Select("content").Where("id = ?", id).Take(ctx)
	return r.Content, err
}

// queuedRosters returns what is to be applied, the oldest first, without contents.
func queuedRosters(ctx context.Context, q *gorm.DB) ([]rosterRow, error) {
	return gorm.G[rosterRow](q).Select("id, course_id, by_id, name, encoding, end_missing, state, outcome, made_at").
		Where("state = 'queued'").Order("made_at, id").Limit(20).Find(ctx)
}

// queueRoster says how a roster that was looked at is to be applied; 0 rows when it is not there to be.
func queueRoster(ctx context.Context, tx *gorm.DB, course, id media.ID, encoding string, endMissing bool) (int, error) {
	return gorm.G[rosterRow](tx).Where("id = ? AND course_id = ? AND state = 'preview'", id, course).Set(
		clause.Assignment{Column: clause.Column{Name: "encoding"}, Value: encoding},
		clause.Assignment{Column: clause.Column{Name: "end_missing"}, Value: endMissing},
		clause.Assignment{Column: clause.Column{Name: "state"}, Value: rosterQueued},
	).Update(ctx)
}

// closeRoster ends the wait of a queued roster; 0 rows when another node has. Unless it is looked at again, its
// content goes.
func closeRoster(ctx context.Context, tx *gorm.DB, id media.ID, state, outcome string) (int, error) {
	set := []clause.Assigner{
		clause.Assignment{Column: clause.Column{Name: "state"}, Value: state},
		clause.Assignment{Column: clause.Column{Name: "outcome"}, Value: outcome},
	}
	if state != rosterPreview {
		set = append(set, clause.Assignment{Column: clause.Column{Name: "content"}, Value: []byte{}})
	}
	return gorm.G[rosterRow](tx).Where("id = ? AND state = 'queued'", id).Set(set...).Update(ctx)
}

// dropRosters removes what a person looked at before in a course.
func dropRosters(ctx context.Context, tx *gorm.DB, course, by media.ID) error {
	_, err := gorm.G[rosterRow](tx).Where("course_id = ? AND by_id = ? AND state <> 'queued'", course, by).Delete(ctx)
	return err
}

func dropOldRosters(ctx context.Context, tx *gorm.DB, before database.Instant) error {
	_, err := gorm.G[rosterRow](tx).Where("made_at < ?", before).Delete(ctx)
	return err
}

// endEnrollments is endEnrollment for many people; tell is called after each batch.
func endEnrollments(ctx context.Context, tx *gorm.DB, course media.ID, users []media.ID, at database.Instant, tell func(n int)) error {
	for part := range slices.Chunk(users, batch) {
		_, err := gorm.G[enrollmentRow](tx).Where("course_id = ? AND from_at >= ? AND user_id IN ?", course, at, part).Delete(ctx)
		if err != nil {
			return err
		}
		_, err = gorm.G[enrollmentRow](tx).Where("course_id = ? AND (until_at = 0 OR until_at > ?) AND user_id IN ?", course, at, part).
			Update(ctx, "until_at", at)
		if err != nil {
			return err
		}
		tell(len(part))
	}
	return nil
}

func beginEnrollments(ctx context.Context, tx *gorm.DB, rows []enrollmentRow, tell func(n int)) error {
	for part := range slices.Chunk(rows, batch) {
		if err := gorm.G[enrollmentRow](tx).CreateInBatches(ctx, &part, batch); err != nil {
			return err
		}
		tell(len(part))
	}
	return nil
}

// signUpsOf returns which of the people made their account themselves, and whether they were ever in a course since.
func signUpsOf(ctx context.Context, q *gorm.DB, ids []media.ID) (map[media.ID]bool, error) {
	found := map[media.ID]bool{}
	for part := range slices.Chunk(ids, batch) {
		var rows []struct {
			UserID media.ID
			LetIn  bool
		}
		err := q.WithContext(ctx).Raw("SELECT s.user_id, EXISTS (SELECT 1 FROM enrollments e WHERE e.user_id = s.user_id) AS let_in "+
			"FROM sign_ups s WHERE s.user_id IN ?", part).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.UserID] = r.LetIn
		}
	}
	return found, nil
}
