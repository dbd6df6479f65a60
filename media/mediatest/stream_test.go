package mediatest_test

import (
	"bytes"
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

func TestStreamShape(t *testing.T) {
	for _, tc := range []struct {
		stream         mediatest.Stream
		pictures, sync int
		sounds         int
	}{
		{mediatest.Stream{}, 300, 5, 469},
		{mediatest.Stream{BFrames: 2, GOP: 25, FPS: 25, Duration: 4 * time.Second}, 100, 4, 188},
		{mediatest.Stream{NoAudio: true, GOP: 7, FPS: 10, Duration: time.Second, BFrames: 3}, 10, 2, 0},
		{mediatest.Stream{NoVideo: true, SampleRate: 44100, Channels: 1, Duration: time.Second}, 0, 0, 44},
	} {
		t.Run(fmt.Sprintf("%+v", tc.stream), func(t *testing.T) {
			var pictures, sync, sounds int
			last, next, shown := map[int]media.Ticks{}, map[int]uint64{}, map[media.Ticks]bool{}
			tracks := tc.stream.Tracks()
			for _, f := range tc.stream.Frames() {
				if previous, ok := last[f.Track]; ok && f.DTS <= previous {
					t.Fatalf("track %d: DTS %d after %d", f.Track, f.DTS, previous)
				}
				if n := mediatest.Number(f); n != next[f.Track] {
					t.Fatalf("track %d: frame says %d, want %d", f.Track, n, next[f.Track])
				}
				last[f.Track] = f.DTS
				next[f.Track]++
				if tracks[f.Track].Kind == media.Audio {
					sounds++
					continue
				}
				pictures++
				if f.Sync {
					sync++
				}
				if f.CTO < 0 || shown[f.PTS()] {
					t.Fatalf("picture at DTS %d: composition offset %d, shown twice: %v", f.DTS, f.CTO, shown[f.PTS()])
				}
				shown[f.PTS()] = true
			}
			if pictures != tc.pictures || sync != tc.sync || sounds != tc.sounds {
				t.Errorf("got %d pictures, %d sync, %d sounds; want %d, %d, %d", pictures, sync, sounds, tc.pictures, tc.sync, tc.sounds)
			}
		})
	}
}

// A real decoder accepts every picture and every sound without a word of complaint.
func TestStreamDecodes(t *testing.T) {
	for name, s := range map[string]mediatest.Stream{
		"plain":     {Duration: 3 * time.Second},
		"b frames":  {Duration: 3 * time.Second, BFrames: 3, GOP: 50},
		"large":     {Duration: time.Second, Width: 1920, Height: 1080, Padding: 4000},
		"mono 44.1": {Duration: 3 * time.Second, Channels: 1, SampleRate: 44100},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			count := func(file string, data []byte, selector string) int {
				path := filepath.Join(dir, file)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				var complaints bytes.Buffer
				c := exec.Command("ffmpeg", "-hide_banner", "-v", "warning", "-xerror", "-i", path, "-map", selector, "-f", "framecrc", "-")
				c.Stderr = &complaints
				out, err := c.Output()
				// A bare AAC file has no index; that is the file's fault, not the sound's.
				said := strings.Count(complaints.String(), "\n") - strings.Count(complaints.String(), "Estimating duration from bitrate")
				if err != nil || said != 0 {
					t.Fatalf("ffmpeg on %s: %v\n%s", file, err, &complaints)
				}
				n := 0
				for line := range strings.Lines(string(out)) {
					if !strings.HasPrefix(line, "#") {
						n++
					}
				}
				return n
			}
			var pictures, sounds int
			for _, f := range s.Frames() {
				if f.Track == 0 {
					pictures++
				} else {
					sounds++
				}
			}
			if got := count("a.h264", s.AnnexB(), "0:v"); got != pictures {
				t.Errorf("decoded %d pictures of %d", got, pictures)
			}
			if got := count("a.aac", s.ADTS(), "0:a"); got != sounds {
				t.Errorf("decoded %d sounds of %d", got, sounds)
			}
		})
	}
}

func TestParams(t *testing.T) {
	v := mediatest.Stream{Width: 1280, Height: 720, FPS: 25}.Tracks()[0].Params
	if v.Width != 1280 || v.Height != 720 || v.FrameRateMilli != 25000 || v.MIME != "avc1.4d0028" || v.NALLengthSize != 4 {
		t.Errorf("video parameters %+v", v)
	}
	if a := mediatest.AACParams(); a.SampleRate != 48000 || a.Channels != 2 || a.MIME != "mp4a.40.2" {
		t.Errorf("audio parameters %+v", a)
	}
	if v := mediatest.H264Params(); v.Width != 320 || v.Height != 180 {
		t.Errorf("zero stream is %d×%d", v.Width, v.Height)
	}
}
