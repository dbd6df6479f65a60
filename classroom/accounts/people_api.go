package accounts

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// memberJSON is a person for scripts and programs of admins. Instants are in UTC, null where there is none.
type memberJSON struct {
	ID          media.ID   `json:"id"`
	DisplayName string     `json:"display_name"`
	GivenName   string     `json:"given_name"`
	FamilyName  string     `json:"family_name"`
	Email       string     `json:"email"`
	StudentID   string     `json:"student_id"`
	Admin       bool       `json:"admin"`
	State       State      `json:"state"`
	CreatedAt   time.Time  `json:"created_at"`
	InvitedAt   *time.Time `json:"invited_at"`
	DisabledAt  *time.Time `json:"disabled_at"`
	ErasedAt    *time.Time `json:"erased_at"`
}

func (u User) json() memberJSON {
	return memberJSON{
		ID: u.ID, DisplayName: u.DisplayName, GivenName: u.GivenName, FamilyName: u.FamilyName, Email: u.Email, StudentID: u.StudentID,
		Admin: u.Admin, State: u.State(), CreatedAt: u.CreatedAt, InvitedAt: instant(u.InvitedAt), DisabledAt: instant(u.DisabledAt), ErasedAt: instant(u.ErasedAt),
	}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *Accounts) peopleAPI(s *web.Server) {
	s.Handle("GET", "/api/v1/users", web.Admin, a.apiUsers)
	s.Handle("POST", "/api/v1/users", web.Admin, a.apiInvite, web.Body(8<<10))
	s.Handle("GET", "/api/v1/users/:user", web.Admin, a.apiUser)
	s.Handle("POST", "/api/v1/users/:user", web.Admin, a.apiEdit, web.Body(8<<10), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/links", web.Admin, a.apiLink, web.Body(1<<10), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/uninvite", web.Admin, a.apiOn(a.Uninvite))
	s.Handle("POST", "/api/v1/users/:user/sign-out", web.Admin, a.apiOn(a.SignOutAll))
	s.Handle("POST", "/api/v1/users/:user/admin", web.Admin, a.apiAdmin, web.Body(1<<10), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/disable", web.Admin, a.apiOn(a.Disable), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/enable", web.Admin, a.apiOn(a.Enable), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/no-second-factor", web.Admin, a.apiOn(a.RemoveFactor), web.Strong())
	s.Handle("POST", "/api/v1/users/:user/erase", web.Admin, a.apiOn(a.Erase), web.Strong())
}

// apiUsers lists ?q=&role=&state=&skip=&limit=; all says how many are found.
func (a *Accounts) apiUsers(c *gin.Context) error {
	s, err := searchOf(c)
	if err != nil {
		return err
	}
	found, err := a.Find(c.Request.Context(), s)
	if err != nil {
		return err
	}
	users := make([]memberJSON, 0, len(found.People))
	for _, m := range found.People {
		users = append(users, m.json())
	}
	return web.JSON(c, http.StatusOK, gin.H{"users": users, "all": found.All})
}

// personIn is what a program says of a person.
type personIn struct {
	DisplayName string `json:"display_name"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
	Email       string `json:"email"`
	StudentID   string `json:"student_id"`
}

// apiInvite makes an account and invites its owner, by mail where that is possible.
func (a *Accounts) apiInvite(c *gin.Context) error {
	var in personIn
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	u, err := a.Invite(c.Request.Context(), web.MustViewer(c).ID, NewUser{
		DisplayName: in.DisplayName, GivenName: in.GivenName, FamilyName: in.FamilyName, Email: in.Email, StudentID: in.StudentID,
	})
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusCreated, gin.H{"user": u.json()})
}

func (a *Accounts) apiUser(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	return a.answerUser(c, id)
}

func (a *Accounts) answerUser(c *gin.Context, id media.ID) error {
	u, err := a.person(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, gin.H{"user": u.json()})
}

// apiEdit replaces names, address and number.
func (a *Accounts) apiEdit(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	var in personIn
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	return a.apiDone(c, id, a.Change(c.Request.Context(), web.MustViewer(c).ID, id, Edit(in)))
}

// apiLink makes a link {for: sign_in, reset or invitation}, to be handed over; it is told this once.
func (a *Accounts) apiLink(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	var in struct {
		For Purpose `json:"for"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	if linkPages[in.For] == "" {
		return fault.Invalid("").At("for")
	}
	if _, err := a.person(c.Request.Context(), id); err != nil {
		return err
	}
	links, err := a.HandOut(c.Request.Context(), web.MustViewer(c).ID, []media.ID{id}, in.For)
	if err != nil {
		return err
	}
	if len(links) == 0 {
		return fault.Conflict("sign_in.disabled")
	}
	return web.JSON(c, http.StatusCreated, gin.H{"url": links[0].URL, "expires_at": a.now().UTC().Add(linkLife[in.For])})
}

func (a *Accounts) apiAdmin(c *gin.Context) error {
	id, err := web.ID(c, "user")
	if err != nil {
		return err
	}
	var in struct {
		Admin bool `json:"admin"`
	}
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	return a.apiDone(c, id, a.SetAdmin(c.Request.Context(), web.MustViewer(c).ID, id, in.Admin))
}

// apiOn does one thing to a person and answers with what they are then.
func (a *Accounts) apiOn(do func(ctx context.Context, actor, id media.ID) error) web.Handler {
	return func(c *gin.Context) error {
		id, err := web.ID(c, "user")
		if err != nil {
			return err
		}
		return a.apiDone(c, id, do(c.Request.Context(), web.MustViewer(c).ID, id))
	}
}

func (a *Accounts) apiDone(c *gin.Context, id media.ID, err error) error {
	if isNotFound(err) {
		return fault.NotFound("").Because(err)
	}
	if err != nil {
		return err
	}
	return a.answerUser(c, id)
}
