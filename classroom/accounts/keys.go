package accounts

import (
	"context"
	"crypto/subtle"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxKeys is how many keys of one person may work at a time.
const maxKeys = 20

// KeyOwner is whose key an encoder came with.
type KeyOwner struct {
	User  media.ID // 0 when nobody knows the key
	KeyID string
	Name  string // of the key
}

// FindByKey returns the owner of a key that works. Otherwise the error is a *media.Refusal: KeyWrong or KeyRevoked
// (also for a disabled person), and the owner is still there when the public half of the key is theirs, so that
// their studio can tell them. Unknown, wrong and revoked keys take the same time.
func (a *Accounts) FindByKey(ctx context.Context, k media.Key) (KeyOwner, error) {
	found, err := findKey(ctx, a.db.Reader(), k.ID)
	if err != nil {
		return KeyOwner{}, fmt.Errorf("read stream key: %w", err)
	}
	row := ownedKey{Key: keyRow{Hash: make([]byte, 32)}} // no secret has this hash
	if len(found) > 0 {
		row = found[0]
	}
	right := subtle.ConstantTimeCompare(row.Key.Hash, k.Hash()) == 1
	owner := KeyOwner{User: row.Key.UserID, KeyID: row.Key.ID, Name: row.Key.Name}
	switch {
	case !right:
		return owner, &media.Refusal{Code: media.KeyWrong}
	case row.Key.RevokedAt != 0 || row.DisabledAt != 0:
		return owner, &media.Refusal{Code: media.KeyRevoked}
	}
	return owner, nil
}

// KeyUsed notes that a broadcast began with a key.
func (a *Accounts) KeyUsed(ctx context.Context, keyID string) error {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error { return touchKey(ctx, tx, keyID, database.At(a.now())) })
	if err != nil {
		return fmt.Errorf("note use of stream key: %w", err)
	}
	return nil
}

// Keys returns a person's stream keys, the oldest first, revoked ones too.
func (a *Accounts) Keys(ctx context.Context, user media.ID) ([]Key, error) {
	rows, err := keysOf(ctx, a.db.Reader(), user)
	if err != nil {
		return nil, fmt.Errorf("read stream keys: %w", err)
	}
	keys := make([]Key, len(rows))
	for i, r := range rows {
		keys[i] = r.key()
	}
	return keys, nil
}

// CreateKey makes a stream key. Its secret is returned this once and stored nowhere.
func (a *Accounts) CreateKey(ctx context.Context, user media.ID, name string) (media.Key, error) {
	name, err := web.Line("name", name, 40)
	if err != nil {
		return media.Key{}, err
	}
	k := media.NewKey()
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		old, err := keysOf(ctx, tx, user)
		if err != nil {
			return err
		}
		if countWorking(old) >= maxKeys {
			return fault.Conflict("settings.too_many_keys").With("Max", maxKeys)
		}
		if err := insertKey(ctx, tx, keyRow{ID: k.ID, UserID: user, Name: name, Hash: k.Hash(), CreatedAt: database.At(a.now())}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: user, Action: "key.create", Object: "key:" + k.ID, Detail: map[string]any{"name": name}})
	})
	if err != nil {
		return media.Key{}, fmt.Errorf("create stream key: %w", err)
	}
	return k, nil
}

func countWorking(keys []keyRow) (n int) {
	for _, k := range keys {
		if k.RevokedAt == 0 {
			n++
		}
	}
	return n
}

// RevokeKey ends a key of user and the broadcast that uses it. Somebody else's key is a NotFound; one that was
// revoked before stays so.
func (a *Accounts) RevokeKey(ctx context.Context, user media.ID, keyID string) error {
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := revokeKey(ctx, tx, user, keyID, database.At(a.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("")
		}
		return audit.Write(ctx, tx, audit.Line{At: a.now(), Actor: user, Action: "key.revoke", Object: "key:" + keyID})
	})
	if err != nil {
		return fmt.Errorf("revoke stream key: %w", err)
	}
	a.keyRevoked(keyID)
	return nil
}

func (a *Accounts) keyRevoked(keyID string) {
	for _, f := range a.onRevoke {
		f(keyID)
	}
}
