package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// mineCSV sends a student their own rows of every register, with all columns.
func (f *Reports) mineCSV(c *gin.Context) error {
	o, err := options(c, true)
	if err == nil {
		o, err = o.check()
	}
	if err != nil {
		return err
	}
	ctx, who := c.Request.Context(), reader(c, web.MustViewer(c))
	if err := f.note(ctx, who, audit.Object("user", who.ID), o, map[string]any{"format": "own.v1"}); err != nil {
		return err
	}
	school := f.accounts.School().Name
	table := report{
		format: "own.v1",
		head:   func(called func(string) string) []string { return calledAll(called, namesOf(o.Preset)) },
		rows: func(line func([]value) error) error {
			return f.attendance.Record(ctx, who.ID, func(r *attendance.Register) error {
				return Subject{School: school, Register: r}.rows(o.Preset, line)
			})
		},
	}
	plain := "my-attendance-" + web.Now(c).Format(time.DateOnly)
	return send(c, newFile(plain, plain, o, who, table))
}

// ownLesson is what is kept of a student about one lesson.
type ownLesson struct {
	Register  any           `json:"register"`
	Intervals []ownInterval `json:"intervals"`
}

type ownInterval struct {
	View        media.ID         `json:"view"`
	DeviceClass string           `json:"device_class"`
	Kind        string           `json:"kind"` // live or replay
	State       attendance.State `json:"state"`
	From        time.Time        `json:"from"`
	To          time.Time        `json:"to"`
}

// mineJSON sends a student everything that registers hold about them, lesson by lesson: the row with its figures,
// corrections and attempts, and each interval of their own pages.
func (f *Reports) mineJSON(c *gin.Context) error {
	ctx, who := c.Request.Context(), reader(c, web.MustViewer(c))
	err := f.noteFile(ctx, who, audit.Object("user", who.ID), map[string]any{"format": "own.v1", "file": "json"})
	if err != nil {
		return err
	}
	day := web.Now(c).Format(time.DateOnly)
	h := c.Writer.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", disposition("my-attendance-"+day, "my-attendance-"+day, ".json"))
	h.Set("Cache-Control", "no-store")
	if _, err := fmt.Fprintf(c.Writer, "{\"user_id\":%q,\"made_at\":%q,\"lessons\":[", who.ID, f.now().UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	first := true
	err = f.attendance.Record(ctx, who.ID, func(r *attendance.Register) error {
		fine, err := f.attendance.Intervals(ctx, r.Lesson, who.ID)
		if err != nil {
			return err
		}
		b, err := json.Marshal(ownLesson{r.JSON(), ownIntervals(fine)})
		if err == nil && !first {
			_, err = io.WriteString(c.Writer, ",\n")
		}
		first = false
		if err == nil {
			_, err = c.Writer.Write(b)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.Writer, "]}\n")
	return err
}

func ownIntervals(fine []attendance.Fine) []ownInterval {
	out := make([]ownInterval, len(fine))
	for i, one := range fine {
		out[i] = ownInterval{one.View, one.DeviceClass, kindOf(one), one.State, one.Time.From.Time().UTC(), one.Time.To.Time().UTC()}
	}
	return out
}

func kindOf(i attendance.Fine) string {
	if i.Replay {
		return "replay"
	}
	return "live"
}
