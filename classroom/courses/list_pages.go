package courses

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// listPage shows an admin every course and everybody else their own.
func (f *Courses) listPage(c *gin.Context) error {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	p := templates.Courses{Archived: c.Query("archived") != ""}
	places, err := f.visible(ctx, v)
	if err != nil {
		return err
	}
	all := len(places)
	places = slices.DeleteFunc(places, func(p Place) bool { return p.Course.ArchivedAt.IsZero() == (c.Query("archived") != "") })
	p.Others = all - len(places)
	if p.Terms, err = f.listed(ctx, places); err != nil {
		return err
	}
	asked, err := f.Asked(ctx, v.ID)
	if err != nil {
		return err
	}
	for _, course := range asked {
		p.Asked = append(p.Asked, course.Title)
	}
	if p.MayCreate, err = f.mayCreate(ctx, v); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// visible returns every course that a viewer may know, with what they are in it; admins are nothing in most.
func (f *Courses) visible(ctx context.Context, v *web.Viewer) ([]Place, error) {
	places, err := f.AllPlaces(ctx, v.ID)
	if err != nil || !v.Admin {
		return places, err
	}
	role := map[media.ID]Role{}
	for _, p := range places {
		role[p.Course.ID] = p.Role
	}
	all, err := f.All(ctx)
	if err != nil {
		return nil, err
	}
	places = places[:0]
	for _, course := range all {
		places = append(places, Place{course, role[course.ID]})
	}
	return places, nil
}

// listed sorts courses by term, the terms as they come.
func (f *Courses) listed(ctx context.Context, places []Place) ([]templates.TermCourses, error) {
	ids := make([]media.ID, len(places))
	for i, p := range places {
		ids[i] = p.Course.ID
	}
	counts, err := countsOf(ctx, f.db.Reader(), ids, f.now())
	if err != nil {
		return nil, err
	}
	var terms []templates.TermCourses
	for _, p := range places {
		row := templates.ListedCourse{
			ID: p.Course.ID.String(), Code: p.Course.Code, Title: p.Course.Title, Role: roleWord(p.Role),
			Teachers: counts.teachers[p.Course.ID], Students: counts.students[p.Course.ID],
		}
		if p.Role != Student {
			row.Waiting = counts.waiting[p.Course.ID]
		}
		if len(terms) == 0 || terms[len(terms)-1].Term != p.Course.Term {
			terms = append(terms, templates.TermCourses{Term: p.Course.Term})
		}
		last := &terms[len(terms)-1]
		last.Courses = append(last.Courses, row)
	}
	return terms, nil
}

func (f *Courses) newPage(c *gin.Context) error {
	if err := f.checkMayCreate(c); err != nil {
		return err
	}
	return f.showForm(c, http.StatusOK, templates.CourseForm{Zone: f.cfg.Zone().String()})
}

func (f *Courses) checkMayCreate(c *gin.Context) error {
	may, err := f.mayCreate(c.Request.Context(), web.MustViewer(c))
	if err == nil && !may {
		err = fault.Forbidden("")
	}
	return err
}

func (f *Courses) postNew(c *gin.Context) error {
	if err := f.checkMayCreate(c); err != nil {
		return err
	}
	p, n, err := f.readForm(c)
	if err != nil {
		return err
	}
	ctx, v := c.Request.Context(), web.MustViewer(c)
	if !v.Admin {
		n.Teacher = v.ID
	}
	course, err := f.Create(ctx, v.ID, n)
	if err != nil {
		return f.formAgain(c, p, err)
	}
	web.Flash(c, "good", "course.made", nil)
	return web.Redirect(c, "/courses/"+course.ID.String())
}

func (f *Courses) editPage(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	return f.showForm(c, http.StatusOK, templates.CourseForm{
		ID: a.Course.ID.String(), Code: a.Course.Code, Title: a.Course.Title, Term: a.Course.Term, Zone: a.Course.Zone.String(),
		AutoLive: a.Course.AutoLive, Archived: !a.Course.ArchivedAt.IsZero(),
	})
}

func (f *Courses) postEdit(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	p, n, err := f.readForm(c)
	if err != nil {
		return err
	}
	p.ID, p.Archived = a.Course.ID.String(), !a.Course.ArchivedAt.IsZero()
	if err := f.Edit(c.Request.Context(), a.Viewer.ID, a.Course.ID, n); err != nil {
		return f.formAgain(c, p, err)
	}
	web.Flash(c, "good", "settings.saved", nil)
	return web.Redirect(c, "/courses/"+p.ID)
}

func (f *Courses) readForm(c *gin.Context) (p templates.CourseForm, n NewCourse, err error) {
	if err = web.Form(c); err != nil {
		return p, n, err
	}
	p = templates.CourseForm{
		Code: web.Field(c, "code"), Title: web.Field(c, "title"), Term: web.Field(c, "term"), Zone: strings.TrimSpace(web.Field(c, "zone")),
		AutoLive: web.Field(c, "auto_live") != "",
	}
	return p, NewCourse{Code: p.Code, Title: p.Title, Term: p.Term, Zone: p.Zone, AutoLive: p.AutoLive}, nil
}

// formAgain shows a form with what was wrong in it.
func (f *Courses) formAgain(c *gin.Context, p templates.CourseForm, err error) error {
	wrong, ok := fault.Of(err)
	if !ok || wrong.Field == "" {
		return err
	}
	p.Errors = map[string]string{wrong.Field: wrong.Key}
	return f.showForm(c, wrong.Kind.Status(), p)
}

func (f *Courses) showForm(c *gin.Context, status int, p templates.CourseForm) (err error) {
	places, err := f.visible(c.Request.Context(), web.MustViewer(c))
	if err != nil {
		return err
	}
	for _, place := range places {
		if t := place.Course.Term; t != "" && !slices.Contains(p.Terms, t) {
			p.Terms = append(p.Terms, t)
		}
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (f *Courses) postArchive(c *gin.Context) error { return f.archive(c, true, "course.archived_now") }

func (f *Courses) postUnarchive(c *gin.Context) error {
	return f.archive(c, false, "course.unarchived_now")
}

func (f *Courses) archive(c *gin.Context, away bool, said string) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	if err := f.Archive(c.Request.Context(), a.Viewer.ID, a.Course.ID, away); err != nil {
		return err
	}
	web.Flash(c, "good", said, nil)
	return web.Redirect(c, "/courses/"+a.Course.ID.String())
}
