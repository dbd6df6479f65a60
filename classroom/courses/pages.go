package courses

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// Register adds the feature's routes.
func (f *Courses) Register(s *web.Server) {
	s.Handle("GET", "/courses/:id", web.CourseMember, f.page)

	s.Handle("GET", "/api/v1/courses", web.SignedIn, f.apiCourses)
	s.Handle("POST", "/api/v1/courses", web.SignedIn, f.apiCreate, web.Body(8<<10))
	s.Handle("GET", "/api/v1/courses/:id/enrollments", web.CourseStaff, f.apiMembers)
	s.Handle("POST", "/api/v1/courses/:id/enrollments", web.CourseStaff, f.apiEnroll, web.Body(1<<20))
}

// access reads the course of the path through the check.
func (f *Courses) access(c *gin.Context, p Permission) (Access, error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return Access{}, err
	}
	return f.Check(c.Request.Context(), web.MustViewer(c), id, p)
}

func (f *Courses) page(c *gin.Context) error {
	a, err := f.access(c, See)
	if err != nil {
		return err
	}
	p := templates.Course{
		ID: a.Course.ID.String(), Code: a.Course.Code, Title: a.Course.Title, Term: a.Course.Term, Zone: a.Course.Zone.String(),
		Role: roleOnPage(a),
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	ctx := c.Request.Context()
	members, err := f.Members(ctx, a.Course.ID)
	if err != nil {
		return err
	}
	p.Staff, p.Students = people(members, a.May(SeeMembers))
	if f.cfg.Cards != nil {
		if p.Coming, p.Past, err = f.cfg.Cards(ctx, a); err != nil {
			return err
		}
	}
	return web.Render(c, http.StatusOK, p)
}

func roleOnPage(a Access) string {
	if a.Role == "" {
		return "admin"
	}
	return string(a.Role)
}

// people sorts the members for a page. Students see who teaches, not who else learns.
func people(members []Member, all bool) (staff, students []templates.Person) {
	members = slices.SortedStableFunc(slices.Values(members), byName)
	for _, m := range members {
		p := templates.Person{ID: m.User.String(), Name: m.DisplayName}
		switch {
		case m.Role.Staff():
			staff = append(staff, p)
		case all:
			p.StudentID, p.Group = m.StudentID, m.Section
			students = append(students, p)
		}
	}
	return staff, students
}
