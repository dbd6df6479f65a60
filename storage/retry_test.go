package storage_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/storage"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

var errAway = errors.New("connection refused")

// trouble is a rule that lets the first calls of op fail in turn.
func trouble(op storagetest.Op, faults ...storagetest.Fault) storagetest.Rule {
	return func(called storagetest.Op, _ string) storagetest.Fault {
		if called != op || len(faults) == 0 {
			return storagetest.Fault{}
		}
		first := faults[0]
		faults = faults[1:]
		return first
	}
}

func TestKeepThroughTrouble(t *testing.T) {
	for name, test := range map[string]struct {
		rule storagetest.Rule
		puts int
	}{
		"nothing wrong":               {nil, 1},
		"store away":                  {trouble(storagetest.Put, storagetest.Fault{Err: errAway}, storagetest.Fault{Err: errAway}), 3},
		"full, then room is made":     {trouble(storagetest.Put, storagetest.Fault{Err: storage.ErrFull}), 2},
		"forbidden, then mended":      {trouble(storagetest.Put, storagetest.Fault{Err: storage.ErrDenied}), 2},
		"half an object that is fine": {trouble(storagetest.Put, storagetest.Fault{HalfPut: true}), 2},
		"no object that is fine":      {trouble(storagetest.Put, storagetest.Fault{NoPut: true}), 2},
		"answer lost":                 {trouble(storagetest.Put, storagetest.Fault{Lost: errAway}), 2},
		"no verification":             {trouble(storagetest.Stat, storagetest.Fault{Err: errAway}), 2},
		"a try that hangs":            {trouble(storagetest.Put, storagetest.Fault{Delay: time.Hour}), 2},
		"an hour of trouble":          {trouble(storagetest.Put, repeat(storagetest.Fault{Delay: 30 * time.Second, Err: errAway}, 80)...), 81},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := memory.New(memory.Config{})
				s := storagetest.NewFaulty(m)
				s.Set(test.rule)
				c := storage.Bytes(storagetest.Random(1000, 1))
				failures := 0
				patience := storage.Patience{Failed: func(err error, pause time.Duration) {
					failures++
					if err == nil || pause <= 0 || pause > 45*time.Second {
						t.Errorf("told of %v and a pause of %v", err, pause)
					}
				}}
				if err := storage.Keep(t.Context(), s, "a.m4s", c, patience); err != nil {
					t.Errorf("Keep: %v", err)
				}
				if err := storage.Verify(t.Context(), m, "a.m4s", c); err != nil {
					t.Errorf("Keep returned nil, but %v", err)
				}
				if got := s.Calls(storagetest.Put); got != test.puts || failures != test.puts-1 {
					t.Errorf("%d puts and %d failures told, want %d and one less", got, failures, test.puts)
				}
			})
		})
	}
}

func repeat(f storagetest.Fault, n int) (all []storagetest.Fault) {
	for range n {
		all = append(all, f)
	}
	return all
}

func TestKeepGivesUp(t *testing.T) {
	s := storagetest.NewFaulty(memory.New(memory.Config{}))
	good := storage.Bytes([]byte("x"))
	wrong := good
	wrong.Sum[0]++
	if err := storage.Keep(t.Context(), s, "a.m4s", wrong, storage.Patience{}); !errors.Is(err, storage.ErrContent) {
		t.Errorf("Keep of content with a wrong sum: %v, want %v", err, storage.ErrContent)
	}
	if err := storage.Keep(t.Context(), s, "../a.m4s", good, storage.Patience{}); !errors.Is(err, storage.ErrName) {
		t.Errorf("Keep under a bad name: %v, want %v", err, storage.ErrName)
	}
	if got := s.Calls(storagetest.Put); got != 1 {
		t.Errorf("%d puts, want one: repeating cannot help", got)
	}
}

func TestKeepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storagetest.NewFaulty(memory.New(memory.Config{}))
		s.Set(storagetest.Down(storage.ErrDenied))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		start := time.Now()
		err := storage.Keep(ctx, s, "a.m4s", storage.Bytes([]byte("x")), storage.Patience{Longest: 10 * time.Second})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, storage.ErrDenied) {
			t.Errorf("Keep: %v, want both the end of the context and what the store said", err)
		}
		if took := time.Since(start); took != 10*time.Minute {
			t.Errorf("Keep returned after %v, want at the deadline", took)
		}
		if n := s.Calls(storagetest.Put); n < 40 {
			t.Errorf("%d tries in 10 minutes", n)
		}
	})
}

// Without a rule Faulty is a store like any other, and so is a measured one.
func TestWrappers(t *testing.T) {
	t.Run("faulty", func(t *testing.T) {
		storagetest.Run(t, func(*testing.T) storage.Store {
			return storagetest.NewFaulty(memory.New(memory.Config{}))
		})
	})
	t.Run("measured", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store {
			s, err := storage.Measure(memory.New(memory.Config{}), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			return s
		})
	})
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	faulty := storagetest.NewFaulty(memory.New(memory.Config{}))
	s, err := storage.Measure(faulty, registry)
	if err != nil {
		t.Fatal(err)
	}
	put := func() { s.Put(t.Context(), "a.m4s", storage.Bytes(make([]byte, 100))) }
	put()
	faulty.Set(storagetest.Down(storage.ErrFull))
	put()
	faulty.Set(storagetest.Down(errAway))
	put()
	faulty.Set(nil)
	storagetest.Read(t.Context(), s, "a.m4s", storage.Range{Offset: 10})
	s.Stat(t.Context(), "b.m4s")

	got := gather(t, registry)
	for metric, want := range map[string]float64{
		"seconds put ok": 1, "seconds put full": 1, "seconds put error": 1, "seconds get ok": 1,
		"seconds stat not_found": 1, "bytes_total put": 100, "bytes_total get": 90,
	} {
		if got[metric] != want {
			t.Errorf("%s is %v, want %v; there are %v", metric, got[metric], want, got)
		}
	}
	if _, err := storage.Measure(faulty, registry); err == nil {
		t.Error("the same metrics were registered twice")
	}
}

// gather returns counts by "name label label".
func gather(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()[len("chalkcast_storage_"):]
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			counts[key] = float64(m.GetHistogram().GetSampleCount()) + m.GetCounter().GetValue()
		}
	}
	return counts
}
