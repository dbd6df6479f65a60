package courses

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Edit changes a course. Lessons keep the zone that they were planned in; new ones take the new. The teacher of n does
// not matter. Faults are those of Create.
func (f *Courses) Edit(ctx context.Context, actor, id media.ID, n NewCourse) error {
	r, err := f.newRow(n)
	if err != nil {
		return err
	}
	r.ID = id
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := updateCourse(ctx, tx, r)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("")
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: "course.edit", Object: audit.Object("course", id),
			Detail: map[string]any{"code": r.Code, "title": r.Title, "term": r.Term, "zone": r.Zone, "auto_live": r.AutoLive},
		})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return fault.Conflict("course.code_taken").At("code").Because(err)
	}
	if err != nil {
		return fmt.Errorf("edit course: %w", err)
	}
	f.changed(id, nil)
	return nil
}

// Archive puts a course away, or takes it out again: it is in nobody's lists, nobody comes in, nothing is planned in
// it and no stream finds a lesson of it; its registers and recordings stay for those who were in it.
func (f *Courses) Archive(ctx context.Context, actor, id media.ID, away bool) error {
	action, at := "course.unarchive", database.Instant(0)
	if away {
		action, at = "course.archive", database.At(f.now())
	}
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := setArchived(ctx, tx, id, at)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("")
		}
		return audit.Write(ctx, tx, audit.Line{At: f.now(), Actor: actor, Action: action, Object: audit.Object("course", id)})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	f.changed(id, nil)
	return nil
}

func updateCourse(ctx context.Context, tx *gorm.DB, r courseRow) (int, error) {
	return gorm.G[courseRow](tx).Where("id = ?", r.ID).Set(
		clause.Assignment{Column: clause.Column{Name: "code"}, Value: r.Code},
		clause.Assignment{Column: clause.Column{Name: "title"}, Value: r.Title},
		clause.Assignment{Column: clause.Column{Name: "term"}, Value: r.Term},
		clause.Assignment{Column: clause.Column{Name: "zone"}, Value: r.Zone},
		clause.Assignment{Column: clause.Column{Name: "auto_live"}, Value: r.AutoLive},
	).Update(ctx)
}

func setArchived(ctx context.Context, tx *gorm.DB, id media.ID, at database.Instant) (int, error) {
	return gorm.G[courseRow](tx).Where("id = ?", id).Update(ctx, "archived_at", at)
}

// checkZone refuses what is no zone of the world: an IANA name begins with a capital letter, while the files beside
// them (localtime, right/…) do not. "Local" and "Factory" would mean another zone on every machine.
func checkZone(zone string) error {
	bad := zone == "" || zone[0] < 'A' || zone[0] > 'Z' || zone == "Local" || zone == "Factory"
	if _, err := time.LoadLocation(zone); err != nil || bad {
		return fault.Invalid("field.zone").At("zone").Because(err)
	}
	return nil
}

// Change is what happens to several members at once.
type Change struct {
	Role    Role    // empty: stays
	Section *string // nil: stays
	End     bool    // they leave
}

// ChangeMembers changes the enrollments of users that run or are to begin, or none of them, and returns how many changed. Who is not in
// the course is left out. may says whether the actor appoints staff: else staff stays as it is.
func (f *Courses) ChangeMembers(ctx context.Context, actor Importer, course media.ID, users []media.ID, c Change) (changed int, err error) {
	if c.Role != "" && !c.Role.Valid() {
		return 0, fault.Invalid("enrollment.role").At("role")
	}
	members, err := f.lasting(ctx, course)
	if err != nil {
		return 0, err
	}
	wanted := map[media.ID]bool{}
	for _, id := range users {
		wanted[id] = true
	}
	var list []NewMember
	var leaving []media.ID
	for _, m := range members {
		if !wanted[m.User] {
			continue
		}
		if (m.Role.Staff() || c.Role.Staff()) && !actor.Appoints {
			return 0, fault.Forbidden("roster.role_right")
		}
		if !slices.Contains(leaving, m.User) {
			leaving = append(leaving, m.User)
		}
		n := NewMember{User: m.User, Role: m.Role, Section: m.Section, Until: m.Until}
		if m.From.After(f.now()) {
			n.From = m.From
		}
		if c.Role != "" {
			n.Role = c.Role
		}
		if c.Section != nil {
			n.Section = *c.Section
		}
		list = append(list, n)
	}
	if len(list) == 0 {
		return 0, nil
	}
	if c.End {
		return len(leaving), f.leaveAll(ctx, actor.ID, course, leaving)
	}
	return f.EnrollAll(ctx, actor.ID, course, list)
}

func (f *Courses) leaveAll(ctx context.Context, actor, course media.ID, users []media.ID) error {
	if len(users) == 1 {
		return f.Leave(ctx, actor, course, users[0])
	}
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := endEnrollments(ctx, tx, course, users, database.At(f.now()), func(int) {}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: actor, Action: "enrollment.end", Object: audit.Object("course", course), Detail: map[string]any{"users": users},
		})
	})
	if err != nil {
		return fmt.Errorf("end enrollments: %w", err)
	}
	f.changed(course, users)
	return nil
}

// EnrollBy enrolls the one person whom a typed address or number belongs to, as n says, and returns who it is. A fault
// says who cannot be found this way, or not with certainty.
func (f *Courses) EnrollBy(ctx context.Context, actor Importer, course media.ID, who string, n NewMember) (name string, changed bool, err error) {
	who, err = web.Line("who", who, 254)
	if err != nil {
		return "", false, err
	}
	u, err := f.find(ctx, who)
	if err != nil {
		return "", false, err
	}
	members, err := f.lasting(ctx, course)
	if err != nil {
		return "", false, err
	}
	staff, in := n.Role.Staff(), false
	for _, m := range members {
		if m.User == u.ID {
			staff, in = staff || m.Role.Staff(), true
		}
	}
	signedUp, err := signUpsOf(ctx, f.db.Reader(), []media.ID{u.ID})
	if err != nil {
		return "", false, err
	}
	if letIn, self := signedUp[u.ID]; self && !in && (!letIn || n.Role.Staff()) {
		return "", false, fault.Conflict("roster.unchecked").At("who")
	}
	if staff && !actor.Appoints {
		return "", false, fault.Forbidden("roster.role_right").At("role")
	}
	n.User = u.ID
	changes, err := f.EnrollAll(ctx, actor.ID, course, []NewMember{n})
	return u.DisplayName, changes > 0, err
}
