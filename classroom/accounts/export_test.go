package accounts

import (
	"context"
	"time"
)

var background = context.Background()

// What the tests in package accounts_test hold against the schema and the rules.
func Models() []any {
	return []any{&userRow{}, &sessionRow{}, &linkRow{}, &keyRow{}, &schoolRow{}, &factorRow{}, &recoveryRow{}, &tokenRow{}}
}

const GuessDelay = guessDelay

func DeviceOf(agent string) string { return deviceOf(agent) }

func CheckEmail(s string) (string, error) { return checkEmail(s) }

func (a *Accounts) StoredPassword(t interface{ Fatal(...any) }, email string) string {
	r, err := userByEmail(background, a.db.Reader(), email)
	if err != nil {
		t.Fatal(err)
	}
	return r.Password
}

func (a *Accounts) FlushSeen() { a.flushSeen(background) }

func (a *Accounts) Sweep(now time.Time) error { return a.sweep(background, now) }

func HOTP(secret []byte, step int64, digits int) string { return hotp(secret, step, digits) }

func SecretURL(school, account string, secret []byte) string {
	return secretURL(school, account, secret)
}

// Answer does what Run does with the mails that were asked for so far, and the sign-ins that were refused.
func (a *Accounts) Answer() {
	for len(a.asked) > 0 {
		a.answer(background, <-a.asked)
	}
	for len(a.refused) > 0 {
		a.noteRefusal(background, <-a.refused)
	}
}
