package accounts

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// welcome lets a browser in, or asks it for the code that is missing.
func (a *Accounts) welcome(c *gin.Context, s Session, next string) error {
	if s.Pending != "" {
		return a.showCode(c, http.StatusOK, templates.SignInCode{Token: string(s.Pending), Next: next})
	}
	web.SetSession(c, string(s.Token), s.Life)
	return web.Redirect(c, next)
}

func (a *Accounts) showCode(c *gin.Context, status int, p templates.SignInCode) (err error) {
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// postCode takes the second half of a sign-in. When the first is too long ago one begins again.
func (a *Accounts) postCode(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	token, next := web.Field(c, "token"), web.Next(web.Field(c, "next"))
	s, _, err := a.SignInCode(c.Request.Context(), media.Secret(token), web.Field(c, "code"), fromOf(c))
	if fault.Is(err, fault.KindNotFound) {
		return a.linkGone(c, err)
	}
	if f, ok := fault.Of(err); ok && f.Key != "" {
		return a.showCode(c, f.Kind.Status(), templates.SignInCode{Token: token, Next: next, Error: f.Key})
	}
	if err != nil {
		return err
	}
	return a.welcome(c, s, next)
}

func (a *Accounts) mailPage(c *gin.Context) error {
	return a.showMail(c, http.StatusOK, templates.SignInMail{Off: !a.cfg.Outbox.On()})
}

// postMail says the same of every address (SEC-33).
func (a *Accounts) postMail(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	if !a.cfg.Outbox.On() {
		return a.mailPage(c)
	}
	p := templates.SignInMail{Email: web.Field(c, "email"), What: web.Field(c, "what")}
	what := Purpose(p.What)
	if what != ForSignIn && what != ForReset {
		return fault.Invalid("").At("what")
	}
	if email, err := checkEmail(p.Email); err != nil || email == "" {
		p.Error = "setup.email_bad"
		return a.showMail(c, http.StatusBadRequest, p)
	}
	err := a.ask(p.Email, what, web.ClientAddr(c))
	if f, ok := fault.Of(err); ok && f.Key != "" {
		p.Error = f.Key
		return a.showMail(c, f.Kind.Status(), p)
	}
	if err != nil {
		return err
	}
	p.Asked = true
	return a.showMail(c, http.StatusOK, p)
}

func (a *Accounts) showMail(c *gin.Context, status int, p templates.SignInMail) (err error) {
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// choosePage is where links lead that let their owner choose a password. Like linkPage it spends nothing.
func (a *Accounts) choosePage(p Purpose) web.Handler {
	return func(c *gin.Context) error {
		token := c.Query("token")
		u, err := a.checkLink(c.Request.Context(), p, token)
		if err != nil {
			return a.linkGone(c, err)
		}
		return a.showChoose(c, http.StatusOK, p, u, templates.ChoosePassword{Token: token, Name: u.DisplayName})
	}
}

func (a *Accounts) showChoose(c *gin.Context, status int, purpose Purpose, u linkedUser, p templates.ChoosePassword) (err error) {
	who, err := a.User(c.Request.Context(), u.UserID)
	if err != nil {
		return err
	}
	p.Invited, p.Email = purpose == ForInvitation, who.Email
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Accounts) postReset(c *gin.Context) error {
	return a.postChoose(c, ForReset, func(token, _ string, password media.Secret) (Session, error) {
		return a.resetPassword(c.Request.Context(), token, password, fromOf(c))
	})
}

func (a *Accounts) postInvitation(c *gin.Context) error {
	return a.postChoose(c, ForInvitation, func(token, name string, password media.Secret) (Session, error) {
		name, err := web.Line("name", name, maxName)
		if err != nil {
			return Session{}, err
		}
		return a.accept(c.Request.Context(), token, name, password, fromOf(c))
	})
}

// postChoose does what a form asks that has a password in it. A fault about a field shows the form again, and has not
// spent the link.
func (a *Accounts) postChoose(c *gin.Context, p Purpose, do func(token, name string, password media.Secret) (Session, error)) error {
	if err := web.Form(c); err != nil {
		return err
	}
	token, name := web.Field(c, "token"), web.Field(c, "name")
	u, err := a.checkLink(c.Request.Context(), p, token)
	if err != nil {
		return a.linkGone(c, err)
	}
	s, err := do(token, name, media.Secret(web.Field(c, "password")))
	if f, ok := fault.Of(err); ok && f.Field != "" {
		if p == ForReset {
			name = u.DisplayName
		}
		return a.showChoose(c, f.Kind.Status(), p, u, templates.ChoosePassword{Token: token, Name: name, Errors: map[string]string{f.Field: f.Key}})
	}
	if err != nil {
		return a.linkGone(c, err)
	}
	return a.welcome(c, s, "/")
}
