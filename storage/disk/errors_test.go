package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"chalkcast/storage"
)

func TestExplain(t *testing.T) {
	for _, test := range []struct{ err, want error }{
		{nil, nil},
		{syscall.ENOENT, storage.ErrNotFound},
		{syscall.ENOSPC, storage.ErrFull},
		{syscall.EDQUOT, storage.ErrFull},
		{syscall.EACCES, storage.ErrDenied},
		{syscall.EPERM, storage.ErrDenied},
		{syscall.EROFS, storage.ErrDenied},
		{syscall.EIO, syscall.EIO},
		{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
	} {
		err := test.err
		if err != nil {
			err = fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "x", Err: err})
		}
		if got := explain(err); !errors.Is(got, test.want) || !errors.Is(got, test.err) {
			t.Errorf("explain(%v) = %v, want both it and %v", err, got, test.want)
		}
	}
}
