package attendance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Config is what New needs.
type Config struct {
	DB       *database.DB
	Accounts *accounts.Accounts
	Courses  *courses.Courses
	Lessons  *lessons.Lessons
	// BeatSpacing is the least time between two commits of beats; see RecorderConfig.
	BeatSpacing time.Duration
	Log         *slog.Logger     // nil means slog.Default
	Now         func() time.Time // nil means time.Now
}

// Attendance is the feature. Safe for concurrent use.
type Attendance struct {
	db       *database.DB
	accounts *accounts.Accounts
	courses  *courses.Courses
	lessons  *lessons.Lessons
	recorder *Recorder
	facts    *factCache
	here     *hereBoard
	log      *slog.Logger
	now      func() time.Time
}

// New returns the feature; beats are taken once Run runs.
func New(cfg Config) *Attendance {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Attendance{
		db: cfg.DB, accounts: cfg.Accounts, courses: cfg.Courses, lessons: cfg.Lessons, log: cfg.Log, now: cfg.Now,
		recorder: NewRecorder(RecorderConfig{DB: cfg.DB, Spacing: cfg.BeatSpacing, Log: cfg.Log}),
		here:     newHereBoard(),
	}
	a.facts = newFactCache(a.loadFacts)
	return a
}

// Run records beats, closes registers and tells the studio who is here, until ctx ends. It returns nil.
func (a *Attendance) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.recorder.Run(ctx) })
	g.Go(func() error { return a.every(ctx, closeEvery, a.closeDue) })
	g.Go(func() error { return a.every(ctx, hereEvery, a.tellHere) })
	return g.Wait()
}

const (
	closeEvery = 15 * time.Second
	hereEvery  = 5 * time.Second
	roundTime  = 30 * time.Second
)

// every calls round again and again. What stops a round is logged; the next one tries again.
func (a *Attendance) every(ctx context.Context, period time.Duration, round func(context.Context) error) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	failing := false
	for {
		rctx, cancel := context.WithTimeout(ctx, roundTime)
		err := round(rctx)
		cancel()
		if now := err != nil && ctx.Err() == nil; now != failing {
			failing = now
			if failing {
				a.log.ErrorContext(ctx, "attendance falls behind", "err", err)
			} else {
				a.log.InfoContext(ctx, "attendance has caught up")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// closeDue closes the registers of lessons that are over, and settles those that have got their last figures. It
// may be stopped anywhere and run again, on several nodes at once.
func (a *Attendance) closeDue(ctx context.Context) error {
	now := a.now()
	due, err := a.lessons.Due(ctx, now)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range due {
		if err := a.close(ctx, l, now); err != nil {
			errs = append(errs, fmt.Errorf("close register of %s: %w", l.ID, err))
		}
	}
	unsettled, err := dueForSettling(ctx, a.db.Reader(), database.At(now))
	errs = append(errs, err)
	for _, r := range unsettled {
		if err := a.settle(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("settle register of %s: %w", r.LessonID, err))
		}
	}
	return errors.Join(errs...)
}

// close freezes the register of a lesson, in one transaction with the lesson's own state.
func (a *Attendance) close(ctx context.Context, l lessons.Lesson, now time.Time) error {
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return err
	}
	closed := false
	err = a.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		if closed, err = lessons.Close(ctx, tx, l.ID, now); err != nil || !closed {
			return err // another node was first
		}
		return a.freeze(ctx, tx, l, roll, 1, 0, now)
	})
	if err == nil && closed {
		a.log.InfoContext(ctx, "register closed", "lesson", l.ID)
	}
	return err
}

// Recompute counts a closed register again by today's policy, as a new version beside the old ones.
func (a *Attendance) Recompute(ctx context.Context, actor, lesson media.ID) error {
	l, err := a.lessons.Find(ctx, lesson)
	if err != nil {
		return err
	}
	if a.swept(l) {
		return fault.Conflict("register.swept")
	}
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return err
	}
	return a.db.Tx(ctx, func(tx *gorm.DB) error {
		last, err := latestRegister(ctx, tx, lesson)
		if errors.Is(err, database.ErrNotFound) {
			return fault.Conflict("register.not_closed")
		}
		if err != nil {
			return fmt.Errorf("load register: %w", err)
		}
		err = a.freeze(ctx, tx, l, roll, last.Version+1, actor, a.now())
		if errors.Is(err, database.ErrDuplicate) {
			return fault.Conflict("register.changed").Because(err)
		}
		return err
	})
}

// freeze counts the lesson and writes the result as a version, with its audit line.
func (a *Attendance) freeze(ctx context.Context, tx *gorm.DB, l lessons.Lesson, roll roll, version int, actor media.ID, now time.Time) error {
	r, c, err := count(ctx, tx, l, roll, now)
	if err != nil {
		return err
	}
	settles := c.SettlesAt(r.Policy)
	row := registerRow{
		LessonID: l.ID, Version: version, ClosedAt: database.At(now), ClosedBy: actor,
		Policy: r.Policy.JSON(), PolicyVersion: r.PolicyVersion, Counted: setJSON(r.Window), Outside: r.Outside,
		ProgrammeS: wholeS(r.Programme), IntervalsHash: r.Hash, SettlesAt: settles, Settled: settles <= database.At(now),
	}
	rows := make([]studentRow, len(r.Rows))
	for i := range r.Rows {
		rows[i] = r.Rows[i].freeze(l.ID, version)
	}
	if version > 1 {
		if err := keepErased(ctx, tx, l.ID, version, rows); err != nil {
			return err
		}
	}
	if err := insertRegister(ctx, tx, row, rows); err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	action := "register.close"
	if version > 1 {
		action = "register.recompute"
	}
	return audit.Write(ctx, tx, audit.Line{
		At: now, Actor: actor, Action: action, Object: audit.Object("lesson", l.ID),
		Detail: map[string]any{"version": version, "students": len(rows), "policy_version": r.PolicyVersion},
	})
}

// settle writes what was still seen of the lesson after its register had closed.
func (a *Attendance) settle(ctx context.Context, row registerRow) error {
	l, err := a.lessons.Find(ctx, row.LessonID)
	if err != nil {
		return err
	}
	roll, err := a.roll(ctx, l.CourseID)
	if err != nil {
		return err
	}
	return a.db.Tx(ctx, func(tx *gorm.DB) error {
		ok, err := setSettled(ctx, tx, row.LessonID, row.Version)
		if err != nil || !ok {
			return err
		}
		r, err := thaw(ctx, tx, l, roll, row)
		if err != nil {
			return err
		}
		for i := range r.Rows {
			if err := setLater(ctx, tx, r.Rows[i].freeze(l.ID, row.Version)); err != nil {
				return fmt.Errorf("write row: %w", err)
			}
		}
		return nil
	})
}
