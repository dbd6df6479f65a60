package classroom

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// schoolPage is what admins set for everybody.
func (k *Classroom) schoolPage(c *gin.Context) error {
	s := k.Accounts.School()
	return k.showSchool(c, http.StatusOK, templates.School{Name: s.Name, Zone: s.Zone.String(), Lang: s.Lang, Kept: kept(s.Retention)})
}

func (k *Classroom) showSchool(c *gin.Context, status int, p templates.School) (err error) {
	p.Recordings = k.cfg.KeepRecordings
	if p.Page, err = web.NewPage(c, "school"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// kept shows how long each kind of data is kept.
func kept(r accounts.Retention) []templates.Kept {
	var list []templates.Kept
	for _, p := range r.Periods() {
		list = append(list, templates.Kept{Name: p.Kind, Days: p.Days, Min: p.Min, Max: p.Max})
	}
	return list
}

func (k *Classroom) postSchool(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	p := templates.School{Name: web.Field(c, "name"), Zone: web.Field(c, "zone"), Lang: web.Field(c, "lang"), Errors: map[string]string{}}
	r := accounts.Retention{Chat: days(c, "chat"), Attendance: days(c, "attendance"), Audit: days(c, "audit"), Access: days(c, "access")}
	p.Kept = kept(r)
	ctx, actor := c.Request.Context(), web.MustViewer(c).ID
	_, err := web.Line("name", p.Name, 100)
	if err == nil {
		err = k.Accounts.CheckRetention(r)
	}
	if err == nil {
		err = k.Accounts.SetSchool(ctx, actor, p.Name, p.Zone, p.Lang)
	}
	if err == nil {
		err = k.Accounts.SetRetention(ctx, actor, r)
	}
	if f, ok := fault.Of(err); ok && f.Field != "" && f.Key != "" {
		p.Errors[f.Field], p.Data = f.Key, f.Data
		return k.showSchool(c, http.StatusBadRequest, p)
	}
	if err != nil {
		return err
	}
	web.Flash(c, "good", "school.saved", nil)
	return web.Redirect(c, "/school")
}

// days reads a number of a form; what is none is no period that anybody may set.
func days(c *gin.Context, field string) int {
	n, err := strconv.Atoi(web.Field(c, field))
	if err != nil {
		return -1
	}
	return n
}

// privacyPage says what is kept about people, from the settings that the nightly sweep works by.
func (k *Classroom) privacyPage(c *gin.Context) (err error) {
	p := templates.Privacy{Kept: kept(k.Accounts.School().Retention), Recordings: k.cfg.KeepRecordings}
	if p.Page, err = web.NewPage(c, "privacy"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}
