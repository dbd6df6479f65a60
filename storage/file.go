package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/cenkalti/backoff/v5"
)

// File is bytes that were written before, survive a power cut and never change. Nobody has needed their SHA-256 yet; the
// CRC tells whether they are what was written.
type File struct {
	Body io.ReaderAt // an *os.File may be linked
	Size int64
	CRC  uint32 // CRC-32C (Castagnoli) of all of it; 0: not known
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Describe reads the whole file and returns it as Content, or ErrContent when it is not what was written.
func (f File) Describe() (Content, error) {
	sum, crc := sha256.New(), crc32.New(castagnoli)
	n, err := io.Copy(io.MultiWriter(sum, crc), io.NewSectionReader(f.Body, 0, f.Size))
	switch {
	case err != nil:
		return Content{}, err
	case n != f.Size:
		return Content{}, fmt.Errorf("%w: %d bytes of %d", ErrContent, n, f.Size)
	case f.CRC != 0 && crc.Sum32() != f.CRC:
		return Content{}, fmt.Errorf("%w: CRC-32C is %08x, was %08x", ErrContent, crc.Sum32(), f.CRC)
	}
	return Content{Body: f.Body, Size: f.Size, Sum: Sum(sum.Sum(nil))}, nil
}

// Linker is a store that can take a file as it is, by another name: one on the same disk. Link reports false when it
// cannot, and then nothing has happened. What it took survives a power cut, as after a Put.
type Linker interface {
	Link(ctx context.Context, name string, f *os.File, size int64) (bool, error)
}

// KeepFile is Keep of a file. A store that takes the file itself has these very bytes: there is nothing to copy, nothing to
// compare, and the sum it returns is zero. Otherwise the sum is that of the object. ErrContent says that the bytes are not
// those that were written.
func KeepFile(ctx context.Context, s Store, name string, f File, p Patience) (Sum, error) {
	if err := CheckName(name); err != nil {
		return Sum{}, err
	}
	if l, ok := s.(Linker); ok {
		if file, ok := f.Body.(*os.File); ok {
			if took, err := l.Link(ctx, name, file, f.Size); took && err == nil {
				return Sum{}, nil
			}
		}
	}
	var c Content
	err := p.retry(ctx, func() (err error) {
		if c.Sum.IsZero() {
			if c, err = f.Describe(); errors.Is(err, ErrContent) {
				return backoff.Permanent(err)
			} else if err != nil {
				return err
			}
		}
		return keepOnce(ctx, s, name, c, p.Try)
	})
	return c.Sum, err
}
