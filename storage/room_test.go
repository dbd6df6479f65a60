package storage_test

import (
	"os"
	"testing"

	"chalkcast/storage"
)

func TestRoom(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if free, total := storage.Room(root); free < 0 || total < free || total == 0 {
		t.Errorf("%d bytes of %d are free", free, total)
	}
	for _, test := range []struct {
		free, total, size int64
		want              bool
	}{
		{64 << 20, 64 << 20, 1, false},
		{4 << 20, 64 << 20, 1 << 20, true},
		{5 << 20, 64 << 20, 1 << 20, false},
		{513 << 20, 1 << 40, 1 << 20, false},
		{513 << 20, 1 << 40, 1<<20 + 1, true},
		{0, 1 << 40, 0, true},
		{-1, -1, 5 << 30, false}, // nobody knows
	} {
		if got := storage.Tight(test.free, test.total, test.size); got != test.want {
			t.Errorf("another %d bytes with %d of %d free: tight is %t", test.size, test.free, test.total, got)
		}
	}
}
