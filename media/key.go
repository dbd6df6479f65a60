package media

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"log/slog"
	"regexp"
)

// Secret is text that must never be seen by chance: every way of printing it shows three dots. Convert it to
// string where the text itself is needed.
type Secret string

func (Secret) String() string               { return "•••" }
func (Secret) GoString() string             { return "•••" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("•••") }
func (Secret) MarshalText() ([]byte, error) { return []byte("•••"), nil }

// UnmarshalText takes the text as it is, so that configuration can fill a Secret.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = Secret(b)
	return nil
}

// Key is a teacher's stream key: ck_<8 letters, public>_<26 letters, secret>. The alphabet is lower-case base32,
// so that OBS, URLs and shells leave it alone; the secret holds 130 bits.
type Key struct {
	ID     string // 8 letters; safe to log
	Secret Secret // 26 letters
}

var (
	keyText    = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	keyPattern = regexp.MustCompile(`ck_([a-z2-7]{8})_([a-z2-7]{26})(?:[^a-z2-7]|$)`)
)

// NewKey returns a fresh random key.
func NewKey() Key {
	var b [22]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return Key{ID: keyText.EncodeToString(b[:5]), Secret: Secret(keyText.EncodeToString(b[5:])[:26])}
}

// FindKey looks for a key anywhere in text: people paste it with spaces, inside a whole URL, with a slash after
// it. It returns the first that has the right form. text longer than 4096 bytes is not searched.
func FindKey(text string) (k Key, ok bool) {
	if len(text) > 4096 {
		return Key{}, false
	}
	m := keyPattern.FindStringSubmatch(text)
	if m == nil {
		return Key{}, false
	}
	return Key{ID: m[1], Secret: Secret(m[2])}, true
}

// Text returns the whole key as a teacher copies it. It is secret.
func (k Key) Text() string { return "ck_" + k.ID + "_" + string(k.Secret) }

// Hash returns SHA-256 of the secret part: what is stored instead of it. The secret has 130 bits, so a plain
// hash cannot be searched.
func (k Key) Hash() []byte {
	h := sha256.Sum256([]byte(k.Secret))
	return h[:]
}
