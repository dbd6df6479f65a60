package push_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/classroom/push"
	"chalkcast/media"
)

func newBus(t *testing.T) (*push.Local, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewRegistry()
	b, err := push.NewLocal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

// value returns a counter or gauge without labels.
func value(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestEventsReachTheirTopicInOrder(t *testing.T) {
	b, _ := newBus(t)
	biology, physics := media.NewID(), media.NewID()
	first, second, other := b.Subscribe(t.Context(), biology), b.Subscribe(t.Context(), biology), b.Subscribe(t.Context(), physics)
	b.Publish(biology, push.Event{Name: "state", Data: []byte("1")})
	b.Publish(physics, push.Event{Name: "state", Data: []byte("2")})
	b.Publish(biology, push.Event{Name: "here", Data: []byte("3"), Staff: true})

	for _, ch := range []<-chan push.Event{first, second} {
		one, two := <-ch, <-ch
		if string(one.Data) != "1" || string(two.Data) != "3" || !two.Staff || one.ID == 0 || two.ID <= one.ID {
			t.Errorf("got %+v then %+v, want 1 then 3 with growing ids", one, two)
		}
	}
	if e := <-other; string(e.Data) != "2" {
		t.Errorf("physics got %s", e.Data)
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBus(t)
		topic := media.NewID()
		ctx, cancel := context.WithCancel(t.Context())
		ch := b.Subscribe(ctx, topic)
		cancel()
		if _, ok := <-ch; ok {
			t.Error("got an event after the end")
		}
		b.Publish(topic, push.Event{Name: "state"}) // nobody is there: nothing happens
		if got := value(t, r, "chalkcast_push_subscribers"); got != 0 {
			t.Errorf("%v subscribers left, want 0", got)
		}
	})
}

func TestSlowSubscriberIsDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBus(t)
		topic := media.NewID()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		slow, quick := b.Subscribe(ctx, topic), b.Subscribe(ctx, topic)
		const sent = 100
		got := 0
		for range sent {
			b.Publish(topic, push.Event{Name: "state"})
			if _, ok := <-quick; ok {
				got++
			}
		}
		if got != sent {
			t.Errorf("the quick one got %d of %d", got, sent)
		}
		queued := 0
		for range slow { // ends: the channel was closed
			queued++
		}
		if queued == 0 || queued >= sent {
			t.Errorf("the slow one had %d of %d events waiting", queued, sent)
		}
		if got := value(t, r, "chalkcast_push_dropped_total"); got != 1 {
			t.Errorf("%v dropped, want 1", got)
		}
		cancel()
		synctest.Wait() // the end of a context whose subscriber is gone already does nothing
	})
}
