package hls_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// house is an origin with a server in front, as tests want it.
type house struct {
	*hls.Origin
	t       *testing.T
	clock   *clock
	cfg     hls.Config
	server  *httptest.Server
	minter  *ticket.Minter
	stop    func() // ends Run and waits for it
	lesson  media.ID
	teacher media.ID
	rate    int // ticks per second of track 0 of what was published last
}

func newHouse(t *testing.T, change ...func(*hls.Config)) *house {
	t.Helper()
	h := newDarkHouse(t, change...)
	h.listen()
	return h
}

// newDarkHouse returns one without a server: in a bubble of fake time, nobody may wait for the network.
func newDarkHouse(t *testing.T, change ...func(*hls.Config)) *house {
	t.Helper()
	key, err := ticket.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	minter, err := ticket.New(key)
	if err != nil {
		t.Fatal(err)
	}
	clock := &clock{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	cfg := hls.Config{
		Now:   clock.read,
		Store: memory.New(memory.Config{}), Tickets: minter, Spool: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, f := range change {
		f(&cfg)
	}
	h := &house{t: t, clock: clock, cfg: cfg, minter: minter, lesson: media.NewID(), teacher: media.NewID(), rate: 90000}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// clock is the origin's clock. It goes as fast as frames are written.
type clock struct {
	mu  sync.Mutex
	now time.Time
	at  time.Duration // media time of the newest frame
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets d go by.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// follow lets the time go by that lies between media time at and the newest before.
func (c *clock) follow(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if step := at - c.at; step > 0 && step < time.Second {
		c.now = c.now.Add(step)
	}
	c.at = at
}

func (h *house) start() {
	h.t.Helper()
	o, err := hls.Open(h.cfg)
	if err != nil {
		h.t.Fatal("open origin:", err)
	}
	h.Origin = o
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }() // ends in stop
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error("run origin:", err)
		}
		h.stop = func() {}
	}
}

func (h *house) listen() {
	server := httptest.NewServer(h.Handler())
	h.server = server
	h.t.Cleanup(server.Close)
}

// url returns the address of something in a channel, with a good ticket.
func (h *house) url(channel media.ID, name string) string {
	return fmt.Sprintf("%s%s%s", h.server.URL, h.path(channel), name)
}

func (h *house) path(channel media.ID) string {
	text := h.minter.Mint(ticket.Claims{Channel: channel, Viewer: 1, Expires: h.clock.read().Add(time.Hour)})
	return fmt.Sprintf("/p/%s/l/%s/", text, channel)
}

// publish opens an Input: into the lesson when live is set, else into the teacher's preview.
func (h *house) publish(tracks []media.Track, live bool) *hls.Input {
	h.t.Helper()
	g := media.Grant{Broadcast: media.NewID(), Publisher: h.teacher, Lesson: h.lesson, Live: live}
	h.rate = tracks[0].Clock
	in, err := h.Input(context.Background(), g, tracks)
	if err != nil {
		h.t.Fatal("open input:", err)
	}
	return in
}

func (h *house) write(in *hls.Input, frames ...*media.Frame) {
	h.t.Helper()
	for i, f := range frames {
		if f.Track == 0 {
			h.clock.follow(f.DTS.Duration(h.rate))
		}
		if err := in.Write(f); err != nil {
			h.t.Fatalf("write frame %d: %v", i, err)
		}
	}
}

func (h *house) end() {
	h.t.Helper()
	if err := h.End(context.Background(), h.lesson); err != nil {
		h.t.Fatal("end lesson:", err)
	}
}

// play writes the frames and ends the lesson, while a strict player follows. The writer is never more than a few
// parts ahead of the player, so that the live edge is what is tested.
func (h *house) play(in *hls.Input, frames []*media.Frame) []*hlstest.Rendition {
	h.t.Helper()
	turns := make(chan struct{}, 1000)
	player := hlstest.Player{Stop: func(*hlstest.Rendition) bool { turns <- struct{}{}; return false }}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for len(frames) > 0 {
			n := h.ahead(frames, 600*time.Millisecond)
			h.write(in, frames[:n]...)
			frames = frames[n:]
			if h.Status(h.lesson).Live {
				select {
				case <-turns:
				case <-time.After(50 * time.Millisecond): // one reload may have brought two parts
				}
			}
		}
		h.end()
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, all, err := player.Collect(ctx, h.url(h.lesson, "index.m3u8"))
	close(turns)
	if err != nil {
		h.t.Error("play:", err)
	}
	return all
}

// ahead returns how many frames there are before one that is d later than the first.
func (h *house) ahead(frames []*media.Frame, d time.Duration) int {
	first := media.Ticks(-1)
	for i, f := range frames {
		switch {
		case f.Track != 0:
		case first < 0:
			first = f.DTS
		case f.DTS-first > media.TicksOf(d, h.rate):
			return i
		}
	}
	return len(frames)
}

// sameUnits holds what a viewer got against what was written: every access unit once, in order, with its times.
func sameUnits(t *testing.T, what string, got []hlstest.Unit, frames []*media.Frame, track int, origin media.Ticks) {
	t.Helper()
	var want []*media.Frame
	for _, f := range frames {
		if f.Track == track && f.DTS >= origin {
			want = append(want, f)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d access units, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if !bytes.Equal(g.Data, w.Data) {
			t.Fatalf("%s: access unit %d is not the frame that was written %d-th", what, i, i)
		}
		if g.DTS != int64(w.DTS-origin) || g.PTS != int64(w.PTS()-origin) || g.Sync != w.Sync {
			t.Fatalf("%s: access unit %d at %d/%d sync %t, want %d/%d %t", what, i, g.DTS, g.PTS, g.Sync, w.DTS-origin, w.PTS()-origin, w.Sync)
		}
	}
}

func TestLive(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream mediatest.Stream
	}{
		{"plain", mediatest.Stream{Duration: 20 * time.Second}},
		{"B pictures", mediatest.Stream{Duration: 12 * time.Second, BFrames: 2, FPS: 25}},
		{"not from zero", mediatest.Stream{Duration: 7 * time.Second, Start: 5 * time.Hour}},
		{"long groups", mediatest.Stream{Duration: 20 * time.Second, FPS: 15, GOP: 125}},
		{"short groups", mediatest.Stream{Duration: 9 * time.Second, GOP: 15}},
		{"44.1 kHz mono", mediatest.Stream{Duration: 9 * time.Second, SampleRate: 44100, Channels: 1}},
		{"no sound", mediatest.Stream{Duration: 9 * time.Second, NoAudio: true}},
		{"sound alone", mediatest.Stream{Duration: 9 * time.Second, NoVideo: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			in := h.publish(test.stream.Tracks(), true)
			frames := test.stream.Frames()
			all := h.play(in, frames)
			for _, r := range all {
				origin := media.TicksOf(test.stream.Start, 90000)
				sound := media.TicksOf(test.stream.Start, max(test.stream.SampleRate, 48000))
				if test.stream.SampleRate != 0 {
					sound = media.TicksOf(test.stream.Start, test.stream.SampleRate)
				}
				last := path.Base(path.Dir(r.URI))
				switch {
				case test.stream.NoVideo:
					sameUnits(t, last, r.Track(1), frames, 0, sound)
				case last == "a0":
					sameUnits(t, last, r.Track(1), frames, 1, sound)
				default:
					sameUnits(t, last+" picture", r.Track(1), frames, 0, origin)
					if !test.stream.NoAudio {
						sameUnits(t, last+" sound", r.Track(2), frames, 1, sound)
					}
				}
			}
		})
	}
}

// playlist returns a media playlist of the lesson, as it is now.
func (h *house) playlist(name string) *hlstest.Playlist {
	h.t.Helper()
	p, err := hlstest.Parse(h.get(h.url(h.lesson, name)))
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return p
}

// get fetches an address that must be there.
func (h *house) get(address string) []byte {
	h.t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("GET %s: %s, %v", path.Base(address), resp.Status, err)
	}
	return b
}

// collect plays everything of the lesson.
func (h *house) collect(name string) (*hlstest.Index, []*hlstest.Rendition) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var p hlstest.Player
	index, all, err := p.Collect(ctx, h.url(h.lesson, name))
	if err != nil {
		h.t.Fatalf("collect %s: %v", name, err)
	}
	return index, all
}
