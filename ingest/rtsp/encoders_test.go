package rtsp_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/ingest/rtsp"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// run runs a real program to its end.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if said, err := try(program, args...); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, said)
	}
}

func try(program string, args ...string) (string, error) {
	var said bytes.Buffer
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = &said, &said
	err := c.Run()
	return said.String(), err
}

// publish sends a file with ffmpeg.
func publish(t *testing.T, url, path string, args ...string) {
	t.Helper()
	before := []string{"-hide_banner", "-nostdin", "-v", "warning"}
	if slices.Contains(args, "udp") {
		before = append(before, "-re") // or the socket overflows
	}
	before = append(before, "-i", path, "-c", "copy", "-f", "rtsp", "-max_delay", "0")
	run(t, "ffmpeg", append(append(before, args...), url)...)
}

func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// compare holds what arrived against what was sent: every frame once, in order, byte for byte, in time, and sound
// beside its picture.
//
// The last few frames may be missing: ffmpeg gathers sound into packets and keeps the last one to itself, and what
// is on its way over UDP when it says TEARDOWN comes too late.
func compare(t *testing.T, s mediatest.Stream, r *recorder, tail int) {
	t.Helper()
	want := map[media.Kind][]*media.Frame{}
	for _, f := range s.Frames() {
		kind := s.Tracks()[f.Track].Kind
		want[kind] = append(want[kind], f)
	}
	var shifts []time.Duration
	for kind, want := range want {
		track, got := r.frames(t, kind)
		missing := len(want) - len(got)
		if missing < 0 || missing > tail || missing > 0 && kind == media.Video && tail == 1 {
			t.Fatalf("%v: got %d frames, want %d", kind, len(got), len(want))
		}
		want = want[:len(got)]
		shift := got[0].PTS() - want[0].PTS()
		shifts = append(shifts, shift.Duration(track.Clock))
		for i, g := range got {
			w := want[i]
			if mediatest.Number(g) != uint64(i) || !bytes.Equal(g.Data, w.Data) {
				t.Fatalf("%v %d: got frame %d, %d bytes; want %d bytes", kind, i, mediatest.Number(g), len(g.Data), len(w.Data))
			}
			if g.Sync != w.Sync || g.Discontinuity {
				t.Errorf("%v %d: sync %v, want %v; discontinuity %v", kind, i, g.Sync, w.Sync, g.Discontinuity)
			}
			if d := (g.PTS() - w.PTS() - shift).Duration(track.Clock); d.Abs() > time.Millisecond {
				t.Errorf("%v %d: PTS is %v off", kind, i, d)
			}
			if i > 0 && g.DTS <= got[i-1].DTS {
				t.Errorf("%v %d: DTS %d after %d", kind, i, g.DTS, got[i-1].DTS)
			}
		}
	}
	if len(shifts) == 2 && (shifts[0]-shifts[1]).Abs() > 5*time.Millisecond {
		t.Errorf("sound and picture are %v apart", (shifts[0] - shifts[1]).Abs())
	}
}

func TestFFmpegPublishesEveryFrame(t *testing.T) {
	for name, test := range map[string]struct {
		stream mediatest.Stream
		change []func(*rtsp.Config)
		args   []string
	}{
		"TCP":           {mediatest.Stream{Duration: 4 * time.Second, Padding: 3000}, nil, []string{"-rtsp_transport", "tcp"}},
		"B frames":      {mediatest.Stream{Duration: 4 * time.Second, BFrames: 2, Padding: 20000, FPS: 25, GOP: 50}, nil, []string{"-rtsp_transport", "tcp"}},
		"mono 44.1 kHz": {mediatest.Stream{Duration: 4 * time.Second, Channels: 1, SampleRate: 44100}, nil, []string{"-rtsp_transport", "tcp"}},
		"sound only":    {mediatest.Stream{Duration: 4 * time.Second, NoVideo: true}, nil, []string{"-rtsp_transport", "tcp"}},
		"picture only":  {mediatest.Stream{Duration: 4 * time.Second, NoAudio: true}, nil, []string{"-rtsp_transport", "tcp"}},
		"UDP":           {mediatest.Stream{Duration: 2 * time.Second}, []func(*rtsp.Config){udp(t)}, []string{"-rtsp_transport", "udp"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, test.change...)
			publish(t, p.url(), file(t, "source.mp4", test.stream.MP4()), test.args...)
			if end := p.waitEnd(t); !end.Stopped || end.Code != "" {
				t.Errorf("end %+v, want stopped by the teacher", end)
			}
			tail := 1
			if name == "UDP" {
				tail = 6
			}
			compare(t, test.stream, p.recorder, tail)
			if !strings.HasPrefix(p.encoder, "Lavf") {
				t.Errorf("encoder is %q", p.encoder)
			}
		})
	}
}
