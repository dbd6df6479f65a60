package hls_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// archived reports whether the recording is in the store and the spool is empty.
func (h *house) archived() bool {
	_, missing := h.cfg.Store.Stat(context.Background(), "lessons/"+h.lesson.String()+"/journal.jsonl")
	entries, err := os.ReadDir(h.cfg.Spool)
	return missing == nil && err == nil && len(entries) == 0
}

// elsewhere forgets the spool: only what the store has is left.
func (h *house) elsewhere() {
	h.t.Helper()
	h.waitFor("the recording to be archived", h.archived)
	h.stop()
	h.cfg.Spool = h.t.TempDir()
	h.start()
	h.listen()
}

func TestStoreFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		rule storagetest.Rule
	}{
		{"down", storagetest.Down(errors.New("no route to host"))},
		{"takes half and says it is well", storagetest.HalfEvery(3)},
		{"slow", storagetest.Slow(30 * time.Millisecond)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := storagetest.NewFaulty(memory.New(memory.Config{}))
			h := newHouse(t, func(c *hls.Config) { c.Store = store })
			store.Set(test.rule)
			stream := mediatest.Stream{Duration: 12 * time.Second}
			frames := stream.Frames()
			all := h.play(h.publish(stream.Tracks(), true), frames) // ends the lesson
			sameUnits(t, "live", all[0].Track(1), frames, 0, 0)
			if test.name == "down" {
				if s := h.Status(h.lesson); s.Unstored == 0 || !s.Replay {
					t.Errorf("status with a dead store is %+v", s)
				}
				h.clock.pass(2 * time.Minute)
				h.waitFor("a warning", func() bool {
					w := h.Status(h.lesson).Warnings
					return len(w) > 0 && w[0].Code == media.StorageDown
				})
				_, replay := h.collect("index.m3u8")
				sameUnits(t, "replay from the spool", replay[0].Track(1), frames, 0, 0)
			}
			store.Set(nil)
			h.elsewhere()
			_, replay := h.collect("index.m3u8")
			sameUnits(t, "replay from the store", replay[0].Track(1), frames, 0, 0)
			sameUnits(t, "replay from the store", replay[1].Track(1), frames, 1, 0)
		})
	}
}

func TestSpoolFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		spoil  func(h *house)
		change func(*hls.Config)
	}{
		{"folder gone", func(h *house) {
			h.waitFor("the folder to be gone", func() bool { return os.RemoveAll(filepath.Join(h.cfg.Spool, h.lesson.String())) == nil })
		}, func(*hls.Config) {}},
		{"quota used up", func(*house) {}, func(c *hls.Config) { c.SpoolLimit = 1 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, test.change)
			stream := mediatest.Stream{Duration: 16 * time.Second}
			frames := stream.Frames()
			cut := h.ahead(frames, 5*time.Second)
			in := h.publish(stream.Tracks(), true)
			h.write(in, frames[:cut]...)
			h.waitFor("two segments in the spool", func() bool {
				return len(h.playlist("v0/dvr.m3u8").Segments) == 2
			})
			test.spoil(h)
			all := h.play(in, frames[cut:])
			sameUnits(t, "live without a spool", all[0].Track(1), frames, 0, 0)
			h.waitFor("a warning", func() bool {
				w := h.Status(h.lesson).Warnings
				return len(w) > 0 && w[0].Code == media.StorageDown
			})
			h.elsewhere()
			_, replay := h.collect("index.m3u8")
			sameUnits(t, "replay of what was uploaded from memory", replay[0].Track(1), frames, 0, 0)
		})
	}
}

func TestShutdownKeepsTheOpenSegment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 5 * time.Second}
	frames := stream.Frames()
	in := h.publish(stream.Tracks(), true)
	h.write(in, frames...)
	h.stop()
	if err := in.Write(frames[0]); !errors.Is(err, hls.ErrClosed) {
		t.Errorf("write after shutdown: %v, want ErrClosed", err)
	}
	h.start()
	h.listen()
	if s := h.Status(h.lesson); !s.Live || s.Publishing || s.Programme < 4900*time.Millisecond {
		t.Errorf("status after a restart is %+v", s)
	}
	h.end()
	_, all := h.collect("index.m3u8")
	sameUnits(t, "v0", all[0].Track(1), frames, 0, 0)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	for _, archived := range []bool{false, true} {
		store := storagetest.NewFaulty(memory.New(memory.Config{}))
		h := newHouse(t, func(c *hls.Config) { c.Store = store })
		stream := mediatest.Stream{Duration: 9 * time.Second}
		h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
		if err := h.Delete(context.Background(), h.lesson); !errors.Is(err, hls.ErrOnAir) {
			t.Errorf("delete a lesson on air: %v, want ErrOnAir", err)
		}
		h.end()
		h.get(h.url(h.lesson, "index.m3u8"))
		if archived {
			h.waitFor("the recording to be archived", h.archived)
		}
		if err := h.Delete(context.Background(), h.lesson); err != nil {
			t.Fatal("delete:", err)
		}
		if w := h.ask("GET", h.path(h.lesson)+"index.m3u8"); w.Code != 404 {
			t.Errorf("a deleted recording: %d, want 404", w.Code)
		}
		h.clock.pass(time.Minute)
		if w := h.ask("GET", h.path(h.lesson)+"index.m3u8"); w.Code != 404 {
			t.Errorf("a deleted recording a minute later: %d, want 404", w.Code)
		}
		if entries, err := os.ReadDir(h.cfg.Spool); err != nil || len(entries) > 0 {
			t.Errorf("spool after delete: %v, %v", entries, err)
		}
		if archived {
			for info, err := range store.List(context.Background(), "") {
				t.Errorf("left in the store: %s, %v", info.Name, err)
			}
		}
		if err := h.Delete(context.Background(), h.lesson); err != nil {
			t.Error("delete again:", err)
		}
	}
}
