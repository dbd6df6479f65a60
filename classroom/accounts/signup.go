package accounts

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// guessBudget is how many codes one network may get wrong. A whole school that types its codes may be one address, so
// only failures count.
var guessBudget = budget{100, 15 * time.Minute}

// MayGuess is a TooMany fault when the network of addr got too many codes wrong.
func (a *Accounts) MayGuess(addr netip.Addr) error {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := t.over(a.now(), guessKey(addr), guessBudget); wait > 0 {
		return fault.TooMany("sign_in.slow_down", wait)
	}
	return nil
}

// GuessedWrong counts a code that was wrong.
func (a *Accounts) GuessedWrong(addr netip.Addr) {
	t, now := a.throttle, a.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.makeRoom(now)
	t.spend(now, guessKey(addr), guessBudget)
}

func guessKey(addr netip.Addr) throttleKey { return throttleKey{"code", networkOf(addr), ""} }

// SignUp makes an account for somebody who came with a class code and signs them in; join is what else happens in the
// same transaction. An address that somebody has already is a Conflict fault about the field email.
func (a *Accounts) SignUp(ctx context.Context, n NewUser, from From, join func(tx *gorm.DB, user media.ID) error) (s Session, err error) {
	n.Admin, n.PasswordHash = false, ""
	if n.Password == "" {
		return s, fault.Invalid("field.missing").At("password")
	}
	if n.Email, err = web.Line("email", n.Email, 254); err != nil {
		return s, err
	}
	row, err := a.newRow(ctx, n)
	if err != nil {
		return s, err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertUsers(ctx, tx, []userRow{row}); err != nil {
			return err
		}
		if err := join(tx, row.ID); err != nil {
			return err
		}
		if s, err = a.enter(ctx, tx, row, from, map[string]any{"by": "code"}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: row.ID, Action: "user.create", Object: audit.Object("user", row.ID), Detail: map[string]any{"by": "code"},
		})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return Session{}, fault.Conflict("join.taken").At("email").Because(err)
	}
	if err != nil {
		return Session{}, err
	}
	a.endReplaced(ctx, from)
	return s, nil
}
