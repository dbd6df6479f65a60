package courses

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/fault"
)

// find returns whom an address or a student number belongs to. A number may look like an address; one that belongs to
// somebody else is no guess.
func (f *Courses) find(ctx context.Context, who string) (accounts.User, error) {
	found, err := accounts.FindPeople(ctx, f.db.Reader(), []string{who}, []string{strings.ToLower(norm.NFC.String(who))})
	if err != nil {
		return accounts.User{}, err
	}
	if len(found) == 0 {
		return accounts.User{}, fault.Invalid("enrollment.unknown").At("who")
	}
	for _, u := range found {
		if u.ID != found[0].ID {
			return accounts.User{}, fault.Conflict("roster.two_people").At("who")
		}
	}
	if !found[0].DisabledAt.IsZero() {
		return accounts.User{}, fault.Conflict("roster.disabled").At("who")
	}
	return found[0], nil
}
