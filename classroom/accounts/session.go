package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Lifetimes of sessions.
const (
	life      = 90 * 24 * time.Hour
	idle      = 14 * 24 * time.Hour
	adminLife = 7 * 24 * time.Hour
	adminIdle = 8 * time.Hour
)

const (
	cacheTime = time.Minute      // what another node may lag behind a revocation
	staleTime = 10 * time.Minute // good enough while the database is away
	seenEvery = 5 * time.Minute  // how precisely the last use of a session is known
	maxCached = 100_000
)

// Session is a fresh sign-in of one browser.
type Session struct {
	Token media.Secret // for the cookie; only its hash is stored
	Life  time.Duration
	// Pending is what it takes, with a code of the second factor, to get a Token. There is one or the other.
	Pending media.Secret
}

type tokenHash [sha256.Size]byte

// known is a session in the cache.
type known struct {
	viewer *web.Viewer
	seen   database.Instant
	end    database.Instant // absolute
	read   time.Time
}

func (k *known) idle() time.Duration {
	if k.viewer.Admin {
		return adminIdle
	}
	return idle
}

func (k *known) expired(now time.Time) bool {
	return !now.Before(k.end.Time()) || now.Sub(k.seen.Time()) >= k.idle()
}

// sessionCache keeps what was read lately, and which sessions were used since their last writing.
type sessionCache struct {
	mu      sync.Mutex
	known   map[tokenHash]*known
	seen    map[tokenHash]struct{}
	changes uint64 // how often sessions were taken out: what was read before that may not be put in any more
}

func newSessionCache() *sessionCache {
	return &sessionCache{known: map[tokenHash]*known{}, seen: map[tokenHash]struct{}{}}
}

// get returns what is known of a session, nil for nothing fresh, and the number to give to put.
func (s *sessionCache) get(h tokenHash, now time.Time) (*web.Viewer, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known[h]
	if k == nil || now.Sub(k.read) >= cacheTime || k.expired(now) {
		return nil, s.changes
	}
	s.use(h, k, now)
	return k.viewer, s.changes
}

// stale returns what was known of a session lately, for a time without a database.
func (s *sessionCache) stale(h tokenHash, now time.Time) *web.Viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known[h]
	if k == nil || now.Sub(k.read) >= staleTime || k.expired(now) {
		return nil
	}
	s.use(h, k, now)
	return k.viewer
}

func (s *sessionCache) put(h tokenHash, k *known, now time.Time, changes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes != s.changes {
		return
	}
	if len(s.known) >= maxCached {
		clear(s.known) // they come back one by one
	}
	s.known[h] = k
	s.use(h, k, now)
}

// use notes that a session was used. The caller holds mu.
func (s *sessionCache) use(h tokenHash, k *known, now time.Time) {
	if now.Sub(k.seen.Time()) >= seenEvery {
		k.seen = database.At(now)
		s.seen[h] = struct{}{}
	}
}

// drop takes sessions out.
func (s *sessionCache) drop(hashes ...tokenHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	for _, h := range hashes {
		delete(s.known, h)
		delete(s.seen, h)
	}
}

// dropUser takes out what is known of a person, whose name, language or rights changed.
func (s *sessionCache) dropUser(id media.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	for h, k := range s.known {
		if k.viewer.ID == id {
			delete(s.known, h)
		}
	}
}

// takeSeen returns the sessions used since the last call.
func (s *sessionCache) takeSeen() []tokenHash {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []tokenHash
	for h := range s.seen {
		all = append(all, h)
	}
	clear(s.seen)
	return all
}

// Identify returns who a token belongs to, nil when it is nobody's any more. It is what web.Config asks for.
func (a *Accounts) Identify(ctx context.Context, token string) (*web.Viewer, error) {
	h, now := tokenHash(sha256.Sum256([]byte(token))), a.now()
	v, changes := a.sessions.get(h, now)
	if v != nil {
		return v, nil
	}
	found, err := findSession(ctx, a.db.Reader(), h[:])
	if database.Away(err) {
		if v := a.sessions.stale(h, now); v != nil {
			return v, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	f := found[0]
	k := &known{
		viewer: &web.Viewer{
			ID: f.Session.UserID, Name: f.DisplayName, Admin: f.Admin, Lang: f.Lang,
			Session: ticketName(h[:]), Since: f.Session.CreatedAt.Time(), SecondFactor: f.FactorAt != 0,
		},
		seen: f.Session.SeenAt, end: f.Session.ExpiresAt, read: now,
	}
	if f.DisabledAt != 0 || k.expired(now) {
		return nil, nil
	}
	a.sessions.put(h, k, now, changes)
	return k.viewer, nil
}

// startSession stores a new session inside tx.
func (a *Accounts) startSession(ctx context.Context, tx *gorm.DB, u userRow, from From) (Session, error) {
	var random [32]byte
	rand.Read(random[:])
	token := base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(token))
	lasts := life
	if u.Admin {
		lasts = adminLife
	}
	now := database.At(a.now())
	err := insertSession(ctx, tx, sessionRow{
		Hash: hash[:], UserID: u.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(lasts), Device: deviceOf(from.Agent),
	})
	if err != nil {
		return Session{}, fmt.Errorf("store session: %w", err)
	}
	return Session{Token: media.Secret(token), Life: lasts}, nil
}

// endSession forgets the session of a token, whoever has it.
func (a *Accounts) endSession(ctx context.Context, token string) error {
	hash := sha256.Sum256([]byte(token))
	n := 0
	err := a.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		n, err = deleteSession(ctx, tx, hash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if n > 0 {
		a.sessionsEnded([][]byte{hash[:]})
	}
	return nil
}

// sessionsEnded makes what was just deleted unknown on this node.
func (a *Accounts) sessionsEnded(hashes [][]byte) {
	ended := make([]tokenHash, len(hashes))
	for i, h := range hashes {
		ended[i] = tokenHash(h)
	}
	a.sessions.drop(ended...)
	for _, h := range hashes {
		for _, f := range a.onSessionEnd {
			f(ticketName(h))
		}
	}
}

// flushSeen writes when sessions were last used.
func (a *Accounts) flushSeen(ctx context.Context) {
	var hashes [][]byte
	for _, h := range a.sessions.takeSeen() {
		hashes = append(hashes, h[:])
	}
	for part := range slices.Chunk(hashes, 500) {
		err := a.db.Tx(ctx, func(tx *gorm.DB) error { return touchSessions(ctx, tx, part, database.At(a.now())) })
		if err != nil {
			a.log.WarnContext(ctx, "last use of sessions not written", "sessions", len(part), "err", err)
		}
	}
}

// sweep deletes sessions and links whose time is over.
func (a *Accounts) sweep(ctx context.Context, now time.Time) error {
	return a.db.Tx(ctx, func(tx *gorm.DB) error {
		if _, err := deleteExpiredSessions(ctx, tx, database.At(now), database.At(now.Add(-idle))); err != nil {
			return err
		}
		return deleteExpiredLinks(ctx, tx, database.At(now))
	})
}
