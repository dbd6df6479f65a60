package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	recoveryCodes  = 10
	recoveryLength = 16 // characters of base32: 80 bits, so a plain hash is enough
)

// Factor is a person's second factor as they see it.
type Factor struct {
	On       bool
	Recovery int // codes left
}

// Factor returns whether somebody has a second factor.
func (a *Accounts) Factor(ctx context.Context, user media.ID) (Factor, error) {
	f, err := factorOf(ctx, a.db.Reader(), user)
	if err != nil {
		return Factor{}, fmt.Errorf("read second factor: %w", err)
	}
	n, err := countRecovery(ctx, a.db.Reader(), user)
	if err != nil {
		return Factor{}, fmt.Errorf("count recovery codes: %w", err)
	}
	return Factor{On: f.ConfirmedAt != 0, Recovery: int(n)}, nil
}

// beginFactor makes the secret of a second factor, which counts once a code of it was right. The one begun before is
// forgotten. It is a Conflict fault for somebody who has one.
func (a *Accounts) beginFactor(ctx context.Context, user media.ID) ([]byte, error) {
	secret := make([]byte, 20) // RFC 4226 section 4
	rand.Read(secret)
	n := 0
	err := a.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		n, err = putFactor(ctx, tx, factorRow{UserID: user, Secret: secret})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store second factor: %w", err)
	}
	if n == 0 {
		return nil, fault.Conflict("factor.there")
	}
	return secret, nil
}

// pendingFactor returns the secret that was begun, nil for none.
func (a *Accounts) pendingFactor(ctx context.Context, user media.ID) ([]byte, error) {
	f, err := factorOf(ctx, a.db.Reader(), user)
	if err != nil {
		return nil, fmt.Errorf("read second factor: %w", err)
	}
	if f.ConfirmedAt != 0 {
		return nil, nil
	}
	return f.Secret, nil
}

// confirmFactor turns a second factor on, once the first code of it is right, and returns the recovery codes, which
// are seen this once. A wrong code is an Invalid fault about the field code.
func (a *Accounts) confirmFactor(ctx context.Context, user media.ID, code string) (codes []string, err error) {
	if err := a.takeCode(user); err != nil {
		return nil, err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		f, err := factorOf(ctx, tx, user)
		if err != nil {
			return err
		}
		step, right := matchStep(f.Secret, plainCode(code), a.now())
		if len(f.Secret) == 0 || f.ConfirmedAt != 0 || !right {
			return fault.Invalid("factor.code_wrong").At("code")
		}
		if err := setFactorOn(ctx, tx, user, database.At(a.now()), step); err != nil {
			return err
		}
		if codes, err = newRecovery(ctx, tx, user); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: user, Action: "factor.on", Object: audit.Object("user", user)})
	})
	if err != nil {
		return nil, fmt.Errorf("turn second factor on: %w", err)
	}
	a.giveCodeBack(user)
	a.sessions.dropUser(user)
	return codes, nil
}

// renewRecovery replaces the recovery codes of somebody who shows a code.
func (a *Accounts) renewRecovery(ctx context.Context, user media.ID, code string) (codes []string, err error) {
	err = a.withCode(ctx, user, code, func(tx *gorm.DB) error {
		if codes, err = newRecovery(ctx, tx, user); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: user, Action: "factor.recovery_new", Object: audit.Object("user", user)})
	})
	return codes, err
}

// dropFactor turns off the second factor of somebody who shows a code.
func (a *Accounts) dropFactor(ctx context.Context, user media.ID, code string) error {
	return a.withCode(ctx, user, code, func(tx *gorm.DB) error { return a.factorOff(ctx, tx, user, user) })
}

// RemoveFactor turns off somebody's second factor, for who has lost both telephone and recovery codes. Their
// sessions end.
func (a *Accounts) RemoveFactor(ctx context.Context, actor, user media.ID) error {
	return a.change(ctx, actor, user, "factor.removed", func(tx *gorm.DB) error { return deleteFactor(ctx, tx, user) })
}

func (a *Accounts) factorOff(ctx context.Context, tx *gorm.DB, actor, user media.ID) error {
	if err := deleteFactor(ctx, tx, user); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: "factor.off", Object: audit.Object("user", user)})
}

// withCode does something for somebody who shows a code of their second factor, in one transaction with spending it.
// A wrong code is an Invalid fault about the field code.
func (a *Accounts) withCode(ctx context.Context, user media.ID, code string, do func(tx *gorm.DB) error) error {
	if err := a.takeCode(user); err != nil {
		return err
	}
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		ok, err := a.useCode(ctx, tx, user, code)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Invalid("factor.code_wrong").At("code")
		}
		return do(tx)
	})
	if err != nil {
		return fmt.Errorf("with second factor: %w", err)
	}
	a.giveCodeBack(user)
	a.sessions.dropUser(user)
	return nil
}

// SignInCode is the second half of a sign-in: pending is what the first half returned, code is from the app or one of
// the recovery codes. It is a NotFound fault when the first half is too long ago, and Unauthorized with the key
// factor.code_wrong for a wrong code.
func (a *Accounts) SignInCode(ctx context.Context, pending media.Secret, code string, from From) (s Session, u User, err error) {
	l, err := a.checkLink(ctx, forCode, string(pending))
	if err != nil {
		return s, u, err
	}
	if err := a.takeCode(l.UserID); err != nil {
		return s, u, err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		ok, err := a.useCode(ctx, tx, l.UserID, code)
		if err != nil {
			return fmt.Errorf("spend a code: %w", err)
		}
		if !ok {
			return fault.Unauthorized("factor.code_wrong").At("code")
		}
		row, err := a.useLink(ctx, tx, forCode, string(pending))
		if err != nil {
			return err
		}
		u = row.user()
		s, err = a.start(ctx, tx, row, from, map[string]any{"second_factor": true})
		return err
	})
	if fault.Is(err, fault.KindUnauthorized) {
		a.refusals.Note(ctx, audit.Line{Action: "session.refused", Object: audit.Object("user", l.UserID), Detail: map[string]any{"by": "code"}})
	}
	if err != nil {
		return Session{}, User{}, err
	}
	a.giveCodeBack(l.UserID)
	a.endReplaced(ctx, from)
	return s, u, nil
}

// useCode spends a code of the app or a recovery code. A code works once, also for who looks over a shoulder.
func (a *Accounts) useCode(ctx context.Context, tx *gorm.DB, user media.ID, code string) (bool, error) {
	f, err := factorOf(ctx, tx, user)
	if err != nil || f.ConfirmedAt == 0 {
		return false, err
	}
	code = plainCode(code)
	if len(code) == recoveryLength {
		hash := sha256.Sum256([]byte(code))
		n, err := deleteRecovery(ctx, tx, user, hash[:])
		return n == 1, err
	}
	step, right := matchStep(f.Secret, code, a.now())
	if !right {
		return false, nil
	}
	n, err := setLastStep(ctx, tx, user, step)
	return n == 1, err
}

func (a *Accounts) takeCode(user media.ID) error {
	if retry := a.throttle.take(a.now(), codeKey(user), codeBudget); retry > 0 {
		return fault.TooMany("sign_in.slow_down", retry)
	}
	return nil
}

func (a *Accounts) giveCodeBack(user media.ID) { a.throttle.giveBack(codeKey(user), codeBudget) }

func codeKey(user media.ID) throttleKey { return throttleKey{what: "code", user: user.String()} }

// plainCode takes out what people type between digits and letters.
func plainCode(code string) string {
	if len(code) > 100 {
		return ""
	}
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}

// newRecovery makes fresh recovery codes and forgets the old ones.
func newRecovery(ctx context.Context, tx *gorm.DB, user media.ID) ([]string, error) {
	var codes []string
	var rows []recoveryRow
	for range recoveryCodes {
		var random [recoveryLength * 5 / 8]byte
		rand.Read(random[:])
		code := strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
		hash := sha256.Sum256([]byte(code))
		rows = append(rows, recoveryRow{UserID: user, Hash: hash[:]})
		var groups []string
		for group := range slices.Chunk([]byte(code), 4) {
			groups = append(groups, string(group))
		}
		codes = append(codes, strings.Join(groups, "-"))
	}
	return codes, replaceRecovery(ctx, tx, user, rows)
}

// SetFactorRule says whether admins need a second factor for what cannot be taken back.
func (a *Accounts) SetFactorRule(ctx context.Context, actor media.ID, needed bool) error {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := setFactorRule(ctx, tx, needed); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: "school.edit", Object: "school", Detail: map[string]any{"second_factor": needed}})
	})
	if err != nil {
		return fmt.Errorf("change school: %w", err)
	}
	return a.loadSchool(ctx)
}
