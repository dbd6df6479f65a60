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
	SeriesID     *media.ID     `json:"series_id"`  // null for a single lesson
	Second       bool          `json:"second"`     // of a start that clocks show twice the second is meant
	MovedFrom    *time.Time    `json:"moved_from"` // the start that students knew first
	Note         string        `json:"note"`       // why it is cancelled
	Role         string        `json:"role"`       // of the reader: teacher, assistant, student, admin
}

func (k *Classroom) lessonJSON(row lessons.Lesson, a courses.Access) lessonJSON {
	role := string(a.Role)
	if role == "" {
		role = "admin"
	}
	out := lessonJSON{
		ID: row.ID, CourseID: row.CourseID, CourseCode: a.Course.Code, Title: row.Title, State: row.StateAt(k.now()),
		Date: row.LocalDate, Start: row.LocalStart, End: row.LocalEnd, Zone: row.Zone,
		PlannedStart: instant(row.PlannedStartAt.Time()), PlannedEnd: instant(row.PlannedEndAt.Time()), EndsAt: instant(row.EndAt()),
		LiveSince: instant(row.LiveAt.Time()), EndedAt: instant(row.EndedAt.Time()), Role: role,
		Second: row.Second, MovedFrom: instant(row.MovedFromAt.Time()), Note: row.Note,
	}
	if row.SeriesID != 0 {
		out.SeriesID = &row.SeriesID
	}
	return out
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
