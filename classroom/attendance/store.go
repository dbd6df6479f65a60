package attendance

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// viewsOf returns the views of students in a lesson; no users means all of them.
func viewsOf(ctx context.Context, q *gorm.DB, lesson media.ID, users ...media.ID) ([]viewRow, error) {
	g := gorm.G[viewRow](q).Where("lesson_id = ?", lesson)
	if len(users) > 0 {
		g = g.Where("user_id IN ?", users)
	}
	return g.Order("user_id, opened_at, id").Find(ctx)
}

// intervalsOf returns the intervals of those views.
func intervalsOf(ctx context.Context, q *gorm.DB, lesson media.ID, users ...media.ID) ([]intervalRow, error) {
	var rows []intervalRow
	s := q.WithContext(ctx).Table("intervals").Select("intervals.*").
		Joins("JOIN views ON views.id = intervals.view_id").Where("views.lesson_id = ?", lesson)
	if len(users) > 0 {
		s = s.Where("views.user_id IN ?", users)
	}
	err := s.Order("intervals.view_id, intervals.n, intervals.from_at").Find(&rows).Error
	return rows, err
}

// rowsPerStatement keeps a statement below the 32,766 placeholders of SQLite.
const rowsPerStatement = 500

// upsertViews writes where each view stands now.
func upsertViews(ctx context.Context, tx *gorm.DB, rows []viewRow) error {
	if tx.Name() == "postgres" {
		return upsertViewsPostgres(ctx, tx, rows)
	}
	return gorm.G[viewRow](tx, clause.OnConflict{
		Columns:   []clause.Column{{Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"n", "pos_ms", "last_at"}),
	}).CreateInBatches(ctx, &rows, rowsPerStatement)
}

// upsertWatched writes where views stand now, and the intervals that are new or longer.
func upsertWatched(ctx context.Context, tx *gorm.DB, views []viewRow, intervals []intervalRow) error {
	if len(views) > 0 {
		if err := upsertViews(ctx, tx, views); err != nil {
			return err
		}
	}
	if len(intervals) > 0 {
		return upsertIntervals(ctx, tx, intervals)
	}
	return nil
}

// upsertIntervals writes new intervals and lengthens those that are there.
func upsertIntervals(ctx context.Context, tx *gorm.DB, rows []intervalRow) error {
	if tx.Name() == "postgres" {
		return upsertIntervalsPostgres(ctx, tx, rows)
	}
	return gorm.G[intervalRow](tx, clause.OnConflict{
		Columns:   []clause.Column{{Name: "view_id"}, {Name: "n"}, {Name: "state"}},
		DoUpdates: clause.AssignmentColumns([]string{"to_at", "seen_from_ms", "seen_to_ms"}),
	}).CreateInBatches(ctx, &rows, rowsPerStatement)
}

// On PostgreSQL one statement with an array for each column writes any number of rows, and is planned once.

func upsertViewsPostgres(ctx context.Context, tx *gorm.DB, rows []viewRow) error {
	n := len(rows)
	ids, lessons, users, devices := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	ns, pos, opened, last := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	tokens, classes := make([]string, n), make([]string, n)
	for i, r := range rows {
		ids[i], lessons[i], users[i], devices[i] = int64(r.ID), int64(r.LessonID), int64(r.UserID), r.Device
		ns[i], pos[i], opened[i], last[i] = r.N, r.PosMS, int64(r.OpenedAt), int64(r.LastAt)
		tokens[i], classes[i] = r.Token, r.DeviceClass
	}
	_, err := tx.Statement.ConnPool.ExecContext(ctx, `INSERT INTO views
		(id, lesson_id, user_id, token, device, device_class, n, pos_ms, opened_at, last_at)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
		ON CONFLICT (id) DO UPDATE SET n = excluded.n, pos_ms = excluded.pos_ms, last_at = excluded.last_at`,
		ids, lessons, users, tokens, devices, classes, ns, pos, opened, last)
	return translate(tx, err)
}

func upsertIntervalsPostgres(ctx context.Context, tx *gorm.DB, rows []intervalRow) error {
	n := len(rows)
	views, ns, states := make([]int64, n), make([]int64, n), make([]string, n)
	from, to, seenFrom, seenTo := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, r := range rows {
		views[i], ns[i], states[i] = int64(r.ViewID), r.N, string(r.State)
		from[i], to[i], seenFrom[i], seenTo[i] = int64(r.FromAt), int64(r.ToAt), r.SeenFromMS, r.SeenToMS
	}
	_, err := tx.Statement.ConnPool.ExecContext(ctx, `INSERT INTO intervals
		(view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
		ON CONFLICT (view_id, n, state) DO UPDATE SET to_at = excluded.to_at,
			seen_from_ms = excluded.seen_from_ms, seen_to_ms = excluded.seen_to_ms`,
		views, ns, states, from, to, seenFrom, seenTo)
	return translate(tx, err)
}

// translate gives an error from below gorm the name that gorm would have given it.
func translate(tx *gorm.DB, err error) error {
	if t, ok := tx.Dialector.(gorm.ErrorTranslator); ok && err != nil {
		return t.Translate(err)
	}
	return err
}

// latestRegister returns the version that counts, database.ErrNotFound while the lesson has none.
func latestRegister(ctx context.Context, q *gorm.DB, lesson media.ID) (registerRow, error) {
	return gorm.G[registerRow](q).Where("lesson_id = ?", lesson).Order("version DESC").Limit(1).Take(ctx)
}

func studentRows(ctx context.Context, q *gorm.DB, lesson media.ID, version int, users ...media.ID) ([]studentRow, error) {
	g := gorm.G[studentRow](q).Where("lesson_id = ? AND version = ?", lesson, version)
	if len(users) > 0 {
		g = g.Where("user_id IN ?", users)
	}
	return g.Find(ctx)
}

func insertRegister(ctx context.Context, tx *gorm.DB, r registerRow, rows []studentRow) error {
	if err := gorm.G[registerRow](tx).Create(ctx, &r); err != nil {
		return err
	}
	return gorm.G[studentRow](tx).CreateInBatches(ctx, &rows, rowsPerStatement)
}

// dueForSettling returns the registers whose last figures are to be written at now.
func dueForSettling(ctx context.Context, q *gorm.DB, now database.Instant) ([]registerRow, error) {
	return gorm.G[registerRow](q).Where("NOT settled AND settles_at <= ?", now).Order("settles_at").Limit(100).Find(ctx)
}

func setSettled(ctx context.Context, tx *gorm.DB, lesson media.ID, version int) (bool, error) {
	n, err := gorm.G[registerRow](tx).Where("lesson_id = ? AND version = ? AND NOT settled", lesson, version).
		Update(ctx, "settled", true)
	return n == 1, err
}

// setLater writes what may grow after the register has closed.
func setLater(ctx context.Context, tx *gorm.DB, r studentRow) error {
	return tx.WithContext(ctx).Table("register_rows").
		Where("lesson_id = ? AND version = ? AND user_id = ?", r.LessonID, r.Version, r.UserID).
		Updates(map[string]any{"status": r.Status, "replay_s": r.ReplayS, "covered_s": r.CoveredS}).Error
}

// correctionsOf returns the newest correction of each student of a lesson; no users means all of them.
func correctionsOf(ctx context.Context, q *gorm.DB, lesson media.ID, users ...media.ID) ([]correctionRow, error) {
	g := gorm.G[correctionRow](q).Where("lesson_id = ?", lesson).
		Where("seq = (SELECT MAX(seq) FROM corrections newer WHERE newer.lesson_id = corrections.lesson_id AND newer.user_id = corrections.user_id)")
	if len(users) > 0 {
		g = g.Where("user_id IN ?", users)
	}
	return g.Find(ctx)
}

func insertCorrections(ctx context.Context, tx *gorm.DB, rows []correctionRow) error {
	return gorm.G[correctionRow](tx).CreateInBatches(ctx, &rows, rowsPerStatement)
}

func joinFailuresOf(ctx context.Context, q *gorm.DB, lesson media.ID, users ...media.ID) ([]joinFailureRow, error) {
	g := gorm.G[joinFailureRow](q).Where("lesson_id = ?", lesson)
	if len(users) > 0 {
		g = g.Where("user_id IN ?", users)
	}
	return g.Order("at, id").Find(ctx)
}

// insertJoinFailure keeps one attempt, unless the student has one for the same reason that is not older than
// since, or has most of them already.
func insertJoinFailure(ctx context.Context, tx *gorm.DB, r joinFailureRow, since database.Instant, most int) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO join_failures (id, lesson_id, user_id, at, reason)
		SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT)
		WHERE NOT EXISTS (SELECT 1 FROM join_failures WHERE lesson_id = ? AND user_id = ? AND reason = ? AND at > ?)
		AND (SELECT COUNT(*) FROM join_failures WHERE lesson_id = ? AND user_id = ?) < ?`,
		r.ID, r.LessonID, r.UserID, r.At, r.Reason, r.LessonID, r.UserID, r.Reason, since, r.LessonID, r.UserID, most).Error
}

// hereSince returns the students of a lesson whose page sent a beat after since.
func hereSince(ctx context.Context, q *gorm.DB, lesson media.ID, since database.Instant) ([]media.ID, error) {
	var users []media.ID
	err := q.WithContext(ctx).Raw(`SELECT DISTINCT user_id FROM views WHERE lesson_id = ? AND last_at > ? ORDER BY user_id`,
		lesson, since).Scan(&users).Error
	return users, err
}

// policiesOf returns the last changes of a policy, the newest first; course 0 is the school.
func policiesOf(ctx context.Context, q *gorm.DB, course media.ID, limit int) ([]policyRow, error) {
	return gorm.G[policyRow](q).Where("course_id = ?", course).Order("version DESC").Limit(limit).Find(ctx)
}

func policyAt(ctx context.Context, q *gorm.DB, course media.ID, version int64) (policyRow, error) {
	return gorm.G[policyRow](q).Where("course_id = ? AND version = ?", course, version).Take(ctx)
}

func insertPolicies(ctx context.Context, tx *gorm.DB, rows []policyRow) error {
	return gorm.G[policyRow](tx).CreateInBatches(ctx, &rows, rowsPerStatement)
}

// lessonsAbout returns the lessons that hold something about a student, by date.
func lessonsAbout(ctx context.Context, q *gorm.DB, user media.ID) ([]media.ID, error) {
	var ids []media.ID
	err := q.WithContext(ctx).Raw(`SELECT l.id FROM lessons l WHERE l.id IN (
		SELECT lesson_id FROM register_rows WHERE user_id = ? UNION SELECT lesson_id FROM views WHERE user_id = ?
		UNION SELECT lesson_id FROM join_failures WHERE user_id = ? UNION SELECT lesson_id FROM corrections WHERE user_id = ?)
		ORDER BY l.local_date, l.local_start, l.id`, user, user, user, user).Scan(&ids).Error
	return ids, err
}
