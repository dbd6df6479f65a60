package accounts

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/mail"
	"chalkcast/media"
	"chalkcast/templates"
)

// maxAsked is how many people may wait until Run looks at what they asked for; who comes beyond that asks again.
const maxAsked = 1000

// askFor bounds the life of a letter that somebody waits for in front of the page. A link that comes later only
// puzzles them.
const askFor = time.Hour

// asking is an address that somebody typed, and what they want to be mailed.
type asking struct {
	email string
	what  Purpose // ForSignIn or ForReset
}

// ask notes that somebody wants a link by mail. Nothing is looked up before the answer has gone out, so that neither
// its words nor its time tell whether anybody has the address (SEC-33). It is a fault for a network that asks too
// often.
func (a *Accounts) ask(email string, what Purpose, from netip.Addr) error {
	network := throttleKey{"ask+network", networkOf(from), ""}
	if retry := a.throttle.take(a.now(), network, askNetworkBudget); retry > 0 {
		return fault.TooMany("sign_in.slow_down", retry)
	}
	select {
	case a.asked <- asking{foldEmail(email), what}:
	default:
		a.log.Warn("a mail that was asked for is left out: too many at once")
	}
	return nil
}

// answer puts the letter into the outbox, when there is somebody to write to.
func (a *Accounts) answer(ctx context.Context, ask asking) {
	u, err := userByEmail(ctx, a.db.Reader(), ask.email)
	if ask.email == "" || isNotFound(err) || err == nil && u.DisabledAt != 0 {
		return
	}
	if err == nil {
		if a.throttle.take(a.now(), throttleKey{what: "ask", user: ask.email}, askAddressBudget) > 0 {
			return
		}
		err = a.db.Tx(ctx, func(tx *gorm.DB) error { return a.cfg.Outbox.Put(ctx, tx, u.ID, string(ask.what), askFor) })
	}
	if err != nil {
		a.log.WarnContext(ctx, "a mail that was asked for is not sent", "for", ask.what, "err", err)
		return
	}
	a.cfg.Outbox.Wake()
}

// writeLetters tells the outbox how letters with links are written.
func (a *Accounts) writeLetters() {
	for _, p := range []Purpose{ForSignIn, ForReset, ForInvitation} {
		a.cfg.Outbox.Writes(string(p), a.writeLetter)
	}
	a.cfg.Outbox.OnRefused(func(ctx context.Context, l mail.Letter) {
		err := a.db.Tx(ctx, func(tx *gorm.DB) error {
			return audit.Write(ctx, tx, audit.Line{At: a.now(), Action: "mail.refused", Object: audit.Object("user", l.User), Detail: map[string]any{"for": l.Kind}})
		})
		if err != nil {
			a.log.WarnContext(ctx, "refused letter not noted", "user", l.User, "err", err)
		}
	})
}

// writeLetter makes the link that a letter is about and puts it into words.
func (a *Accounts) writeLetter(ctx context.Context, l mail.Letter) (mail.Message, error) {
	u, err := a.User(ctx, l.User)
	if isNotFound(err) {
		return mail.Message{}, errors.Join(mail.ErrNobody, err)
	}
	if err != nil {
		return mail.Message{}, err
	}
	p := Purpose(l.Kind)
	if u.Email == "" || !u.DisabledAt.IsZero() || p == ForInvitation && u.InvitedAt.IsZero() {
		return mail.Message{}, mail.ErrNobody
	}
	var token media.Secret
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if p == ForInvitation { // the link before is in a mail that did not go out, or is replaced by this one
			if err := deleteLinksOf(ctx, tx, u.ID, p); err != nil {
				return err
			}
		}
		token, err = a.newLink(ctx, tx, 0, u.ID, p, linkLife[p])
		return err
	})
	if fault.Is(err, fault.KindConflict) {
		return mail.Message{}, errors.Join(mail.ErrNobody, err)
	}
	if err != nil {
		return mail.Message{}, err
	}
	school := a.School()
	lang := u.Lang
	if lang == "" {
		lang = school.Lang
	}
	m := mail.Message{To: u.Email}
	m.Mail, err = a.cfg.Pages.Letter(lang, templates.LinkMail{
		School: school.Name, Name: u.DisplayName, Kind: l.Kind, URL: a.linkURL(p, token), Lasts: linkLife[p],
	})
	return m, err
}
