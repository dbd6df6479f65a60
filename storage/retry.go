package storage

import (
	"context"
	"errors"
	"fmt"
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
	return p.retry(ctx, func() error { return keepOnce(ctx, s, name, c, p.Try) })
}

// retry does something until it succeeds, ctx ends or it fails for good.
func (p Patience) retry(ctx context.Context, do func() error) error {
	var last error
	try := func() (struct{}, error) {
		last = do()
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
