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
	"chalkcast/templates"
)

// maxNote bounds why a lesson is cancelled, in characters.
const maxNote = 300

// courseOf reads the course of the path through the check.
func (k *Classroom) courseOf(c *gin.Context, p courses.Permission) (courses.Access, error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return courses.Access{}, err
	}
	return k.Courses.Check(c.Request.Context(), web.MustViewer(c), id, p)
}

// timetable is where the staff of a course plan its lessons.
func (k *Classroom) timetable(c *gin.Context) error {
	a, err := k.courseOf(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	ctx, now := c.Request.Context(), k.now()
	p := templates.Timetable{
		CourseID: a.Course.ID.String(), Code: a.Course.Code, Course: a.Course.Title, Zone: a.Course.Zone.String(),
		Publishes: a.May(courses.Publish),
	}
	rows, err := k.Lessons.Between(ctx, []media.ID{a.Course.ID}, now, now.AddDate(1, 1, 0))
	if err != nil {
		return err
	}
	together := map[media.ID]int{}
	for _, row := range rows {
		together[row.CancelID]++
	}
	for _, row := range rows {
		if behind(row, now) {
			continue
		}
		card, err := k.card(ctx, row, a.Course, a.Role)
		if err != nil {
			return err
		}
		if !card.MovedFrom.IsZero() {
			card.MovedFrom = card.MovedFrom.In(a.Course.Zone)
		}
		line := templates.PlannedLesson{Lesson: card, Editable: editable(row, now), Restorable: row.State == lessons.Cancelled}
		if row.CancelID != 0 {
			line.Together = together[row.CancelID]
		}
		p.Lessons = append(p.Lessons, line)
	}
	if p.Series, err = k.seriesOnPage(c, a.Course); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func editable(row lessons.Lesson, now time.Time) bool {
	state := row.StateAt(now)
	return row.HasPlan() && (state == lessons.Planned || state == lessons.Open)
}

func (k *Classroom) seriesOnPage(c *gin.Context, course courses.Course) (list []templates.Series, err error) {
	all, err := k.Lessons.SeriesOf(c.Request.Context(), course.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		line := templates.Series{ID: s.ID.String(), Title: s.Title, Weekdays: s.Weekdays.Days(), Start: s.LocalStart, End: s.LocalEnd}
		if line.First, err = time.Parse(time.DateOnly, s.FirstDate); err != nil {
			return nil, err
		}
		if line.Last, err = time.Parse(time.DateOnly, s.LastDate); err != nil {
			return nil, err
		}
		list = append(list, line)
	}
	return list, nil
}

func timetableOf(course media.ID) string { return "/courses/" + course.String() + "/timetable" }

// back leads to a timetable and says what became of the order: so many lessons, or why not.
func back(c *gin.Context, course media.ID, done string, n int, err error) error {
	if f, ok := fault.Of(err); ok && f.Key != "" && (f.Kind == fault.KindConflict || f.Kind == fault.KindInvalid) {
		web.Flash(c, "bad", f.Key, f.Data)
	} else if err != nil {
		return err
	} else {
		web.Flash(c, "good", done, map[string]any{"N": n})
	}
	return web.Redirect(c, timetableOf(course))
}

// postCancel calls a lesson off, or more of its series.
func (k *Classroom) postCancel(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	off := lessons.Cancellation{Lesson: row.ID, Scope: scopeOf(web.Field(c, "scope")), By: access.Viewer.ID}
	n := 0
	if off.Note, err = web.OptionalLine("note", web.Field(c, "note"), maxNote); err == nil {
		n, err = k.Lessons.CallOff(c.Request.Context(), off)
	}
	return back(c, row.CourseID, "timetable.cancelled", n, err)
}

// scopeOf reads a scope; nothing is the lesson alone.
func scopeOf(text string) lessons.Scope {
	if text == "" {
		return lessons.One
	}
	return lessons.Scope(text)
}

func (k *Classroom) postRestore(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	n, err := k.Lessons.Restore(c.Request.Context(), row.ID, web.Field(c, "together") != "", access.Viewer.ID)
	return back(c, row.CourseID, "timetable.restored", n, err)
}

// series reads the series of the path through the check of its course.
func (k *Classroom) series(c *gin.Context, p courses.Permission) (s lessons.Series, a courses.Access, err error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return s, a, err
	}
	ctx := c.Request.Context()
	if s, err = k.Lessons.FindSeries(ctx, id); err != nil {
		return s, a, err
	}
	a, err = k.Courses.Check(ctx, web.MustViewer(c), s.CourseID, p)
	return s, a, err
}

func (k *Classroom) postProlong(c *gin.Context) error {
	s, access, err := k.series(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	_, made, err := k.Lessons.Prolong(c.Request.Context(), s.ID, web.Field(c, "until"), access.Viewer.ID)
	return back(c, s.CourseID, "timetable.prolonged", len(made), err)
}

// postBegin begins an unplanned lesson and leads to its studio.
func (k *Classroom) postBegin(c *gin.Context) error {
	a, err := k.courseOf(c, courses.Publish)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	title, err := web.OptionalLine("title", web.Field(c, "title"), maxTitle)
	if err != nil {
		return back(c, a.Course.ID, "", 0, err)
	}
	if title == "" {
		title = web.T(c, "unplanned.title", nil)
	}
	row, err := k.Lessons.Begin(c.Request.Context(), a.Course.ID, title, a.Course.Zone.String(), a.Viewer.ID)
	if err != nil {
		return err
	}
	return web.Redirect(c, "/lessons/"+row.ID.String()+"/studio")
}
