package courses

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// Config is what New needs.
type Config struct {
	DB *database.DB
	// Cards returns the lessons of a course as the viewer's page shows them: coming ones by start, past ones
	// latest first. Nil means none.
	Cards func(ctx context.Context, a Access) (coming, past []templates.Lesson, err error)
	// Accounts makes the accounts of those who come with a class code. Nil: no code works.
	Accounts *accounts.Accounts
	// BaseURL is how browsers reach the school, for the addresses on paper. Empty: as the browser that asks does.
	BaseURL string
	// Zone is what a new course has when none is given. Nil means UTC.
	Zone func() *time.Location
	// OnlyAdminsCreate keeps teachers from creating courses. Otherwise whoever is a teacher of some course may.
	OnlyAdminsCreate bool
	Log              *slog.Logger     // nil means slog.Default
	Now              func() time.Time // nil means time.Now
}

// Courses is the feature.
type Courses struct {
	cfg      Config
	db       *database.DB
	now      func() time.Time
	classes  classes
	places   database.Memory[media.ID, []Place]
	refusals *audit.Refusals
	rosters  rosters
	onEnd    []func(course, user media.ID) // set while the program is wired
}

// New returns the feature.
func New(cfg Config) *Courses {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Zone == nil {
		cfg.Zone = func() *time.Location { return time.UTC }
	}
	return &Courses{
		cfg: cfg, db: cfg.DB, now: cfg.Now,
		classes:  classes{db: cfg.DB, known: map[media.ID]*class{}},
		refusals: audit.NewRefusals(cfg.DB, cfg.Log, cfg.Now),
		rosters:  newRosters(),
	}
}

// OnEnd registers a function that is told when somebody's enrollment ends. It must not block. Call before serving.
func (f *Courses) OnEnd(tell func(course, user media.ID)) { f.onEnd = append(f.onEnd, tell) }

// Access returns who a viewer is in a course, now. It is a NotFound fault when there is no such course and when
// the viewer, not an admin, is not in it: who is outside cannot tell the two apart. The audit log can: the second is
// an attempt on what is others'.
func (f *Courses) Access(ctx context.Context, v *web.Viewer, course media.ID) (Access, error) {
	now := f.now()
	c, err := f.classes.get(ctx, course, now)
	if errors.Is(err, database.ErrNotFound) {
		return Access{}, fault.NotFound("").Because(err)
	}
	if err != nil {
		return Access{}, err
	}
	a := Access{Course: c.course, Viewer: v}
	m, in := c.at(v.ID, now)
	if in {
		a.Role, a.Member = m.Role, m
	} else if !v.Admin {
		f.noteDenied(ctx, v, course, See)
		return Access{}, fault.NotFound("")
	}
	return a, nil
}

// Check is Access and one permission; a refusal of either leaves its line in the audit log.
func (f *Courses) Check(ctx context.Context, v *web.Viewer, course media.ID, p Permission) (Access, error) {
	a, err := f.Access(ctx, v, course)
	if err != nil {
		return a, err
	}
	if err = a.Check(p); fault.Is(err, fault.KindForbidden) {
		f.noteDenied(ctx, v, course, p)
	}
	return a, err
}

func (f *Courses) noteDenied(ctx context.Context, v *web.Viewer, course media.ID, p Permission) {
	f.refusals.Note(ctx, audit.Line{
		Actor: v.ID, Action: "access.denied", Object: audit.Object("course", course), Detail: map[string]any{"permission": p},
	})
}

// Course returns a course for the program's own work. Handlers use Access.
func (f *Courses) Course(ctx context.Context, id media.ID) (Course, error) {
	c, err := f.classes.get(ctx, id, f.now())
	if err != nil {
		return Course{}, err
	}
	return c.course, nil
}

// Members returns everybody who is in a course now, in the order of their enrollment.
func (f *Courses) Members(ctx context.Context, course media.ID) ([]Member, error) {
	now := f.now()
	return f.MembersDuring(ctx, course, now, now.Add(1))
}

// MembersDuring returns the enrollments that cover any instant of [from, until), in the order of their begin: a
// person who left and came back, or changed role, is there more than once.
func (f *Courses) MembersDuring(ctx context.Context, course media.ID, from, until time.Time) ([]Member, error) {
	c, err := f.classes.get(ctx, course, f.now())
	if err != nil {
		return nil, err
	}
	var in []Member
	for _, m := range c.members {
		if m.Touches(from, until) {
			in = append(in, m)
		}
	}
	return in, nil
}

// lasting returns who is in a course or will be: the enrollments that run now and those that are yet to begin.
func (f *Courses) lasting(ctx context.Context, course media.ID) ([]Member, error) {
	now := f.now()
	c, err := f.classes.get(ctx, course, now)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(c.members), func(m Member) bool { return !m.Until.IsZero() && !m.Until.After(now) }), nil
}

// Place is a course and what somebody is in it.
type Place struct {
	Course Course
	Role   Role
}

// Places returns the courses a person is in now, by term and code, without those that are archived; while the database
// is away, those they were in lately.
func (f *Courses) Places(ctx context.Context, user media.ID) ([]Place, error) {
	places, err := f.AllPlaces(ctx, user)
	return slices.DeleteFunc(slices.Clone(places), func(p Place) bool { return !p.Course.ArchivedAt.IsZero() }), err
}

// AllPlaces is Places with the archived ones.
func (f *Courses) AllPlaces(ctx context.Context, user media.ID) ([]Place, error) {
	places, err := f.readPlaces(ctx, user)
	return f.places.Or(user, f.now(), places, err)
}

func (f *Courses) readPlaces(ctx context.Context, user media.ID) ([]Place, error) {
	rows, err := placesOf(ctx, f.db.Reader(), user, database.At(f.now()))
	if err != nil {
		return nil, fmt.Errorf("read courses of a person: %w", err)
	}
	places := make([]Place, len(rows))
	for i, r := range rows {
		places[i].Role = r.Role
		if places[i].Course, err = r.Course.course(); err != nil {
			return nil, fmt.Errorf("read courses of a person: %w", err)
		}
	}
	return places, nil
}

// Teaching returns the courses in which a person is teacher or assistant now.
func (f *Courses) Teaching(ctx context.Context, user media.ID) ([]media.ID, error) {
	places, err := f.Places(ctx, user)
	if err != nil {
		return nil, err
	}
	var ids []media.ID
	for _, p := range places {
		if p.Role.Staff() {
			ids = append(ids, p.Course.ID)
		}
	}
	return ids, nil
}

// Involved returns whether a person teaches and whether they study somewhere. It is what web.Config asks for.
func (f *Courses) Involved(ctx context.Context, v *web.Viewer) (teaches, studies bool, err error) {
	places, err := f.Places(ctx, v.ID)
	for _, p := range places {
		teaches = teaches || p.Role.Staff()
		studies = studies || p.Role == Student
	}
	return teaches, studies, err
}

// MayPublish says whether a person may hold stream keys. It is what accounts.Config asks for.
func (f *Courses) MayPublish(ctx context.Context, v *web.Viewer) (bool, error) {
	if v.Admin {
		return true, nil
	}
	teaches, _, err := f.Involved(ctx, v)
	return teaches, err
}

// All returns every course, for admins and the program's own work.
func (f *Courses) All(ctx context.Context) ([]Course, error) {
	rows, err := allCourses(ctx, f.db.Reader())
	if err != nil {
		return nil, fmt.Errorf("read courses: %w", err)
	}
	return toCourses(rows)
}

func toCourses(rows []courseRow) (list []Course, err error) {
	list = make([]Course, len(rows))
	for i, r := range rows {
		if list[i], err = r.course(); err != nil {
			return nil, fmt.Errorf("read courses: %w", err)
		}
	}
	return list, nil
}

// NewCourse is a course to be created.
type NewCourse struct {
	Code, Title, Term string
	Zone              string // IANA; empty: the school's
	AutoLive          bool
	Teacher           media.ID // 0 for none yet
}

// Create makes a course and enrolls its teacher. actor is who does it, 0 for the program itself; who may is the
// caller's question. Faults name the field; a code that the term has already is a Conflict.
func (f *Courses) Create(ctx context.Context, actor media.ID, n NewCourse) (Course, error) {
	r, err := f.newRow(n)
	if err != nil {
		return Course{}, err
	}
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertCourse(ctx, tx, r); err != nil {
			return err
		}
		if n.Teacher != 0 {
			first := enrollmentRow{ID: media.NewID(), CourseID: r.ID, UserID: n.Teacher, Role: Teacher, FromAt: r.CreatedAt}
			if err := insertEnrollments(ctx, tx, []enrollmentRow{first}); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: "course.create", Object: audit.Object("course", r.ID),
			Detail: map[string]any{"code": r.Code, "title": r.Title, "term": r.Term},
		})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return Course{}, fault.Conflict("course.code_taken").At("code").Because(err)
	}
	if err != nil {
		return Course{}, fmt.Errorf("create course: %w", err)
	}
	return r.course()
}

func (f *Courses) newRow(n NewCourse) (r courseRow, err error) {
	r = courseRow{ID: media.NewID(), Zone: n.Zone, Policy: "{}", AutoLive: n.AutoLive, CreatedAt: database.At(f.now())}
	if r.Title, err = web.Line("title", n.Title, 120); err != nil {
		return r, err
	}
	if r.Code, err = web.Line("code", n.Code, 30); err != nil {
		return r, err
	}
	if r.Term, err = web.OptionalLine("term", n.Term, 40); err != nil {
		return r, err
	}
	if r.Zone == "" {
		r.Zone = f.cfg.Zone().String()
	}
	return r, checkZone(r.Zone)
}

// NewMember is a person to be enrolled.
type NewMember struct {
	User    media.ID
	Role    Role
	Section string
	From    time.Time // zero: now
	Until   time.Time // zero: until somebody ends it
}

// check returns n with its texts as they are kept, or a fault.
func (n NewMember) check(now time.Time) (_ NewMember, err error) {
	if !n.Role.Valid() {
		return n, fault.Invalid("enrollment.role").At("role")
	}
	if !n.Until.IsZero() && (!n.Until.After(now) || !n.Until.After(n.From)) {
		return n, fault.Invalid("enrollment.period").At("until")
	}
	n.Section, err = web.OptionalLine("section", n.Section, 40)
	return n, err
}

// EnrollAll enrolls all people of list, or none. Who is in the course as the same already stays as
// they are; an enrollment with another role, section or end stops where the new one begins, and what was to begin later
// does not. changed counts the others. actor is who does it, 0 for the program itself.
func (f *Courses) EnrollAll(ctx context.Context, actor, course media.ID, list []NewMember) (changed int, err error) {
	list = slices.Clone(list)
	for i := range list {
		if list[i], err = list[i].check(f.now()); err != nil {
			return 0, err
		}
	}
	var ended []media.ID
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		rows, left, err := f.plan(ctx, tx, course, list)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := insertEnrollments(ctx, tx, rows); err != nil {
			return err
		}
		changed, ended = len(rows), left
		return f.auditEnrollments(ctx, tx, actor, course, rows)
	})
	if errors.Is(err, database.ErrDuplicate) {
		return 0, fault.Conflict("").Because(err) // somebody enrolled them at the same moment
	}
	if errors.Is(err, database.ErrReference) {
		return 0, fault.NotFound("").Because(err)
	}
	if err != nil {
		return 0, fmt.Errorf("enroll: %w", err)
	}
	f.changed(course, ended)
	return changed, nil
}

// plan ends the enrollments that are replaced and returns those that begin, and who is no longer now what they were.
func (f *Courses) plan(ctx context.Context, tx *gorm.DB, course media.ID, list []NewMember) (rows []enrollmentRow, replaced []media.ID, err error) {
	if err := f.checkPeople(ctx, tx, list); err != nil {
		return nil, nil, err
	}
	now := database.At(f.now())
	members, err := membersOf(ctx, tx, course)
	if err != nil {
		return nil, nil, err
	}
	has := map[media.ID][]enrollmentRow{}
	for _, m := range members {
		if e := m.Enrollment; e.lasts(now) {
			has[e.UserID] = append(has[e.UserID], e)
		}
	}
	for _, n := range list {
		row := enrollmentRow{
			ID: media.NewID(), CourseID: course, UserID: n.User, Role: n.Role, Section: n.Section, FromAt: now, UntilAt: database.At(n.Until),
		}
		if !n.From.IsZero() {
			row.FromAt = database.At(n.From)
		}
		if slices.ContainsFunc(has[n.User], row.within) {
			continue
		}
		if len(has[n.User]) > 0 {
			at := max(now, row.FromAt)
			if _, err := endEnrollment(ctx, tx, course, n.User, at); err != nil {
				return nil, nil, err
			}
			if at == now {
				replaced = append(replaced, n.User)
			}
		}
		rows = append(rows, row)
		has[n.User] = []enrollmentRow{row}
	}
	return rows, replaced, nil
}

// within reports whether another enrollment says all that r does: they are that already, and as long.
func (r enrollmentRow) within(other enrollmentRow) bool {
	return other.Role == r.Role && other.Section == r.Section && other.FromAt <= r.FromAt && other.UntilAt == r.UntilAt
}

// checkPeople is a fault when somebody of list is nobody.
func (f *Courses) checkPeople(ctx context.Context, tx *gorm.DB, list []NewMember) error {
	ids := map[media.ID]bool{}
	for _, n := range list {
		ids[n.User] = true
	}
	for part := range slices.Chunk(keys(ids), 500) {
		found, err := usersByID(ctx, tx, part)
		if err != nil {
			return err
		}
		if len(found) != len(part) {
			return fault.Invalid("enrollment.nobody").At("user_id")
		}
	}
	return nil
}

func keys(m map[media.ID]bool) []media.ID {
	var all []media.ID
	for k := range m {
		all = append(all, k)
	}
	return all
}

func (f *Courses) auditEnrollments(ctx context.Context, tx *gorm.DB, actor, course media.ID, rows []enrollmentRow) error {
	detail := map[string]any{"count": len(rows)}
	if len(rows) == 1 {
		detail = map[string]any{"user": rows[0].UserID, "role": rows[0].Role}
		if rows[0].UntilAt != 0 {
			detail["until"] = rows[0].UntilAt.Time()
		}
	}
	return audit.Write(ctx, tx, audit.Line{At: f.now(), Actor: actor, Action: "enrollment.begin", Object: audit.Object("course", course), Detail: detail})
}

// Leave ends a person's enrollment now. It is a NotFound fault when none runs or is to begin.
func (f *Courses) Leave(ctx context.Context, actor, course, user media.ID) error {
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := endEnrollment(ctx, tx, course, user, database.At(f.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("")
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: "enrollment.end", Object: audit.Object("course", course),
			Detail: map[string]any{"user": user},
		})
	})
	if err != nil {
		return fmt.Errorf("end enrollment: %w", err)
	}
	f.changed(course, []media.ID{user})
	return nil
}

// changed makes this node see a change at once.
func (f *Courses) changed(course media.ID, left []media.ID) {
	f.classes.drop(course)
	f.places.Forget()
	for _, user := range left {
		for _, tell := range f.onEnd {
			tell(course, user)
		}
	}
}

// mayCreate reports whether a viewer may create courses.
func (f *Courses) mayCreate(ctx context.Context, v *web.Viewer) (bool, error) {
	if v.Admin {
		return true, nil
	}
	if f.cfg.OnlyAdminsCreate {
		return false, nil
	}
	places, err := f.Places(ctx, v.ID)
	return slices.ContainsFunc(places, func(p Place) bool { return p.Role == Teacher }), err
}

// byName is the order of people on a page: family name, given name, and for those without, what they are called.
func byName(a, b Member) int {
	return strings.Compare(sortName(a), sortName(b))
}

func sortName(m Member) string {
	if m.FamilyName == "" {
		return strings.ToLower(m.DisplayName)
	}
	return strings.ToLower(m.FamilyName + " " + m.GivenName)
}
