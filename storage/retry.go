package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Patience says how stubbornly Keep tries. The zero value tries for ever, 0.5 s apart at first and up to 30 s
// later, each try for at most a minute.
type Patience struct {
	First, Longest time.Duration // pause after the first failure, and the longest
	Try            time.Duration // how long one try may take
	// Failed, when set, is told about every failed try and the pause that follows. It must not block.
	Failed func(err error, pause time.Duration)
}

// Keep puts c under name and asks the store whether it has it: same size, same sum. It tries again, with growing
// and jittered pauses, until that is so or ctx ends; then the error wraps both ctx.Err() and what last went
// wrong. What another try cannot mend is returned at once: ErrName, and ErrContent of c itself.
//
// Every try writes the whole object anew. That is deliberate: after a failed fsync the pages that were not
// written are lost, and only new bytes can be trusted.
func Keep(ctx context.Context, s Store, name string, c Content, p Patience) error {
	if err := errors.Join(CheckName(name), c.Check()); err != nil {
		return err
	}
	var last error
	try := func() (struct{}, error) {
		last = keepOnce(ctx, s, name, c, p.Try)
		return struct{}{}, last
	}
	_, err := backoff.Retry(ctx, try, p.options()...)
	if err != nil && ctx.Err() != nil && last != nil {
		err = fmt.Errorf("%w, after: %w", ctx.Err(), last)
	}
	return err
}

func (p Patience) options() []backoff.RetryOption {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = or(p.First, 500*time.Millisecond)
	pause.MaxInterval = or(p.Longest, 30*time.Second)
	pause.Multiplier = 2
	options := []backoff.RetryOption{backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0)}
	if p.Failed != nil {
		options = append(options, backoff.WithNotify(p.Failed))
	}
	return options
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Linker is a store that can take a file as it is, by another name: one on the same disk. Link reports false when it
// cannot, and then nothing has happened. What it took survives a power cut, as after a Put.
type Linker interface {
	Link(ctx context.Context, name string, f *os.File, size int64) (bool, error)
}

// KeepFile is Keep of a file of nothing but c's bytes, which survives a power cut and never changes. A store that takes
// the file itself has these very bytes: there is nothing to copy and nothing to compare.
func KeepFile(ctx context.Context, s Store, name string, f *os.File, c Content, p Patience) error {
	if l, ok := s.(Linker); ok && CheckName(name) == nil {
		if took, err := l.Link(ctx, name, f, c.Size); took && err == nil {
			return nil
		}
	}
	c.Body = f
	return Keep(ctx, s, name, c, p)
}

// keepOnce is one try.
func keepOnce(ctx context.Context, s Store, name string, c Content, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, or(limit, time.Minute))
	defer cancel()
	if err := s.Put(ctx, name, c); err != nil {
		if errors.Is(err, ErrContent) || errors.Is(err, ErrName) {
			return backoff.Permanent(err)
		}
		return err
	}
	return Verify(ctx, s, name, c)
}

// Verify asks s what it has under name and returns ErrContent when that is not c.
func Verify(ctx context.Context, s Store, name string, c Content) error {
	got, err := s.Stat(ctx, name)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if got.Size != c.Size || got.Sum != c.Sum {
		return fmt.Errorf("%w: the store has %d bytes with sum %.8s of %d bytes with sum %.8s",
			ErrContent, got.Size, got.Sum, c.Size, c.Sum)
	}
	return nil
}
