package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/classroom/reports"
	"chalkcast/media"
	"chalkcast/templates"
)

// exportCmd writes the files that pages and API give, byte for byte.
type exportCmd struct {
	Register  exportRegisterCmd  `cmd:"" help:"The register of a lesson."`
	Matrix    exportMatrixCmd    `cmd:"" help:"Students by lessons of a course."`
	Students  exportStudentsCmd  `cmd:"" help:"What the page Registers finds: a row for each student and course."`
	Summary   exportSummaryCmd   `cmd:"" help:"The courses week by week, all students together."`
	Intervals exportIntervalsCmd `cmd:"" help:"Everything recorded of a lesson, live and replay."`
}

// exportForm is how a file is written. The names and words are those of the API.
type exportForm struct {
	As        string `help:"Address of the admin in whose name it is made: the audit log says so." required:"" placeholder:"EMAIL" env:"-"`
	Format    string `help:"xlsx or csv. (default ${default})" enum:"xlsx,csv" default:"xlsx" env:"-"`
	Separator string `help:"Of a CSV: comma, semicolon or tab." placeholder:"NAME" env:"-"`
	Bom       string `help:"Of a CSV: 1 with the byte order mark, 0 without." placeholder:"1|0" env:"-"`
	Encoding  string `help:"Of a CSV: utf-8 or utf-16le." placeholder:"NAME" env:"-"`
	Lang      string `help:"Language of a workbook's headers; that of the admin when left out." placeholder:"CODE" env:"-"`
	Out       string `help:"File to write; standard output when left out." short:"o" placeholder:"FILE" env:"-"`
}

type exportRegisterCmd struct {
	Lesson media.ID `arg:"" help:"The lesson, as in its address."`
	Preset string   `help:"full or short. (default ${default})" default:"full" env:"-"`

	exportForm
	settings
}

// Run writes the register. The server may run meanwhile.
func (e *exportRegisterCmd) Run(ctx context.Context, env *environment) error {
	return e.exportForm.write(ctx, &e.settings, env, func(d *desk, who reports.Reader, o reports.Options) (*reports.File, error) {
		l, err := d.lessons.Find(ctx, e.Lesson)
		if err != nil {
			return nil, fmt.Errorf("find lesson %s: %w", e.Lesson, err)
		}
		o.Preset = reports.Preset(e.Preset)
		return d.reports.Register(ctx, who, l, o)
	})
}

type exportMatrixCmd struct {
	Course media.ID `arg:"" help:"The course, as in its address."`
	From   string   `help:"First day, as in 2026-09-01; 14 weeks back when left out." placeholder:"DATE" env:"-"`
	To     string   `help:"Last day; today when left out." placeholder:"DATE" env:"-"`

	exportForm
	settings
}

// Run writes the matrix.
func (e *exportMatrixCmd) Run(ctx context.Context, env *environment) error {
	return e.exportForm.write(ctx, &e.settings, env, func(d *desk, who reports.Reader, o reports.Options) (*reports.File, error) {
		from, until, err := attendance.ParsePeriod(e.From, e.To, time.Now().In(d.accounts.WebSchool().Zone))
		if err != nil {
			return nil, err
		}
		return d.reports.Matrix(ctx, who, e.Course, from, until, o)
	})
}

// exportFilter chooses among the registers of the school, as the page does.
type exportFilter struct {
	From    string `help:"First day, as in 2026-09-01; 14 weeks back when left out." placeholder:"DATE" env:"-"`
	To      string `help:"Last day; today when left out." placeholder:"DATE" env:"-"`
	Course  string `help:"Only this course, as in its address." placeholder:"ID" env:"-"`
	Teacher string `help:"Only courses of this person." placeholder:"ID" env:"-"`
	Student string `help:"Only students whose name, number or address holds this." placeholder:"TEXT" env:"-"`
	Status  string `help:"Only students who have this status at least once." placeholder:"STATUS" env:"-"`
	Below   bool   `help:"Only students under 80 %." env:"-"`
}

func (f *exportFilter) filter(d *desk) (attendance.Filter, error) {
	options := map[string]string{"from": f.From, "to": f.To, "course": f.Course, "teacher": f.Teacher, "student": f.Student, "status": f.Status}
	if f.Below {
		options["below"] = "1"
	}
	return attendance.ParseFilter(func(name string) string { return options[name] }, time.Now().In(d.accounts.WebSchool().Zone))
}

type exportStudentsCmd struct {
	exportFilter
	exportForm
	settings
}

// Run writes the students that the filter finds.
func (e *exportStudentsCmd) Run(ctx context.Context, env *environment) error {
	return e.exportForm.write(ctx, &e.settings, env, func(d *desk, who reports.Reader, o reports.Options) (*reports.File, error) {
		f, err := e.filter(d)
		if err != nil {
			return nil, err
		}
		return d.reports.Standings(ctx, who, f, o)
	})
}

type exportSummaryCmd struct {
	exportFilter
	exportForm
	settings
}

// Run writes the weeks of the courses that the filter finds.
func (e *exportSummaryCmd) Run(ctx context.Context, env *environment) error {
	return e.exportForm.write(ctx, &e.settings, env, func(d *desk, who reports.Reader, o reports.Options) (*reports.File, error) {
		f, err := e.filter(d)
		if err != nil {
			return nil, err
		}
		return d.reports.Summary(ctx, who, f, o)
	})
}

type exportIntervalsCmd struct {
	Lesson media.ID `arg:"" help:"The lesson, as in its address."`

	exportForm
	settings
}

// Run writes what was recorded.
func (e *exportIntervalsCmd) Run(ctx context.Context, env *environment) error {
	return e.exportForm.write(ctx, &e.settings, env, func(d *desk, who reports.Reader, o reports.Options) (*reports.File, error) {
		l, err := d.lessons.Find(ctx, e.Lesson)
		if err != nil {
			return nil, fmt.Errorf("find lesson %s: %w", e.Lesson, err)
		}
		return d.reports.Intervals(ctx, who, l, o)
	})
}

// desk is what commands work with: the classroom without its doors.
type desk struct {
	accounts *accounts.Accounts
	courses  *courses.Courses
	lessons  *lessons.Lessons
	reports  *reports.Reports
}

func openDesk(ctx context.Context, db *database.DB, env *environment, s *settings) (*desk, error) {
	log := env.logger(s.logSettings)
	acc, err := accounts.New(ctx, accounts.Config{DB: db, Log: log})
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	bus, err := push.NewLocal(nil)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	co := courses.New(courses.Config{DB: db, Log: log})
	les := lessons.New(lessons.Config{DB: db, Accounts: acc, Courses: co, Bus: bus, Log: log})
	att := attendance.New(attendance.Config{DB: db, Accounts: acc, Courses: co, Lessons: les, Log: log})
	return &desk{acc, co, les, reports.New(reports.Config{DB: db, Accounts: acc, Attendance: att})}, nil
}

// write opens the database, makes the file and writes it where it is wanted.
func (e *exportForm) write(ctx context.Context, s *settings, env *environment, of func(*desk, reports.Reader, reports.Options) (*reports.File, error)) error {
	o := reports.Options{CSV: e.Format == "csv"}
	var err error
	if o.Form, err = reports.ParseForm(e.Separator, e.Bom, e.Encoding); err != nil {
		return err
	}
	if err := s.complete(usualData); err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: s.Database, Log: env.logger(s.logSettings)})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	d, err := openDesk(ctx, db, env, s)
	if err != nil {
		return err
	}
	who, err := e.reader(ctx, d)
	if err != nil {
		return err
	}
	file, err := of(d, who, o)
	if err != nil {
		return err
	}
	bar, rows := newProgress(env.stderr), int64(0)
	return e.save(env.stdout, file, func() {
		rows++
		bar.say("Rows", rows, int64(file.Rows))
	})
}

// reader is the admin in whose name the file is made.
func (e *exportForm) reader(ctx context.Context, d *desk) (reports.Reader, error) {
	u, err := adminByEmail(ctx, d.accounts, e.As)
	if err != nil {
		return reports.Reader{}, err
	}
	pages, err := templates.New()
	if err != nil {
		return reports.Reader{}, err
	}
	lang := e.Lang
	if lang == "" {
		lang = u.Lang
	}
	if lang == "" {
		lang = d.accounts.School().Lang
	}
	return reports.Reader{ID: u.ID, Name: u.DisplayName, Lang: lang, T: func(key string, data map[string]any) string { return pages.T(lang, key, data) }}, nil
}

// save writes the file; what could not be written whole does not stay.
func (e *exportForm) save(stdout io.Writer, file *reports.File, row func()) error {
	if e.Out == "" {
		return file.Write(stdout, row)
	}
	f, err := os.OpenFile(e.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := errors.Join(file.Write(f, row), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("export: %w", err), os.Remove(e.Out))
	}
	return nil
}
