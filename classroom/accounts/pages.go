package accounts

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// Register adds the feature's routes.
func (a *Accounts) Register(s *web.Server) {
	s.Handle("GET", "/sign-in", web.Anyone, a.signInPage)
	s.Handle("POST", "/sign-in", web.Anyone, a.postSignIn)
	s.Handle("GET", "/sign-in/link", web.Anyone, a.linkPage)
	s.Handle("POST", "/sign-in/link", web.Anyone, a.postLink, web.Body(8<<10))
	s.Handle("POST", "/sign-in/code", web.Anyone, a.postCode, web.Body(8<<10))
	s.Handle("GET", "/sign-in/mail", web.Anyone, a.mailPage)
	s.Handle("POST", "/sign-in/mail", web.Anyone, a.postMail, web.Body(8<<10))
	s.Handle("GET", "/sign-in/reset", web.Anyone, a.choosePage(ForReset))
	s.Handle("POST", "/sign-in/reset", web.Anyone, a.postReset, web.Body(8<<10))
	s.Handle("GET", "/sign-in/invitation", web.Anyone, a.choosePage(ForInvitation))
	s.Handle("POST", "/sign-in/invitation", web.Anyone, a.postInvitation, web.Body(8<<10))
	s.Handle("POST", "/sign-out", web.Anyone, a.postSignOut)
	s.Handle("GET", "/setup", web.Anyone, a.setupPage)
	s.Handle("POST", "/setup", web.Anyone, a.postSetup)
	s.Handle("GET", "/settings", web.SignedIn, a.settingsPage)
	s.Handle("GET", "/settings/stream", web.SignedIn, a.streamPage)
	s.Handle("GET", "/settings/stream/profile.zip", web.SignedIn, a.getProfile)
	s.Handle("POST", "/settings/stream/profile.zip", web.SignedIn, a.postProfile)
	s.Handle("POST", "/settings/keys", web.SignedIn, a.postKey)
	s.Handle("POST", "/settings/keys/:key/revoke", web.SignedIn, a.postRevokeKey)
	s.Handle("POST", "/settings/sessions/end-others", web.SignedIn, a.postEndOthers)
	s.Handle("POST", "/settings/sessions/:session/end", web.SignedIn, a.postEndSession)
	s.Handle("GET", "/tokens", web.Admin, a.tokensPage)
	s.Handle("POST", "/tokens", web.Admin, a.postToken, web.Strong())
	s.Handle("POST", "/tokens/:token/revoke", web.Admin, a.postRevokeToken)
	s.Handle("GET", "/settings/second-factor", web.SignedIn, a.factorPage)
	s.Handle("POST", "/settings/second-factor/begin", web.SignedIn, a.postBeginFactor)
	s.Handle("POST", "/settings/second-factor/confirm", web.SignedIn, a.postConfirmFactor)
	s.Handle("POST", "/settings/second-factor/recovery", web.SignedIn, a.postRecovery)
	s.Handle("POST", "/settings/second-factor/remove", web.SignedIn, a.postDropFactor)
	s.Handle("POST", "/settings/language", web.Anyone, a.postLanguage)

	s.Handle("POST", "/api/v1/session", web.Anyone, a.apiSignIn, web.Body(8<<10))
	s.Handle("DELETE", "/api/v1/session", web.Anyone, a.apiSignOut)
	s.Handle("GET", "/api/v1/me", web.SignedIn, a.apiMe)

	a.peopleRoutes(s)
	a.peopleAPI(s)
}

func (a *Accounts) signInPage(c *gin.Context) error {
	next := web.Next(c.Query("next"))
	if web.CurrentViewer(c) != nil {
		return web.Redirect(c, next)
	}
	return a.showSignIn(c, http.StatusOK, templates.SignIn{Next: next})
}

func (a *Accounts) showSignIn(c *gin.Context, status int, p templates.SignIn) (err error) {
	p.Mails = a.cfg.Outbox.On()
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Accounts) postSignIn(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	email, next := web.Field(c, "email"), web.Next(web.Field(c, "next"))
	s, _, err := a.SignIn(c.Request.Context(), email, web.Field(c, "password"), fromOf(c))
	if f, ok := fault.Of(err); ok && f.Key != "" {
		return a.showSignIn(c, f.Kind.Status(), templates.SignIn{Email: email, Next: next, Error: f.Key})
	}
	if err != nil {
		return err
	}
	return a.welcome(c, s, next)
}

func fromOf(c *gin.Context) From {
	return From{Addr: web.ClientAddr(c), Replaces: web.SessionToken(c), Agent: c.Request.UserAgent()}
}

// linkPage asks for one press of a button: programs that look into mail open links, and must not spend them. It
// says who will be signed in, because anybody can send somebody else a link of their own.
func (a *Accounts) linkPage(c *gin.Context) error {
	token := c.Query("token")
	u, err := a.checkLink(c.Request.Context(), ForSignIn, token)
	if err != nil {
		return a.linkGone(c, err)
	}
	p := templates.SignInLink{Token: token, Name: u.DisplayName}
	if v := web.CurrentViewer(c); v != nil && v.ID != u.UserID {
		p.Instead = v.Name
	}
	return a.showLink(c, http.StatusOK, p)
}

func (a *Accounts) postLink(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	s, err := a.signInByLink(c.Request.Context(), web.Field(c, "token"), fromOf(c))
	if err != nil {
		return a.linkGone(c, err)
	}
	return a.welcome(c, s, "/")
}

// linkGone answers a link that does not work with a page that says what to do.
func (a *Accounts) linkGone(c *gin.Context, err error) error {
	if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	return a.showLink(c, http.StatusNotFound, templates.SignInLink{})
}

func (a *Accounts) showLink(c *gin.Context, status int, p templates.SignInLink) (err error) {
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Accounts) postSignOut(c *gin.Context) error {
	if err := a.signOut(c); err != nil {
		return err
	}
	web.Flash(c, "info", "sign_in.signed_out", nil)
	return web.Redirect(c, "/sign-in")
}

func (a *Accounts) signOut(c *gin.Context) error {
	if token := web.SessionToken(c); token != "" {
		if err := a.endSession(c.Request.Context(), token); err != nil {
			return err
		}
	}
	web.ClearSession(c)
	return nil
}

func (a *Accounts) setupPage(c *gin.Context) (err error) {
	token := c.Query("token")
	if err := a.checkSetup(c.Request.Context(), a.db.Reader(), token); err != nil {
		return err
	}
	p := templates.Setup{Token: token}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (a *Accounts) postSetup(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	in := setup{
		Token: web.Field(c, "token"), School: web.Field(c, "school"), Zone: web.Field(c, "zone"), Name: web.Field(c, "name"),
		Email: web.Field(c, "email"), Password: media.Secret(web.Field(c, "password")), Lang: web.Lang(c), From: fromOf(c),
	}
	if errs := a.checkSetupForm(&in); len(errs) > 0 {
		return a.showSetup(c, in, errs)
	}
	s, err := a.setup(c.Request.Context(), in)
	if f, ok := fault.Of(err); ok && f.Field != "" {
		return a.showSetup(c, in, map[string]string{f.Field: f.Key})
	}
	if err != nil {
		return err
	}
	web.SetSession(c, string(s.Token), s.Life)
	return web.Redirect(c, "/")
}

// checkSetupForm looks at all fields at once, so that nobody has to mend them one by one.
func (a *Accounts) checkSetupForm(in *setup) map[string]string {
	errs := map[string]string{}
	note := func(err error) {
		if f, ok := fault.Of(err); ok {
			errs[f.Field] = f.Key
		}
	}
	var err error
	in.School, err = web.Line("school", in.School, maxName)
	note(err)
	in.Name, err = web.Line("name", in.Name, maxName)
	note(err)
	if _, err = web.Line("email", in.Email, 254); err == nil {
		_, err = checkEmail(in.Email)
	}
	note(err)
	if in.Zone, err = web.Line("zone", in.Zone, maxName); err == nil {
		err = checkZone(in.Zone)
	}
	note(err)
	note(checkNewPassword(string(in.Password), in.Email, in.Name, in.School))
	return errs
}

func (a *Accounts) showSetup(c *gin.Context, in setup, errs map[string]string) (err error) {
	p := templates.Setup{Token: in.Token, SchoolName: in.School, Zone: in.Zone, Name: in.Name, Email: in.Email, Errors: errs}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusBadRequest, p)
}

func (a *Accounts) settingsPage(c *gin.Context) (err error) {
	ctx, v := c.Request.Context(), web.MustViewer(c)
	p := templates.Settings{Choose: true, Factor: v.SecondFactor}
	if p.Publishes, err = a.cfg.MayPublish(ctx, v); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, "settings"); err != nil {
		return err
	}
	if p.Sessions, err = a.sessionsOnPage(ctx, v); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (a *Accounts) sessionsOnPage(ctx context.Context, v *web.Viewer) ([]templates.Session, error) {
	open, err := a.Sessions(ctx, v)
	if err != nil {
		return nil, err
	}
	zone := a.School().Zone
	var rows []templates.Session
	for _, s := range open {
		rows = append(rows, templates.Session{
			Name: formatName(s.Name), Device: s.Device, Since: s.Since.In(zone), LastUsed: s.SeenAt.In(zone), Here: s.Name == v.Session,
		})
	}
	return rows, nil
}

// postEndSession may end the session it comes from: the browser then lands on the sign-in page.
func (a *Accounts) postEndSession(c *gin.Context) error {
	name, err := parseName(c.Param("session"))
	if err != nil {
		return err
	}
	if err := a.EndSession(c.Request.Context(), web.MustViewer(c).ID, name); err != nil {
		return err
	}
	web.Flash(c, "good", "settings.session_ended", nil)
	return web.Redirect(c, "/settings")
}

func (a *Accounts) postEndOthers(c *gin.Context) error {
	v := web.MustViewer(c)
	if err := a.EndOtherSessions(c.Request.Context(), v.ID, v.Session); err != nil {
		return err
	}
	web.Flash(c, "good", "settings.sessions_ended", nil)
	return web.Redirect(c, "/settings")
}

func (a *Accounts) postLanguage(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	lang := ""
	for _, l := range templates.Languages() {
		if l.Code == web.Field(c, "lang") {
			lang = l.Code
		}
	}
	if lang == "" {
		return fault.Invalid("").At("lang")
	}
	web.SetLang(c, lang)
	v := web.CurrentViewer(c)
	if v == nil {
		return web.Redirect(c, web.Field(c, "next"))
	}
	if err := a.setLang(c.Request.Context(), v.ID, lang); err != nil {
		return err
	}
	web.Flash(c, "good", "settings.saved", nil)
	return web.Redirect(c, "/settings")
}
