package accounts

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/templates"
)

func (a *Accounts) factorPage(c *gin.Context) error {
	return a.showFactor(c, http.StatusOK, templates.SecondFactor{})
}

// showFactor shows the page with what happened just now.
func (a *Accounts) showFactor(c *gin.Context, status int, p templates.SecondFactor) error {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	f, err := a.Factor(ctx, v.ID)
	if err != nil {
		return err
	}
	p.On, p.Left, p.Needed = f.On, f.Recovery, v.Admin && a.School().SecondFactor
	if !f.On {
		secret, err := a.pendingFactor(ctx, v.ID)
		if err != nil {
			return err
		}
		if len(secret) > 0 {
			u, err := a.User(ctx, v.ID)
			if err != nil {
				return err
			}
			account := u.Email
			if account == "" {
				account = u.DisplayName
			}
			p.Secret, p.URL = secretText(secret), secretURL(a.School().Name, account, secret)
		}
	}
	if p.Page, err = web.NewPage(c, "settings"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Accounts) postBeginFactor(c *gin.Context) error {
	if _, err := a.beginFactor(c.Request.Context(), web.MustViewer(c).ID); err != nil {
		return err
	}
	return web.Redirect(c, "/settings/second-factor")
}

// postConfirmFactor and postRecovery answer with the page itself: recovery codes are seen this once.
func (a *Accounts) postConfirmFactor(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	codes, err := a.confirmFactor(c.Request.Context(), web.MustViewer(c).ID, web.Field(c, "code"))
	if err != nil {
		return a.backToFactor(c, "confirm", err)
	}
	return a.showFactor(c, http.StatusOK, templates.SecondFactor{Codes: codes})
}

func (a *Accounts) postRecovery(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	codes, err := a.renewRecovery(c.Request.Context(), web.MustViewer(c).ID, web.Field(c, "code"))
	if err != nil {
		return a.backToFactor(c, "recovery", err)
	}
	return a.showFactor(c, http.StatusOK, templates.SecondFactor{Codes: codes})
}

func (a *Accounts) postDropFactor(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	if err := a.dropFactor(c.Request.Context(), web.MustViewer(c).ID, web.Field(c, "code")); err != nil {
		return a.backToFactor(c, "remove", err)
	}
	web.Flash(c, "good", "factor.removed", nil)
	return web.Redirect(c, "/settings/second-factor")
}

// backToFactor says beside the field what was wrong with a code.
func (a *Accounts) backToFactor(c *gin.Context, form string, err error) error {
	f, ok := fault.Of(err)
	if !ok || f.Key == "" {
		return err
	}
	return a.showFactor(c, f.Kind.Status(), templates.SecondFactor{Error: f.Key, ErrorOf: form})
}
