package accounts

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// maxChosen bounds how many people one form is about.
const maxChosen = 500

// peopleRoutes are for admins. What gives somebody a way into the account of somebody else, gives or takes rights, or
// cannot be undone is marked as such.
func (a *Accounts) peopleRoutes(s *web.Server) {
	s.Handle("GET", "/people", web.Admin, a.peoplePage)
	s.Handle("POST", "/people", web.Admin, a.postInvite)
	s.Handle("POST", "/people/sheet", web.Admin, a.postSheet, web.Strong())
	s.Handle("POST", "/people/invitations", web.Admin, a.postInvitations)
	s.Handle("POST", "/people/second-factor", web.Admin, a.postFactorRule, web.Strong())
	s.Handle("GET", "/people/:user", web.Admin, a.accountPage)
	s.Handle("POST", "/people/:user/edit", web.Admin, a.postEdit, web.Strong())
	s.Handle("POST", "/people/:user/link", web.Admin, a.postGiveLink, web.Strong())
	s.Handle("POST", "/people/:user/uninvite", web.Admin, a.toPerson(a.uninvite))
	s.Handle("POST", "/people/:user/sign-out", web.Admin, a.toPerson(a.signOutPerson))
	s.Handle("POST", "/people/:user/admin", web.Admin, a.toPerson(a.makeAdmin), web.Strong())
	s.Handle("POST", "/people/:user/disable", web.Admin, a.toPerson(a.disable), web.Strong())
	s.Handle("POST", "/people/:user/enable", web.Admin, a.toPerson(a.enable), web.Strong())
	s.Handle("POST", "/people/:user/no-second-factor", web.Admin, a.toPerson(a.removeFactor), web.Strong())
	s.Handle("POST", "/people/:user/erase", web.Admin, a.postErase, web.Strong())
}

func (a *Accounts) peoplePage(c *gin.Context) error {
	return a.showPeople(c, http.StatusOK, templates.People{Invite: c.Query("invite") != ""})
}

func (a *Accounts) showPeople(c *gin.Context, status int, p templates.People) error {
	s, err := searchOf(c)
	if err != nil {
		return err
	}
	found, err := a.Find(c.Request.Context(), s)
	if err != nil {
		return err
	}
	p.Text, p.Role, p.State, p.All = s.Text, s.Role, string(s.State), found.All
	for _, state := range States {
		p.States = append(p.States, string(state))
	}
	for _, m := range found.People {
		p.Rows = append(p.Rows, m.row())
	}
	if len(found.People) > 0 {
		p.First, p.Last = s.Skip+1, s.Skip+len(found.People)
	}
	if s.Skip > 0 {
		p.Back = s.query(max(0, s.Skip-usualPage))
	}
	if p.Last < found.All {
		p.Forth = s.query(s.Skip + usualPage)
	}
	if p.Outbox, err = a.outboxOnPage(c); err != nil {
		return err
	}
	p.FactorRule, p.HasFactor = a.School().SecondFactor, web.MustViewer(c).SecondFactor
	if p.Page, err = web.NewPage(c, "people"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

// searchOf reads ?q=&role=&state=&skip=.
func searchOf(c *gin.Context) (s Search, err error) {
	if s.Text, err = web.OptionalLine("q", c.Query("q"), 120); err != nil {
		return s, err
	}
	s.Role, s.State = c.Query("role"), State(c.Query("state"))
	if !slices.Contains([]string{"", "admin", "teacher", "student"}, s.Role) {
		return s, fault.Invalid("").At("role")
	}
	if s.State != "" && !slices.Contains(States, s.State) {
		return s, fault.Invalid("").At("state")
	}
	for name, n := range map[string]*int{"skip": &s.Skip, "limit": &s.Limit} {
		if text := c.Query(name); text != "" {
			if *n, err = strconv.Atoi(text); err != nil || *n < 0 || *n > 1_000_000 {
				return s, fault.Invalid("").At(name)
			}
		}
	}
	return s, nil
}

// query is the search from another place on.
func (s Search) query(skip int) string {
	v := url.Values{"skip": {strconv.Itoa(skip)}}
	for name, text := range map[string]string{"q": s.Text, "role": s.Role, "state": string(s.State)} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v.Encode()
}

func (m Member) row() templates.PersonRow {
	return templates.PersonRow{
		ID: m.ID.String(), Name: m.DisplayName, Email: m.Email, StudentID: m.StudentID,
		Admin: m.Admin, Teaches: m.Teaches, Studies: m.Studies, State: string(m.State()),
	}
}

func (a *Accounts) outboxOnPage(c *gin.Context) (templates.Outbox, error) {
	s, err := a.cfg.Outbox.Status(c.Request.Context())
	o := templates.Outbox{On: s.On, Waiting: s.Waiting}
	if !s.Failing.IsZero() {
		o.Failing = s.Failing.In(a.School().Zone)
	}
	return o, err
}

// postInvite makes an account. Where no mail can go to its owner, the page of the account shows the link.
func (a *Accounts) postInvite(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	ctx, v := c.Request.Context(), web.MustViewer(c)
	p := templates.People{Name: web.Field(c, "name"), Email: web.Field(c, "email"), Number: web.Field(c, "student_id")}
	u, err := a.Invite(ctx, v.ID, NewUser{DisplayName: p.Name, Email: p.Email, StudentID: p.Number})
	if f, ok := fault.Of(err); ok && f.Field != "" {
		p.Errors = map[string]string{f.Field: f.Key}
		return a.showPeople(c, f.Kind.Status(), p)
	}
	if err != nil {
		return err
	}
	if !a.cfg.Outbox.On() || u.Email == "" {
		return a.showLinkOf(c, u.ID, ForInvitation)
	}
	web.Flash(c, "good", "accounts.invited", map[string]any{"Name": u.DisplayName})
	return web.Redirect(c, "/people")
}

// showLinkOf makes a link for somebody and shows it, this once.
func (a *Accounts) showLinkOf(c *gin.Context, id media.ID, p Purpose) error {
	links, err := a.HandOut(c.Request.Context(), web.MustViewer(c).ID, []media.ID{id}, p)
	if err != nil {
		return err
	}
	if len(links) == 0 {
		return fault.Conflict("sign_in.disabled")
	}
	return a.showAccount(c, http.StatusOK, id, templates.Account{NewLink: links[0].URL, NewLinkFor: string(p)})
}

// chosen reads whom a form is about.
func chosen(c *gin.Context) ([]media.ID, error) {
	if err := web.Form(c); err != nil {
		return nil, err
	}
	texts := c.Request.PostForm["user"]
	if len(texts) == 0 {
		return nil, fault.Invalid("accounts.nobody").At("user")
	}
	if len(texts) > maxChosen {
		return nil, fault.Invalid("accounts.too_many").At("user").With("Max", maxChosen)
	}
	ids := make([]media.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = media.ParseID(text); err != nil {
			return nil, fault.Invalid("").At("user").Because(err)
		}
	}
	return ids, nil
}

// postSheet answers with a page to be printed: the links on it are seen this once.
func (a *Accounts) postSheet(c *gin.Context) error {
	users, err := chosen(c)
	if err != nil {
		return a.backToPeople(c, err)
	}
	links, err := a.handOutFor(c.Request.Context(), web.MustViewer(c).ID, users, ForSignIn, maxLinkLife)
	if err != nil {
		return err
	}
	p := templates.Sheet{Until: web.Now(c).Add(maxLinkLife)}
	for _, l := range links {
		p.Links = append(p.Links, templates.SheetLink{Name: l.User.DisplayName, StudentID: l.User.StudentID, Email: l.User.Email, URL: l.URL})
	}
	if p.Page, err = web.NewPage(c, "people"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (a *Accounts) postInvitations(c *gin.Context) error {
	users, err := chosen(c)
	if err != nil {
		return a.backToPeople(c, err)
	}
	n, err := a.Mail(c.Request.Context(), web.MustViewer(c).ID, users, ForInvitation)
	if err != nil {
		return a.backToPeople(c, err)
	}
	web.Flash(c, "good", "accounts.mailed", map[string]any{"N": n})
	return web.Redirect(c, "/people")
}

func (a *Accounts) backToPeople(c *gin.Context, err error) error {
	f, ok := fault.Of(err)
	if !ok || f.Key == "" {
		return err
	}
	web.Flash(c, "bad", f.Key, f.Data)
	return web.Redirect(c, "/people")
}

func (a *Accounts) postFactorRule(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	if err := a.SetFactorRule(c.Request.Context(), web.MustViewer(c).ID, web.Field(c, "needed") == "1"); err != nil {
		return err
	}
	web.Flash(c, "good", "settings.saved", nil)
	return web.Redirect(c, "/people")
}

func (a *Accounts) accountPage(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	return a.showAccount(c, http.StatusOK, id, templates.Account{})
}

func (a *Accounts) showAccount(c *gin.Context, status int, id media.ID, p templates.Account) error {
	ctx := c.Request.Context()
	u, err := a.person(ctx, id)
	if err != nil {
		return err
	}
	m := Member{User: u}
	if a.cfg.Standing != nil {
		all, err := a.cfg.Standing(ctx)
		if err != nil {
			return err
		}
		m.Standing = all[id]
	}
	f, err := a.Factor(ctx, id)
	if err != nil {
		return err
	}
	open, err := a.Sessions(ctx, &web.Viewer{ID: u.ID, Admin: u.Admin})
	if err != nil {
		return err
	}
	zone := a.School().Zone
	typed := p.PersonRow
	p.PersonRow, p.Factor, p.Sessions, p.Self = m.row(), f.On, len(open), id == web.MustViewer(c).ID
	if p.Errors == nil {
		p.Given, p.Family = u.GivenName, u.FamilyName
	} else if p.Errors["sure"] == "" { // what was typed stays in the fields
		p.Name, p.Email, p.StudentID = typed.Name, typed.Email, typed.StudentID
	}
	p.Since, p.Invited, p.Disabled = u.CreatedAt.In(zone), u.InvitedAt.In(zone), u.DisabledAt.In(zone)
	if len(open) > 0 {
		p.LastSeen = open[0].SeenAt.In(zone)
	}
	if p.Outbox, err = a.outboxOnPage(c); err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, "people"); err != nil {
		return err
	}
	return web.Render(c, status, p)
}

func (a *Accounts) postEdit(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err == nil {
		err = web.Form(c)
	}
	if err != nil {
		return err
	}
	e := Edit{
		DisplayName: web.Field(c, "name"), GivenName: web.Field(c, "given_name"), FamilyName: web.Field(c, "family_name"),
		Email: web.Field(c, "email"), StudentID: web.Field(c, "student_id"),
	}
	err = a.Change(c.Request.Context(), web.MustViewer(c).ID, id, e)
	if f, ok := fault.Of(err); ok && f.Field != "" {
		return a.showAccount(c, f.Kind.Status(), id, templates.Account{
			PersonRow: templates.PersonRow{Name: e.DisplayName, Email: e.Email, StudentID: e.StudentID}, Given: e.GivenName, Family: e.FamilyName,
			Errors: map[string]string{f.Field: f.Key},
		})
	}
	return a.backToPerson(c, id, "settings.saved", err)
}

// postGiveLink mails or shows a link.
func (a *Accounts) postGiveLink(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err == nil {
		err = web.Form(c)
	}
	if err != nil {
		return err
	}
	p := Purpose(web.Field(c, "for"))
	if linkPages[p] == "" {
		return fault.Invalid("").At("for")
	}
	if _, err := a.person(c.Request.Context(), id); err != nil {
		return err
	}
	if web.Field(c, "by") != "mail" {
		return a.showLinkOf(c, id, p)
	}
	n, err := a.Mail(c.Request.Context(), web.MustViewer(c).ID, []media.ID{id}, p)
	if err == nil && n == 0 {
		err = fault.Conflict("setup.email_bad")
	}
	return a.backToPerson(c, id, "account.mailed", err)
}

// toPerson is a form about one person that does one thing and goes back to their page; do returns what to say.
func (a *Accounts) toPerson(do func(c *gin.Context, actor, id media.ID) (said string, err error)) web.Handler {
	return func(c *gin.Context) error {
		id, err := web.ID(c, "user")
		if err != nil {
			return err
		}
		if _, err := a.person(c.Request.Context(), id); err != nil {
			return err
		}
		said, err := do(c, web.MustViewer(c).ID, id)
		return a.backToPerson(c, id, said, err)
	}
}

// backToPerson goes back to somebody's page, and says there how it went.
func (a *Accounts) backToPerson(c *gin.Context, id media.ID, said string, err error) error {
	if isNotFound(err) {
		return fault.NotFound("").Because(err)
	}
	f, ok := fault.Of(err)
	switch {
	case err == nil:
		web.Flash(c, "good", said, nil)
	case ok && f.Key != "":
		web.Flash(c, "bad", f.Key, f.Data)
	default:
		return err
	}
	return web.Redirect(c, "/people/"+id.String())
}

func (a *Accounts) uninvite(c *gin.Context, actor, id media.ID) (string, error) {
	return "account.uninvited", a.Uninvite(c.Request.Context(), actor, id)
}

func (a *Accounts) signOutPerson(c *gin.Context, actor, id media.ID) (string, error) {
	return "account.signed_out", a.SignOutAll(c.Request.Context(), actor, id)
}

func (a *Accounts) disable(c *gin.Context, actor, id media.ID) (string, error) {
	return "account.disabled", a.Disable(c.Request.Context(), actor, id)
}

func (a *Accounts) enable(c *gin.Context, actor, id media.ID) (string, error) {
	return "account.enabled", a.Enable(c.Request.Context(), actor, id)
}

func (a *Accounts) removeFactor(c *gin.Context, actor, id media.ID) (string, error) {
	return "factor.removed", a.RemoveFactor(c.Request.Context(), actor, id)
}

func (a *Accounts) makeAdmin(c *gin.Context, actor, id media.ID) (string, error) {
	if err := web.Form(c); err != nil {
		return "", err
	}
	if web.Field(c, "admin") == "1" {
		return "account.admin_made", a.SetAdmin(c.Request.Context(), actor, id, true)
	}
	return "account.admin_unmade", a.SetAdmin(c.Request.Context(), actor, id, false)
}

// postErase wants the box ticked: there is no way back.
func (a *Accounts) postErase(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err == nil {
		err = web.Form(c)
	}
	if err != nil {
		return err
	}
	if web.Field(c, "sure") != "1" {
		return a.showAccount(c, http.StatusBadRequest, id, templates.Account{Errors: map[string]string{"sure": "account.erase_tick"}})
	}
	return a.backToPerson(c, id, "account.erased", a.Erase(c.Request.Context(), web.MustViewer(c).ID, id))
}
