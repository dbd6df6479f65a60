package storage_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"testing/synctest"

	"chalkcast/storage"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// flaky is a disk that fails to read now and then.
type flaky struct {
	io.ReaderAt
	fails int
}

func (f *flaky) ReadAt(p []byte, off int64) (int, error) {
	if f.fails > 0 {
		f.fails--
		return 0, errAway
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestKeepFile stores a file whose SHA-256 nobody knows, and refuses one that is not what was written.
func TestKeepFile(t *testing.T) {
	data := storagetest.Random(100_000, 1)
	crc := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	flipped := bytes.Clone(data)
	flipped[77_777] ^= 4
	for name, test := range map[string]struct {
		file storage.File
		want error
	}{
		"as it was written":      {storage.File{Body: bytes.NewReader(data), Size: 100_000, CRC: crc}, nil},
		"CRC not known":          {storage.File{Body: bytes.NewReader(data), Size: 100_000}, nil},
		"a disk with bad days":   {storage.File{Body: &flaky{bytes.NewReader(data), 3}, Size: 100_000, CRC: crc}, nil},
		"a bit flipped":          {storage.File{Body: bytes.NewReader(flipped), Size: 100_000, CRC: crc}, storage.ErrContent},
		"cut short":              {storage.File{Body: bytes.NewReader(data[:99_999]), Size: 100_000, CRC: crc}, storage.ErrContent},
		"another part of a file": {storage.File{Body: bytes.NewReader(data), Size: 99_999, CRC: crc}, storage.ErrContent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := memory.New(memory.Config{})
				sum, err := storage.KeepFile(t.Context(), m, "a.m4s", test.file, storage.Patience{})
				if !errors.Is(err, test.want) {
					t.Fatalf("KeepFile: %v, want %v", err, test.want)
				}
				info, statErr := m.Stat(t.Context(), "a.m4s")
				if test.want != nil {
					if !errors.Is(statErr, storage.ErrNotFound) {
						t.Errorf("stored all the same: %+v, %v", info, statErr)
					}
					return
				}
				if statErr != nil || sum != storage.Bytes(data).Sum || info.Sum != sum {
					t.Errorf("stored with sum %v, told %v; %v", info.Sum, sum, statErr)
				}
			})
		})
	}
}
