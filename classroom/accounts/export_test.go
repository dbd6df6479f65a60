package accounts

import (
	"context"
	"time"
)

var background = context.Background()

// What the tests in package accounts_test hold against the schema and the rules.
func Models() []any {
	return []any{&userRow{}, &sessionRow{}, &linkRow{}, &keyRow{}, &schoolRow{}, &tokenRow{}}
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
