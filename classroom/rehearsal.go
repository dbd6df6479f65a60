package classroom

import (
	"context"
	"slices"

	"chalkcast/classroom/courses"
	"chalkcast/media"
	"chalkcast/templates"
)

// rehearsal is what a stream of a teacher's can become that belongs to no lesson; nil when there is none.
func (k *Classroom) rehearsal(ctx context.Context, teacher media.ID) (*templates.Rehearsal, error) {
	b, streams := k.Lessons.BroadcastFor(0, teacher)
	if !streams || b.Lesson != 0 {
		return nil, nil
	}
	due, err := k.due(ctx, teacher, 0)
	if err != nil {
		return nil, err
	}
	r := &templates.Rehearsal{Due: due}
	places, err := k.Courses.Places(ctx, teacher)
	for _, p := range places {
		if p.Role.Staff() {
			r.Courses = append(r.Courses, templates.CourseCount{ID: p.Course.ID.String(), Code: p.Course.Code, Title: p.Course.Title, Role: string(p.Role)})
		}
	}
	return r, err
}

// due returns the lessons of a teacher that a stream could belong to just as well: none when only one is meant. With a
// lesson given it has to be one of them.
func (k *Classroom) due(ctx context.Context, teacher, among media.ID) ([]templates.Lesson, error) {
	ids, err := k.Lessons.Choices(ctx, teacher)
	if err != nil || len(ids) < 2 || among != 0 && !slices.Contains(ids, among) {
		return nil, err
	}
	var due []templates.Lesson
	for _, id := range ids {
		row, err := k.Lessons.Find(ctx, id)
		if err != nil {
			return nil, err
		}
		course, err := k.Courses.Course(ctx, row.CourseID)
		if err != nil {
			return nil, err
		}
		card, err := k.card(ctx, row, course, courses.Teacher)
		if err != nil {
			return nil, err
		}
		due = append(due, card)
	}
	return due, nil
}
