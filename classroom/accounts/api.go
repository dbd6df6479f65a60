package accounts

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// meJSON is the signed-in person for programs and scripts.
type meJSON struct {
	User userJSON `json:"user"`
}

type userJSON struct {
	ID          media.ID `json:"id"`
	DisplayName string   `json:"display_name"`
	Admin       bool     `json:"admin"`
}

func (a *Accounts) apiSignIn(c *gin.Context) error {
	var in struct{ Email, Password, Code string }
	if err := web.BindJSON(c, &in); err != nil {
		return err
	}
	s, u, err := a.SignIn(c.Request.Context(), in.Email, in.Password, fromOf(c))
	if err == nil && s.Pending != "" {
		if in.Code == "" {
			return fault.Unauthorized("factor.code_needed").At("code")
		}
		s, u, err = a.SignInCode(c.Request.Context(), s.Pending, in.Code, fromOf(c))
	}
	if err != nil {
		return err
	}
	web.SetSession(c, string(s.Token), s.Life)
	return web.JSON(c, http.StatusOK, meJSON{userJSON{u.ID, u.DisplayName, u.Admin}})
}

func (a *Accounts) apiSignOut(c *gin.Context) error {
	if err := a.signOut(c); err != nil {
		return err
	}
	return web.NoContent(c)
}

func (a *Accounts) apiMe(c *gin.Context) error {
	v := web.MustViewer(c)
	return web.JSON(c, http.StatusOK, meJSON{userJSON{v.ID, v.Name, v.Admin}})
}
