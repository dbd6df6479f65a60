package accounts

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

func (a *Accounts) tokensPage(c *gin.Context) error {
	return a.showTokens(c, http.StatusOK, templates.Tokens{})
}

func (a *Accounts) showTokens(c *gin.Context, status int, p templates.Tokens) error {
	tokens, err := a.Tokens(c.Request.Context())
	if err != nil {
		return err
	}
	zone, now := a.School().Zone, a.now()
	for _, t := range tokens {
		row := templates.APIToken{
			ID: formatName(t.ID), Name: t.Name, Who: t.UserName, Scope: string(t.Scope),
			Created: t.CreatedAt.In(zone), Expires: t.ExpiresAt.In(zone), State: "working",
		}
		if !t.UsedAt.IsZero() {
			row.LastUsed = t.UsedAt.In(zone)
		}
		if !t.RevokedAt.IsZero() {
			row.State = "revoked"
		} else if !now.Before(t.ExpiresAt) {
			row.State = "expired"
		}
		p.Tokens = append(p.Tokens, row)
	}
	if p.Page, err = web.NewPage(c, "tokens"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// postToken answers with the page itself: the token is seen this once.
func (a *Accounts) postToken(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	name := web.Field(c, "name")
	days, err := strconv.Atoi(web.Field(c, "days"))
	if err != nil || days < 0 || days > 10_000 {
		days = 0 // no number of days
	}
	token, err := a.CreateToken(c.Request.Context(), web.MustViewer(c).ID, name, Scope(web.Field(c, "scope")), time.Duration(days)*24*time.Hour)
	if f, ok := fault.Of(err); ok && f.Key != "" {
		return a.showTokens(c, f.Kind.Status(), templates.Tokens{Error: web.T(c, f.Key, f.Data)})
	}
	if err != nil {
		return err
	}
	return a.showTokens(c, http.StatusOK, templates.Tokens{New: string(token), NewName: name})
}

func (a *Accounts) postRevokeToken(c *gin.Context) error {
	id, err := parseName(c.Param("token"))
	if err != nil {
		return err
	}
	if err := a.RevokeToken(c.Request.Context(), web.MustViewer(c).ID, id); err != nil {
		return err
	}
	web.Flash(c, "good", "token.was_revoked", nil)
	return web.Redirect(c, "/tokens")
}
