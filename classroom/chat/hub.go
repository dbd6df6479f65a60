package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/classroom/database"
	"chalkcast/classroom/push"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// EventName is the name of the event that carries News.
const EventName = "chat"

const (
	newsSpacing  = 250 * time.Millisecond // between two frames of a room
	recheckEvery = 5 * time.Second        // the net under wakes that were lost
	roundTime    = 5 * time.Second
	roundsAtOnce = 4  // rooms that are read side by side
	framesKept   = 64 // for pages that come back; a listener may lag as far
)

// wakeTopic is where writers say that a room changed; the data is its lesson. It is no id of a real thing.
const wakeTopic media.ID = 1

// frame is one batch of news, rendered once. A frame is read-only, but for next, which is set before ready closes.
type frame struct {
	n         int64 // of its room, growing by one
	rev       int64 // everything up to here is in it and those before
	everybody []byte
	staff     []byte
	own       map[media.ID][]byte // what their author sees besides everybody's
	next      *frame
	ready     chan struct{}
}

// room is a lesson that somebody listens to.
type room struct {
	lesson media.ID
	latest atomic.Int64 // n of the newest frame

	// guarded by the hub's mutex
	listeners int
	oldest    *frame
	newest    *frame
	stirred   bool // there may be news
}

// hub turns changes into frames for those who listen.
type hub struct {
	db      *database.DB
	bus     push.Bus
	log     *slog.Logger
	spacing time.Duration
	metrics *metrics
	stirs   chan struct{} // a room needs a look; holds one
	failing bool          // owned by run

	mu    sync.Mutex
	rooms map[media.ID]*room
}

func newHub(cfg Config, m *metrics) *hub {
	return &hub{db: cfg.DB, bus: cfg.Bus, log: cfg.Log, spacing: cfg.NewsSpacing, metrics: m, stirs: make(chan struct{}, 1), rooms: map[media.ID]*room{}}
}

// tell wakes the hubs of all nodes.
func (h *hub) tell(lessons map[media.ID]bool) {
	for id := range lessons {
		h.bus.Publish(wakeTopic, push.Event{Name: EventName, Data: []byte(id.String())})
	}
}

// join adds a listener to a room, whose news begins after rev when it was not open yet.
func (h *hub) join(lesson media.ID, rev int64) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[lesson]
	if r == nil {
		first := &frame{rev: rev, ready: make(chan struct{})}
		r = &room{lesson: lesson, oldest: first, newest: first, stirred: true} // something may have come since rev was read
		h.rooms[lesson] = r
		h.stir()
	}
	r.listeners++
	h.metrics.listeners.Inc()
	return r
}

func (h *hub) leave(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics.listeners.Dec()
	if r.listeners--; r.listeners == 0 {
		delete(h.rooms, r.lesson)
	}
}

func (h *hub) isOpen(lesson media.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[lesson] != nil
}

// since returns the frame after which the news of a page begins that saw rev, nil when it is not kept any more.
func (h *hub) since(r *room, rev int64) *frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	var at *frame
	for f := r.oldest; f != nil && f.rev <= rev; f = f.next {
		at = f
	}
	return at
}

func (h *hub) end(r *room) *frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	return r.newest
}

func (h *hub) stir() {
	select {
	case h.stirs <- struct{}{}:
	default:
	}
}

// mark notes that rooms may have news; without names all of them.
func (h *hub) mark(lessons ...media.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(lessons) == 0 {
		for _, r := range h.rooms {
			r.stirred = true
		}
	}
	for _, id := range lessons {
		if r := h.rooms[id]; r != nil {
			r.stirred = true
		}
	}
}

// run makes frames until ctx ends.
func (h *hub) run(ctx context.Context) error {
	wakes := h.bus.Subscribe(ctx, wakeTopic)
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-wakes:
			wakes = h.woken(ctx, wakes, e, open)
		case <-h.stirs:
		case <-recheck.C:
			h.recheck(ctx)
		}
		pace(ctx, last, h.spacing)
		for waiting := true; waiting && ctx.Err() == nil; {
			select {
			case e, open := <-wakes:
				wakes = h.woken(ctx, wakes, e, open)
			default:
				waiting = false
			}
		}
		last = time.Now()
		h.round(ctx)
	}
}

func (h *hub) woken(ctx context.Context, wakes <-chan push.Event, e push.Event, open bool) <-chan push.Event {
	if !open { // we were too slow for the bus: any room may have news
		h.mark()
		return h.bus.Subscribe(ctx, wakeTopic)
	}
	if id, err := media.ParseID(string(e.Data)); err == nil {
		h.mark(id)
	}
	return wakes
}

// recheck looks for news that nobody told of.
func (h *hub) recheck(ctx context.Context) {
	known := map[media.ID]int64{}
	var ids []media.ID
	h.mu.Lock()
	for id, r := range h.rooms {
		known[id] = r.newest.rev
		ids = append(ids, id)
	}
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	rows, err := revsOf(ctx, h.db.Reader(), ids)
	if err != nil {
		return // the round that follows says so
	}
	for _, row := range rows {
		if row.Rev > known[row.LessonID] {
			h.mark(row.LessonID)
		}
	}
}

// round reads the news of rooms that may have some. One that cannot be read is tried again.
func (h *hub) round(ctx context.Context) {
	after := map[*room]int64{}
	h.mu.Lock()
	for _, r := range h.rooms {
		if r.stirred {
			r.stirred = false
			after[r] = r.newest.rev
		}
	}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(roundsAtOnce)
	for r, rev := range after {
		g.Go(func() error {
			err := h.news(ctx, r, rev)
			if err != nil {
				h.mark(r.lesson)
			}
			return err
		})
	}
	err := g.Wait()
	if failing := err != nil && ctx.Err() == nil; failing != h.failing {
		h.failing = failing
		if failing {
			h.log.Error("chat cannot be read; its news waits", "err", err)
		} else {
			h.log.Info("chat is read again")
		}
	}
}

// news appends a frame with what changed in a room since rev.
func (h *hub) news(ctx context.Context, r *room, rev int64) error {
	d, err := readChanges(ctx, h.db.Reader(), r.lesson, rev)
	if err != nil {
		return err
	}
	if d.rev <= rev {
		return nil
	}
	f, err := d.frame()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f.n = r.newest.n + 1
	for r.oldest.n <= f.n-framesKept {
		r.oldest = r.oldest.next
	}
	r.newest.next = f
	r.latest.Store(f.n)
	close(r.newest.ready)
	r.newest = f
	if d.more {
		r.stirred = true
		h.stir()
	}
	h.metrics.frames.Inc()
	return nil
}

// frame renders d for everybody there is.
func (d *delta) frame() (*frame, error) {
	f := &frame{rev: d.rev, ready: make(chan struct{}), own: map[media.ID][]byte{}}
	var err error
	if f.everybody, err = render(d.news(Reader{}), true); err != nil {
		return nil, err
	}
	if f.staff, err = render(d.news(Reader{Staff: true}), true); err != nil {
		return nil, err
	}
	for user, n := range d.own() {
		// What is everybody's follows; with its number a page that breaks off in between would miss it.
		if f.own[user], err = render(n, f.everybody == nil); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// render writes news as a server-sent event, nil for none.
func render(n *News, numbered bool) ([]byte, error) {
	if n == nil {
		return nil, nil
	}
	b, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("write news: %w", err)
	}
	id := ""
	if numbered {
		id = eventID(n.Rev)
	}
	return web.Event(id, EventName, b), nil
}
