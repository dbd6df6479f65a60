package disk

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"chalkcast/storage"
)

// chunk is how much is copied between two looks at the context.
const chunk = 1 << 20

// body reads rest bytes of an open file.
type body struct {
	ctx  context.Context
	file *os.File
	rest int64
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.rest == 0 {
		return 0, io.EOF
	}
	n, err := b.file.Read(p[:min(int64(len(p)), b.rest)])
	b.rest -= int64(n)
	if errors.Is(err, io.EOF) { // the file is shorter than it was
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// WriteTo copies chunk by chunk in a way that lets the kernel move a file's bytes into a socket.
func (b *body) WriteTo(w io.Writer) (total int64, err error) {
	for b.rest > 0 {
		if err := b.ctx.Err(); err != nil {
			return total, err
		}
		n, err := io.CopyN(w, b.file, min(b.rest, chunk))
		total, b.rest = total+n, b.rest-n
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (b *body) Close() error { return b.file.Close() }

// sum reads f from the start to the end.
func sum(ctx context.Context, f *os.File) (storage.Sum, int64, error) {
	h := sha256.New()
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return storage.Sum{}, 0, err
		}
		n, err := io.CopyN(h, f, chunk)
		total += n
		if errors.Is(err, io.EOF) {
			return storage.Sum(h.Sum(nil)), total, nil
		}
		if err != nil {
			return storage.Sum{}, 0, err
		}
	}
}
