package classroom

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// refusedFor is how long the studio speaks of an encoder that was turned away, or let in with a remark.
const refusedFor = time.Hour

// studio is the teacher's side of a lesson. An admin from outside looks on.
func (k *Classroom) studio(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.SeeStudio)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	p := templates.Studio{ReadOnly: !access.May(courses.Publish), Server: k.cfg.Server}
	if p.Lesson, err = k.card(ctx, row, access.Course, access.Role); err != nil {
		return err
	}
	if b, ok := k.Lessons.BroadcastFor(row.ID, access.Viewer.ID); ok {
		p.Publishing, p.Health = true, &b.Health
		p.OnAir = b.Live && b.Lesson == row.ID
		p.Rehearsal = b.Publisher == access.Viewer.ID && b.Lesson != row.ID
	}
	news, err := k.Lessons.News(ctx, row)
	if err != nil {
		return err
	}
	if news.InterruptedAt != nil {
		p.LostAt = news.InterruptedAt.In(p.Lesson.Start.Location())
	}
	if !p.ReadOnly && !p.OnAir {
		if p.Due, err = k.due(ctx, access.Viewer.ID, row.ID); err != nil {
			return err
		}
	}
	if !p.ReadOnly {
		if err := k.ownEncoders(ctx, access.Viewer.ID, &p); err != nil {
			return err
		}
	}
	if err := k.roster(ctx, row, &p); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// ownEncoders fills in the keys of a teacher and what became of their last encoder.
func (k *Classroom) ownEncoders(ctx context.Context, teacher media.ID, p *templates.Studio) error {
	zone := p.Lesson.Start.Location()
	keys, err := k.Accounts.Keys(ctx, teacher)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !key.RevokedAt.IsZero() {
			continue
		}
		row := templates.StreamKey{ID: key.ID, Name: key.Name, Created: key.CreatedAt.In(zone)}
		if !key.UsedAt.IsZero() {
			row.LastUsed = key.UsedAt.In(zone)
		}
		p.Keys = append(p.Keys, row)
	}
	p.Refused, err = k.refused(ctx, teacher, zone)
	return err
}

// roster fills in who belongs to the lesson and who is here.
func (k *Classroom) roster(ctx context.Context, row lessons.Lesson, p *templates.Studio) error {
	r, err := k.Attendance.Register(ctx, row)
	if err != nil {
		return err
	}
	ids, err := k.Attendance.Here(ctx, row.ID)
	if err != nil {
		return err
	}
	here := make(map[media.ID]bool, len(ids))
	for _, id := range ids {
		here[id] = true
	}
	for _, student := range r.Rows {
		person := templates.Person{ID: student.ID.String(), Name: student.Name, StudentID: student.Number, Group: student.Section}
		switch {
		case here[student.ID]:
			person.State = "here"
			p.InClass++
		case student.Here:
			person.State = "left"
		case row.LiveAt != 0:
			person.State = "absent"
		}
		p.People = append(p.People, person)
	}
	p.Enrolled = len(r.Rows)
	return nil
}

// An order is what staff tells a lesson to do. It answers with the state that the lesson is in then.
type order func(ctx context.Context, row lessons.Lesson, a courses.Access) (lessons.State, error)

func (k *Classroom) goLive(ctx context.Context, row lessons.Lesson, a courses.Access) (lessons.State, error) {
	return k.Lessons.GoLive(ctx, row.ID, a.Viewer.ID)
}

func (k *Classroom) end(ctx context.Context, row lessons.Lesson, a courses.Access) (lessons.State, error) {
	return k.Lessons.End(ctx, row.ID, a.Viewer.ID)
}

func (k *Classroom) extend(ctx context.Context, row lessons.Lesson, a courses.Access) (lessons.State, error) {
	_, err := k.Lessons.Extend(ctx, row.ID, a.Viewer.ID)
	return row.StateAt(k.now()), err
}

// takeOver ends the viewer's own broadcast, whichever device it comes from, so that another may begin.
func (k *Classroom) takeOver(_ context.Context, row lessons.Lesson, a courses.Access) (lessons.State, error) {
	if k.cfg.TakeOver != nil {
		k.cfg.TakeOver(a.Viewer.ID)
	}
	return row.StateAt(k.now()), nil
}

// carryOut gives an order to the lesson of the path.
func (k *Classroom) carryOut(c *gin.Context, do order) (lessons.State, error) {
	row, access, err := k.Attendance.Lesson(c, courses.Publish)
	if err != nil {
		return "", err
	}
	return do(c.Request.Context(), row, access)
}

// order answers a form of the studio: back to it, with what was wrong when something was.
func (k *Classroom) order(do order) web.Handler {
	return func(c *gin.Context) error {
		_, err := k.carryOut(c, do)
		if f, ok := fault.Of(err); ok && f.Kind == fault.KindConflict {
			web.Flash(c, "bad", f.Key, f.Data)
		} else if err != nil {
			return err
		}
		return web.Redirect(c, "/lessons/"+c.Param("id")+"/studio")
	}
}

func (k *Classroom) apiOrder(do order) web.Handler {
	return func(c *gin.Context) error {
		state, err := k.carryOut(c, do)
		if err != nil {
			return err
		}
		return web.JSON(c, http.StatusOK, gin.H{"state": state})
	}
}

// apiHealth is how the viewer's own broadcast arrives, or the one that the lesson's students see.
func (k *Classroom) apiHealth(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.SeeStudio)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, k.health(row.ID, access.Viewer.ID))
}

func (k *Classroom) health(lesson, viewer media.ID) templates.Health {
	if b, ok := k.Lessons.BroadcastFor(lesson, viewer); ok {
		return b.Health
	}
	return templates.Health{
		At: k.now().UTC(), Tracks: []templates.HealthTrack{}, Warnings: []templates.HealthWarning{}, SparkBPS: []int{},
	}
}
