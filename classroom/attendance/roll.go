package attendance

import (
	"context"
	"fmt"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/media"
)

// roll is what a register takes from the course and the school: who belongs to it, and the policy.
type roll struct {
	course  courses.Course
	policy  Policy
	version int64
	members []courses.Member // everybody who is or was in the course, by begin
	only    media.ID         // the one student that is asked about; 0: all
}

// users is what the queries of one student's register are narrowed to.
func (r roll) users() []media.ID {
	if r.only == 0 {
		return nil
	}
	return []media.ID{r.only}
}

// roll reads it before a transaction begins: courses keeps classes in memory.
func (a *Attendance) roll(ctx context.Context, course media.ID) (roll, error) {
	co, err := a.courses.Course(ctx, course)
	if err != nil {
		return roll{}, err
	}
	school := a.accounts.School()
	r := roll{course: co, version: school.PolicyVersion}
	if r.policy, err = ParsePolicy(school.Policy, co.Policy); err != nil {
		return roll{}, fmt.Errorf("course %s: %w", co.ID, err)
	}
	r.members, err = a.courses.MembersDuring(ctx, course, time.Time{}, a.now().AddDate(1, 0, 0))
	return r, err
}

// students returns who has a row in the register of a lesson: each student whose enrollment touches the time
// given, once. Whoever was staff in that time has none.
func (r roll) students(during Interval) []Student {
	from, until := during.From.Time(), during.To.Time()
	at := map[media.ID]int{}
	staff := map[media.ID]bool{}
	var all []Student
	for _, m := range r.members {
		if !m.Touches(from, until) {
			continue
		}
		if m.Role.Staff() {
			staff[m.User] = true
			continue
		}
		if i, twice := at[m.User]; twice {
			all[i] = student(m)
			continue
		}
		at[m.User] = len(all)
		all = append(all, student(m))
	}
	kept := all[:0]
	for _, s := range all {
		if !staff[s.ID] && (r.only == 0 || s.ID == r.only) {
			kept = append(kept, s)
		}
	}
	return kept
}

// people returns everybody by id.
func (r roll) people() map[media.ID]Student {
	all := make(map[media.ID]Student, len(r.members))
	for _, m := range r.members {
		all[m.User] = student(m)
	}
	return all
}

func student(m courses.Member) Student {
	return Student{
		ID: m.User, Number: m.StudentID, Family: m.FamilyName, Given: m.GivenName, Name: m.DisplayName,
		Email: m.Email, Section: m.Section,
	}
}
