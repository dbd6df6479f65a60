package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"chalkcast/storage"
)

// Op is a method of storage.Store.
type Op string

// The methods, as a fault rule sees them.
const (
	Put    Op = "put"
	Get    Op = "get"
	Stat   Op = "stat"
	List   Op = "list"
	Delete Op = "delete"
)

// Fault is what goes wrong with one call. The zero Fault is nothing.
type Fault struct {
	Delay   time.Duration // before anything else; ends early with the call's context
	Wait    <-chan struct{}
	Err     error // what the call returns, nothing having happened
	Lost    error // what the call returns although it was done: the answer was lost
	HalfPut bool  // Put stores the first half of the bytes and says that all is well
	NoPut   bool  // Put stores nothing and says that all is well
}

// Rule decides what goes wrong with a call. It may be called from several goroutines, though not at once.
type Rule func(op Op, name string) Fault

// Faulty is a store that fails as its Rule says. The zero Rule lets everything pass.
type Faulty struct {
	store storage.Store

	mu    sync.Mutex // guards what follows, and calls of rule
	rule  Rule
	calls map[Op]int
}

// NewFaulty wraps s.
func NewFaulty(s storage.Store) *Faulty { return &Faulty{store: s, calls: make(map[Op]int)} }

// Set replaces the rule; nil mends the store. Calls that are under way keep their fault.
func (f *Faulty) Set(r Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rule = r
}

// Calls returns how often op was called.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Down is a store that answers every call with err: storage.ErrDenied for a 403, storage.ErrFull for a 507, any
// other error for one that cannot be reached.
func Down(err error) Rule { return func(Op, string) Fault { return Fault{Err: err} } }

// Slow is a store that needs d for every call.
func Slow(d time.Duration) Rule { return func(Op, string) Fault { return Fault{Delay: d} } }

// Hang is a store that does not answer until the channel is closed.
func Hang(until <-chan struct{}) Rule { return func(Op, string) Fault { return Fault{Wait: until} } }

// HalfEvery is a store that cuts every n-th Put in half and says that all is well.
func HalfEvery(n int) Rule {
	puts := 0
	return func(op Op, _ string) Fault {
		if op == Put {
			puts++
		}
		return Fault{HalfPut: op == Put && puts%n == 0}
	}
}

// begin counts the call, waits as the rule says and returns the fault to come. An error ends the call.
func (f *Faulty) begin(ctx context.Context, op Op, name string) (Fault, error) {
	fault := f.next(op, name)
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return Fault{}, ctx.Err()
		}
	}
	if fault.Wait != nil {
		select {
		case <-fault.Wait:
		case <-ctx.Done():
			return Fault{}, ctx.Err()
		}
	}
	if fault.Err != nil {
		return Fault{}, fmt.Errorf("%s %s: %w", op, name, fault.Err)
	}
	return fault, nil
}

func (f *Faulty) next(op Op, name string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[op]++
	if f.rule == nil {
		return Fault{}
	}
	return f.rule(op, name)
}

// Put implements storage.Store.
func (f *Faulty) Put(ctx context.Context, name string, c storage.Content) error {
	fault, err := f.begin(ctx, Put, name)
	if err != nil || fault.NoPut {
		return err
	}
	if fault.HalfPut {
		if c, err = half(c); err != nil {
			return err
		}
	}
	if err := f.store.Put(ctx, name, c); err != nil {
		return err
	}
	return fault.Lost
}

func half(c storage.Content) (storage.Content, error) {
	b, err := io.ReadAll(io.NewSectionReader(c.Body, 0, max(c.Size/2, 1)))
	if c.Size == 1 {
		b = bytes.Repeat(b, 2) // half of one byte: something else that is wrong
	}
	return storage.Bytes(b), err
}

// Get implements storage.Store.
func (f *Faulty) Get(ctx context.Context, name string, r storage.Range) (*storage.Object, error) {
	fault, err := f.begin(ctx, Get, name)
	if err != nil {
		return nil, err
	}
	if fault.Lost != nil {
		return nil, fault.Lost
	}
	return f.store.Get(ctx, name, r)
}

// Stat implements storage.Store.
func (f *Faulty) Stat(ctx context.Context, name string) (storage.Info, error) {
	fault, err := f.begin(ctx, Stat, name)
	if err != nil {
		return storage.Info{}, err
	}
	if fault.Lost != nil {
		return storage.Info{}, fault.Lost
	}
	return f.store.Stat(ctx, name)
}

// List implements storage.Store. Its fault comes before the first object.
func (f *Faulty) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		fault, err := f.begin(ctx, List, prefix)
		if err == nil {
			err = fault.Lost
		}
		if err != nil {
			yield(storage.Info{}, err)
			return
		}
		f.store.List(ctx, prefix)(yield)
	}
}

// Delete implements storage.Store. The rule sees the first name.
func (f *Faulty) Delete(ctx context.Context, names ...string) error {
	first := ""
	if len(names) > 0 {
		first = names[0]
	}
	fault, err := f.begin(ctx, Delete, first)
	if err != nil {
		return err
	}
	if err := f.store.Delete(ctx, names...); err != nil {
		return err
	}
	return fault.Lost
}
