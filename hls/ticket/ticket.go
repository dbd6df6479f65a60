package ticket

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"chalkcast/media"
)

// The reasons why a ticket does not open the door. Viewers get the same answer for all of them; metrics tell
// them apart.
var (
	ErrForm    = errors.New("not a ticket")
	ErrForged  = errors.New("ticket not signed by us")
	ErrChannel = errors.New("ticket of another channel")
	ErrExpired = errors.New("ticket expired")
	ErrDenied  = errors.New("ticket revoked")
)

// Leeway is how long a ticket outlives its expiry: clocks of nodes differ.
const Leeway = 60 * time.Second

const (
	bodySize = 1 + 8 + 8 + 4 + 1
	macSize  = 16
	// TextSize is the length of every ticket's text.
	TextSize = ((bodySize+macSize)*8 + 5) / 6

	minSecret = 32
	maxKeys   = 2
	keyLabel  = "chalkcast playback ticket v1"
)

// Flags tell what kind of viewer holds a ticket: four bits. The other four of their byte are the turn, which counts
// how often the viewer's tickets were replaced.
type Flags uint8

const (
	maxFlags  = 1<<4 - 1
	maxTurn   = 1<<4 - 1
	turnShift = 4
)

// Staff marks a teacher or an assistant: they may see previews and do not count as audience.
const Staff Flags = 1

// Claims is what a ticket says.
type Claims struct {
	Channel media.ID  // the lesson, or the teacher whose preview it is
	Viewer  uint64    // the viewer session; Deny takes it
	Expires time.Time // kept to the second, rounded down
	Flags   Flags
	Turn    uint8 // set by Mint and Verify
}

// Key signs tickets. The zero Key is not valid.
type Key struct {
	id   byte
	mac  []byte
	used *sync.Pool // of hash.Hash, keyed: making one costs as much as signing
}

// NewKey derives a key from a master secret of at least 32 bytes.
func NewKey(master []byte) (Key, error) {
	if len(master) < minSecret {
		return Key{}, fmt.Errorf("ticket secret of %d bytes, %d are needed", len(master), minSecret)
	}
	b, err := hkdf.Key(sha256.New, master, nil, keyLabel, sha256.Size+1)
	if err != nil {
		return Key{}, fmt.Errorf("derive ticket key: %w", err)
	}
	k := Key{id: b[sha256.Size], mac: b[:sha256.Size]}
	k.used = &sync.Pool{New: func() any { return hmac.New(sha256.New, k.mac) }}
	return k, nil
}

// sign returns the cut HMAC of body.
func (k Key) sign(body []byte) [macSize]byte {
	h := k.used.Get().(hash.Hash)
	defer k.used.Put(h)
	h.Reset()
	h.Write(body)
	var full [sha256.Size]byte
	h.Sum(full[:0])
	return [macSize]byte(full[:macSize])
}

// Minter mints and verifies tickets, and knows those that were revoked. Safe for concurrent use.
type Minter struct {
	keys   []Key // the first one mints
	denied denied
}

// New returns a Minter that signs with the first key and accepts tickets of all: one key, or the new one and
// the one it replaces.
func New(keys ...Key) (*Minter, error) {
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("%d ticket keys, one or two are needed", len(keys))
	}
	for _, k := range keys {
		if len(k.mac) == 0 {
			return nil, errors.New("empty ticket key")
		}
	}
	return &Minter{keys: keys}, nil
}

// Mint returns the text of a ticket: TextSize letters that need no escaping in a URL. It is secret.
func (m *Minter) Mint(c Claims) string {
	k := m.keys[0]
	b := make([]byte, 0, bodySize+macSize)
	b = append(b, k.id)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Channel))
	b = binary.BigEndian.AppendUint64(b, c.Viewer)
	b = binary.BigEndian.AppendUint32(b, expiry(c.Expires))
	b = append(b, byte(c.Flags&maxFlags)|m.denied.turn(c.Viewer)<<turnShift)
	mac := k.sign(b)
	return base64.RawURLEncoding.EncodeToString(append(b, mac[:]...))
}

// expiry cuts t to what 32 bits can say, so that a mistaken date cannot wrap around into a valid one.
func expiry(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), 1<<32-1))
}

// strict refuses text whose last letter has bits that mean nothing: one ticket, one spelling.
var strict = base64.RawURLEncoding.Strict()

// Verify returns the claims of a ticket that lets its holder watch channel at now, or one of this package's
// errors.
func (m *Minter) Verify(text string, channel media.ID, now time.Time) (Claims, error) {
	var raw [bodySize + macSize]byte
	if len(text) != TextSize {
		return Claims{}, ErrForm
	}
	// The decoder skips line breaks: a text with one has too few letters left.
	if n, err := strict.Decode(raw[:], []byte(text)); err != nil || n != len(raw) {
		return Claims{}, ErrForm
	}
	if !m.signed(raw[:bodySize], raw[bodySize:]) {
		return Claims{}, ErrForged
	}
	c := Claims{
		Channel: media.ID(binary.BigEndian.Uint64(raw[1:])),
		Viewer:  binary.BigEndian.Uint64(raw[9:]),
		Expires: time.Unix(int64(binary.BigEndian.Uint32(raw[17:])), 0).UTC(),
		Flags:   Flags(raw[21] & maxFlags),
		Turn:    raw[21] >> turnShift,
	}
	switch {
	case c.Channel != channel:
		return Claims{}, ErrChannel
	case now.After(c.Expires.Add(Leeway)):
		return Claims{}, ErrExpired
	case m.denied.has(c, now):
		return Claims{}, ErrDenied
	}
	return c, nil
}

func (m *Minter) signed(body, mac []byte) bool {
	for _, k := range m.keys {
		if k.id != body[0] {
			continue
		}
		if want := k.sign(body); hmac.Equal(want[:], mac) {
			return true
		}
	}
	return false
}

// Denied reports whether a ticket that was verified has been revoked since.
func (m *Minter) Denied(c Claims, now time.Time) bool { return m.denied.has(c, now) }

// Replace revokes the tickets that a viewer session has got so far, until the last of them has expired. Those minted
// from now on are good. After 15 times they are not, and it is like Deny.
func (m *Minter) Replace(viewer uint64, until time.Time) { m.denied.replace(viewer, until.Add(Leeway)) }

// Deny revokes every ticket of a viewer session until the last of them has expired, which is what the caller
// passes as until (the leeway is added here). A later until extends an earlier one.
func (m *Minter) Deny(viewer uint64, until time.Time) { m.denied.add(viewer, until.Add(Leeway)) }
