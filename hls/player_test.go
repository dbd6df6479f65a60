package hls_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chalkcast/hls/hlstest"
	"chalkcast/media/mediatest"
)

// tool returns the path of a program that tests are better with. CI has it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed for this test: %v", name, err)
	}
	return path
}

// complains reports whether ffprobe says anything but that there is another init segment, and that gaps are none: it asks
// for the segments that EXT-X-GAP says nobody has.
func complains(text string, gaps []int) bool {
	for line := range strings.Lines(text) {
		segment := -1
		if _, after, ok := strings.Cut(line, "Failed to open segment "); ok {
			fmt.Sscanf(after, "%d of playlist 0", &segment)
		}
		switch {
		case strings.Contains(line, "Found duplicated MOOV Atom. Skipped it"):
		case len(gaps) > 0 && strings.Contains(line, "404 Not Found"): // and then which one failed
		case slices.Contains(gaps, segment):
		default:
			return true
		}
	}
	return false
}

// gapsOf returns the numbers of the segments that nobody has.
func gapsOf(r *hlstest.Rendition) (numbers []int) {
	for _, s := range r.Segments {
		if s.Gap {
			numbers = append(numbers, s.MSN)
		}
	}
	return numbers
}

// ffmpeg decodes everything at address but the gaps, as strictly as it can, and returns how many pictures and sounds it
// found.
func ffmpeg(t *testing.T, address string, gaps ...int) (pictures, sounds int) {
	t.Helper()
	args := []string{"-v", "repeat+warning", "-err_detect", "explode"}
	if strings.HasSuffix(address, ".m3u8") {
		args = append(args, "-live_start_index", "0")
	}
	cmd := exec.Command(tool(t, "ffprobe"), append(args, "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames", "-of", "json", address)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complains(complaints.String(), gaps) {
		t.Fatalf("ffprobe: %v\n%s%s", err, complaints.String(), out)
	}
	var found struct {
		Streams []struct {
			Kind   string `json:"codec_type"`
			Frames string `json:"nb_read_frames"`
		}
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	for _, s := range found.Streams {
		n, _ := strconv.Atoi(s.Frames)
		if s.Kind == "video" {
			pictures += n
		} else {
			sounds += n
		}
	}
	return pictures, sounds
}

func TestFFmpegPlaysLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 8 * time.Second, BFrames: 2}
	in := h.publish(stream.Tracks(), true)
	frames := stream.Frames()
	cut := h.ahead(frames, 5*time.Second)
	h.write(in, frames[:cut]...)
	done := make(chan struct{})
	var pictures, sounds int
	go func() {
		defer close(done)
		pictures, sounds = ffmpeg(t, h.url(h.lesson, "v0/live.m3u8"))
	}()
	for part := range slices.Chunk(frames[cut:], 40) {
		h.write(in, part...)
	}
	h.end()
	<-done
	if pictures != 240 || sounds < 374 {
		t.Errorf("ffprobe decoded %d pictures and %d sounds of 240 and 375", pictures, sounds)
	}
}

func TestFFmpegPlaysReplay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 8 * time.Second, BFrames: 2}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.end()
	for _, name := range []string{"v0/replay.m3u8", "v0/dvr.m3u8", "v0/live.m3u8"} {
		if pictures, sounds := ffmpeg(t, h.url(h.lesson, name)); pictures != 240 || sounds < 374 {
			t.Errorf("%s: ffprobe decoded %d pictures and %d sounds of 240 and 375", name, pictures, sounds)
		}
	}
	if pictures, _ := ffmpeg(t, h.url(h.lesson, "index.m3u8")); pictures != 240 {
		t.Errorf("index.m3u8: ffprobe decoded %d pictures of 240", pictures)
	}
	if pictures, sounds := ffmpeg(t, h.url(h.lesson, "poster.mp4")); pictures != 1 || sounds != 0 {
		t.Errorf("poster.mp4: ffprobe decoded %d pictures and %d sounds, want one picture", pictures, sounds)
	}
}
