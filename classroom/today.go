package classroom

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// The words of the board for what needs somebody.
const (
	troubleLate        = "late"        // the teacher streams and has not gone live
	troubleMissing     = "missing"     // nobody streams
	troubleInterrupted = "interrupted" //
	troubleUnhealthy   = "unhealthy"   //
	troubleStorage     = "storage"     // finished segments wait for the store
)

// lateAfter is how long after the start a lesson that is not on air needs somebody.
const lateAfter = 2 * time.Minute

// today is the board of every lesson of the day.
func (k *Classroom) today(c *gin.Context) error {
	ctx, now := c.Request.Context(), web.Now(c)
	p := templates.Today{FreeBytes: -1}
	if k.cfg.Stored != nil {
		p.StoredBytes, p.FreeBytes = k.cfg.Stored()
	}
	mails, err := k.Outbox.Status(ctx)
	if err != nil {
		return err
	}
	p.MailQueued = mails.Waiting
	if p.Lessons, err = k.board(ctx, now); err != nil {
		return err
	}
	for _, line := range p.Lessons {
		p.Watching += line.Here
	}
	if p.Page, err = web.NewPage(c, "today"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// board is every lesson of the day, by start.
func (k *Classroom) board(ctx context.Context, now time.Time) (lines []templates.TodayLesson, err error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	rows, err := k.Lessons.AllBetween(ctx, midnight, midnight.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		line, err := k.todayLesson(ctx, row, now)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (k *Classroom) todayLesson(ctx context.Context, row lessons.Lesson, now time.Time) (line templates.TodayLesson, err error) {
	course, err := k.Courses.Course(ctx, row.CourseID)
	if err != nil {
		return line, err
	}
	if line.Lesson, err = k.card(ctx, row, course, ""); err != nil {
		return line, err
	}
	if err = k.withCounts(ctx, &line.Lesson, row); err != nil {
		return line, err
	}
	news, err := k.Lessons.News(ctx, row)
	if err != nil {
		return line, err
	}
	b, streams := k.Lessons.BroadcastOf(row.ID)
	var since time.Time
	line.Trouble, since = trouble(situation{
		now: now, start: row.PlannedStartAt.Time(), news: news, streams: streams, warnings: b.Health.Warnings,
		status: k.cfg.Origin.Status(row.ID),
	})
	if line.Trouble != "" {
		line.Since = since.In(now.Location())
	}
	return line, nil
}

// situation is what the board decides by.
type situation struct {
	now, start time.Time
	news       lessons.StateNews
	streams    bool // an encoder sends for the lesson
	warnings   []templates.HealthWarning
	status     media.ChannelStatus
}

// trouble names the one thing about a lesson that needs somebody most, empty when all is well.
func trouble(s situation) (word string, since time.Time) {
	storage := slices.IndexFunc(s.status.Warnings, func(w media.Warning) bool { return w.Code != media.LinkShared })
	unwell := slices.IndexFunc(s.warnings, func(w templates.HealthWarning) bool { return w.Code != string(media.LinkShared) })
	switch {
	case s.news.InterruptedAt != nil:
		return troubleInterrupted, *s.news.InterruptedAt
	case s.news.Late && s.now.Sub(s.start) >= lateAfter && s.streams:
		return troubleLate, s.start
	case s.news.Late && s.now.Sub(s.start) >= lateAfter:
		return troubleMissing, s.start
	case storage >= 0:
		return troubleStorage, s.status.Warnings[storage].Since
	case s.news.State == lessons.Live && unwell >= 0:
		return troubleUnhealthy, s.warnings[unwell].Since
	}
	return "", time.Time{}
}
