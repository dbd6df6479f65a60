package chat

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// nextRev takes the next number of a room. The row stays locked until the transaction ends, so numbers become
// visible in their order, whatever node they are taken on.
func nextRev(ctx context.Context, tx *gorm.DB, lesson media.ID) (rev int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO rooms (lesson_id, rev, mode, slow_s, set_rev) VALUES (?, 1, ?, 0, 0)
		ON CONFLICT (lesson_id) DO UPDATE SET rev = rooms.rev + 1 RETURNING rev`, lesson, All).Scan(&rev).Error
	return rev, err
}

// roomOf returns a room; one in which nothing has happened is there all the same.
func roomOf(ctx context.Context, q *gorm.DB, lesson media.ID) (roomRow, error) {
	rows, err := gorm.G[roomRow](q).Where("lesson_id = ?", lesson).Find(ctx)
	if err != nil || len(rows) == 0 {
		return roomRow{LessonID: lesson, Mode: All}, err
	}
	return rows[0], nil
}

// revsOf returns the last numbers of rooms; those without a row are left out.
func revsOf(ctx context.Context, q *gorm.DB, lessons []media.ID) ([]roomRow, error) {
	return gorm.G[roomRow](q).Where("lesson_id IN ?", lessons).Find(ctx)
}

func setRoom(ctx context.Context, tx *gorm.DB, r roomRow) error {
	return tx.WithContext(ctx).Exec("UPDATE rooms SET mode = ?, slow_s = ?, set_rev = ? WHERE lesson_id = ?",
		r.Mode, r.SlowS, r.SetRev, r.LessonID).Error
}

// named is a row with the name of who it is from.
type named[T any] struct {
	Row  T `gorm:"embedded"`
	Name string
}

const messageQuery = `SELECT m.id, m.lesson_id, m.user_id, m.rev, m.role, m.private, m.body, m.nonce, m.at, m.pos_ms,
	m.removed_at, m.removed_by, u.display_name AS name FROM messages m JOIN users u ON u.id = m.user_id `

// messagesAfter returns what was said or removed after a number, in the order of numbers.
func messagesAfter(ctx context.Context, q *gorm.DB, lesson media.ID, rev int64, limit int) (rows []named[messageRow], err error) {
	err = q.WithContext(ctx).Raw(messageQuery+"WHERE m.lesson_id = ? AND m.rev > ? ORDER BY m.rev LIMIT ?", lesson, rev, limit).Scan(&rows).Error
	return rows, err
}

// latestMessages returns the last that r may see, the newest first.
func latestMessages(ctx context.Context, q *gorm.DB, lesson media.ID, r Reader, limit int) (rows []named[messageRow], err error) {
	err = q.WithContext(ctx).Raw(messageQuery+`WHERE m.lesson_id = ? AND m.removed_at = 0 AND (NOT m.private OR ? OR m.user_id = ?)
		ORDER BY m.rev DESC LIMIT ?`, lesson, r.Staff, r.User, limit).Scan(&rows).Error
	return rows, err
}

func messageByID(ctx context.Context, q *gorm.DB, lesson, id media.ID) (messageRow, error) {
	return gorm.G[messageRow](q).Where("lesson_id = ? AND id = ?", lesson, id).Take(ctx)
}

// insertMessage adds a message, unless its page sent it before; id is that of the message there is then.
func insertMessage(ctx context.Context, tx *gorm.DB, m messageRow) (id media.ID, err error) {
	r := tx.WithContext(ctx).Exec(`INSERT INTO messages (id, lesson_id, user_id, rev, role, private, body, nonce, at, pos_ms, removed_at, removed_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING`,
		m.ID, m.LessonID, m.UserID, m.Rev, m.Role, m.Private, m.Body, m.Nonce, m.At, m.PosMS)
	if r.Error != nil || r.RowsAffected == 1 {
		return m.ID, r.Error
	}
	err = tx.WithContext(ctx).Raw("SELECT id FROM messages WHERE lesson_id = ? AND user_id = ? AND nonce = ?", m.LessonID, m.UserID, m.Nonce).Scan(&id).Error
	return id, err
}

// saidBefore reports whether a page sent a message before.
func saidBefore(ctx context.Context, q *gorm.DB, table string, lesson, user media.ID, nonce string) (id media.ID, err error) {
	err = q.WithContext(ctx).Table(table).Select("id").Where("lesson_id = ? AND user_id = ? AND nonce = ?", lesson, user, nonce).Limit(1).Scan(&id).Error
	return id, err
}

// lastSaid is when somebody last wrote in a room, 0 for never.
func lastSaid(ctx context.Context, q *gorm.DB, lesson, user media.ID) (at database.Instant, err error) {
	err = q.WithContext(ctx).Raw("SELECT COALESCE(MAX(at), 0) FROM messages WHERE user_id = ? AND lesson_id = ?", user, lesson).Scan(&at).Error
	return at, err
}

func removeMessage(ctx context.Context, tx *gorm.DB, m messageRow) error {
	return tx.WithContext(ctx).Exec("UPDATE messages SET body = '', removed_at = ?, removed_by = ?, rev = ? WHERE id = ?",
		m.RemovedAt, m.RemovedBy, m.Rev, m.ID).Error
}

const questionQuery = `SELECT w.id, w.lesson_id, w.user_id, w.rev, w.shown_rev, w.body, w.nonce, w.at, w.pos_ms, w.answer,
	w.answered_at, w.answered_by, w.pinned, u.display_name AS name FROM questions w JOIN users u ON u.id = w.user_id `

func questionsAfter(ctx context.Context, q *gorm.DB, lesson media.ID, rev int64) (rows []named[questionRow], err error) {
	err = q.WithContext(ctx).Raw(questionQuery+"WHERE w.lesson_id = ? AND w.rev > ? ORDER BY w.rev", lesson, rev).Scan(&rows).Error
	return rows, err
}

func questionByID(ctx context.Context, q *gorm.DB, lesson, id media.ID) (questionRow, error) {
	return gorm.G[questionRow](q).Where("lesson_id = ? AND id = ?", lesson, id).Take(ctx)
}

func questionsOf(ctx context.Context, q *gorm.DB, lesson media.ID) (n int64, err error) {
	err = q.WithContext(ctx).Raw("SELECT COUNT(*) FROM questions WHERE lesson_id = ?", lesson).Scan(&n).Error
	return n, err
}

func insertQuestion(ctx context.Context, tx *gorm.DB, w questionRow) error {
	return gorm.G[questionRow](tx).Create(ctx, &w)
}

func updateQuestion(ctx context.Context, tx *gorm.DB, w questionRow) error {
	return tx.WithContext(ctx).Exec("UPDATE questions SET answer = ?, answered_at = ?, answered_by = ?, pinned = ?, rev = ?, shown_rev = ? WHERE id = ?",
		w.Answer, w.AnsweredAt, w.AnsweredBy, w.Pinned, w.Rev, w.ShownRev, w.ID).Error
}

const handQuery = `SELECT h.id, h.lesson_id, h.user_id, h.rev, h.raised_rev, h.raised_at, h.called_at, h.lowered_at, h.lowered_by,
	u.display_name AS name FROM hands h JOIN users u ON u.id = h.user_id `

func handsAfter(ctx context.Context, q *gorm.DB, lesson media.ID, rev int64) (rows []named[handRow], err error) {
	err = q.WithContext(ctx).Raw(handQuery+"WHERE h.lesson_id = ? AND h.rev > ? ORDER BY h.raised_rev", lesson, rev).Scan(&rows).Error
	return rows, err
}

// handsUp returns the hands of a lesson that are up, in line.
func handsUp(ctx context.Context, q *gorm.DB, lesson media.ID) (rows []named[handRow], err error) {
	err = q.WithContext(ctx).Raw(handQuery+"WHERE h.lesson_id = ? AND h.lowered_at = 0 ORDER BY h.raised_rev", lesson).Scan(&rows).Error
	return rows, err
}

func insertHand(ctx context.Context, tx *gorm.DB, h handRow) error {
	return gorm.G[handRow](tx).Create(ctx, &h)
}

func updateHand(ctx context.Context, tx *gorm.DB, h handRow) error {
	return tx.WithContext(ctx).Exec("UPDATE hands SET rev = ?, called_at = ?, lowered_at = ?, lowered_by = ? WHERE id = ?",
		h.Rev, h.CalledAt, h.LoweredAt, h.LoweredBy, h.ID).Error
}

func pollsAfter(ctx context.Context, q *gorm.DB, lesson media.ID, rev int64) ([]pollRow, error) {
	return gorm.G[pollRow](q).Where("lesson_id = ? AND rev > ?", lesson, rev).Order("opened_at, id").Find(ctx)
}

func pollByID(ctx context.Context, q *gorm.DB, lesson, id media.ID) (pollRow, error) {
	return gorm.G[pollRow](q).Where("lesson_id = ? AND id = ?", lesson, id).Take(ctx)
}

// pollsOf returns how many polls a lesson has had, and whether one is open.
func pollsOf(ctx context.Context, q *gorm.DB, lesson media.ID) (n int, open bool, err error) {
	rows, err := gorm.G[pollRow](q).Where("lesson_id = ?", lesson).Find(ctx)
	for _, p := range rows {
		open = open || p.ClosedAt == 0
	}
	return len(rows), open, err
}

func optionsOf(ctx context.Context, q *gorm.DB, polls []media.ID) ([]optionRow, error) {
	if len(polls) == 0 {
		return nil, nil
	}
	return gorm.G[optionRow](q).Where("poll_id IN ?", polls).Order("poll_id, n").Find(ctx)
}

// ballot is how many chose the same.
type ballot struct {
	PollID  media.ID
	Choices int64
	Voters  int
}

func ballotsOf(ctx context.Context, q *gorm.DB, polls []media.ID) (rows []ballot, err error) {
	if len(polls) == 0 {
		return nil, nil
	}
	err = q.WithContext(ctx).Raw("SELECT poll_id, choices, COUNT(*) AS voters FROM votes WHERE poll_id IN ? GROUP BY poll_id, choices", polls).Scan(&rows).Error
	return rows, err
}

// votesOf returns what somebody chose in the polls of a lesson.
func votesOf(ctx context.Context, q *gorm.DB, lesson, user media.ID) (rows []voteRow, err error) {
	err = q.WithContext(ctx).Raw(`SELECT v.poll_id, v.user_id, v.choices, v.at FROM votes v JOIN polls p ON p.id = v.poll_id
		WHERE v.user_id = ? AND p.lesson_id = ?`, user, lesson).Scan(&rows).Error
	return rows, err
}

func insertPoll(ctx context.Context, tx *gorm.DB, p pollRow, options []optionRow) error {
	if err := gorm.G[pollRow](tx).Create(ctx, &p); err != nil {
		return err
	}
	return gorm.G[optionRow](tx).CreateInBatches(ctx, &options, maxOptions)
}

func upsertVote(ctx context.Context, tx *gorm.DB, v voteRow) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO votes (poll_id, user_id, choices, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (poll_id, user_id) DO UPDATE SET choices = excluded.choices, at = excluded.at`, v.PollID, v.UserID, v.Choices, v.At).Error
}

func setPollRev(ctx context.Context, tx *gorm.DB, id media.ID, rev int64) error {
	return tx.WithContext(ctx).Exec("UPDATE polls SET rev = ? WHERE id = ?", rev, id).Error
}

func closePoll(ctx context.Context, tx *gorm.DB, p pollRow, counts []int) error {
	err := tx.WithContext(ctx).Exec("UPDATE polls SET rev = ?, shown_rev = ?, closed_at = ?, voters = ? WHERE id = ?", p.Rev, p.ShownRev, p.ClosedAt, p.Voters, p.ID).Error
	for n, votes := range counts {
		if err != nil {
			return err
		}
		err = tx.WithContext(ctx).Exec("UPDATE poll_options SET votes = ? WHERE poll_id = ? AND n = ?", votes, p.ID, n).Error
	}
	return err
}

func mutesAfter(ctx context.Context, q *gorm.DB, lesson media.ID, rev int64) ([]muteRow, error) {
	return gorm.G[muteRow](q).Where("lesson_id = ? AND rev > ?", lesson, rev).Find(ctx)
}

func muted(ctx context.Context, q *gorm.DB, lesson, user media.ID) (yes bool, err error) {
	err = q.WithContext(ctx).Raw("SELECT COUNT(*) > 0 FROM mutes WHERE lesson_id = ? AND user_id = ? AND muted", lesson, user).Scan(&yes).Error
	return yes, err
}

func upsertMute(ctx context.Context, tx *gorm.DB, m muteRow) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO mutes (lesson_id, user_id, rev, muted, at, by_id) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (lesson_id, user_id) DO UPDATE SET rev = excluded.rev, muted = excluded.muted, at = excluded.at, by_id = excluded.by_id`,
		m.LessonID, m.UserID, m.Rev, m.Muted, m.At, m.ByID).Error
}

// old says where the age of each table stands, votes and options going with their poll.
var old = []struct{ table, at string }{
	{"messages", "at"}, {"questions", "at"}, {"hands", "raised_at"}, {"polls", "opened_at"},
}

// sweepSome deletes up to limit rows of a table that are older than before.
func sweepSome(ctx context.Context, tx *gorm.DB, table, at string, before database.Instant, limit int) (int64, error) {
	r := tx.WithContext(ctx).Exec("DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" WHERE "+at+" < ? LIMIT ?)", before, limit)
	return r.RowsAffected, r.Error
}

func sweepMutes(ctx context.Context, tx *gorm.DB, before database.Instant) error {
	return tx.WithContext(ctx).Exec("DELETE FROM mutes WHERE at < ?", before).Error
}
