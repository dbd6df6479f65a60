package courses

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// How much of a list a page shows; all of it may be 20,000 lines.
const (
	maxShownLines    = 100
	maxShownMistakes = 200
)

func (f *Courses) uploadPage(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	return f.showUpload(c, http.StatusOK, a, nil)
}

func (f *Courses) showUpload(c *gin.Context, status int, a Access, wrong *fault.Fault) (err error) {
	p := templates.RosterUpload{ID: a.Course.ID.String(), Code: a.Course.Code, Title: a.Course.Title}
	if wrong != nil {
		p.Error, p.Data = wrong.Key, wrong.Data
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// postUpload keeps a file, to be looked at. What nobody can read is refused at once.
func (f *Courses) postUpload(c *gin.Context) error {
	a, err := f.access(c, Enroll)
	if err != nil {
		return err
	}
	file, err := web.FormFile(c, "file", roster.MaxBytes)
	if err == nil {
		_, err = roster.Read(file.Bytes, "")
	}
	if wrong, ok := fault.Of(err); ok && wrong.Key != "roster.encoding" { // that one, a person may know
		if wrong.Kind == fault.KindTooLarge {
			wrong = fault.TooLarge("roster.too_large").With("MiB", roster.MaxBytes>>20)
		}
		if wrong.Key == "" {
			return err
		}
		return f.showUpload(c, wrong.Kind.Status(), a, wrong)
	}
	if err != nil && !fault.Is(err, fault.KindInvalid) {
		return err
	}
	row := rosterRow{
		ID: media.NewID(), CourseID: a.Course.ID, ByID: a.Viewer.ID, Name: fileName(file.Name), Content: file.Bytes,
		State: rosterPreview, Outcome: "{}", MadeAt: database.At(f.now()),
	}
	err = f.db.Tx(c.Request.Context(), func(tx *gorm.DB) error {
		if err := dropRosters(c.Request.Context(), tx, a.Course.ID, a.Viewer.ID); err != nil {
			return err
		}
		return insertRoster(c.Request.Context(), tx, row)
	})
	if err != nil {
		return fmt.Errorf("keep roster: %w", err)
	}
	return web.Redirect(c, uploadPath(a, row.ID))
}

func uploadPath(a Access, id media.ID) string {
	return "/courses/" + a.Course.ID.String() + "/import/" + id.String()
}

// fileName is what a browser calls a file, fit to be shown.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80]) + "…"
	}
	return s
}

// upload reads what the path names: somebody's own upload, in a course where they enroll.
func (f *Courses) upload(c *gin.Context) (a Access, r rosterRow, err error) {
	if a, err = f.access(c, Enroll); err != nil {
		return a, r, err
	}
	id, err := web.ID(c, "import")
	if err != nil {
		return a, r, err
	}
	r, err = rosterOf(c.Request.Context(), f.db.Reader(), a.Course.ID, id)
	if errors.Is(err, database.ErrNotFound) || err == nil && r.ByID != a.Viewer.ID {
		return a, r, fault.NotFound("roster.gone")
	}
	if err != nil {
		err = fmt.Errorf("read upload: %w", err)
	}
	return a, r, err
}

// importPage shows an upload: what it would do, how far it is, what it did.
func (f *Courses) importPage(c *gin.Context) error {
	a, r, err := f.upload(c)
	if err != nil {
		return err
	}
	if r.State == rosterPreview {
		return f.showPreview(c, a, r)
	}
	p := templates.RosterState{ID: a.Course.ID.String(), Code: a.Course.Code, Title: a.Course.Title, State: r.State}
	var o rosterOutcome
	if err := json.Unmarshal([]byte(r.Outcome), &o); err != nil {
		return fmt.Errorf("read outcome of a roster: %w", err)
	}
	p.Counts = templates.RosterCounts{
		New: o.New, Made: o.Made, Changed: o.Changed, Unchanged: o.Unchanged, Missing: o.Missing, Ended: o.Ended, Kept: o.Kept,
	}
	p.Fault = o.Fault
	if r.State == rosterQueued {
		p.Done, p.Total = f.rosters.progressOf(r.ID)
		c.Header("Refresh", "1") // works without script
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (f *Courses) showPreview(c *gin.Context, a Access, r rosterRow) error {
	ctx := c.Request.Context()
	content, err := rosterContent(ctx, f.db.Reader(), r.ID)
	if err != nil {
		return fmt.Errorf("read upload: %w", err)
	}
	encoding := c.Query("as")
	if encoding == "" {
		encoding = r.Encoding
	}
	p := templates.RosterReview{
		ID: a.Course.ID.String(), Code: a.Course.Code, Title: a.Course.Title, Upload: r.ID.String(), File: r.Name,
		Encoding: encoding, Encodings: roster.Encodings, EndMissing: r.EndMissing,
	}
	file, err := roster.Read(content, encoding)
	if wrong, ok := fault.Of(err); ok { // only with an encoding can it still be read
		p.Mistakes, p.MistakeCount = []templates.RosterMistake{{Key: wrong.Key, Data: wrong.Data}}, 1
	} else if err != nil {
		return err
	} else {
		report, err := f.ImportRoster(ctx, RosterImport{Course: a.Course.ID, By: NewImporter(a), File: file, DryRun: true})
		if err != nil {
			return err
		}
		fillPreview(&p, file, report)
		for _, m := range report.Gone[:min(len(report.Gone), maxShownLines)] {
			p.Gone = append(p.Gone, f.onPage(m))
		}
	}
	if p.Page, err = web.NewPage(c, "courses"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func fillPreview(p *templates.RosterReview, file *roster.File, r *RosterReport) {
	p.Encoding, p.Separator = file.Encoding, separators[file.Separator]
	for _, col := range file.Columns {
		p.Columns = append(p.Columns, templates.RosterColumn{Heading: col.Heading, Means: col.Means})
	}
	p.Counts = templates.RosterCounts{New: r.New, Made: r.Made, Changed: r.Changed, Unchanged: r.Unchanged, Missing: r.Missing, Kept: r.Kept}
	p.MistakeCount = r.Mistakes.N
	for _, m := range r.Mistakes.List[:min(len(r.Mistakes.List), maxShownMistakes)] {
		p.Mistakes = append(p.Mistakes, templates.RosterMistake{Line: m.Line, Column: m.Fault.Field, Key: keyOf(m.Fault), Data: m.Fault.Data})
	}
	for _, row := range r.Rows {
		line := templates.RosterLine{Line: row.Line, Name: row.Name, StudentID: row.StudentID, Email: row.Email, Group: row.Group, Role: string(row.Role)}
		switch {
		case row.Change == rowNew && len(p.New) < maxShownLines:
			p.New = append(p.New, line)
		case row.Change == rowChanged && len(p.Changed) < maxShownLines:
			p.Changed = append(p.Changed, line)
		}
	}
}

var separators = map[rune]string{',': "comma", ';': "semicolon", '\t': "tab"}

// keyOf is the sentence of a mistake, also of one that has none of its own.
func keyOf(f *fault.Fault) string {
	if f.Key == "" {
		return "error.400"
	}
	return f.Key
}

// postImport applies an upload that was looked at. Another goroutine does it; the page shows how far it is.
func (f *Courses) postImport(c *gin.Context) error {
	a, r, err := f.upload(c)
	if err != nil {
		return err
	}
	if err := web.Form(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		_, err := queueRoster(ctx, tx, a.Course.ID, r.ID, web.Field(c, "as"), web.Field(c, "end_missing") != "")
		return err
	})
	if err != nil {
		return fmt.Errorf("queue roster: %w", err)
	}
	select {
	case f.rosters.wake <- struct{}{}:
	default: // it is awake
	}
	return web.Redirect(c, uploadPath(a, r.ID))
}

// postDiscard forgets what this person uploaded in the course.
func (f *Courses) postDiscard(c *gin.Context) error {
	a, _, err := f.upload(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := f.db.Tx(ctx, func(tx *gorm.DB) error { return dropRosters(ctx, tx, a.Course.ID, a.Viewer.ID) }); err != nil {
		return fmt.Errorf("discard roster: %w", err)
	}
	return web.Redirect(c, peoplePath(a))
}
