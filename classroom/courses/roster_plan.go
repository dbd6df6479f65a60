package courses

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxSection bounds the name of a group, and maxShown that of a person, in characters.
const (
	maxSection = 40
	maxShown   = 100
)

// rosterPlan compares a file with the school and says what is to be done.
type rosterPlan struct {
	in      RosterImport
	now     time.Time
	report  *RosterReport
	entries []rosterEntry

	made    []accounts.User
	renamed []accounts.User
	leaving []media.ID // whose running enrollment ends; some begin anew
	begin   []rosterEntry
}

// rosterEntry is a line that can be read.
type rosterEntry struct {
	line    int
	says    accounts.User // what the file says of the person; empty fields say nothing
	named   bool          // the file has the whole name in one column
	role    Role          // empty: says nothing
	section string        // likewise
}

// read checks each line by itself.
func (p *rosterPlan) read() {
	first := map[string]int{} // number or address to its line
	for _, l := range p.in.File.Lines {
		e, wrong := readEntry(l, p.now)
		if wrong == nil {
			wrong = twice(first, e)
		}
		if wrong != nil {
			p.report.Mistakes.Add(l.N, wrong)
			continue
		}
		p.entries = append(p.entries, e)
	}
}

func readEntry(l roster.Line, now time.Time) (e rosterEntry, wrong *fault.Fault) {
	e = rosterEntry{line: l.N, named: l.Name != ""}
	var err error
	e.says, err = accounts.NewUser{
		Email: l.Email, DisplayName: l.Name, GivenName: l.GivenName, FamilyName: l.FamilyName, StudentID: l.StudentID,
	}.Check(now)
	if err == nil {
		e.section, err = web.OptionalLine("group", l.Group, maxSection)
	}
	if wrong, ok := fault.Of(err); ok {
		return e, wrong
	}
	switch role := roster.RoleOf(l.Role); {
	case role == "admin":
		return e, fault.Invalid("roster.role_admin").At("role")
	case l.Role != "" && role == "":
		return e, fault.Invalid("enrollment.role").At("role")
	default:
		e.role = Role(role)
	}
	if e.says.Email == "" && e.says.StudentID == "" {
		return e, fault.Invalid("roster.no_key")
	}
	return e, nil
}

// twice is a fault when another line has the number or the address already. Neither can hold the sign between the
// kind and the value.
func twice(first map[string]int, e rosterEntry) *fault.Fault {
	keys := []string{"number\x00" + e.says.StudentID, "email\x00" + e.says.Email}
	for i, key := range keys {
		if n, ok := first[key]; ok && !strings.HasSuffix(key, "\x00") {
			return fault.Invalid("roster.twice").At([]string{"student_id", "email"}[i]).With("First", n)
		}
	}
	for _, key := range keys {
		first[key] = e.line
	}
	return nil
}

// directory is who the numbers and addresses of a file belong to.
type directory struct {
	byNumber, byEmail map[string]*accounts.User
	signedUp          map[media.ID]bool // made their account themselves; true: and were let in somewhere
	running           map[media.ID]memberRow
}

// compare holds the file against the school. It fills the report and the plan.
func (p *rosterPlan) compare(ctx context.Context, q *gorm.DB) error {
	known, err := p.lookUp(ctx, q)
	if err != nil {
		return err
	}
	named := map[media.ID]int{} // to the line
	for _, e := range p.entries {
		u, wrong := known.match(e)
		if wrong == nil && u != nil {
			if n, ok := named[u.ID]; ok {
				wrong = fault.Invalid("roster.twice").With("First", n)
			}
			named[u.ID] = e.line
		}
		if wrong == nil {
			wrong = p.place(e, u, known)
		}
		if wrong != nil {
			p.report.Mistakes.Add(e.line, wrong)
		}
	}
	slices.SortStableFunc(p.report.Mistakes.List, func(a, b roster.Mistake) int { return cmp.Compare(a.Line, b.Line) })
	p.findMissing(known.running, named)
	return nil
}

func (p *rosterPlan) lookUp(ctx context.Context, q *gorm.DB) (directory, error) {
	k := directory{byNumber: map[string]*accounts.User{}, byEmail: map[string]*accounts.User{}, running: map[media.ID]memberRow{}}
	var numbers, emails []string
	for _, e := range p.entries {
		if e.says.StudentID != "" {
			numbers = append(numbers, e.says.StudentID)
		}
		if e.says.Email != "" {
			emails = append(emails, e.says.Email)
		}
	}
	users, err := accounts.FindPeople(ctx, q, numbers, emails)
	if err != nil {
		return k, err
	}
	var ids []media.ID
	for i := range users {
		u := &users[i]
		k.byNumber[u.StudentID], k.byEmail[u.Email] = u, u
		ids = append(ids, u.ID)
	}
	delete(k.byNumber, "")
	delete(k.byEmail, "")
	if k.signedUp, err = signUpsOf(ctx, q, ids); err != nil {
		return k, err
	}
	members, err := membersOf(ctx, q, p.in.Course)
	for _, m := range members {
		if _, has := k.running[m.Enrollment.UserID]; !has && m.Enrollment.lasts(database.At(p.now)) {
			k.running[m.Enrollment.UserID] = m // what runs; else what begins first
		}
	}
	return k, err
}

// match returns whom a line means, nil for somebody new. By the number first, then by the address; when the two do not
// agree it is a mistake and no guess.
func (k directory) match(e rosterEntry) (*accounts.User, *fault.Fault) {
	byNumber, byEmail := k.byNumber[e.says.StudentID], k.byEmail[e.says.Email]
	u := cmp.Or(byNumber, byEmail)
	switch {
	case u == nil:
		if e.says.DisplayName == "" {
			return nil, fault.Invalid("roster.nameless")
		}
		return nil, nil
	case byNumber != nil && byEmail != nil && byNumber.ID != byEmail.ID:
		return nil, fault.Conflict("roster.two_people")
	case e.says.Email != "" && u.Email != "" && e.says.Email != u.Email:
		return nil, fault.Conflict("roster.other_email").At("email")
	case e.says.StudentID != "" && u.StudentID != "" && e.says.StudentID != u.StudentID:
		return nil, fault.Conflict("roster.other_number").At("student_id")
	case !u.DisabledAt.IsZero():
		return nil, fault.Conflict("roster.disabled")
	}
	if letIn, self := k.signedUp[u.ID]; self && byNumber == nil && (!letIn || e.role.Staff()) {
		return nil, fault.Conflict("roster.unchecked").At("email")
	}
	return u, nil
}

// place decides what happens with one line. u is nil for somebody new.
func (p *rosterPlan) place(e rosterEntry, u *accounts.User, known directory) *fault.Fault {
	var now memberRow
	change := rowNew
	if u == nil {
		made := e.says
		u = &made
		p.made = append(p.made, made)
		p.report.Made++
	} else {
		renamed, wrong := p.rename(e, u)
		if wrong != nil {
			return wrong
		}
		if m, in := known.running[u.ID]; in {
			now, change = m, rowUnchanged
			if renamed {
				change = rowChanged
			}
		}
	}
	old := now.Enrollment
	role, section := cmp.Or(e.role, old.Role, Student), cmp.Or(e.section, old.Section)
	if role != old.Role || section != old.Section {
		if (role.Staff() || old.Role.Staff()) && !p.in.By.Appoints {
			return fault.Forbidden("roster.role_right").At("role")
		}
		if change != rowNew {
			change = rowChanged
			p.leaving = append(p.leaving, u.ID)
		}
		p.begin = append(p.begin, rosterEntry{says: *u, role: role, section: section})
	}
	p.note(change, e.line, u, role, section)
	return nil
}

// rename decides what a line changes about a person who is known. Only an admin's file changes it: a teacher could
// otherwise put their own address to anybody's account.
func (p *rosterPlan) rename(e rosterEntry, u *accounts.User) (renamed bool, wrong *fault.Fault) {
	next := *u
	next.GivenName, next.FamilyName = cmp.Or(e.says.GivenName, u.GivenName), cmp.Or(e.says.FamilyName, u.FamilyName)
	next.StudentID, next.Email = cmp.Or(e.says.StudentID, u.StudentID), cmp.Or(e.says.Email, u.Email)
	switch {
	case e.named:
		next.DisplayName = e.says.DisplayName
	case u.DisplayName == accounts.FullName(u.GivenName, u.FamilyName): // else they are called as they wish
		next.DisplayName = accounts.FullName(next.GivenName, next.FamilyName)
	}
	if next == *u {
		return false, nil
	}
	if utf8.RuneCountInString(next.DisplayName) > maxShown {
		return false, fault.Invalid("field.too_long").At("name")
	}
	if !p.in.By.Admin {
		p.report.Kept++
		return false, nil
	}
	*u = next
	p.renamed = append(p.renamed, next)
	return true, nil
}

func (p *rosterPlan) note(change string, line int, u *accounts.User, role Role, section string) {
	r := p.report
	switch change {
	case rowNew:
		r.New++
	case rowChanged:
		r.Changed++
	default:
		r.Unchanged++
	}
	r.Rows = append(r.Rows, RosterRow{
		Line: line, Change: change, Name: u.DisplayName, StudentID: u.StudentID, Email: u.Email, Role: role, Group: section,
	})
}

// findMissing lists the students of the course whom no line names.
func (p *rosterPlan) findMissing(running map[media.ID]memberRow, named map[media.ID]int) {
	for id, m := range running {
		if _, ok := named[id]; ok || m.Enrollment.Role != Student {
			continue
		}
		p.report.Gone = append(p.report.Gone, m.member())
	}
	slices.SortStableFunc(p.report.Gone, func(a, b Member) int { return cmp.Or(byName(a, b), cmp.Compare(a.User, b.User)) })
	p.report.Missing = len(p.report.Gone)
	if !p.in.EndMissing {
		return
	}
	p.report.Ended = p.report.Missing
	for _, m := range p.report.Gone {
		p.leaving = append(p.leaving, m.User)
	}
}

// begins returns the enrollments that begin.
func (p *rosterPlan) begins() []enrollmentRow {
	rows := make([]enrollmentRow, len(p.begin))
	for i, e := range p.begin {
		rows[i] = enrollmentRow{
			ID: media.NewID(), CourseID: p.in.Course, UserID: e.says.ID, Role: e.role, Section: e.section, FromAt: database.At(p.now),
		}
	}
	return rows
}
