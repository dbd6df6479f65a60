package courses

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// maxLeft is how many of those who left a page shows.
const maxLeft = 100

// peoplePage lists everybody in a course.
func (f *Courses) peoplePage(c *gin.Context) error {
	a, err := f.access(c, SeeMembers)
	if err != nil {
		return err
	}
	return f.showPeople(c, http.StatusOK, a, templates.CoursePeople{})
}

func (f *Courses) showPeople(c *gin.Context, status int, a Access, p templates.CoursePeople) error {
	ctx := c.Request.Context()
	class, err := f.classes.get(ctx, a.Course.ID, f.now())
	if err != nil {
		return err
	}
	p.ID, p.Code, p.Title, p.Archived = a.Course.ID.String(), a.Course.Code, a.Course.Title, !a.Course.ArchivedAt.IsZero()
	p.MayAppoint = a.May(AppointStaff)
	f.sortPeople(&p, class.members)
	waiting, err := f.WaitingList(ctx, a.Course.ID)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		p.Waiting = append(p.Waiting, templates.Applicant{
			UserID: w.User.String(), Name: w.DisplayName, Email: w.Email, Asked: w.AskedAt.In(f.cfg.Zone()),
		})
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// sortPeople puts members where the page shows them.
func (f *Courses) sortPeople(p *templates.CoursePeople, members []Member) {
	now := f.now()
	in := map[media.ID]bool{}
	for _, m := range slices.SortedStableFunc(slices.Values(members), byName) {
		if !m.Until.IsZero() && !m.Until.After(now) {
			continue
		}
		in[m.User] = true
		row := f.onPage(m)
		row.Fixed = m.Role.Staff() && !p.MayAppoint
		if m.Role.Staff() {
			p.Staff = append(p.Staff, row)
		} else {
			p.Students = append(p.Students, row)
		}
	}
	left := slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return in[m.User] || m.Until.IsZero() })
	slices.SortStableFunc(left, func(x, y Member) int { return y.Until.Compare(x.Until) })
	p.LeftMore = max(0, len(left)-maxLeft)
	for _, m := range left[:len(left)-p.LeftMore] {
		p.Left = append(p.Left, f.onPage(m))
	}
}

// onPage shows a member; days are those of the school.
func (f *Courses) onPage(m Member) templates.Enrolled {
	row := templates.Enrolled{
		UserID: m.User.String(), Name: m.DisplayName, Family: m.FamilyName, Given: m.GivenName, StudentID: m.StudentID, Email: m.Email,
		Group: m.Section, Role: string(m.Role), From: m.From.In(f.cfg.Zone()),
	}
	if !m.Until.IsZero() {
		row.Until = m.Until.Add(-time.Millisecond).In(f.cfg.Zone()) // the last day, and not the midnight after it
	}
	return row
}

// postAdd enrolls one person by address or number.
func (f *Courses) postAdd(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	p := templates.CoursePeople{
		Who: web.Field(c, "who"), Role: web.Field(c, "role"), Group: web.Field(c, "group"), From: web.Field(c, "from"), To: web.Field(c, "to"),
	}
	n := NewMember{Role: Role(p.Role), Section: p.Group}
	if n.From, n.Until, err = period(p.From, p.To, f.now(), f.cfg.Zone()); err != nil {
		p.Error = "enrollment.period"
		return f.showPeople(c, http.StatusBadRequest, a, p)
	}
	name, changed, err := f.EnrollBy(c.Request.Context(), NewImporter(a), a.Course.ID, p.Who, n)
	if wrong, ok := fault.Of(err); ok && wrong.Key != "" {
		p.Error = wrong.Key
		return f.showPeople(c, wrong.Kind.Status(), a, p)
	}
	if err != nil {
		return err
	}
	said := "people.added"
	if !changed {
		said = "people.was_in"
	}
	web.Flash(c, "good", said, map[string]any{"Name": name})
	return web.Redirect(c, peoplePath(a))
}

// period reads a first and a last day. An empty first one, and one that has begun, is now; the last one belongs to it, and
// an empty one is no end.
func period(first, last string, now time.Time, zone *time.Location) (from, until time.Time, err error) {
	if first != "" {
		if from, err = time.ParseInLocation(time.DateOnly, first, zone); err != nil {
			return from, until, err
		}
		if !from.After(now) {
			from = time.Time{}
		}
	}
	if last != "" {
		if until, err = time.ParseInLocation(time.DateOnly, last, zone); err == nil {
			until = until.AddDate(0, 0, 1)
		}
	}
	return from, until, err
}

func peoplePath(a Access) string { return "/courses/" + a.Course.ID.String() + "/people" }

// postPeople changes those who are ticked.
func (f *Courses) postPeople(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	users, err := ticked(c)
	if err != nil {
		return err
	}
	var change Change
	said := "people.changed"
	switch group := web.Field(c, "group"); web.Field(c, "do") {
	case "end":
		change.End, said = true, "people.ended"
	case "role":
		change.Role = Role(web.Field(c, "role"))
	case "group":
		change.Section = &group
	default:
		return fault.Invalid("").At("do")
	}
	if len(users) == 0 {
		web.Flash(c, "bad", "people.nobody_ticked", nil)
		return web.Redirect(c, peoplePath(a))
	}
	n, err := f.ChangeMembers(c.Request.Context(), NewImporter(a), a.Course.ID, users, change)
	if wrong, ok := fault.Of(err); ok && wrong.Key != "" && wrong.Kind != fault.KindForbidden {
		web.Flash(c, "bad", wrong.Key, wrong.Data)
		return web.Redirect(c, peoplePath(a))
	}
	if err != nil {
		return err
	}
	web.Flash(c, "good", said, map[string]any{"N": n})
	return f.backFrom(c, a)
}

// backFrom leads back to the list, or home for who has just left the course themselves.
func (f *Courses) backFrom(c *gin.Context, a Access) error {
	if _, err := f.Access(c.Request.Context(), a.Viewer, a.Course.ID); fault.Is(err, fault.KindNotFound) {
		return web.Redirect(c, "/courses")
	}
	return web.Redirect(c, peoplePath(a))
}

// ticked reads the people who are ticked in a form.
func ticked(c *gin.Context) (users []media.ID, err error) {
	if err := web.Form(c); err != nil {
		return nil, err
	}
	for _, text := range c.Request.PostForm["user"] {
		id, err := media.ParseID(text)
		if err != nil {
			return nil, fault.Invalid("").At("user").Because(err)
		}
		users = append(users, id)
	}
	return users, nil
}

// postWaiting lets people in, or turns them away.
func (f *Courses) postWaiting(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	users, err := ticked(c)
	if err != nil {
		return err
	}
	letIn, said := true, "join.approved"
	switch web.Field(c, "do") {
	case "approve":
	case "decline":
		letIn, said = false, "join.declined"
	default:
		return fault.Invalid("").At("do")
	}
	if len(users) == 0 {
		web.Flash(c, "bad", "people.nobody_ticked", nil)
		return web.Redirect(c, peoplePath(a))
	}
	n, err := f.Answer(c.Request.Context(), a.Viewer.ID, a.Course.ID, users, letIn)
	if err != nil {
		return err
	}
	web.Flash(c, "good", said, map[string]any{"N": n})
	return web.Redirect(c, peoplePath(a))
}
