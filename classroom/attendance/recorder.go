package attendance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	beatQueue    = 8192            // waiting beats; more are turned away and sent again by their pages
	beatBatch    = 2000            // beats of one commit
	commitTime   = 5 * time.Second // then the database counts as away
	seatIdle     = 10 * time.Minute
	maxSeats     = 250_000
	maxViews     = 500 // pages of one student in one lesson
	beatInterval = 15 * time.Second
	// A stretched interval must still leave room for one lost beat within maxSilence, jitter included.
	busyInterval = 30 * time.Second
	beatsPerMin  = 240 // of one student, all pages together; more is no page of ours
)

// RecorderConfig is what NewRecorder needs.
type RecorderConfig struct {
	DB *database.DB
	// Spacing is the least time between the beginnings of two commits: a busy server gathers more beats into
	// each. A beat that finds the recorder idle is committed at once. 0 means as fast as the disk.
	Spacing time.Duration
	Log     *slog.Logger // nil means slog.Default
}

// Recorder turns beats into rows. It keeps where each view stands in memory and commits many beats at once; the
// database alone is the truth, and what is in memory is read from it again after a restart or a failed commit.
//
// Everything but the queue belongs to the goroutine of Run.
type Recorder struct {
	cfg     RecorderConfig
	queue   chan *arrival
	stopped chan struct{}

	seats   map[seatKey]*seat
	swept   database.Instant
	last    time.Time // when the last commit began
	failing bool
}

// Arrival is a beat that came in.
type Arrival struct {
	Lesson, User media.ID
	Device       int64
	DeviceClass  string
	At           database.Instant // the server's clock when it arrived
	Beat         Beat
	Class        Class // to tell live time from replay
}

// Receipt says what is committed.
type Receipt struct {
	N         int64         // the last beat of the view that counts
	Attending Set           // the student's live attending time, over all views
	Interval  time.Duration // when the next beat should come
}

type arrival struct {
	Arrival
	done chan result // holds one
}

type result struct {
	Receipt
	err error
}

type seatKey struct{ lesson, user media.ID }

// seat is one student in one lesson.
type seat struct {
	loaded    bool
	views     []*openView
	attending Set
	heard     map[string]database.Instant // views that are not in the database yet: when their first beat arrived
	seen      database.Instant            // the last beat
	allowance int64                       // in milliseconds: each beat costs one share of a minute
}

type openView struct {
	View
	row viewRow // as it was loaded or first written; n and what follows is in View
}

// NewRecorder returns a recorder that takes beats once Run runs.
func NewRecorder(cfg RecorderConfig) *Recorder {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Recorder{
		cfg: cfg, queue: make(chan *arrival, beatQueue), stopped: make(chan struct{}),
		seats: make(map[seatKey]*seat),
	}
}

// Record takes one beat and returns when it is committed. The error is a fault of kind Busy when it could not
// be: then nothing was counted, and the page sends the time with its next beat. Safe for concurrent use.
func (r *Recorder) Record(ctx context.Context, a Arrival) (Receipt, error) {
	waiting := &arrival{Arrival: a, done: make(chan result, 1)}
	select {
	case r.queue <- waiting:
	default:
		return Receipt{}, fault.Busy("beat.not_stored", beatInterval)
	}
	select {
	case res := <-waiting.done:
		return res.Receipt, res.err
	case <-r.stopped:
		select {
		case res := <-waiting.done: // in the last commit
			return res.Receipt, res.err
		default:
			return Receipt{}, fault.Busy("beat.not_stored", beatInterval)
		}
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
}

// Run commits beats until ctx ends, and those that wait then. It never fails: a database that is away costs the
// beats of that time, which their pages send again.
func (r *Recorder) Run(ctx context.Context) error {
	defer close(r.stopped)
	for {
		select {
		case first := <-r.queue:
			r.pace(ctx)
			r.commit(context.WithoutCancel(ctx), r.gather([]*arrival{first}))
		case <-ctx.Done():
			for batch := r.gather(nil); len(batch) > 0; batch = r.gather(nil) {
				r.commit(context.WithoutCancel(ctx), batch)
			}
			return nil
		}
	}
}

// pace waits until the next commit may begin.
func (r *Recorder) pace(ctx context.Context) {
	wait := r.cfg.Spacing - time.Since(r.last)
	if wait <= 0 {
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// gather adds what waits to batch, without waiting for more.
func (r *Recorder) gather(batch []*arrival) []*arrival {
	for len(batch) < beatBatch {
		select {
		case a := <-r.queue:
			batch = append(batch, a)
		default:
			return batch
		}
	}
	return batch
}

// commit takes a batch into the views and writes what changed, in one transaction; then, and not before, all
// beats of the batch are answered.
func (r *Recorder) commit(ctx context.Context, batch []*arrival) {
	r.last = time.Now()
	r.sweep(batch[0].At)
	results, err := r.try(ctx, batch)
	if refusedRow(err) && len(batch) > 1 {
		// One row that the schema does not allow, for a student who was just erased: the others do not pay for it.
		r.commit(ctx, batch[:len(batch)/2])
		r.commit(ctx, batch[len(batch)/2:])
		return
	}
	r.report(err)
	for i, a := range batch {
		if err != nil && results[i].err == nil {
			results[i].err = fault.Busy("beat.not_stored", beatInterval).Because(err)
		}
		results[i].Interval = r.interval()
		a.done <- results[i]
	}
}

func refusedRow(err error) bool {
	return errors.Is(err, database.ErrDuplicate) || errors.Is(err, database.ErrReference) || errors.Is(err, database.ErrCheck)
}

func (r *Recorder) try(ctx context.Context, batch []*arrival) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	results := make([]result, len(batch))
	seats := make([]*seat, len(batch))
	for i, a := range batch {
		seats[i], results[i].err = r.seat(a)
	}
	if err := r.load(ctx, batch, seats); err != nil {
		return results, err
	}
	c := changes{views: map[*openView]bool{}, intervals: map[intervalKey]intervalRow{}}
	for i, a := range batch {
		if results[i].err == nil {
			results[i].Receipt, results[i].err = seats[i].take(a, &c)
		}
	}
	err := c.write(ctx, r.cfg.DB)
	for _, s := range seats {
		switch {
		case s == nil:
		case err != nil: // how far it came is unknown, so the next beat reads it again
			s.loaded, s.views, s.attending = false, nil, nil
		default:
			s.heard = nil
		}
	}
	return results, err
}

// seat returns the place of a student in memory, perhaps not loaded yet, and notes when a view was first heard
// of: a page that opens while the database is away loses nothing either.
func (r *Recorder) seat(a *arrival) (*seat, error) {
	key := seatKey{a.Lesson, a.User}
	s := r.seats[key]
	if s == nil {
		if len(r.seats) >= maxSeats {
			return nil, fault.Busy("beat.not_stored", beatInterval)
		}
		s = &seat{seen: a.At, allowance: minuteMS}
		r.seats[key] = s
	}
	if !s.spend(a.At) {
		return s, fault.TooMany("beat.too_many", beatInterval)
	}
	if s.view(a.Beat.View) == nil && len(s.views)+len(s.heard) < maxViews {
		if s.heard == nil {
			s.heard = map[string]database.Instant{}
		}
		if _, known := s.heard[a.Beat.View]; !known {
			s.heard[a.Beat.View] = a.At
		}
	}
	return s, nil
}

const minuteMS = 60_000

// spend takes one beat from the student's allowance, which fills again by itself.
func (s *seat) spend(now database.Instant) bool {
	s.allowance = min(minuteMS, s.allowance+max(0, int64(now-s.seen)))
	s.seen = now
	const share = minuteMS / beatsPerMin
	if s.allowance < share {
		return false
	}
	s.allowance -= share
	return true
}

func (s *seat) view(token string) *openView {
	for _, v := range s.views {
		if v.row.Token == token {
			return v
		}
	}
	return nil
}

// load reads the seats that are not in memory, with two queries for all students of a lesson.
func (r *Recorder) load(ctx context.Context, batch []*arrival, seats []*seat) error {
	missing := map[media.ID][]media.ID{}
	classes := map[media.ID]Class{}
	for i, a := range batch {
		if s := seats[i]; s != nil && !s.loaded && !slices.Contains(missing[a.Lesson], a.User) {
			missing[a.Lesson] = append(missing[a.Lesson], a.User)
			classes[a.Lesson] = a.Class
		}
	}
	for lesson, users := range missing {
		for some := range slices.Chunk(users, rowsPerStatement) {
			if err := r.loadSome(ctx, lesson, classes[lesson], some); err != nil {
				return fmt.Errorf("load views of lesson %s: %w", lesson, err)
			}
		}
	}
	return nil
}

func (r *Recorder) loadSome(ctx context.Context, lesson media.ID, c Class, users []media.ID) error {
	views, err := viewsOf(ctx, r.cfg.DB.Reader(), lesson, users...)
	if err != nil {
		return err
	}
	intervals, err := intervalsOf(ctx, r.cfg.DB.Reader(), lesson, users...)
	if err != nil {
		return err
	}
	for _, user := range users {
		s := r.seats[seatKey{lesson, user}]
		s.loaded, s.views, s.attending = true, nil, nil
	}
	open := make(map[media.ID]*openView, len(views))
	for _, row := range views {
		s := r.seats[seatKey{lesson, row.UserID}]
		v := &openView{row: row, View: View{N: row.N, Last: row.LastAt, Pos: milliseconds(row.PosMS)}}
		s.views = append(s.views, v)
		open[row.ID] = v
	}
	for _, row := range intervals { // in the order of time: the last of a view is its open one
		v := open[row.ViewID]
		if v == nil {
			continue // begun between the two queries, by nobody: this goroutine alone writes
		}
		v.Open = row.stretch()
		r.seats[seatKey{lesson, v.row.UserID}].add(c, v, v.Open)
	}
	return nil
}

// add counts a stretch of the view as live attending time, as far as it is.
func (s *seat) add(c Class, v *openView, stretch Stretch) {
	if live := c.live(v.row.OpenedAt, stretch); !live.empty() {
		s.attending = Union(append(s.attending[:len(s.attending):len(s.attending)], live)...)
	}
}

// take applies one beat in memory and notes what is to be written.
func (s *seat) take(a *arrival, c *changes) (Receipt, error) {
	v := s.view(a.Beat.View)
	if v == nil {
		heard, ok := s.heard[a.Beat.View]
		if !ok {
			return Receipt{}, fault.TooMany("beat.too_many", beatInterval)
		}
		v = &openView{View: NewView(heard), row: viewRow{
			ID: media.NewID(), LessonID: a.Lesson, UserID: a.User, Token: a.Beat.View,
			Device: a.Device, DeviceClass: a.DeviceClass, OpenedAt: heard,
		}}
		s.views = append(s.views, v)
	}
	taken, changed := v.Take(a.At, a.Beat)
	if taken {
		c.views[v] = true
	}
	for _, stretch := range changed {
		c.intervals[intervalKey{v.row.ID, stretch.N, stretch.State}] = rowOf(v.row.ID, stretch)
		s.add(a.Class, v, stretch)
	}
	return Receipt{N: v.N, Attending: s.attending}, nil
}

// changes is what one commit writes: the last state of each row it touches.
type changes struct {
	views     map[*openView]bool
	intervals map[intervalKey]intervalRow
}

type intervalKey struct {
	view  media.ID
	n     int64
	state State
}

func (c *changes) write(ctx context.Context, db *database.DB) error {
	if len(c.views) == 0 {
		return nil
	}
	views := make([]viewRow, 0, len(c.views))
	for v := range c.views {
		row := v.row
		row.N, row.LastAt, row.PosMS = v.N, v.Last, v.Pos.Milliseconds()
		views = append(views, row)
	}
	intervals := slices.Collect(maps.Values(c.intervals))
	err := db.Tx(ctx, func(tx *gorm.DB) error { return upsertWatched(ctx, tx, views, intervals) })
	if err != nil {
		return fmt.Errorf("write %d views and %d intervals: %w", len(views), len(intervals), err)
	}
	return nil
}

// sweep forgets students who have been quiet; should they come back, they are read again.
func (r *Recorder) sweep(now database.Instant) {
	if now < r.swept.Add(time.Minute) && now >= r.swept {
		return
	}
	r.swept = now
	for key, s := range r.seats {
		if s.seen.Add(seatIdle) < now {
			delete(r.seats, key)
		}
	}
}

// interval asks pages to come less often while more beats wait than half the queue holds.
func (r *Recorder) interval() time.Duration {
	if len(r.queue) > beatQueue/2 {
		return busyInterval
	}
	return beatInterval
}

// report writes one line when commits begin to fail and one when they work again.
func (r *Recorder) report(err error) {
	if failing := err != nil; failing != r.failing {
		r.failing = failing
		if failing {
			r.cfg.Log.Error("beats cannot be committed; pages keep their time", "err", err)
		} else {
			r.cfg.Log.Info("beats are committed again")
		}
	}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
