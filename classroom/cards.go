package classroom

import (
	"context"
	"slices"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// card shows a lesson of a course to somebody who is role in it ("" for an admin from outside).
func (k *Classroom) card(ctx context.Context, row lessons.Lesson, course courses.Course, role courses.Role) (templates.Lesson, error) {
	now, zone := k.now(), k.Accounts.School().Zone
	start, end := row.PlannedStartAt.Time(), row.EndAt()
	if !row.HasPlan() {
		start, end = row.CreatedAt.Time(), row.EndedAt.Time()
		if end.IsZero() {
			end = now
		}
	}
	card := templates.Lesson{
		ID: row.ID.String(), Title: row.Title, CourseID: course.ID.String(), CourseCode: course.Code, Course: course.Title,
		State: string(row.StateAt(now)), Start: start.In(zone), End: end.In(zone),
		CourseStart: start.In(course.Zone), CourseEnd: end.In(course.Zone),
		Late: row.Late(now), Staff: role.Staff(), Replay: k.replayable(row), Note: row.Note,
	}
	if row.MovedFromAt != 0 && !row.State.Over() {
		card.MovedFrom = row.MovedFromAt.Time().In(zone)
	}
	if row.LiveAt != 0 {
		card.LiveSince = row.LiveAt.Time().In(zone)
	}
	var err error
	card.Teachers, err = k.teachers(ctx, row)
	return card, err
}

// teachers names who holds a lesson: who streams, or else the teachers of the course.
func (k *Classroom) teachers(ctx context.Context, row lessons.Lesson) ([]string, error) {
	members, err := k.Courses.Members(ctx, row.CourseID)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range members {
		if m.User == row.PublisherID && m.Role.Staff() {
			return []string{m.DisplayName}, nil
		}
		if m.Role == courses.Teacher {
			names = append(names, m.DisplayName)
		}
	}
	return names, nil
}

// replayable reports whether a lesson that is over can be watched. A recording that the origin does not hold in
// memory is in the store.
func (k *Classroom) replayable(row lessons.Lesson) bool {
	if !row.State.Over() || row.LiveAt == 0 {
		return false
	}
	st := k.cfg.Origin.Status(row.ID)
	unknown := !st.Publishing && !st.Live && !st.Ended
	return st.Replay || unknown
}

// withCounts adds how many students are in class and how many there could be, for staff.
func (k *Classroom) withCounts(ctx context.Context, card *templates.Lesson, row lessons.Lesson) error {
	members, err := k.Courses.Members(ctx, row.CourseID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Role == courses.Student {
			card.Enrolled++
		}
	}
	if row.State.OnAir() {
		here, err := k.Attendance.Here(ctx, row.ID)
		if err != nil {
			return err
		}
		card.Here = len(here)
	}
	return nil
}

// What the page of a course shows.
const (
	comingTime = 60 * 24 * time.Hour
	pastTime   = 120 * 24 * time.Hour
	courseRows = 60
)

// courseCards returns the lessons of a course for its page. It is what courses.Config asks for.
func (k *Classroom) courseCards(ctx context.Context, a courses.Access) (coming, past []templates.Lesson, err error) {
	now := k.now()
	rows, err := k.Lessons.Between(ctx, []media.ID{a.Course.ID}, now.Add(-pastTime), now.Add(comingTime))
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		if !behind(row, now) && len(coming) < courseRows {
			card, err := k.card(ctx, row, a.Course, a.Role)
			if err != nil {
				return nil, nil, err
			}
			coming = append(coming, card)
		}
	}
	for _, row := range slices.Backward(rows) {
		if behind(row, now) && len(past) < courseRows {
			card, err := k.card(ctx, row, a.Course, a.Role)
			if err != nil {
				return nil, nil, err
			}
			past = append(past, card)
		}
	}
	return coming, past, nil
}

// behind reports whether a lesson is past. A cancelled one is that only when its time has come, so that those who
// look for it learn that it is off.
func behind(row lessons.Lesson, now time.Time) bool {
	return row.State.Over() && (row.State != lessons.Cancelled || row.PlannedEndAt.Time().Before(now))
}

// placesOf returns where a viewer is in the courses that they see lessons of. An admin who is in no course sees
// those on the Today board.
func (k *Classroom) placesOf(ctx context.Context, v *web.Viewer) (ids []media.ID, at map[media.ID]courses.Place, err error) {
	places, err := k.Courses.Places(ctx, v.ID)
	if err != nil {
		return nil, nil, err
	}
	at = make(map[media.ID]courses.Place, len(places))
	for _, p := range places {
		ids = append(ids, p.Course.ID)
		at[p.Course.ID] = p
	}
	return ids, at, nil
}
