package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxName bounds every name, in characters.
const maxName = 100

// NewUser is a person to be created.
type NewUser struct {
	Email       string
	DisplayName string // empty: given and family name
	GivenName   string
	FamilyName  string
	StudentID   string
	Lang        string
	Admin       bool
	// Password may be empty: nobody can sign in with it then. PasswordHash, from HashPassword, saves hashing
	// where many people begin with one password.
	Password     media.Secret
	PasswordHash string
}

// Create makes one person. actor is who does it, 0 for the program itself. Faults name the field.
func (a *Accounts) Create(ctx context.Context, actor media.ID, n NewUser) (User, error) {
	users, err := a.CreateMany(ctx, actor, []NewUser{n})
	if err != nil {
		return User{}, err
	}
	return users[0], nil
}

// CreateMany makes all people of list or, when one of them cannot be made, none. The result is in the order of
// list.
func (a *Accounts) CreateMany(ctx context.Context, actor media.ID, list []NewUser) ([]User, error) {
	rows := make([]userRow, len(list))
	for i, n := range list {
		var err error
		if rows[i], err = a.newRow(ctx, n); err != nil {
			return nil, err
		}
	}
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := insertUsers(ctx, tx, rows); err != nil {
			return err
		}
		return a.auditUsers(ctx, tx, actor, rows)
	})
	if errors.Is(err, database.ErrDuplicate) {
		return nil, fault.Conflict("user.taken").At("email").Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("create users: %w", err)
	}
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.user()
	}
	return users, nil
}

// auditUsers writes one line for one person or for a whole import.
func (a *Accounts) auditUsers(ctx context.Context, tx *gorm.DB, actor media.ID, rows []userRow) error {
	l := audit.Line{At: a.now(), Actor: actor, Action: "user.create", Object: "users", Detail: map[string]any{"count": len(rows)}}
	if len(rows) == 1 {
		l.Object, l.Detail = audit.Object("user", rows[0].ID), map[string]any{"admin": rows[0].Admin}
	}
	return audit.Write(ctx, tx, l)
}

func (a *Accounts) newRow(ctx context.Context, n NewUser) (userRow, error) {
	r, err := n.row(a.now())
	if err != nil {
		return userRow{}, err
	}
	if n.Password == "" {
		return r, nil
	}
	if err := checkNewPassword(string(n.Password), r.Email, r.DisplayName, a.School().Name); err != nil {
		return userRow{}, err
	}
	r.Password, err = a.hasher.hash(ctx, string(n.Password))
	return r, err
}

// row checks and tidies everything but the password.
func (n NewUser) row(now time.Time) (userRow, error) {
	r := userRow{ID: media.NewID(), Admin: n.Admin, Lang: n.Lang, Password: n.PasswordHash, CreatedAt: database.At(now)}
	if strings.TrimSpace(n.DisplayName) == "" {
		n.DisplayName = FullName(n.GivenName, n.FamilyName)
	}
	var errs [5]error
	r.GivenName, errs[0] = web.OptionalLine("given_name", n.GivenName, maxName)
	r.FamilyName, errs[1] = web.OptionalLine("family_name", n.FamilyName, maxName)
	r.DisplayName, errs[2] = web.Line("name", n.DisplayName, maxName)
	r.StudentID, errs[3] = web.OptionalLine("student_id", n.StudentID, maxName)
	r.Email, errs[4] = checkEmail(n.Email)
	for _, err := range errs {
		if err != nil {
			return userRow{}, err
		}
	}
	return r, nil
}

// HashPassword returns what NewUser.PasswordHash wants.
func (a *Accounts) HashPassword(ctx context.Context, password media.Secret) (string, error) {
	if err := checkNewPassword(string(password), a.School().Name); err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, string(password))
}

// SetPassword gives a person a new password and ends all their sessions and sign-in links.
func (a *Accounts) SetPassword(ctx context.Context, actor, id media.ID, password media.Secret) error {
	u, err := a.User(ctx, id)
	if err != nil {
		return err
	}
	if err := checkNewPassword(string(password), u.Email, u.DisplayName, a.School().Name); err != nil {
		return err
	}
	phc, err := a.hasher.hash(ctx, string(password))
	if err != nil {
		return err
	}
	return a.change(ctx, actor, id, "user.password", func(tx *gorm.DB) error {
		_, err := setPassword(ctx, tx, id, phc)
		return err
	})
}

// Disable keeps a person out: their sessions and broadcasts end, their registers stay. The last admin cannot be
// disabled.
func (a *Accounts) Disable(ctx context.Context, actor, id media.ID) error {
	err := a.change(ctx, actor, id, "user.disable", func(tx *gorm.DB) error {
		if err := a.cfg.Outbox.Drop(ctx, tx, id); err != nil {
			return err
		}
		if err := keepAnAdmin(ctx, tx, id); err != nil {
			return err
		}
		return setDisabled(ctx, tx, id, database.At(a.now()))
	})
	if err != nil {
		return err
	}
	keys, err := keysOf(ctx, a.db.Reader(), id)
	if err != nil {
		return fmt.Errorf("read stream keys: %w", err)
	}
	for _, k := range keys {
		a.keyRevoked(k.ID)
	}
	return nil
}

// Enable lets a person in again, unless there is none any more.
func (a *Accounts) Enable(ctx context.Context, actor, id media.ID) error {
	return a.change(ctx, actor, id, "user.enable", func(tx *gorm.DB) error { return setDisabled(ctx, tx, id, 0) })
}

// SetAdmin makes a person an admin or takes it from them; the last one stays. Their sessions end.
func (a *Accounts) SetAdmin(ctx context.Context, actor, id media.ID, admin bool) error {
	action := "user.admin"
	if !admin {
		action = "user.no_admin"
	}
	return a.change(ctx, actor, id, action, func(tx *gorm.DB) error {
		if !admin {
			if err := keepAnAdmin(ctx, tx, id); err != nil {
				return err
			}
		}
		return setAdmin(ctx, tx, id, admin)
	})
}

// keepAnAdmin refuses to take away the last admin.
func keepAnAdmin(ctx context.Context, tx *gorm.DB, id media.ID) error {
	if err := lockSchool(ctx, tx); err != nil {
		return err
	}
	u, err := userByID(ctx, tx, id)
	if err != nil || !u.Admin {
		return err
	}
	n, err := countAdmins(ctx, tx, id)
	if err == nil && n == 0 {
		return fault.Conflict("user.last_admin")
	}
	return err
}

// change does something that alters what a person may do: it ends their sessions and sign-in links, in the
// same transaction.
func (a *Accounts) change(ctx context.Context, actor, id media.ID, action string, do func(tx *gorm.DB) error) error {
	var ended [][]byte
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		u, err := userByID(ctx, tx, id)
		if err == nil && u.ErasedAt != 0 {
			err = fault.Conflict("accounts.erased")
		}
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		ended, err = a.endAll(ctx, tx, actor, id, action)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	a.allEnded(id, ended)
	return nil
}

// endAll ends a person's sessions and links inside tx, with the audit line of what ends them. Call allEnded with
// what it returns, when tx has been committed.
func (a *Accounts) endAll(ctx context.Context, tx *gorm.DB, actor, id media.ID, action string) ([][]byte, error) {
	// The links first: a link that is being spent holds its row, so its session is there when we go on.
	if err := deleteLinksOf(ctx, tx, id); err != nil {
		return nil, err
	}
	ended, err := deleteSessionsOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	return ended, audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: action, Object: audit.Object("user", id)})
}

func (a *Accounts) allEnded(id media.ID, sessions [][]byte) {
	a.sessions.dropUser(id)
	a.sessionsEnded(sessions)
}

// setLang stores the language a person chose.
func (a *Accounts) setLang(ctx context.Context, id media.ID, lang string) error {
	if err := a.db.Tx(ctx, func(tx *gorm.DB) error { return setUserLang(ctx, tx, id, lang) }); err != nil {
		return fmt.Errorf("store language: %w", err)
	}
	a.sessions.dropUser(id)
	return nil
}

// foldEmail returns an address as we compare it. Mail servers may tell upper from lower case; people do not.
func foldEmail(s string) string { return fold(strings.TrimSpace(s)) }

// checkEmail returns a folded address. An empty one is fine: students may have none. It is not a full check of
// RFC 5321, which only the mail server can do; it keeps out what would do harm in a mail's head.
func checkEmail(s string) (string, error) {
	s = foldEmail(s)
	if s == "" {
		return "", nil
	}
	bad := fault.Invalid("setup.email_bad").At("email")
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 254 || len(local) > 64 || local == "" || domain == "" || !utf8.ValidString(s) ||
		strings.ContainsAny(domain, "@_") || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || strings.HasPrefix(domain, "-") {
		return "", bad
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`()<>[]:;,\"`, r) {
			return "", bad
		}
	}
	return s, nil
}
