package hls

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what an operator sees of the origin:
//
//	chalkcast_hls_channels{kind}                  preview, lesson, or recording: of lessons that are over
//	chalkcast_hls_viewers_waiting                 requests that are held until something is published
//	chalkcast_hls_requests_total{kind,status}     answers; kind is what was asked for, status gone: nobody waited for it
//	chalkcast_hls_part_delay_seconds              from the last frame of a part to the playlist that lists it
//	chalkcast_hls_unstored_segments, _bytes       finished, and not in the store yet
//	chalkcast_hls_spool_bytes, _spool_limit_bytes files of segments, and how much they may be
//	chalkcast_hls_stored_segments_total, _bytes_total
//	chalkcast_hls_lost_segments_total, _bytes_total   that nobody has: each is an alarm
//	chalkcast_hls_recordings_bytes                everything in the store; missing until it was counted
//
// Counting takes no lock.
type metrics struct {
	o *Origin

	waiting   atomic.Int64
	requests  [kinds][len(statuses)]atomic.Int64
	partDelay prometheus.Histogram

	storedSegments, storedBytes atomic.Int64
	lostSegments, lostBytes     atomic.Int64
}

var statuses = [...]int{0, 200, 204, 206, 304, 400, 403, 404, 405, 416, 503}

var kindNames = [kinds]string{
	"unknown", "live", "dvr", "replay", "index", "dvr_index", "replay_index", "poster", "download", "init", "segment", "part",
}

func newMetrics(o *Origin) *metrics {
	return &metrics{o: o, partDelay: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "chalkcast_hls_part_delay_seconds", Help: "Time from the last frame of a part to the playlist that lists it.",
		Buckets: []float64{.005, .01, .02, .035, .05, .075, .1, .2, .5, 1, 3},
	})}
}

// answered counts an answer.
func (m *metrics) answered(k kind, status int) {
	for i, s := range statuses {
		if s == status {
			m.requests[k][i].Add(1)
			return
		}
	}
}

// published counts a part whose last frame came at a time.
func (m *metrics) published(last, now time.Time) {
	if !last.IsZero() {
		m.partDelay.Observe(max(now.Sub(last), 0).Seconds())
	}
}

func (m *metrics) stored(s *segment) {
	m.storedSegments.Add(1)
	m.storedBytes.Add(s.size)
	m.o.tally.add(s.size)
}

func (m *metrics) lost(s *segment) {
	m.lostSegments.Add(1)
	m.lostBytes.Add(s.size)
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chalkcast_hls_"+name, help, labels, nil)
}

var (
	descChannels        = describe("channels", "Channels in memory.", "kind")
	descWaiting         = describe("viewers_waiting", "Requests that are held until something is published.")
	descRequests        = describe("requests_total", "Answers to viewers.", "kind", "status")
	descUnstored        = describe("unstored_segments", "Finished segments that are not in the object store yet.")
	descUnstoredBytes   = describe("unstored_bytes", "Their bytes.")
	descSpool           = describe("spool_bytes", "Segments in the spool.")
	descSpoolLimit      = describe("spool_limit_bytes", "What the spool may hold.")
	descStored          = describe("stored_segments_total", "Segments stored and verified.")
	descStoredBytes     = describe("stored_bytes_total", "Their bytes.")
	descLost            = describe("lost_segments_total", "Segments that could be kept nowhere.")
	descLostBytes       = describe("lost_bytes_total", "Their bytes.")
	descRecordingsBytes = describe("recordings_bytes", "Everything of ours in the object store, about.")
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	m.partDelay.Describe(to)
	for _, d := range []*prometheus.Desc{
		descChannels, descWaiting, descRequests, descUnstored, descUnstoredBytes, descSpool, descSpoolLimit,
		descStored, descStoredBytes, descLost, descLostBytes, descRecordingsBytes,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	m.partDelay.Collect(to)
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, float64(value), labels...)
	}
	m.collectChannels(send)
	for k := range m.requests {
		for i := range statuses {
			if n := m.requests[k][i].Load(); n > 0 {
				send(descRequests, prometheus.CounterValue, n, kindNames[k], statusName(statuses[i]))
			}
		}
	}
	send(descWaiting, prometheus.GaugeValue, m.waiting.Load())
	send(descSpool, prometheus.GaugeValue, m.o.disk.used.Load())
	send(descSpoolLimit, prometheus.GaugeValue, m.o.disk.limit)
	send(descStored, prometheus.CounterValue, m.storedSegments.Load())
	send(descStoredBytes, prometheus.CounterValue, m.storedBytes.Load())
	send(descLost, prometheus.CounterValue, m.lostSegments.Load())
	send(descLostBytes, prometheus.CounterValue, m.lostBytes.Load())
	if n := m.o.Stored(); n >= 0 {
		send(descRecordingsBytes, prometheus.GaugeValue, n)
	}
}

func (m *metrics) collectChannels(send func(*prometheus.Desc, prometheus.ValueType, int64, ...string)) {
	count := map[string]int64{"preview": 0, "lesson": 0, "recording": 0}
	var segments, bytes int64
	m.o.channels.Range(func(_, v any) bool {
		c := v.(*channel)
		switch {
		case c.preview():
			count["preview"]++
		case c.shape.get().ended:
			count["recording"]++
		default:
			count["lesson"]++
		}
		w := c.unstored.state()
		segments, bytes = segments+int64(w.segments), bytes+w.bytes
		return true
	})
	for kind, n := range count {
		send(descChannels, prometheus.GaugeValue, n, kind)
	}
	send(descUnstored, prometheus.GaugeValue, segments)
	send(descUnstoredBytes, prometheus.GaugeValue, bytes)
}

func statusName(status int) string {
	if status == 0 {
		return "gone"
	}
	return strconv.Itoa(status)
}
