package attendance

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// Course returns the course of the path and who the viewer is in it, when they have the permission there.
func (a *Attendance) Course(c *gin.Context, p courses.Permission) (courses.Access, error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return courses.Access{}, err
	}
	return a.courses.Check(c.Request.Context(), web.MustViewer(c), id, p)
}

// matrixPage is the heat map of a course.
func (a *Attendance) matrixPage(c *gin.Context) error {
	access, err := a.Course(c, courses.SeeRegister)
	if err != nil {
		return err
	}
	from, until, err := ParsePeriod(c.Query("from"), c.Query("to"), web.Now(c))
	if err != nil {
		return err
	}
	m, err := a.Matrix(c.Request.Context(), access.Course.ID, from, until)
	if err != nil {
		return err
	}
	p := m.page()
	p.From, p.To = from, until.AddDate(0, 0, -1)
	p.MayExport = access.May(courses.ExportRegister)
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (m *Matrix) page() templates.Matrix {
	p := templates.Matrix{CourseID: m.Course.ID.String(), Code: m.Course.Code, Course: m.Course.Title, Policy: m.Policy.Page()}
	for i, l := range m.Lessons {
		day, err := time.Parse(time.DateOnly, l.LocalDate)
		if err != nil {
			day = l.CreatedAt.Time().In(m.Course.Zone)
		}
		column := make([]Status, len(m.Rows))
		for r, row := range m.Rows {
			column[r] = row.Statuses[i]
		}
		total := standing(column, m.Policy.Weights)
		p.Lessons = append(p.Lessons, templates.MatrixLesson{
			ID: l.ID.String(), Title: l.Title, Day: day, Rated: total.Rated, PctTenth: total.Tenths,
		})
	}
	for _, row := range m.Rows {
		line := templates.MatrixRow{UserID: row.ID.String(), Name: row.Name, StudentID: row.Number, Group: row.Section, Standing: row.Standing.page()}
		for _, s := range row.Statuses {
			line.Marks = append(line.Marks, templates.Mark{Status: string(s), Code: s.Code()})
		}
		p.Rows = append(p.Rows, line)
	}
	for _, s := range Statuses {
		p.Legend = append(p.Legend, templates.Mark{Status: string(s), Code: s.Code()})
	}
	return p
}

func (s Standing) page() templates.Standing {
	return templates.Standing{
		Held: s.Held, Present: s.Counts[Present], Late: s.Counts[Late], LeftEarly: s.Counts[LeftEarly], Partial: s.Counts[Partial],
		Absent: s.Counts[Absent], Excused: s.Counts[Excused], MadeUp: s.Counts[MadeUp], Rated: s.Rated, PctTenth: s.Tenths,
	}
}

// FilterOf reads what a reader asks for in the address.
func FilterOf(c *gin.Context) (Filter, error) { return ParseFilter(c.Query, web.Now(c)) }

// ParseFilter reads a filter from its options, as the address of the page names them. now is in the reader's zone.
func ParseFilter(option func(name string) string, now time.Time) (f Filter, err error) {
	if f.From, f.Until, err = ParsePeriod(option("from"), option("to"), now); err != nil {
		return f, err
	}
	for name, id := range map[string]*media.ID{"course": &f.Course, "teacher": &f.Teacher} {
		if text := option(name); text != "" {
			if *id, err = media.ParseID(text); err != nil {
				return f, fault.NotFound("").Because(err)
			}
		}
	}
	if f.Student, err = web.OptionalLine("student", option("student"), 120); err != nil {
		return f, err
	}
	if s := Status(option("status")); slices.Contains(Statuses, s) {
		f.Status = s
	}
	if option("below") != "" {
		f.Below = belowPct
	}
	return f, nil
}

// belowPct is what schools look for first.
const belowPct = 80

// registersPage is every register of the school through one filter.
func (a *Attendance) registersPage(c *gin.Context) error {
	f, err := FilterOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	o, err := a.Overview(ctx, f)
	if err != nil {
		return err
	}
	p := o.page(f)
	if p.AllCourses, p.Teachers, err = a.choices(ctx); err != nil {
		return err
	}
	p.Course, p.Teacher, p.Student, p.Status, p.Below = c.Query("course"), c.Query("teacher"), f.Student, string(f.Status), f.Below
	p.Query = c.Request.URL.RawQuery
	for _, s := range Statuses {
		p.Statuses = append(p.Statuses, string(s))
	}
	if p.Page, err = web.NewPage(c, "registers"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// page lays the courses on one row of weeks.
func (o *Overview) page(f Filter) templates.Registers {
	p := templates.Registers{From: f.From, To: f.Until.AddDate(0, 0, -1), Limit: belowPct}
	for _, w := range o.Weeks {
		p.Weeks = append(p.Weeks, w.Monday)
		p.Together = append(p.Together, w.page())
	}
	for _, line := range o.Courses {
		row := templates.CourseWeeks{
			ID: line.Course.ID.String(), Code: line.Course.Code, Title: line.Course.Title, Lessons: line.Lessons, Standing: line.Standing.page(),
			Weeks: make([]templates.WeekMark, len(p.Weeks)),
		}
		for _, w := range line.Weeks {
			i := slices.IndexFunc(p.Weeks, w.Monday.Equal)
			row.Weeks[i] = w.page()
		}
		p.Courses = append(p.Courses, row)
	}
	below := map[media.ID]bool{} // whoever is in two courses is one student
	for _, s := range o.Students {
		p.Rows = append(p.Rows, templates.StudentStanding{
			UserID: s.Student.ID.String(), Name: s.Student.Name, Family: s.Student.Family, Given: s.Student.Given, StudentID: s.Student.Number,
			CourseID: s.Course.ID.String(), CourseCode: s.Course.Code, Standing: s.page(),
		})
		if s.Below(belowPct) {
			below[s.Student.ID] = true
		}
	}
	p.BelowCount = len(below)
	return p
}

func (w Week) page() templates.WeekMark {
	return templates.WeekMark{Lessons: w.Lessons, Rated: w.Rated, PctTenth: w.Tenths}
}

// choices are the courses and teachers of the filter.
func (a *Attendance) choices(ctx context.Context) (list []templates.Choice, teachers []templates.Choice, err error) {
	all, err := a.courses.All(ctx)
	if err != nil {
		return nil, nil, err
	}
	seen := map[media.ID]bool{}
	for _, co := range all {
		list = append(list, templates.Choice{ID: co.ID.String(), Name: co.Code + " · " + co.Title})
		members, err := a.courses.Members(ctx, co.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range members {
			if m.Role.Staff() && !seen[m.User] {
				seen[m.User] = true
				teachers = append(teachers, templates.Choice{ID: m.User.String(), Name: m.DisplayName})
			}
		}
	}
	slices.SortFunc(teachers, func(x, y templates.Choice) int { return strings.Compare(x.Name, y.Name) })
	return list, teachers, nil
}

// studentPage is the term of one student in all courses, as the student sees it.
func (a *Attendance) studentPage(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	u, err := a.accounts.User(ctx, id)
	if err != nil {
		return fault.NotFound("").Because(err)
	}
	p, err := a.record(ctx, id, web.Now(c))
	if err != nil {
		return err
	}
	p.Of = u.DisplayName
	if p.Page, err = web.NewPage(c, "registers"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}
