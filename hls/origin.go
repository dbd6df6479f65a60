package hls

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/storage"
)

// Config is what an Origin is made of.
type Config struct {
	Store   storage.Store
	Tickets *ticket.Minter
	Spool   string                         // a folder of our own for segments that are not stored yet, and journals
	Origins []string                       // of pages that may play from another host than this one: https://school.example
	Address func(*http.Request) netip.Addr // where a viewer is; nil: at the other end of the connection
	Log     *slog.Logger
	Now     func() time.Time      // nil: time.Now
	Metrics prometheus.Registerer // nil: none are shown

	PartTarget    time.Duration // length of a part; 0: 500 ms
	SegmentTarget time.Duration // length of a segment where key frames allow it; 0: 2 s
	Window        time.Duration // length of the live playlist; 0: 60 s
	SpoolLimit    int64         // bytes that all lessons together may have in the spool; 0: 20 GiB
	Memory        int64         // bytes of segments in memory while neither disk nor store takes them; 0: 512 MiB
	Uploads       int           // objects on their way to the store at once; 0: 4
	Keep          time.Duration // recordings are deleted so long after their lesson ended; 0: never

	fault func(name string, f file) file // of tests: what goes wrong with files of the spool
}

func (c *Config) fill() {
	c.PartTarget = orElse(c.PartTarget, 500*time.Millisecond)
	c.SegmentTarget = orElse(c.SegmentTarget, 2*time.Second)
	c.Window = orElse(c.Window, liveWindow)
	c.SpoolLimit = orElse(c.SpoolLimit, 20<<30)
	c.Memory = orElse(c.Memory, 512<<20)
	c.Uploads = orElse(c.Uploads, 4)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Address == nil {
		c.Address = connection
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func orElse[T int | int64 | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

func (c *Config) wish() targets { return targets{part: c.PartTarget, segment: c.SegmentTarget} }

// The errors that callers branch on.
var (
	ErrNoInput    = errors.New("no encoder of this publisher is connected")
	ErrEnded      = errors.New("the lesson has ended")
	ErrSuperseded = errors.New("another encoder took over")
	ErrOnAir      = errors.New("the lesson is on air")
	ErrClosed     = errors.New("the origin is shutting down")
)

// Origin holds every channel of this process. All methods are safe for concurrent use.
type Origin struct {
	cfg      Config
	root     *os.Root
	disk     disk
	metrics  *metrics
	tally    tally
	crowd    crowd
	up       *uploader
	spools   sync.WaitGroup
	loading  singleflight.Group
	channels sync.Map // media.ID to *channel

	making sync.Mutex // held while a lesson's folder is made; taken before all others

	mu     sync.Mutex // guards what follows
	inputs map[media.ID]*Input
	absent map[media.ID]time.Time // lessons that the store did not have, and when we asked
	closed bool
}

// Open returns an Origin that knows every lesson whose journal is in the spool: unfinished ones can be watched at
// once, and go on when their encoder comes back. Run does the rest.
func Open(cfg Config) (*Origin, error) {
	cfg.fill()
	if err := os.MkdirAll(cfg.Spool, 0o700); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	root, err := os.OpenRoot(cfg.Spool)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	o := &Origin{cfg: cfg, root: root, crowd: crowd{seed: maphash.MakeSeed()}, inputs: make(map[media.ID]*Input), absent: make(map[media.ID]time.Time)}
	o.disk.limit, o.disk.fault = cfg.SpoolLimit, cfg.fault
	o.metrics = newMetrics(o)
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(o.metrics); err != nil {
			return nil, errors.Join(fmt.Errorf("metrics of the origin: %w", err), root.Close())
		}
	}
	o.up = newUploader(&o.cfg, o.metrics)
	o.up.finished = o.archive
	if err := o.restoreAll(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return o, nil
}

// Run uploads finished segments until ctx ends. Then it ends the segments that are being made, waits until the
// spool has them, and returns; what is not uploaded then is uploaded after the next start.
func (o *Origin) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for range o.cfg.Uploads {
		wg.Go(func() { o.up.work(ctx) })
	}
	wg.Go(func() { o.rounds(ctx) })
	o.sweepUntil(ctx)
	wg.Wait()
	o.close()
	o.spools.Wait()
	return o.root.Close()
}

// close stops taking frames. Lock order: Origin.mu is released before a channel's.
func (o *Origin) close() {
	o.making.Lock()
	defer o.making.Unlock()
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.channels.Range(func(_, v any) bool {
		c := v.(*channel)
		c.mu.Lock()
		c.hangUp()
		c.mu.Unlock()
		if c.spool != nil {
			c.spool.close()
		}
		return true
	})
}

const sweepInterval = 5 * time.Second

func (o *Origin) sweepUntil(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.sweep(o.cfg.Now())
		}
	}
}

const (
	previewRest = time.Minute      // an ended preview can be fetched so long
	archiveRest = 10 * time.Minute // a recording that nobody asks for is forgotten, and read again when somebody does
	indexEvery  = 5 * time.Minute  // how often the store gets the index of a lesson on air
	absentFor   = 2 * time.Second  // how long we believe that the store does not have a recording
)

func (o *Origin) sweep(now time.Time) {
	if o.disk.look(now) {
		o.cfg.Log.Warn("spool", "bytes", o.disk.used.Load(), "limit", o.disk.limit, "alarm", o.disk.half.Load() != nil)
	}
	o.channels.Range(func(_, v any) bool {
		c := v.(*channel)
		idle := now.Sub(time.Unix(0, c.lastUse.Load()))
		switch {
		case c.preview() && c.shape.get().ended && idle > previewRest,
			c.archived.Load() && idle > archiveRest:
			o.forget(c)
		case c.spool != nil && !c.archived.Load() && now.Sub(time.Unix(0, c.indexed.Load())).Abs() > indexEvery:
			c.indexed.Store(now.UnixNano())
			o.up.index(c)
		}
		return true
	})
	o.crowd.sweep(now)
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, at := range o.absent {
		if now.Sub(at) > absentFor {
			delete(o.absent, id)
		}
	}
}

// channel returns a channel that is in memory.
func (o *Origin) channel(id media.ID) *channel {
	if v, ok := o.channels.Load(id); ok {
		return v.(*channel)
	}
	return nil
}

// GoLive lets the encoder of publisher write into lesson, from its next key frame on. It returns when viewers of
// the lesson can be told to come; their first request waits for the first segment. ErrNoInput when that publisher
// is not streaming, ErrEnded when the lesson is over. Doing it again changes nothing.
func (o *Origin) GoLive(ctx context.Context, lesson, publisher media.ID) error {
	o.mu.Lock()
	in := o.inputs[publisher]
	o.mu.Unlock()
	if in == nil {
		return ErrNoInput
	}
	c, err := o.lesson(ctx, lesson)
	if err != nil {
		return fmt.Errorf("go live: %w", err)
	}
	if c.shape.get().ended {
		return ErrEnded
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if in = o.inputs[publisher]; in == nil {
		return ErrNoInput
	}
	in.next.Store(c)
	return nil
}

// End ends a lesson: players get to know at once, and the recording can be watched at once from what is in the
// spool and in the store. It does not wait for the store. A lesson that never began is no error, nor is ending
// twice.
func (o *Origin) End(ctx context.Context, lesson media.ID) error {
	c := o.channel(lesson)
	if c == nil || c.preview() {
		return nil
	}
	if c.finish() {
		c.lastUse.Store(o.cfg.Now().UnixNano())
		c.spool.do(func() { o.up.ended(c) }) // behind the last segment
	}
	return nil
}

// Delete removes a lesson: everything of it that the store and the spool have. Viewers get 404 from then on. The
// lesson must have ended; ErrOnAir when it has not. What an error leaves behind is removed by doing it again.
func (o *Origin) Delete(ctx context.Context, lesson media.ID) error {
	if c := o.channel(lesson); c != nil {
		if !c.shape.get().ended {
			return ErrOnAir
		}
		c.unstored.cancel()
		if c.spool != nil {
			c.spool.close()
			<-c.spool.done
		}
		o.forget(c)
	}
	o.mu.Lock()
	o.absent[lesson] = o.cfg.Now()
	o.mu.Unlock()
	defer func() { // somebody may have read the index while it was still there
		if c := o.channel(lesson); c != nil && c.recording {
			o.forget(c)
		}
	}()
	if err := o.root.RemoveAll(lesson.String()); err != nil {
		return fmt.Errorf("delete spool of lesson: %w", err)
	}
	var names []string
	var bytes int64
	for info, err := range o.cfg.Store.List(ctx, lessonPrefix(lesson)) {
		if err != nil {
			return fmt.Errorf("list lesson: %w", err)
		}
		names, bytes = append(names, info.Name), bytes+info.Size
	}
	// The index goes first: what is left without it cannot be found.
	if err := o.cfg.Store.Delete(ctx, indexKey(lesson)); err != nil {
		return fmt.Errorf("delete index of lesson: %w", err)
	}
	if err := o.cfg.Store.Delete(ctx, names...); err != nil {
		return fmt.Errorf("delete lesson: %w", err)
	}
	o.tally.add(-bytes)
	return nil
}

// forget takes a channel out of memory.
func (o *Origin) forget(c *channel) {
	if !o.channels.CompareAndDelete(c.id, c) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heat(-c.hotBytes)
	c.hot = nil
}

// Status tells how a channel stands. It waits for nothing; a recording that is not in memory is unknown.
func (o *Origin) Status(id media.ID) media.ChannelStatus {
	c := o.channel(id)
	if c == nil {
		return media.ChannelStatus{}
	}
	now := o.cfg.Now()
	st := c.status(now)
	if since := o.disk.half.Load(); c.spool != nil && since != nil {
		st.Warnings = append(st.Warnings, media.Warning{Code: media.StorageSlow, Detail: "spool", Since: *since})
	}
	switch failing := o.up.trouble() != nil; {
	case st.Unstored == 0 || !failing && st.UnstoredAge < slowAfter:
	case failing && st.UnstoredAge > downAfter:
		st.Warnings = append(st.Warnings, media.Warning{Code: media.StorageDown, Detail: "store", Since: now.Add(-st.UnstoredAge)})
	default:
		st.Warnings = append(st.Warnings, media.Warning{Code: media.StorageSlow, Detail: "store", Since: now.Add(-st.UnstoredAge)})
	}
	if w, ok := c.shareWarning(now); ok {
		st.Warnings = append(st.Warnings, w)
	}
	return st
}

// When people are told that finished segments do not get into the store.
const (
	slowAfter = 20 * time.Second
	downAfter = time.Minute
)

// Handler serves /p/<ticket>/l/<channel>/<name>. Its responses set their own write deadlines, so the server needs
// none for them.
func (o *Origin) Handler() http.Handler { return &server{o} }

// lesson returns the channel of a lesson, made if need be.
func (o *Origin) lesson(ctx context.Context, id media.ID) (*channel, error) {
	if c := o.channel(id); c != nil {
		return c, nil
	}
	o.making.Lock()
	defer o.making.Unlock()
	o.mu.Lock()
	closed := o.closed
	o.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if c := o.channel(id); c != nil {
		return c, nil
	}
	recs, err := o.remembered(ctx, id)
	if err != nil {
		return nil, err
	}
	c := o.newChannel(id, o.cfg.Window)
	if err := o.openLesson(c, recs); err != nil {
		return nil, err
	}
	o.channels.Store(id, c)
	return c, nil
}

// remembered returns what the store knows about a lesson that this machine has not seen: another one began it, or
// this one lost its disk. A store that does not answer knows nothing; live never waits for it for long.
func (o *Origin) remembered(ctx context.Context, id media.ID) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	recs, err := readIndex(ctx, o.cfg.Store, id)
	switch {
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		o.cfg.Log.Warn("store does not say whether the lesson began elsewhere", "lesson", id, "err", err)
	case len(recs) > 0 && recs[len(recs)-1].Kind == recEnd:
		return nil, ErrEnded
	}
	return recs, nil
}

const (
	storeWait = 2 * time.Second
	loadWait  = 6 * time.Second // the index of a long lesson is some megabytes
)

// openLesson makes the folder and journal of a lesson and starts the goroutine that writes there. It ends when
// the recording is archived, or in close.
func (o *Origin) openLesson(c *channel, recs []record) error {
	name := c.id.String()
	if err := o.root.MkdirAll(name, 0o700); err != nil {
		return fmt.Errorf("make lesson's spool: %w", err)
	}
	root, err := o.root.OpenRoot(name)
	if err != nil {
		return fmt.Errorf("open lesson's spool: %w", err)
	}
	j, own, damaged, err := openJournal(root, &o.disk)
	if err != nil {
		return errors.Join(err, root.Close())
	}
	if damaged > 0 {
		o.cfg.Log.Warn("journal has damaged lines", "lesson", c.id, "lines", damaged)
	}
	c.spool = newSpool(root, j, &o.disk, o.cfg.Now)
	if len(own) == 0 {
		own = recs
		if len(own) == 0 {
			own = []record{{Kind: recLesson, Version: journalVersion, Lesson: c.id, AtMicros: o.cfg.Now().UnixMicro()}}
		}
		for _, rec := range own {
			c.spool.write(rec, false)
		}
		c.spool.note(errors.Join(j.f.Sync(), syncFolder(root), syncFolder(o.root)))
	}
	c.restore(own)
	c.recoverTails(own)
	c.spool.settled = func(r *rendition, s *segment, ok bool) { o.settled(c, r, s, ok) }
	c.indexed.Store(o.cfg.Now().UnixNano())
	o.spools.Go(c.spool.run)
	o.resume(c)
	return nil
}

// settled goes on with a segment when the spool has done what it could.
func (o *Origin) settled(c *channel, r *rendition, s *segment, ok bool) {
	r.dvr.add(s, !ok)
	if s.gap() {
		c.unstored.done(s)
		return
	}
	o.up.segment(c, r, s)
}

// resume uploads what a restored channel has not stored.
func (o *Origin) resume(c *channel) {
	for _, r := range c.shape.get().renditions {
		for _, s := range r.view.get().list {
			if k := s.keeping(); k == inMemory || k == spooled {
				c.unstored.add(s)
				o.up.segment(c, r, s)
			}
		}
	}
	if c.shape.get().ended {
		o.up.ended(c)
	}
}
