package accounts

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const userColumns = "id, email, display_name, given_name, family_name, student_id, admin, lang, created_at, disabled_at"

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
}

func findSession(ctx context.Context, q *gorm.DB, hash []byte) ([]identity, error) {
	var found []identity
	err := q.WithContext(ctx).Raw("SELECT s.hash, s.user_id, s.created_at, s.seen_at, s.expires_at, "+
		"u.display_name, u.admin, u.lang, u.disabled_at "+
		"FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ?", hash).Scan(&found).Error
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

func findLink(ctx context.Context, q *gorm.DB, hash []byte) ([]linkedUser, error) {
	var found []linkedUser
	err := q.WithContext(ctx).Raw("SELECT l.user_id, l.expires_at, l.used_at, u.display_name, u.disabled_at "+
		"FROM sign_in_links l JOIN users u ON u.id = l.user_id WHERE l.hash = ? AND l.purpose = ?", hash, forSignIn).Scan(&found).Error
	return found, err
}

// useLink marks a link as used, unless it is or its time is over. Who comes second waits here for the first.
func useLink(ctx context.Context, tx *gorm.DB, hash []byte, now database.Instant) (int, error) {
	return gorm.G[linkRow](tx).Where("hash = ? AND purpose = ? AND used_at = 0 AND expires_at > ?", hash, forSignIn, now).
		Update(ctx, "used_at", now)
}

func linkOwner(ctx context.Context, tx *gorm.DB, hash []byte) (userRow, error) {
	r, err := gorm.G[linkRow](tx).Select("user_id").Where("hash = ?", hash).Take(ctx)
	if err != nil {
		return userRow{}, err
	}
	return userByID(ctx, tx, r.UserID)
}

func deleteLinksOf(ctx context.Context, tx *gorm.DB, user media.ID) error {
	_, err := gorm.G[linkRow](tx).Where("user_id = ?", user).Delete(ctx)
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
