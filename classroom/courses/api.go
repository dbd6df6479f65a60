package courses

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

type courseJSON struct {
	ID    media.ID `json:"id"`
	Code  string   `json:"code"`
	Title string   `json:"title"`
	Term  string   `json:"term"`
	Zone  string   `json:"zone"`
	Auto  bool     `json:"auto_live"`
	Away  bool     `json:"archived"`
	Role  string   `json:"role"` // of who asks: teacher, assistant, student or admin
}

func toJSON(c Course, role string) courseJSON {
	return courseJSON{ID: c.ID, Code: c.Code, Title: c.Title, Term: c.Term, Zone: c.Zone.String(), Auto: c.AutoLive, Away: !c.ArchivedAt.IsZero(), Role: role}
}

// apiCourses lists what the viewer is in, and for an admin everything; archived ones with ?archived=1.
func (f *Courses) apiCourses(c *gin.Context) error {
	places, err := f.visible(c.Request.Context(), web.MustViewer(c))
	if err != nil {
		return err
	}
	list := []courseJSON{}
	for _, p := range places {
		if p.Course.ArchivedAt.IsZero() == (c.Query("archived") == "") {
			list = append(list, toJSON(p.Course, roleWord(p.Role)))
		}
	}
	return web.JSON(c, http.StatusOK, gin.H{"courses": list})
}

func (f *Courses) apiCourse(c *gin.Context) error {
	a, err := f.access(c, See)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, toJSON(a.Course, roleWord(a.Role)))
}

// apiEdit changes what the body names.
func (f *Courses) apiEdit(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	var in struct {
		Code     *string `json:"code"`
		Title    *string `json:"title"`
		Term     *string `json:"term"`
		Zone     *string `json:"zone"`
		AutoLive *bool   `json:"auto_live"`
		Archived *bool   `json:"archived"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	ctx, old := c.Request.Context(), a.Course
	n := NewCourse{
		Code: or(in.Code, old.Code), Title: or(in.Title, old.Title), Term: or(in.Term, old.Term), Zone: or(in.Zone, old.Zone.String()),
		AutoLive: or(in.AutoLive, old.AutoLive),
	}
	if n != (NewCourse{Code: old.Code, Title: old.Title, Term: old.Term, Zone: old.Zone.String(), AutoLive: old.AutoLive}) {
		if err := f.Edit(ctx, a.Viewer.ID, old.ID, n); err != nil {
			return err
		}
	}
	if was := !old.ArchivedAt.IsZero(); or(in.Archived, was) != was {
		if err := f.Archive(ctx, a.Viewer.ID, old.ID, !was); err != nil {
			return err
		}
	}
	course, err := f.Course(ctx, old.ID)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, toJSON(course, roleWord(a.Role)))
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// apiCreate makes a course; a teacher who makes one becomes its teacher.
func (f *Courses) apiCreate(c *gin.Context) error {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	may, err := f.mayCreate(ctx, v)
	if err != nil {
		return err
	}
	if !may {
		return fault.Forbidden("")
	}
	var in struct {
		Code     string `json:"code"`
		Title    string `json:"title"`
		Term     string `json:"term"`
		Zone     string `json:"zone"`
		AutoLive bool   `json:"auto_live"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	n := NewCourse{Code: in.Code, Title: in.Title, Term: in.Term, Zone: in.Zone, AutoLive: in.AutoLive}
	role := "admin"
	if !v.Admin {
		n.Teacher, role = v.ID, string(Teacher)
	}
	course, err := f.Create(ctx, v.ID, n)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusCreated, toJSON(course, role))
}

type memberJSON struct {
	UserID      media.ID `json:"user_id"`
	DisplayName string   `json:"display_name"`
	GivenName   string   `json:"given_name"`
	FamilyName  string   `json:"family_name"`
	StudentID   string   `json:"student_id"`
	Email       string   `json:"email"`
	Role        Role     `json:"role"`
	Group       string   `json:"group"`

	From  time.Time  `json:"from"`
	Until *time.Time `json:"until"` // null while nobody has said how long
}

func (f *Courses) apiMembers(c *gin.Context) error {
	a, err := f.access(c, SeeMembers)
	if err != nil {
		return err
	}
	members, err := f.lasting(c.Request.Context(), a.Course.ID)
	if err != nil {
		return err
	}
	list := []memberJSON{}
	for _, m := range members {
		row := memberJSON{
			UserID: m.User, DisplayName: m.DisplayName, GivenName: m.GivenName, FamilyName: m.FamilyName,
			StudentID: m.StudentID, Email: m.Email, Role: m.Role, Group: m.Section, From: m.From,
		}
		if !m.Until.IsZero() {
			row.Until = &m.Until
		}
		list = append(list, row)
	}
	return web.JSON(c, http.StatusOK, gin.H{"enrollments": list})
}

// maxEnroll is how many people one request may enroll.
const maxEnroll = 2000

type enrollJSON struct {
	UserID media.ID `json:"user_id"`
	Role   Role     `json:"role"`
	Group  string   `json:"group"`

	From  time.Time `json:"from"`  // left out or past: now
	Until time.Time `json:"until"` // left out: until somebody ends it
}

// apiEnroll takes {"enrollments": [{user_id, role, group, from, until}…]}.
func (f *Courses) apiEnroll(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	var in struct {
		Enrollments []enrollJSON `json:"enrollments"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	if len(in.Enrollments) == 0 || len(in.Enrollments) > maxEnroll {
		return fault.Invalid("").At("enrollments")
	}
	ctx := c.Request.Context()
	list, err := f.mayEnroll(ctx, a, in.Enrollments)
	if err != nil {
		return err
	}
	n, err := f.EnrollAll(ctx, a.Viewer.ID, a.Course.ID, list)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, gin.H{"changed": n})
}

// mayEnroll checks that who may enroll students does not appoint staff, nor turn staff into students.
func (f *Courses) mayEnroll(ctx context.Context, a Access, in []enrollJSON) ([]NewMember, error) {
	members, err := f.lasting(ctx, a.Course.ID)
	if err != nil {
		return nil, err
	}
	staff, now := map[media.ID]bool{}, f.now()
	for _, m := range members {
		staff[m.User] = staff[m.User] || m.Role.Staff()
	}
	var list []NewMember
	for _, e := range in {
		if (e.Role.Staff() || staff[e.UserID]) && !a.May(AppointStaff) {
			f.noteDenied(ctx, a.Viewer, a.Course.ID, AppointStaff)
			return nil, fault.Forbidden("")
		}
		n := NewMember{User: e.UserID, Role: e.Role, Section: e.Group, Until: e.Until}
		if e.From.After(now) { // nobody was there before it was written down
			n.From = e.From
		}
		list = append(list, n)
	}
	return list, nil
}
