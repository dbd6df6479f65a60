package rtmp_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// ffmpeg runs the real program to its end.
func ffmpeg(t *testing.T, args ...string) string {
	t.Helper()
	var said bytes.Buffer
	c := exec.Command("ffmpeg", append([]string{"-hide_banner", "-nostdin", "-v", "warning"}, args...)...)
	c.Stdout, c.Stderr = &said, &said
	if err := c.Run(); err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, &said)
	}
	return said.String()
}

// file writes bytes where a program can read them.
func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFFmpegPublishesEveryFrame(t *testing.T) {
	for name, s := range map[string]mediatest.Stream{
		"no B frames":   {Duration: 4 * time.Second, Padding: 3000},
		"B frames":      {Duration: 4 * time.Second, BFrames: 2, Padding: 20000, FPS: 25, GOP: 50},
		"mono 44.1 kHz": {Duration: 4 * time.Second, Channels: 1, SampleRate: 44100},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			ffmpeg(t, "-i", file(t, "source.mp4", s.MP4()), "-c", "copy", "-f", "flv", p.url())
			if end := p.waitEnd(t, 1); !end.Stopped || end.Code != "" {
				t.Errorf("end %+v, want stopped by the teacher", end)
			}
			compare(t, s, p.recorder)
		})
	}
}

// compare holds what arrived against what was sent: every frame once, in order, byte for byte, in time to 1 ms.
func compare(t *testing.T, s mediatest.Stream, r *recorder) {
	t.Helper()
	tracks := s.Tracks()
	want := map[media.Kind][]*media.Frame{}
	for _, f := range s.Frames() {
		want[tracks[f.Track].Kind] = append(want[tracks[f.Track].Kind], f)
	}
	for _, track := range tracks {
		got, want := r.frames(track.Kind), want[track.Kind]
		if len(got) != len(want) {
			t.Fatalf("%v: got %d frames, want %d", track.Kind, len(got), len(want))
		}
		shift := got[0].DTS - want[0].DTS
		for i := range got {
			g, w := got[i], want[i]
			if mediatest.Number(g) != uint64(i) || !bytes.Equal(g.Data, w.Data) {
				t.Fatalf("%v %d: got frame %d, %d bytes; want %d bytes", track.Kind, i, mediatest.Number(g), len(g.Data), len(w.Data))
			}
			if g.Sync != w.Sync || g.Discontinuity {
				t.Errorf("%v %d: sync %v, want %v; discontinuity %v", track.Kind, i, g.Sync, w.Sync, g.Discontinuity)
			}
			ms := media.Ticks(track.Clock / 1000)
			if d := g.DTS - w.DTS - shift; d < -ms || d > ms {
				t.Errorf("%v %d: DTS %d ticks off", track.Kind, i, d)
			}
			if d := g.PTS() - w.PTS() - shift; d < -ms || d > ms {
				t.Errorf("%v %d: PTS %d ticks off", track.Kind, i, d)
			}
		}
	}
}
