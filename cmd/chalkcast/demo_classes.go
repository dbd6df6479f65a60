package main

import (
	"context"
	"fmt"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/media"
)

// demoClasses lets further teachers teach everybody at the same time: nobody could follow it, but a load test
// needs many streams at once. The first class is the demo's own.
func (sc *school) demoClasses(ctx context.Context, cast *demoCast, classes int) error {
	for n := len(cast.Classes) + 2; n <= classes; n++ {
		class, err := sc.demoClass(ctx, cast, n)
		if err != nil {
			return fmt.Errorf("make class %d: %w", n, err)
		}
		cast.Classes = append(cast.Classes, class)
	}
	for i := range cast.Classes {
		if err := sc.demoLesson(ctx, &cast.Classes[i], "Load"); err != nil {
			return err
		}
	}
	return nil
}

// demoClass makes the n-th class. Its teacher has the password of all others.
func (sc *school) demoClass(ctx context.Context, cast *demoCast, n int) (demoClass, error) {
	teacher := demoPerson{
		Name: fmt.Sprintf("Teacher %d", n), Email: fmt.Sprintf("teacher%d@demo.example", n), Password: cast.Teacher.Password,
	}
	hash, err := sc.classroom.Accounts.HashPassword(ctx, media.Secret(teacher.Password))
	if err != nil {
		return demoClass{}, fmt.Errorf("hash a password: %w", err)
	}
	made, err := sc.classroom.Accounts.CreateMany(ctx, 0, []accounts.NewUser{
		{Email: teacher.Email, DisplayName: teacher.Name, PasswordHash: hash},
	})
	if err != nil {
		return demoClass{}, fmt.Errorf("make a teacher: %w", err)
	}
	teacher.ID = made[0].ID
	key, err := sc.classroom.Accounts.CreateKey(ctx, teacher.ID, "load")
	if err != nil {
		return demoClass{}, fmt.Errorf("make a stream key: %w", err)
	}
	teacher.StreamKey = key.Text()
	course, err := sc.demoCourse(ctx, cast, teacher, courses.NewCourse{
		Code: fmt.Sprintf("LOAD-%d", n), Title: fmt.Sprintf("Load %d", n),
	})
	return demoClass{Teacher: teacher, CourseID: course}, err
}
