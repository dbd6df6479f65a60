package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/media"
)

// Config is what New needs.
type Config struct {
	DB      *database.DB
	Courses *courses.Courses
	Lessons *lessons.Lessons
	Bus     push.Bus
	// WriteSpacing is the least time between two transactions, NewsSpacing between two frames of a room. 0 means
	// 100 and 250 ms.
	WriteSpacing, NewsSpacing time.Duration
	Metrics                   prometheus.Registerer // nil: none are kept
	Log                       *slog.Logger          // nil means slog.Default
	Now                       func() time.Time      // nil means time.Now
}

// Chat is the feature. Safe for concurrent use.
type Chat struct {
	db      *database.DB
	courses *courses.Courses
	lessons *lessons.Lessons
	writer  *writer
	hub     *hub
	limits  *limiter
	metrics *metrics
	now     func() time.Time
}

// New returns the feature; Run must run for anything to be written or told.
func New(cfg Config) (*Chat, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	if cfg.WriteSpacing == 0 {
		cfg.WriteSpacing = writeSpacing
	}
	if cfg.NewsSpacing == 0 {
		cfg.NewsSpacing = newsSpacing
	}
	hub := newHub(cfg, m)
	return &Chat{
		db: cfg.DB, courses: cfg.Courses, lessons: cfg.Lessons, hub: hub, writer: newWriter(cfg, hub.tell),
		limits: newLimiter(), metrics: m, now: cfg.Now,
	}, nil
}

// Run writes and tells until ctx ends. It returns nil.
func (f *Chat) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.writer.run(ctx) })
	g.Go(func() error { return f.hub.run(ctx) })
	return g.Wait()
}

// Actor is somebody in a lesson who may do what they ask for.
type Actor struct {
	User   media.ID
	Role   courses.Role
	Lesson lessons.Lesson
}

// open is a fault when nobody can take part in the lesson now: before it opens, and once its register is closed.
func (f *Chat) open(l lessons.Lesson) error {
	switch l.StateAt(f.now()) {
	case lessons.Planned:
		return fault.Conflict("lesson.too_early")
	case lessons.Cancelled:
		return fault.Conflict("lesson.cancelled")
	case lessons.Closed:
		return fault.Conflict("chat.closed")
	}
	return nil
}

// act spends from what one person may do in a room.
func (f *Chat) act(lesson, user media.ID) error {
	return f.spend("person", map[limitKey]budget{{lesson: lesson, user: user}: actBudget})
}

// say spends from what a student, and what all of them together, may write.
func (f *Chat) say(a Actor, toRoom bool) error {
	if a.Role.Staff() {
		return nil
	}
	own := map[limitKey]budget{{lesson: a.Lesson.ID, user: a.User, say: true}: sayBudget}
	if err := f.spend("person", own); err != nil || !toRoom {
		return err
	}
	return f.spend("room", map[limitKey]budget{{lesson: a.Lesson.ID, say: true}: roomBudget})
}

func (f *Chat) spend(reason string, budgets map[limitKey]budget) error {
	wait := f.limits.take(f.now(), budgets)
	if wait <= 0 {
		return nil
	}
	f.metrics.refused.WithLabelValues(reason).Inc()
	if reason == "room" {
		return fault.TooMany("chat.crowded", max(wait, time.Second))
	}
	return fault.TooMany("chat.too_fast", max(wait, time.Second))
}

// position is where the programme of a lesson is now: it runs while students can see it, and only then.
func (f *Chat) position(ctx context.Context, lesson media.ID) (int64, error) {
	air, err := lessons.AirOf(ctx, f.db.Reader(), lesson)
	if err != nil {
		return 0, err
	}
	now, length := f.now(), time.Duration(0)
	for _, a := range air {
		until := a.Until
		if a.Open {
			until = now
		}
		length += max(0, until.Sub(a.From))
	}
	return length.Milliseconds(), nil
}

// maxNonce bounds the name that a page gives to what it sends.
const maxNonce = 40

func nonce(text string, id media.ID) (string, error) {
	if len(text) > maxNonce {
		return "", fault.Invalid("field.too_long").At("nonce")
	}
	for _, r := range text {
		if r < '!' || r > '~' {
			return "", fault.Invalid("field.bad_text").At("nonce")
		}
	}
	if text == "" {
		return id.String(), nil
	}
	return text, nil
}

// Say adds a message and returns its id. once names it among the sender's: sent twice it is there once.
func (f *Chat) Say(ctx context.Context, a Actor, text, once string) (media.ID, error) {
	text, err := Line("text", text, maxRunes)
	if err != nil {
		return 0, err
	}
	m := messageRow{ID: media.NewID(), LessonID: a.Lesson.ID, UserID: a.User, Role: a.Role, Body: text, At: database.At(f.now())}
	if m.Nonce, err = nonce(once, m.ID); err != nil {
		return 0, err
	}
	if err := f.mayWrite(a, true); err != nil {
		return 0, err
	}
	if m.PosMS, err = f.position(ctx, a.Lesson.ID); err != nil {
		return 0, err
	}
	id := m.ID
	err = f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) (err error) {
		if id, err = saidBefore(ctx, tx, "messages", a.Lesson.ID, a.User, m.Nonce); err != nil || id != 0 {
			return err
		}
		room, err := roomOf(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		if !a.Role.Staff() {
			if err := f.holds(ctx, tx, room, a); err != nil {
				return err
			}
			m.Private = room.Mode == TeacherOnly
		}
		if m.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		id, err = insertMessage(ctx, tx, m)
		return err
	})
	if err == nil {
		f.metrics.messages.Inc()
	}
	return id, err
}

// mayWrite asks what can be asked without the database.
func (f *Chat) mayWrite(a Actor, toRoom bool) error {
	if err := f.open(a.Lesson); err != nil {
		return err
	}
	return f.say(a, toRoom)
}

// holds is a fault when the room is set so that a student cannot write now.
func (f *Chat) holds(ctx context.Context, tx *gorm.DB, room roomRow, a Actor) error {
	if room.Mode == Off {
		return fault.Conflict("chat.off")
	}
	if err := notMuted(ctx, tx, a); err != nil || room.SlowS == 0 {
		return err
	}
	last, err := lastSaid(ctx, tx, a.Lesson.ID, a.User)
	if err != nil {
		return err
	}
	if wait := last.Add(time.Duration(room.SlowS) * time.Second).Sub(database.At(f.now())); last != 0 && wait > 0 {
		f.metrics.refused.WithLabelValues("slow").Inc()
		return fault.TooMany("chat.slow", wait).With("N", room.SlowS)
	}
	return nil
}

func notMuted(ctx context.Context, tx *gorm.DB, a Actor) error {
	yes, err := muted(ctx, tx, a.Lesson.ID, a.User)
	if err == nil && yes {
		return fault.Forbidden("chat.muted")
	}
	return err
}

// Remove takes a message out of everybody's page, and its text out of the database.
func (f *Chat) Remove(a Actor, id media.ID) error {
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		m, err := messageByID(ctx, tx, a.Lesson.ID, id)
		if err != nil || m.RemovedAt != 0 {
			return orNotFound(err)
		}
		if m.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		m.RemovedAt, m.RemovedBy = database.At(f.now()), a.User
		if err := removeMessage(ctx, tx, m); err != nil {
			return err
		}
		return f.note(ctx, tx, a, "chat.remove", map[string]any{"message": m.ID, "user": m.UserID})
	})
}

func orNotFound(err error) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.NotFound("").Because(err)
	}
	return err
}

// Mute keeps a student from writing in this lesson, or lets them again.
func (f *Chat) Mute(ctx context.Context, a Actor, user media.ID, yes bool) error {
	members, err := f.courses.Members(ctx, a.Lesson.CourseID)
	if err != nil {
		return err
	}
	student := false
	for _, m := range members {
		student = student || m.User == user && m.Role == courses.Student
	}
	if !student {
		return fault.NotFound("")
	}
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		rev, err := nextRev(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		err = upsertMute(ctx, tx, muteRow{LessonID: a.Lesson.ID, UserID: user, Rev: rev, Muted: yes, At: database.At(f.now()), ByID: a.User})
		if err != nil {
			return err
		}
		action := "chat.mute"
		if !yes {
			action = "chat.unmute"
		}
		return f.note(ctx, tx, a, action, map[string]any{"user": user})
	})
}

// maxSlow bounds slow mode, in seconds.
const maxSlow = 600

// Set says who reads what students write, and how long a student waits between two messages, in seconds.
func (f *Chat) Set(a Actor, mode Mode, slow int) error {
	if mode != All && mode != TeacherOnly && mode != Off {
		return fault.Invalid("").At("mode")
	}
	if slow < 0 || slow > maxSlow {
		return fault.Invalid("").At("slow_s")
	}
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		rev, err := nextRev(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		return setRoom(ctx, tx, roomRow{LessonID: a.Lesson.ID, Mode: mode, SlowS: slow, SetRev: rev})
	})
}

// note writes the audit line of a moderator. What was written is not in it.
func (f *Chat) note(ctx context.Context, tx *gorm.DB, a Actor, action string, detail map[string]any) error {
	return audit.Write(ctx, tx, audit.Line{At: f.now(), Actor: a.User, Action: action, Object: audit.Object("lesson", a.Lesson.ID), Detail: detail})
}

// sweepRows is how many rows one transaction of Sweep deletes, so that beats and messages pass in between.
const sweepRows = 500

// Sweep deletes what was written, raised and asked before an instant, and returns how much that was. It may be
// stopped anywhere and run again.
func (f *Chat) Sweep(ctx context.Context, before time.Time) (rows int, err error) {
	for _, o := range old {
		for some := int64(sweepRows); some == sweepRows; {
			err := f.db.Tx(ctx, func(tx *gorm.DB) (err error) {
				some, err = sweepSome(ctx, tx, o.table, o.at, database.At(before), sweepRows)
				return err
			})
			if err != nil {
				return rows, fmt.Errorf("sweep %s: %w", o.table, err)
			}
			rows += int(some)
		}
	}
	err = f.db.Tx(ctx, func(tx *gorm.DB) error { return sweepMutes(ctx, tx, database.At(before)) })
	if err != nil {
		return rows, fmt.Errorf("sweep mutes: %w", err)
	}
	return rows, nil
}
