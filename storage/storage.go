package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Store keeps objects. All methods are safe for concurrent use, also on one name. They return soon after ctx
// ends, with an error that wraps ctx.Err(); what a cancelled Put or Delete did is then unknown, but never half
// of it on one object. A name that breaks the grammar of CheckName is ErrName everywhere.
//
// Errors wrap one of this package's errors where one fits. Any other error means that the store could not be
// reached or did not understand itself, and that the same call may work later.
type Store interface {
	// Put stores the bytes of c under name. When it returns nil the object survives a power cut, and every
	// Get, Stat and List that begins afterwards sees it. Readers see all of the object or nothing, at no time
	// a part. An object that was there is replaced; a reader that had begun keeps the bytes it began with, or
	// gets an error, and never a mixture. After an error the name holds what it held before, or c.
	//
	// c.Body may be read several times and from the start; nobody may change it until Put returns. When it
	// does not have the size and sum that c announces, Put returns ErrContent and stores nothing.
	Put(ctx context.Context, name string, c Content) error

	// Get opens the object for reading, or the part of it that r names. The caller closes Object.Body; ctx
	// governs reading it, too. ErrNotFound when there is no such object, ErrRange when r begins at or after
	// its end. A range that reaches past the end is cut there. Reading ends with io.EOF only when every byte
	// of the range was delivered; a body that breaks off is an error.
	Get(ctx context.Context, name string, r Range) (*Object, error)

	// Stat tells what is stored under name: size, time, and the sum of the bytes as the store has them (not
	// as they were announced, where the store can tell the difference). It may read the whole object, so it
	// is for verifying rather than for serving. ErrNotFound when there is no such object.
	Stat(ctx context.Context, name string) (Info, error)

	// List yields the objects whose name begins with prefix, in bytewise order of their names, without sums.
	// prefix is "" for all, or ends in a slash and follows the grammar of names: whole folders only. Objects
	// that come or go meanwhile may be there or not; all others are yielded exactly once. The first error
	// ends the sequence. A folder that does not exist is an empty list.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Delete removes the objects for good: when it returns nil, none of the names exists, also after a power
	// cut. Names that did not exist are no error. After an error any of them may be left.
	Delete(ctx context.Context, names ...string) error
}

// The errors that callers branch on; test with errors.Is.
var (
	ErrNotFound = errors.New("object not found")
	ErrName     = errors.New("bad object name")
	ErrRange    = errors.New("range outside the object")
	ErrContent  = errors.New("content is not what was announced") // of a Put's body, or of what a store made of it
	ErrFull     = errors.New("storage full")                      // ENOSPC, a quota, 507: somebody must make room
	ErrDenied   = errors.New("storage access denied")             // EACCES, EROFS, 403: somebody must mend the settings
)

// Sum is the SHA-256 of an object's bytes. The zero Sum means unknown.
type Sum [sha256.Size]byte

// IsZero reports whether s is unknown.
func (s Sum) IsZero() bool { return s == Sum{} }

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes 64 hexadecimal digits, for journals.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Sum) UnmarshalText(b []byte) error {
	if len(b) != 2*len(s) {
		return fmt.Errorf("SHA-256 of %d digits", len(b))
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// MaxSize is the greatest size of an object in bytes: what S3 takes in one request.
const MaxSize = 5 << 30

// Content is what a Put stores: 1 to MaxSize bytes, known in size and sum beforehand.
type Content struct {
	Body io.ReaderAt // read from offset 0 to Size
	Size int64
	Sum  Sum
}

// Bytes returns b as Content. b must not change until it is stored.
func Bytes(b []byte) Content {
	return Content{Body: readerAt(b), Size: int64(len(b)), Sum: sha256.Sum256(b)}
}

type readerAt []byte

func (b readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Reader returns a fresh reader over the whole content.
func (c Content) Reader() *io.SectionReader { return io.NewSectionReader(c.Body, 0, c.Size) }

// Check returns ErrContent for content that no store takes: of a wrong size, or without a sum. It reads nothing.
func (c Content) Check() error {
	if c.Body == nil || c.Size <= 0 || c.Size > MaxSize || c.Sum.IsZero() {
		return fmt.Errorf("%w: %d bytes, sum known: %t", ErrContent, c.Size, !c.Sum.IsZero())
	}
	return nil
}

// Range is a part of an object. The zero Range is all of it.
type Range struct {
	Offset int64 // first byte
	Length int64 // 0: to the end
}

// Cut returns r inside an object of size bytes, its Length filled in; ErrRange when nothing is left or r is
// negative.
func (r Range) Cut(size int64) (Range, error) {
	if r.Offset < 0 || r.Length < 0 || r.Offset >= size {
		return Range{}, fmt.Errorf("%w: %d bytes from %d of %d", ErrRange, r.Length, r.Offset, size)
	}
	if rest := size - r.Offset; r.Length == 0 || r.Length > rest {
		r.Length = rest
	}
	return r, nil
}

// Info is what a store knows about an object.
type Info struct {
	Name     string
	Size     int64     // of the whole object in bytes
	Modified time.Time // when it was stored, by the store's clock, to the second
	Sum      Sum       // from Stat only
}

// Object is an object opened for reading.
type Object struct {
	Info
	Range Range         // what Body delivers, Length filled in
	Body  io.ReadCloser // delivers exactly Range.Length bytes, then io.EOF
}
