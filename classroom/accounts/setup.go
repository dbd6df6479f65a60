package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"
	_ "time/tzdata" // the zones of the world, also on machines that have none, like small containers

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// setupLife is how long the printed link works; a restart prints a new one.
const setupLife = 24 * time.Hour

// NewSetup makes the token of the set-up link and forgets the one before it. It returns "" when the school has an
// admin already. The link is base URL + "/setup?token=" + token.
func (a *Accounts) NewSetup(ctx context.Context) (media.Secret, error) {
	var random [20]byte
	rand.Read(random[:])
	token := base64.RawURLEncoding.EncodeToString(random[:])
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := lockSchool(ctx, tx); err != nil {
			return err
		}
		n, err := countAdmins(ctx, tx, 0)
		if err != nil {
			return err
		}
		if n > 0 {
			token = ""
			return setSetup(ctx, tx, make([]byte, sha256.Size), 0)
		}
		hash := sha256.Sum256([]byte(token))
		return setSetup(ctx, tx, hash[:], database.At(a.now().Add(setupLife)))
	})
	if err != nil {
		return "", fmt.Errorf("make set-up link: %w", err)
	}
	return media.Secret(token), nil
}

// checkSetup is a fault when token is not the one that waits for the first admin.
func (a *Accounts) checkSetup(ctx context.Context, q *gorm.DB, token string) error {
	r, err := readSchool(ctx, q)
	if err != nil {
		return fmt.Errorf("read school: %w", err)
	}
	hash := sha256.Sum256([]byte(token))
	right := subtle.ConstantTimeCompare(hash[:], r.SetupHash) == 1
	if !right || !a.now().Before(r.SetupExpiresAt.Time()) {
		return fault.NotFound("setup.token_used")
	}
	return nil
}

// setup is what the first page asks.
type setup struct {
	Token    string
	School   string
	Zone     string // IANA
	Name     string
	Email    string
	Password media.Secret
	Lang     string // of the page: becomes the school's
	From     From
}

// Setup makes the first admin and signs them in. The token can be spent once.
func (a *Accounts) setup(ctx context.Context, in setup) (s Session, err error) {
	if err := a.checkSetup(ctx, a.db.Reader(), in.Token); err != nil {
		return s, err // before anything is hashed for a stranger
	}
	row, err := a.newRow(ctx, NewUser{Email: in.Email, DisplayName: in.Name, Password: in.Password, Admin: true})
	if err != nil {
		return s, err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := lockSchool(ctx, tx); err != nil {
			return err
		}
		if err := a.checkSetup(ctx, tx, in.Token); err != nil {
			return err
		}
		if err := setSetup(ctx, tx, make([]byte, sha256.Size), 0); err != nil {
			return err
		}
		if err := setSchool(ctx, tx, in.School, in.Zone, in.Lang); err != nil {
			return err
		}
		if err := setFactorRule(ctx, tx, true); err != nil {
			return err
		}
		if err := insertUsers(ctx, tx, []userRow{row}); err != nil {
			return err
		}
		if s, err = a.startSession(ctx, tx, row, in.From); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: row.ID, Action: "school.setup", Object: audit.Object("user", row.ID)})
	})
	if err != nil {
		return Session{}, err
	}
	return s, a.loadSchool(ctx)
}

// SetSchool changes the school's name, IANA zone and language. Empty fields stay as they are.
func (a *Accounts) SetSchool(ctx context.Context, actor media.ID, name, zone, lang string) error {
	now := a.School()
	name, err := web.OptionalLine("school", name, maxName)
	if err != nil {
		return err
	}
	if name == "" {
		name = now.Name
	}
	if zone == "" {
		zone = now.Zone.String()
	}
	if lang == "" {
		lang = now.Lang
	}
	if err := checkZone(zone); err != nil {
		return err
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := setSchool(ctx, tx, name, zone, lang); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: actor, Action: "school.edit", Object: "school",
			Detail: map[string]any{"name": name, "zone": zone, "lang": lang},
		})
	})
	if err != nil {
		return fmt.Errorf("change school: %w", err)
	}
	return a.loadSchool(ctx)
}

// checkZone refuses what is no zone of the world: an IANA name begins with a capital letter, while the files beside
// them (localtime, posixrules, right/…) do not. "Local" and "Factory" would mean another zone on every machine.
func checkZone(zone string) error {
	bad := zone == "" || zone[0] < 'A' || zone[0] > 'Z' || zone == "Local" || zone == "Factory"
	if _, err := time.LoadLocation(zone); err != nil || bad {
		return fault.Invalid("field.zone").At("zone")
	}
	return nil
}
