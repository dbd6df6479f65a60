package classroom

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/captions"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// captionsPage shows the captions of a lesson to those who may change them.
func (k *Classroom) captionsPage(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	return k.showCaptions(c, http.StatusOK, row, access, templates.Captions{})
}

// postCaptions takes a file, or says line by line why not.
func (k *Classroom) postCaptions(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	p := templates.Captions{Errors: map[string]string{}}
	file, err := web.FormFile(c, "file", captions.MaxBytes)
	p.Lang = web.Field(c, "lang")
	if err == nil {
		var problems []captions.Problem
		if problems, err = k.putCaptions(c, row, access, p.Lang, file.Bytes); len(problems) > 0 {
			for _, problem := range problems {
				p.Problems = append(p.Problems, templates.ImportProblem{Line: problem.Line, Text: web.T(c, problem.Key, nil)})
			}
			return k.showCaptions(c, http.StatusBadRequest, row, access, p)
		}
	}
	f, ok := fault.Of(err)
	if ok && f.Kind == fault.KindTooLarge {
		f = fault.TooLarge("captions.too_large").At("file")
	}
	if ok && f.Key != "" && f.Kind != fault.KindNotFound {
		p.Errors[f.Field] = f.Key
		return k.showCaptions(c, f.Kind.Status(), row, access, p)
	}
	if err != nil {
		return err
	}
	web.Flash(c, "good", "captions.done", nil)
	return web.Redirect(c, "/lessons/"+row.ID.String()+"/captions")
}

// putCaptions keeps a file in a language when nothing is wrong with it.
func (k *Classroom) putCaptions(c *gin.Context, row lessons.Lesson, access courses.Access, lang string, file []byte) ([]captions.Problem, error) {
	if row.State == lessons.Cancelled {
		return nil, fault.Conflict("lesson.cancelled")
	}
	lang, err := captions.Language(lang)
	if err != nil {
		return nil, err
	}
	text, cues, problems, err := captions.Parse(file)
	if err != nil || len(problems) > 0 {
		return problems, err
	}
	return nil, k.captions.Put(c.Request.Context(), access.Viewer.ID, row.ID, lang, text, cues)
}

func (k *Classroom) postRemoveCaptions(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	if err := k.captions.Remove(c.Request.Context(), access.Viewer.ID, row.ID, web.Field(c, "lang")); err != nil {
		return err
	}
	web.Flash(c, "good", "captions.removed", nil)
	return web.Redirect(c, "/lessons/"+row.ID.String()+"/captions")
}

func (k *Classroom) showCaptions(c *gin.Context, status int, row lessons.Lesson, access courses.Access, p templates.Captions) error {
	rows, err := k.captions.Of(c.Request.Context(), row.ID)
	if err != nil {
		return err
	}
	zone := web.Now(c).Location()
	for _, r := range rows {
		p.Files = append(p.Files, templates.CaptionFile{Lang: r.Lang, Name: captions.Name(r.Lang), Cues: r.Cues, At: r.At.Time().In(zone)})
	}
	for _, l := range captions.Languages {
		p.Languages = append(p.Languages, templates.CaptionLanguage{Tag: l.Tag, Name: l.Name})
	}
	if p.Lesson, err = k.card(c.Request.Context(), row, access.Course, access.Role); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// captionJSON is one text track of a replay.
type captionJSON struct {
	Lang string `json:"lang"`
	Name string `json:"name"` // as the language calls itself
	URL  string `json:"url"`
}

// captionsOf lists the text tracks of a replay.
func (k *Classroom) captionsOf(ctx context.Context, lesson media.ID) ([]captionJSON, error) {
	rows, err := k.captions.Of(ctx, lesson)
	out := make([]captionJSON, 0, len(rows))
	for _, r := range rows {
		out = append(out, captionJSON{r.Lang, captions.Name(r.Lang), "/api/v1/lessons/" + lesson.String() + "/captions/" + r.Lang})
	}
	return out, err
}

// apiCaptions sends one file to everybody who may watch the lesson.
func (k *Classroom) apiCaptions(c *gin.Context) error {
	row, _, err := k.Attendance.Lesson(c, courses.Watch)
	if err != nil {
		return err
	}
	text, err := k.captions.File(c.Request.Context(), row.ID, c.Param("lang"))
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-cache")
	c.Data(http.StatusOK, "text/vtt; charset=utf-8", []byte(text))
	return nil
}

// captionsResult says what became of a file that a program sent.
type captionsResult struct {
	Problems []importProblem `json:"problems"`
}

type importProblem struct {
	Line int    `json:"line"`
	Code string `json:"code"`
	Text string `json:"text"`
}

// apiPutCaptions takes a file as the body.
func (k *Classroom) apiPutCaptions(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	file, err := web.ReadBody(c)
	if err != nil {
		return err
	}
	problems, err := k.putCaptions(c, row, access, c.Param("lang"), file)
	if err != nil {
		return err
	}
	out, status := captionsResult{Problems: []importProblem{}}, http.StatusOK
	for _, p := range problems {
		status = http.StatusBadRequest
		out.Problems = append(out.Problems, importProblem{p.Line, p.Key, web.T(c, p.Key, nil)})
	}
	return web.JSON(c, status, out)
}

func (k *Classroom) apiRemoveCaptions(c *gin.Context) error {
	row, access, err := k.Attendance.Lesson(c, courses.EditSchedule)
	if err != nil {
		return err
	}
	if err := k.captions.Remove(c.Request.Context(), access.Viewer.ID, row.ID, c.Param("lang")); err != nil {
		return err
	}
	return web.NoContent(c)
}
