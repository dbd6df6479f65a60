package hls

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"chalkcast/storage"
)

// spool keeps a lesson's segments in a folder until the object store has them, and its journal. Work is queued by
// the channel and done by one goroutine, in order, so that a disk that hangs is felt by nobody else. What does
// not fit the queue is not written: the segment's file comes out too short and counts as failed.
type spool struct {
	root    *os.Root // the lesson's folder
	disk    *disk
	now     func() time.Time
	settled func(r *rendition, s *segment, ok bool) // called by the spool's goroutine

	mu     sync.Mutex // guards the queue
	jobs   []func()
	bytes  int
	closed bool
	wake   chan struct{} // capacity 1
	done   chan struct{} // closed when run has returned

	// Owned by the spool's goroutine.
	journal *journal
	files   map[string]*spoolWriter // by rendition: of the segment that is being made
	surplus []surplus               // files of segments that are stored
	late    []record                // lines that the journal has not taken yet

	trouble atomic.Pointer[trouble] // nil when all is well
}

// trouble is the latest failure of a disk or store, and since when there has been nothing but failures.
type trouble struct {
	err   error
	since time.Time
}

// surplus is a segment whose file may go.
type surplus struct {
	r *rendition
	s *segment
}

// queueLimit is how many bytes of parts may wait for the disk: some seconds of every rendition.
const queueLimit = 32 << 20

// spoolWriter is the file of a segment that is being made.
type spoolWriter struct {
	f    file // nil: could not be made
	name string
	size int64
	err  error
}

func newSpool(root *os.Root, j *journal, d *disk, now func() time.Time) *spool {
	return &spool{root: root, journal: j, disk: d, now: now, files: make(map[string]*spoolWriter), wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// run does the work until close was called and everything before it is done.
func (s *spool) run() {
	defer close(s.done)
	for range s.wake {
		for {
			s.mu.Lock()
			jobs, closed := s.jobs, s.closed
			s.jobs = nil
			s.mu.Unlock()
			for _, job := range jobs {
				job()
			}
			if len(jobs) == 0 && closed {
				s.shut()
				return
			}
			if len(jobs) == 0 {
				break
			}
		}
	}
}

// close lets run return when the queue is empty. What is queued later is dropped.
func (s *spool) close() { s.enqueue(nil, true) }

// do queues work that takes no room.
func (s *spool) do(job func()) { s.enqueue(job, false) }

func (s *spool) enqueue(job func(), closing bool) {
	s.mu.Lock()
	if !s.closed && job != nil {
		s.jobs = append(s.jobs, job)
	}
	s.closed = s.closed || closing
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// reserve takes n bytes of the queue, if they are free.
func (s *spool) reserve(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+n > queueLimit {
		return false
	}
	s.bytes += n
	return true
}

func (s *spool) release(n int) {
	s.mu.Lock()
	s.bytes -= n
	s.mu.Unlock()
}

// record queues a line for the journal.
func (s *spool) record(rec record, sync bool) {
	s.do(func() { s.write(rec, sync) })
}

// maxLate bounds the lines that wait for room on the disk: a day of lesson.
const maxLate = 200_000

// write adds a line to the journal. Lines that the disk does not take wait until it does, in their order: what
// memory brought to the store must not be forgotten. Lines about parts are of no use then.
func (s *spool) write(rec record, sync bool) error {
	err := s.catchUp(sync)
	if err == nil && len(s.late) == 0 {
		err = s.journal.write(rec, sync)
	}
	if (err != nil || len(s.late) > 0) && rec.Kind != recPart && len(s.late) < maxLate {
		s.late = append(s.late, rec)
	}
	s.note(err)
	return err
}

// catchUp writes the lines that wait; it tries when a line must be safe.
func (s *spool) catchUp(try bool) error {
	for try && len(s.late) > 0 {
		if err := s.journal.write(s.late[0], len(s.late) == 1); err != nil {
			return err
		}
		s.late = s.late[1:]
	}
	return nil
}

// note remembers a failure, and since when there has been nothing else. The next segment that is safe ends it.
func (s *spool) note(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, errSync) {
		s.disk.distrust.Store(true)
	}
	since := s.now()
	if old := s.trouble.Load(); old != nil {
		since = old.since
	}
	s.trouble.Store(&trouble{err, since})
}

// part queues a part of the segment that is being made.
func (s *spool) part(r *rendition, h *heading, p part, f *finished) {
	data, samples := f.part, f.samples
	if !s.reserve(len(data)) {
		return
	}
	s.do(func() {
		defer s.release(len(data))
		s.writePart(r, h, p, data, samples)
	})
}

func (s *spool) writePart(r *rendition, h *heading, p part, data, samples []byte) {
	name := spoolFile(r.name, h)
	w := s.files[r.name]
	if w == nil || w.name != name {
		w = s.create(name)
		s.files[r.name] = w
	}
	if w.err != nil || p.offset != w.size {
		return // the segment is lost to the disk already
	}
	w.size += int64(len(data))
	if _, w.err = w.f.Write(data); w.err != nil {
		s.note(fmt.Errorf("write spool: %w", w.err))
		return
	}
	rec := headingRecord(recPart, r.name, h)
	rec.EndMicros, rec.Bytes, rec.CRC, rec.Independent = p.end.Microseconds(), p.size, p.crc, p.independent
	if len(samples) <= maxSamples {
		rec.Samples = samples
	}
	s.write(rec, false)
}

// maxSamples lets the line of a part be no longer than maxLine, whatever an encoder does. What is not in the journal
// is read from the segment when it is needed.
const maxSamples = 32 << 10

var (
	errQuota    = errors.New("spool is full")
	errTight    = errors.New("spool: the disk is full but for its reserve")
	errSync     = errors.New("sync")
	errDistrust = errors.New("spool: the disk failed to sync before")
)

func (s *spool) create(name string) *spoolWriter {
	w := &spoolWriter{name: name}
	switch {
	case s.disk.distrust.Load():
		w.err = errDistrust
	case s.disk.full():
		w.err = errQuota
	case s.disk.tight(s.root, s.now()):
		w.err = errTight
	default:
		w.f, w.err = s.disk.open(s.root, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	}
	s.note(w.err)
	return w
}

// segment queues the end of a segment.
func (s *spool) segment(r *rendition, seg *segment) {
	s.do(func() { s.settle(r, seg) })
}

// settle makes the file of a segment survive a power cut and says so in the journal. When that fails the bytes in
// memory are all there is. A failed fsync is never repeated: the pages it was about are gone, whatever the next
// one says.
func (s *spool) settle(r *rendition, seg *segment) {
	w := s.files[r.name]
	delete(s.files, r.name)
	if seg.gap() {
		s.write(segmentRecord(r.name, seg), true)
		seg.state.Store(int32(lost))
		s.settled(r, seg, false)
		return
	}
	ok := w != nil && w.name == spoolFile(r.name, &seg.heading) && w.err == nil && w.size == seg.size && s.sync(w)
	if ok {
		s.disk.add(seg.size)
		seg.state.CompareAndSwap(int32(inMemory), int32(spooled))
	} else {
		s.remove(spoolFile(r.name, &seg.heading))
	}
	if w != nil && w.f != nil {
		w.f.Close()
	}
	if err := s.write(segmentRecord(r.name, seg), true); ok && err == nil {
		s.trouble.Store(nil)
	}
	s.settled(r, seg, ok)
}

// sync flushes a file and the folder that names it. Flushing what somebody has removed succeeds, so it asks for the name.
func (s *spool) sync(w *spoolWriter) bool {
	err := w.f.Sync()
	if err == nil {
		err = syncFolder(s.root)
	}
	if err != nil {
		s.note(fmt.Errorf("%w spool: %w", errSync, err))
		return false
	}
	if _, err = s.root.Lstat(w.name); err != nil {
		s.note(fmt.Errorf("spool: %w", err))
	}
	return err == nil
}

func syncFolder(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// found counts the file of a segment that is there after a restart. It is called before run.
func (s *spool) found(r *rendition, seg *segment) {
	info, err := s.root.Stat(spoolFile(r.name, &seg.heading))
	if err != nil || info.Size() != seg.size {
		return
	}
	s.disk.add(seg.size)
	if seg.keeping() == stored {
		s.surplus = append(s.surplus, surplus{r, seg})
	}
}

// forget removes the file of a segment that is stored.
func (s *spool) forget(r *rendition, seg *segment) {
	if s.remove(spoolFile(r.name, &seg.heading)) {
		s.disk.add(-seg.size)
	}
}

func (s *spool) remove(name string) bool {
	err := s.root.Remove(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.note(fmt.Errorf("clear spool: %w", err))
	}
	return err == nil
}

// open opens the file of a segment for reading.
func (s *spool) open(r *rendition, h *heading) (*os.File, error) {
	return s.root.Open(spoolFile(r.name, h))
}

func (s *spool) shut() {
	for _, w := range s.files {
		if w.f != nil {
			w.f.Close()
		}
	}
	s.journal.f.Close()
	s.root.Close()
}

// disk is what the spools of all lessons share: how much they may hold together, and whether it is believed.
type disk struct {
	limit    int64
	used     atomic.Int64
	hot      atomic.Int64              // bytes of segments in memory
	half     atomic.Pointer[time.Time] // since when half of it is used; nil when it is not
	distrust atomic.Bool               // an fsync failed: what this disk says is not believed until the next start
	fault    func(name string, f file) file

	mu     sync.Mutex // guards what follows
	asked  time.Time
	narrow bool
}

// lookAgain is for how long we believe what a file system said about its room.
const lookAgain = time.Second

// tight reports whether what is free on the disk is for journals and for the database.
func (d *disk) tight(root *os.Root, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.asked).Abs() >= lookAgain {
		free, total := storage.Room(root)
		d.asked, d.narrow = now, storage.Tight(free, total, 0)
	}
	return d.narrow
}

func (d *disk) add(n int64) { d.used.Add(n) }
func (d *disk) full() bool  { return d.used.Load() >= d.limit }

// look notices when it is time to tell somebody, and when it is good again.
func (d *disk) look(now time.Time) (changed bool) {
	used, since := d.used.Load(), d.half.Load()
	switch {
	case since == nil && used >= d.limit/2:
		d.half.Store(&now)
	case since != nil && used < d.limit*2/5:
		d.half.Store(nil)
	default:
		return false
	}
	return true
}

// file is what is asked of an open file, so that tests can put faults in between.
type file interface {
	io.ReadWriter
	io.Seeker
	Truncate(size int64) error
	Sync() error
	Close() error
}

func (d *disk) open(root *os.Root, name string, flags int) (file, error) {
	f, err := root.OpenFile(name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	if d.fault != nil {
		return d.fault(name, f), nil
	}
	return f, nil
}

// ReadAt reads across the parts.
func (b body) ReadAt(p []byte, off int64) (n int, err error) {
	for _, part := range b {
		if off >= int64(len(part)) {
			off -= int64(len(part))
			continue
		}
		c := copy(p[n:], part[off:])
		n, off = n+c, 0
		if n == len(p) {
			return n, nil
		}
	}
	return n, io.EOF
}
