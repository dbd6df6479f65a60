package attendance

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// correctForm takes the form of the register page: students that were ticked, and what to do with them.
func (a *Attendance) correctForm(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	page := "/lessons/" + l.ID.String() + "/register"
	ch, err := changeOf(c)
	if err == nil {
		err = a.Correct(c.Request.Context(), access.Viewer.ID, l, ch)
	}
	if f, ok := fault.Of(err); ok && (f.Kind == fault.KindInvalid || f.Kind == fault.KindConflict) && f.Key != "" {
		web.Flash(c, "bad", f.Key, f.Data)
		return web.Redirect(c, page)
	}
	if err != nil {
		return err
	}
	key := "register.corrected_done"
	if ch.Status == "" {
		key = "register.undone"
	}
	web.Flash(c, "good", key, map[string]any{"N": len(ch.Students)})
	if ch.Status != "" {
		page += "?done=" + strconv.FormatInt(int64(database.At(a.now())), 10)
	}
	return web.Redirect(c, page)
}

// changeOf reads the form. The button says whether it sets a status or undoes what somebody set; an undo beside a
// row names its one student.
func changeOf(c *gin.Context) (Change, error) {
	ch := Change{Status: Status(web.Field(c, "status")), Reason: web.Field(c, "reason"), Note: web.Field(c, "note")}
	ticked := c.Request.PostForm["student"]
	one := web.Field(c, "undo")
	if one != "" || web.Field(c, "do") == "undo" {
		ch = Change{}
	} else if ch.Status == "" {
		return ch, fault.Invalid("correction.status").At("status")
	}
	if one != "" {
		ticked = []string{one}
	}
	for _, text := range ticked {
		id, err := media.ParseID(text)
		if err != nil {
			return ch, fault.Invalid("correction.no_row").At("student").Because(err)
		}
		ch.Students = append(ch.Students, id)
	}
	slices.Sort(ch.Students)
	ch.Students = slices.Compact(ch.Students)
	if text := web.Field(c, "minutes"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return ch, fault.Invalid("correction.minutes").At("minutes").With("Max", maxMinutes).Because(err)
		}
		ch.Minutes = &n
	}
	return ch, nil
}

// editable fills what the page needs for corrections: what may be chosen, and whom the reader corrected just now
// (at the instant that the address carries), so that one press takes it back.
func (r *Register) editable(p *templates.Register, viewer media.ID, done string) {
	if !r.Closed() || !r.Held() {
		return
	}
	p.Editable = true
	for _, s := range correctable[1:] {
		p.Choices = append(p.Choices, string(s))
	}
	p.Reasons = Reasons
	at, err := strconv.ParseInt(done, 10, 64)
	if err != nil {
		return
	}
	for _, row := range r.Rows {
		if k := row.Correction; k != nil && k.By == viewer && int64(k.At) == at {
			p.Done = append(p.Done, row.ID.String())
		}
	}
}

// awaited are the students of a lesson on air whose page has not been heard of lately, by name.
func (a *Attendance) awaited(ctx context.Context, l lessons.Lesson, r *Register) ([]templates.Person, error) {
	if s := l.StateAt(a.now()); s != lessons.Live && s != lessons.Interrupted {
		return nil, nil
	}
	here, err := a.Here(ctx, l.ID)
	if err != nil {
		return nil, fmt.Errorf("who is in %s: %w", l.ID, err)
	}
	var missing []templates.Person
	for _, row := range r.Rows {
		if !slices.Contains(here, row.ID) {
			missing = append(missing, templates.Person{ID: row.ID.String(), Name: row.Name, StudentID: row.Number, Group: row.Section})
		}
	}
	return missing, nil
}
