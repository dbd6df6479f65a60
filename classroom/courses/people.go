package courses

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Standing returns what everybody is in courses now, for the page of people.
func (f *Courses) Standing(ctx context.Context) (map[media.ID]accounts.Standing, error) {
	rows, err := runningRoles(ctx, f.db.Reader(), database.At(f.now()))
	if err != nil {
		return nil, fmt.Errorf("read who is in courses: %w", err)
	}
	all := make(map[media.ID]accounts.Standing, len(rows))
	for _, r := range rows {
		s := all[r.UserID]
		if r.Role.Staff() {
			s.Teaches = true
		} else {
			s.Studies = true
		}
		all[r.UserID] = s
	}
	return all, nil
}

// Taught reports whether a person is or was staff of some course.
func (f *Courses) Taught(ctx context.Context, user media.ID) (bool, error) {
	n, err := countStaff(ctx, f.db.Reader(), user)
	if err != nil {
		return false, fmt.Errorf("read who taught: %w", err)
	}
	return n > 0, nil
}

// Erase is an accounts.Eraser: a person who is erased leaves their courses. That they were in them stays, because
// registers are counted by it.
func (f *Courses) Erase(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error) {
	all, err := coursesOf(ctx, tx, user)
	if err != nil {
		return nil, fmt.Errorf("read courses of a person: %w", err)
	}
	ended, err := endEnrollmentsOf(ctx, tx, user, database.At(f.now()))
	if err != nil {
		return nil, fmt.Errorf("end enrollments: %w", err)
	}
	for _, statement := range []string{
		"DELETE FROM waiting WHERE user_id = ?", "DELETE FROM sign_ups WHERE user_id = ?",
		// What was uploaded and not applied may name them, whoever uploaded it, in ways that nobody can search for.
		"DELETE FROM roster_imports WHERE by_id = ? OR state IN ('preview', 'queued')",
	} {
		if err := tx.WithContext(ctx).Exec(statement, user).Error; err != nil {
			return nil, fmt.Errorf("erase how a person joined: %w", err)
		}
	}
	return func() {
		for _, course := range all { // their name is gone from these classes
			f.classes.drop(course)
		}
		for _, course := range ended {
			for _, tell := range f.onEnd {
				tell(course, user)
			}
		}
	}, nil
}

// Export is an accounts.Exporter.
func (f *Courses) Export(ctx context.Context, q *gorm.DB, user media.ID) ([]accounts.Table, error) {
	t, err := accounts.Select(ctx, q, "enrollments", "SELECT c.id AS course_id, c.code, c.title, c.term, e.role, e.section, e.from_at, e.until_at "+
		"FROM enrollments e JOIN courses c ON c.id = e.course_id WHERE e.user_id = ? ORDER BY e.from_at, e.id", user)
	return []accounts.Table{t}, err
}
