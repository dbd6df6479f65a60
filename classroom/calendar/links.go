package calendar

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	keyLabel = "chalkcast calendar address v1"
	bodySize = 8 + 4
	macSize  = 16
)

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Links knows the addresses of people's calendars.
type Links struct {
	db  *database.DB
	key []byte
	now func() time.Time
}

// NewLinks returns the addresses that are made with the school's secret, of 32 bytes or more. Without a secret they
// last as long as the program runs.
func NewLinks(db *database.DB, secret []byte, now func() time.Time) (*Links, error) {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		rand.Read(secret) // never fails since Go 1.24
	}
	key, err := hkdf.Key(sha256.New, secret, nil, keyLabel, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key of calendar addresses: %w", err)
	}
	return &Links{db: db, key: key, now: now}, nil
}

// Token returns what stands in a person's address; empty when they have none. It is secret.
func (l *Links) Token(ctx context.Context, user media.ID) (media.Secret, error) {
	row, err := linkOf(ctx, l.db.Reader(), user)
	if errors.Is(err, database.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read calendar link of %s: %w", user, err)
	}
	return l.token(user, row.Turn), nil
}

// Replace gives a person a new address, the first one or another; one that they had stops working.
func (l *Links) Replace(ctx context.Context, user media.ID) (media.Secret, error) {
	var turn int64
	err := l.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if turn, err = nextTurn(ctx, tx, user, database.At(l.now())); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: l.now(), Actor: user, Action: "calendar.link", Object: audit.Object("user", user)})
	})
	if err != nil {
		return "", fmt.Errorf("replace calendar link of %s: %w", user, err)
	}
	return l.token(user, turn), nil
}

// Owner returns whose address a token stands in. A token that is forged, replaced or somebody's who was disabled is a
// fault NotFound, alike for all.
func (l *Links) Owner(ctx context.Context, token string) (media.ID, error) {
	if len(token) > 64 {
		return 0, fault.NotFound("")
	}
	b, err := tokenText.DecodeString(token)
	if err != nil || len(b) != bodySize+macSize || !hmac.Equal(b[bodySize:], l.mac(b[:bodySize])) {
		return 0, fault.NotFound("")
	}
	user, turn := media.ID(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint32(b[8:]))
	current, err := turnOf(ctx, l.db.Reader(), user)
	if err != nil {
		return 0, fmt.Errorf("read calendar link of %s: %w", user, err)
	}
	if current != turn {
		return 0, fault.NotFound("")
	}
	return user, nil
}

func (l *Links) token(user media.ID, turn int64) media.Secret {
	b := binary.BigEndian.AppendUint64(nil, uint64(user))
	b = binary.BigEndian.AppendUint32(b, uint32(turn))
	return media.Secret(tokenText.EncodeToString(append(b, l.mac(b)...)))
}

func (l *Links) mac(body []byte) []byte {
	h := hmac.New(sha256.New, l.key)
	h.Write(body)
	return h.Sum(nil)[:macSize]
}
