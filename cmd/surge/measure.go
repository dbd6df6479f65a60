package main

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// measure is what all viewers add to. Everything is safe for concurrent use; histograms and counts are emptied when
// measuring begins.
type measure struct {
	pages    histogram // page asked for to page there
	pictures histogram // page asked for to playing
	delays   histogram // PROGRAM-DATE-TIME of a part's end to the player having it
	fresh    histogram // a part's last picture sent to the player having it
	beats    histogram // beat sent to beat acknowledged
	late     histogram // of surge's own timers

	watching atomic.Int64 // viewers that play
	gone     atomic.Int64 // viewers that gave up
	reloads  atomic.Int64
	loads    atomic.Int64 // parts, segments and init segments
	bytes    atomic.Int64 // of media
	stalls   atomic.Int64 // how often
	stalled  atomic.Int64 // for how long, nanoseconds, of all followed playlists
	watched  atomic.Int64 // nanoseconds of all followed playlists
	viewed   atomic.Int64 // nanoseconds of all viewers

	begun atomic.Pointer[time.Time] // of measuring; nil before
	ended atomic.Pointer[time.Time]

	mu       sync.Mutex // guards what follows
	failures map[string]int
	server   [2]usage
	own      [2]usage
	rssMost  int64
}

// since returns when measuring began; zero before.
func (m *measure) since() time.Time {
	if t := m.begun.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// until returns when measuring ended, or now.
func (m *measure) until() time.Time {
	if t := m.ended.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// maxKinds bounds the kinds of failures that are kept apart.
const maxKinds = 100

// fail counts a failure by its words.
func (m *measure) fail(err error) {
	if m.ended.Load() != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	text := err.Error()
	if _, known := m.failures[text]; !known && len(m.failures) >= maxKinds {
		text = "others"
	}
	m.failures[text]++
}

// measureFor measures so long.
func (m *measure) measureFor(ctx context.Context, last time.Duration, pid int) error {
	for _, h := range []*histogram{&m.delays, &m.fresh, &m.beats, &m.late} {
		h.reset()
	}
	for _, n := range []*atomic.Int64{&m.reloads, &m.loads, &m.bytes} {
		n.Store(0)
	}
	if err := m.read(0, pid); err != nil {
		return err
	}
	m.begun.Store(new(time.Now()))
	m.watchTimers(ctx, last, pid)
	m.ended.Store(new(time.Now()))
	return m.read(1, pid)
}

// read notes what server and load have used so far.
func (m *measure) read(i, pid int) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid > 0 {
		if m.server[i], err = usageOf(pid); err != nil {
			return err
		}
		m.rssMost = max(m.rssMost, m.server[i].rssBytes)
	}
	m.own[i], _ = usageOf(os.Getpid()) // zero where there is no /proc
	return nil
}

// pulse is how often surge looks whether its own timers come in time.
const pulse = 20 * time.Millisecond

// watchTimers lets the time pass and notes how late its own timers are and how large the server grows.
func (m *measure) watchTimers(ctx context.Context, last time.Duration, pid int) {
	began := time.Now()
	for due := pulse; due <= last && ctx.Err() == nil; due += pulse {
		rest(ctx, due-time.Since(began))
		m.late.add(time.Since(began) - due)
		if pid > 0 && due%(25*pulse) == 0 {
			if u, err := usageOf(pid); err == nil {
				m.rssMost = max(m.rssMost, u.rssBytes)
			}
		}
	}
}
