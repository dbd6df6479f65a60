package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// demoCast is who and what there is in the demo school. It is kept beside the demo's data, so that a second start
// is the same school, and it is what --credentials writes. Its secrets are worth nothing outside the demo.
type demoCast struct {
	HTTP     string       `json:"http"`
	RTMP     string       `json:"rtmp"`
	RTSP     string       `json:"rtsp"`
	Admin    demoPerson   `json:"admin"`
	Students []demoPerson `json:"students"`
	demoClass
	Classes []demoClass `json:"classes,omitempty"` // further ones at the same time, for load tests
}

// demoClass is a course with its teacher and the lesson that is due now.
type demoClass struct {
	Teacher  demoPerson `json:"teacher"`
	CourseID media.ID   `json:"course_id"`
	LessonID media.ID   `json:"lesson_id"`
}

// demoPerson is one of them with what they need to sign in or to stream. Fields are strings where a media.Secret
// would print as dots.
type demoPerson struct {
	ID        media.ID `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
	Password  string   `json:"password"`
	StreamKey string   `json:"stream_key,omitempty"`
}

const (
	demoStudents = 304
	demoZone     = "Europe/Berlin"
	demoLength   = 3 * time.Hour // a visitor who looks around should not run into the end of the lesson
)

// demoCast makes the school, or finds the one of an earlier start, with as many lessons
// that are due now as classes says, and at least one.
func (sc *school) demoCast(ctx context.Context, term bool, classes int, say func(string, ...any)) (*demoCast, error) {
	cast := &demoCast{}
	path := filepath.Join(sc.settings.Data, "demo.json")
	err := readJSON(path, cast)
	if errors.Is(err, fs.ErrNotExist) {
		say("Making %d students, a teacher and an admin …", demoStudents)
		err = sc.makeDemo(ctx, cast, term)
	}
	if err != nil {
		return nil, err
	}
	cast.HTTP, cast.RTMP, cast.RTSP = sc.base, sc.server, ""
	if sc.doors.rtsp != nil {
		cast.RTSP = "rtsp://" + dialable(sc.doors.rtsp) + "/live"
	}
	if err := sc.demoLesson(ctx, &cast.demoClass, "How a ball flies"); err != nil {
		return nil, err
	}
	if err := sc.demoClasses(ctx, cast, classes); err != nil {
		return nil, err
	}
	return cast, writeJSON(path, cast)
}

func (sc *school) makeDemo(ctx context.Context, cast *demoCast, term bool) error {
	if err := sc.classroom.Accounts.SetSchool(ctx, 0, "Chalk Hill School", demoZone, "en"); err != nil {
		return fmt.Errorf("name the school: %w", err)
	}
	if err := sc.demoPeople(ctx, cast); err != nil {
		return err
	}
	key, err := sc.classroom.Accounts.CreateKey(ctx, cast.Teacher.ID, "laptop")
	if err != nil {
		return fmt.Errorf("make a stream key: %w", err)
	}
	cast.Teacher.StreamKey = key.Text()
	cast.CourseID, err = sc.demoCourse(ctx, cast, cast.Teacher, courses.NewCourse{Code: "PHY-8B", Title: "Physics 8b"})
	if err != nil {
		return err
	}
	other, err := sc.demoCourse(ctx, cast, cast.Teacher, courses.NewCourse{Code: "BIO-7B", Title: "Biology 7b"})
	if err != nil {
		return err
	}
	if term {
		if err := sc.demoTerm(ctx, cast, other); err != nil {
			return err
		}
	}
	tomorrow := time.Now().Add(24 * time.Hour).Format(time.DateOnly)
	for _, d := range []lessons.Draft{
		{Course: cast.CourseID, Title: "Springs and swings", Plan: lessons.Plan{Date: tomorrow, Start: "09:00", End: "09:45", Zone: demoZone}, Weeks: 4},
		{Course: other, Title: "What leaves do all day", Plan: lessons.Plan{Date: tomorrow, Start: "10:00", End: "10:45", Zone: demoZone}, Weeks: 4},
	} {
		d.By = cast.Teacher.ID
		if _, err := sc.classroom.Lessons.Create(ctx, d); err != nil {
			return fmt.Errorf("plan lessons: %w", err)
		}
	}
	return nil
}

// demoPeople makes everybody with one password, which is hashed once.
func (sc *school) demoPeople(ctx context.Context, cast *demoCast) error {
	password := newPassword()
	hash, err := sc.classroom.Accounts.HashPassword(ctx, password)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	list := []accounts.NewUser{
		{Email: "admin@demo.example", DisplayName: "Ada Admin", GivenName: "Ada", FamilyName: "Admin", Admin: true, PasswordHash: hash},
		{Email: "teacher@demo.example", DisplayName: "Theo Tafel", GivenName: "Theo", FamilyName: "Tafel", PasswordHash: hash},
	}
	for i, n := range demoNames(demoStudents) {
		list = append(list, accounts.NewUser{
			Email: fmt.Sprintf("student%d@demo.example", i+1), GivenName: n.given, FamilyName: n.family,
			StudentID: fmt.Sprintf("%05d", i+1), PasswordHash: hash,
		})
	}
	users, err := sc.classroom.Accounts.CreateMany(ctx, 0, list)
	if err != nil {
		return fmt.Errorf("make people: %w", err)
	}
	people := make([]demoPerson, len(users))
	for i, u := range users {
		people[i] = demoPerson{ID: u.ID, Name: u.DisplayName, Email: u.Email, Password: string(password)}
	}
	cast.Admin, cast.Teacher, cast.Students = people[0], people[1], people[2:]
	return nil
}

// demoCourse makes a course in which everybody is.
func (sc *school) demoCourse(ctx context.Context, cast *demoCast, teacher demoPerson, n courses.NewCourse) (media.ID, error) {
	n.Zone, n.Teacher = demoZone, teacher.ID
	course, err := sc.classroom.Courses.Create(ctx, 0, n)
	if err != nil {
		return 0, fmt.Errorf("make course %s: %w", n.Code, err)
	}
	members := make([]courses.NewMember, len(cast.Students))
	for i, s := range cast.Students {
		members[i] = courses.NewMember{User: s.ID, Role: courses.Student, Section: []string{"red", "blue"}[i%2], From: demoTermStart(time.Now())}
	}
	if _, err := sc.classroom.Courses.EnrollAll(ctx, 0, course.ID, members); err != nil {
		return 0, fmt.Errorf("enroll in %s: %w", n.Code, err)
	}
	return course.ID, nil
}

// demoLesson plans a lesson that is due now, unless the one of an earlier start still goes on.
func (sc *school) demoLesson(ctx context.Context, class *demoClass, title string) error {
	now := time.Now()
	if class.LessonID != 0 {
		l, err := sc.classroom.Lessons.Find(ctx, class.LessonID)
		if err != nil {
			return fmt.Errorf("find the lesson: %w", err)
		}
		if !l.StateAt(now).Over() && now.Before(l.EndAt()) {
			return nil
		}
	}
	zone, err := time.LoadLocation(demoZone)
	if err != nil {
		return err
	}
	start, end := now.In(zone), now.Add(demoLength).In(zone)
	made, err := sc.classroom.Lessons.Create(ctx, lessons.Draft{
		Course: class.CourseID, Title: title, By: class.Teacher.ID,
		Plan: lessons.Plan{Date: start.Format(time.DateOnly), Start: start.Format("15:04"), End: end.Format("15:04"), Zone: demoZone},
	})
	if err != nil {
		return fmt.Errorf("plan the lesson: %w", err)
	}
	class.LessonID = made[0].ID
	return nil
}
