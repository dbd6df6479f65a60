package media

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
)

// ID names a lesson, a user or any other row outside the database: 63 random bits, never 0 for a real thing.
// In text it is 13 letters and digits that nobody can misread (Crockford base32, lower case).
type ID int64

// ErrID is returned for text that is not exactly what ID.String writes.
var ErrID = errors.New("not an id")

var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID returns a fresh random ID. It is never 0.
func NewID() ID {
	var b [8]byte
	for {
		rand.Read(b[:]) // never fails since Go 1.24
		if id := ID(binary.BigEndian.Uint64(b[:]) >> 1); id != 0 {
			return id
		}
	}
}

// ParseID reads what String wrote, and only that: other spellings of the same number are ErrID, so that one
// thing has one URL.
func ParseID(s string) (ID, error) {
	if len(s) != 13 {
		return 0, ErrID
	}
	b, err := idText.DecodeString(s)
	if err != nil {
		return 0, ErrID
	}
	id := ID(binary.BigEndian.Uint64(b))
	if id <= 0 || id.String() != s {
		return 0, ErrID
	}
	return id, nil
}

func (id ID) String() string {
	return idText.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id)))
}

// MarshalText writes the 13 letters, so that JSON holds a string that JavaScript can keep exactly.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}
