package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/chromedp/chromedp"
)

// long says that the tests of players, streams and faults may take the time that they would like to have.
var long = os.Getenv("CHALKCAST_LONG") != ""

// heard is what a player got to see and hear: pictures and blocks of sound.
type heard struct{ pictures, sounds int }

// enough reports whether there is at least as much as wanted.
func (h heard) enough(want heard) bool { return h.pictures >= want.pictures && h.sounds >= want.sounds }

// player plays what is behind an address until it has had what is wanted, until the stream ends, or until ctx ends,
// and returns what it had by then.
type player struct {
	name string
	play func(ctx context.Context, address string, want heard) (heard, error)
	slow bool // it plays a recording as fast as a person would watch it
	may  int  // by how many of a hundred what it tells of a recording may differ from what is in it
}

// players are the programs that need no browser.
var players = []player{
	{name: "ffmpeg", play: playFFmpeg},
	{name: "GStreamer", play: playGStreamer, may: 10}, // it stops telling when it stops
	{name: "gohlslib", play: playGohlslib, slow: true},
}

// playFFmpeg decodes: the pictures of the first rendition that has them, and the sound of the one that has most.
func playFFmpeg(ctx context.Context, address string, want heard) (got heard, err error) {
	args := []string{"-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames", "-of", "json"}
	if want != everything {
		args = append(args, "-read_intervals", "%+4")
	}
	cmd := exec.CommandContext(ctx, "ffprobe", append(args, address)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		return got, fmt.Errorf("%w: %s", errors.Join(err, errComplained), complaints.String())
	}
	var read struct {
		Streams []struct {
			Kind   string `json:"codec_type"`
			Frames string `json:"nb_read_frames"`
		}
	}
	if err := json.Unmarshal(out, &read); err != nil {
		return got, fmt.Errorf("what ffprobe says: %w", err)
	}
	for _, s := range read.Streams {
		n, _ := strconv.Atoi(s.Frames) // "N/A" when there were none
		if s.Kind == "video" {
			got.pictures = max(got.pictures, n)
		} else {
			got.sounds = max(got.sounds, n)
		}
	}
	return got, nil
}

var errComplained = errors.New("it complained")

// everything is more than any stream of these tests has: it is played to its end.
var everything = heard{1 << 30, 1 << 30}

// chained is a line of GStreamer's fakesink about a buffer that has come to it.
var chained = regexp.MustCompile(`/GstFakeSink:(picture|sound)[^ ]*: last-message = chain`)

// errStill is a player that was given something to play and did not begin.
var errStill = errors.New("it stood still")

// playGStreamer plays, and presses the button once more when nothing begins. One of some hundred starts stood still
// for a minute without a word while the other players played the same stream. It did not come again in 150 starts that
// were watched, so why is not known; the warning is there to be found.
func playGStreamer(ctx context.Context, address string, want heard) (heard, error) {
	got, err := startGStreamer(ctx, address, want)
	if errors.Is(err, errStill) && ctx.Err() == nil {
		slog.Warn("GStreamer stood still and is started again", "err", err)
		got, err = startGStreamer(ctx, address, want)
	}
	return got, err
}

// startGStreamer lets playbin decode into sinks that say what comes.
func startGStreamer(ctx context.Context, address string, want heard) (got heard, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	still := time.AfterFunc(patience/3, func() { cancel(errStill) })
	defer still.Stop()
	// Sinks that do not wait for a first buffer when gst-launch pauses to fill its queues: one would wait for sound, and the
	// sound for pictures that nobody takes.
	sink := func(name string) string { return "fakesink name=" + name + " silent=false sync=false async=false" }
	cmd := exec.CommandContext(ctx, "gst-launch-1.0", "-v", "playbin", "uri="+address,
		"video-sink="+sink("picture"), "audio-sink="+sink("sound"))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return got, err
	}
	if err := cmd.Start(); err != nil {
		return got, fmt.Errorf("start GStreamer: %w", err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && !got.enough(want); {
		m := chained.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		still.Stop()
		if m[1] == "picture" {
			got.pictures++
		} else {
			got.sounds++
		}
	}
	enough := got.enough(want)
	cancel(nil)
	err = cmd.Wait()
	switch {
	case enough:
		return got, nil
	case strings.Contains(complaints.String(), "ERROR"):
		return got, fmt.Errorf("%w: %s", errComplained, complaints.String())
	case want != everything || errors.Is(context.Cause(ctx), errStill):
		return got, fmt.Errorf("stopped before it had enough: %w: %s", errors.Join(err, context.Cause(ctx)), complaints.String())
	}
	return got, nil
}

// playGohlslib uses the client of a library that many Go programs play with.
func playGohlslib(ctx context.Context, address string, want heard) (heard, error) {
	var pictures, sounds atomic.Int64
	got := func() heard { return heard{int(pictures.Load()), int(sounds.Load())} }
	done := make(chan struct{})
	stop := sync.OnceFunc(func() { close(done) })
	count := func(n *atomic.Int64, by int) {
		n.Add(int64(by))
		if got().enough(want) {
			stop()
		}
	}
	quiet := func(string) {}
	var broken atomic.Pointer[error]
	client := &gohlslib.Client{
		URI: address, HTTPClient: &http.Client{}, StartDistance: 1,
		OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet,
		OnDecodeError: func(err error) { broken.Store(&err) },
	}
	client.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, t := range tracks {
			switch t.Codec.(type) {
			case *codecs.H264:
				client.OnDataH26x(t, func(_, _ int64, _ [][]byte) { count(&pictures, 1) })
			case *codecs.MPEG4Audio:
				client.OnDataMPEG4Audio(t, func(_ int64, blocks [][]byte) { count(&sounds, len(blocks)) })
			}
		}
		return nil
	}
	if err := client.Start(); err != nil {
		return heard{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- client.Wait2() }() // ends with the client, at the latest by Close
	defer client.Close()
	select {
	case <-done:
	case err := <-ended:
		if !errors.Is(err, gohlslib.ErrClientEOS) {
			return got(), err
		}
	case <-ctx.Done():
		return got(), fmt.Errorf("stopped before it had enough: %w", ctx.Err())
	}
	if err := broken.Load(); err != nil {
		return got(), *err
	}
	return got(), nil
}

// playAll lets all players play at the same time until they have had what is wanted.
func (s *school) playAll(what, address string, want heard) {
	s.t.Helper()
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() { s.playOne(p, what, address, want) })
	}
	wg.Wait()
}

// playOne may run on any goroutine.
func (s *school) playOne(p player, what, address string, want heard) (got heard) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := p.play(ctx, s.HTTP+address, want)
	if err != nil || want != everything && !got.enough(want) {
		s.t.Errorf("%s plays the %s: %v; it had %+v", p.name, what, err, got)
	}
	return got
}

// playRecording lets all players play a recording to its end, and compares what they got with what is in it.
func (s *school) playRecording(address string, has heard) {
	s.t.Helper()
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() {
			want := everything
			if p.slow && !long {
				want = heard{min(has.pictures, 100), min(has.sounds, 100)}
			}
			got := s.playOne(p, "recording", address, want)
			if want == everything && (!within(got.pictures, has.pictures, p.may) || !within(got.sounds, has.sounds, p.may)) {
				s.t.Errorf("%s plays the recording: got %+v of %+v", p.name, got, has)
			}
		})
	}
	wg.Wait()
}

// within reports whether got is as wanted but for some of a hundred.
func within(got, want, percent int) bool {
	return 100*max(got-want, want-got) <= percent*want
}

// shakaPage serves a page that plays with Shaka Player, and hands everything under /p/ on to the school: other sites'
// pages may not read a school's streams, so it stands where the school stands.
func (s *school) shakaPage() string {
	s.t.Helper()
	to, err := url.Parse(s.HTTP)
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/p/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, FlushInterval: -1})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/shaka.html") })
	mux.HandleFunc("GET /shaka.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "../jstest/node_modules/shaka-player/dist/shaka-player.compiled.js")
	})
	server := httptest.NewServer(mux)
	s.t.Cleanup(server.Close)
	return server.URL
}

// openShaka plays an address in a tab of b.
func (b *browser) openShaka(page, address string) *tab {
	b.t.Helper()
	tb := b.openTab()
	tb.run("open Shaka Player", chromedp.Navigate(page+"/#"+address))
	return tb
}

// played is JavaScript for how many seconds something has moved in a page.
const played = `window.watched.moved.reduce((sum, [from, to]) => sum + to - from, 0) / 1000`

// waitPlayed waits until a page has really played for some time more.
func (tb *tab) waitPlayed(who string, seconds int) {
	tb.t.Helper()
	before := eval[float64](tb, played)
	tb.waitFor(who+" plays", fmt.Sprintf("%s >= %f", played, before+float64(seconds)))
}

// checkQuiet wants a page without errors.
func (tb *tab) checkQuiet(who string) {
	tb.t.Helper()
	if w := tb.watched(); len(w.Errors) > 0 {
		tb.t.Errorf("%s: errors %q", who, w.Errors)
	}
}

// One lesson, live and again, in every player there is.
func TestPlayers(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)
	address := teacher.playback(s.LessonID).URL

	page, browser := s.shakaPage(), s.openBrowser()
	class := browser.openTab()
	class.signIn(s.Students[0])
	class.open("/lessons/" + s.LessonID)
	shaka := browser.openShaka(page, address)
	s.playAll("live lesson", address, heard{75, 120})
	class.waitPlayed("hls.js", 3)
	shaka.waitPlayed("Shaka Player", 3)
	class.checkQuiet("hls.js")
	shaka.checkQuiet("Shaka Player")
	class.leave()

	teacher.order(s.LessonID, "end")
	address = s.replay(teacher)
	has := s.count(address)
	if has.pictures == 0 || has.sounds == 0 {
		t.Fatalf("the recording has %+v", has)
	}
	shaka = browser.openShaka(page, address)
	s.playRecording(address, has)
	shaka.playsOut()
}

// playsOut plays some of a recording, jumps to its end, and wants that the player says so.
func (tb *tab) playsOut() {
	tb.t.Helper()
	tb.waitFor("the player plays", played+" >= 3")
	eval[float64](tb, `document.querySelector("video").currentTime = document.querySelector("video").duration - 2`)
	tb.waitFor("the player comes to the end", `document.querySelector("video").ended`)
	tb.checkQuiet("the player of the recording")
}
