package hls_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
	"chalkcast/storage/storagetest"
)

// sickDisk is a disk that fails as it is told.
type sickDisk struct {
	mu      sync.Mutex
	full    bool           // writes end in the middle
	badSync int            // this one, counted from 1 over the files of segments, fails
	syncs   map[string]int // by file
	made    []string
	durable map[string]int64 // how much of each file survives a power cut
}

func (d *sickDisk) inject(c *hls.Config) {
	d.syncs, d.durable = map[string]int{}, map[string]int64{}
	c.Inject(func(name string, f hls.File) hls.File {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.made = append(d.made, name)
		return &sickFile{f, d, name}
	})
}

func (d *sickDisk) setFull(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *sickDisk) files() (segments int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range d.made {
		if filepath.Ext(name) == ".m4s" {
			segments++
		}
	}
	return segments
}

type sickFile struct {
	hls.File
	d    *sickDisk
	name string
}

func (f *sickFile) Write(b []byte) (int, error) {
	f.d.mu.Lock()
	full := f.d.full
	f.d.mu.Unlock()
	if !full {
		return f.File.Write(b)
	}
	n, err := f.File.Write(b[:len(b)/2])
	if err == nil {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *sickFile) Sync() error {
	f.d.mu.Lock()
	f.d.syncs[f.name]++
	failing := false
	if strings.HasSuffix(f.name, ".m4s") && f.d.badSync > 0 {
		f.d.badSync--
		failing = f.d.badSync == 0
	}
	f.d.mu.Unlock()
	if failing {
		return syscall.EIO
	}
	at, err := f.File.Seek(0, io.SeekCurrent)
	if err == nil {
		err = f.File.Sync()
	}
	if err == nil {
		f.d.mu.Lock()
		f.d.durable[f.name] = at
		f.d.mu.Unlock()
	}
	return err
}

// FLT-05: the power fails. What was not synced is gone, or is there in part, or is zeros; what was synced is there.
func TestFLT05(t *testing.T) {
	for name, left := range map[string]func(b []byte) []byte{
		"nothing":     func([]byte) []byte { return nil },
		"half of it":  func(b []byte) []byte { return b[:len(b)/2] },
		"zeros":       func(b []byte) []byte { return make([]byte, len(b)) },
		"wrong bytes": func(b []byte) []byte { return bytes.Repeat([]byte("{"), len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var disk sickDisk
			h := newHouse(t, disk.inject)
			stream := mediatest.Stream{Duration: 9 * time.Second}
			h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
			before := h.playlist("v0/live.m3u8")
			h.waitFor("the spool to be written", h.spoolQuiet)
			disk.mu.Lock()
			durable := maps.Clone(disk.durable)
			disk.mu.Unlock()
			h.crash(func(folder string) {
				entries, err := os.ReadDir(folder)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					n := int(durable[e.Name()])
					change(t, filepath.Join(folder, e.Name()), func(b []byte) []byte { return append(b[:n:n], left(b[n:])...) })
				}
			})
			after := h.playlist("v0/live.m3u8")
			if after.Next() < before.Next() || after.MediaSequence != before.MediaSequence {
				t.Errorf("segments %d to %d are left, want %d to %d", after.MediaSequence, after.Next(), before.MediaSequence, before.Next())
			}
			for i, s := range before.Segments {
				if got := after.Segments[i]; got.URI != s.URI || got.Duration != s.Duration || got.Gap {
					t.Errorf("segment %d was %+v and is %+v", i, s, got)
				}
			}
			again := mediatest.Stream{Duration: 5 * time.Second, Start: time.Hour}
			h.play(h.publish(again.Tracks(), true), again.Frames())
			// Where the sound of the open segment is left and its picture is not, there is a gap.
			if lost := strings.Count(string(h.get(h.url(h.lesson, "v0/replay.m3u8"))), "GAP"); lost > 1 {
				t.Errorf("%d segments are lost", lost)
			}
			ffmpeg(t, h.url(h.lesson, "lesson.mp4"))
		})
	}
}

// FLT-15: the disk fills up, and is cleared again.
func TestFLT15(t *testing.T) {
	t.Parallel()
	stream := mediatest.Stream{Duration: 3 * time.Minute, FPS: 5, GOP: 10, NoAudio: true, Padding: 1000}
	for _, test := range []struct {
		name  string
		fill  func(d *sickDisk, store *storagetest.Faulty)
		clear func(d *sickDisk, store *storagetest.Faulty)
		lost  bool
	}{
		{"disk", func(d *sickDisk, _ *storagetest.Faulty) { d.setFull(true) }, func(d *sickDisk, _ *storagetest.Faulty) { d.setFull(false) }, false},
		{"disk and store", func(d *sickDisk, s *storagetest.Faulty) {
			d.setFull(true)
			s.Set(storagetest.Down(storage.ErrFull))
		}, func(d *sickDisk, s *storagetest.Faulty) {
			d.setFull(false)
			s.Set(nil)
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var disk sickDisk
			change := func(c *hls.Config) {
				disk.inject(c)
				c.Memory = 300_000
			}
			fault(t, change, func(h *house, store *storagetest.Faulty) {
				a := h.onTheAir(stream)
				a.until(20 * time.Second)
				test.fill(&disk, store)
				a.until(140 * time.Second)
				if !h.warned(media.StorageDown, "spool") {
					t.Errorf("status with a full disk is %+v", h.Status(h.lesson))
				}
				if s := h.Status(h.lesson); s.Lost > 0 != test.lost {
					t.Errorf("%d segments are lost, want some: %t", s.Lost, test.lost)
				}
				test.clear(&disk, store)
				before := disk.files()
				a.until(170 * time.Second)
				if s := h.Status(h.lesson); len(s.Warnings) > 0 || disk.files() == before {
					t.Errorf("status after the disk was cleared is %+v, with %d new files; want that all is well", s, disk.files()-before)
				}
				a.finish()
				lost := sameProgramme(t, a.live, a.fromStore(5*time.Minute))
				if lost > 0 != test.lost || lost > 60 {
					t.Errorf("%d segments are gaps in the recording, want some: %t", lost, test.lost)
				}
			})
		})
	}
}

// FLT-15, second half: what the journal could not take while the disk was full it has when it was cleared.
func TestFLT15Restart(t *testing.T) {
	t.Parallel()
	var disk sickDisk
	fault(t, disk.inject, func(h *house, store *storagetest.Faulty) {
		a := h.onTheAir(mediatest.Stream{Duration: time.Minute, FPS: 5, GOP: 10, NoAudio: true})
		a.until(20 * time.Second)
		disk.setFull(true)
		a.until(40 * time.Second)
		disk.setFull(false)
		a.finish()
		store.Set(storagetest.Down(errAway)) // the recording is not archived
		h.stop()
		store.Set(nil)
		h.start()
		if lost := sameProgramme(t, a.live, a.replay()); lost > 0 {
			t.Errorf("%d segments are forgotten", lost)
		}
	})
}

// FLT-16: a disk that once failed to sync is not believed any more, whatever it says then, for no lesson.
func TestFLT16(t *testing.T) {
	t.Parallel()
	disk := sickDisk{badSync: 8}
	fault(t, disk.inject, func(h *house, _ *storagetest.Faulty) {
		a := h.onTheAir(mediatest.Stream{Duration: time.Minute, FPS: 5, GOP: 10, NoAudio: true})
		a.until(40 * time.Second)
		if n := disk.files(); n != 8 && n != 9 {
			t.Errorf("%d files of segments, want none after the eighth could not be synced", n)
		}
		if !h.warned(media.StorageDown, "spool") {
			t.Errorf("status is %+v, want a warning", h.Status(h.lesson))
		}
		for name, n := range disk.syncs {
			if strings.HasSuffix(name, ".m4s") && n > 1 {
				t.Errorf("%s was synced %d times: what the first one lost the second does not bring back", name, n)
			}
		}

		// Another lesson on the same disk.
		other := media.NewID()
		stream := mediatest.Stream{Duration: 10 * time.Second, FPS: 5, GOP: 10, NoAudio: true}
		in, err := h.Input(context.Background(), media.Grant{Publisher: 99, Lesson: other, Live: true}, stream.Tracks())
		if err != nil {
			t.Fatal(err)
		}
		h.write(in, stream.Frames()...)
		if err := h.End(context.Background(), other); err != nil {
			t.Fatal(err)
		}

		a.finish()
		if lost := sameProgramme(t, a.live, a.fromStore(5*time.Minute)); lost > 0 {
			t.Errorf("%d segments are lost", lost)
		}
		if w := h.ask("GET", h.path(other)+"v0/replay.m3u8"); w.Code != 200 || strings.Contains(w.Body.String(), "GAP") {
			t.Errorf("recording of the other lesson: %d\n%s", w.Code, w.Body)
		}
		if n := disk.files(); n > 9 {
			t.Errorf("%d files of segments, want none after the disk failed to sync", n)
		}

		// A restart believes it again: somebody may have mended it.
		h.lesson = media.NewID()
		h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
		h.waitFor("the spool to be used", func() bool { return disk.files() > 9 })
	})
}
