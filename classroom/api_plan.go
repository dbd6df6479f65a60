package classroom

import (
	"cmp"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// draftJSON is a lesson or a weekly series to be made.
type draftJSON struct {
	Course   media.ID `json:"course_id"`
	Title    string   `json:"title"`
	Date     string   `json:"date"` // 2026-10-26, as clocks in the course's zone show it
	Start    string   `json:"start"`
	End      string   `json:"end"`      // not later than start: the next day
	Second   bool     `json:"second"`   // of a start that clocks show twice the second is meant
	Weeks    int      `json:"weeks"`    // a series of so many weeks
	Until    string   `json:"until"`    // or until this day
	Weekdays []int    `json:"weekdays"` // 1 is Monday, 7 Sunday; none: that of date
}

func (in draftJSON) unplanned() bool {
	return in.Date == "" && in.Start == "" && in.End == "" && in.Weeks == 0 && in.Until == "" && len(in.Weekdays) == 0
}

// apiCreate plans a lesson, or a weekly series of them; without date and times it begins an unplanned lesson now. The
// lessons of a series that lie further ahead than a term are made when their time comes nearer.
func (k *Classroom) apiCreate(c *gin.Context) error {
	var in draftJSON
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
	if in.unplanned() {
		row, err := k.Lessons.Begin(ctx, in.Course, title, zone, a.Viewer.ID)
		if err != nil {
			return err
		}
		return web.JSON(c, http.StatusCreated, gin.H{"lessons": []lessonJSON{k.lessonJSON(row, a)}})
	}
	d := lessons.Draft{
		Course: in.Course, Title: title, By: a.Viewer.ID, Weeks: in.Weeks, Until: in.Until,
		Plan: lessons.Plan{Date: in.Date, Start: in.Start, End: in.End, Zone: zone, Second: in.Second},
	}
	for _, n := range in.Weekdays {
		if n < 1 || n > 7 {
			return fault.Invalid("lesson.bad_plan").At("weekdays")
		}
		d.Weekdays = append(d.Weekdays, time.Weekday(n%7))
	}
	rows, err := k.Lessons.Create(ctx, d)
	if err != nil {
		return err
	}
	return k.sendLessons(c, http.StatusCreated, rows, a)
}

// sendLessons answers with lessons of a course and what overlaps with them.
func (k *Classroom) sendLessons(c *gin.Context, status int, rows []lessons.Lesson, a courses.Access) error {
	when := make([]lessons.Occurrence, 0, len(rows))
	out := make([]lessonJSON, 0, len(rows))
	for _, row := range rows {
		when = append(when, lessons.Occurrence{Start: row.PlannedStartAt.Time(), End: row.PlannedEndAt.Time()})
		out = append(out, k.lessonJSON(row, a))
	}
	found, err := k.Lessons.Clashes(c.Request.Context(), a.Course.ID, when, idsOf(rows))
	if err != nil {
		return err
	}
	clashes := []gin.H{}
	for i, others := range found {
		for _, other := range others {
			clashes = append(clashes, gin.H{"lesson_id": rows[i].ID, "title": other.Title, "start": other.PlannedStartAt.Time()})
		}
	}
	return web.JSON(c, status, gin.H{"lessons": out, "clashes": clashes})
}

// changeJSON is what becomes of a lesson; what is left out stays.
type changeJSON struct {
	Scope  lessons.Scope `json:"scope"` // one, later, all; nothing is one
	Title  *string       `json:"title"`
	Date   *string       `json:"date"`
	Start  *string       `json:"start"`
	End    *string       `json:"end"`
	Second *bool         `json:"second"`
}

func (in changeJSON) change(row lessons.Lesson, by media.ID) (ch lessons.Change, err error) {
	ch = lessons.Change{Lesson: row.ID, Scope: cmp.Or(in.Scope, lessons.One), Title: row.Title, Plan: row.Plan(), By: by}
	for _, f := range []struct{ from, to *string }{{in.Date, &ch.Plan.Date}, {in.Start, &ch.Plan.Start}, {in.End, &ch.Plan.End}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Second != nil {
		ch.Plan.Second = *in.Second
	}
	if in.Title != nil {
		ch.Title, err = web.Line("title", *in.Title, maxTitle)
	}
	return ch, err
}

// apiChange plans a lesson anew, or more of its series, and answers with all that it changed.
func (k *Classroom) apiChange(c *gin.Context) error {
	row, a, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	var in changeJSON
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	return k.changeLesson(c, row, a, in)
}

func (k *Classroom) changeLesson(c *gin.Context, row lessons.Lesson, a courses.Access, in changeJSON) error {
	ch, err := in.change(row, a.Viewer.ID)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	_, reached, err := k.Lessons.Foresee(ctx, ch)
	if err != nil {
		return err
	}
	if _, err := k.Lessons.Change(ctx, ch); err != nil {
		return err
	}
	for i := range reached {
		if reached[i], err = k.Lessons.Find(ctx, reached[i].ID); err != nil {
			return err
		}
	}
	return k.sendLessons(c, http.StatusOK, reached, a)
}

type cancelJSON struct {
	Scope lessons.Scope `json:"scope"`
	Note  string        `json:"note"`
}

// apiCancel calls a lesson off, or more of its series. The body may be left out.
func (k *Classroom) apiCancel(c *gin.Context) error {
	row, a, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	var in cancelJSON
	if c.Request.ContentLength != 0 {
		if err := web.BindJSON(c, &in); err != nil {
			return err
		}
	}
	return k.callOff(c, row.ID, a, in)
}

func (k *Classroom) callOff(c *gin.Context, lesson media.ID, a courses.Access, in cancelJSON) error {
	note, err := web.OptionalLine("note", in.Note, maxNote)
	if err != nil {
		return err
	}
	n, err := k.Lessons.CallOff(c.Request.Context(), lessons.Cancellation{
		Lesson: lesson, Scope: cmp.Or(in.Scope, lessons.One), Note: note, By: a.Viewer.ID,
	})
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, gin.H{"state": lessons.Cancelled, "lessons": n})
}

// apiRestore takes a cancellation back: {"together": true} for all lessons that were cancelled with this one.
func (k *Classroom) apiRestore(c *gin.Context) error {
	row, a, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	var in struct {
		Together bool `json:"together"`
	}
	if c.Request.ContentLength != 0 {
		if err := web.BindJSON(c, &in); err != nil {
			return err
		}
	}
	ctx := c.Request.Context()
	n, err := k.Lessons.Restore(ctx, row.ID, in.Together, a.Viewer.ID)
	if err != nil {
		return err
	}
	if row, err = k.Lessons.Find(ctx, row.ID); err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, gin.H{"state": row.StateAt(k.now()), "lessons": n})
}

// seriesJSON is the rule of a weekly series.
type seriesJSON struct {
	ID       media.ID `json:"id"`
	CourseID media.ID `json:"course_id"`
	Title    string   `json:"title"`
	Weekdays []int    `json:"weekdays"`
	First    string   `json:"date"`
	Until    string   `json:"until"`
	Start    string   `json:"start"`
	End      string   `json:"end"`
	Zone     string   `json:"zone"`
	Second   bool     `json:"second"`
}

func toSeriesJSON(s lessons.Series) seriesJSON {
	out := seriesJSON{
		ID: s.ID, CourseID: s.CourseID, Title: s.Title, First: s.FirstDate, Until: s.LastDate, Start: s.LocalStart, End: s.LocalEnd,
		Zone: s.Zone, Second: s.Second, Weekdays: []int{},
	}
	for _, d := range s.Weekdays.Days() {
		out.Weekdays = append(out.Weekdays, (int(d)+6)%7+1)
	}
	return out
}

// apiSeries lists the series of a course that go on.
func (k *Classroom) apiSeries(c *gin.Context) error {
	a, err := k.courseOf(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	all, err := k.Lessons.SeriesOf(c.Request.Context(), a.Course.ID)
	if err != nil {
		return err
	}
	out := []seriesJSON{}
	for _, s := range all {
		out = append(out, toSeriesJSON(s))
	}
	return web.JSON(c, http.StatusOK, gin.H{"series": out})
}

// apiChangeSeries changes what was not held yet of a series: {"until"} alone lets it go on longer; date is the new
// day of the next lesson, and the others move by as many days.
func (k *Classroom) apiChangeSeries(c *gin.Context) error {
	s, a, err := k.series(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	var in struct {
		changeJSON
		Until string `json:"until"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if in.Until != "" {
		longer, _, err := k.Lessons.Prolong(ctx, s.ID, in.Until, a.Viewer.ID)
		if err != nil {
			return err
		}
		return web.JSON(c, http.StatusOK, gin.H{"series": toSeriesJSON(longer)})
	}
	next, err := k.Lessons.NextOf(ctx, s.ID)
	if err != nil {
		return err
	}
	in.Scope = lessons.All
	return k.changeLesson(c, next, a, in.changeJSON)
}

// apiCancelSeries calls off what was not held yet of a series.
func (k *Classroom) apiCancelSeries(c *gin.Context) error {
	s, a, err := k.series(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	var in cancelJSON
	if c.Request.ContentLength != 0 {
		if err := web.BindJSON(c, &in); err != nil {
			return err
		}
	}
	next, err := k.Lessons.NextOf(c.Request.Context(), s.ID)
	if err != nil {
		return err
	}
	in.Scope = lessons.All
	return k.callOff(c, next.ID, a, in)
}
