package database

import (
	"sync"
	"time"
)

// A Memory keeps what was read lately, for a time without a database: what it held is as good as true for ten minutes.
// Nobody reads from it while the database answers. Safe for concurrent use.
type Memory[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]remembered[V]
}

type remembered[V any] struct {
	value V
	read  time.Time
}

const (
	memoryTime = 10 * time.Minute
	memorySize = 20_000
)

// Or returns what was read, and keeps it; when the database is away, what it kept of key is returned in its place.
func (m *Memory[K, V]) Or(key K, now time.Time, value V, err error) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if Away(err) {
		if old, ok := m.known[key]; ok && now.Sub(old.read) < memoryTime {
			return old.value, nil
		}
	}
	if err != nil {
		return value, err
	}
	if m.known == nil || len(m.known) >= memorySize {
		m.known = map[K]remembered[V]{}
	}
	m.known[key] = remembered[V]{value, now}
	return value, nil
}

// Forget drops what was kept, after a change that even a time without a database may not hide.
func (m *Memory[K, V]) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
}
