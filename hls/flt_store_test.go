package hls_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// fault runs a lesson in a bubble on a store that can fail.
func fault(t *testing.T, change func(*hls.Config), f func(h *house, store *storagetest.Faulty)) {
	synctest.Test(t, func(t *testing.T) {
		store := storagetest.NewFaulty(memory.New(memory.Config{}))
		h := newDarkHouse(t, func(c *hls.Config) { c.Now, c.Store = time.Now, store }, change)
		h.clock.now = time.Now()
		f(h, store)
	})
}

func unchanged(*hls.Config) {}

func (h *house) warned(code media.Code, detail string) bool {
	return slices.ContainsFunc(h.Status(h.lesson).Warnings, func(w media.Warning) bool { return w.Code == code && w.Detail == detail })
}

// FLT-07: the object store needs 3 s for everything.
func TestFLT07(t *testing.T) {
	t.Parallel()
	fault(t, func(c *hls.Config) { c.Uploads = 2 }, func(h *house, store *storagetest.Faulty) {
		store.Set(storagetest.Slow(3 * time.Second))
		a := h.onTheAir(mediatest.Stream{Duration: 2 * time.Minute, FPS: 5, GOP: 10, NoAudio: true})
		a.until(100 * time.Second)
		if s := h.Status(h.lesson); s.Unstored == 0 || s.UnstoredAge < 20*time.Second || !h.warned(media.StorageSlow, "store") {
			t.Errorf("status with a slow store is %+v, want the lag and a warning", s)
		}
		a.finish()
		if lost := sameProgramme(t, a.live, a.fromStore(10*time.Minute)); lost > 0 {
			t.Errorf("%d segments are lost", lost)
		}
	})
}

// FLT-08: the object store is away for 60 s, in every way there is.
func TestFLT08(t *testing.T) {
	t.Parallel()
	fault(t, unchanged, func(h *house, store *storagetest.Faulty) {
		random := rand.New(rand.NewPCG(1, 8))
		away := func(storagetest.Op, string) storagetest.Fault {
			return []storagetest.Fault{
				{Err: errAway},
				{Err: errors.New("503 slow down"), Delay: time.Second},
				{Lost: errAway},
				{Delay: time.Hour}, // until somebody gives up
				{Err: errors.New("500 internal error")},
			}[random.IntN(5)]
		}
		a := h.onTheAir(mediatest.Stream{Duration: 100 * time.Second, FPS: 5, GOP: 10})
		a.until(20 * time.Second)
		store.Set(away)
		a.until(80 * time.Second)
		if s := h.Status(h.lesson); s.Unstored < 40 || len(s.Warnings) == 0 {
			t.Errorf("status after a minute is %+v, want what waits and a warning", s)
		}
		store.Set(nil)
		mended := time.Now()
		a.finish()
		recording := a.fromStore(5*time.Minute - time.Since(mended))
		if lost := sameProgramme(t, a.live, recording); lost > 0 {
			t.Errorf("%d segments are lost", lost)
		}
	})
}

// auditor reads every index that goes by, and asks the store whether it has what is called stored there.
type auditor struct {
	storage.Store
	truth storage.Store
	t     *testing.T
	seen  int
}

func (a *auditor) Put(ctx context.Context, name string, c storage.Content) error {
	if folder, ok := bytes.CutSuffix([]byte(name), []byte("journal.jsonl")); ok {
		b, err := io.ReadAll(c.Reader())
		if err != nil {
			return err
		}
		a.audit(ctx, string(folder), b)
	}
	return a.Store.Put(ctx, name, c)
}

func (a *auditor) audit(ctx context.Context, folder string, index []byte) {
	type line struct {
		Kind      string `json:"k"`
		Rendition string `json:"r"`
		MSN       int    `json:"n"`
		Tag       string `json:"e"`
		Bytes     int64
		Sum       storage.Sum `json:"sha256"` // of a line "stored"
		CRC       uint32      `json:"crc32c"` // of a line "seg"
	}
	segments := map[string]line{}
	for text := range bytes.Lines(index) {
		var l line
		if err := json.Unmarshal(text[9:], &l); err != nil {
			a.t.Errorf("line of an index: %v: %s", err, text)
		}
		key := fmt.Sprint(l.Rendition, l.MSN)
		switch l.Kind {
		case "seg":
			segments[key] = l
		case "stored":
			s := segments[key]
			name := fmt.Sprintf("%s%s/%s/%d.m4s", folder, s.Tag, s.Rendition, s.MSN)
			b, err := a.read(ctx, name)
			if crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)); err != nil || int64(len(b)) != s.Bytes || storage.Bytes(b).Sum != l.Sum || crc != s.CRC {
				a.t.Errorf("%s is called stored: %d bytes, CRC %08x, %v; want %+v and %+v", name, len(b), crc, err, s, l)
			}
			a.seen++
		}
	}
}

func (a *auditor) read(ctx context.Context, name string) ([]byte, error) {
	o, err := a.truth.Get(ctx, name, storage.Range{})
	if err != nil {
		return nil, err
	}
	defer o.Body.Close()
	return io.ReadAll(o.Body)
}

// FLT-09: the object store says that all is well and has half of it, or nothing.
func TestFLT09(t *testing.T) {
	t.Parallel()
	var audits *auditor
	change := func(c *hls.Config) {
		truth := memory.New(memory.Config{})
		store := storagetest.NewFaulty(truth)
		half, puts := storagetest.HalfEvery(10), 0
		store.Set(func(op storagetest.Op, name string) storagetest.Fault {
			if op == storagetest.Put {
				puts++
			}
			if f := half(op, name); op != storagetest.Put || puts%13 > 0 {
				return f
			}
			return storagetest.Fault{NoPut: true}
		})
		audits = &auditor{Store: store, truth: truth, t: t}
		c.Store = audits
	}
	fault(t, change, func(h *house, _ *storagetest.Faulty) {
		a := h.onTheAir(mediatest.Stream{Duration: 6 * time.Minute, FPS: 5, GOP: 10, NoAudio: true})
		a.finish()
		recording := a.fromStore(5 * time.Minute)
		if lost := sameProgramme(t, a.live, recording); lost > 0 {
			t.Errorf("%d segments are lost", lost)
		}
		if audits.seen < 140+180 {
			t.Errorf("%d segments were called stored, want those of an index on the way and of the last one", audits.seen)
		}
	})
}

// FLT-10: the object store is full, or lets us in no more, for longer than the spool lasts.
func TestFLT10(t *testing.T) {
	t.Parallel()
	for _, err := range []error{storage.ErrFull, storage.ErrDenied} {
		t.Run(err.Error(), func(t *testing.T) {
			change := func(c *hls.Config) { c.SpoolLimit, c.Memory = 500_000, 300_000 }
			fault(t, change, func(h *house, store *storagetest.Faulty) {
				a := h.onTheAir(mediatest.Stream{Duration: 4 * time.Minute, FPS: 5, GOP: 10, NoAudio: true, Padding: 1000})
				a.until(10 * time.Second)
				store.Set(storagetest.Down(err))
				a.until(70 * time.Second)
				if !h.warned(media.StorageSlow, "spool") || h.Status(h.lesson).Lost > 0 {
					t.Errorf("status with a spool more than half full: %+v, want the alarm and nothing lost", h.Status(h.lesson))
				}
				a.until(200 * time.Second)
				if s := h.Status(h.lesson); s.Lost == 0 || !h.warned(media.StorageDown, "spool") || !h.warned(media.StorageDown, "store") {
					t.Errorf("status with a full spool: %+v, want an incomplete recording and warnings", s)
				}
				store.Set(nil)
				a.finish()
				lost := sameProgramme(t, a.live, a.fromStore(5*time.Minute))
				if lost == 0 || lost > 75 {
					t.Errorf("%d of 120 segments are gaps, want those for which nobody had room", lost)
				}
				if s := a.live[0].Segments; s[len(s)-1].Gap || len(s) != 120 {
					t.Errorf("%d segments were live, the last one %+v", len(s), s[len(s)-1])
				}
			})
		})
	}
}
