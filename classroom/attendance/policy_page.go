package attendance

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// policyHistory is how many changes the page shows.
const policyHistory = 20

// policyPage shows the rule of the school or of a course, and the form that changes it.
func (a *Attendance) policyPage(c *gin.Context) error {
	co, err := a.policyCourse(c)
	if err != nil {
		return err
	}
	return a.showPolicy(c, http.StatusOK, co, nil, nil)
}

// policyCourse is the course of the path, for those who may change it; the zero course is the school.
func (a *Attendance) policyCourse(c *gin.Context) (courses.Course, error) {
	if c.Param("id") == "" {
		return courses.Course{}, nil
	}
	access, err := a.Course(c, courses.Edit)
	return access.Course, err
}

func (a *Attendance) policyForm(c *gin.Context) error {
	co, err := a.policyCourse(c)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	ch := PolicyChange{Course: co.ID}
	if ch.Known, err = strconv.ParseInt(web.Field(c, "version"), 10, 64); err != nil {
		return fault.Invalid("").At("version").Because(err)
	}
	if back := web.Field(c, "restore"); back != "" {
		ch.Layer, err = a.policyOfVersion(ctx, co.ID, back)
	} else {
		var wrong map[string]string
		if ch.Layer, wrong = a.layerOfForm(c, co); len(wrong) > 0 {
			return a.showPolicy(c, http.StatusBadRequest, co, wrong, nil)
		}
	}
	if err == nil {
		err = a.SetPolicy(ctx, web.MustViewer(c).ID, ch)
	}
	if f, ok := fault.Of(err); ok && f.Key != "" && (f.Kind == fault.KindInvalid || f.Kind == fault.KindConflict) {
		return a.showPolicy(c, f.Kind.Status(), co, nil, f)
	}
	if err != nil {
		return err
	}
	web.Flash(c, "good", "policy.saved", nil)
	return web.Redirect(c, c.Request.URL.Path)
}

// layerOfForm reads the numbers of the form. What a course leaves empty is the school's; the school says all of them.
func (a *Attendance) layerOfForm(c *gin.Context, co courses.Course) (string, map[string]string) {
	values, wrong := map[string]int{}, map[string]string{}
	for _, n := range numbers {
		text := web.Field(c, n.name)
		if text == "" && co.ID != 0 {
			continue
		}
		v, err := n.parse(text)
		if f, ok := fault.Of(err); ok {
			wrong[n.name] = web.T(c, f.Key, f.Data)
			continue
		}
		values[n.name] = v
	}
	if len(wrong) > 0 {
		return "", wrong
	}
	return layer(values), nil
}

func (a *Attendance) policyOfVersion(ctx context.Context, course media.ID, version string) (string, error) {
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return "", fault.NotFound("").Because(err)
	}
	row, err := policyAt(ctx, a.db.Reader(), course, n)
	if errors.Is(err, database.ErrNotFound) {
		return "", fault.NotFound("").Because(err)
	}
	return row.Policy, err
}

func (a *Attendance) showPolicy(c *gin.Context, status int, co courses.Course, wrong map[string]string, refused *fault.Fault) error {
	ctx := c.Request.Context()
	p, err := a.policyEditor(ctx, co, web.Now(c).Location())
	if err != nil {
		return err
	}
	if wrong != nil { // what was written stays, to be mended
		for i := range p.Fields {
			p.Fields[i].Value, p.Fields[i].Error = web.Field(c, p.Fields[i].Name), wrong[p.Fields[i].Name]
		}
	}
	if refused != nil {
		p.Refused = web.T(c, refused.Key, refused.Data)
	}
	if p.Page, err = web.NewPage(c, "registers"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Attendance) policyEditor(ctx context.Context, co courses.Course, zone *time.Location) (templates.PolicyEditor, error) {
	school := a.accounts.School()
	p := templates.PolicyEditor{Version: school.PolicyVersion}
	below, layers := DefaultPolicy(), []string{school.Policy}
	var err error
	if co.ID != 0 {
		p.CourseID, p.Code, p.Course = co.ID.String(), co.Code, co.Title
		if below, err = ParsePolicy(school.Policy); err != nil {
			return p, err
		}
		layers = append(layers, co.Policy)
	}
	now, err := ParsePolicy(layers...)
	if err != nil {
		return p, err
	}
	p.Policy = now.Page()
	has, err := own(co.Policy)
	if err != nil {
		return p, err
	}
	for _, n := range numbers {
		f := templates.PolicyField{Name: n.name, Unit: string(n.unit)}
		if co.ID == 0 || has[n.name] {
			f.Value = n.write(&now)
		}
		if co.ID != 0 {
			f.Inherited = n.write(&below)
		}
		p.Fields = append(p.Fields, f)
	}
	p.History, err = a.policyHistory(ctx, co, school.Policy, zone)
	return p, err
}

// policyHistory are the changes so far, the newest first; the first of them holds.
func (a *Attendance) policyHistory(ctx context.Context, co courses.Course, school string, zone *time.Location) ([]templates.PolicyVersion, error) {
	rows, err := policiesOf(ctx, a.db.Reader(), co.ID, policyHistory)
	if err != nil {
		return nil, err
	}
	var history []templates.PolicyVersion
	for _, row := range rows {
		layers := []string{row.Policy}
		if co.ID != 0 {
			layers = []string{school, row.Policy}
		}
		then, err := ParsePolicy(layers...)
		if err != nil {
			continue // a course's numbers that do not go with the school's of today: nothing to go back to
		}
		v := templates.PolicyVersion{Version: row.Version, Policy: then.Page(), At: timeIn(row.At, zone)}
		if row.ByID != 0 {
			u, err := a.accounts.User(ctx, row.ByID)
			if err != nil && !errors.Is(err, database.ErrNotFound) {
				return nil, err
			}
			v.By = u.DisplayName
		}
		history = append(history, v)
	}
	return history, nil
}
