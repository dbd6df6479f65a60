package hls_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// What a store tells somebody who knows nothing else: when lessons were on air, also those whose machine was lost. It is
// asked for those that are wanted, and for nothing else.
func TestRecordings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	began, ended := map[media.ID]time.Time{}, map[media.ID]time.Time{}
	teach := func() media.ID {
		id := h.teach()
		all := h.playlist("v0/replay.m3u8").Segments
		last := all[len(all)-1]
		began[id], ended[id] = all[0].At, h.clock.read()
		if off := ended[id].Sub(last.At.Add(time.Duration(last.Duration * float64(time.Second)))); off.Abs() > 50*time.Millisecond {
			t.Fatalf("the clock of the test is %v off", off)
		}
		h.clock.pass(time.Hour)
		return id
	}
	known, whole, noEnd, noIndex := teach(), teach(), teach(), teach()
	h.loseEnd(noEnd)
	h.loseIndex(noIndex)

	var files, read []int
	all, err := hls.Recordings(context.Background(), h.cfg.Store, func(id media.ID) bool { return id != known }, func(f, r int) {
		files, read = append(files, f), append(read, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []media.ID
	for _, r := range all {
		got = append(got, r.Lesson)
		var bytes int64
		for info, err := range h.cfg.Store.List(context.Background(), "lessons/"+r.Lesson.String()+"/") {
			if err != nil {
				t.Fatal(err)
			}
			bytes += info.Size
		}
		if r.Bytes != bytes || bytes == 0 {
			t.Errorf("lesson %s has %d bytes, want %d", r.Lesson, r.Bytes, bytes)
		}
		if r.Lesson == noIndex {
			if !r.Began.IsZero() || !r.Ended.IsZero() {
				t.Errorf("a recording without an index was on air from %v to %v", r.Began, r.Ended)
			}
			continue
		}
		if off := r.Began.Sub(began[r.Lesson]); off.Abs() > time.Millisecond {
			t.Errorf("lesson %s began at %v, want %v", r.Lesson, r.Began, began[r.Lesson])
		}
		if off := r.Ended.Sub(ended[r.Lesson]); off.Abs() > 50*time.Millisecond {
			t.Errorf("lesson %s ended at %v, want %v", r.Lesson, r.Ended, ended[r.Lesson])
		}
	}
	if d := cmp.Diff([]media.ID{noIndex, whole, noEnd}, got); d != "" {
		t.Errorf("recordings (-want +got):\n%s", d)
	}
	if !slices.IsSorted(files) || !slices.IsSorted(read) || files[0] != 1 || read[0] != 0 || read[len(read)-1] != len(all) {
		t.Errorf("told of files %v and recordings %v, want every one", files, read)
	}
}

// A store that fails is no store without recordings, whichever call it fails at.
func TestRecordingsOfAStoreThatFails(t *testing.T) {
	t.Parallel()
	store := storagetest.NewFaulty(memory.New(memory.Config{}))
	h := newHouse(t, func(c *hls.Config) { c.Store = store })
	h.teach()
	for _, sick := range []storagetest.Op{storagetest.List, storagetest.Get} {
		store.Set(func(op storagetest.Op, _ string) (f storagetest.Fault) {
			if op == sick {
				f.Err = errors.New("no route to host")
			}
			return f
		})
		all, err := hls.Recordings(context.Background(), store, func(media.ID) bool { return true }, func(int, int) {})
		if err == nil {
			t.Errorf("%s fails: %v, want an error", sick, all)
		}
	}
}
