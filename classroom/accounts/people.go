package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// State is what a person's account is.
type State string

const (
	Active   State = "active"   // may sign in
	Invited  State = "invited"  // was invited and has not come yet
	Disabled State = "disabled" // is kept out
	Erased   State = "erased"   // is nobody any more
)

// States are all of them, in the order of the filter.
var States = []State{Active, Invited, Disabled, Erased}

// State returns what u's account is.
func (u User) State() State {
	switch {
	case !u.ErasedAt.IsZero():
		return Erased
	case !u.DisabledAt.IsZero():
		return Disabled
	case !u.InvitedAt.IsZero():
		return Invited
	}
	return Active
}

// Search chooses people. The zero value is everybody but who was erased.
type Search struct {
	Text  string // parts of name, address or number, in any order
	Role  string // admin, teacher or student; empty is any
	State State  // empty is any but Erased
	Skip  int
	Limit int // at most 500, 0 is 100
}

// Found is a page of people.
type Found struct {
	People []Member
	All    int // how many there are on all pages
}

// Member is a person with what they are in courses.
type Member struct {
	User
	Standing
}

const (
	usualPage = 100
	maxPage   = 500
)

// Find returns the people that a search finds, by family name. It reads everybody and compares here, because no
// database folds the letters of all scripts: 20,000 people take a fifth of a second of one core, and only admins ask.
func (a *Accounts) Find(ctx context.Context, s Search) (Found, error) {
	if s.Limit <= 0 || s.Limit > maxPage {
		s.Limit = usualPage
	}
	standing := map[media.ID]Standing{}
	if a.cfg.Standing != nil {
		var err error
		if standing, err = a.cfg.Standing(ctx); err != nil {
			return Found{}, err
		}
	}
	words := strings.Fields(plain(s.Text))
	var f Found
	err := eachUser(ctx, a.db.Reader(), func(r *userRow) {
		u := r.user()
		if !s.takes(u, standing[u.ID]) || !matches(r, words) {
			return
		}
		if f.All >= s.Skip && len(f.People) < s.Limit {
			f.People = append(f.People, Member{u, standing[u.ID]})
		}
		f.All++
	})
	if err != nil {
		return Found{}, fmt.Errorf("find people: %w", err)
	}
	return f, nil
}

// takes reports whether role and state are those that are wanted.
func (s Search) takes(u User, in Standing) bool {
	switch s.Role {
	case "admin":
		if !u.Admin {
			return false
		}
	case "teacher":
		if !in.Teaches {
			return false
		}
	case "student":
		if !in.Studies {
			return false
		}
	}
	if s.State == "" {
		return u.ErasedAt.IsZero()
	}
	return u.State() == s.State
}

// matches reports whether every word stands somewhere in what is known of a person.
func matches(r *userRow, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := plain(r.DisplayName + " " + r.GivenName + " " + r.FamilyName + " " + r.Email + " " + r.StudentID)
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// plain is text without case and accents, as people type what they look for.
func plain(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return strings.ToLower(s)
	}
	return strokes.Replace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s)))
}

// strokes are the Latin letters that Unicode does not take apart.
var strokes = strings.NewReplacer("ø", "o", "đ", "d", "ł", "l", "ħ", "h", "ı", "i", "ß", "ss", "æ", "ae", "œ", "oe", "ð", "d", "þ", "th", "’", "'")

// Invite makes an account and invites its owner: by mail where there is mail and an address. They choose name and
// password themselves. Faults name the field.
func (a *Accounts) Invite(ctx context.Context, actor media.ID, n NewUser) (User, error) {
	row, err := a.newRow(ctx, n)
	if err != nil {
		return User{}, err
	}
	row.InvitedAt = row.CreatedAt
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertUsers(ctx, tx, []userRow{row}); err != nil {
			return err
		}
		if err := a.putLetter(ctx, tx, row.ID, row.Email, ForInvitation); err != nil {
			return err
		}
		return a.auditUsers(ctx, tx, actor, []userRow{row})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return User{}, fault.Conflict("user.taken").At("email").Because(err)
	}
	if err != nil {
		return User{}, fmt.Errorf("invite: %w", err)
	}
	a.cfg.Outbox.Wake()
	return row.user(), nil
}

// putLetter promises a letter to somebody who has an address.
func (a *Accounts) putLetter(ctx context.Context, tx *gorm.DB, user media.ID, email string, p Purpose) error {
	if email == "" {
		return nil
	}
	lasts := askFor
	if p == ForInvitation {
		lasts = maxLinkLife
	}
	return a.cfg.Outbox.Put(ctx, tx, user, string(p), lasts)
}

// Mail promises people a link by mail, and returns how many have an address to send it to. Invitations go to those
// who can be invited.
func (a *Accounts) Mail(ctx context.Context, actor media.ID, users []media.ID, p Purpose) (sent int, err error) {
	if !a.cfg.Outbox.On() {
		return 0, fault.Conflict("accounts.no_mail")
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		sent = 0
		for _, id := range users {
			u, err := userByID(ctx, tx, id)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if u.Email == "" || u.DisabledAt != 0 {
				continue
			}
			if err := a.promise(ctx, tx, actor, u, p); err != nil {
				return err
			}
			sent++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("mail links: %w", err)
	}
	a.cfg.Outbox.Wake()
	return sent, nil
}

func (a *Accounts) promise(ctx context.Context, tx *gorm.DB, actor media.ID, u userRow, p Purpose) error {
	if p == ForInvitation {
		if err := setInvited(ctx, tx, u.ID, database.At(a.now())); err != nil {
			return err
		}
	}
	if err := a.putLetter(ctx, tx, u.ID, u.Email, p); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		At: a.now(), Actor: actor, Action: "link.mail", Object: audit.Object("user", u.ID), Detail: map[string]any{"for": p},
	})
}

// Handed is a link for somebody, to be copied or printed. It is seen once.
type Handed struct {
	User User
	URL  string
}

// HandOut makes a link for each of the people, in their order; those whose account is closed get none.
func (a *Accounts) HandOut(ctx context.Context, actor media.ID, users []media.ID, p Purpose) ([]Handed, error) {
	return a.handOutFor(ctx, actor, users, p, linkLife[p])
}

func (a *Accounts) handOutFor(ctx context.Context, actor media.ID, users []media.ID, p Purpose, life time.Duration) (links []Handed, err error) {
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		links = nil
		for _, id := range users {
			u, err := userByID(ctx, tx, id)
			if isNotFound(err) || err == nil && u.DisabledAt != 0 {
				continue
			}
			if err != nil {
				return err
			}
			if p == ForInvitation && u.InvitedAt == 0 {
				if err := setInvited(ctx, tx, id, database.At(a.now())); err != nil {
					return err
				}
			}
			token, err := a.newLink(ctx, tx, actor, id, p, life)
			if err != nil {
				return err
			}
			links = append(links, Handed{u.user(), a.linkURL(p, token)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make links: %w", err)
	}
	return links, nil
}

// Uninvite takes an invitation back: its links and letters are worth nothing from now on. The account stays.
func (a *Accounts) Uninvite(ctx context.Context, actor, id media.ID) error {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		u, err := userByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if u.InvitedAt == 0 {
			return fault.Conflict("accounts.not_invited")
		}
		err = errors.Join(setInvited(ctx, tx, id, 0), deleteLinksOf(ctx, tx, id, ForInvitation), a.cfg.Outbox.Drop(ctx, tx, id, string(ForInvitation)))
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: "user.uninvite", Object: audit.Object("user", id)})
	})
	if err != nil {
		return fmt.Errorf("take invitation back: %w", err)
	}
	return nil
}

// Edit is what an admin may change about a person.
type Edit struct {
	DisplayName, GivenName, FamilyName, Email, StudentID string
}

// Change stores new names, a new address and a new number. A new address ends the links that were mailed to the old
// one. Faults name the field.
func (a *Accounts) Change(ctx context.Context, actor, id media.ID, e Edit) error {
	row, err := a.newRow(ctx, NewUser{Email: e.Email, DisplayName: e.DisplayName, GivenName: e.GivenName, FamilyName: e.FamilyName, StudentID: e.StudentID})
	if err != nil {
		return err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		old, err := userByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if old.ErasedAt != 0 {
			return fault.Conflict("accounts.erased")
		}
		changed := changedFields(old, row)
		if len(changed) == 0 {
			return nil
		}
		if err := setPerson(ctx, tx, id, row); err != nil {
			return err
		}
		if slices.Contains(changed, "email") {
			if err := deleteLinksOf(ctx, tx, id); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: actor, Action: "user.edit", Object: audit.Object("user", id), Detail: map[string]any{"fields": changed},
		})
	})
	if errors.Is(err, database.ErrDuplicate) {
		return fault.Conflict("user.taken").At("email").Because(err)
	}
	if err != nil {
		return fmt.Errorf("change user: %w", err)
	}
	a.sessions.dropUser(id)
	return nil
}

// changedFields names what differs: the audit log says that a name was changed, and keeps no names.
func changedFields(old, row userRow) (names []string) {
	for _, f := range []struct{ name, old, new string }{
		{"display_name", old.DisplayName, row.DisplayName},
		{"given_name", old.GivenName, row.GivenName},
		{"family_name", old.FamilyName, row.FamilyName},
		{"email", old.Email, row.Email},
		{"student_id", old.StudentID, row.StudentID},
	} {
		if f.old != f.new {
			names = append(names, f.name)
		}
	}
	return names
}

// SignOutAll ends every session of somebody, as after a lost telephone.
func (a *Accounts) SignOutAll(ctx context.Context, actor, id media.ID) error {
	return a.change(ctx, actor, id, "session.end", func(*gorm.DB) error { return nil })
}

// person reads somebody for a handler: a NotFound fault when there is nobody.
func (a *Accounts) person(ctx context.Context, id media.ID) (User, error) {
	u, err := a.User(ctx, id)
	if isNotFound(err) {
		return u, fault.NotFound("").Because(err)
	}
	return u, err
}
