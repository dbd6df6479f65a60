package reports

import (
	"fmt"
	"time"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
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
	s.Handle("GET", "/api/v1/lessons/:id/register.csv", web.CourseTeacher, f.registerCSV, web.Stream())
}

// registerCSV sends the register of a lesson. Options: preset (full, short), separator, bom, encoding; see ParseForm.
func (f *Reports) registerCSV(c *gin.Context) error {
	l, access, err := f.attendance.Lesson(c, courses.ExportRegister)
	if err != nil {
		return err
	}
	preset := Preset(c.DefaultQuery("preset", string(Full)))
	if preset != Full && preset != Short {
		return fault.Invalid("report.preset").At("preset")
	}
	form, err := ParseForm(c.Query("separator"), c.Query("bom"), c.Query("encoding"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	r, err := f.attendance.Register(ctx, l)
	if err != nil {
		return err
	}
	// First the line in the audit log, then the first byte: nothing leaves unnoticed.
	err = f.db.Tx(ctx, func(tx *gorm.DB) error {
		return audit.Write(ctx, tx, audit.Line{
			At: f.now(), Actor: access.Viewer.ID, Action: "register.export", Object: audit.Object("lesson", l.ID),
			Detail: map[string]any{"format": "register.v1", "preset": preset, "file": "csv", "rows": len(r.Rows), "version": r.Version},
		})
	})
	if err != nil {
		return fmt.Errorf("note export: %w", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Type", form.contentType())
	plain := "register-"
	if !r.Closed() {
		plain = "register-provisional-"
	}
	plain += l.LocalDate + "-" + l.ID.String()
	h.Set("Content-Disposition", disposition(r.Course.Code+" "+l.LocalDate+" "+l.Title, plain, ".csv"))
	h.Set("Cache-Control", "no-store")
	return WriteCSV(c.Writer, Subject{School: f.accounts.School().Name, Register: r}, preset, form)
}

func (f Form) contentType() string {
	if f.UTF16 {
		return "text/csv; charset=utf-16le; header=present"
	}
	return "text/csv; charset=utf-8; header=present"
}
