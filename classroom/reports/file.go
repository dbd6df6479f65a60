package reports

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
	"chalkcast/templates"
)

// Reader is for whom a file is made.
type Reader struct {
	ID   media.ID
	Name string
	Lang string
	T    func(key string, data map[string]any) string // the reader's catalogue
}

// Options is how a file is to be written. The zero value is a workbook with all columns.
type Options struct {
	Preset Preset // empty: Full
	CSV    bool   // else XLSX
	Form   Form   // of a CSV
}

// check returns the options with their defaults.
func (o Options) check() (Options, error) {
	if o.Preset == "" {
		o.Preset = Full
	}
	if o.Preset != Full && o.Preset != Short {
		return o, fault.Invalid("report.preset").At("preset")
	}
	return o, nil
}

func (o Options) extension() string {
	if o.CSV {
		return ".csv"
	}
	return ".xlsx"
}

func (o Options) contentType() string {
	if o.CSV {
		return o.Form.contentType()
	}
	return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
}

// File is a report that is ready to be written. That it was made stands in the audit log already.
type File struct {
	ContentType string
	Disposition string // of an answer that is saved under the file's name
	Name        string // in ASCII
	Rows        int    // without the header
	write       func(w io.Writer, each func()) error
}

// Write writes the file, as it comes. It calls each, which may be nil, after every row.
func (f *File) Write(w io.Writer, each func()) error {
	if each == nil {
		each = func() {}
	}
	return f.write(w, each)
}

func newFile(title, plain string, o Options, who Reader, r report) *File {
	return &File{
		ContentType: o.contentType(), Disposition: disposition(title, plain, o.extension()), Name: plain + o.extension(),
		Rows: r.count, write: func(w io.Writer, each func()) error { return r.write(w, o, who, each) },
	}
}

// Register makes the file of a lesson's register. Whoever calls it has asked for the right to export.
func (f *Reports) Register(ctx context.Context, who Reader, l lessons.Lesson, o Options) (*File, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	r, err := f.attendance.Register(ctx, l)
	if err != nil {
		return nil, err
	}
	err = f.note(ctx, who, audit.Object("lesson", l.ID), o, map[string]any{
		"format": "register.v1", "preset": o.Preset, "rows": len(r.Rows), "version": r.Version,
	})
	if err != nil {
		return nil, err
	}
	plain := "register-"
	if !r.Closed() {
		plain = "register-provisional-"
	}
	plain += l.LocalDate + "-" + l.ID.String()
	s := Subject{School: f.accounts.School().Name, Register: r}
	return newFile(r.Course.Code+" "+l.LocalDate+" "+l.Title, plain, o, who, s.report(o.Preset, who, f.now())), nil
}

// note writes the audit line. It comes before the first byte: nothing leaves unnoticed.
func (f *Reports) note(ctx context.Context, who Reader, object string, o Options, detail map[string]any) error {
	detail["file"] = o.extension()[1:]
	return f.noteFile(ctx, who, object, detail)
}

func (f *Reports) noteFile(ctx context.Context, who Reader, object string, detail map[string]any) error {
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		return audit.Write(ctx, tx, audit.Line{At: f.now(), Actor: who.ID, Action: "register.export", Object: object, Detail: detail})
	})
	if err != nil {
		return fmt.Errorf("note export: %w", err)
	}
	return nil
}

// report is the table of a register with the columns of a preset.
func (s Subject) report(p Preset, who Reader, now time.Time) report {
	return report{
		title: who.T("export.register", nil), format: "register.v1", about: s.about(who, now), count: len(s.Register.Rows),
		head: func(called func(string) string) []string { return calledAll(called, namesOf(p)) },
		rows: func(line func([]value) error) error { return s.rows(p, line) },
	}
}

// about says where a register comes from and by which rule.
func (s Subject) about(who Reader, now time.Time) []aboutLine {
	r, zone := s.Register, s.Register.Course.Zone
	line := func(key string, v value) aboutLine { return aboutLine{who.T(key, nil), v} }
	state := who.T("export.provisional", nil)
	if r.Closed() {
		state = who.T("export.closed_version", map[string]any{"Version": r.Version})
	}
	lines := []aboutLine{
		line("export.school", person(s.School)),
		line("export.course", person(r.Course.Code+" · "+r.Course.Title)),
		line("export.lesson", person(r.Lesson.Title)),
		line("column.date", date(r.Lesson.LocalDate)),
		line("export.zone", name(zone.String())),
		line("export.rule", person(policySentence(who, r.Policy))),
		line("column.policy_version", number(r.PolicyVersion)),
		line("export.state", person(state)),
	}
	return append(lines, madeBy(who, now.In(zone), "register.v1")...)
}

// madeBy says who made a file, when, and in which format.
func madeBy(who Reader, now time.Time, format string) []aboutLine {
	return []aboutLine{
		{who.T("export.made_at", nil), value{kind: moment, at: now}},
		{who.T("export.made_by", nil), person(who.Name)},
		{who.T("export.format", nil), name(format)},
	}
}

func policySentence(who Reader, p attendance.Policy) string {
	page := p.Page()
	text := who.T("policy.sentence", map[string]any{
		"Present": page.PresentAt, "Absent": page.AbsentBelow, "Late": templates.Exact(page.LateAfter), "Early": templates.Exact(page.EarlyBefore),
		"Bridge": templates.Exact(page.Bridge), "Outage": templates.Exact(page.OutageMerge),
	})
	if page.MakeupDays > 0 {
		text = templates.JoinSentences(who.Lang, text, who.T("policy.makeup", map[string]any{"Percent": page.MakeupPct, "N": page.MakeupDays}))
	}
	return strings.ReplaceAll(text, "\u00a0", " ") // what keeps a number beside its unit on a page is in the way in a cell
}
