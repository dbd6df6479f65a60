package hls_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
	"chalkcast/storage/disk"
)

// teach has a lesson of five seconds and returns its ID.
func (h *house) teach() media.ID {
	h.t.Helper()
	h.lesson = media.NewID()
	stream := mediatest.Stream{Duration: 5 * time.Second, NoAudio: true}
	in := h.publish(stream.Tracks(), true)
	h.write(in, stream.Frames()...)
	if err := in.Close(media.End{}); err != nil {
		h.t.Fatal(err)
	}
	h.end()
	h.waitFor("the recording to be archived", h.archived)
	return h.lesson
}

// names returns the names of all objects that do not belong to one of the lessons.
func names(t *testing.T, s storage.Store, without ...media.ID) (all []string) {
	t.Helper()
	for info, err := range s.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(without, func(id media.ID) bool { return strings.Contains(info.Name, id.String()) }) {
			all = append(all, info.Name)
		}
	}
	return all
}

func TestRetention(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store, err := disk.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := newHouse(t, func(c *hls.Config) { c.Store = store })
	ctx := context.Background()
	for _, name := range []string{"notes/a.txt", "lessons/b.txt", "lessons/who/journal.jsonl", "lessons/who/1-aaaaaa/v0/0.m4s"} {
		if err := store.Put(ctx, name, storage.Bytes([]byte("not ours"))); err != nil {
			t.Fatal(err)
		}
	}
	const keep = 180 * 24 * time.Hour
	oldest := h.teach()
	ended := h.clock.read()
	h.clock.pass(time.Hour)
	young := h.teach()
	h.clock.pass(24 * time.Hour)
	h.lesson = media.NewID()
	onAir := h.lesson
	stream := mediatest.Stream{Duration: 5 * time.Second, NoAudio: true}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.waitFor("the segments to be stored", func() bool { return h.Status(onAir).Unstored == 0 })

	policy := func(_ media.ID, ended time.Time) bool { return h.clock.read().Sub(ended) > keep }
	expire := func(want ...media.ID) {
		t.Helper()
		deleted, err := h.Expire(ctx, policy)
		if err != nil || !slices.Equal(deleted, want) {
			t.Errorf("after %v: deleted %v, %v; want %v", h.clock.read().Sub(ended), deleted, err, want)
		}
	}
	before := names(t, store)
	h.clock.pass(ended.Add(keep).Sub(h.clock.read()))
	expire()
	if after := names(t, store); !slices.Equal(before, after) {
		t.Errorf("nothing was due and %d of %d objects are left", len(after), len(before))
	}
	h.clock.pass(time.Second)
	expire(oldest)
	if want, after := names(t, store, oldest), names(t, store); !slices.Equal(want, after) || len(want) == len(before) {
		t.Errorf("left: %q, want all but those of the oldest lesson: %q", after, before)
	}
	if w := h.ask("GET", h.path(oldest)+"index.m3u8"); w.Code != 404 {
		t.Errorf("a recording that was kept long enough: %d, want 404", w.Code)
	}
	if w := h.ask("GET", h.path(young)+"v0/replay.m3u8"); w.Code != 200 {
		t.Errorf("a recording that is an hour younger: %d, want 200", w.Code)
	}

	// After a restart the end is read from the store.
	h.stop()
	h.start()
	h.clock.pass(365 * 24 * time.Hour)
	expire(young)
	if s := h.Status(onAir); s.Ended || s.Programme == 0 {
		t.Errorf("status of a lesson that is on air for a year and a half: %+v", s)
	}
	h.end()
	expire()
	h.clock.pass(keep + time.Second)
	expire(onAir)
	if got := names(t, store); len(got) != 4 {
		t.Errorf("left in the store: %q, want what is not ours", got)
	}
	for _, place := range []string{folder, h.cfg.Spool} {
		err := filepath.WalkDir(place, func(path string, _ fs.DirEntry, err error) error {
			for _, id := range []media.ID{oldest, young, onAir} {
				if strings.Contains(path, id.String()) {
					t.Errorf("left on the disk: %s", path)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// loseIndex leaves of a recording what a machine had stored that was lost before there was an index.
func (h *house) loseIndex(lesson media.ID) {
	h.t.Helper()
	if err := h.cfg.Store.Delete(context.Background(), "lessons/"+lesson.String()+"/journal.jsonl"); err != nil {
		h.t.Fatal(err)
	}
}

// loseEnd leaves of a recording what a machine had stored that was lost while the lesson was on air.
func (h *house) loseEnd(lesson media.ID) {
	h.t.Helper()
	ctx, key := context.Background(), "lessons/"+lesson.String()+"/journal.jsonl"
	obj, err := h.cfg.Store.Get(ctx, key, storage.Range{})
	if err != nil {
		h.t.Fatal(err)
	}
	index := make([]byte, obj.Size)
	if _, err := obj.Body.Read(index); err != nil {
		h.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(index), "\n")
	if end := lines[len(lines)-2]; !strings.Contains(end, `"k":"end"`) {
		h.t.Fatalf("the last line of an index is %s", end)
	}
	cut := strings.Join(lines[:len(lines)-2], "")
	if err := h.cfg.Store.Put(ctx, key, storage.Bytes([]byte(cut))); err != nil {
		h.t.Fatal(err)
	}
}

// A lesson whose machine was lost has no end in its index, or no index; it goes with its newest object.
func TestRetentionOfLeftovers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	noIndex, noEnd := h.teach(), h.teach()
	h.loseIndex(noIndex)
	h.loseEnd(noEnd)
	h.stop()
	h.start()
	asked := map[media.ID]time.Time{}
	if _, err := h.Expire(ctx, func(id media.ID, ended time.Time) bool { asked[id] = ended; return false }); err != nil {
		t.Fatal(err)
	}
	if age := time.Since(asked[noIndex]); len(asked) != 2 || age < 0 || age > time.Minute {
		t.Errorf("ends are %v; the lesson without an index was stored just now", asked)
	}
	if off := h.clock.read().Sub(asked[noEnd]); off.Abs() > 50*time.Millisecond {
		t.Errorf("the lesson without an end is over since %v, its last segment ended at about %v", asked[noEnd], h.clock.read())
	}
	deleted, err := h.Expire(ctx, func(id media.ID, _ time.Time) bool { return true })
	if err != nil || len(deleted) != 2 || len(names(t, h.cfg.Store)) > 0 || h.Stored() != 0 {
		t.Errorf("deleted %v, %v; %q are left, %d bytes", deleted, err, names(t, h.cfg.Store), h.Stored())
	}
}

// Run does it by itself, once a day.
func TestRetentionRuns(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(c *hls.Config) { c.Keep = 3 * 24 * time.Hour }, func(h *house, in *hls.Input, frames []*media.Frame) {
		h.write(in, frames...)
		h.end()
		for day, want := range []int{200, 404} {
			time.Sleep([]time.Duration{3 * 24 * time.Hour, 25 * time.Hour}[day])
			h.clock.now = time.Now()
			if w := h.ask("GET", h.path(h.lesson)+"index.m3u8"); w.Code != want {
				t.Errorf("recording: %d, want %d", w.Code, want)
			}
		}
	})
}
