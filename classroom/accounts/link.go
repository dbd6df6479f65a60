package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// maxLinkLife is the longest that a link may lie in somebody's mailbox.
const maxLinkLife = 7 * 24 * time.Hour

// LinkPath is where a link leads, behind the school's base URL.
func LinkPath(token media.Secret) string { return "/sign-in/link?token=" + string(token) }

// NewLink makes a link that signs user in once, within life, which is at most 7 days. It returns the token for
// LinkPath. Links made before stay good; a new password, a new role and a closed account end them all. The error
// wraps database.ErrNotFound for nobody, and is a Conflict fault for a closed account.
func (a *Accounts) NewLink(ctx context.Context, user media.ID, life time.Duration) (media.Secret, error) {
	if life <= 0 || life > maxLinkLife {
		return "", fmt.Errorf("make sign-in link: it cannot last %v, but up to %v", life, maxLinkLife)
	}
	var random [16]byte
	rand.Read(random[:])
	token := base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(token))
	now := database.At(a.now())
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		u, err := userByID(ctx, tx, user)
		if err != nil {
			return err
		}
		if u.DisabledAt != 0 {
			return fault.Conflict("sign_in.disabled")
		}
		err = insertLink(ctx, tx, linkRow{Hash: hash[:], UserID: user, Purpose: forSignIn, CreatedAt: now, ExpiresAt: now.Add(life)})
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Action: "link.create", Object: audit.Object("user", user),
			Detail: map[string]any{"minutes": int(life / time.Minute)},
		})
	})
	if err != nil {
		return "", fmt.Errorf("make sign-in link: %w", err)
	}
	return media.Secret(token), nil
}

// checkLink returns whom a link signs in, without spending it. Used, expired and invented links are the same
// fault: who found one somewhere learns nothing.
func (a *Accounts) checkLink(ctx context.Context, token string) (linkedUser, error) {
	hash := sha256.Sum256([]byte(token))
	found, err := findLink(ctx, a.db.Reader(), hash[:])
	if err != nil {
		return linkedUser{}, fmt.Errorf("read sign-in link: %w", err)
	}
	if len(found) == 0 {
		return linkedUser{}, fault.NotFound("link.gone")
	}
	u := found[0]
	if u.UsedAt != 0 || u.DisabledAt != 0 || !a.now().Before(u.ExpiresAt.Time()) {
		return u, fault.NotFound("link.gone")
	}
	return u, nil
}

// signInByLink spends a link and starts a session.
func (a *Accounts) signInByLink(ctx context.Context, token string, from From) (s Session, err error) {
	u, err := a.checkLink(ctx, token) // before a stranger gets to write
	if err == nil {
		s, err = a.spend(ctx, token, from)
	}
	if fault.Is(err, fault.KindNotFound) && u.UserID != 0 {
		a.refusals.Note(ctx, audit.Line{Action: "session.refused", Object: audit.Object("user", u.UserID), Detail: map[string]any{"by": "link"}})
	}
	if err != nil {
		return Session{}, err
	}
	a.endReplaced(ctx, from)
	return s, nil
}

// spend marks a link as used and starts the session in one transaction: of two that press the button at the same
// time one is in.
func (a *Accounts) spend(ctx context.Context, token string, from From) (s Session, err error) {
	hash := sha256.Sum256([]byte(token))
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := useLink(ctx, tx, hash[:], database.At(a.now()))
		if err != nil {
			return fmt.Errorf("spend sign-in link: %w", err)
		}
		if n == 0 {
			return fault.NotFound("link.gone")
		}
		u, err := linkOwner(ctx, tx, hash[:])
		if err != nil {
			return fmt.Errorf("read user of a sign-in link: %w", err)
		}
		if u.DisabledAt != 0 {
			return fault.NotFound("link.gone")
		}
		s, err = a.enter(ctx, tx, u, from, map[string]any{"by": "link"})
		return err
	})
	return s, err
}
