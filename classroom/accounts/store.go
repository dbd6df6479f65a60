package accounts

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const userColumns = "id, email, display_name, given_name, family_name, student_id, admin, lang, created_at, disabled_at, invited_at, erased_at"

func readSchool(ctx context.Context, q *gorm.DB) (schoolRow, error) {
	return gorm.G[schoolRow](q).Where("id = 1").Take(ctx)
}

// lockSchool makes changes to the set of admins wait for each other.
func lockSchool(ctx context.Context, tx *gorm.DB) error {
	_, err := gorm.G[schoolRow](tx, clause.Locking{Strength: "UPDATE"}).Select("id").Where("id = 1").Take(ctx)
	return err
}

func userByID(ctx context.Context, q *gorm.DB, id media.ID) (userRow, error) {
	return gorm.G[userRow](q).Select(userColumns).Where("id = ?", id).Take(ctx)
}

// userByEmail reads the password as well: it is the one query that needs it.
func userByEmail(ctx context.Context, q *gorm.DB, email string) (userRow, error) {
	return gorm.G[userRow](q).Select(userColumns+", password").Where("email = ?", email).Take(ctx)
}

func listUsers(ctx context.Context, q *gorm.DB, after media.ID, limit int) ([]userRow, error) {
	return gorm.G[userRow](q).Select(userColumns).Where("id > ?", after).Order("id").Limit(limit).Find(ctx)
}

func insertUsers(ctx context.Context, tx *gorm.DB, rows []userRow) error {
	return gorm.G[userRow](tx).CreateInBatches(ctx, &rows, 200)
}

// acceptInvitation stores what somebody chose who came by an invitation.
func acceptInvitation(ctx context.Context, tx *gorm.DB, id media.ID, name, phc string) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Set(
		clause.Assignment{Column: clause.Column{Name: "display_name"}, Value: name},
		clause.Assignment{Column: clause.Column{Name: "password"}, Value: phc},
		clause.Assignment{Column: clause.Column{Name: "invited_at"}, Value: 0},
	).Update(ctx)
	return err
}

func setInvited(ctx context.Context, tx *gorm.DB, id media.ID, at database.Instant) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Update(ctx, "invited_at", at)
	return err
}

func setPassword(ctx context.Context, tx *gorm.DB, id media.ID, phc string) (int, error) {
	return gorm.G[userRow](tx).Where("id = ?", id).Update(ctx, "password", phc)
}

// replacePassword stores a stronger hash of a password, unless that was changed in the meantime.
func replacePassword(ctx context.Context, tx *gorm.DB, id media.ID, old, phc string) error {
	_, err := gorm.G[userRow](tx).Where("id = ? AND password = ?", id, old).Update(ctx, "password", phc)
	return err
}

func setUserLang(ctx context.Context, tx *gorm.DB, id media.ID, lang string) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Update(ctx, "lang", lang)
	return err
}

func setDisabled(ctx context.Context, tx *gorm.DB, id media.ID, at database.Instant) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Update(ctx, "disabled_at", at)
	return err
}

func setAdmin(ctx context.Context, tx *gorm.DB, id media.ID, admin bool) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Update(ctx, "admin", admin)
	return err
}

// countAdmins counts those who can sign in, except one.
func countAdmins(ctx context.Context, q *gorm.DB, except media.ID) (int64, error) {
	return gorm.G[userRow](q).Where("admin AND disabled_at = 0 AND id <> ?", except).Count(ctx, "id")
}

func insertSession(ctx context.Context, tx *gorm.DB, r sessionRow) error {
	return gorm.G[sessionRow](tx).Create(ctx, &r)
}

// identity is a session with the person it belongs to.
type identity struct {
	Session     sessionRow `gorm:"embedded"`
	DisplayName string
	Admin       bool
	Lang        string
	DisabledAt  database.Instant
	FactorAt    database.Instant // 0: no second factor
}

func findSession(ctx context.Context, q *gorm.DB, hash []byte) ([]identity, error) {
	var found []identity
	err := q.WithContext(ctx).Raw("SELECT s.hash, s.user_id, s.created_at, s.seen_at, s.expires_at, "+
		"u.display_name, u.admin, u.lang, u.disabled_at, COALESCE(f.confirmed_at, 0) AS factor_at "+
		"FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN second_factors f ON f.user_id = u.id WHERE s.hash = ?", hash).Scan(&found).Error
	return found, err
}

// sessionsOf returns a person's sessions, the one used last first.
func sessionsOf(ctx context.Context, q *gorm.DB, user media.ID, limit int) ([]sessionRow, error) {
	return gorm.G[sessionRow](q).Select("hash, user_id, created_at, seen_at, expires_at, device").
		Where("user_id = ?", user).Order("seen_at DESC, created_at DESC, hash").Limit(limit).Find(ctx)
}

func deleteSession(ctx context.Context, tx *gorm.DB, hash []byte) (int, error) {
	return gorm.G[sessionRow](tx).Where("hash = ?", hash).Delete(ctx)
}

func deleteSessions(ctx context.Context, tx *gorm.DB, hashes [][]byte) error {
	_, err := gorm.G[sessionRow](tx).Where("hash IN ?", hashes).Delete(ctx)
	return err
}

func sessionHashesOf(ctx context.Context, tx *gorm.DB, user media.ID) (hashes [][]byte, err error) {
	rows, err := gorm.G[sessionRow](tx).Select("hash").Where("user_id = ?", user).Find(ctx)
	for _, r := range rows {
		hashes = append(hashes, r.Hash)
	}
	return hashes, err
}

func deleteSessionsOf(ctx context.Context, tx *gorm.DB, user media.ID) (hashes [][]byte, err error) {
	if hashes, err = sessionHashesOf(ctx, tx, user); err != nil {
		return nil, err
	}
	_, err = gorm.G[sessionRow](tx).Where("user_id = ?", user).Delete(ctx)
	return hashes, err
}

func deleteExpiredSessions(ctx context.Context, tx *gorm.DB, now, unusedSince database.Instant) (int, error) {
	return gorm.G[sessionRow](tx).Where("expires_at <= ? OR seen_at <= ?", now, unusedSince).Delete(ctx)
}

func touchSessions(ctx context.Context, tx *gorm.DB, hashes [][]byte, at database.Instant) error {
	_, err := gorm.G[sessionRow](tx).Where("hash IN ?", hashes).Update(ctx, "seen_at", at)
	return err
}

func insertLink(ctx context.Context, tx *gorm.DB, r linkRow) error {
	return gorm.G[linkRow](tx).Create(ctx, &r)
}

// linkedUser is a link with whom it signs in.
type linkedUser struct {
	UserID      media.ID
	DisplayName string
	ExpiresAt   database.Instant
	UsedAt      database.Instant
	DisabledAt  database.Instant
}

func findLink(ctx context.Context, q *gorm.DB, purpose Purpose, hash []byte) ([]linkedUser, error) {
	var found []linkedUser
	err := q.WithContext(ctx).Raw("SELECT l.user_id, l.expires_at, l.used_at, u.display_name, u.disabled_at "+
		"FROM sign_in_links l JOIN users u ON u.id = l.user_id WHERE l.hash = ? AND l.purpose = ?", hash, purpose).Scan(&found).Error
	return found, err
}

// useLink marks a link as used, unless it is or its time is over. Who comes second waits here for the first.
func useLink(ctx context.Context, tx *gorm.DB, purpose Purpose, hash []byte, now database.Instant) (int, error) {
	return gorm.G[linkRow](tx).Where("hash = ? AND purpose = ? AND used_at = 0 AND expires_at > ?", hash, purpose, now).
		Update(ctx, "used_at", now)
}

func linkOwner(ctx context.Context, tx *gorm.DB, hash []byte) (userRow, error) {
	r, err := gorm.G[linkRow](tx).Select("user_id").Where("hash = ?", hash).Take(ctx)
	if err != nil {
		return userRow{}, err
	}
	return userByID(ctx, tx, r.UserID)
}

// deleteLinksOf deletes a person's links of some purposes, of all when none is named.
func deleteLinksOf(ctx context.Context, tx *gorm.DB, user media.ID, purposes ...Purpose) error {
	g := gorm.G[linkRow](tx).Where("user_id = ?", user)
	if len(purposes) > 0 {
		g = g.Where("purpose IN ?", purposes)
	}
	_, err := g.Delete(ctx)
	return err
}

func deleteExpiredLinks(ctx context.Context, tx *gorm.DB, now database.Instant) error {
	_, err := gorm.G[linkRow](tx).Where("expires_at <= ?", now).Delete(ctx)
	return err
}

func insertKey(ctx context.Context, tx *gorm.DB, r keyRow) error {
	return gorm.G[keyRow](tx).Create(ctx, &r)
}

func keysOf(ctx context.Context, q *gorm.DB, user media.ID) ([]keyRow, error) {
	return gorm.G[keyRow](q).Select("id, user_id, name, created_at, used_at, revoked_at").
		Where("user_id = ?", user).Order("created_at, id").Find(ctx)
}

// ownedKey is a key with whether its owner may still use it.
type ownedKey struct {
	Key        keyRow `gorm:"embedded"`
	DisabledAt database.Instant
}

func findKey(ctx context.Context, q *gorm.DB, id string) ([]ownedKey, error) {
	var found []ownedKey
	err := q.WithContext(ctx).Raw("SELECT k.id, k.user_id, k.name, k.hash, k.created_at, k.used_at, k.revoked_at, u.disabled_at "+
		"FROM stream_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?", id).Scan(&found).Error
	return found, err
}

func revokeKey(ctx context.Context, tx *gorm.DB, user media.ID, id string, at database.Instant) (int, error) {
	return gorm.G[keyRow](tx).Where("id = ? AND user_id = ? AND revoked_at = 0", id, user).Update(ctx, "revoked_at", at)
}

func touchKey(ctx context.Context, tx *gorm.DB, id string, at database.Instant) error {
	_, err := gorm.G[keyRow](tx).Where("id = ?", id).Update(ctx, "used_at", at)
	return err
}

func setSetup(ctx context.Context, tx *gorm.DB, hash []byte, expires database.Instant) error {
	_, err := gorm.G[schoolRow](tx).Where("id = 1").Set(
		clause.Assignment{Column: clause.Column{Name: "setup_hash"}, Value: hash},
		clause.Assignment{Column: clause.Column{Name: "setup_expires_at"}, Value: expires},
	).Update(ctx)
	return err
}

func setSchool(ctx context.Context, tx *gorm.DB, name, zone, lang string) error {
	_, err := gorm.G[schoolRow](tx).Where("id = 1").Set(
		clause.Assignment{Column: clause.Column{Name: "name"}, Value: name},
		clause.Assignment{Column: clause.Column{Name: "zone"}, Value: zone},
		clause.Assignment{Column: clause.Column{Name: "lang"}, Value: lang},
	).Update(ctx)
	return err
}

func insertToken(ctx context.Context, tx *gorm.DB, r tokenRow) error {
	return gorm.G[tokenRow](tx).Create(ctx, &r)
}

// countTokens counts those of a person that work.
func countTokens(ctx context.Context, q *gorm.DB, user media.ID, now database.Instant) (int64, error) {
	return gorm.G[tokenRow](q).Where("user_id = ? AND revoked_at = 0 AND expires_at > ?", user, now).Count(ctx, "hash")
}

// ownedToken is a token with the person as whom it acts.
type ownedToken struct {
	Token       tokenRow `gorm:"embedded"`
	DisplayName string
	Admin       bool
	Lang        string
	DisabledAt  database.Instant
}

const tokenQuery = "SELECT t.hash, t.user_id, t.name, t.scope, t.created_at, t.used_at, t.expires_at, t.revoked_at, " +
	"u.display_name, u.admin, u.lang, u.disabled_at FROM api_tokens t JOIN users u ON u.id = t.user_id "

func findToken(ctx context.Context, q *gorm.DB, hash []byte) (found []ownedToken, err error) {
	err = q.WithContext(ctx).Raw(tokenQuery+"WHERE t.hash = ?", hash).Scan(&found).Error
	return found, err
}

func allTokens(ctx context.Context, q *gorm.DB) (all []ownedToken, err error) {
	err = q.WithContext(ctx).Raw(tokenQuery + "ORDER BY t.created_at DESC, t.hash LIMIT 500").Scan(&all).Error
	return all, err
}

func revokeToken(ctx context.Context, tx *gorm.DB, hash []byte, at database.Instant) (int, error) {
	return gorm.G[tokenRow](tx).Where("hash = ? AND revoked_at = 0", hash).Update(ctx, "revoked_at", at)
}

func touchToken(ctx context.Context, tx *gorm.DB, hash []byte, at database.Instant) error {
	_, err := gorm.G[tokenRow](tx).Where("hash = ?", hash).Update(ctx, "used_at", at)
	return err
}

// deleteTokens removes those that ended before.
func deleteTokens(ctx context.Context, tx *gorm.DB, before database.Instant) (int, error) {
	return gorm.G[tokenRow](tx).Where("expires_at < ? OR (revoked_at > 0 AND revoked_at < ?)", before, before).Delete(ctx)
}

// forgetDevices leaves of sessions that began before what signs in, and not on what.
func forgetDevices(ctx context.Context, tx *gorm.DB, before database.Instant) (int, error) {
	return gorm.G[sessionRow](tx).Where("created_at < ? AND device <> ''", before).Update(ctx, "device", "")
}

func setRetention(ctx context.Context, tx *gorm.DB, text string) error {
	_, err := gorm.G[schoolRow](tx).Where("id = 1").Update(ctx, "retention", text)
	return err
}

// factorOf returns a person's second factor, the zero row for none.
func factorOf(ctx context.Context, q *gorm.DB, user media.ID) (factorRow, error) {
	found, err := gorm.G[factorRow](q).Where("user_id = ?", user).Limit(1).Find(ctx)
	if err != nil || len(found) == 0 {
		return factorRow{}, err
	}
	return found[0], nil
}

// putFactor stores a second factor, unless there is one that counts.
func putFactor(ctx context.Context, tx *gorm.DB, r factorRow) (int, error) {
	result := tx.WithContext(ctx).Exec("INSERT INTO second_factors (user_id, secret, confirmed_at, last_step) VALUES (?, ?, 0, 0) "+
		"ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret WHERE second_factors.confirmed_at = 0", r.UserID, r.Secret)
	return int(result.RowsAffected), result.Error
}

func setFactorOn(ctx context.Context, tx *gorm.DB, user media.ID, at database.Instant, step int64) error {
	_, err := gorm.G[factorRow](tx).Where("user_id = ?", user).Set(
		clause.Assignment{Column: clause.Column{Name: "confirmed_at"}, Value: at},
		clause.Assignment{Column: clause.Column{Name: "last_step"}, Value: step},
	).Update(ctx)
	return err
}

// setLastStep takes the code of a step, unless it or a later one was taken. Who comes second waits here for the
// first.
func setLastStep(ctx context.Context, tx *gorm.DB, user media.ID, step int64) (int, error) {
	return gorm.G[factorRow](tx).Where("user_id = ? AND last_step < ?", user, step).Update(ctx, "last_step", step)
}

func deleteFactor(ctx context.Context, tx *gorm.DB, user media.ID) error {
	if _, err := gorm.G[recoveryRow](tx).Where("user_id = ?", user).Delete(ctx); err != nil {
		return err
	}
	_, err := gorm.G[factorRow](tx).Where("user_id = ?", user).Delete(ctx)
	return err
}

func countRecovery(ctx context.Context, q *gorm.DB, user media.ID) (int64, error) {
	return gorm.G[recoveryRow](q).Where("user_id = ?", user).Count(ctx, "hash")
}

func deleteRecovery(ctx context.Context, tx *gorm.DB, user media.ID, hash []byte) (int, error) {
	return gorm.G[recoveryRow](tx).Where("user_id = ? AND hash = ?", user, hash).Delete(ctx)
}

func replaceRecovery(ctx context.Context, tx *gorm.DB, user media.ID, rows []recoveryRow) error {
	if _, err := gorm.G[recoveryRow](tx).Where("user_id = ?", user).Delete(ctx); err != nil {
		return err
	}
	return gorm.G[recoveryRow](tx).CreateInBatches(ctx, &rows, 200)
}

func setFactorRule(ctx context.Context, tx *gorm.DB, needed bool) error {
	_, err := gorm.G[schoolRow](tx).Where("id = 1").Update(ctx, "second_factor", needed)
	return err
}

// eachUser calls f for everybody, by family name; f may not keep what it gets.
func eachUser(ctx context.Context, q *gorm.DB, f func(r *userRow)) error {
	rows, err := q.WithContext(ctx).Raw("SELECT " + userColumns + " FROM users " +
		"ORDER BY lower(CASE WHEN family_name = '' THEN display_name ELSE family_name END), lower(given_name), id").Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	var r userRow
	for rows.Next() {
		err := rows.Scan(&r.ID, &r.Email, &r.DisplayName, &r.GivenName, &r.FamilyName, &r.StudentID, &r.Admin, &r.Lang, &r.CreatedAt, &r.DisabledAt, &r.InvitedAt, &r.ErasedAt)
		if err != nil {
			return err
		}
		f(&r)
	}
	return rows.Err()
}

func setPerson(ctx context.Context, tx *gorm.DB, id media.ID, r userRow) error {
	_, err := gorm.G[userRow](tx).Where("id = ?", id).Set(
		clause.Assignment{Column: clause.Column{Name: "display_name"}, Value: r.DisplayName},
		clause.Assignment{Column: clause.Column{Name: "given_name"}, Value: r.GivenName},
		clause.Assignment{Column: clause.Column{Name: "family_name"}, Value: r.FamilyName},
		clause.Assignment{Column: clause.Column{Name: "email"}, Value: r.Email},
		clause.Assignment{Column: clause.Column{Name: "student_id"}, Value: r.StudentID},
	).Update(ctx)
	return err
}

// eraseUser leaves of a person an id, a name that is none, and when things were.
func eraseUser(ctx context.Context, tx *gorm.DB, id media.ID, name string, at database.Instant) error {
	return tx.WithContext(ctx).Exec("UPDATE users SET display_name = ?, email = '', given_name = '', family_name = '', "+
		"student_id = '', password = '', admin = FALSE, lang = '', invited_at = 0, erased_at = ? WHERE id = ?", name, at, id).Error
}

func countNamed(ctx context.Context, q *gorm.DB, name string) (int64, error) {
	return gorm.G[userRow](q).Where("display_name = ?", name).Count(ctx, "id")
}

// deleteKeysOf deletes what a person's encoders and programs get in with.
func deleteKeysOf(ctx context.Context, tx *gorm.DB, user media.ID) error {
	if _, err := gorm.G[tokenRow](tx).Where("user_id = ?", user).Delete(ctx); err != nil {
		return err
	}
	_, err := gorm.G[keyRow](tx).Where("user_id = ?", user).Delete(ctx)
	return err
}

// ErasedAmong returns which of the people are nobody any more: what was counted of them cannot be counted again.
func ErasedAmong(ctx context.Context, q *gorm.DB, users []media.ID) (map[media.ID]bool, error) {
	erased := map[media.ID]bool{}
	for part := range slices.Chunk(users, 500) {
		rows, err := gorm.G[userRow](q).Select("id").Where("id IN ? AND erased_at <> 0", part).Find(ctx)
		if err != nil {
			return nil, fmt.Errorf("read who was erased: %w", err)
		}
		for _, r := range rows {
			erased[r.ID] = true
		}
	}
	return erased, nil
}
