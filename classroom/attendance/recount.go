package attendance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// recountPage shows what counting a closed register again would change, before anybody does it.
func (a *Attendance) recountPage(c *gin.Context) error {
	l, _, err := a.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return err
	}
	zone := web.Now(c).Location()
	then, now, err := a.recount(c.Request.Context(), l)
	if err != nil {
		return err
	}
	p := templates.Recount{
		Lesson: then.lessonPage(zone), Version: then.Version, ClosedAt: timeIn(then.ClosedAt, zone),
		Then: then.Policy.Page(), Today: now.Policy.Page(), SamePolicy: then.Policy == now.Policy, Students: len(now.Rows),
		Rows: differing(then, now),
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// recount returns the register as it is frozen, and as it would be counted today. Neither has corrections.
func (a *Attendance) recount(ctx context.Context, l lessons.Lesson) (then, now *Register, err error) {
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return nil, nil, err
	}
	err = a.db.Snapshot(ctx, func(tx *gorm.DB) error {
		row, err := latestRegister(ctx, tx, l.ID)
		if errors.Is(err, database.ErrNotFound) {
			return fault.Conflict("register.not_closed")
		}
		if err != nil {
			return err
		}
		if then, err = thaw(ctx, tx, l, roll, row); err != nil {
			return err
		}
		now, _, err = count(ctx, tx, l, roll, a.now())
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("count register of %s again: %w", l.ID, err)
	}
	return then, now, nil
}

// differing are the students whose status or counted time would be another.
func differing(then, now *Register) []templates.RecountRow {
	before := map[media.ID]*Row{}
	for i := range then.Rows {
		before[then.Rows[i].ID] = &then.Rows[i]
	}
	slices.SortFunc(now.Rows, byName)
	var rows []templates.RecountRow
	for i := range now.Rows {
		r := &now.Rows[i]
		line := templates.RecountRow{Name: r.Name, StudentID: r.Number, After: string(r.Lift(r.Live)), CountedAfter: r.Attending}
		if old := before[r.ID]; old != nil {
			line.Before, line.CountedBefore = string(old.Lift(old.Live)), old.Attending
		}
		if line.Before != line.After || line.CountedBefore != line.CountedAfter {
			rows = append(rows, line)
		}
	}
	return rows
}

func (a *Attendance) recountForm(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return err
	}
	if err := a.Recompute(c.Request.Context(), access.Viewer.ID, l.ID); err != nil {
		return err
	}
	web.Flash(c, "good", "recount.done", nil)
	return web.Redirect(c, "/lessons/"+l.ID.String()+"/register")
}
