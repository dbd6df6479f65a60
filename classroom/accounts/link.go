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

// linkLife is how long each kind of link works.
var linkLife = map[Purpose]time.Duration{
	ForSignIn: 15 * time.Minute, ForReset: 30 * time.Minute, ForInvitation: maxLinkLife, forCode: 5 * time.Minute,
}

// linkPages are where links lead.
var linkPages = map[Purpose]string{
	ForSignIn: "/sign-in/link", ForReset: "/sign-in/reset", ForInvitation: "/sign-in/invitation",
}

// LinkPath is where a sign-in link leads, behind the school's base URL.
func LinkPath(token media.Secret) string { return linkPages[ForSignIn] + "?token=" + string(token) }

// linkURL is the whole address of a link.
func (a *Accounts) linkURL(p Purpose, token media.Secret) string {
	return a.cfg.Address + linkPages[p] + "?token=" + string(token)
}

// NewLink makes a link that signs user in once, within life, which is at most 7 days. It returns the token for
// LinkPath. Links made before stay good; a new password, a new role and a closed account end them all. The error
// wraps database.ErrNotFound for nobody, and is a Conflict fault for a closed account.
func (a *Accounts) NewLink(ctx context.Context, user media.ID, life time.Duration) (token media.Secret, err error) {
	if life <= 0 || life > maxLinkLife {
		return "", fmt.Errorf("make sign-in link: it cannot last %v, but up to %v", life, maxLinkLife)
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		token, err = a.newLink(ctx, tx, 0, user, ForSignIn, life)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make sign-in link: %w", err)
	}
	return token, nil
}

// newLink makes a link inside tx, with its audit line. actor is who will hand it on, 0 for the program.
func (a *Accounts) newLink(ctx context.Context, tx *gorm.DB, actor, user media.ID, p Purpose, life time.Duration) (media.Secret, error) {
	u, err := userByID(ctx, tx, user)
	if err != nil {
		return "", err
	}
	if u.DisabledAt != 0 {
		return "", fault.Conflict("sign_in.disabled")
	}
	token, err := a.insertToken(ctx, tx, user, p, life)
	if err != nil {
		return "", err
	}
	return token, audit.Write(ctx, tx, audit.Line{
		At: a.now(), Actor: actor, Action: "link.create", Object: audit.Object("user", user),
		Detail: map[string]any{"for": p, "minutes": int(life / time.Minute)},
	})
}

func (a *Accounts) insertToken(ctx context.Context, tx *gorm.DB, user media.ID, p Purpose, life time.Duration) (media.Secret, error) {
	var random [16]byte
	rand.Read(random[:])
	token := base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(token))
	now := database.At(a.now())
	err := insertLink(ctx, tx, linkRow{Hash: hash[:], UserID: user, Purpose: p, CreatedAt: now, ExpiresAt: now.Add(life)})
	return media.Secret(token), err
}

// checkLink returns whom a link is for, without spending it. Used, expired and invented links are the same fault:
// who found one somewhere learns nothing.
func (a *Accounts) checkLink(ctx context.Context, p Purpose, token string) (linkedUser, error) {
	hash := sha256.Sum256([]byte(token))
	found, err := findLink(ctx, a.db.Reader(), p, hash[:])
	if err != nil {
		return linkedUser{}, fmt.Errorf("read link: %w", err)
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

// useLink spends a link inside tx and returns whose it is: of two that press its button at the same time one gets
// on.
func (a *Accounts) useLink(ctx context.Context, tx *gorm.DB, p Purpose, token string) (userRow, error) {
	hash := sha256.Sum256([]byte(token))
	n, err := useLink(ctx, tx, p, hash[:], database.At(a.now()))
	if err != nil {
		return userRow{}, fmt.Errorf("spend link: %w", err)
	}
	if n == 0 {
		return userRow{}, fault.NotFound("link.gone")
	}
	u, err := linkOwner(ctx, tx, hash[:])
	if err != nil {
		return userRow{}, fmt.Errorf("read user of a link: %w", err)
	}
	if u.DisabledAt != 0 {
		return userRow{}, fault.NotFound("link.gone")
	}
	return u, nil
}

// byLink spends a link and does what it is for, in one transaction, when it is still good. do gets the person and
// how they came, for the audit line.
func (a *Accounts) byLink(ctx context.Context, p Purpose, token string, do func(tx *gorm.DB, u userRow, how map[string]any) error) error {
	u, err := a.checkLink(ctx, p, token) // before a stranger gets to write
	if err == nil {
		err = a.db.Tx(ctx, func(tx *gorm.DB) error {
			owner, err := a.useLink(ctx, tx, p, token)
			if err != nil {
				return err
			}
			return do(tx, owner, map[string]any{"by": "link", "for": p})
		})
	}
	if fault.Is(err, fault.KindNotFound) && u.UserID != 0 {
		a.refusals.Note(ctx, audit.Line{Action: "session.refused", Object: audit.Object("user", u.UserID), Detail: map[string]any{"by": "link"}})
	}
	return err
}

// signInByLink spends a link and starts a session.
func (a *Accounts) signInByLink(ctx context.Context, token string, from From) (s Session, err error) {
	err = a.byLink(ctx, ForSignIn, token, func(tx *gorm.DB, u userRow, how map[string]any) error {
		s, err = a.enter(ctx, tx, u, from, how)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	a.endReplaced(ctx, from)
	return s, nil
}

// resetPassword spends a link, stores a new password, ends every session and link of its owner and starts a new
// session. Faults about the password do not spend the link.
func (a *Accounts) resetPassword(ctx context.Context, token string, password media.Secret, from From) (s Session, err error) {
	u, err := a.checkLink(ctx, ForReset, token) // before anything is hashed for a stranger
	if err != nil {
		return s, err
	}
	phc, err := a.newPassword(ctx, u.UserID, u.DisplayName, password)
	if err != nil {
		return s, err
	}
	var ended [][]byte
	err = a.byLink(ctx, ForReset, token, func(tx *gorm.DB, u userRow, how map[string]any) error {
		if _, err := setPassword(ctx, tx, u.ID, phc); err != nil {
			return err
		}
		if u.InvitedAt != 0 { // they are here now
			if err := setInvited(ctx, tx, u.ID, 0); err != nil {
				return err
			}
		}
		if ended, err = a.endAll(ctx, tx, u.ID, u.ID, "user.password"); err != nil {
			return err
		}
		s, err = a.enter(ctx, tx, u, from, how)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	a.allEnded(u.UserID, ended)
	a.endReplaced(ctx, from)
	return s, nil
}

// accept spends an invitation: its owner has a name and a password of their own choice and is signed in.
func (a *Accounts) accept(ctx context.Context, token, name string, password media.Secret, from From) (s Session, err error) {
	u, err := a.checkLink(ctx, ForInvitation, token)
	if err != nil {
		return s, err
	}
	phc, err := a.newPassword(ctx, u.UserID, name, password)
	if err != nil {
		return s, err
	}
	var ended [][]byte
	err = a.byLink(ctx, ForInvitation, token, func(tx *gorm.DB, u userRow, how map[string]any) error {
		if err := acceptInvitation(ctx, tx, u.ID, name, phc); err != nil {
			return err
		}
		if ended, err = a.endAll(ctx, tx, u.ID, u.ID, "user.accept"); err != nil {
			return err
		}
		s, err = a.enter(ctx, tx, u, from, how)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	a.allEnded(u.UserID, ended)
	a.endReplaced(ctx, from)
	return s, nil
}

// newPassword checks and hashes a password that somebody chose for themselves.
func (a *Accounts) newPassword(ctx context.Context, user media.ID, name string, password media.Secret) (string, error) {
	u, err := a.User(ctx, user)
	if err != nil {
		return "", err
	}
	if err := checkNewPassword(string(password), u.Email, name, a.School().Name); err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, string(password))
}
