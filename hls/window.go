package hls

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"chalkcast/storage"
)

// heading is what is known about a segment from its first frame on. It never changes.
type heading struct {
	msn           int
	tag           string // of its epoch
	generation    int
	start         time.Duration // position in the programme, whole microseconds
	at            time.Time     // when start was on air
	disc          int           // discontinuities before it, its own included
	discontinuity bool
}

func (h *heading) init() initName { return initName{h.tag, h.generation} }

// segment is a finished segment of one rendition. What it says in playlists never changes; where its bytes are
// does.
type segment struct {
	heading
	end   time.Duration
	size  int64 // 0: a gap
	parts []part

	samples []byte // its table, of the main rendition; nil when it is not at hand

	closed time.Time                   // for how long it has been waiting to be stored
	sum    atomic.Pointer[storage.Sum] // of what was uploaded; nil: nothing was, or a link
	body   atomic.Pointer[body]        // nil: in the spool or in the store
	state  atomic.Int32                // keeping
}

// part is a finished part: a range of its segment's bytes.
type part struct {
	offset, size int64
	start, end   time.Duration
	independent  bool
	crc          uint32 // CRC-32C of the segment up to the end of this part; 0: not known
}

// crcOf returns the CRC-32C of a segment that has these parts.
func crcOf(parts []part) uint32 {
	if len(parts) == 0 {
		return 0
	}
	return parts[len(parts)-1].crc
}

// body is the bytes of a segment, one slice a part, shared by everybody who sends or writes them.
type body [][]byte

// keeping is how safe a segment is.
type keeping int32

const (
	inMemory keeping = iota // being made, or the spool has not had it yet
	spooled                 // in a file that survives a power cut
	stored                  // in the object store, verified
	lost                    // nowhere but in memory, and there for as long as the live window
)

func (s *segment) duration() time.Duration { return s.end - s.start }
func (s *segment) keeping() keeping        { return keeping(s.state.Load()) }
func (s *segment) gap() bool               { return s.size == 0 }
func (s *segment) crc() uint32             { return crcOf(s.parts) }
func (s *segment) independent() bool       { return len(s.parts) > 0 && s.parts[0].independent }

// view is what viewers of one rendition can know at one moment. It is immutable.
type view struct {
	list    []*segment // everything that can be fetched, consecutive, oldest first
	first   int        // list[first:] is in the live playlist
	open    *heading   // of the segment that is being made; nil between epochs
	parts   []part     // of open
	body    body       // of open
	number  int        // of the segment that is being made or will be made next
	ended   bool
	targets targets
	live    func() *page // rendered for the first who asks; both are nil before a segment is finished
	delta   func() *page // the same, but what it returns is nil when there is nothing to skip
}

// find returns the finished segment with a number, nil when it is not there (any more).
func (v *view) find(msn int) *segment {
	if len(v.list) == 0 {
		return nil
	}
	i := msn - v.list[0].msn
	if i < 0 || i >= len(v.list) {
		return nil
	}
	return v.list[i]
}

// tag returns the tag of the segment that is made, or that was made last.
func (v *view) tag() string {
	switch {
	case v.open != nil:
		return v.open.tag
	case len(v.list) > 0:
		return v.list[len(v.list)-1].tag
	}
	return ""
}

// has reports whether part of segment msn was published; part −1 asks for the whole segment. A part beyond the
// end of a finished segment stands for the first one of the next.
func (v *view) has(msn, part int) bool {
	switch {
	case v.ended || msn < v.number-1:
		return true
	case msn == v.number-1:
		if s := v.find(msn); part < 0 || s == nil || part < max(len(s.parts), 1) {
			return true
		}
		return len(v.parts) > 0
	}
	return msn == v.number && part >= 0 && part < len(v.parts)
}

// edge returns the position up to which media was published.
func (v *view) edge() time.Duration {
	if n := len(v.parts); n > 0 {
		return v.parts[n-1].end
	}
	if n := len(v.list); n > 0 {
		return v.list[n-1].end
	}
	return 0
}

// rendition is one row of the multivariant playlist.
type rendition struct {
	name  string
	view  cell[*view]
	dvr   dvr
	looks atomic.Pointer[variant] // of the latest generation

	replay atomic.Pointer[page] // when nothing of it can change any more
	inits  atomic.Pointer[map[initName][]byte]

	// Owned by the channel's writer.
	list     []*segment
	open     *heading
	parts    []part
	body     body
	samples  []byte
	number   int  // of the segment that is made or comes next
	disc     int  // discontinuities so far
	breaking bool // the next segment begins after a discontinuity
}

// initName names an init segment within a rendition.
type initName struct {
	tag        string
	generation int
}

func newRendition(name string) *rendition {
	r := &rendition{name: name}
	r.view.set(&view{})
	r.inits.Store(&map[initName][]byte{})
	r.looks.Store(&variant{})
	r.dvr.current.set(dvrView{})
	return r
}

// empty reports whether viewers find nothing in it yet.
func (r *rendition) empty() bool { return len(r.view.get().list) == 0 }

// end is where its latest segment ends.
func (r *rendition) end() time.Duration {
	if n := len(r.list); n > 0 {
		return r.list[n-1].end
	}
	return 0
}

func (r *rendition) addInit(name initName, b []byte) {
	all := maps.Clone(*r.inits.Load())
	all[name] = b
	r.inits.Store(&all)
}

// cell holds an immutable value that is replaced now and then, and tells those who wait for a newer one. Readers
// take no lock. One goroutine at a time may set it.
type cell[T any] struct {
	current atomic.Pointer[edition[T]]
}

type edition[T any] struct {
	value T
	newer chan struct{} // closed when there is one
}

func (c *cell[T]) get() T { return c.current.Load().value }

func (c *cell[T]) set(v T) {
	old := c.current.Swap(&edition[T]{v, make(chan struct{})})
	if old != nil {
		close(old.newer)
	}
}

// errHold is returned when a viewer has waited as long as we let anyone wait.
var errHold = errors.New("not published in time")

// holdLimit is the longest wait: hls.js gives up after 10 s without a first byte, and proxies may, too.
const holdLimit = 8 * time.Second

// wait returns the first value for which ready holds, or errHold, or ctx's error.
func (c *cell[T]) wait(ctx context.Context, ready func(T) bool) (T, error) {
	e := c.current.Load()
	if ready(e.value) {
		return e.value, nil
	}
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	for {
		select {
		case <-e.newer:
		case <-limit.C:
			return e.value, errHold
		case <-ctx.Done():
			return e.value, ctx.Err()
		}
		if e = c.current.Load(); ready(e.value) {
			return e.value, nil
		}
	}
}
