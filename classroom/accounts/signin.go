package accounts

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/fault"
)

// SignIn checks an address and a password that came from addr, and starts a session. It is a fault with the key
// sign_in.wrong for anybody who does not get in, whatever the reason, sign_in.slow_down after too many tries, and
// busy when the server is. replaces is the token the browser came with, if any: that session ends, so that nobody
// can plant one.
func (a *Accounts) SignIn(ctx context.Context, email, password string, addr netip.Addr, replaces string) (Session, User, error) {
	email = foldEmail(email)
	try, delay, retry := a.throttle.begin(a.now(), email, addr)
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
	s, err := a.signIn(ctx, u)
	if err != nil {
		return Session{}, User{}, err
	}
	if replaces != "" {
		if err := a.endSession(ctx, replaces); err != nil {
			a.log.WarnContext(ctx, "the session before a sign-in stays", "err", err)
		}
	}
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

// checkPassword returns the user, or a fault. Every way out that says "wrong" has hashed once.
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
		return userRow{}, a.refuse(ctx, u)
	}
	if stale {
		a.rehash(ctx, u, password)
	}
	return u, nil
}

// refuse notes a failed try with somebody's account and returns the one answer.
func (a *Accounts) refuse(ctx context.Context, u userRow) error {
	if u.ID != 0 {
		err := a.db.Tx(ctx, func(tx *gorm.DB) error {
			return audit.Write(ctx, tx, audit.Line{At: a.now(), Action: "session.refused", Object: audit.Object("user", u.ID)})
		})
		if err != nil {
			a.log.WarnContext(ctx, "failed sign-in not noted", "user", u.ID, "err", err)
		}
	}
	return fault.Unauthorized("sign_in.wrong")
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

func (a *Accounts) signIn(ctx context.Context, u userRow) (s Session, err error) {
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if s, err = a.startSession(ctx, tx, u); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: u.ID, Action: "session.start", Object: audit.Object("user", u.ID)})
	})
	return s, err
}
