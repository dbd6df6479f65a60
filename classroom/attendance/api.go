package attendance

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Routes adds the feature's routes.
func (a *Attendance) Routes(s *web.Server) {
	s.Handle("GET", "/lessons/:id/register", web.CourseStaff, a.registerPage)
	s.Handle("POST", "/lessons/:id/register", web.CourseTeacher, a.correctForm)
	s.Handle("GET", "/lessons/:id/register/recompute", web.Admin, a.recountPage)
	s.Handle("POST", "/lessons/:id/register/recompute", web.Admin, a.recountForm)
	s.Handle("GET", "/policy", web.Admin, a.policyPage)
	s.Handle("POST", "/policy", web.Admin, a.policyForm)
	s.Handle("GET", "/courses/:id/policy", web.CourseTeacher, a.policyPage)
	s.Handle("POST", "/courses/:id/policy", web.CourseTeacher, a.policyForm)
	s.Handle("GET", "/me/attendance", web.SignedIn, a.minePage)
	s.Handle("GET", "/courses/:id/matrix", web.CourseStaff, a.matrixPage)
	s.Handle("GET", "/registers", web.Admin, a.registersPage)
	s.Handle("GET", "/registers/students/:user", web.Admin, a.studentPage)

	s.Handle("POST", "/api/v1/lessons/:id/beats", web.CourseMember, a.apiBeat, web.Body(maxBeatBytes))
	s.Handle("POST", "/api/v1/lessons/:id/attempts", web.CourseMember, a.apiAttempt, web.Body(maxBeatBytes))
	s.Handle("GET", "/api/v1/lessons/:id/register", web.CourseStaff, a.apiRegister)
	s.Handle("POST", "/api/v1/lessons/:id/register/corrections", web.CourseTeacher, a.apiCorrect)
	s.Handle("POST", "/api/v1/lessons/:id/register/recompute", web.Admin, a.apiRecompute)
}

// Lesson returns the lesson of the path and who the viewer is in its course, when they have the permission there.
func (a *Attendance) Lesson(c *gin.Context, p courses.Permission) (lessons.Lesson, courses.Access, error) {
	id, err := web.ID(c, "id")
	if err != nil {
		return lessons.Lesson{}, courses.Access{}, err
	}
	ctx := c.Request.Context()
	l, err := a.lessons.Find(ctx, id)
	if err != nil {
		return l, courses.Access{}, err
	}
	access, err := a.courses.Check(ctx, web.MustViewer(c), l.CourseID, p)
	return l, access, err
}

type beatAnswer struct {
	N          int64 `json:"n"`         // the last beat that counts
	CountedS   int64 `json:"counted_s"` // of this student, in the window, so far
	IntervalMS int64 `json:"interval_ms"`
}

// apiBeat takes one beat of a student's page. It answers after the commit.
func (a *Attendance) apiBeat(c *gin.Context) error {
	arrived := a.now()
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	ctx, v := c.Request.Context(), web.MustViewer(c)
	f, err := a.facts.get(ctx, id, arrived)
	if err != nil {
		return orBusy(err)
	}
	access, err := a.courses.Check(ctx, v, f.lesson.CourseID, courses.TakePart)
	if err != nil {
		return orBusy(err)
	}
	var in Report
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	beat, err := in.Beat()
	if err != nil {
		return err
	}
	switch f.lesson.StateAt(arrived) {
	case lessons.Planned:
		return fault.Conflict("lesson.too_early")
	case lessons.Cancelled:
		return fault.Conflict("lesson.cancelled")
	}
	if access.Role != courses.Student { // staff watch too, and are in no register
		return web.JSON(c, http.StatusOK, beatAnswer{N: beat.N, IntervalMS: busyInterval.Milliseconds()})
	}
	a.here.note(f, v.ID, beat, arrived)
	receipt, err := a.recorder.Record(ctx, Arrival{
		Lesson: id, User: v.ID, Device: int64(v.Session), DeviceClass: deviceClass(c.Request.UserAgent()),
		At: database.At(arrived), Beat: beat, Class: f.class(arrived),
	})
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, beatAnswer{
		N: receipt.N, CountedS: wholeS(f.counted(receipt.Attending, arrived)), IntervalMS: receipt.Interval.Milliseconds(),
	})
}

// orBusy makes a database that is away a reason to send the beat again, instead of a bug with a number.
func orBusy(err error) error {
	if _, ok := fault.Of(err); ok {
		return err
	}
	return fault.Busy("beat.not_stored", beatInterval).Because(err)
}

// deviceClass is as much of the browser's name as is kept.
func deviceClass(userAgent string) string {
	has := func(word string) bool { return strings.Contains(userAgent, word) }
	switch {
	case userAgent == "":
		return ""
	case has("iPad"), has("Tablet"), has("Android") && !has("Mobile"):
		return "tablet"
	case has("Mobi"), has("iPhone"):
		return "phone"
	}
	return "computer"
}

// apiAttempt keeps that a page could not join.
func (a *Attendance) apiAttempt(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.TakePart)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	if access.Role == courses.Student {
		if err := a.NoteAttempt(c.Request.Context(), l.ID, access.Viewer.ID, in.Reason); err != nil {
			return err
		}
	}
	return web.NoContent(c)
}

func (a *Attendance) apiRegister(c *gin.Context) error {
	l, _, err := a.Lesson(c, courses.SeeRegister)
	if err != nil {
		return err
	}
	r, err := a.Register(c.Request.Context(), l)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, r.json())
}

// apiCorrect sets, or with an empty status undoes, the status of students, and answers with their new rows.
func (a *Attendance) apiCorrect(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return err
	}
	var in struct {
		Students []media.ID `json:"students"`
		Status   Status     `json:"status"`
		Minutes  *int       `json:"minutes"`
		Reason   string     `json:"reason"`
		Note     string     `json:"note"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	err = a.Correct(ctx, access.Viewer.ID, l, Change{
		Students: in.Students, Status: in.Status, Minutes: in.Minutes, Reason: in.Reason, Note: in.Note,
	})
	if err != nil {
		return err
	}
	r, err := a.Register(ctx, l)
	if err != nil {
		return err
	}
	answer := r.json()
	answer.Rows = answer.Rows[:0]
	for i := range r.Rows {
		for _, id := range in.Students {
			if r.Rows[i].ID == id {
				answer.Rows = append(answer.Rows, r.rowJSON(&r.Rows[i]))
				break
			}
		}
	}
	return web.JSON(c, http.StatusOK, answer)
}

func (a *Attendance) apiRecompute(c *gin.Context) error {
	l, access, err := a.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.Recompute(ctx, access.Viewer.ID, l.ID); err != nil {
		return err
	}
	r, err := a.Register(ctx, l)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, r.json())
}

// The JSON form of a register. Instants are RFC 3339 in UTC with milliseconds, null where there is none.

type registerJSON struct {
	Lesson        lessonJSON `json:"lesson"`
	Course        courseJSON `json:"course"`
	Closed        bool       `json:"closed"`
	ClosesAt      *stamp     `json:"closes_at"`
	ClosedAt      *stamp     `json:"closed_at"`
	Version       int        `json:"version"`
	NotHeld       bool       `json:"not_held"`
	Outside       bool       `json:"outside_schedule"`
	Air           []spanJSON `json:"air"`
	Window        []spanJSON `json:"window"`
	WindowS       int64      `json:"window_s"`
	ProgrammeS    int64      `json:"programme_s"`
	Policy        Policy     `json:"policy"`
	PolicyVersion int64      `json:"policy_version"`
	Hash          string     `json:"intervals_sha256,omitempty"`
	Rows          []rowJSON  `json:"rows"`
}

type lessonJSON struct {
	ID           media.ID      `json:"id"`
	Title        string        `json:"title"`
	State        lessons.State `json:"state"`
	Date         string        `json:"date"`
	Zone         string        `json:"zone"`
	PlannedStart *stamp        `json:"planned_start"`
	PlannedEnd   *stamp        `json:"planned_end"`
}

type courseJSON struct {
	ID    media.ID `json:"id"`
	Code  string   `json:"code"`
	Title string   `json:"title"`
}

type rowJSON struct {
	UserID       media.ID        `json:"user_id"`
	StudentID    string          `json:"student_id"`
	FamilyName   string          `json:"family_name"`
	GivenName    string          `json:"given_name"`
	DisplayName  string          `json:"display_name"`
	Email        string          `json:"email"`
	Group        string          `json:"group"`
	Status       Status          `json:"status"`
	LiveStatus   Status          `json:"live_status"` // by the figures of the live lesson alone
	JoinedAt     *stamp          `json:"joined_at"`
	LeftAt       *stamp          `json:"left_at"`
	Visits       []spanJSON      `json:"visits"`
	Devices      int             `json:"devices"`
	LateS        *int64          `json:"late_s"` // null for who was not there
	EarlyS       *int64          `json:"early_s"`
	AttendingS   int64           `json:"attending_s"`
	AttendingPct json.Number     `json:"attending_pct"` // one decimal, rounded down
	PlayedS      int64           `json:"played_s"`
	ReplayS      int64           `json:"replay_s"`
	CoveredPct   json.Number     `json:"covered_pct"`
	Correction   *correctionJSON `json:"correction"`
	Attempts     []attemptJSON   `json:"attempts"`
}

type correctionJSON struct {
	Status   Status `json:"status"`
	Minutes  *int   `json:"minutes"`
	Reason   string `json:"reason"`
	Note     string `json:"note"`
	Previous Status `json:"previous"`
	At       *stamp `json:"at"`
	By       string `json:"by"`
}

type attemptJSON struct {
	At     *stamp `json:"at"`
	Reason string `json:"reason"`
}

type spanJSON struct {
	From *stamp `json:"from"`
	To   *stamp `json:"to"`
}

// stamp is an instant in JSON.
type stamp time.Time

func (s stamp) MarshalText() ([]byte, error) {
	return []byte(time.Time(s).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

func stampOf(i database.Instant) *stamp {
	if i == 0 {
		return nil
	}
	return new(stamp(i.Time()))
}

func spansOf(s Set) []spanJSON {
	out := make([]spanJSON, len(s))
	for i, iv := range s {
		out[i] = spanJSON{stampOf(iv.From), stampOf(iv.To)}
	}
	return out
}

// JSON is the register as the API gives it.
func (r *Register) JSON() any { return r.json() }

func (r *Register) json() registerJSON {
	out := registerJSON{
		Lesson: lessonJSON{
			ID: r.Lesson.ID, Title: r.Lesson.Title, State: r.Lesson.State, Date: r.Lesson.LocalDate, Zone: r.Lesson.Zone,
			PlannedStart: stampOf(r.Lesson.PlannedStartAt), PlannedEnd: stampOf(r.Lesson.PlannedEndAt),
		},
		Course: courseJSON{ID: r.Course.ID, Code: r.Course.Code, Title: r.Course.Title},
		Closed: r.Closed(), ClosesAt: stampOf(r.ClosesAt), ClosedAt: stampOf(r.ClosedAt), Version: r.Version,
		NotHeld: !r.Held(), Outside: r.Outside, Air: spansOf(r.Air), Window: spansOf(r.Window),
		WindowS: wholeS(r.Counted()), ProgrammeS: wholeS(r.Programme), Policy: r.Policy, PolicyVersion: r.PolicyVersion,
		Rows: make([]rowJSON, len(r.Rows)),
	}
	if r.Closed() {
		out.Hash = hex.EncodeToString(r.Hash)
	}
	for i := range r.Rows {
		out.Rows[i] = r.rowJSON(&r.Rows[i])
	}
	return out
}

func (r *Register) rowJSON(row *Row) rowJSON {
	out := rowJSON{
		UserID: row.ID, StudentID: row.Number, FamilyName: row.Family, GivenName: row.Given, DisplayName: row.Name,
		Email: row.Email, Group: row.Section, Status: row.Status, LiveStatus: row.Live,
		JoinedAt: stampOf(row.Joined), LeftAt: stampOf(row.Left), Visits: spansOf(row.Visits), Devices: row.Devices,
		AttendingS: wholeS(row.Attending), AttendingPct: json.Number(Percent(row.Attending, r.Counted())),
		PlayedS: wholeS(row.Played), ReplayS: wholeS(row.Replay), CoveredPct: json.Number(Percent(row.Covered, r.Programme)),
		Attempts: make([]attemptJSON, len(row.Attempts)),
	}
	if row.Here {
		out.LateS, out.EarlyS = new(wholeS(row.Late)), new(wholeS(row.Early))
	}
	if k := row.Correction; k != nil {
		out.Correction = &correctionJSON{k.Status, k.Minutes, k.Reason, k.Note, k.Previous, stampOf(k.At), k.ByName}
	}
	for i, t := range row.Attempts {
		out.Attempts[i] = attemptJSON{stampOf(t.At), t.Reason}
	}
	return out
}

// Percent writes part of whole with one decimal and a point, rounded down.
func Percent(part, whole time.Duration) string {
	tenths := Tenths(part, whole)
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
