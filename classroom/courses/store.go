package courses

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

const courseColumns = "id, code, title, term, zone, policy, auto_live, created_at, archived_at"

func courseByID(ctx context.Context, q *gorm.DB, id media.ID) (courseRow, error) {
	return gorm.G[courseRow](q).Select(courseColumns).Where("id = ?", id).Take(ctx)
}

func allCourses(ctx context.Context, q *gorm.DB) ([]courseRow, error) {
	return gorm.G[courseRow](q).Select(courseColumns).Order("term, code").Find(ctx)
}

func insertCourse(ctx context.Context, tx *gorm.DB, r courseRow) error {
	return gorm.G[courseRow](tx).Create(ctx, &r)
}

const memberQuery = "SELECT e.id, e.course_id, e.user_id, e.role, e.section, e.from_at, e.until_at, " +
	"u.display_name, u.given_name, u.family_name, u.student_id, u.email " +
	"FROM enrollments e JOIN users u ON u.id = e.user_id "

// membersOf returns every enrollment of a course, also those that ended.
func membersOf(ctx context.Context, q *gorm.DB, course media.ID) ([]memberRow, error) {
	var rows []memberRow
	err := q.WithContext(ctx).Raw(memberQuery+"WHERE e.course_id = ? ORDER BY e.from_at, e.id", course).Scan(&rows).Error
	return rows, err
}

// place is a course with what somebody is in it.
type place struct {
	Course courseRow `gorm:"embedded"`
	Role   Role
}

// placesOf returns the courses that a person is in at now.
func placesOf(ctx context.Context, q *gorm.DB, user media.ID, now database.Instant) ([]place, error) {
	var rows []place
	err := q.WithContext(ctx).Raw("SELECT c.id, c.code, c.title, c.term, c.zone, c.policy, c.auto_live, c.created_at, c.archived_at, e.role "+
		"FROM enrollments e JOIN courses c ON c.id = e.course_id "+
		"WHERE e.user_id = ? AND e.from_at <= ? AND (e.until_at = 0 OR e.until_at > ?) ORDER BY c.term, c.code", user, now, now).Scan(&rows).Error
	return rows, err
}

func insertEnrollments(ctx context.Context, tx *gorm.DB, rows []enrollmentRow) error {
	return gorm.G[enrollmentRow](tx).CreateInBatches(ctx, &rows, 200)
}

// endEnrollment ends what runs at an instant and drops what would begin then or later; 0 rows when there is neither.
func endEnrollment(ctx context.Context, tx *gorm.DB, course, user media.ID, at database.Instant) (int, error) {
	dropped, err := gorm.G[enrollmentRow](tx).Where("course_id = ? AND user_id = ? AND from_at >= ?", course, user, at).Delete(ctx)
	if err != nil {
		return 0, err
	}
	ended, err := gorm.G[enrollmentRow](tx).Where("course_id = ? AND user_id = ? AND (until_at = 0 OR until_at > ?)", course, user, at).
		Update(ctx, "until_at", at)
	return dropped + ended, err
}

// usersByID returns which of the ids are people who can be enrolled.
func usersByID(ctx context.Context, q *gorm.DB, ids []media.ID) (found []media.ID, err error) {
	err = q.WithContext(ctx).Raw("SELECT id FROM users WHERE id IN ? AND disabled_at = 0", ids).Scan(&found).Error
	return found, err
}

// person is what rights depend on besides enrollments.
type person struct {
	ID         media.ID
	Admin      bool
	DisabledAt database.Instant
}

func personByID(ctx context.Context, q *gorm.DB, id media.ID) (p person, err error) {
	err = q.WithContext(ctx).Raw("SELECT id, admin, disabled_at FROM users WHERE id = ?", id).Scan(&p).Error
	return p, err
}

// counts is what the list of courses says of each.
type counts struct {
	students, waiting map[media.ID]int
	teachers          map[media.ID][]string
}

func countsOf(ctx context.Context, q *gorm.DB, ids []media.ID, now time.Time) (counts, error) {
	c := counts{map[media.ID]int{}, map[media.ID]int{}, map[media.ID][]string{}}
	at := database.At(now)
	for part := range slices.Chunk(ids, batch) {
		var n []struct {
			CourseID media.ID
			N        int
		}
		err := q.WithContext(ctx).Raw("SELECT course_id, count(*) AS n FROM enrollments WHERE course_id IN ? AND role = 'student' "+
			"AND from_at <= ? AND (until_at = 0 OR until_at > ?) GROUP BY course_id", part, at, at).Scan(&n).Error
		if err != nil {
			return c, fmt.Errorf("count students: %w", err)
		}
		for _, r := range n {
			c.students[r.CourseID] = r.N
		}
		n = nil
		err = q.WithContext(ctx).Raw("SELECT w.course_id, count(*) AS n FROM waiting w JOIN users u ON u.id = w.user_id "+
			"WHERE w.course_id IN ? AND u.disabled_at = 0 GROUP BY w.course_id", part).Scan(&n).Error
		if err != nil {
			return c, fmt.Errorf("count who waits: %w", err)
		}
		for _, r := range n {
			c.waiting[r.CourseID] = r.N
		}
		var t []struct {
			CourseID    media.ID
			DisplayName string
		}
		err = q.WithContext(ctx).Raw("SELECT e.course_id, u.display_name FROM enrollments e JOIN users u ON u.id = e.user_id "+
			"WHERE e.course_id IN ? AND e.role = 'teacher' AND e.from_at <= ? AND (e.until_at = 0 OR e.until_at > ?) ORDER BY e.from_at, e.id",
			part, at, at).Scan(&t).Error
		if err != nil {
			return c, fmt.Errorf("read teachers: %w", err)
		}
		for _, r := range t {
			c.teachers[r.CourseID] = append(c.teachers[r.CourseID], r.DisplayName)
		}
	}
	return c, nil
}

// runningRoles returns the roles that people have in some course at now.
func runningRoles(ctx context.Context, q *gorm.DB, now database.Instant) ([]enrollmentRow, error) {
	var rows []enrollmentRow
	err := q.WithContext(ctx).Raw("SELECT DISTINCT user_id, role FROM enrollments WHERE from_at <= ? AND (until_at = 0 OR until_at > ?)", now, now).
		Scan(&rows).Error
	return rows, err
}

func countStaff(ctx context.Context, q *gorm.DB, user media.ID) (int64, error) {
	return gorm.G[enrollmentRow](q).Where("user_id = ? AND role <> ?", user, Student).Count(ctx, "id")
}

// endEnrollmentsOf ends what runs of a person, or would begin, and returns the courses.
func endEnrollmentsOf(ctx context.Context, tx *gorm.DB, user media.ID, at database.Instant) (courses []media.ID, err error) {
	err = tx.WithContext(ctx).Raw("SELECT DISTINCT course_id FROM enrollments WHERE user_id = ? AND (until_at = 0 OR until_at > ?)", user, at).
		Scan(&courses).Error
	for _, course := range courses {
		if err == nil {
			_, err = endEnrollment(ctx, tx, course, user, at)
		}
	}
	return courses, err
}

// coursesOf returns every course that a person is or was in.
func coursesOf(ctx context.Context, q *gorm.DB, user media.ID) (courses []media.ID, err error) {
	err = q.WithContext(ctx).Raw("SELECT DISTINCT course_id FROM enrollments WHERE user_id = ?", user).Scan(&courses).Error
	return courses, err
}
