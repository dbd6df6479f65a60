package push

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/media"
)

// Event is one piece of news. It is read-only once published.
type Event struct {
	ID   uint64 // given by the bus: grows with every event
	Name string // of the server-sent event: state, health, here
	Data []byte // JSON on one line
	// Staff marks what only the staff of the course may see.
	Staff bool
}

// Bus hands events to subscribers, in this process or on all nodes.
type Bus interface {
	// Publish gives e an id and hands it to the subscribers of topic. It does not block.
	Publish(topic media.ID, e Event)
	// Subscribe returns the events of topic that are published from now on. The channel is closed when ctx ends
	// or when the subscriber was too slow.
	Subscribe(ctx context.Context, topic media.ID) <-chan Event
}

// queue holds what a page may lag behind: at a few events a second that is many seconds, far more than a healthy
// connection ever takes.
const queue = 64

// Local is the bus inside one process.
type Local struct {
	dropped prometheus.Counter
	open    prometheus.Gauge

	mu     sync.Mutex // guards what follows; sends under it never wait
	lastID uint64
	topics map[media.ID]map[chan Event]struct{}
}

// NewLocal returns a bus without subscribers. metrics may be nil.
func NewLocal(metrics prometheus.Registerer) (*Local, error) {
	b := &Local{
		topics: map[media.ID]map[chan Event]struct{}{},
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chalkcast_push_dropped_total", Help: "Subscribers dropped because they were too slow.",
		}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chalkcast_push_subscribers", Help: "Pages that follow a topic now.",
		}),
	}
	if metrics == nil {
		return b, nil
	}
	if err := metrics.Register(b.dropped); err != nil {
		return nil, err
	}
	return b, metrics.Register(b.open)
}

// Publish implements Bus.
func (b *Local) Publish(topic media.ID, e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastID++
	e.ID = b.lastID
	for ch := range b.topics[topic] {
		select {
		case ch <- e:
		default:
			b.remove(topic, ch)
			b.dropped.Inc()
		}
	}
}

// Subscribe implements Bus.
func (b *Local) Subscribe(ctx context.Context, topic media.ID) <-chan Event {
	ch := make(chan Event, queue)
	b.mu.Lock()
	if b.topics[topic] == nil {
		b.topics[topic] = map[chan Event]struct{}{}
	}
	b.topics[topic][ch] = struct{}{}
	b.open.Inc()
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.remove(topic, ch)
	})
	return ch
}

// remove ends a subscription once; the caller holds mu.
func (b *Local) remove(topic media.ID, ch chan Event) {
	if _, ok := b.topics[topic][ch]; !ok {
		return
	}
	delete(b.topics[topic], ch)
	if len(b.topics[topic]) == 0 {
		delete(b.topics, topic)
	}
	b.open.Dec()
	close(ch)
}
