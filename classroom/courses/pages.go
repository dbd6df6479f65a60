package courses

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/roster"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// Register adds the feature's routes.
func (f *Courses) Register(s *web.Server) {
	s.Handle("GET", "/courses", web.SignedIn, f.listPage)
	s.Handle("POST", "/courses", web.SignedIn, f.postNew, web.Body(8<<10))
	s.Handle("GET", "/courses/new", web.SignedIn, f.newPage)
	s.Handle("GET", "/courses/:id", web.CourseMember, f.page)
	s.Handle("GET", "/courses/:id/edit", web.CourseTeacher, f.editPage)
	s.Handle("POST", "/courses/:id/edit", web.CourseTeacher, f.postEdit, web.Body(8<<10))
	s.Handle("POST", "/courses/:id/archive", web.CourseTeacher, f.postArchive)
	s.Handle("POST", "/courses/:id/unarchive", web.CourseTeacher, f.postUnarchive)
	s.Handle("POST", "/courses/:id/code", web.CourseTeacher, f.postCode)
	s.Handle("GET", "/courses/:id/code.svg", web.CourseTeacher, f.codePicture)
	s.Handle("GET", "/courses/:id/people", web.CourseStaff, f.peoplePage)
	s.Handle("POST", "/courses/:id/people", web.CourseStaff, f.postPeople, web.Body(1<<20))
	s.Handle("POST", "/courses/:id/people/add", web.CourseStaff, f.postAdd, web.Body(8<<10))
	s.Handle("POST", "/courses/:id/waiting", web.CourseStaff, f.postWaiting, web.Body(1<<20))
	s.Handle("GET", "/courses/:id/import", web.CourseStaff, f.uploadPage)
	s.Handle("POST", "/courses/:id/import", web.CourseStaff, f.postUpload, web.Upload(roster.MaxBytes))
	s.Handle("GET", "/courses/:id/import/:import", web.CourseStaff, f.importPage)
	s.Handle("POST", "/courses/:id/import/:import", web.CourseStaff, f.postImport)
	s.Handle("POST", "/courses/:id/import/:import/discard", web.CourseStaff, f.postDiscard)

	s.Handle("GET", "/join", web.Anyone, f.askCode)
	s.Handle("POST", "/join", web.Anyone, f.postAskCode, web.Body(8<<10))
	s.Handle("GET", "/join/:code", web.Anyone, f.joinPage)
	s.Handle("POST", "/join/:code", web.Anyone, f.postJoin, web.Body(8<<10))

	s.Handle("GET", "/api/v1/courses", web.SignedIn, f.apiCourses)
	s.Handle("POST", "/api/v1/courses", web.SignedIn, f.apiCreate, web.Body(8<<10))
	s.Handle("GET", "/api/v1/courses/:id", web.CourseMember, f.apiCourse)
	s.Handle("PATCH", "/api/v1/courses/:id", web.CourseTeacher, f.apiEdit, web.Body(8<<10))
	s.Handle("GET", "/api/v1/courses/:id/code", web.CourseTeacher, f.apiCode)
	s.Handle("POST", "/api/v1/courses/:id/code", web.CourseTeacher, f.apiSetCode, web.Body(8<<10))
	s.Handle("GET", "/api/v1/courses/:id/waiting", web.CourseStaff, f.apiWaiting)
	s.Handle("POST", "/api/v1/courses/:id/waiting", web.CourseStaff, f.apiAnswer, web.Body(1<<20))
	s.Handle("GET", "/api/v1/courses/:id/enrollments", web.CourseStaff, f.apiMembers)
	s.Handle("DELETE", "/api/v1/courses/:id/enrollments/:user", web.CourseStaff, f.apiEnd)
	s.Handle("POST", "/api/v1/courses/:id/enrollments/import", web.CourseStaff, f.apiImport, web.Upload(roster.MaxBytes))
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
	if err := f.fillStaffSide(c, a, &p); err != nil {
		return err
	}
	if f.cfg.Cards != nil {
		if p.Coming, p.Past, err = f.cfg.Cards(ctx, a); err != nil {
			return err
		}
	}
	return web.Render(c, http.StatusOK, p)
}

// fillStaffSide adds what those see who run the course.
func (f *Courses) fillStaffSide(c *gin.Context, a Access, p *templates.Course) (err error) {
	p.Archived, p.MayEdit, p.Enrolls = !a.Course.ArchivedAt.IsZero(), a.May(Edit), a.May(Enroll)
	if p.MayEdit && !p.Archived {
		if p.Join, err = f.codeOnPage(c, a.Course.ID); err != nil {
			return err
		}
	}
	if p.Enrolls {
		waiting, err := f.WaitingList(c.Request.Context(), a.Course.ID)
		if err != nil {
			return err
		}
		p.Waiting = len(waiting)
	}
	return nil
}

func roleOnPage(a Access) string { return roleWord(a.Role) }

// roleWord is what somebody is called in a course; admins who are in none of its roles see it as that.
func roleWord(r Role) string {
	if r == "" {
		return "admin"
	}
	return string(r)
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
