package lessons

import (
	"log/slog"
	"sync"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/push"
	"chalkcast/media"
)

// Config is what New needs. Log and Now may be left out.
type Config struct {
	DB       *database.DB
	Accounts *accounts.Accounts
	Courses  *courses.Courses
	Bus      push.Bus
	Origin   Origin
	Log      *slog.Logger     // nil means slog.Default
	Now      func() time.Time // nil means time.Now
}

// Lessons is the feature. Safe for concurrent use.
type Lessons struct {
	db       *database.DB
	accounts *accounts.Accounts
	courses  *courses.Courses
	bus      push.Bus
	origin   Origin
	log      *slog.Logger
	now      func() time.Time

	lately database.Memory[media.ID, Lesson] // what pages asked for
	onAir  database.Memory[media.ID, []Air]

	stirred chan struct{}   // wakes Run
	failing map[string]bool // owned by Run: what could not be done last time

	mu   sync.Mutex        // guards what follows; never held across a query
	runs map[media.ID]*run // by broadcast
	told map[media.ID]bool // ended lessons whose channel has been ended
}

// New returns the feature; Run must run for anything to be written down.
func New(cfg Config) *Lessons {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Lessons{
		db: cfg.DB, accounts: cfg.Accounts, courses: cfg.Courses, bus: cfg.Bus, origin: cfg.Origin, log: cfg.Log, now: cfg.Now,
		stirred: make(chan struct{}, 1), failing: map[string]bool{},
		runs: map[media.ID]*run{}, told: map[media.ID]bool{},
	}
}
