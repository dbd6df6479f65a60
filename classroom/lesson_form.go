package classroom

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// planForm is what the form of a lesson sends, as it was typed: with GET for a preview, with POST to be done.
type planForm struct {
	Title, Date, Start, End, Second string
	Repeat, Weeks, Until            string // of a new one
	Weekdays                        []string
	Scope                           string // of one that is there
}

// bindPlan reads the form of either kind.
func bindPlan(c *gin.Context) (f planForm, err error) {
	get, list := c.Query, c.QueryArray
	if c.Request.Method == http.MethodPost {
		if err := web.Form(c); err != nil {
			return f, err
		}
		get = func(name string) string { return web.Field(c, name) }
		list = func(name string) []string { return c.Request.PostForm[name] }
	}
	return planForm{
		Title: get("title"), Date: get("date"), Start: get("start"), End: get("end"), Second: get("second"),
		Repeat: get("repeat"), Weeks: get("weeks"), Until: get("until"), Weekdays: list("weekday"), Scope: get("scope"),
	}, nil
}

// plan is the plan that was typed.
func (f planForm) plan(zone *time.Location) lessons.Plan {
	return lessons.Plan{Date: f.Date, Start: f.Start, End: f.End, Zone: zone.String(), Second: f.Second == "second"}
}

// draft reads the form as lessons to be made.
func (f planForm) draft(a courses.Access) (d lessons.Draft, err error) {
	d = lessons.Draft{Course: a.Course.ID, Plan: f.plan(a.Course.Zone), By: a.Viewer.ID}
	if d.Title, err = web.Line("title", f.Title, maxTitle); err != nil || f.Repeat != "weekly" {
		return d, err
	}
	d.Until = f.Until
	if f.Until == "" {
		if d.Weeks, err = strconv.Atoi(f.Weeks); err != nil || d.Weeks < 1 {
			return d, fault.Invalid("field.missing").At("weeks")
		}
	}
	for _, text := range f.Weekdays {
		day, err := strconv.Atoi(text)
		if err != nil || day < 0 || day > 6 {
			return d, fault.Invalid("lesson.bad_plan").At("weekdays")
		}
		d.Weekdays = append(d.Weekdays, time.Weekday(day))
	}
	if len(d.Weekdays) == 0 { // and one week of them is still a series
		if day, err := time.Parse(time.DateOnly, f.Date); err == nil {
			d.Weekdays = []time.Weekday{day.Weekday()}
		}
	}
	return d, nil
}

// change reads the form as a change of a lesson.
func (f planForm) change(row lessons.Lesson, a courses.Access) (ch lessons.Change, err error) {
	ch = lessons.Change{Lesson: row.ID, Scope: scopeOf(f.Scope), Plan: f.plan(time.UTC), By: a.Viewer.ID}
	ch.Plan.Zone = row.Zone
	if !ch.Scope.Valid() {
		return ch, fault.Invalid("").At("scope")
	}
	ch.Title, err = web.Line("title", f.Title, maxTitle)
	return ch, err
}

// page shows the form as it was typed.
func (f planForm) page(course courses.Course) templates.LessonForm {
	p := templates.LessonForm{
		CourseID: course.ID.String(), Code: course.Code, Course: course.Title, Zone: course.Zone.String(),
		Action: timetableOf(course.ID), Look: timetableOf(course.ID) + "/new#dates",
		Title: f.Title, Date: f.Date, Start: f.Start, End: f.End, Second: f.Second,
		Repeat: f.Repeat, Weeks: f.Weeks, Until: f.Until, Scope: f.Scope, Errors: map[string]string{},
	}
	for n := range 7 {
		day := time.Weekday((n + 1) % 7)
		on := false
		for _, text := range f.Weekdays {
			on = on || text == strconv.Itoa(int(day))
		}
		p.Weekdays = append(p.Weekdays, templates.WeekdayChoice{Day: day, On: on})
	}
	return p
}

// formFields are those that show what is wrong with them; everything else is said above the form.
const formFields = " title date start end weekdays weeks until second "

// complain writes on the form what is wrong with it. Errors that are nobody's typing are returned.
func complain(p *templates.LessonForm, err error) error {
	f, ok := fault.Of(err)
	if !ok || f.Key == "" || f.Kind != fault.KindInvalid && f.Kind != fault.KindConflict {
		return err
	}
	field := f.Field
	if !strings.Contains(formFields, " "+field+" ") {
		field = ""
	}
	p.Errors[field] = f.Key
	if most, ok := f.Data["Max"].(int); ok {
		p.Max = most
	}
	return nil
}

// preview is what occurrences look like, with what a planner should know of each.
func (k *Classroom) preview(c *gin.Context, course courses.Course, all []lessons.Occurrence, except []media.ID) (*templates.Preview, error) {
	clashes, err := k.Lessons.Clashes(c.Request.Context(), course.ID, all, except)
	if err != nil {
		return nil, err
	}
	p := &templates.Preview{}
	for i, o := range all {
		d := templates.PlannedDate{Start: o.Start.In(course.Zone), End: o.End.In(course.Zone), Twice: o.Twice}
		if o.Skipped {
			d.Skipped = o.Plan.Start
		}
		if i > 0 && offsetOf(d.Start) != offsetOf(p.Dates[i-1].Start) {
			d.Offset = offsetOf(d.Start)
		}
		for _, row := range clashes[i] {
			d.Clashes = append(d.Clashes, row.Title)
		}
		if len(d.Clashes) > 0 {
			p.Clashes++
		}
		p.Dates = append(p.Dates, d)
	}
	for i := range p.Dates {
		if p.Dates[i].Twice {
			p.Twice = &p.Dates[i]
			break
		}
	}
	return p, nil
}

// offsetOf is how far a zone's clocks are from UTC.
func offsetOf(t time.Time) string { return t.Format("UTC-07:00") }

// askWhich is a fault when clocks show a time twice and nobody has said which is meant.
func askWhich(all []lessons.Occurrence, second string) error {
	for _, o := range all {
		if o.Twice && second != "first" && second != "second" {
			return fault.Invalid("timetable.which").At("second")
		}
	}
	return nil
}

func (k *Classroom) showForm(c *gin.Context, status int, p templates.LessonForm) (err error) {
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// newLessons shows the form, and with ?look what it leads to.
func (k *Classroom) newLessons(c *gin.Context) error {
	a, err := k.courseOf(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	f, err := bindPlan(c)
	if err != nil {
		return err
	}
	if c.Query("look") == "" {
		f.Repeat, f.Weeks = "once", "12"
		return k.showForm(c, http.StatusOK, f.page(a.Course))
	}
	p := f.page(a.Course)
	if err := k.lookAhead(c, a, f, &p); err != nil {
		return err
	}
	return k.showForm(c, statusOf(p), p)
}

func statusOf(p templates.LessonForm) int {
	if len(p.Errors) > 0 {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// lookAhead adds to the form what it leads to, or what is wrong with it.
func (k *Classroom) lookAhead(c *gin.Context, a courses.Access, f planForm, p *templates.LessonForm) error {
	d, err := f.draft(a)
	if err != nil {
		return complain(p, err)
	}
	all, err := k.Lessons.Occurrences(d)
	if err != nil {
		return complain(p, err)
	}
	p.Preview, err = k.preview(c, a.Course, all, nil)
	return err
}

// postLessons makes what the form says.
func (k *Classroom) postLessons(c *gin.Context) error {
	a, err := k.courseOf(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	f, err := bindPlan(c)
	if err != nil {
		return err
	}
	all, err := k.plan(c, f, a)
	if err == nil {
		return back(c, a.Course.ID, "timetable.planned", len(all), nil)
	}
	p := f.page(a.Course)
	if err := complain(&p, err); err != nil {
		return err
	}
	if p.Errors["second"] != "" {
		if p.Preview, err = k.preview(c, a.Course, all, nil); err != nil {
			return err
		}
	}
	return k.showForm(c, http.StatusBadRequest, p)
}

// plan makes what the form says and returns the days of it, also with the question which of two times is meant.
func (k *Classroom) plan(c *gin.Context, f planForm, a courses.Access) ([]lessons.Occurrence, error) {
	d, err := f.draft(a)
	if err != nil {
		return nil, err
	}
	all, err := k.Lessons.Occurrences(d)
	if err != nil {
		return nil, err
	}
	if err := askWhich(all, f.Second); err != nil {
		return all, err
	}
	_, err = k.Lessons.Create(c.Request.Context(), d)
	return all, err
}

// editPage shows the form of a lesson, and with ?look what it leads to.
func (k *Classroom) editPage(c *gin.Context) error {
	row, a, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if !editable(row, k.now()) {
		return web.Redirect(c, timetableOf(row.CourseID))
	}
	f, err := bindPlan(c)
	if err != nil {
		return err
	}
	if c.Query("look") == "" {
		f = planForm{Title: row.Title, Date: row.LocalDate, Start: row.LocalStart, End: row.LocalEnd}
		if row.Second {
			f.Second = "second"
		}
		return k.showForm(c, http.StatusOK, editForm(f, row, a))
	}
	p := editForm(f, row, a)
	ch, err := f.change(row, a)
	if err == nil {
		err = k.foresee(c, ch, a, &p)
	}
	if err := complain(&p, err); err != nil {
		return err
	}
	return k.showForm(c, statusOf(p), p)
}

func editForm(f planForm, row lessons.Lesson, a courses.Access) templates.LessonForm {
	p := f.page(a.Course)
	p.Zone, p.LessonID, p.InSeries = row.Zone, row.ID.String(), row.SeriesID != 0
	p.Action = "/lessons/" + p.LessonID + "/edit"
	p.Look = p.Action + "#dates"
	return p
}

// foresee adds to the form of a lesson what a change leads to.
func (k *Classroom) foresee(c *gin.Context, ch lessons.Change, a courses.Access, p *templates.LessonForm) error {
	all, rows, err := k.Lessons.Foresee(c.Request.Context(), ch)
	if err != nil {
		return err
	}
	p.Preview, err = k.preview(c, a.Course, all, idsOf(rows))
	return err
}

func idsOf(rows []lessons.Lesson) []media.ID {
	var ids []media.ID
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}

// postEdit changes a lesson, or more of its series.
func (k *Classroom) postEdit(c *gin.Context) error {
	row, a, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	f, err := bindPlan(c)
	if err != nil {
		return err
	}
	ch, err := f.change(row, a)
	n, done := 0, "timetable.changed"
	if err == nil {
		n, err = k.change(c, f, ch)
	}
	if err == nil {
		if n == 0 {
			done = "timetable.unchanged"
		}
		return back(c, row.CourseID, done, n, nil)
	}
	p := editForm(f, row, a)
	if err := complain(&p, err); err != nil {
		return err
	}
	if p.Errors["second"] != "" {
		if err := k.foresee(c, ch, a, &p); err != nil {
			return err
		}
	}
	return k.showForm(c, http.StatusBadRequest, p)
}

func (k *Classroom) change(c *gin.Context, f planForm, ch lessons.Change) (int, error) {
	all, _, err := k.Lessons.Foresee(c.Request.Context(), ch)
	if err != nil {
		return 0, err
	}
	if err := askWhich(all, f.Second); err != nil {
		return 0, err
	}
	return k.Lessons.Change(c.Request.Context(), ch)
}
