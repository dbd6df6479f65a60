package classroom

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxTitle bounds the title of a lesson, in characters.
const maxTitle = 120

// lessonJSON is a lesson for scripts and programs. Instants are in UTC; null where there is none.
type lessonJSON struct {
	ID           media.ID      `json:"id"`
	CourseID     media.ID      `json:"course_id"`
	CourseCode   string        `json:"course_code"`
	Title        string        `json:"title"`
	State        lessons.State `json:"state"`
	Date         string        `json:"date"`  // with start and end as clocks in zone show them
	Start        string        `json:"start"` //
	End          string        `json:"end"`   // empty for an unplanned lesson
	Zone         string        `json:"zone"`
	PlannedStart *time.Time    `json:"planned_start"`
	PlannedEnd   *time.Time    `json:"planned_end"`
	EndsAt       *time.Time    `json:"ends_at"` // planned end and what was added
	LiveSince    *time.Time    `json:"live_since"`
	EndedAt      *time.Time    `json:"ended_at"`
	Role         string        `json:"role"` // of the reader: teacher, assistant, student, admin
}

func (k *Classroom) lessonJSON(row lessons.Lesson, a courses.Access) lessonJSON {
	role := string(a.Role)
	if role == "" {
		role = "admin"
	}
	return lessonJSON{
		ID: row.ID, CourseID: row.CourseID, CourseCode: a.Course.Code, Title: row.Title, State: row.StateAt(k.now()),
		Date: row.LocalDate, Start: row.LocalStart, End: row.LocalEnd, Zone: row.Zone,
		PlannedStart: instant(row.PlannedStartAt.Time()), PlannedEnd: instant(row.PlannedEndAt.Time()), EndsAt: instant(row.EndAt()),
		LiveSince: instant(row.LiveAt.Time()), EndedAt: instant(row.EndedAt.Time()), Role: role,
	}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (k *Classroom) apiLesson(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.See)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, k.lessonJSON(row, access))
}

// apiLessons lists the lessons of a course that touch ?from=2026-10-01&until=2026-11-01, days in the course's
// zone; without them those from a month ago to a term ahead.
func (k *Classroom) apiLessons(c *gin.Context) error {
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	a, err := k.Courses.Check(ctx, web.MustViewer(c), id, courses.See)
	if err != nil {
		return err
	}
	now := k.now().In(a.Course.Zone)
	from, err := day(c.Query("from"), a.Course.Zone, now.AddDate(0, -1, 0))
	if err != nil {
		return fault.Invalid("lesson.bad_plan").At("from").Because(err)
	}
	until, err := day(c.Query("until"), a.Course.Zone, now.AddDate(0, 4, 0))
	if err != nil {
		return fault.Invalid("lesson.bad_plan").At("until").Because(err)
	}
	rows, err := k.Lessons.Between(ctx, []media.ID{id}, from, until)
	if err != nil {
		return err
	}
	out := make([]lessonJSON, 0, len(rows))
	for _, row := range rows {
		out = append(out, k.lessonJSON(row, a))
	}
	return web.JSON(c, http.StatusOK, gin.H{"lessons": out})
}

func day(text string, zone *time.Location, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	return lessons.ResolveLocal(text, "00:00", zone.String())
}

// apiCreate plans a lesson, or a weekly series of them; without date and times it begins an unplanned lesson now.
func (k *Classroom) apiCreate(c *gin.Context) error {
	var in struct {
		Course media.ID `json:"course_id"`
		Title  string   `json:"title"`
		Date   string   `json:"date"`
		Start  string   `json:"start"`
		End    string   `json:"end"`
		Weeks  int      `json:"weeks"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	a, err := k.Courses.Check(ctx, web.MustViewer(c), in.Course, courses.EditSchedule)
	if err != nil {
		return err
	}
	title, err := web.Line("title", in.Title, maxTitle)
	if err != nil {
		return err
	}
	zone := a.Course.Zone.String()
	if in.Date == "" && in.Start == "" && in.End == "" && in.Weeks == 0 {
		row, err := k.Lessons.Begin(ctx, in.Course, title, zone, a.Viewer.ID)
		if err != nil {
			return err
		}
		return web.JSON(c, http.StatusCreated, gin.H{"lessons": []lessonJSON{k.lessonJSON(row, a)}})
	}
	rows, err := k.Lessons.Create(ctx, lessons.Draft{
		Course: in.Course, Title: title, By: a.Viewer.ID, Weeks: in.Weeks,
		Plan: lessons.Plan{Date: in.Date, Start: in.Start, End: in.End, Zone: zone},
	})
	if err != nil {
		return err
	}
	out := make([]lessonJSON, 0, len(rows))
	for _, row := range rows {
		out = append(out, k.lessonJSON(row, a))
	}
	return web.JSON(c, http.StatusCreated, gin.H{"lessons": out})
}
