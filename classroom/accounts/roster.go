package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/web"
)

// What rosters need of people: functions that work inside the caller's transaction, on many people at a time.

// batch is how many people one statement writes or asks for.
const batch = 500

// FindPeople returns everybody who has one of the student numbers or one of the folded addresses.
func FindPeople(ctx context.Context, q *gorm.DB, numbers, emails []string) ([]User, error) {
	var users []User
	find := func(column string, keys []string) error {
		for part := range slices.Chunk(keys, batch) {
			rows, err := gorm.G[userRow](q).Select(userColumns).Where(column+" IN ?", part).Find(ctx)
			if err != nil {
				return fmt.Errorf("find people by %s: %w", column, err)
			}
			for _, r := range rows {
				users = append(users, r.user())
			}
		}
		return nil
	}
	return users, errors.Join(find("student_id", numbers), find("email", emails))
}

// Check returns the person that n would make, without making them: all is tidied, the id is new, and the display name
// is empty when n has no name at all. Faults name the field.
func (n NewUser) Check(now time.Time) (User, error) {
	shown, err := web.OptionalLine("name", n.DisplayName+n.GivenName+n.FamilyName, 3*maxName)
	nameless := err == nil && shown == ""
	if nameless {
		n.DisplayName = "?"
	}
	r, err := n.row(now)
	if nameless {
		r.DisplayName = ""
	}
	return r.user(), err
}

// FullName returns the names in the order that their script has them in: the family first, and no space, where both
// are written in Chinese, Japanese or Korean.
func FullName(given, family string) string {
	given, family = strings.TrimSpace(given), strings.TrimSpace(family)
	if given != "" && family != "" && eastAsian(given) && eastAsian(family) {
		return family + given
	}
	return strings.TrimSpace(given + " " + family)
}

func eastAsian(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && r != '々' && r != 'ー'
	})
}

// Insert makes people whom Check returned. They have no password: they get in by a link. tell is called after each
// batch with how many were made in it.
func Insert(ctx context.Context, tx *gorm.DB, people []User, tell func(n int)) error {
	for part := range slices.Chunk(people, batch) {
		rows := make([]userRow, len(part))
		for i, u := range part {
			rows[i] = userRow{
				ID: u.ID, Email: u.Email, DisplayName: u.DisplayName, GivenName: u.GivenName, FamilyName: u.FamilyName,
				StudentID: u.StudentID, CreatedAt: database.At(u.CreatedAt),
			}
		}
		if err := gorm.G[userRow](tx).CreateInBatches(ctx, &rows, batch); err != nil {
			return fmt.Errorf("make people: %w", err)
		}
		tell(len(part))
	}
	return nil
}

// Rename stores names, number and address of people who are there. The names of those who are signed in follow within
// a minute.
func Rename(ctx context.Context, tx *gorm.DB, people []User, tell func(n int)) error {
	for part := range slices.Chunk(people, batch) {
		marks := strings.TrimSuffix(strings.Repeat("(CAST(? AS BIGINT), ?, ?, ?, ?, ?), ", len(part)), ", ")
		var values []any
		for _, u := range part {
			values = append(values, u.ID, u.Email, u.DisplayName, u.GivenName, u.FamilyName, u.StudentID)
		}
		err := tx.WithContext(ctx).Exec("WITH v (id, email, display_name, given_name, family_name, student_id) AS (VALUES "+marks+") "+
			"UPDATE users SET email = v.email, display_name = v.display_name, given_name = v.given_name, "+
			"family_name = v.family_name, student_id = v.student_id FROM v WHERE users.id = v.id", values...).Error
		if err != nil {
			return fmt.Errorf("rename people: %w", err)
		}
		tell(len(part))
	}
	return nil
}
