package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"chalkcast/classroom/fault"
)

// Cost is how hard a password is hashed with argon2id (RFC 9106), on one lane.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// usualCost takes about 40 ms of one core (the second choice of the OWASP cheat sheet).
var usualCost = Cost{MemoryKiB: 19 << 10, Passes: 2}

// hashWait is how long somebody waits for a free slot; longer looks broken.
const hashWait = 5 * time.Second

const (
	minPassword = 8    // characters
	maxPassword = 1024 // bytes; never cut
)

// hasher hashes and checks passwords, a bounded number at once: each takes 19 MiB and a core.
type hasher struct {
	cost  Cost
	slots chan struct{}
	dummy string // of no password; what an unknown address is checked against
}

func newHasher(cost Cost, slots int) *hasher {
	if cost == (Cost{}) {
		cost = usualCost
	}
	if slots <= 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	h := &hasher{cost: cost, slots: make(chan struct{}, slots)}
	var random [48]byte
	rand.Read(random[:])
	h.dummy = phc{cost, random[:16], random[16:]}.String()
	return h
}

// acquire takes a slot; the caller gives it back. It is a fault when none gets free in time.
func (h *hasher) acquire(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, hashWait, errBusy)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errBusy) {
			// Everybody in a class that starts now waits here: they should not all come back at once.
			return fault.Busy("", 2*time.Second+mathrand.N(6*time.Second)).Because(errBusy)
		}
		return ctx.Err()
	}
}

var errBusy = errors.New("all slots for hashing passwords are taken")

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	var salt [16]byte
	rand.Read(salt[:])
	p := phc{cost: h.cost, salt: salt[:]}
	p.key = p.derive(password, 32)
	return p.String(), nil
}

// check reports whether password is the one that stored was made of, and whether it should be hashed again at
// today's cost. An empty stored takes as long and is never right.
func (h *hasher) check(ctx context.Context, stored, password string) (ok, stale bool, err error) {
	real := stored != ""
	if !real {
		stored = h.dummy
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if err := h.acquire(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-h.slots }()
	equal := subtle.ConstantTimeCompare(p.derive(password, len(p.key)), p.key) == 1
	return equal && real, p.cost != h.cost, nil
}

// phc is a hashed password in the PHC string format: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
type phc struct {
	cost      Cost
	salt, key []byte
}

// derive hashes the password in NFC, because keyboards differ in how they send an é.
func (p phc) derive(password string, size int) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), p.salt, p.cost.Passes, p.cost.MemoryKiB, 1, uint32(size))
}

func (p phc) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, p.cost.MemoryKiB, p.cost.Passes,
		b.EncodeToString(p.salt), b.EncodeToString(p.key))
}

var errPHC = errors.New("a stored password hash is not one of ours")

func parsePHC(s string) (p phc, err error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v=19" {
		return p, errPHC
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=1", &p.cost.MemoryKiB, &p.cost.Passes); n != 2 || err != nil {
		return p, errPHC
	}
	p.salt, err = base64.RawStdEncoding.DecodeString(part[4])
	if err == nil {
		p.key, err = base64.RawStdEncoding.DecodeString(part[5])
	}
	if err != nil || len(p.salt) < 8 || len(p.key) < 16 || p.cost.Passes < 1 || p.cost.Passes > 16 ||
		p.cost.MemoryKiB < 8 || p.cost.MemoryKiB > 256<<10 {
		return phc{}, errPHC
	}
	return p, nil
}

//go:embed common_passwords.txt
var commonText string

var common = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for line := range strings.Lines(commonText) {
		if !strings.HasPrefix(line, "#") {
			m[strings.TrimSpace(line)] = true
		}
	}
	return m
})

// checkNewPassword refuses what anybody would try first: short ones, the commonest, and names that stand on the
// sign-in page or are the person's own. There are no rules of composition.
func checkNewPassword(password string, own ...string) error {
	if utf8.RuneCountInString(password) < minPassword {
		return fault.Invalid("setup.password_short").At("password")
	}
	if len(password) > maxPassword || !utf8.ValidString(password) {
		return fault.Invalid("field.too_long").At("password")
	}
	folded := fold(password)
	if common()[folded] {
		return fault.Invalid("setup.password_common").At("password")
	}
	for _, name := range own {
		local, _, _ := strings.Cut(name, "@")
		if name != "" && (folded == fold(name) || folded == fold(local)) {
			return fault.Invalid("setup.password_common").At("password")
		}
	}
	return nil
}

func fold(s string) string { return strings.ToLower(norm.NFC.String(s)) }
