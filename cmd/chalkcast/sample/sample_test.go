package sample

import (
	"context"
	"net"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/message"
)

func TestClipIsOneRound(t *testing.T) {
	c, err := Lesson()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.headers) != 2 {
		t.Errorf("sequence headers: got %d, want 2", len(c.headers))
	}
	if c.round != 24*time.Second {
		t.Errorf("a round lasts %v, want 24s", c.round)
	}
	var pictures, blocks, keyframes, reordered int
	for _, f := range c.oneRound() {
		switch {
		case f.audio != nil:
			blocks++
		case f.video.IsKeyFrame:
			keyframes++
			fallthrough
		default:
			pictures++
			if f.video.PTSDelta != 80*time.Millisecond {
				reordered++
			}
		}
	}
	if pictures != 600 || blocks != 1125 || keyframes != 12 {
		t.Errorf("pictures, blocks, keyframes: got %d, %d, %d, want 600, 1125, 12", pictures, blocks, keyframes)
	}
	if reordered == 0 {
		t.Error("no picture is shown out of the order it is sent in: the clip has lost its B-frames")
	}
	if all, err := Frames(); err != nil || len(all) != 600+1125+1 {
		t.Errorf("Frames: got %d, %v, want one block more than a round", len(all), err)
	}
	if len(clip) > 1<<20 {
		t.Errorf("clip: %d bytes, want at most 1 MB", len(clip))
	}
}

func TestReadRefusesWhatIsCutShort(t *testing.T) {
	for _, n := range []int{0, 5, fileHeaderBytes + 3, fileHeaderBytes + tagHeaderBytes + 2} {
		if _, err := Read(clip[:n]); err == nil {
			t.Errorf("read the first %d bytes: got no error", n)
		}
	}
}

// Three rounds: time goes on at the seam, each track in steps of its own length, and nothing is sent early.
func TestPlayGoesOnFromRoundToRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := Lesson()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*c.round)
		defer cancel()
		began := time.Now()
		last := map[bool]time.Duration{}
		count := 0
		check := func(isVideo bool, dts, least, most time.Duration) {
			if before, ok := last[isVideo]; ok && (dts-before < least || dts-before > most) {
				t.Errorf("video %v: frame at %v follows one at %v, want a step of %v to %v", isVideo, dts, before, least, most)
			}
			if late := time.Since(began) - dts; late < 0 || late > 60*time.Millisecond { // at a seam sound is 37 ms behind
				t.Errorf("frame of %v was sent %v after its time", dts, late)
			}
			last[isVideo] = dts
			count++
		}
		err = c.play(ctx, nil, func(m message.Message) error {
			switch m := m.(type) {
			case *message.Video:
				if m.Type == message.VideoTypeAU {
					check(true, m.DTS, 40*time.Millisecond, 40*time.Millisecond)
				}
			case *message.Audio:
				if m.AACType == message.AudioAACTypeAU {
					check(false, m.DTS, 21*time.Millisecond, 22*time.Millisecond)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("play until the context ends: %v, want no error", err)
		}
		if want := 3 * 1725; count < want-5 || count > want {
			t.Errorf("frames in three rounds: got %d, want about %d", count, want)
		}
	})
}

func TestPush(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make(chan string, 1000)
	go serve(l, seen)

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Push(ctx, "rtmp://"+l.Addr().String()+"/live/ck_abc") }()
	want := map[string]bool{"key ck_abc": true, "video header": true, "audio header": true, "keyframe": true, "picture": true, "sound": true}
	for len(want) > 0 {
		what, ok := <-seen
		if !ok {
			t.Fatalf("the publisher left; not yet heard: %v", want)
		}
		delete(want, what)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Push until the context ends: %v, want no error", err)
	}
	for what := range seen {
		if what == "deleteStream" {
			return
		}
	}
	t.Error("the server never heard deleteStream")
}

func TestPushReportsHangUpWithoutTheKey(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = Push(t.Context(), "rtmp://"+l.Addr().String()+"/live/ck_secret")
	if err == nil || strings.Contains(err.Error(), "ck_secret") {
		t.Errorf("Push to a closed port: %v, want an error without the key", err)
	}

	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			s := &gortmplib.ServerConn{RW: c}
			_ = s.Initialize()
			_ = s.AcceptConn()
			_ = s.AcceptAction()
			c.Close()
		}
	}()
	if err := Push(t.Context(), "rtmp://"+l.Addr().String()+"/live/ck_secret"); err == nil {
		t.Errorf("Push to a server that hangs up: %v, want an error", err)
	}
}

// serve accepts one publisher and tells what it hears; it closes seen when the publisher is gone.
func serve(l net.Listener, seen chan<- string) {
	defer close(seen)
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	s := &gortmplib.ServerConn{RW: c}
	if s.Initialize() != nil || s.AcceptConn() != nil || s.AcceptAction() != nil {
		return
	}
	seen <- "key " + path.Base(s.URL.Path)
	for {
		m, err := s.Read()
		if err != nil {
			return
		}
		seen <- name(m)
	}
}

func name(m message.Message) string {
	switch m := m.(type) {
	case *message.Video:
		switch {
		case m.Type == message.VideoTypeConfig:
			return "video header"
		case m.IsKeyFrame:
			return "keyframe"
		}
		return "picture"
	case *message.Audio:
		if m.AACType == message.AudioAACTypeConfig {
			return "audio header"
		}
		return "sound"
	case *message.CommandAMF0:
		return m.Name
	}
	return ""
}
