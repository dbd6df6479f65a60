package hls

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"
	"time"

	"chalkcast/storage"
)

// uploader brings finished segments to the object store: the init segment first, then its segments, and the index
// that names them only when they are there. The queue holds references; the bytes lie in the spool, whose quota
// bounds it, or, when the spool failed, in memory, where hotLimit does: what is let go of before its turn came is
// lost.
type uploader struct {
	cfg      *Config
	metrics  *metrics
	finished func(*channel) // a lesson has ended and everything of it is stored

	mu    sync.Mutex // guards the queue
	queue []func(context.Context)
	more  chan struct{} // capacity 1
	last  *trouble      // nil when the store answers
}

func newUploader(cfg *Config, m *metrics) *uploader {
	return &uploader{cfg: cfg, metrics: m, more: make(chan struct{}, 1)}
}

func (u *uploader) add(job func(context.Context)) {
	u.mu.Lock()
	u.queue = append(u.queue, job)
	u.mu.Unlock()
	u.signal()
}

func (u *uploader) signal() {
	select {
	case u.more <- struct{}{}:
	default:
	}
}

// work uploads one object after the other until ctx ends.
func (u *uploader) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.more:
		}
		for job := u.take(); job != nil && ctx.Err() == nil; job = u.take() {
			job(ctx)
		}
	}
}

// take returns the oldest job, and wakes a colleague when there are more.
func (u *uploader) take() func(context.Context) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.queue) == 0 {
		return nil
	}
	job := u.queue[0]
	u.queue[0] = nil
	u.queue = u.queue[1:]
	if len(u.queue) > 0 {
		u.signal()
	}
	return job
}

// tryLimit is how long one try to store a segment may take.
const tryLimit = 30 * time.Second

// keep stores an object and makes sure of it. It tells Status how the store is doing.
func (u *uploader) keep(ctx context.Context, name string, content storage.Content) error {
	return u.heard(storage.Keep(ctx, u.cfg.Store, name, content, u.patience()))
}

func (u *uploader) patience() storage.Patience {
	return storage.Patience{Try: tryLimit, Failed: u.failed}
}

// heard notes that the store is well when it took something.
func (u *uploader) heard(err error) error {
	if err == nil {
		u.mu.Lock()
		u.last = nil
		u.mu.Unlock()
	}
	return err
}

func (u *uploader) failed(err error, pause time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	since := u.cfg.Now()
	if u.last != nil {
		since = u.last.since
	} else {
		u.cfg.Log.Warn("object store fails, trying again", "err", err, "pause", pause)
	}
	u.last = &trouble{err, since}
}

func (u *uploader) trouble() *trouble {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// segment queues a segment that the spool, or memory, has.
func (u *uploader) segment(c *channel, r *rendition, s *segment) {
	if b := (*r.inits.Load())[s.init()]; b != nil && c.unstored.firstUse(r, s.init()) {
		key := initKey(c.id, r.name, s.init())
		u.add(func(ctx context.Context) {
			if ctx, end, ok := c.unstored.begin(ctx); ok {
				defer end()
				u.keep(ctx, key, storage.Bytes(b))
			}
		})
	}
	u.add(func(ctx context.Context) {
		ctx, end, ok := c.unstored.begin(ctx)
		if !ok {
			return
		}
		defer end()
		err := errLetGo
		if s.keeping() != lost {
			err = u.store(ctx, c, r, s)
		}
		if ctx.Err() != nil {
			return
		}
		u.settled(c, r, s, err)
	})
}

var errLetGo = errors.New("neither disk nor store took it, and memory ran short")

// store brings a segment to the store from wherever its bytes are.
func (u *uploader) store(ctx context.Context, c *channel, r *rendition, s *segment) error {
	key, file := segmentKey(c.id, r.name, s), storage.File{Size: s.size, CRC: s.crc()}
	b := s.body.Load()
	f, err := c.spool.open(r, &s.heading)
	if err == nil {
		defer f.Close()
	}
	switch {
	case b != nil && (err != nil || s.keeping() == inMemory): // the disk failed, or somebody cleared the spool
		file.Body = *b
	case errors.Is(err, fs.ErrNotExist):
		return u.already(ctx, key, s)
	case err != nil:
		return err
	default:
		file.Body = f
	}
	sum, err := storage.KeepFile(ctx, u.cfg.Store, key, file, u.patience())
	if err == nil && !sum.IsZero() {
		s.sum.Store(&sum)
	}
	return u.heard(err)
}

// already asks whether the store has an object whose file is gone: the line that says so was lost in a crash.
func (u *uploader) already(ctx context.Context, key string, want *segment) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	o, err := u.cfg.Store.Get(ctx, key, storage.Range{})
	if err != nil {
		return err
	}
	defer o.Body.Close()
	crc := crc32.New(castagnoli)
	n, err := io.Copy(crc, o.Body)
	if err == nil && (n != want.size || want.crc() != 0 && crc.Sum32() != want.crc()) {
		err = fmt.Errorf("%w: %s", storage.ErrContent, key)
	}
	return err
}

// settled writes down what became of a segment.
func (u *uploader) settled(c *channel, r *rendition, s *segment, err error) {
	rec := storedRecord(r.name, s)
	if err != nil {
		u.cfg.Log.Error("segment is lost to the recording", "lesson", c.id, "rendition", r.name, "segment", s.msn, "err", err)
		rec = lostRecord(r.name, s)
		s.state.Store(int32(lost))
		u.metrics.lost(s)
	} else {
		s.state.Store(int32(stored))
		u.metrics.stored(s)
	}
	c.unstored.done(s)
	c.spool.do(func() {
		c.spool.write(rec, false)
		c.tidy(r, s)
		u.ended(c)
	})
}

// ended stores the index of a lesson that has ended, when all of its segments are settled.
func (u *uploader) ended(c *channel) {
	if !c.shape.get().ended || c.unstored.count() > 0 || !c.closing.CompareAndSwap(false, true) {
		return
	}
	u.add(func(ctx context.Context) {
		ctx, end, ok := c.unstored.begin(ctx)
		if !ok {
			return
		}
		defer end()
		if err := u.conclude(ctx, c); err != nil {
			c.closing.Store(false)
			return
		}
		u.finished(c)
	})
}

// conclude stores what a recording is played from, the index last.
func (u *uploader) conclude(ctx context.Context, c *channel) error {
	if s := c.shape.get(); len(s.renditions) > 0 {
		if err := u.keep(ctx, samplesKey(c.id), storage.Bytes(marshalTables(s.renditions[0].view.get().list))); err != nil {
			return err
		}
	}
	return u.keep(ctx, indexKey(c.id), storage.Bytes(c.index()))
}

// index stores what a lesson on air has so far.
func (u *uploader) index(c *channel) {
	u.add(func(ctx context.Context) {
		ctx, end, ok := c.unstored.begin(ctx)
		if !ok {
			return
		}
		defer end()
		if !c.closing.Load() {
			ctx, cancel := context.WithTimeout(ctx, tryLimit)
			defer cancel()
			u.keep(ctx, indexKey(c.id), storage.Bytes(c.index()))
		}
	})
}

// unstored is what of a channel is not in the object store yet.
type unstored struct {
	mu    sync.Mutex
	set   map[*segment]struct{}
	inits map[string]bool
	lost  int
	over  bool // the lesson was deleted

	uploads map[int]context.CancelFunc
	serial  int
	ending  sync.WaitGroup
}

// begin is called before anything of the channel is sent to the store. The context it returns ends when the
// lesson is deleted; ok is false when it was.
func (u *unstored) begin(ctx context.Context) (during context.Context, end func(), ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(ctx)
	if u.uploads == nil {
		u.uploads = make(map[int]context.CancelFunc)
	}
	n := u.serial
	u.serial++
	u.uploads[n] = cancel
	u.ending.Add(1)
	return ctx, func() {
		cancel()
		u.mu.Lock()
		delete(u.uploads, n)
		u.mu.Unlock()
		u.ending.Done()
	}, true
}

// cancel ends all uploads and lets none begin any more. It returns when they have ended.
func (u *unstored) cancel() {
	u.mu.Lock()
	u.over = true
	for _, cancel := range u.uploads {
		cancel()
	}
	u.mu.Unlock()
	u.ending.Wait()
}

func (u *unstored) add(s *segment) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.set == nil {
		u.set = make(map[*segment]struct{})
	}
	u.set[s] = struct{}{}
}

func (u *unstored) done(s *segment) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.set, s)
	if s.keeping() == lost && !s.gap() {
		u.lost++
	}
}

func (u *unstored) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.set)
}

// firstUse reports, once for every init segment, that it must be stored.
func (u *unstored) firstUse(r *rendition, n initName) bool {
	key := fmt.Sprint(r.name, n.tag, n.generation)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inits[key] {
		return false
	}
	if u.inits == nil {
		u.inits = make(map[string]bool)
	}
	u.inits[key] = true
	return true
}

// waiting is what the store does not have.
type waiting struct {
	segments int
	bytes    int64
	oldest   time.Time // since when the oldest waits
	lost     int       // segments that will never be stored
}

func (u *unstored) state() waiting {
	u.mu.Lock()
	defer u.mu.Unlock()
	w := waiting{lost: u.lost}
	for s := range u.set {
		if s.keeping() == lost {
			w.lost++ // it is known when its turn comes
			continue
		}
		w.segments, w.bytes = w.segments+1, w.bytes+s.size
		if w.oldest.IsZero() || s.closed.Before(w.oldest) {
			w.oldest = s.closed
		}
	}
	return w
}
