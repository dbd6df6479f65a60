package courses

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

type codeJSON struct {
	Code    string     `json:"code"` // empty when none was made yet
	URL     string     `json:"url"`
	Open    bool       `json:"open"`
	Approve bool       `json:"approve"`
	Limit   int        `json:"limit"` // 0: none
	Uses    int        `json:"uses"`
	MadeAt  *time.Time `json:"made_at"`
}

func (f *Courses) sendCode(c *gin.Context, course media.ID) error {
	code, err := f.JoinCode(c.Request.Context(), course)
	if err != nil {
		return err
	}
	out := codeJSON{Code: code.Code, Open: code.Open, Approve: code.Approve, Limit: code.Max, Uses: code.Uses}
	if code.Code != "" {
		out.URL, out.MadeAt = f.joinURL(c, code.Code), &code.MadeAt
	}
	return web.JSON(c, http.StatusOK, out)
}

func (f *Courses) apiCode(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	return f.sendCode(c, a.Course.ID)
}

// apiSetCode changes what the body names: {open, approve, limit, rotate}.
func (f *Courses) apiSetCode(c *gin.Context) error {
	a, err := f.access(c, Edit)
	if err != nil {
		return err
	}
	var in struct {
		Open    *bool `json:"open"`
		Approve *bool `json:"approve"`
		Limit   *int  `json:"limit"`
		Rotate  bool  `json:"rotate"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	if err := a.Check(Enroll); err != nil && (in.Rotate || or(in.Open, false)) {
		return err
	}
	ctx, by, course := c.Request.Context(), a.Viewer.ID, a.Course.ID
	now, err := f.JoinCode(ctx, course)
	if err != nil {
		return err
	}
	if in.Approve != nil || in.Limit != nil {
		err = f.SetCode(ctx, by, course, or(in.Approve, now.Approve), or(in.Limit, now.Max))
	}
	if err == nil && in.Rotate {
		err = f.RotateCode(ctx, by, course)
	}
	if err == nil && in.Open != nil {
		if *in.Open {
			err = f.OpenCode(ctx, by, course)
		} else {
			err = f.CloseCode(ctx, by, course)
		}
	}
	if err != nil {
		return err
	}
	return f.sendCode(c, course)
}

type applicantJSON struct {
	UserID      media.ID  `json:"user_id"`
	DisplayName string    `json:"display_name"`
	Email       string    `json:"email"`
	AskedAt     time.Time `json:"asked_at"`
}

func (f *Courses) apiWaiting(c *gin.Context) error {
	a, err := f.access(c, SeeMembers)
	if err != nil {
		return err
	}
	waiting, err := f.WaitingList(c.Request.Context(), a.Course.ID)
	if err != nil {
		return err
	}
	list := []applicantJSON{}
	for _, w := range waiting {
		list = append(list, applicantJSON{w.User, w.DisplayName, w.Email, w.AskedAt})
	}
	return web.JSON(c, http.StatusOK, gin.H{"waiting": list})
}

// apiAnswer takes {"approve": [user_id…], "decline": [user_id…]}.
func (f *Courses) apiAnswer(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	var in struct {
		Approve []media.ID `json:"approve"`
		Decline []media.ID `json:"decline"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	approved, err := f.Answer(ctx, a.Viewer.ID, a.Course.ID, in.Approve, true)
	if err != nil {
		return err
	}
	declined, err := f.Answer(ctx, a.Viewer.ID, a.Course.ID, in.Decline, false)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, gin.H{"approved": approved, "declined": declined})
}

// apiEnd ends somebody's enrollment.
func (f *Courses) apiEnd(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	user, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	n, err := f.ChangeMembers(c.Request.Context(), NewImporter(a), a.Course.ID, []media.ID{user}, Change{End: true})
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFound("")
	}
	return web.NoContent(c)
}

type mistakeJSON struct {
	Line    int    `json:"line"`
	Field   string `json:"field,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type importJSON struct {
	DryRun    bool              `json:"dry_run"`
	Applied   bool              `json:"applied"`
	Encoding  string            `json:"encoding"`
	Separator string            `json:"separator"`
	Columns   map[string]string `json:"columns"` // heading to what it means, empty for what is left out
	New       int               `json:"new"`
	Made      int               `json:"made"` // of the new, people the school did not know
	Changed   int               `json:"changed"`
	Unchanged int               `json:"unchanged"`
	Missing   int               `json:"missing"`
	Ended     int               `json:"ended"`
	Kept      int               `json:"kept"` // lines whose names or numbers differ and stay: only an admin's file changes them
	Mistakes  int               `json:"mistakes"`
	Errors    []mistakeJSON     `json:"errors"` // the first thousand
}

// apiImport takes the file as the body. With ?dry_run=1 it says what it would do; ?end_missing=1 ends the enrollment of
// students whom it does not name; ?encoding= names one of roster.Encodings. While the file has mistakes nothing is
// applied, and the status is 422.
func (f *Courses) apiImport(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	b, err := web.ReadBody(c)
	if err != nil {
		return err
	}
	file, err := roster.Read(b, c.Query("encoding"))
	if err != nil {
		return err
	}
	in := RosterImport{
		Course: a.Course.ID, By: NewImporter(a), File: file, EndMissing: yes(c.Query("end_missing")), DryRun: yes(c.Query("dry_run")),
	}
	r, err := f.ImportRoster(c.Request.Context(), in)
	if err != nil {
		return err
	}
	out := importJSON{
		DryRun: in.DryRun, Applied: r.Applied, Encoding: file.Encoding, Separator: separators[file.Separator], Columns: map[string]string{},
		New: r.New, Made: r.Made, Changed: r.Changed, Unchanged: r.Unchanged, Missing: r.Missing, Ended: r.Ended, Kept: r.Kept,
		Mistakes: r.Mistakes.N, Errors: []mistakeJSON{},
	}
	for _, col := range file.Columns {
		out.Columns[col.Heading] = col.Means
	}
	for _, m := range r.Mistakes.List {
		out.Errors = append(out.Errors, mistakeJSON{m.Line, m.Fault.Field, keyOf(m.Fault), web.T(c, keyOf(m.Fault), m.Fault.Data)})
	}
	status := http.StatusOK
	if !in.DryRun && !r.Applied {
		status = http.StatusUnprocessableEntity
	}
	return web.JSON(c, status, out)
}

func yes(choice string) bool { return choice == "1" || choice == "true" }
