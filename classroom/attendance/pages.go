package attendance

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

func (a *Attendance) registerPage(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.SeeRegister)
	if err != nil {
		return err
	}
	r, err := a.Register(c.Request.Context(), l)
	if err != nil {
		return err
	}
	p := r.page(web.Now(c).Location())
	p.Lesson.State = string(l.StateAt(a.now()))
	p.MayCorrect, p.MayExport = access.May(courses.CorrectRegister), access.May(courses.ExportRegister)
	if show := Status(c.Query("show")); slices.Contains(Statuses, show) {
		p.Show = string(show)
	}
	if p.MayCorrect {
		r.editable(&p, access.Viewer.ID, c.Query("done"))
	}
	if p.Awaited, err = a.awaited(c.Request.Context(), l, r); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// page fills the register page with times in the reader's zone.
func (r *Register) page(zone *time.Location) templates.Register {
	p := templates.Register{
		Lesson: r.lessonPage(zone), ClosedAt: timeIn(r.ClosedAt, zone), NotHeld: !r.Held() && r.ClosesAt != 0,
		Outside: r.Outside, Window: spanIn(r.Window.Hull(), zone), Counted: r.Counted(), Air: spansIn(r.Air, zone),
		Policy: r.Policy.Page(), Rows: make([]templates.RegisterRow, len(r.Rows)),
	}
	if !r.Closed() {
		p.ClosesAt = timeIn(r.ClosesAt, zone)
	}
	counts := map[Status]int{}
	for i := range r.Rows {
		row := &r.Rows[i]
		p.Rows[i] = r.rowPage(row, zone)
		counts[row.Status]++
	}
	for _, s := range Statuses {
		if counts[s] > 0 {
			p.Counts = append(p.Counts, templates.StatusCount{Status: string(s), N: counts[s]})
		}
	}
	return p
}

func (r *Register) lessonPage(zone *time.Location) templates.Lesson {
	l := r.Lesson
	p := templates.Lesson{
		ID: l.ID.String(), Title: l.Title, CourseID: r.Course.ID.String(), CourseCode: r.Course.Code, Course: r.Course.Title,
		LiveSince: timeIn(l.LiveAt, zone), Staff: true,
	}
	start, end := l.PlannedStartAt, l.PlannedEndAt
	if !l.HasPlan() {
		start, end = l.CreatedAt, l.EndedAt
	}
	p.Start, p.End = timeIn(start, zone), timeIn(end, zone)
	p.CourseStart, p.CourseEnd = timeIn(start, r.Course.Zone), timeIn(end, r.Course.Zone)
	return p
}

func (r *Register) rowPage(row *Row, zone *time.Location) templates.RegisterRow {
	p := templates.RegisterRow{
		UserID: row.ID.String(), StudentID: row.Number, Name: row.Name, Family: row.Family, Given: row.Given,
		Email: row.Email, Group: row.Section, Result: r.result(row, zone), Played: row.Played,
		Visits: spansIn(row.Visits, zone), Devices: row.Devices, CoveredPct: Tenths(row.Covered, r.Programme),
	}
	for _, t := range row.Attempts {
		p.Attempts = append(p.Attempts, templates.FailedAttempt{At: timeIn(t.At, zone), Reason: t.Reason})
	}
	if k := row.Correction; k != nil && row.Status == k.Status {
		p.Corrected, p.CorrectedBy, p.Computed, p.Reason, p.Note = true, k.ByName, string(row.Computed), k.Reason, k.Note
	}
	return p
}

// result is what a student reads about one lesson.
func (r *Register) result(row *Row, zone *time.Location) templates.Result {
	p := templates.Result{
		Status: string(row.Status), Counted: row.Attending, Window: r.Counted(), PctTenth: Tenths(row.Attending, r.Counted()),
		Joined: timeIn(row.Joined, zone), Left: timeIn(row.Left, zone),
	}
	if row.Here {
		p.Late, p.Early = row.Late, row.Early
	}
	// Making a lesson up never hides how it was missed.
	if row.Status == MadeUp {
		p.Status, p.MadeUp = string(row.Live), true
	}
	return p
}

// Own is what one student sees of the register of one lesson.
type Own struct {
	Result templates.Result
	Policy templates.Policy
	Window templates.Span
	Air    []templates.Span
	Visits []templates.Span
}

// Own returns a student's own part of a register; ok is false when they have no row in it. Times are in zone.
func (a *Attendance) Own(ctx context.Context, l lessons.Lesson, student media.ID, zone *time.Location) (own Own, ok bool, err error) {
	r, err := a.register(ctx, l, student)
	if err != nil || len(r.Rows) == 0 {
		return Own{}, false, err
	}
	return r.own(zone), true, nil
}

// own is the view of the one row of a register that was read for one student.
func (r *Register) own(zone *time.Location) Own {
	row := &r.Rows[0]
	return Own{
		Result: r.result(row, zone), Policy: r.Policy.Page(), Window: spanIn(r.Window.Hull(), zone),
		Air: spansIn(r.Air, zone), Visits: spansIn(row.Visits, zone),
	}
}

// minePage shows a student their own record of the last year, course by course.
func (a *Attendance) minePage(c *gin.Context) error {
	p, err := a.record(c.Request.Context(), web.MustViewer(c).ID, web.Now(c))
	if err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, "attendance"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// record is the last year of a student, course by course.
func (a *Attendance) record(ctx context.Context, student media.ID, now time.Time) (p templates.MyAttendance, err error) {
	places, err := a.courses.Places(ctx, student)
	if err != nil {
		return p, err
	}
	for _, place := range places {
		if place.Role != courses.Student {
			continue
		}
		mine, err := a.mine(ctx, place.Course, student, now)
		if err != nil {
			return p, err
		}
		p.Courses = append(p.Courses, mine)
	}
	return p, nil
}

func (a *Attendance) mine(ctx context.Context, co courses.Course, student media.ID, now time.Time) (templates.MyCourse, error) {
	mine := templates.MyCourse{ID: co.ID.String(), Code: co.Code, Title: co.Title}
	policy, err := a.policyOf(ctx, co.ID)
	if err != nil {
		return mine, err
	}
	mine.Policy = policy.Page()
	taught, err := a.lessons.Between(ctx, []media.ID{co.ID}, now.AddDate(-1, 0, 0), now)
	if err != nil {
		return mine, err
	}
	counts := map[Status]int{}
	for _, l := range slices.Backward(taught) {
		if s := l.StateAt(now); s == lessons.Planned || s == lessons.Cancelled {
			continue
		}
		r, err := a.register(ctx, l, student)
		if err != nil {
			return mine, err
		}
		if len(r.Rows) == 0 {
			continue // enrolled later
		}
		counts[r.Rows[0].Status]++
		own, card := r.own(now.Location()), r.lessonPage(now.Location())
		card.Staff, card.State = false, string(l.StateAt(now))
		mine.Lessons = append(mine.Lessons, templates.MyLesson{
			Lesson: card, Result: own.Result, Window: own.Window, Air: own.Air, Visits: own.Visits,
		})
	}
	mine.Rate = ratePage(counts, policy.Weights)
	return mine, nil
}

func ratePage(counts map[Status]int, w Weights) templates.CourseRate {
	held, tenths, rated := Rate(counts, w)
	return templates.CourseRate{
		Held: held, Present: counts[Present], Late: counts[Late], LeftEarly: counts[LeftEarly], Partial: counts[Partial],
		Absent: counts[Absent], Excused: counts[Excused], MadeUp: counts[MadeUp], Rated: rated, PctTenth: tenths,
	}
}

// Rule returns the policy of a course as its students read it.
func (a *Attendance) Rule(ctx context.Context, course media.ID) (templates.Policy, error) {
	p, err := a.policyOf(ctx, course)
	return p.Page(), err
}

// policyOf is what holds in a course today.
func (a *Attendance) policyOf(ctx context.Context, course media.ID) (Policy, error) {
	co, err := a.courses.Course(ctx, course)
	if err != nil {
		return Policy{}, err
	}
	return ParsePolicy(a.accounts.School().Policy, co.Policy)
}

// Page returns the numbers for the sentence that explains the policy.
func (p Policy) Page() templates.Policy {
	return templates.Policy{
		PresentAt: p.PresentAtPct, AbsentBelow: p.AbsentBelowPct, LateAfter: seconds(p.LateAfterS),
		EarlyBefore: seconds(p.EarlyBeforeS), Bridge: p.bridge(), OutageMerge: p.outageMerge(),
		MakeupPct: p.MakeupPct, MakeupDays: p.MakeupDays,
	}
}

func timeIn(i database.Instant, zone *time.Location) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return i.Time().In(zone)
}

func spanIn(iv Interval, zone *time.Location) templates.Span {
	return templates.Span{From: timeIn(iv.From, zone), To: timeIn(iv.To, zone)}
}

func spansIn(s Set, zone *time.Location) []templates.Span {
	out := make([]templates.Span, len(s))
	for i, iv := range s {
		out[i] = spanIn(iv, zone)
	}
	return out
}
