package chat

import (
	"context"
	"fmt"

	"chalkcast/media"
)

// Unseen is what a page says that knows nothing of a room yet.
const Unseen = -1

// Listener is a page that follows a room. It belongs to one goroutine, which closes it.
type Listener struct {
	hub    *hub
	room   *room
	reader Reader
	at     *frame // seen
	first  []byte // what the page must catch up with
	seen   int64
}

// Listen begins to follow the room of a lesson. after is the number that the page saw last, or Unseen: then it is
// told first how the room stands. The caller asked whether the reader may.
func (f *Chat) Listen(ctx context.Context, lesson media.ID, r Reader, after int64) (*Listener, error) {
	rev := int64(0)
	if !f.hub.isOpen(lesson) {
		row, err := roomOf(ctx, f.db.Reader(), lesson)
		if err != nil {
			return nil, fmt.Errorf("listen to room: %w", err)
		}
		rev = row.Rev
	}
	l := &Listener{hub: f.hub, room: f.hub.join(lesson, rev), reader: r, seen: after}
	if l.at = f.hub.since(l.room, after); l.at != nil && after <= f.hub.end(l.room).rev {
		return l, nil // all that it missed is still in memory
	}
	l.at = f.hub.end(l.room)
	n, err := f.read(ctx, lesson, r, after)
	if err == nil && n != nil && n.More {
		n, err = f.read(ctx, lesson, r, Unseen)
	}
	if err == nil && n != nil {
		l.seen = n.Rev
		l.first, err = render(n, true)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listen to room: %w", err)
	}
	return l, nil
}

// Close ends the listening.
func (l *Listener) Close() { l.hub.leave(l.room) }

// Ready is closed when Next has something to look at.
func (l *Listener) Ready() <-chan struct{} {
	if l.first != nil {
		return closed
	}
	return l.at.ready
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Next returns the events of the next frame, none when it holds nothing for this reader; they are shared and
// read-only. Call it once Ready is closed. ok is false for a listener that lags too far: its page comes back.
func (l *Listener) Next() (events [][]byte, ok bool) {
	if l.first != nil {
		events, l.first = [][]byte{l.first}, nil
		return events, true
	}
	l.at = l.at.next
	f := l.at
	if l.room.latest.Load()-f.n > framesKept {
		l.hub.metrics.dropped.Inc()
		return nil, false
	}
	if f.rev <= l.seen {
		return nil, true
	}
	if l.reader.Staff {
		if f.staff != nil {
			events = append(events, f.staff)
		}
	} else {
		if own := f.own[l.reader.User]; own != nil {
			events = append(events, own)
		}
		if f.everybody != nil {
			events = append(events, f.everybody)
		}
	}
	l.hub.metrics.delivered.Add(float64(len(events)))
	return events, true
}

// read returns what r may see of a room: all of it when after is Unseen or no number of this room, else what
// changed since; nil when nothing did.
func (f *Chat) read(ctx context.Context, lesson media.ID, r Reader, after int64) (*News, error) {
	q := f.db.Reader()
	if after < 0 {
		d, err := readFresh(ctx, q, lesson, r)
		if err != nil {
			return nil, err
		}
		return d.news(r), nil
	}
	d, err := readChanges(ctx, q, lesson, after)
	if err != nil {
		return nil, err
	}
	if d.rev < after { // a page that has seen more than there is: the school was restored from a backup
		return f.read(ctx, lesson, r, Unseen)
	}
	if err := d.readVotes(ctx, q, lesson, r); err != nil {
		return nil, err
	}
	n := d.news(r)
	if n == nil && d.rev > after {
		n = &News{Rev: d.rev}
	}
	return n, nil
}
