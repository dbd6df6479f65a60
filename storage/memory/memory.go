package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"chalkcast/storage"
)

// Config of a Store. The zero value is useful.
type Config struct {
	Limit int64            // bytes of all objects together, after which Put is storage.ErrFull; 0: no limit
	Now   func() time.Time // nil: time.Now
}

// Store implements storage.Store. It has no goroutines and needs no closing.
type Store struct {
	limit int64
	now   func() time.Time

	mu      sync.RWMutex // guards what follows; the bytes of an object never change
	objects map[string]object
	size    int64
}

type object struct {
	data []byte
	info storage.Info
}

// New returns an empty Store.
func New(c Config) *Store {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{limit: c.Limit, now: c.Now, objects: make(map[string]object)}
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, name string, c storage.Content) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	if s.limit > 0 && c.Size > s.limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", storage.ErrFull, c.Size, s.limit)
	}
	var b bytes.Buffer
	b.Grow(int(c.Size))
	if err := c.Copy(ctx, &b); err != nil {
		return err
	}
	return s.keep(object{
		data: b.Bytes(),
		info: storage.Info{Name: name, Size: c.Size, Modified: s.now().UTC().Truncate(time.Second), Sum: c.Sum},
	})
}

func (s *Store) keep(o object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.size + o.info.Size - s.objects[o.info.Name].info.Size
	if s.limit > 0 && size > s.limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", storage.ErrFull, size, s.limit)
	}
	s.objects[o.info.Name], s.size = o, size
	return nil
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, name string, r storage.Range) (*storage.Object, error) {
	o, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if r, err = r.Cut(o.info.Size); err != nil {
		return nil, err
	}
	info := o.info
	info.Sum = storage.Sum{}
	body := &body{ctx: ctx, from: bytes.NewReader(o.data[r.Offset : r.Offset+r.Length])}
	return &storage.Object{Info: info, Range: r, Body: body}, nil
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	o, err := s.find(ctx, name)
	return o.info, err
}

func (s *Store) find(ctx context.Context, name string) (object, error) {
	if err := check(ctx, name); err != nil {
		return object{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.objects[name]
	if !ok {
		return object{}, fmt.Errorf("%w: %s", storage.ErrNotFound, name)
	}
	return o, nil
}

// List implements storage.Store. It yields what was there when it began.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := storage.CheckPrefix(prefix); err != nil {
			yield(storage.Info{}, err)
			return
		}
		for _, info := range s.snapshot(prefix) {
			if err := ctx.Err(); err != nil {
				yield(storage.Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Store) snapshot(prefix string) []storage.Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []storage.Info
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(name, prefix) {
			info := s.objects[name].info
			info.Sum = storage.Sum{}
			list = append(list, info)
		}
	}
	return list
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := check(ctx, name); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		s.size -= s.objects[name].info.Size
		delete(s.objects, name)
	}
	return nil
}

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return storage.CheckName(name)
}

type body struct {
	ctx  context.Context
	from io.Reader
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.from.Read(p)
}

func (b *body) Close() error { return nil }
