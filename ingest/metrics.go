package ingest

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/media"
)

// metrics is what an operator sees of the desk:
//
//	chalkcast_ingest_broadcasts                      that run, whether students see them or not
//	chalkcast_ingest_admitted_total{protocol}        encoders that were let in
//	chalkcast_ingest_refusals_total{protocol,code}   encoders that were refused, or sent away later
//	chalkcast_ingest_frames_total{kind}              of pictures and of sound
//	chalkcast_ingest_bytes_total{kind}               without what the protocols add
//	chalkcast_ingest_jumps_total                     of encoders' clocks
type metrics struct {
	admitted, refusals *prometheus.CounterVec
	kinds              [2]kindMetrics // pictures, sound
	jumps              prometheus.Counter
}

type kindMetrics struct{ frames, bytes prometheus.Counter }

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chalkcast_ingest_" + name, Help: help}, labels)
	}
	return &metrics{
		admitted: counter("admitted_total", "Encoders that were let in.", "protocol"),
		refusals: counter("refusals_total", "Encoders that were refused or sent away.", "protocol", "code"),
		jumps:    prometheus.NewCounter(prometheus.CounterOpts{Name: "chalkcast_ingest_jumps_total", Help: "Jumps of encoders' clocks."}),
	}
}

// register shows the metrics of d to reg, which may be nil.
func (m *metrics) register(reg prometheus.Registerer, d *Desk) error {
	frames := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chalkcast_ingest_frames_total", Help: "Frames that arrived."}, []string{"kind"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chalkcast_ingest_bytes_total", Help: "Bytes of frames that arrived."}, []string{"kind"})
	for i, kind := range []media.Kind{media.Video, media.Audio} {
		m.kinds[i] = kindMetrics{frames.WithLabelValues(kind.String()), bytes.WithLabelValues(kind.String())}
	}
	if reg == nil {
		return nil
	}
	broadcasts := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chalkcast_ingest_broadcasts", Help: "Broadcasts that run."},
		func() float64 { return float64(len(d.running())) })
	var errs []error
	for _, c := range []prometheus.Collector{broadcasts, m.admitted, m.refusals, frames, bytes, m.jumps} {
		errs = append(errs, reg.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) refused(protocol media.Protocol, code media.Code) {
	m.refusals.WithLabelValues(string(protocol), string(code)).Inc()
}

// frame counts a frame that arrived.
func (m *metrics) frame(kind media.Kind, size int, jumped bool) {
	k := m.kinds[0]
	if kind == media.Audio {
		k = m.kinds[1]
	}
	k.frames.Inc()
	k.bytes.Add(float64(size))
	if jumped {
		m.jumps.Inc()
	}
}
