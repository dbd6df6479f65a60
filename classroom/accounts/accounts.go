package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/mail"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// Config is what New needs.
type Config struct {
	DB *database.DB
	// Server is what a teacher writes into OBS: rtmp://host/live.
	Server string
	// MayPublish says whether a person may hold stream keys: staff of some course, or an admin. Nil means admins.
	MayPublish func(ctx context.Context, v *web.Viewer) (bool, error)
	// Attempts returns how a person's last encoders were received, the latest first. Nil: nobody knows.
	Attempts func(ctx context.Context, user media.ID) ([]templates.Attempt, error)
	// Standing returns what everybody is in courses, for the page of people. Nil: nothing.
	Standing func(ctx context.Context) (map[media.ID]Standing, error)
	// Taught reports whether a person was ever staff of a course: it words what is left of them when they are erased.
	// Nil: no.
	Taught func(ctx context.Context, user media.ID) (bool, error)
	// Outbox sends links by mail, in the words of Pages. Nil: there is no mail, links are shown to be copied.
	Outbox *mail.Outbox
	Pages  *templates.Set
	// Address is how browsers reach the school, for links: https://school.example.
	Address string
	// Cost is how hard passwords are hashed. The zero value means 19 MiB and 2 passes.
	Cost Cost
	// HashSlots is how many passwords are hashed at once. 0 means one for each core.
	HashSlots int
	Log       *slog.Logger     // nil means slog.Default
	Now       func() time.Time // nil means time.Now
}

// Accounts is the feature.
type Accounts struct {
	db       *database.DB
	log      *slog.Logger
	now      func() time.Time
	cfg      Config
	hasher   *hasher
	throttle *throttle
	sessions *sessionCache
	refusals *audit.Refusals
	school   atomic.Pointer[School]

	// What is done after the answer, by Run.
	asked   chan asking
	refused chan refusal

	// Set while the program is wired, then only read.
	onRevoke     []func(keyID string)
	onSessionEnd []func(session uint64)
	onErase      []Eraser
	onExport     []Exporter
}

// New reads the school and returns the feature.
func New(ctx context.Context, cfg Config) (*Accounts, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MayPublish == nil {
		cfg.MayPublish = func(_ context.Context, v *web.Viewer) (bool, error) { return v.Admin, nil }
	}
	if cfg.Outbox == nil {
		var err error
		if cfg.Outbox, err = mail.New(mail.Config{DB: cfg.DB, Log: cfg.Log, Now: cfg.Now}); err != nil {
			return nil, err
		}
	}
	a := &Accounts{
		db: cfg.DB, log: cfg.Log, now: cfg.Now, cfg: cfg, asked: make(chan asking, maxAsked), refused: make(chan refusal, maxRefused),
		hasher:   newHasher(cfg.Cost, cfg.HashSlots),
		throttle: newThrottle(),
		sessions: newSessionCache(),
		refusals: audit.NewRefusals(cfg.DB, cfg.Log, cfg.Now),
	}
	a.writeLetters()
	a.OnExport(a.exportPerson)
	return a, a.loadSchool(ctx)
}

// OnRevoke registers a function that is told of every stream key that stops working; it ends the broadcast. It
// must not block. Call before serving.
func (a *Accounts) OnRevoke(f func(keyID string)) { a.onRevoke = append(a.onRevoke, f) }

// OnSessionEnd registers a function that is told of every session that ends before its time (web.Viewer.Session);
// it denies the playback tickets. It must not block. Call before serving.
func (a *Accounts) OnSessionEnd(f func(session uint64)) {
	a.onSessionEnd = append(a.onSessionEnd, f)
}

const (
	runEvery   = 30 * time.Second
	sweepEvery = time.Hour
)

// Run keeps the sessions' books and does what was left for after an answer, until ctx ends; a last time then. It
// returns nil.
func (a *Accounts) Run(ctx context.Context) error {
	tick := time.NewTicker(runEvery)
	defer tick.Stop()
	var swept time.Time
	for {
		if now := a.now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := a.sweep(ctx, now); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "expired sessions and links stay for now", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			a.flushSeen(last)
			for len(a.refused) > 0 {
				a.noteRefusal(last, <-a.refused)
			}
			return nil
		case ask := <-a.asked:
			a.answer(ctx, ask)
			continue
		case r := <-a.refused:
			a.noteRefusal(ctx, r)
			continue
		case <-tick.C:
		}
		a.flushSeen(ctx)
		if err := a.loadSchool(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "school not re-read", "err", err)
		}
	}
}

func (a *Accounts) loadSchool(ctx context.Context) error {
	r, err := readSchool(ctx, a.db.Reader())
	if err != nil {
		return fmt.Errorf("read school: %w", err)
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return fmt.Errorf("zone of the school: %w", err)
	}
	retention, err := parseRetention(r.Retention)
	if err != nil {
		return err
	}
	a.school.Store(&School{Name: r.Name, Zone: zone, Lang: r.Lang, Policy: r.Policy, PolicyVersion: r.PolicyVersion, Retention: retention, SecondFactor: r.SecondFactor})
	return nil
}

// School returns the school as it was read last. It does not wait.
func (a *Accounts) School() School { return *a.school.Load() }

// WebSchool is School in the words of package web.
func (a *Accounts) WebSchool() web.School {
	s := a.School()
	return web.School{Name: s.Name, Zone: s.Zone, Lang: s.Lang, SecondFactor: s.SecondFactor}
}

// User returns a person. The error wraps database.ErrNotFound when there is none.
func (a *Accounts) User(ctx context.Context, id media.ID) (User, error) {
	r, err := userByID(ctx, a.db.Reader(), id)
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	return r.user(), nil
}

// UserByEmail returns the person with an address. The error wraps database.ErrNotFound when there is none.
func (a *Accounts) UserByEmail(ctx context.Context, email string) (User, error) {
	r, err := userByEmail(ctx, a.db.Reader(), foldEmail(email))
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	return r.user(), nil
}

// Users returns at most limit people whose id is greater than after, in the order of their ids.
func (a *Accounts) Users(ctx context.Context, after media.ID, limit int) ([]User, error) {
	rows, err := listUsers(ctx, a.db.Reader(), after, limit)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.user()
	}
	return users, nil
}

func isNotFound(err error) bool { return errors.Is(err, database.ErrNotFound) }

// NoteDenied writes down that somebody asked for what is the admins'. It is what web.Config asks for.
func (a *Accounts) NoteDenied(ctx context.Context, v *web.Viewer, pattern string) {
	a.refusals.Note(ctx, audit.Line{Actor: v.ID, Action: "access.denied", Object: "route:" + pattern})
}
