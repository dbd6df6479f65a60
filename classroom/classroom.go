package classroom

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/attendance"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/calendar"
	"chalkcast/classroom/captions"
	"chalkcast/classroom/chat"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/mail"
	"chalkcast/classroom/push"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// Config is what New needs. DB, Pages, Origin, Ticket and Media are required.
type Config struct {
	DB    *database.DB
	Pages *templates.Set

	// The other wing.
	Origin lessons.Origin
	Ticket lessons.Ticket
	Media  http.Handler // serves /p/…
	// Deny makes the playback tickets of a viewer useless from now on. Nil: tickets live until they expire.
	Deny func(viewer uint64, until time.Time)
	// Revoke ends the broadcast of a stream key that stopped working. TakeOver ends the broadcast of a teacher, so
	// that another of their encoders may begin. Neither may block; nil does nothing.
	Revoke   func(keyID string)
	TakeOver func(publisher media.ID)
	// Stored returns the bytes of all recordings and those still free, negative when the store does not tell. Nil:
	// nobody knows.
	Stored func() (stored, free int64)

	// KeepRecordings is for how many days recordings are kept, 0 for ever, for those who ask. The origin keeps to it.
	KeepRecordings int
	// Checks are what the self-test tries. Each has a name of the catalogue (health.check.…) and a time limit of its own.
	Checks []Check

	// Server is what a teacher writes into OBS: rtmp://host/live.
	Server string
	// See web.Config.
	BaseURL                                      string
	TrustedProxies, MediaOrigins, FrameAncestors []string

	Bus push.Bus // nil: one inside this process
	// Secret makes the addresses of people's calendars: 32 bytes or more. Nil: they last as long as the program.
	Secret []byte

	// Send hands mail to a server; nil: there is no mail, links are shown to be copied. Address is how browsers reach
	// the school, for links; empty means BaseURL.
	Send    mail.Sender
	Address string

	Cost    accounts.Cost         // how hard passwords are hashed; zero is the usual
	Metrics prometheus.Registerer // nil: none are kept
	Log     *slog.Logger          // nil means slog.Default
	Now     func() time.Time      // nil means time.Now
}

// Classroom is the wing of people and pages. Its features are there for the program's own work: the first admin,
// the demo school. Safe for concurrent use.
type Classroom struct {
	Accounts   *accounts.Accounts
	Courses    *courses.Courses
	Lessons    *lessons.Lessons
	Attendance *attendance.Attendance
	Chat       *chat.Chat
	Outbox     *mail.Outbox
	Web        *web.Server

	cfg   Config
	bus   push.Bus
	log   *slog.Logger
	now   func() time.Time
	seats *seats
	tests *selfTest
	views *audit.Refusals                        // of recordings by staff
	own   database.Memory[[2]media.ID, ownCount] // by lesson and student
	links *calendar.Links

	captions *captions.Store
}

// New puts the classroom together and registers its routes. ctx is for reading the school.
func New(ctx context.Context, cfg Config) (*Classroom, error) {
	if cfg.DB == nil || cfg.Pages == nil || cfg.Origin == nil || cfg.Ticket == nil || cfg.Media == nil {
		return nil, errors.New("classroom: a part is missing")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Bus == nil {
		bus, err := push.NewLocal(cfg.Metrics)
		if err != nil {
			return nil, fmt.Errorf("open bus: %w", err)
		}
		cfg.Bus = bus
	}
	k := &Classroom{cfg: cfg, tests: newSelfTest(cfg.Checks), bus: cfg.Bus, log: cfg.Log, now: cfg.Now, seats: newSeats(cfg.Deny)}
	k.views = audit.NewRefusals(cfg.DB, cfg.Log, cfg.Now)
	if err := k.openFeatures(ctx); err != nil {
		return nil, err
	}
	if err := k.openWeb(); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	k.routes()
	return k, nil
}

func (k *Classroom) openFeatures(ctx context.Context) error {
	cfg := k.cfg
	var err error
	k.Outbox, err = mail.New(mail.Config{DB: cfg.DB, Send: cfg.Send, Metrics: cfg.Metrics, Log: cfg.Log, Now: cfg.Now})
	if err != nil {
		return fmt.Errorf("open outbox: %w", err)
	}
	k.Accounts, err = accounts.New(ctx, accounts.Config{
		DB: cfg.DB, Server: cfg.Server, Attempts: k.attempts, Outbox: k.Outbox, Pages: cfg.Pages, Address: cmp.Or(cfg.Address, cfg.BaseURL),
		Cost: cfg.Cost, Log: cfg.Log, Now: cfg.Now,
		MayPublish: func(ctx context.Context, v *web.Viewer) (bool, error) { return k.Courses.MayPublish(ctx, v) },
		Standing:   func(ctx context.Context) (map[media.ID]accounts.Standing, error) { return k.Courses.Standing(ctx) },
		Taught:     func(ctx context.Context, user media.ID) (bool, error) { return k.Courses.Taught(ctx, user) },
	})
	if err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	k.Courses = courses.New(courses.Config{
		DB: cfg.DB, Accounts: k.Accounts, BaseURL: cfg.BaseURL, Cards: k.courseCards,
		Zone: func() *time.Location { return k.Accounts.School().Zone }, Log: cfg.Log, Now: cfg.Now,
	})
	k.Lessons = lessons.New(lessons.Config{
		DB: cfg.DB, Accounts: k.Accounts, Courses: k.Courses, Bus: cfg.Bus, Origin: cfg.Origin, Log: cfg.Log, Now: cfg.Now,
	})
	k.Attendance = attendance.New(attendance.Config{
		DB: cfg.DB, Accounts: k.Accounts, Courses: k.Courses, Lessons: k.Lessons, Log: cfg.Log, Now: cfg.Now,
	})
	if k.links, err = calendar.NewLinks(cfg.DB, cfg.Secret, cfg.Now); err != nil {
		return err
	}
	k.captions = captions.New(cfg.DB, cfg.Now)
	k.Chat, err = chat.New(chat.Config{
		DB: cfg.DB, Courses: k.Courses, Lessons: k.Lessons, Bus: cfg.Bus, Metrics: cfg.Metrics, Log: cfg.Log, Now: cfg.Now,
	})
	if err != nil {
		return fmt.Errorf("open chat: %w", err)
	}
	if cfg.Revoke != nil {
		k.Accounts.OnRevoke(cfg.Revoke)
	}
	k.Accounts.OnSessionEnd(k.seats.sessionEnded)
	k.Courses.OnEnd(k.seats.enrollmentEnded)
	for _, feature := range []interface {
		Erase(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error)
		Export(ctx context.Context, q *gorm.DB, user media.ID) ([]accounts.Table, error)
	}{k.Courses, k.Lessons, k.Attendance, k.Chat} {
		k.Accounts.OnErase(feature.Erase)
		k.Accounts.OnExport(feature.Export)
	}
	k.Accounts.OnErase(func(ctx context.Context, tx *gorm.DB, user media.ID) (func(), error) {
		return nil, calendar.EraseLink(ctx, tx, user)
	})
	return nil
}

func (k *Classroom) openWeb() (err error) {
	k.Web, err = web.New(web.Config{
		Pages: k.cfg.Pages, BaseURL: k.cfg.BaseURL, TrustedProxies: k.cfg.TrustedProxies, MediaOrigins: k.cfg.MediaOrigins,
		FrameAncestors: k.cfg.FrameAncestors, Away: database.Away, Identify: k.Accounts.Identify, IdentifyToken: k.Accounts.IdentifyToken, Denied: k.Accounts.NoteDenied, School: k.Accounts.WebSchool,
		Involved: k.Courses.Involved, Metrics: k.cfg.Metrics, Log: k.cfg.Log, Now: k.cfg.Now,
	})
	return err
}

// Handler returns everything behind the HTTP door: pages, API, static files and media.
func (k *Classroom) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/p/", k.cfg.Media)
	mux.Handle("/static/", templates.Static())
	mux.Handle("/", k.Web.Handler())
	return mux
}

// HTTPServer returns a server of Handler with the limits of package web. config is nil without TLS.
func (k *Classroom) HTTPServer(config *tls.Config) *http.Server {
	return k.Web.HTTPServer(k.Handler(), config)
}

// Run runs the features until ctx ends or one of them fails, and returns when all have stopped.
func (k *Classroom) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return k.Outbox.Run(ctx) })
	g.Go(func() error { return k.Accounts.Run(ctx) })
	g.Go(func() error { return k.Courses.Run(ctx) })
	g.Go(func() error { return k.Lessons.Run(ctx) })
	g.Go(func() error { return k.Attendance.Run(ctx) })
	g.Go(func() error { return k.runSweeps(ctx) })
	g.Go(func() error { return k.runSelfTests(ctx) })
	g.Go(func() error { return k.Chat.Run(ctx) })
	return g.Wait()
}
