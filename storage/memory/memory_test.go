package memory_test

import (
	"errors"
	"testing"

	"chalkcast/storage"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New(memory.Config{}) })
}

func TestLimit(t *testing.T) {
	s := memory.New(memory.Config{Limit: 10})
	put := func(name string, size int) error {
		return s.Put(t.Context(), name, storage.Bytes(storagetest.Random(size, 1)))
	}
	for _, step := range []struct {
		name string
		size int
		want error
	}{
		{"a.m4s", 11, storage.ErrFull},
		{"a.m4s", 10, nil},
		{"b.m4s", 1, storage.ErrFull},
		{"a.m4s", 9, nil},
		{"b.m4s", 1, nil},
		{"a.m4s", 10, storage.ErrFull},
	} {
		if err := put(step.name, step.size); !errors.Is(err, step.want) {
			t.Errorf("Put(%s, %d bytes) into 10: %v, want %v", step.name, step.size, err, step.want)
		}
	}
	if err := s.Delete(t.Context(), "a.m4s", "a.m4s"); err != nil {
		t.Fatal(err)
	}
	if err := put("c.m4s", 9); err != nil {
		t.Errorf("Put into freed room: %v", err)
	}
}
