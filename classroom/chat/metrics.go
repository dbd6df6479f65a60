package chat

import "github.com/prometheus/client_golang/prometheus"

// metrics count what the room does; texts and people are in none.
type metrics struct {
	messages  prometheus.Counter
	refused   *prometheus.CounterVec
	frames    prometheus.Counter
	delivered prometheus.Counter
	dropped   prometheus.Counter
	listeners prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		messages:  counter("chalkcast_chat_messages_total", "Messages that were taken."),
		frames:    counter("chalkcast_chat_frames_total", "Batches of news, rendered once each."),
		delivered: counter("chalkcast_chat_deliveries_total", "Events handed to open pages."),
		dropped:   counter("chalkcast_chat_dropped_total", "Pages sent away because they lagged too far; they come back and read."),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chalkcast_chat_refused_total", Help: "What was not taken, by reason: one person, the whole room, slow mode.",
		}, []string{"reason"}),
		listeners: prometheus.NewGauge(prometheus.GaugeOpts{Name: "chalkcast_chat_listeners", Help: "Pages that follow a room now."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.messages, m.frames, m.delivered, m.dropped, m.refused, m.listeners} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
