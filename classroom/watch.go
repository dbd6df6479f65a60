package classroom

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// watch is the class page. Which card it shows follows from the lesson's state, here and later in its script.
func (k *Classroom) watch(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.Watch)
	if err != nil {
		return k.Attendance.NoteRefusal(c, err)
	}
	ctx := c.Request.Context()
	p := templates.Class{
		Beats: access.Role == courses.Student, Staff: access.May(courses.SeeStudio), Writes: access.May(courses.TakePart),
		LatencyTarget: k.cfg.Origin.Status(row.ID).LatencyTarget,
	}
	if p.Lesson, err = k.card(ctx, row, access.Course, access.Role); err != nil {
		return err
	}
	news, err := k.Lessons.News(ctx, row)
	if err != nil {
		return err
	}
	if news.InterruptedAt != nil {
		p.InterruptedAt = news.InterruptedAt.In(web.Now(c).Location())
	}
	if p.Beats {
		if err := k.ownTime(ctx, row, access.Viewer.ID, &p); err != nil {
			return err
		}
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// ownTime fills in what is counted of a student. Before anything was live that is nothing, and a class that opens
// its pages all at once asks nothing more of the database.
func (k *Classroom) ownTime(ctx context.Context, row lessons.Lesson, student media.ID, p *templates.Class) (err error) {
	if row.LiveAt == 0 {
		p.Policy, err = k.Attendance.Rule(ctx, row.CourseID)
		return err
	}
	own, ok, err := k.Attendance.Own(ctx, row, student, p.Lesson.Start.Location())
	counted := ownCount{own.Result, own.Policy, ok}
	if counted, err = k.own.Or([2]media.ID{row.ID, student}, k.now(), counted, err); err != nil && !database.Away(err) {
		return err
	}
	if !counted.ok { // enrolled only now, or nobody can tell just now; the next beat does
		p.Policy, err = k.Attendance.Rule(ctx, row.CourseID)
		return err
	}
	p.Counted, p.Policy = counted.result.Counted, counted.policy
	if row.State.Over() {
		p.Lesson.Result = &counted.result
		if p.Seen, err = k.Attendance.Seen(ctx, row.ID, student); err != nil && !database.Away(err) {
			return err
		}
	}
	return nil
}

// ownCount is what a class page says of its student.
type ownCount struct {
	result templates.Result
	policy templates.Policy
	ok     bool
}

// playbackJSON tells a page where its player finds a channel.
type playbackJSON struct {
	URL             string        `json:"url"` // empty while nothing can be played
	ExpiresAt       *time.Time    `json:"expires_at"`
	Live            bool          `json:"live"`
	LatencyTargetMS int64         `json:"latency_target_ms"`
	State           lessons.State `json:"state"`
	LiveSince       *time.Time    `json:"live_since"`
	InterruptedAt   *time.Time    `json:"interrupted_at"`
	Air             [][2]int64    `json:"air"`      // when students could see it, in Unix milliseconds; the end is 0 while it goes on
	Captions        []captionJSON `json:"captions"` // of a replay
	lessons.NotesNews
}

// apiPlayback gives a viewer an address of the lesson. It is personal, lasts for the lesson, and is refused to
// nobody who may see the lesson: without anything to play it is empty.
func (k *Classroom) apiPlayback(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.Watch)
	if err != nil {
		return err
	}
	news, err := k.Lessons.News(c.Request.Context(), row)
	if err != nil {
		return err
	}
	st := k.cfg.Origin.Status(row.ID)
	out := playbackJSON{State: news.State, LiveSince: news.LiveSince, InterruptedAt: news.InterruptedAt, Captions: []captionJSON{}, NotesNews: news.NotesNews}
	if out.Air, err = k.Attendance.Air(c.Request.Context(), row.ID); err != nil {
		return err
	}
	switch {
	case row.State.OnAir() && st.Live:
		out.Live, out.LatencyTargetMS = true, st.LatencyTarget.Milliseconds()
	case !k.replayable(row):
		return web.JSON(c, http.StatusOK, out)
	default:
		if out.Captions, err = k.captionsOf(c.Request.Context(), row.ID); err != nil && !database.Away(err) {
			return err
		}
	}
	if row.State.Over() && access.Role != courses.Student {
		k.views.Note(c.Request.Context(), audit.Line{Actor: access.Viewer.ID, Action: "recording.view", Object: audit.Object("lesson", row.ID)})
	}
	k.addTicket(&out, access, row.ID, row)
	return web.JSON(c, http.StatusOK, out)
}

// apiPreview gives teachers an address of what they stream themselves. Nobody else has one.
func (k *Classroom) apiPreview(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.Publish)
	if err != nil {
		return err
	}
	out := playbackJSON{State: row.StateAt(k.now()), Captions: []captionJSON{}}
	b, ok := k.Lessons.BroadcastFor(0, access.Viewer.ID)
	if !ok || b.Live {
		return web.JSON(c, http.StatusOK, out)
	}
	st := k.cfg.Origin.Status(access.Viewer.ID)
	if st.Live {
		out.Live, out.LatencyTargetMS = true, st.LatencyTarget.Milliseconds()
		k.addTicket(&out, access, access.Viewer.ID, row)
	}
	return web.JSON(c, http.StatusOK, out)
}

func (k *Classroom) addTicket(out *playbackJSON, a courses.Access, channel media.ID, row lessons.Lesson) {
	now := k.now()
	until := row.TicketUntil(now).UTC()
	if end := a.Member.Until; !end.IsZero() && end.Before(until) && !a.Viewer.Admin {
		until = end
	}
	viewer := k.seats.take(seat{
		session: a.Viewer.Session, course: a.Course.ID, user: a.Viewer.ID, enrollment: a.Member.Enrollment, until: until,
	}, now)
	out.URL = k.cfg.Ticket(channel, viewer, a.Role != courses.Student, until)
	out.ExpiresAt = &until
}
