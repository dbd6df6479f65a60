package lessons

import (
	"context"
	"maps"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

func lessonByID(ctx context.Context, q *gorm.DB, id media.ID) (Lesson, error) {
	return gorm.G[Lesson](q).Where("id = ?", id).Take(ctx)
}

// lessonsBetween returns the lessons of courses that touch [from, until), by start. An unplanned lesson stands
// where it was begun.
func lessonsBetween(ctx context.Context, q *gorm.DB, courses []media.ID, from, until time.Time) ([]Lesson, error) {
	return gorm.G[Lesson](q).
		Where("course_id IN ?", courses).
		Where("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_start_at END < ?", database.At(until)).
		Where("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_end_at END >= ?", database.At(from)).
		Order("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_start_at END, id").
		Find(ctx)
}

// everyLessonBetween is lessonsBetween for the whole school.
func everyLessonBetween(ctx context.Context, q *gorm.DB, from, until time.Time) ([]Lesson, error) {
	return gorm.G[Lesson](q).
		Where("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_start_at END < ?", database.At(until)).
		Where("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_end_at END >= ?", database.At(from)).
		Order("CASE WHEN planned_start_at = 0 THEN created_at ELSE planned_start_at END, id").
		Find(ctx)
}

// unfinished names its states so that the partial index answers, however many lessons the school has taught.
const unfinished = "state NOT IN ('closed', 'cancelled')"

// lessonsIn returns the lessons in any of states, which may not hold Closed or Cancelled.
func lessonsIn(ctx context.Context, q *gorm.DB, states ...State) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where(unfinished).Where("state IN ?", states).Order("planned_start_at, id").Find(ctx)
}

// unfinishedOf returns the lessons of courses that are open, on air, or planned to start before until.
func unfinishedOf(ctx context.Context, q *gorm.DB, courses []media.ID, until time.Time) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where(unfinished).
		Where("course_id IN ?", courses).
		Where("state IN ?", []State{Planned, Open, Live, Interrupted}).
		Where("planned_start_at <= ?", database.At(until)).
		Order("planned_start_at, id").Find(ctx)
}

func insertLessons(ctx context.Context, tx *gorm.DB, rows []Lesson) error {
	return gorm.G[Lesson](tx).CreateInBatches(ctx, &rows, 50)
}

// insertSeriesLessons is insertLessons that leaves alone the days of a series which have their lesson.
func insertSeriesLessons(ctx context.Context, tx *gorm.DB, rows []Lesson) error {
	if len(rows) == 0 {
		return nil
	}
	return gorm.G[Lesson](tx, clause.OnConflict{DoNothing: true}).CreateInBatches(ctx, &rows, 50)
}

func insertSeries(ctx context.Context, tx *gorm.DB, s Series) error {
	return gorm.G[Series](tx).Create(ctx, &s)
}

func seriesByID(ctx context.Context, q *gorm.DB, id media.ID) (Series, error) {
	return gorm.G[Series](q).Where("id = ?", id).Take(ctx)
}

// lockSeries is seriesByID for a transaction that makes or changes its lessons: the next one waits.
func lockSeries(ctx context.Context, tx *gorm.DB, id media.ID) (Series, error) {
	return gorm.G[Series](tx, clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(ctx)
}

func updateSeries(ctx context.Context, tx *gorm.DB, id media.ID, columns map[string]any) error {
	return tx.WithContext(ctx).Table("series").Where("id = ?", id).Updates(columns).Error
}

// resumeSeries lets the series go on that a cancellation ended.
func resumeSeries(ctx context.Context, tx *gorm.DB, cancel media.ID) error {
	return tx.WithContext(ctx).Exec("UPDATE series SET stop_id = 0 WHERE stop_id = ?", cancel).Error
}

// joinSeries makes a lesson stand for a day of a series.
func joinSeries(ctx context.Context, tx *gorm.DB, lesson, series media.ID, date string) error {
	return tx.WithContext(ctx).Exec("UPDATE lessons SET series_id = ?, series_date = ? WHERE id = ?", series, date, lesson).Error
}

// deleteEmptySeries forgets a series that has no lesson.
func deleteEmptySeries(ctx context.Context, tx *gorm.DB, id media.ID) error {
	return tx.WithContext(ctx).Exec(`DELETE FROM series WHERE id = ? AND NOT EXISTS
		(SELECT 1 FROM lessons l WHERE l.series_id = series.id)`, id).Error
}

// seriesBehind returns the series that lack lessons up to a day.
func seriesBehind(ctx context.Context, q *gorm.DB, until string) ([]Series, error) {
	return gorm.G[Series](q).Where("stop_id = 0 AND made_until < last_date AND made_until < ?", until).Order("id").Find(ctx)
}

// seriesOf returns the series of a course that go on after a day.
func seriesOf(ctx context.Context, q *gorm.DB, course media.ID, after string) ([]Series, error) {
	return gorm.G[Series](q).Where("course_id = ? AND stop_id = 0 AND last_date > ?", course, after).Order("first_date, local_start, id").Find(ctx)
}

// lessonsOfSeries returns the lessons that stand for a day of a series or a later one.
func lessonsOfSeries(ctx context.Context, q *gorm.DB, series media.ID, from string) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where("series_id = ? AND series_date >= ?", series, from).Order("series_date").Find(ctx)
}

// cancelledWith returns the lessons of one cancellation.
func cancelledWith(ctx context.Context, q *gorm.DB, cancel media.ID) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where("cancel_id = ? AND state = ?", cancel, Cancelled).Order("planned_start_at, id").Find(ctx)
}

// movedBetween returns the lessons of courses that were meant to start in [from, until) and were moved.
func movedBetween(ctx context.Context, q *gorm.DB, courses []media.ID, from, until time.Time) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where("moved_from_at > 0 AND moved_from_at >= ? AND moved_from_at < ?", database.At(from), database.At(until)).
		Where("course_id IN ?", courses).Order("moved_from_at, id").Find(ctx)
}

// change moves a lesson to another state and sets further columns, provided that it is still in the state that
// row was read in; it reports whether it was.
func change(ctx context.Context, tx *gorm.DB, row Lesson, next State, columns map[string]any) (bool, error) {
	set := map[string]any{"state": next}
	maps.Copy(set, columns)
	r := tx.WithContext(ctx).Table("lessons").Where("id = ? AND state = ?", row.ID, row.State).Updates(set)
	return r.RowsAffected == 1, r.Error
}

// endedSince returns the lessons that ended at since or later.
func endedSince(ctx context.Context, q *gorm.DB, since database.Instant) (ids []media.ID, err error) {
	err = q.WithContext(ctx).Raw("SELECT id FROM lessons WHERE ended_at >= ? AND ended_at > 0", since).Scan(&ids).Error
	return ids, err
}

// lessonsHeld returns the lessons that were on air.
func lessonsHeld(ctx context.Context, q *gorm.DB) (ids []media.ID, err error) {
	err = q.WithContext(ctx).Raw("SELECT id FROM lessons WHERE live_at > 0").Scan(&ids).Error
	return ids, err
}

func insertBroadcast(ctx context.Context, tx *gorm.DB, b Broadcast) error {
	return gorm.G[Broadcast](tx).Create(ctx, &b)
}

func updateBroadcast(ctx context.Context, tx *gorm.DB, id media.ID, columns map[string]any) error {
	return tx.WithContext(ctx).Table("broadcasts").Where("id = ?", id).Updates(columns).Error
}

// closeBroadcasts ends what a stopped server left open, at the last packet it knew of, except those in ours.
func closeBroadcasts(ctx context.Context, tx *gorm.DB, ours map[media.ID]bool) error {
	open, err := gorm.G[Broadcast](tx).Select("id").Where("ended_at = 0").Find(ctx)
	if err != nil {
		return err
	}
	for _, b := range open {
		if ours[b.ID] {
			continue
		}
		if err := tx.WithContext(ctx).Exec("UPDATE broadcasts SET ended_at = seen_at WHERE id = ?", b.ID).Error; err != nil {
			return err
		}
	}
	return nil
}

func airOf(ctx context.Context, q *gorm.DB, lesson media.ID) ([]AirInterval, error) {
	return gorm.G[AirInterval](q).Where("lesson_id = ?", lesson).Order("from_at, id").Find(ctx)
}

func openAir(ctx context.Context, q *gorm.DB) ([]AirInterval, error) {
	return gorm.G[AirInterval](q).Where("until_at = 0").Find(ctx)
}

// insertAir begins an interval; false means that the lesson has an open one already.
func insertAir(ctx context.Context, tx *gorm.DB, a AirInterval) (bool, error) {
	r := tx.WithContext(ctx).Exec(`INSERT INTO air_intervals (id, lesson_id, broadcast_id, from_at, until_at, seen_at)
		VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`, a.ID, a.LessonID, a.BroadcastID, a.FromAt, a.SeenAt)
	return r.RowsAffected == 1, r.Error
}

// insertAirs writes intervals that are over.
func insertAirs(ctx context.Context, tx *gorm.DB, rows []AirInterval) error {
	return gorm.G[AirInterval](tx).CreateInBatches(ctx, &rows, 500)
}

// seenAir notes that the open interval of a broadcast still goes on.
func seenAir(ctx context.Context, tx *gorm.DB, lesson, broadcast media.ID, at database.Instant) error {
	return tx.WithContext(ctx).Exec(`UPDATE air_intervals SET seen_at = ?
		WHERE lesson_id = ? AND broadcast_id = ? AND until_at = 0 AND seen_at < ?`, at, lesson, broadcast, at).Error
}

// closeAir ends the open interval that a lesson has from a broadcast at the instant given, or where it began when
// that is later; false means that there was none.
func closeAir(ctx context.Context, tx *gorm.DB, lesson, broadcast media.ID, at database.Instant) (bool, error) {
	r := tx.WithContext(ctx).Exec(closeAirSQL+` AND broadcast_id = ?`, at, at, at, at, lesson, broadcast)
	return r.RowsAffected == 1, r.Error
}

// closeAnyAir is closeAir for whatever broadcast it is from.
func closeAnyAir(ctx context.Context, tx *gorm.DB, lesson media.ID, at database.Instant) error {
	return tx.WithContext(ctx).Exec(closeAirSQL, at, at, at, at, lesson).Error
}

const closeAirSQL = `UPDATE air_intervals SET
	until_at = CASE WHEN from_at > ? THEN from_at ELSE ? END,
	seen_at = CASE WHEN from_at > ? THEN from_at ELSE ? END
	WHERE lesson_id = ? AND until_at = 0`

// lastSeen is the last packet of a lesson that anybody wrote down, 0 when there was none.
func lastSeen(ctx context.Context, q *gorm.DB, lesson media.ID) (database.Instant, error) {
	var at database.Instant
	err := q.WithContext(ctx).Raw(`SELECT COALESCE(MAX(seen_at), 0) FROM broadcasts WHERE lesson_id = ?`, lesson).Scan(&at).Error
	return at, err
}

// dueForClosing returns ended lessons whose last air interval ended before, or which ended before without any.
func dueForClosing(ctx context.Context, q *gorm.DB, before database.Instant) ([]Lesson, error) {
	return gorm.G[Lesson](q).Where(unfinished).Where("state = ?", Ended).
		Where(`COALESCE((SELECT MAX(until_at) FROM air_intervals a WHERE a.lesson_id = lessons.id), ended_at) <= ?`, before).
		Where(`NOT EXISTS (SELECT 1 FROM air_intervals a WHERE a.lesson_id = lessons.id AND a.until_at = 0)`).
		Order("ended_at, id").Find(ctx)
}

// attemptsKept is how many publish attempts of a teacher the studio remembers.
const attemptsKept = 10

func insertAttempt(ctx context.Context, tx *gorm.DB, a PublishAttempt) error {
	if err := gorm.G[PublishAttempt](tx).Create(ctx, &a); err != nil {
		return err
	}
	return tx.WithContext(ctx).Exec(`DELETE FROM publish_attempts WHERE user_id = ? AND id NOT IN
		(SELECT id FROM publish_attempts WHERE user_id = ? ORDER BY at DESC, id DESC LIMIT ?)`,
		a.UserID, a.UserID, attemptsKept).Error
}

// remarkAttempt says afterwards how an attempt went on.
func remarkAttempt(ctx context.Context, tx *gorm.DB, id media.ID, admitted bool, e media.End) error {
	return tx.WithContext(ctx).Exec("UPDATE publish_attempts SET admitted = ?, code = ?, detail = ? WHERE id = ?",
		admitted, e.Code, short(e.Detail), id).Error
}

func attemptsOf(ctx context.Context, q *gorm.DB, user media.ID) ([]PublishAttempt, error) {
	return gorm.G[PublishAttempt](q).Where("user_id = ?", user).Order("at DESC, id DESC").Limit(attemptsKept).Find(ctx)
}

// extend sets how many minutes a lesson was given, unless another click was faster.
func extend(ctx context.Context, tx *gorm.DB, row Lesson, minutes int) error {
	return tx.WithContext(ctx).Exec("UPDATE lessons SET extended_min = ? WHERE id = ? AND extended_min = ?",
		minutes, row.ID, row.ExtendedMin).Error
}

// deleteAttempts forgets what encoders tried before.
func deleteAttempts(ctx context.Context, tx *gorm.DB, before database.Instant) (int, error) {
	return gorm.G[PublishAttempt](tx).Where("at < ?", before).Delete(ctx)
}
