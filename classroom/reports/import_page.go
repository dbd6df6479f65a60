package reports

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// maxImportForm is the body of the form that confirms an import: the file once more, as a field.
const maxImportForm = 3*maxImport + 4096

// importPage asks for a file.
func (f *Reports) importPage(c *gin.Context) error {
	l, _, r, err := f.correctable(c)
	if err != nil {
		return err
	}
	return f.showImport(c, http.StatusOK, l, r, templates.CorrectionImport{})
}

// correctable is the lesson of the path with its register, which is closed, for those who may correct it.
func (f *Reports) correctable(c *gin.Context) (lessons.Lesson, courses.Access, *attendance.Register, error) {
	l, access, err := f.attendance.Lesson(c, courses.CorrectRegister)
	if err != nil {
		return l, access, nil, err
	}
	r, err := f.attendance.Register(c.Request.Context(), l)
	if err == nil && (!r.Closed() || !r.Held()) {
		err = fault.Conflict("register.not_closed")
	}
	return l, access, r, err
}

// importForm takes a file and shows what it would change; then, with the text of the file once more, it does so.
func (f *Reports) importForm(c *gin.Context) error {
	l, access, r, err := f.correctable(c)
	if err != nil {
		return err
	}
	file, reason, sure, err := importOf(c)
	if err != nil {
		return err
	}
	p := templates.CorrectionImport{Reason: reason}
	im, err := ReadImport(file, r)
	if err == nil && !slices.Contains(attendance.Reasons, reason) {
		err = fault.Invalid("correction.reason").At("reason")
	}
	if refused, ok := fault.Of(err); ok && refused.Key != "" {
		p.Error = web.T(c, refused.Key, refused.Data)
		return f.showImport(c, http.StatusBadRequest, l, r, p)
	}
	if err != nil {
		return err
	}
	if !sure || len(im.Problems) > 0 {
		p.Text, _ = textOf(file)
		im.fill(c, &p)
		return f.showImport(c, http.StatusOK, l, r, p)
	}
	page := "/lessons/" + l.ID.String() + "/register"
	if len(im.Changes) > 0 {
		if err := f.attendance.Correct(c.Request.Context(), access.Viewer.ID, l, im.Changed(reason)...); err != nil {
			return err
		}
		page += "?done=" + strconv.FormatInt(int64(database.At(f.now())), 10)
	}
	web.Flash(c, "good", "register.corrected_done", map[string]any{"N": len(im.Changes)})
	return web.Redirect(c, page)
}

// importOf reads either form: the one with the file, and the one that confirms.
func importOf(c *gin.Context) (file []byte, reason string, sure bool, err error) {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		err = web.Form(c)
		return []byte(web.Field(c, "text")), web.Field(c, "reason"), true, err
	}
	parts, err := c.Request.MultipartReader()
	if err != nil {
		return nil, "", false, fault.Invalid("").Because(err)
	}
	for range 10 { // parts of a form; ours has two
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", false, badPart(err)
		}
		b, err := io.ReadAll(io.LimitReader(part, maxImport+1))
		if err != nil {
			return nil, "", false, badPart(err)
		}
		switch part.FormName() {
		case "file":
			file = b
		case "reason":
			reason = string(b)
		}
	}
	return file, reason, false, nil
}

func badPart(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fault.Invalid("").Because(err)
}

// fill puts what was read into the page.
func (im Import) fill(c *gin.Context, p *templates.CorrectionImport) {
	p.Read, p.Unchanged = true, im.Unchanged
	for _, problem := range im.Problems {
		p.Problems = append(p.Problems, templates.ImportProblem{Line: problem.Line, Text: web.T(c, problem.Key, problem.Data)})
	}
	for _, ch := range im.Changes {
		p.Changes = append(p.Changes, templates.ImportChange{
			Name: ch.Student.Name, StudentID: ch.Student.Number, From: string(ch.From), To: string(ch.To), Note: ch.Note,
		})
	}
}

func (f *Reports) showImport(c *gin.Context, status int, l lessons.Lesson, r *attendance.Register, p templates.CorrectionImport) (err error) {
	p.LessonID, p.Title, p.Reasons = l.ID.String(), l.Title, attendance.Reasons
	p.CourseCode, p.Day = r.Course.Code, l.PlannedStartAt.Time().In(web.Now(c).Location())
	if !l.HasPlan() {
		p.Day = l.CreatedAt.Time().In(web.Now(c).Location())
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// importJSON says what an import changed, or would change.
type importJSON struct {
	Applied   bool                `json:"applied"`
	Changes   []importChangeJSON  `json:"changes"`
	Problems  []importProblemJSON `json:"problems"`
	Unchanged int                 `json:"unchanged"`
}

type importChangeJSON struct {
	StudentID   string            `json:"student_id"`
	DisplayName string            `json:"display_name"`
	From        attendance.Status `json:"from"`
	To          attendance.Status `json:"to"`
	Note        string            `json:"note"`
}

type importProblemJSON struct {
	Line int    `json:"line"`
	Code string `json:"code"`
	Text string `json:"text"`
}

// apiImport takes a CSV as the body; dry_run=1 changes nothing, reason is one of the list.
func (f *Reports) apiImport(c *gin.Context) error {
	l, access, r, err := f.correctable(c)
	if err != nil {
		return err
	}
	file, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return badPart(err)
	}
	im, err := ReadImport(file, r)
	if err != nil {
		return err
	}
	out := importJSON{Changes: []importChangeJSON{}, Problems: []importProblemJSON{}, Unchanged: im.Unchanged}
	for _, ch := range im.Changes {
		out.Changes = append(out.Changes, importChangeJSON{ch.Student.Number, ch.Student.Name, ch.From, ch.To, ch.Note})
	}
	for _, problem := range im.Problems {
		out.Problems = append(out.Problems, importProblemJSON{problem.Line, problem.Key, web.T(c, problem.Key, problem.Data)})
	}
	if c.Query("dry_run") == "1" {
		return web.JSON(c, http.StatusOK, out)
	}
	if len(im.Problems) > 0 {
		return web.JSON(c, http.StatusBadRequest, out)
	}
	if len(im.Changes) > 0 {
		if err := f.attendance.Correct(c.Request.Context(), access.Viewer.ID, l, im.Changed(c.Query("reason"))...); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	out.Applied = true
	return web.JSON(c, http.StatusOK, out)
}
