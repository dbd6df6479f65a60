package reports

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/web"
)

// Config is what New needs.
type Config struct {
	DB         *database.DB
	Accounts   *accounts.Accounts
	Attendance *attendance.Attendance
	Now        func() time.Time // nil means time.Now
}

// Reports is the feature. Safe for concurrent use.
type Reports struct {
	db         *database.DB
	accounts   *accounts.Accounts
	attendance *attendance.Attendance
	now        func() time.Time
}

// New returns the feature.
func New(cfg Config) *Reports {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reports{db: cfg.DB, accounts: cfg.Accounts, attendance: cfg.Attendance, now: cfg.Now}
}

// Routes adds the feature's routes.
func (f *Reports) Routes(s *web.Server) {
	s.Handle("GET", "/api/v1/lessons/:id/register.csv", web.CourseTeacher, f.register(true), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/lessons/:id/register.xlsx", web.CourseTeacher, f.register(false), web.Stream(), web.Strong())
	s.Handle("GET", "/lessons/:id/register/import", web.CourseTeacher, f.importPage)
	s.Handle("POST", "/lessons/:id/register/import", web.CourseTeacher, f.importForm, web.Body(maxImportForm))
	s.Handle("POST", "/api/v1/lessons/:id/register/import", web.CourseTeacher, f.apiImport, web.Body(maxImport))
	s.Handle("GET", "/api/v1/lessons/:id/intervals.csv", web.Admin, f.intervals(true), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/lessons/:id/intervals.xlsx", web.Admin, f.intervals(false), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/courses/:id/matrix.csv", web.CourseTeacher, f.matrix(true), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/courses/:id/matrix.xlsx", web.CourseTeacher, f.matrix(false), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/me/attendance", web.SignedIn, f.mineJSON, web.Stream())
	s.Handle("GET", "/api/v1/me/attendance.csv", web.SignedIn, f.mineCSV, web.Stream())
	s.Handle("GET", "/api/v1/registers.csv", web.Admin, f.overview(true, f.Standings), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/registers.xlsx", web.Admin, f.overview(false, f.Standings), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/summary.csv", web.Admin, f.overview(true, f.Summary), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/summary.xlsx", web.Admin, f.overview(false, f.Summary), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/users/:user/export.json", web.Admin, f.person(false), web.Stream(), web.Strong())
	s.Handle("GET", "/api/v1/users/:user/export.zip", web.Admin, f.person(true), web.Stream(), web.Strong())
}

// intervals sends what was recorded of a lesson.
func (f *Reports) intervals(csv bool) web.Handler {
	return func(c *gin.Context) error {
		l, access, err := f.attendance.Lesson(c, courses.SeeRegister)
		if err != nil {
			return err
		}
		o, err := options(c, csv)
		if err != nil {
			return err
		}
		file, err := f.Intervals(c.Request.Context(), reader(c, access.Viewer), l, o)
		if err != nil {
			return err
		}
		return send(c, file)
	}
}

// matrix sends the matrix of a course; from and to choose the lessons.
func (f *Reports) matrix(csv bool) web.Handler {
	return func(c *gin.Context) error {
		access, err := f.attendance.Course(c, courses.ExportRegister)
		if err != nil {
			return err
		}
		o, err := options(c, csv)
		if err != nil {
			return err
		}
		from, until, err := attendance.ParsePeriod(c.Query("from"), c.Query("to"), web.Now(c))
		if err != nil {
			return err
		}
		file, err := f.Matrix(c.Request.Context(), reader(c, access.Viewer), access.Course.ID, from, until, o)
		if err != nil {
			return err
		}
		return send(c, file)
	}
}

// overview sends what the filter of the page of registers finds.
func (f *Reports) overview(csv bool, of func(context.Context, Reader, attendance.Filter, Options) (*File, error)) web.Handler {
	return func(c *gin.Context) error {
		o, err := options(c, csv)
		if err != nil {
			return err
		}
		filter, err := attendance.FilterOf(c)
		if err != nil {
			return err
		}
		file, err := of(c.Request.Context(), reader(c, web.MustViewer(c)), filter, o)
		if err != nil {
			return err
		}
		return send(c, file)
	}
}

// register sends the register of a lesson. Options: preset (full, short); of a CSV also separator, bom, encoding,
// see ParseForm.
func (f *Reports) register(csv bool) web.Handler {
	return func(c *gin.Context) error {
		l, access, err := f.attendance.Lesson(c, courses.ExportRegister)
		if err != nil {
			return err
		}
		o, err := options(c, csv)
		if err != nil {
			return err
		}
		file, err := f.Register(c.Request.Context(), reader(c, access.Viewer), l, o)
		if err != nil {
			return err
		}
		return send(c, file)
	}
}

func options(c *gin.Context, csv bool) (o Options, err error) {
	o = Options{Preset: Preset(c.Query("preset")), CSV: csv}
	if csv {
		o.Form, err = ParseForm(c.Query("separator"), c.Query("bom"), c.Query("encoding"))
	}
	return o, err
}

func reader(c *gin.Context, v *web.Viewer) Reader {
	return Reader{ID: v.ID, Name: v.Name, Lang: web.Lang(c), T: func(key string, data map[string]any) string { return web.T(c, key, data) }}
}

func send(c *gin.Context, file *File) error {
	h := c.Writer.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", file.Disposition)
	h.Set("Cache-Control", "no-store")
	return file.Write(c.Writer, nil)
}

func (f Form) contentType() string {
	if f.UTF16 {
		return "text/csv; charset=utf-16le; header=present"
	}
	return "text/csv; charset=utf-8; header=present"
}
