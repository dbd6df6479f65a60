package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Scope is what a program may do with a token.
type Scope string

const (
	ScopeRead  Scope = "read"  // GET
	ScopeWrite Scope = "write" // everything that its maker may
)

// Token is an API token without its secret.
type Token struct {
	Name      string
	ID        uint64 // names it where the token must not appear
	Scope     Scope
	User      media.ID // who made it
	UserName  string
	CreatedAt time.Time
	UsedAt    time.Time // zero: never; within 5 minutes
	ExpiresAt time.Time
	RevokedAt time.Time // zero: still good
}

const (
	tokenPrefix = "cct_"
	tokenLetter = 43 // of base64url for 256 bits
	maxTokens   = 50 // of one person, working
	maxTokenAge = 366 * 24 * time.Hour
)

// CreateToken makes a token that acts as user for so long. It is returned this once; only its hash is stored.
func (a *Accounts) CreateToken(ctx context.Context, user media.ID, name string, scope Scope, lasts time.Duration) (media.Secret, error) {
	name, err := web.Line("name", name, 40)
	if err != nil {
		return "", err
	}
	if scope != ScopeRead && scope != ScopeWrite {
		return "", fault.Invalid("").At("scope")
	}
	if lasts < 24*time.Hour || lasts > maxTokenAge {
		return "", fault.Invalid("token.bad_days").At("days")
	}
	var random [32]byte
	rand.Read(random[:])
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(token))
	now := database.At(a.now())
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := countTokens(ctx, tx, user, now)
		if err != nil {
			return err
		}
		if n >= maxTokens {
			return fault.Conflict("token.too_many").With("Max", maxTokens)
		}
		row := tokenRow{Hash: hash[:], UserID: user, Name: name, Scope: scope, CreatedAt: now, ExpiresAt: now.Add(lasts)}
		if err := insertToken(ctx, tx, row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: user, Action: "token.create", Object: "token:" + formatName(ticketName(hash[:])),
			Detail: map[string]any{"name": name, "scope": scope, "expires": row.ExpiresAt.Time()},
		})
	})
	if err != nil {
		return "", fmt.Errorf("create token: %w", err)
	}
	return media.Secret(token), nil
}

// Tokens returns every token of the school, the newest first, also those that ended.
func (a *Accounts) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := allTokens(ctx, a.db.Reader())
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	tokens := make([]Token, len(rows))
	for i, r := range rows {
		t := r.Token
		tokens[i] = Token{
			Name: t.Name, ID: ticketName(t.Hash), Scope: t.Scope, User: t.UserID, UserName: r.DisplayName, CreatedAt: t.CreatedAt.Time(),
			UsedAt: t.UsedAt.Time(), ExpiresAt: t.ExpiresAt.Time(), RevokedAt: t.RevokedAt.Time(),
		}
	}
	return tokens, nil
}

// RevokeToken ends a token at once. It is a NotFound fault when there is none of that name that works.
func (a *Accounts) RevokeToken(ctx context.Context, actor media.ID, id uint64) error {
	rows, err := allTokens(ctx, a.db.Reader())
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	i := slices.IndexFunc(rows, func(r ownedToken) bool { return ticketName(r.Token.Hash) == id })
	if i < 0 {
		return fault.NotFound("")
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := revokeToken(ctx, tx, rows[i].Token.Hash, database.At(a.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("")
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: actor, Action: "token.revoke", Object: "token:" + formatName(id)})
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	for _, f := range a.onSessionEnd {
		f(id)
	}
	return nil
}

// IdentifyToken returns as whom a token acts, nil when it is nobody's any more. It is what web.Config asks for. Nothing
// is kept in memory: a token that is revoked ends on every node with the next request.
func (a *Accounts) IdentifyToken(ctx context.Context, token string) (*web.Viewer, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) != len(tokenPrefix)+tokenLetter {
		return nil, nil
	}
	hash, now := sha256.Sum256([]byte(token)), a.now()
	found, err := findToken(ctx, a.db.Reader(), hash[:])
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	f := found[0]
	if f.DisabledAt != 0 || f.Token.RevokedAt != 0 || !now.Before(f.Token.ExpiresAt.Time()) {
		return nil, nil
	}
	if now.Sub(f.Token.UsedAt.Time()) >= seenEvery {
		if err := a.db.Tx(ctx, func(tx *gorm.DB) error { return touchToken(ctx, tx, hash[:], database.At(now)) }); err != nil {
			a.log.WarnContext(ctx, "last use of a token not written", "err", err)
		}
	}
	return &web.Viewer{
		ID: f.Token.UserID, Name: f.DisplayName, Admin: f.Admin, Lang: f.Lang, Session: ticketName(hash[:]),
		Since: f.Token.CreatedAt.Time(), ReadOnly: f.Token.Scope == ScopeRead,
		SecondFactor: true, // its maker had shown one, where the school wants that
	}, nil
}
