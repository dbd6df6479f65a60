package rtmp_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// probed is a packet as ffprobe sees it.
type probed struct {
	PTS, DTS int64
	Hash     string
	Key      bool
}

// probe lists the packets of a stream of a file, times in the stream's time base.
func probe(t *testing.T, path, selector string) (packets []probed) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", selector, "-show_entries", "packet=pts,dts,flags,data_hash",
		"-show_data_hash", "sha256", "-of", "json", path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var answer struct {
		Packets []struct {
			PTS, DTS int64
			Flags    string
			Hash     string `json:"data_hash"`
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	for _, p := range answer.Packets {
		packets = append(packets, probed{p.PTS, p.DTS, strings.TrimPrefix(p.Hash, "SHA256:"), strings.HasPrefix(p.Flags, "K")})
	}
	return packets
}

// A real encoder with a pyramid of B pictures: what ffprobe finds in the source is what arrives.
func TestX264WithPyramid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "source.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3", "-f", "lavfi", "-i", "sine=r=48000:d=3", "-c:v", "libx264", "-preset", "fast",
		"-pix_fmt", "yuv420p", "-bf", "3", "-g", "60", "-x264-params", "b-pyramid=normal", "-c:a", "aac", "-video_track_timescale", "90000", path)
	p := open(t)
	ffmpeg(t, "-i", path, "-c", "copy", "-f", "flv", p.url())
	p.waitEnd(t, 1)
	for kind, selector := range map[media.Kind]string{media.Video: "v", media.Audio: "a"} {
		want, got := probe(t, path, selector), p.recorder.frames(kind)
		if len(got) != len(want) || len(got) == 0 {
			t.Fatalf("%v: got %d frames, want %d", kind, len(got), len(want))
		}
		clock := int64(90000)
		if kind == media.Audio {
			clock = 48000
		}
		shift := int64(got[0].DTS) - want[0].DTS
		for i, w := range want {
			g := got[i]
			if hash := fmt.Sprintf("%x", sha256.Sum256(g.Data)); hash != w.Hash || g.Sync != w.Key {
				t.Fatalf("%v %d: other bytes, or sync %v instead of %v", kind, i, g.Sync, w.Key)
			}
			if d := max(abs(int64(g.DTS)-w.DTS-shift), abs(int64(g.PTS())-w.PTS-shift)); d > clock/1000 {
				t.Errorf("%v %d: %d ticks off", kind, i, d)
			}
		}
	}
	if p.encoder == "" {
		t.Error("the encoder has no name")
	}
}

func abs(v int64) int64 { return max(v, -v) }

func TestFFmpegIsToldWhy(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: time.Second}
	url := "rtmp://" + p.addr + "/live/" + media.NewKey().Text()
	out, err := exec.Command("ffmpeg", "-hide_banner", "-nostdin", "-i", file(t, "source.mp4", s.MP4()), "-c", "copy", "-f", "flv", url).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "The stream key is not valid") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFFmpegSendsMP3(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: time.Second}
	ffmpeg(t, "-i", file(t, "source.mp4", s.MP4()), "-c:v", "copy", "-c:a", "libmp3lame", "-f", "flv", p.url())
	p.waitEnd(t, 1)
	if v, a := len(p.recorder.frames(media.Video)), len(p.recorder.frames(media.Audio)); v != 30 || a != 0 {
		t.Errorf("%d pictures, %d sounds", v, a)
	}
}

func TestGStreamerPublishes(t *testing.T) {
	p := open(t)
	s := mediatest.Stream{Duration: 3 * time.Second, NoAudio: true}
	c := exec.Command("gst-launch-1.0", "-q", "filesrc", "location="+file(t, "source.mp4", s.MP4()), "!", "qtdemux", "!", "h264parse", "!",
		"flvmux", "streamable=true", "!", "rtmp2sink", "sync=false", "location="+p.url())
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if end := p.waitEnd(t, 1); end.Code != "" {
		t.Errorf("end %+v", end)
	}
	compare(t, s, p.recorder)
}
