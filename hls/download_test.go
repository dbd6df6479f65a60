package hls_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// packet is a sample of a file as ffprobe finds it.
type packet struct {
	Stream string `json:"codec_type"`
	PTS    string `json:"pts_time"`
	DTS    string `json:"dts_time"`
	Flags  string
	Hash   string `json:"data_hash"`
}

// packets reads the file at address, without believing that it is in order.
func packets(t *testing.T, address string) (video, audio []packet) {
	t.Helper()
	cmd := exec.Command(tool(t, "ffprobe"), "-v", "warning", "-show_packets", "-show_data_hash", "md5",
		"-show_entries", "packet=codec_type,pts_time,dts_time,flags,data_hash", "-of", "json", address)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffprobe: %v\n%s", err, &complaints)
	}
	var found struct{ Packets []packet }
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Packets {
		if p.Stream == "video" {
			video = append(video, p)
		} else {
			audio = append(audio, p)
		}
	}
	return video, audio
}

// same compares what a file has with the frames of a track, whose media time from counts as 0.
func (h *house) samePackets(what string, got []packet, frames []*media.Frame, track, clock int, from media.Ticks) {
	h.t.Helper()
	i := 0
	for _, f := range frames {
		if f.Track != track {
			continue
		}
		if i == len(got) {
			h.t.Fatalf("%s: %d packets, want more", what, len(got))
		}
		sum := md5.Sum(f.Data)
		p := got[i]
		if p.Hash != "MD5:"+hex.EncodeToString(sum[:]) {
			h.t.Fatalf("%s: packet %d is not the frame that was written %d-th", what, i, i)
		}
		for _, time := range []struct {
			text string
			want media.Ticks
		}{{p.DTS, f.DTS - from}, {p.PTS, f.PTS() - from}} {
			got, err := strconv.ParseFloat(time.text, 64)
			if off := got - float64(time.want)/float64(clock); err != nil || off < -.001 || off > .001 {
				h.t.Fatalf("%s: packet %d at %s s, want %d ticks of %d", what, i, time.text, time.want, clock)
			}
		}
		if (p.Flags[0] == 'K') != f.Sync {
			h.t.Fatalf("%s: packet %d has flags %s, key frame: %t", what, i, p.Flags, f.Sync)
		}
		i++
	}
	if i != len(got) {
		h.t.Errorf("%s: %d packets, want %d", what, len(got), i)
	}
}

func TestDownload(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream mediatest.Stream
	}{
		{"plain", mediatest.Stream{Duration: 9 * time.Second}},
		{"B pictures", mediatest.Stream{Duration: 9 * time.Second, BFrames: 2, FPS: 25}},
		{"not from zero", mediatest.Stream{Duration: 5 * time.Second, Start: 5 * time.Hour}},
		{"no sound", mediatest.Stream{Duration: 5 * time.Second, NoAudio: true}},
		{"sound alone", mediatest.Stream{Duration: 5 * time.Second, NoVideo: true, SampleRate: 44100}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			tracks, frames := test.stream.Tracks(), test.stream.Frames()
			in := h.publish(tracks, true)
			h.write(in, frames...)
			at := h.url(h.lesson, "lesson.mp4")
			if w := h.ask("GET", h.path(h.lesson)+"lesson.mp4"); w.Code != 404 {
				t.Errorf("download while the lesson is on air: %d, want 404", w.Code)
			}
			h.end()
			check := func(what string) {
				t.Helper()
				video, audio := packets(t, at)
				for i, track := range tracks {
					got := video
					if track.Kind == media.Audio {
						got = audio
					}
					h.samePackets(what, got, frames, i, track.Clock, media.TicksOf(test.stream.Start, track.Clock))
				}
			}
			check("at once")
			pictures, sounds := ffmpeg(t, at)
			if want := 9 * test.stream.FPS; test.stream.FPS > 0 && pictures != want || sounds == 0 && !test.stream.NoAudio {
				t.Errorf("ffprobe decoded %d pictures and %d sounds", pictures, sounds)
			}
			h.elsewhere()
			at = h.url(h.lesson, "lesson.mp4")
			check("from the store")
		})
	}
}

// Whatever becomes of the tables, the file is the same.
func TestDownloadWithoutTables(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 9 * time.Second, BFrames: 2}
	frames := stream.Frames()
	h.write(h.publish(stream.Tracks(), true), frames...)
	h.crash(nil)
	h.end()
	file := h.get(h.url(h.lesson, "lesson.mp4"))
	// The part that was being made is lost.
	h.samePackets("after a crash", first(packets(t, h.url(h.lesson, "lesson.mp4"))), frames[:h.ahead(frames, 8490*time.Millisecond)], 0, 90000, 0)
	key := "lessons/" + h.lesson.String() + "/samples.bin"
	h.elsewhere()
	if again := h.get(h.url(h.lesson, "lesson.mp4")); !bytes.Equal(again, file) {
		t.Errorf("from the store the file is another: %d bytes, were %d", len(again), len(file))
	}
	if err := h.cfg.Store.Delete(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	h.listen()
	if again := h.get(h.url(h.lesson, "lesson.mp4")); !bytes.Equal(again, file) {
		t.Errorf("without its tables the file is another: %d bytes, were %d", len(again), len(file))
	}
}

func first(a, _ []packet) []packet { return a }

// Every generation of an encoder is in the one file; the time in between is not.
func TestDownloadOfSeveralEncoders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	streams := []mediatest.Stream{
		{Duration: 4 * time.Second, Width: 640, Height: 360},
		{Duration: 4 * time.Second, Start: time.Minute, Width: 320, Height: 180, FPS: 25},
		{Duration: 4 * time.Second, NoVideo: true},
		{Duration: 4 * time.Second, BFrames: 2},
	}
	pictures, sounds := 0, 0
	for _, s := range streams {
		in := h.publish(s.Tracks(), true)
		h.write(in, s.Frames()...)
		for _, f := range s.Frames() {
			if s.Tracks()[f.Track].Kind == media.Video {
				pictures++
			} else {
				sounds++
			}
		}
		if err := in.Close(media.End{}); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(10 * time.Minute)
	}
	h.end()
	video, audio := packets(t, h.url(h.lesson, "lesson.mp4"))
	if len(video) != pictures || len(audio) != sounds {
		t.Errorf("%d pictures and %d sounds, want %d and %d", len(video), len(audio), pictures, sounds)
	}
	if end, _ := strconv.ParseFloat(video[len(video)-1].DTS, 64); end < 15.8 || end > 16.2 {
		t.Errorf("the last picture is at %v s, want 16 s without the outages", end)
	}
	for i := 1; i < len(audio); i++ {
		before, _ := strconv.ParseFloat(audio[i-1].DTS, 64)
		now, _ := strconv.ParseFloat(audio[i].DTS, 64)
		if step := now - before; step < .01 || step > .09 {
			t.Errorf("sound %d comes %v s after the one before", i, step)
		}
	}
	if got, _ := ffmpeg(t, h.url(h.lesson, "lesson.mp4")); got != pictures {
		t.Errorf("ffprobe decoded %d pictures of %d", got, pictures)
	}
}

func TestDownloadRanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 9 * time.Second, Padding: 2000}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.end()
	at := h.path(h.lesson) + "lesson.mp4"
	whole := h.ask("GET", at)
	b := whole.Body.Bytes()
	n := len(b)
	for name, want := range map[string]string{
		"Content-Type": "video/mp4", "Content-Length": strconv.Itoa(n), "Accept-Ranges": "bytes",
		"Cache-Control": "public, max-age=60", "Content-Disposition": "attachment",
	} {
		if got := whole.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	head := n - bytes.Index(b, []byte("mdat")) - 12
	head = n - head
	type row struct {
		spec     string
		code     int
		from, to int
	}
	rows := []row{
		{"bytes=0-0", 206, 0, 1},
		{"bytes=0-", 206, 0, n},
		{fmt.Sprintf("bytes=%d-%d", head-3, head+3), 206, head - 3, head + 4},
		{fmt.Sprintf("bytes=-%d", 5), 206, n - 5, n},
		{fmt.Sprintf("bytes=%d-", n-1), 206, n - 1, n},
		{fmt.Sprintf("bytes=%d-", n), 416, 0, 0},
		{"bytes=5-4", 200, 0, n},
		{"bytes=0-1,4-5", 200, 0, n},
	}
	for from := 17; from < n; from += n/37 + 1 {
		for _, size := range []int{1, 5000, n / 3} {
			to := min(from+size, n)
			rows = append(rows, row{fmt.Sprintf("bytes=%d-%d", from, to-1), 206, from, to})
		}
	}
	for _, test := range rows {
		w := h.ask("GET", at, "Range", test.spec)
		if w.Code != test.code || !bytes.Equal(w.Body.Bytes(), b[test.from:test.to]) {
			t.Errorf("%s of %d: %d with %d bytes, want %d with %d", test.spec, n, w.Code, w.Body.Len(), test.code, test.to-test.from)
		}
		if want := fmt.Sprintf("bytes %d-%d/%d", test.from, test.to-1, n); test.code == 206 && w.Header().Get("Content-Range") != want {
			t.Errorf("%s: Content-Range %q, want %q", test.spec, w.Header().Get("Content-Range"), want)
		}
	}
	if w := h.ask("HEAD", at); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Content-Length") != strconv.Itoa(n) {
		t.Errorf("HEAD: %d with %d bytes, Content-Length %s", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
	etag := whole.Header().Get("Etag")
	if w := h.ask("GET", at, "If-None-Match", etag); w.Code != 304 {
		t.Errorf("If-None-Match: %d, want 304", w.Code)
	}
	if w := h.ask("GET", at, "Range", "bytes=0-9", "If-Range", etag); w.Code != 206 {
		t.Errorf("If-Range: %d, want 206", w.Code)
	}
	if w := h.ask("GET", at, "Range", "bytes=0-9", "If-Range", `"other"`); w.Code != 200 {
		t.Errorf("If-Range of another file: %d, want 200", w.Code)
	}
}

// thrownOut is a viewer who is thrown out while the first bytes arrive.
type thrownOut struct {
	http.ResponseWriter
	deny func()
	got  int
}

func (w *thrownOut) Write(b []byte) (int, error) {
	w.got += len(b)
	w.deny()
	return len(b), nil
}

func TestDownloadEndsWithTheTicket(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *hls.Config) { c.Store = memory.New(memory.Config{}) })
	stream := mediatest.Stream{Duration: 20 * time.Second, Padding: 2000}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.end()
	size := h.ask("GET", h.path(h.lesson)+"lesson.mp4").Body.Len()
	text := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: 9, Expires: h.clock.read().Add(time.Hour)})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/p/"+text+"/l/"+h.lesson.String()+"/lesson.mp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &thrownOut{ResponseWriter: discard{http.Header{}}, deny: func() { h.minter.Deny(9, h.clock.read().Add(time.Hour)) }}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) || w.got == 0 || w.got > size/4 {
			t.Errorf("a viewer who was thrown out got %d bytes of %d, want no more than had begun", w.got, size)
		}
	}()
	h.Handler().ServeHTTP(w, r)
}

// discard takes answers that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
