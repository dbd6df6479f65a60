package classroom

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/calendar"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// What a person's calendar looks at.
const (
	calendarBack  = 60 * 24 * time.Hour
	calendarAhead = 366 * 24 * time.Hour
)

// address is how browsers reach the school, as well as it is known.
func (k *Classroom) address(c *gin.Context) string {
	if k.cfg.BaseURL != "" {
		return strings.TrimSuffix(k.cfg.BaseURL, "/")
	}
	if c.Request.TLS != nil {
		return "https://" + c.Request.Host
	}
	return "http://" + c.Request.Host
}

// calendarFeed is everything that its owner has lessons in. Who has the address needs no session: calendars have none.
func (k *Classroom) calendarFeed(c *gin.Context) error {
	ctx := c.Request.Context()
	owner, err := k.links.Owner(ctx, strings.TrimSuffix(c.Param("token"), ".ics"))
	if err != nil {
		return err
	}
	places, err := k.Courses.Places(ctx, owner)
	if err != nil {
		return err
	}
	at := map[media.ID]courses.Course{}
	var ids []media.ID
	for _, p := range places {
		ids = append(ids, p.Course.ID)
		at[p.Course.ID] = p.Course
	}
	now := k.now()
	rows, err := k.Lessons.Between(ctx, ids, now.Add(-calendarBack), now.Add(calendarAhead))
	if err != nil {
		return err
	}
	s := calendar.Stream{Name: k.Accounts.School().Name}
	for _, row := range rows {
		if row.HasPlan() {
			s.Events = append(s.Events, k.event(c, row, at[row.CourseID]))
		}
	}
	return sendCalendar(c, s)
}

func (k *Classroom) event(c *gin.Context, row lessons.Lesson, course courses.Course) calendar.Event {
	id := row.ID.String()
	e := calendar.Event{
		ID: id, Start: row.PlannedStartAt.Time(), End: row.PlannedEndAt.Time(), Created: row.CreatedAt.Time(),
		Changed: row.ChangedAt.Time(), Revision: row.Revision, Cancelled: row.State == lessons.Cancelled,
		Summary: course.Code + " · " + row.Title, Description: course.Title, URL: k.address(c) + "/lessons/" + id,
	}
	if row.Note != "" {
		e.Description += "\n" + row.Note
	}
	return e
}

// lessonCalendar is one lesson to put into a calendar.
func (k *Classroom) lessonCalendar(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.See)
	if err != nil {
		return err
	}
	s := calendar.Stream{Name: k.Accounts.School().Name}
	if row.HasPlan() {
		s.Events = append(s.Events, k.event(c, row, access.Course))
	}
	c.Header("Content-Disposition", `attachment; filename="lesson-`+row.ID.String()+`.ics"`)
	return sendCalendar(c, s)
}

func sendCalendar(c *gin.Context, s calendar.Stream) error {
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-cache")
	c.Data(http.StatusOK, "text/calendar; charset=utf-8", b.Bytes())
	return nil
}

// calendarPage shows a person the address of their calendar.
func (k *Classroom) calendarPage(c *gin.Context) error {
	address, err := k.calendarAddress(c.Request.Context(), c)
	if err != nil {
		return err
	}
	p := templates.Calendar{Address: address}
	if p.Page, err = web.NewPage(c, "settings"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (k *Classroom) calendarAddress(ctx context.Context, c *gin.Context) (string, error) {
	token, err := k.links.Token(ctx, web.MustViewer(c).ID)
	if err != nil || token == "" {
		return "", err
	}
	return k.address(c) + "/calendar/" + string(token) + ".ics", nil
}

// postCalendar gives a person an address, or another one.
func (k *Classroom) postCalendar(c *gin.Context) error {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	before, err := k.links.Token(ctx, v.ID)
	if err != nil {
		return err
	}
	if _, err := k.links.Replace(ctx, v.ID); err != nil {
		return err
	}
	if before == "" {
		web.Flash(c, "good", "calendar.made", nil)
	} else {
		web.Flash(c, "good", "calendar.replaced", nil)
	}
	return web.Redirect(c, "/settings/calendar")
}
