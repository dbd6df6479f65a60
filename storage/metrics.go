package storage

import (
	"context"
	"errors"
	"iter"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// measured counts and times what goes through a store.
type measured struct {
	Store
	seconds *prometheus.HistogramVec
	bytes   *prometheus.CounterVec
}

// Measure returns s with metrics, which it registers:
//
//	chalkcast_storage_seconds{call,result}  how long calls took; result is ok, not_found, full, denied, content,
//	                                        canceled or error
//	chalkcast_storage_bytes_total{call}     bytes of objects put, and of ranges opened by get
//
// For get the time until the body is open counts, since the rest is the reader's; for list the time between the
// first object asked for and the last one taken.
func Measure(s Store, registry prometheus.Registerer) (Store, error) {
	m := &measured{
		Store: s,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chalkcast_storage_seconds", Help: "Time of calls to the object store.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30},
		}, []string{"call", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chalkcast_storage_bytes_total", Help: "Bytes put into and got from the object store.",
		}, []string{"call"}),
	}
	if err := errors.Join(registry.Register(m.seconds), registry.Register(m.bytes)); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *measured) note(call string, start time.Time, err error) {
	m.seconds.WithLabelValues(call, result(err)).Observe(time.Since(start).Seconds())
}

func result(err error) string {
	for _, known := range []struct {
		err  error
		word string
	}{
		{nil, "ok"},
		{ErrNotFound, "not_found"},
		{ErrFull, "full"},
		{ErrDenied, "denied"},
		{ErrContent, "content"},
		{context.Canceled, "canceled"},
	} {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	return "error"
}

func (m *measured) Put(ctx context.Context, name string, c Content) error {
	start := time.Now()
	err := m.Store.Put(ctx, name, c)
	m.note("put", start, err)
	if err == nil {
		m.bytes.WithLabelValues("put").Add(float64(c.Size))
	}
	return err
}

// Link implements Linker when the measured store does; it counts as a Put.
func (m *measured) Link(ctx context.Context, name string, f *os.File, size int64) (bool, error) {
	l, ok := m.Store.(Linker)
	if !ok {
		return false, nil
	}
	start := time.Now()
	took, err := l.Link(ctx, name, f, size)
	if took {
		m.note("put", start, err)
		m.bytes.WithLabelValues("put").Add(float64(size))
	}
	return took, err
}

func (m *measured) Get(ctx context.Context, name string, r Range) (*Object, error) {
	start := time.Now()
	o, err := m.Store.Get(ctx, name, r)
	m.note("get", start, err)
	if err == nil {
		m.bytes.WithLabelValues("get").Add(float64(o.Range.Length))
	}
	return o, err
}

func (m *measured) Stat(ctx context.Context, name string) (Info, error) {
	start := time.Now()
	info, err := m.Store.Stat(ctx, name)
	m.note("stat", start, err)
	return info, err
}

func (m *measured) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		start := time.Now()
		var last error
		defer func() { m.note("list", start, last) }()
		for info, err := range m.Store.List(ctx, prefix) {
			last = err
			if !yield(info, err) {
				return
			}
		}
	}
}

func (m *measured) Delete(ctx context.Context, names ...string) error {
	start := time.Now()
	err := m.Store.Delete(ctx, names...)
	m.note("delete", start, err)
	return err
}
