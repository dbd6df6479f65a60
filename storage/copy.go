package storage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
)

// Copy writes c to w and returns ErrContent when its bytes are not what c announces. It stops when ctx ends.
// Implementations use it, so that all of them refuse the same things.
func (c Content) Copy(ctx context.Context, w io.Writer) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, w), &reader{ctx: ctx, from: c.Reader()})
	if err != nil {
		return err
	}
	return c.compare(n, h)
}

func (c Content) compare(n int64, h hash.Hash) error {
	if got := Sum(h.Sum(nil)); n != c.Size || got != c.Sum {
		return fmt.Errorf("%w: %d bytes with sum %.8s, announced %d with sum %.8s", ErrContent, n, got, c.Size, c.Sum)
	}
	return nil
}

// reader reads until ctx ends.
type reader struct {
	ctx  context.Context
	from io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
