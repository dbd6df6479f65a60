package ticket_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"chalkcast/hls/ticket"
	"chalkcast/media"
)

var (
	now    = time.Date(2026, 9, 1, 7, 0, 0, 0, time.UTC)
	lesson = media.ID(0x1122334455667788)
	claims = ticket.Claims{Channel: lesson, Viewer: 7, Expires: now.Add(3 * time.Hour), Flags: ticket.Staff}
)

func newKey(t testing.TB, letter string) ticket.Key {
	t.Helper()
	k, err := ticket.NewKey([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newMinter(t testing.TB, keys ...ticket.Key) *ticket.Minter {
	t.Helper()
	m, err := ticket.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRoundTrip(t *testing.T) {
	m := newMinter(t, newKey(t, "a"))
	text := m.Mint(claims)
	if len(text) != ticket.TextSize {
		t.Errorf("ticket of %d letters, want %d", len(text), ticket.TextSize)
	}
	got, err := m.Verify(text, lesson, now)
	if err != nil || got != claims {
		t.Errorf("Verify(Mint(%+v)) = %+v, %v", claims, got, err)
	}
}

// The layout is public: an edge of another make verifies tickets, too.
func TestLayout(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(newMinter(t, newKey(t, "a")).Mint(claims))
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 1}
	exp := uint32(claims.Expires.Unix())
	want[16], want[17], want[18], want[19] = byte(exp>>24), byte(exp>>16), byte(exp>>8), byte(exp)
	if len(raw) != 38 || !bytes.Equal(raw[1:22], want) {
		t.Errorf("ticket is % x, want 38 bytes with % x after the key id", raw, want)
	}
}

// SEC-20
func TestVerifyRefuses(t *testing.T) {
	m := newMinter(t, newKey(t, "a"))
	good := m.Mint(claims)
	flip := func(i int) string {
		raw, _ := base64.RawURLEncoding.DecodeString(good)
		raw[i] ^= 1
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for _, test := range []struct {
		name, text string
		channel    media.ID
		at         time.Time
		want       error
	}{
		{"empty", "", lesson, now, ticket.ErrForm},
		{"truncated", good[:len(good)-1], lesson, now, ticket.ErrForm},
		{"longer", good + "A", lesson, now, ticket.ErrForm},
		{"padded", good + "=", lesson, now, ticket.ErrForm},
		{"padding inside", good[:len(good)-1] + "=", lesson, now, ticket.ErrForm},
		{"space", good[:len(good)-1] + " ", lesson, now, ticket.ErrForm},
		{"line break inside", good[:10] + "\n" + good[11:], lesson, now, ticket.ErrForm},
		{"line break at the end", good[:len(good)-1] + "\n", lesson, now, ticket.ErrForm},
		{"standard alphabet", strings.Repeat("+", ticket.TextSize), lesson, now, ticket.ErrForm},
		{"second spelling", otherSpelling(good), lesson, now, ticket.ErrForm},
		{"unknown key", flip(0), lesson, now, ticket.ErrForged},
		{"channel changed", flip(8), lesson ^ 1, now, ticket.ErrForged},
		{"viewer changed", flip(16), lesson, now, ticket.ErrForged},
		{"expiry changed", flip(17), lesson, now, ticket.ErrForged},
		{"flags changed", flip(21), lesson, now, ticket.ErrForged},
		{"signature changed", flip(37), lesson, now, ticket.ErrForged},
		{"other secret", newMinter(t, newKey(t, "b")).Mint(claims), lesson, now, ticket.ErrForged},
		{"other lesson", good, lesson + 1, now, ticket.ErrChannel},
		{"within the leeway", good, lesson, claims.Expires.Add(60 * time.Second), nil},
		{"expired", good, lesson, claims.Expires.Add(61 * time.Second), ticket.ErrExpired},
	} {
		if _, err := m.Verify(test.text, test.channel, test.at); !errors.Is(err, test.want) {
			t.Errorf("%s: Verify returned %v, want %v", test.name, err, test.want)
		}
	}
}

// otherSpelling sets the bits of the last letter that carry no data.
func otherSpelling(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last|1])
}

// SEC-25: two keys are good at a time, so that nobody is thrown out when they change.
func TestRotation(t *testing.T) {
	a, b, c := newKey(t, "a"), newKey(t, "b"), newKey(t, "c")
	old := newMinter(t, a).Mint(claims)
	both := newMinter(t, b, a)
	if _, err := both.Verify(old, lesson, now); err != nil {
		t.Errorf("a ticket of the replaced key: %v", err)
	}
	if _, err := newMinter(t, b).Verify(both.Mint(claims), lesson, now); err != nil {
		t.Errorf("a ticket minted after the rotation is not signed with the new key: %v", err)
	}
	if _, err := newMinter(t, c, b).Verify(old, lesson, now); !errors.Is(err, ticket.ErrForged) {
		t.Errorf("a ticket of a key that is gone: %v, want %v", err, ticket.ErrForged)
	}
}

func TestDeny(t *testing.T) {
	m := newMinter(t, newKey(t, "a"))
	other := claims
	other.Viewer++
	text, otherText := m.Mint(claims), m.Mint(other)

	m.Deny(claims.Viewer, claims.Expires)
	m.Deny(claims.Viewer, now) // a shorter one changes nothing
	for _, at := range []time.Time{now, now.Add(2 * time.Minute), claims.Expires.Add(ticket.Leeway)} {
		if _, err := m.Verify(text, lesson, at); !errors.Is(err, ticket.ErrDenied) {
			t.Errorf("revoked ticket at %v: %v, want %v", at, err, ticket.ErrDenied)
		}
		if _, err := m.Verify(otherText, lesson, at); err != nil {
			t.Errorf("ticket of another viewer at %v: %v", at, err)
		}
	}

	fresh := claims
	fresh.Expires = now.Add(24 * time.Hour)
	if _, err := m.Verify(m.Mint(fresh), lesson, claims.Expires.Add(2*ticket.Leeway)); err != nil {
		t.Errorf("a ticket minted after the revocation ran out: %v", err)
	}
}

// Replacing takes the tickets that were passed on, and no others.
func TestReplace(t *testing.T) {
	m := newMinter(t, newKey(t, "a"))
	other := claims
	other.Viewer++
	otherText := m.Mint(other)
	var old []string
	for turn := range 15 {
		text := m.Mint(claims)
		got, err := m.Verify(text, lesson, now)
		if err != nil || got.Turn != uint8(turn) || got.Flags != claims.Flags || m.Denied(got, now) {
			t.Errorf("turn %d: %+v, %v", turn, got, err)
		}
		m.Replace(claims.Viewer, claims.Expires)
		if !m.Denied(got, now) {
			t.Errorf("turn %d: what was replaced is not denied", turn)
		}
		for _, text := range append(old, text) {
			if _, err := m.Verify(text, lesson, now); !errors.Is(err, ticket.ErrDenied) {
				t.Errorf("turn %d: a ticket of before: %v, want %v", turn, err, ticket.ErrDenied)
			}
		}
		old = append(old, text)
	}
	if _, err := m.Verify(m.Mint(claims), lesson, now); err != nil {
		t.Errorf("after fifteen times: %v", err)
	}
	m.Replace(claims.Viewer, claims.Expires)
	if _, err := m.Verify(m.Mint(claims), lesson, now); !errors.Is(err, ticket.ErrDenied) {
		t.Errorf("after sixteen times: %v, want %v", err, ticket.ErrDenied)
	}
	if _, err := m.Verify(otherText, lesson, now); err != nil {
		t.Errorf("another viewer's ticket: %v", err)
	}
}

func TestBadKeys(t *testing.T) {
	if _, err := ticket.NewKey(make([]byte, 31)); err == nil {
		t.Error("a secret of 31 bytes was taken")
	}
	a := newKey(t, "a")
	for _, keys := range [][]ticket.Key{{}, {a, a, a}, {{}}, {a, {}}} {
		if _, err := ticket.New(keys...); err == nil {
			t.Errorf("New took %d keys", len(keys))
		}
	}
}

// An expiry outside 32 bits must not wrap around into a valid one.
func TestFarExpiry(t *testing.T) {
	m := newMinter(t, newKey(t, "a"))
	for _, test := range []struct {
		expires time.Time
		want    error
	}{
		{time.Unix(-1, 0), ticket.ErrExpired},
		{time.Time{}, ticket.ErrExpired},
		{now.AddDate(500, 0, 0), nil},
	} {
		c := claims
		c.Expires = test.expires
		if _, err := m.Verify(m.Mint(c), lesson, now); !errors.Is(err, test.want) {
			t.Errorf("ticket until %v: %v, want %v", test.expires, err, test.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	m := newMinter(f, newKey(f, "a"), newKey(f, "b"))
	f.Add(m.Mint(claims))
	f.Add(otherSpelling(m.Mint(claims)))
	f.Add("")
	f.Add(strings.Repeat("A", ticket.TextSize))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := m.Verify(text, lesson, now)
		if err == nil && m.Mint(c) != text {
			t.Errorf("Verify took %q, which nobody minted", text)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	m := newMinter(b, newKey(b, "a"), newKey(b, "b"))
	m.Deny(1, now.Add(time.Hour))
	text := m.Mint(claims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Verify(text, lesson, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMint(b *testing.B) {
	m := newMinter(b, newKey(b, "a"))
	b.ReportAllocs()
	for b.Loop() {
		m.Mint(claims)
	}
}
