package accounts

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// From is the browser that asks to sign in.
type From struct {
	Addr netip.Addr
	// Replaces is the token that it came with, if any: that session ends, so that nobody can plant one.
	Replaces string
	// Agent is its User-Agent, of which two words are kept.
	Agent string
}

// SignIn checks an address and a password, and starts a session. When the person has a second factor, the session is
// pending and SignInCode is the other half. It is a fault with the key sign_in.wrong for
// anybody who does not get in, whatever the reason, sign_in.slow_down after too many tries, and busy when the
// server is.
func (a *Accounts) SignIn(ctx context.Context, email, password string, from From) (Session, User, error) {
	email = foldEmail(email)
	try, delay, retry := a.throttle.begin(a.now(), email, from.Addr)
	if retry > 0 {
		return Session{}, User{}, fault.TooMany("sign_in.slow_down", retry)
	}
	err := wait(ctx, delay)
	var u userRow
	if err == nil {
		u, err = a.checkPassword(ctx, email, password)
	}
	try.end(a.now(), fault.Is(err, fault.KindUnauthorized))
	if err != nil {
		return Session{}, User{}, err
	}
	var s Session
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		s, err = a.enter(ctx, tx, u, from, nil)
		return err
	})
	if err != nil {
		return Session{}, User{}, err
	}
	a.endReplaced(ctx, from)
	return s, u.user(), nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// checkPassword returns the user, or a fault. Every way out that says "wrong" has read once, hashed once and written
// nothing, so that its time does not tell whether anybody has the address (SEC-33).
func (a *Accounts) checkPassword(ctx context.Context, email, password string) (userRow, error) {
	var u userRow
	if email != "" { // many have none
		var err error
		if u, err = userByEmail(ctx, a.db.Reader(), email); err != nil && !isNotFound(err) {
			return userRow{}, fmt.Errorf("read user: %w", err)
		}
	}
	if len(password) > maxPassword { // was never set, and is not worth hashing
		u.Password, password = "", ""
	}
	ok, stale, err := a.hasher.check(ctx, u.Password, password)
	if err != nil {
		return userRow{}, err
	}
	if !ok || u.DisabledAt != 0 {
		a.refuse(u)
		return userRow{}, fault.Unauthorized("sign_in.wrong")
	}
	if stale {
		a.rehash(ctx, u, password)
	}
	return u, nil
}

// maxRefused is how many failed tries may wait until Run notes them.
const maxRefused = 1000

// refusal is a failed try with somebody's account.
type refusal struct {
	user media.ID
	at   time.Time
}

// refuse lets Run note a failed try with somebody's account, after the answer.
func (a *Accounts) refuse(u userRow) {
	if u.ID == 0 {
		return
	}
	select {
	case a.refused <- refusal{u.ID, a.now()}:
	default:
		a.log.Warn("failed sign-in not noted: too many at once", "user", u.ID)
	}
}

func (a *Accounts) noteRefusal(ctx context.Context, r refusal) {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		return audit.Write(ctx, tx, audit.Line{At: r.at, Action: "session.refused", Object: audit.Object("user", r.user)})
	})
	if err != nil {
		a.log.WarnContext(ctx, "failed sign-in not noted", "user", r.user, "err", err)
	}
}

func (a *Accounts) rehash(ctx context.Context, u userRow, password string) {
	phc, err := a.hasher.hash(ctx, password)
	if err == nil {
		err = a.db.Tx(ctx, func(tx *gorm.DB) error { return replacePassword(ctx, tx, u.ID, u.Password, phc) })
	}
	if err != nil {
		a.log.WarnContext(ctx, "password keeps its old hash", "user", u.ID, "err", err)
	}
}

// enter lets in somebody who has shown who they are, or asks them for a code when they have a second factor. how
// goes into the audit line.
func (a *Accounts) enter(ctx context.Context, tx *gorm.DB, u userRow, from From, how map[string]any) (Session, error) {
	f, err := factorOf(ctx, tx, u.ID)
	if err != nil {
		return Session{}, fmt.Errorf("read second factor: %w", err)
	}
	if f.ConfirmedAt == 0 {
		return a.start(ctx, tx, u, from, how)
	}
	pending, err := a.insertToken(ctx, tx, u.ID, forCode, linkLife[forCode])
	if err != nil {
		return Session{}, fmt.Errorf("store half a sign-in: %w", err)
	}
	return Session{Pending: pending}, nil
}

// start starts a session, with its audit line.
func (a *Accounts) start(ctx context.Context, tx *gorm.DB, u userRow, from From, how map[string]any) (Session, error) {
	s, err := a.startSession(ctx, tx, u, from)
	if err != nil {
		return Session{}, err
	}
	return s, audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: u.ID, Action: "session.start", Object: audit.Object("user", u.ID), Detail: how})
}

// endReplaced ends the session that a browser had before.
func (a *Accounts) endReplaced(ctx context.Context, from From) {
	if from.Replaces == "" {
		return
	}
	if err := a.endSession(ctx, from.Replaces); err != nil {
		a.log.WarnContext(ctx, "the session before a sign-in stays", "err", err)
	}
}
