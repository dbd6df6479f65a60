package hls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
)

// crash abandons the origin as SIGKILL does, after the spool has had what was queued, and opens another one on
// what lies on the disk.
func (h *house) crash(damage func(folder string)) {
	h.t.Helper()
	copied := h.t.TempDir()
	h.waitFor("the spool to be written", h.spoolQuiet)
	if err := os.CopyFS(copied, os.DirFS(h.cfg.Spool)); err != nil {
		h.t.Fatal(err)
	}
	h.stop()
	if damage != nil {
		damage(filepath.Join(copied, h.lesson.String()))
	}
	h.cfg.Spool = copied
	h.start()
	h.listen()
}

// spoolQuiet reports whether the spool has everything that was published.
func (h *house) spoolQuiet() bool {
	p := h.playlist("v0/live.m3u8")
	journal, err := os.ReadFile(filepath.Join(h.cfg.Spool, h.lesson.String(), "journal.jsonl"))
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Count(string(journal), `"k":"seg","r":"v0"`) >= p.Next() &&
		strings.Count(string(journal[bytes.LastIndex(journal, []byte(`"k":"seg","r":"v0"`)):]), `"k":"part","r":"v0"`) >= len(p.Open.Parts)
}

// waitFor asks until something is so; there is no event for it, as nobody outside would need one.
func (h *house) waitFor(what string, so func() bool) {
	h.t.Helper()
	h.within(time.Minute, what, so)
}

func (h *house) within(limit time.Duration, what string, so func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(limit)
	for !so() {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain for %s; the lesson is %+v", what, h.Status(h.lesson))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestCrashKeepsNumbersAndParts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, folder string)
		lost   int // parts that may be gone
	}{
		{"clean", func(*testing.T, string) {}, 0},
		{"torn line", func(t *testing.T, folder string) {
			change(t, filepath.Join(folder, "journal.jsonl"), func(b []byte) []byte { return b[:len(b)-7] })
		}, 1},
		{"zeros at the end", func(t *testing.T, folder string) {
			change(t, filepath.Join(folder, "journal.jsonl"), func(b []byte) []byte { return append(b[:len(b)-20], make([]byte, 20)...) })
		}, 1},
		{"last part half written", func(t *testing.T, folder string) {
			change(t, newest(t, folder, ".v0."), func(b []byte) []byte { return b[:len(b)-10] })
		}, 1},
		{"last part written as zeros", func(t *testing.T, folder string) {
			change(t, newest(t, folder, ".v0."), func(b []byte) []byte { clear(b[len(b)-100:]); return b })
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			stream := mediatest.Stream{Duration: 9 * time.Second}
			h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
			before := h.playlist("v0/live.m3u8")
			h.crash(func(folder string) { test.damage(t, folder) })

			after := h.playlist("v0/live.m3u8")
			if after.Next() != before.Next()+1 {
				t.Errorf("the next segment is %d, want %d: one more than the open one was", after.Next(), before.Next()+1)
			}
			for i, s := range before.Segments {
				got := after.Segments[i]
				if got.URI != s.URI || got.Duration != s.Duration || !got.At.Equal(s.At) || got.Map != s.Map {
					t.Errorf("segment %d was %+v and is %+v", i, s, got)
				}
				h.get(h.url(h.lesson, "v0/"+s.URI))
			}
			kept := after.Segments[len(after.Segments)-1].Parts
			if want := len(before.Open.Parts) - test.lost; len(kept) < want {
				t.Errorf("%d parts of the open segment are left, want %d", len(kept), want)
			}
			for _, p := range kept {
				h.get(h.url(h.lesson, "v0/"+p.URI))
			}

			h.clock.pass(7*time.Second + 12345*time.Microsecond)
			again := mediatest.Stream{Duration: 5 * time.Second, Start: time.Hour}
			for _, r := range h.play(h.publish(again.Tracks(), true), again.Frames()) {
				first := r.Segments[after.Next()]
				if !first.Discontinuity || first.Map == r.Segments[0].Map {
					t.Errorf("after the crash comes %+v, want a discontinuity and another init segment", first)
				}
				if gap := first.At.Sub(r.Segments[after.Next()-1].At); gap < 7*time.Second {
					t.Errorf("the programme goes on %v after the segment before, want the outage in between", gap)
				}
			}
		})
	}
}

// A crash within the first segment: what was published is there, and lengths are frozen for good.
func TestCrashInFirstSegment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 1700 * time.Millisecond}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.waitFor("three parts in the journal", func() bool {
		b, err := os.ReadFile(filepath.Join(h.cfg.Spool, h.lesson.String(), "journal.jsonl"))
		return err == nil && strings.Count(string(b), `"k":"part","r":"v0"`) == 3
	})
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(h.cfg.Spool)); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.cfg.Spool = copied
	for range 2 {
		h.start()
		h.listen()
		p, err := hlstest.Parse(h.get(h.url(h.lesson, "v0/live.m3u8")))
		if err != nil || p.TargetDuration != 2 || p.PartTarget < .5 || len(p.Segments) != 1 || len(p.Segments[0].Parts) != 3 {
			t.Errorf("after a crash: %+v, %v; want a segment of three parts and frozen lengths", p, err)
		}
		h.stop()
	}
	h.start()
	h.listen()
	again := mediatest.Stream{Duration: 5 * time.Second, Start: time.Hour}
	h.play(h.publish(again.Tracks(), true), again.Frames())
}

// The sound's first part was on the disk when the server was killed, the picture's was not: both go on with the same
// number.
func TestCrashKeepsRenditionsInStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 5 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.crash(func(folder string) {
		keepLines(t, folder, func(line string) bool {
			first := strings.Contains(line, `"k":"part","r":"a0","e"`) // no number: 0
			return first || strings.Contains(line, `"k":"lesson"`) || strings.Contains(line, `"k":"init"`)
		})
	})
	again := mediatest.Stream{Duration: 5 * time.Second, Start: time.Hour}
	for i, r := range h.play(h.publish(again.Tracks(), true), again.Frames()) {
		if last := r.Segments[len(r.Segments)-1]; last.MSN != 3 || last.Disc != 1 {
			t.Errorf("rendition %d ends with segment %d after %d breaks, want 3 after 1", i, last.MSN, last.Disc)
		}
	}
}

// A line in the middle of the journal is damaged: its segment is a gap, as long as it was.
func TestLostLineIsAGap(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 9 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	before := h.playlist("v0/live.m3u8")
	h.crash(func(folder string) {
		keepLines(t, folder, func(line string) bool { return !strings.Contains(line, `"k":"seg","r":"v0","n":1,`) })
	})
	after := h.playlist("v0/live.m3u8")
	for i, s := range before.Segments {
		if got := after.Segments[i]; got.MSN != s.MSN || got.Duration != s.Duration || !got.At.Equal(s.At) || got.Gap != (i == 1) {
			t.Errorf("segment %d was %+v and is %+v", i, s, got)
		}
	}
}

// A crash lost the line that says that a segment is stored, and its file is gone from the spool: the store is asked, and is
// believed when it has the very bytes.
func TestLostStoredLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meddle func(ctx context.Context, s storage.Store, object string, b []byte) error
		lost   int
	}{
		"the store has it": {func(context.Context, storage.Store, string, []byte) error { return nil }, 0},
		"the store has it not": {func(ctx context.Context, s storage.Store, object string, _ []byte) error {
			return s.Delete(ctx, object)
		}, 1},
		"the store has half": {func(ctx context.Context, s storage.Store, object string, b []byte) error {
			return s.Put(ctx, object, storage.Bytes(b[:len(b)/2]))
		}, 1},
		"the store has another": {func(ctx context.Context, s storage.Store, object string, b []byte) error {
			return s.Put(ctx, object, storage.Bytes(flipped(b)))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			stream := mediatest.Stream{Duration: 9 * time.Second}
			h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
			h.waitFor("segments to be stored", func() bool { return h.Status(h.lesson).Unstored == 0 })
			address := h.url(h.lesson, "v0/"+h.playlist("v0/live.m3u8").Segments[1].URI)
			b := h.get(address)
			h.crash(func(folder string) {
				keepLines(t, folder, func(line string) bool { return !strings.Contains(line, `"k":"stored","r":"v0","n":1`) })
				files, err := filepath.Glob(filepath.Join(folder, "*.v0.1.m4s"))
				if err != nil || len(files) != 1 {
					t.Fatalf("files of the segment: %q, %v", files, err)
				}
				tag, _, _ := strings.Cut(filepath.Base(files[0]), ".")
				object := fmt.Sprintf("lessons/%s/%s/v0/1.m4s", h.lesson, tag)
				if err := errors.Join(os.Remove(files[0]), test.meddle(t.Context(), h.cfg.Store, object, b)); err != nil {
					t.Fatal(err)
				}
			})
			h.waitFor("the store to be asked", func() bool { return h.Status(h.lesson).Unstored == 0 })
			if lost := h.Status(h.lesson).Lost; lost != test.lost {
				t.Errorf("%d segments are lost, want %d", lost, test.lost)
			}
			if test.lost == 0 && !bytes.Equal(h.get(address), b) {
				t.Error("the segment is not what it was")
			}
		})
	}
}

// flipped returns b with one bit changed.
func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/3] ^= 0x10
	return b
}

// keepLines drops lines of a journal.
func keepLines(t *testing.T, folder string, keep func(line string) bool) {
	t.Helper()
	change(t, filepath.Join(folder, "journal.jsonl"), func(b []byte) (kept []byte) {
		for line := range strings.Lines(string(b)) {
			if keep(line) {
				kept = append(kept, line...)
			}
		}
		return kept
	})
}

func change(t *testing.T, name string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// newest returns the file of the highest segment.
func newest(t *testing.T, folder, rendition string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*"+rendition+"*.m4s"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no files of %s in %s: %v", rendition, folder, err)
	}
	return all[len(all)-1]
}

func TestRestartAfterEndKeepsRecording(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 9 * time.Second}
	frames := stream.Frames()
	h.write(h.publish(stream.Tracks(), true), frames...)
	h.end()
	h.waitFor("the recording to be archived", h.archived)
	h.stop()
	h.start()
	h.listen()
	_, all := h.collect("index.m3u8")
	sameUnits(t, "v0 picture", all[0].Track(1), frames, 0, 0)
	sameUnits(t, "v0 sound", all[0].Track(2), frames, 1, 0)
	sameUnits(t, "a0", all[1].Track(1), frames, 1, 0)
	if err := h.GoLive(context.Background(), h.lesson, h.teacher); err == nil {
		t.Error("GoLive of a lesson that has ended: no error")
	}
	in, err := h.Input(context.Background(), media.Grant{Publisher: h.teacher, Lesson: h.lesson, Live: true}, stream.Tracks())
	if err == nil {
		t.Errorf("Input into a lesson that has ended: %v, want an error", in)
	}
}

func TestReconnectWithOtherParameters(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var want []string
	for i, stream := range []mediatest.Stream{
		{Duration: 5 * time.Second, Width: 640, Height: 360},
		{Duration: 5 * time.Second, Start: time.Minute, Width: 320, Height: 180, FPS: 25},
		{Duration: 5 * time.Second, NoVideo: true},
		{Duration: 5 * time.Second, SampleRate: 44100},
	} {
		in := h.publish(stream.Tracks(), true)
		h.write(in, stream.Frames()...)
		if err := in.Close(media.End{}); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(3 * time.Second)
		want = append(want, string(rune('0'+i)))
	}
	h.end()
	_, all := h.collect("replay.m3u8")
	for _, r := range all {
		maps, breaks := map[string]bool{}, 0
		for _, s := range r.Segments {
			maps[s.Map] = true
			if s.Discontinuity {
				breaks++
			}
		}
		if len(maps) != len(want) || breaks != len(want)-1 {
			t.Errorf("%s: %d init segments and %d discontinuities, want %d and %d", r.URI, len(maps), breaks, len(want), len(want)-1)
		}
	}
}

var _ interface {
	Write(*media.Frame) error
	Close(media.End) error
} = (*hls.Input)(nil)
