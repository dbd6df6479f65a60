package accounts

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/obs"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// publisher is the viewer, provided that they may hold stream keys.
func (a *Accounts) publisher(c *gin.Context) (*web.Viewer, error) {
	v := web.MustViewer(c)
	may, err := a.cfg.MayPublish(c.Request.Context(), v)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, fault.Forbidden("")
	}
	return v, nil
}

func (a *Accounts) streamPage(c *gin.Context) error {
	v, err := a.publisher(c)
	if err != nil {
		return err
	}
	return a.showStream(c, v, media.Key{}, "")
}

// showStream shows the page, with a key that was made just now.
func (a *Accounts) showStream(c *gin.Context, v *web.Viewer, made media.Key, name string) (err error) {
	ctx := c.Request.Context()
	p := templates.StreamPage{Server: a.cfg.Server, Option: obs.MultitrackOption}
	if p.Page, err = web.NewPage(c, "settings"); err != nil {
		return err
	}
	if p.Keys, err = a.keysOnPage(ctx, v); err != nil {
		return err
	}
	if a.cfg.Attempts != nil {
		if p.Attempts, err = a.cfg.Attempts(ctx, v.ID); err != nil {
			return err
		}
	}
	nameKeys(p.Attempts, p.Keys)
	if p.Multitrack, err = obs.Multitrack(a.cfg.Server); err != nil {
		return err
	}
	if made.ID != "" {
		p.NewKey, p.NewName = made.Text(), name
	}
	return web.Render(c, http.StatusOK, p)
}

func (a *Accounts) keysOnPage(ctx context.Context, v *web.Viewer) ([]templates.StreamKey, error) {
	keys, err := a.Keys(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	zone := a.School().Zone
	var rows []templates.StreamKey
	for _, k := range keys {
		row := templates.StreamKey{ID: k.ID, Name: k.Name, Created: k.CreatedAt.In(zone)}
		if !k.UsedAt.IsZero() {
			row.LastUsed = k.UsedAt.In(zone)
		}
		if !k.RevokedAt.IsZero() {
			row.Revoked = k.RevokedAt.In(zone)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func nameKeys(attempts []templates.Attempt, keys []templates.StreamKey) {
	for i := range attempts {
		for _, k := range keys {
			if k.ID == attempts[i].KeyID {
				attempts[i].Key = k.Name
			}
		}
	}
}

// postKey answers with the page itself, not with a redirect: the key is seen this once.
func (a *Accounts) postKey(c *gin.Context) error {
	if err := web.Form(c); err != nil {
		return err
	}
	v, err := a.publisher(c)
	if err != nil {
		return err
	}
	name := web.Field(c, "name")
	k, err := a.CreateKey(c.Request.Context(), v.ID, name)
	if err != nil {
		return backToStream(c, err)
	}
	return a.showStream(c, v, k, name)
}

func (a *Accounts) postRevokeKey(c *gin.Context) error {
	if err := a.RevokeKey(c.Request.Context(), web.MustViewer(c).ID, c.Param("key")); err != nil {
		return err
	}
	web.Flash(c, "good", "settings.key_revoked", nil)
	return web.Redirect(c, "/settings/stream")
}

// backToStream says on the page what was wrong with a form.
func backToStream(c *gin.Context, err error) error {
	f, ok := fault.Of(err)
	if !ok || f.Key == "" {
		return err
	}
	web.Flash(c, "bad", f.Key, f.Data)
	return web.Redirect(c, "/settings/stream")
}

// getProfile is a profile for OBS into which a key is pasted.
func (a *Accounts) getProfile(c *gin.Context) error {
	if _, err := a.publisher(c); err != nil {
		return err
	}
	return a.sendProfile(c, "")
}

// postProfile makes a key and puts it into the profile.
func (a *Accounts) postProfile(c *gin.Context) error {
	v, err := a.publisher(c)
	if err != nil {
		return err
	}
	k, err := a.CreateKey(c.Request.Context(), v.ID, "OBS")
	if err != nil {
		return backToStream(c, err)
	}
	return a.sendProfile(c, k.Text())
}

func (a *Accounts) sendProfile(c *gin.Context, key string) error {
	b, err := obs.Profile(a.cfg.Server, key)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Disposition", `attachment; filename="chalkcast-obs.zip"`)
	c.Data(http.StatusOK, "application/zip", b)
	return nil
}
