package classroom

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// auditLines is how many lines a page shows.
const auditLines = 100

// auditActions are offered in the filter: what lines are about, and the commonest of them.
var auditActions = []string{
	"access.denied", "audit.export", "broadcast.", "captions.", "course.", "enrollment.", "key.", "lesson.", "link.", "policy.", "recording.view", "register.",
	"retention.run", "roster.import", "school.", "series.", "session.", "session.refused", "token.", "user.",
}

// auditPage shows what was done, the latest first.
func (k *Classroom) auditPage(c *gin.Context) error {
	p := templates.Audit{
		Who: c.Query("who"), What: c.Query("what"), About: c.Query("about"), From: c.Query("from"), To: c.Query("to"), Actions: auditActions,
	}
	f, err := k.auditFilter(c)
	switch wrong, ok := fault.Of(err); {
	case ok && wrong.Key != "":
		p.Error = wrong.Key
	case err != nil:
		return err
	default:
		if err := k.auditEntries(c.Request.Context(), f, &p); err != nil {
			return err
		}
	}
	if p.Page, err = web.NewPage(c, "audit"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (k *Classroom) auditEntries(ctx context.Context, f audit.Filter, p *templates.Audit) error {
	entries, err := audit.Search(ctx, k.cfg.DB.Reader(), f, auditLines)
	if err != nil {
		return err
	}
	names := map[media.ID]string{}
	for _, e := range entries {
		line, err := k.auditLine(ctx, e, names)
		if err != nil {
			return err
		}
		p.Lines = append(p.Lines, line)
	}
	chosen := url.Values{}
	for name, value := range map[string]string{"who": p.Who, "what": p.What, "about": p.About, "from": p.From, "to": p.To} {
		if value != "" {
			chosen.Set(name, value)
		}
	}
	p.Query = chosen.Encode()
	if len(entries) == auditLines {
		chosen.Set("before", strconv.FormatInt(entries[len(entries)-1].Seq, 10))
		p.More = chosen.Encode()
	}
	return nil
}

// auditLine puts a line into words. names keeps who was looked up.
func (k *Classroom) auditLine(ctx context.Context, e audit.Entry, names map[media.ID]string) (templates.AuditLine, error) {
	line := templates.AuditLine{Seq: e.Seq, At: e.At.In(k.Accounts.School().Zone), Action: e.Action, Object: e.Object}
	if e.Actor != 0 {
		name, known := names[e.Actor]
		if !known {
			u, err := k.Accounts.User(ctx, e.Actor)
			if err != nil && !errors.Is(err, database.ErrNotFound) {
				return line, err
			}
			if name = u.DisplayName; name == "" {
				name = e.Actor.String()
			}
			names[e.Actor] = name
		}
		line.Who = name
	}
	if len(e.Detail) > 0 {
		text, err := json.Marshal(e.Detail)
		if err != nil {
			return line, fmt.Errorf("read audit line %d: %w", e.Seq, err)
		}
		line.Detail = string(text)
	}
	return line, nil
}

// auditFilter reads ?who=address or id, what=action, about=kind:id, from=day, to=day, before=number.
func (k *Classroom) auditFilter(c *gin.Context) (f audit.Filter, err error) {
	f.Action, f.Object = strings.TrimSpace(c.Query("what")), strings.TrimSpace(c.Query("about"))
	if who := strings.TrimSpace(c.Query("who")); who != "" {
		if f.Actor, err = k.auditActor(c.Request.Context(), who); err != nil {
			return f, err
		}
	}
	zone := k.Accounts.School().Zone
	if f.From, err = dayOf(c.Query("from"), zone); err != nil {
		return f, err
	}
	if f.Until, err = dayOf(c.Query("to"), zone); err != nil {
		return f, err
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
	}
	if before := c.Query("before"); before != "" {
		if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil {
			return f, fault.Invalid("").At("before").Because(err)
		}
	}
	return f, nil
}

func (k *Classroom) auditActor(ctx context.Context, who string) (media.ID, error) {
	if id, err := media.ParseID(who); err == nil {
		return id, nil
	}
	u, err := k.Accounts.UserByEmail(ctx, who)
	if errors.Is(err, database.ErrNotFound) {
		return 0, fault.Invalid("audit.nobody_found").At("who")
	}
	return u.ID, err
}

// dayOf is the begin of a day, zero for none.
func dayOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := lessons.ResolveLocal(text, "00:00", zone.String())
	if err != nil {
		return t, fault.Invalid("period.date").Because(err)
	}
	return t, nil
}

// auditFile is the lines of a filter as CSV, in UTC. Who takes it away is a line too.
func (k *Classroom) auditFile(c *gin.Context) error {
	f, err := k.auditFilter(c)
	if err != nil {
		return err
	}
	ctx, now := c.Request.Context(), k.now()
	err = k.cfg.DB.Tx(ctx, func(tx *gorm.DB) error {
		return audit.Write(ctx, tx, audit.Line{
			At: now, Actor: web.MustViewer(c).ID, Action: "audit.export", Object: "audit", Detail: map[string]any{"what": f.Action, "about": f.Object},
		})
	})
	if err != nil {
		return fmt.Errorf("note export: %w", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="audit-`+now.UTC().Format(time.DateOnly)+`.csv"`)
	h.Set("Cache-Control", "no-store")
	if _, err := c.Writer.WriteString("\ufeff"); err != nil {
		return err
	}
	return k.writeAudit(ctx, csv.NewWriter(c.Writer), f)
}

func (k *Classroom) writeAudit(ctx context.Context, w *csv.Writer, f audit.Filter) error {
	w.UseCRLF = true
	if err := w.Write([]string{"number", "at", "actor_id", "actor", "action", "object", "detail"}); err != nil {
		return err
	}
	names := map[media.ID]string{}
	for {
		entries, err := audit.Search(ctx, k.cfg.DB.Reader(), f, 1000)
		if err != nil || len(entries) == 0 {
			w.Flush()
			return errors.Join(err, w.Error())
		}
		for _, e := range entries {
			line, err := k.auditLine(ctx, e, names)
			if err != nil {
				return err
			}
			actor := ""
			if e.Actor != 0 {
				actor = e.Actor.String()
			}
			record := []string{
				strconv.FormatInt(e.Seq, 10), e.At.UTC().Format("2006-01-02T15:04:05.000Z"), actor, reports.Escape(line.Who),
				reports.Escape(e.Action), reports.Escape(e.Object), reports.Escape(line.Detail),
			}
			if err := w.Write(record); err != nil {
				return err
			}
		}
		f.Before = entries[len(entries)-1].Seq
	}
}
