package conformance_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"chalkcast/e2e/conformance"
	"chalkcast/hls"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// origin is a server that keeps the rules: the real one, behind a socket, with one lesson.
type origin struct {
	*hls.Origin
	t      *testing.T
	url    string
	lesson media.ID
	input  *hls.Input

	mu  sync.Mutex
	now time.Time // goes as fast as frames are written
}

func newOrigin(t *testing.T, stream mediatest.Stream) *origin {
	t.Helper()
	key, err := ticket.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	minter, err := ticket.New(key)
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{t: t, lesson: media.NewID(), now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	o.Origin, err = hls.Open(hls.Config{
		Store: memory.New(memory.Config{}), Tickets: minter, Spool: t.TempDir(), Now: o.clock,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }() // ends in the cleanup
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("run origin:", err)
		}
	})
	server := httptest.NewServer(o.Handler())
	t.Cleanup(server.Close)
	text := minter.Mint(ticket.Claims{Channel: o.lesson, Viewer: 1, Expires: o.clock().Add(6 * time.Hour)})
	o.url = fmt.Sprintf("%s/p/%s/l/%s/index.m3u8", server.URL, text, o.lesson)
	o.input, err = o.Input(ctx, media.Grant{Broadcast: media.NewID(), Publisher: media.NewID(), Lesson: o.lesson, Live: true}, stream.Tracks())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *origin) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

// write writes a frame at its time.
func (o *origin) write(stream mediatest.Stream, f *media.Frame) {
	clock := stream.Tracks()[f.Track].Clock
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).Add(f.DTS.Duration(clock))
	o.mu.Lock()
	if at.After(o.now) {
		o.now = at
	}
	o.mu.Unlock()
	if err := o.input.Write(f); err != nil {
		o.t.Errorf("write: %v", err)
	}
}

// stream is small, has pictures that refer to later ones, and is longer than what a delta update leaves out.
var stream = mediatest.Stream{Duration: 40 * time.Second, Width: 64, Height: 48, FPS: 15, GOP: 30, BFrames: 2, Padding: 500}

func newReplay(t *testing.T) *origin {
	t.Helper()
	o := newOrigin(t, stream)
	for _, f := range stream.Frames() {
		o.write(stream, f)
	}
	if err := o.End(context.Background(), o.lesson); err != nil {
		t.Fatal(err)
	}
	return o
}

// speed is how much faster than a clock the lessons of these tests go.
const speed = 4

// newLive is on air, 30 s after its beginning, until the test ends.
func newLive(t *testing.T) *origin {
	t.Helper()
	endless := stream
	endless.Duration = 4 * time.Minute
	frames := endless.Frames()
	o := newOrigin(t, endless)
	n := slices.IndexFunc(frames, func(f *media.Frame) bool { return f.DTS >= 30*90000 && f.Track == 0 })
	for _, f := range frames[:n] {
		o.write(endless, f)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // ends in the cleanup
		defer close(done)
		o.play(endless, frames[n:], stop)
	}()
	t.Cleanup(func() { close(stop); <-done })
	return o
}

func (o *origin) play(s mediatest.Stream, frames []*media.Frame, stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began, from := time.Now(), frames[0].DTS; len(frames) > 0; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		until := from + media.TicksOf(speed*time.Since(began), 90000)
		for len(frames) > 0 && (frames[0].Track != 0 || frames[0].DTS < until) {
			o.write(s, frames[0])
			frames = frames[1:]
		}
	}
}

func check(t *testing.T, cfg conformance.Config) *conformance.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	report, err := conformance.Check(ctx, cfg)
	if err != nil {
		t.Fatalf("check: %v\n%v", err, report)
	}
	return report
}

func TestReplayKeepsTheRules(t *testing.T) {
	t.Parallel()
	report := check(t, conformance.Config{URL: newReplay(t).url})
	if len(report.Findings) > 0 || len(report.Renditions) != 2 || report.Renditions[0].Segments != 20 || report.Renditions[0].Live {
		t.Errorf("replay of 40 s in two renditions: %v", report)
	}
}

func TestLiveKeepsTheRules(t *testing.T) {
	t.Parallel()
	report := check(t, conformance.Config{URL: newLive(t).url})
	if len(report.Findings) > 0 || len(report.Renditions) != 2 || !report.Renditions[0].Live || report.Renditions[0].Parts < 12 {
		t.Errorf("live: %v", report)
	}
}
