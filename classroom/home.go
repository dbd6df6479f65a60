package classroom

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// What home looks back on.
const (
	missedTime = 7 * 24 * time.Hour
	missedMost = 5
	reviewTime = 3 * 24 * time.Hour
	reviewMost = 5
)

// home answers "what now?": one card for what is on air or next, then today, then the week.
func (k *Classroom) home(c *gin.Context) error {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	ids, at, err := k.placesOf(ctx, v)
	if err != nil {
		return err
	}
	now := web.Now(c)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	rows, err := k.Lessons.Between(ctx, ids, midnight.Add(-missedTime), midnight.AddDate(0, 0, 7))
	if err != nil {
		return err
	}
	h := homePage{k: k, at: at, viewer: v.ID, now: now, midnight: midnight}
	for _, row := range rows {
		if err := h.place(ctx, row); err != nil {
			return err
		}
	}
	if err := h.lookBack(ctx, rows); err != nil {
		return err
	}
	if err := h.away(ctx, ids); err != nil {
		return err
	}
	h.choose()
	h.courses(rows)
	if h.page.Rehearsal, err = k.rehearsal(ctx, v.ID); err != nil {
		return err
	}
	if v.Admin {
		if err := h.school(ctx); err != nil {
			return err
		}
	}
	if h.page.Page, err = web.NewPage(c, "home"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, h.page)
}

// homePage gathers the page of one person.
type homePage struct {
	k        *Classroom
	at       map[media.ID]courses.Place
	viewer   media.ID
	now      time.Time
	midnight time.Time // when today began
	page     templates.Home
}

// place puts a lesson into the list it belongs to.
func (h *homePage) place(ctx context.Context, row lessons.Lesson) error {
	p := h.at[row.CourseID]
	tomorrow := h.midnight.AddDate(0, 0, 1)
	start := row.PlannedStartAt.Time()
	if !row.HasPlan() {
		start = row.CreatedAt.Time()
	}
	if start.Before(h.midnight) && !row.State.OnAir() {
		return nil
	}
	card, err := h.k.card(ctx, row, p.Course, p.Role)
	if err != nil {
		return err
	}
	if start.Before(tomorrow) {
		if card.Staff {
			err = h.k.withCounts(ctx, &card, row)
		}
		h.page.Today = append(h.page.Today, card)
	} else {
		h.page.Week = append(h.page.Week, card)
	}
	return err
}

// away finds what was meant for today and moved to another day, so that nobody waits for it.
func (h *homePage) away(ctx context.Context, ids []media.ID) error {
	tomorrow := h.midnight.AddDate(0, 0, 1)
	rows, err := h.k.Lessons.MovedAway(ctx, ids, h.midnight, tomorrow)
	if err != nil {
		return err
	}
	for _, row := range rows {
		start := row.PlannedStartAt.Time()
		if row.State.Over() || !start.Before(h.midnight) && start.Before(tomorrow) {
			continue
		}
		p := h.at[row.CourseID]
		card, err := h.k.card(ctx, row, p.Course, p.Role)
		if err != nil {
			return err
		}
		h.page.Away = append(h.page.Away, card)
	}
	return nil
}

// choose takes the one big card out of today: what is on air, else what comes next.
func (h *homePage) choose() {
	best := -1
	for i, card := range h.page.Today {
		switch lessons.State(card.State) {
		case lessons.Live, lessons.Interrupted:
			best = i
		case lessons.Planned, lessons.Open:
			if best < 0 {
				best = i
			}
			continue
		default:
			continue
		}
		break
	}
	if best < 0 {
		return
	}
	current := h.page.Today[best]
	h.page.Current = &current
	h.page.Today = slices.Delete(h.page.Today, best, best+1)
}

// lookBack finds what is left of the last days, the latest first: replays for students, registers for staff.
func (h *homePage) lookBack(ctx context.Context, rows []lessons.Lesson) error {
	for _, row := range slices.Backward(rows) {
		if row.State != lessons.Closed || row.LiveAt == 0 {
			continue
		}
		var err error
		if p := h.at[row.CourseID]; p.Role.Staff() {
			err = h.review(ctx, row, p)
		} else {
			err = h.missed(ctx, row, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *homePage) missed(ctx context.Context, row lessons.Lesson, p courses.Place) error {
	if len(h.page.Missed) >= missedMost || !h.k.replayable(row) {
		return nil
	}
	own, ok, err := h.k.Attendance.Own(ctx, row, h.viewer, h.now.Location())
	if err != nil || !ok || own.Result.MadeUp {
		return err
	}
	if s := attendance.Status(own.Result.Status); s != attendance.Absent && s != attendance.Partial {
		return nil
	}
	card, err := h.k.card(ctx, row, p.Course, p.Role)
	card.Result = &own.Result
	h.page.Missed = append(h.page.Missed, card)
	return err
}

func (h *homePage) review(ctx context.Context, row lessons.Lesson, p courses.Place) error {
	if len(h.page.Review) >= reviewMost || row.ClosedAt.Time().Before(h.now.Add(-reviewTime)) {
		return nil
	}
	r, err := h.k.Attendance.Register(ctx, row)
	if err != nil {
		return err
	}
	line := templates.Review{
		LessonID: row.ID.String(), Title: row.Title, Course: p.Course.Code, Start: row.LiveAt.Time().In(h.now.Location()),
	}
	for _, student := range r.Rows {
		switch student.Status {
		case attendance.Absent:
			line.Absent++
		case attendance.Partial:
			line.Partial++
		}
		if student.Correction == nil && len(student.Attempts) > 0 {
			line.Unresolved++
		}
	}
	if line.Absent+line.Partial+line.Unresolved > 0 {
		h.page.Review = append(h.page.Review, line)
	}
	return nil
}

// school sums up the day of the whole school for an admin: what needs somebody, and how much is on air.
func (h *homePage) school(ctx context.Context) error {
	lines, err := h.k.board(ctx, h.now)
	if err != nil {
		return err
	}
	s := &templates.SchoolDay{Lessons: len(lines)}
	for _, line := range lines {
		if lessons.State(line.State) == lessons.Live {
			s.OnAir++
		}
		s.Watching += line.Here
		if line.Trouble != "" {
			s.Troubles = append(s.Troubles, line)
		}
	}
	h.page.Day = s
	return nil
}

// courses lists the viewer's courses with the next lesson of each.
func (h *homePage) courses(rows []lessons.Lesson) {
	next := map[media.ID]time.Time{}
	for _, row := range rows {
		start := row.PlannedStartAt.Time()
		if start.After(h.now) && row.State != lessons.Cancelled && next[row.CourseID].IsZero() {
			next[row.CourseID] = start.In(h.now.Location())
		}
	}
	for _, p := range h.at {
		h.page.Courses = append(h.page.Courses, templates.CourseCount{
			ID: p.Course.ID.String(), Code: p.Course.Code, Title: p.Course.Title, Role: string(p.Role), Next: next[p.Course.ID],
		})
	}
	slices.SortFunc(h.page.Courses, func(a, b templates.CourseCount) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.ID, b.ID))
	})
}
