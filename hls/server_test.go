package hls_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// onAir returns a house whose lesson has some segments, and the newest playlist.
func onAir(t *testing.T) (*house, *hlstest.Playlist) {
	t.Helper()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 9 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	p := h.playlist("v0/live.m3u8")
	return h, p
}

// ask sends a request straight to the handler, so that no client tidies its path.
func (h *house) ask(method, target string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, "http://school.example/", nil)
	u, err := url.ParseRequestURI(target) // as a server does
	if err != nil {
		h.t.Fatal(err)
	}
	r.URL = u
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return w
}

// SEC-21, SEC-70: the list *HLS URLs* of hostile inputs. A name is one of ours, letter by letter, or unknown.
func TestHostileURLs(t *testing.T) {
	t.Parallel()
	h, p := onAir(t)
	at := h.path(h.lesson)
	live, seg := at+"v0/live.m3u8", at+"v0/"+p.Segments[0].URI
	tag := strings.Join(strings.Split(p.Segments[0].URI, "-")[1:3], "-")
	for _, test := range []struct {
		method, target string
		want           int
	}{
		{"GET", live, 200},
		{"HEAD", live, 200},
		{"OPTIONS", live, 204},
		{"POST", live, 405},
		{"TRACE", live, 405},
		{"GET", seg, 200},
		{"HEAD", seg, 200},
		{"OPTIONS", seg, 204},
		{"PUT", seg, 405},
		{"DELETE", seg, 405},
		{"GET", "/p/", 404},
		{"GET", "/", 404},
		{"GET", "/p/x/l/", 404},
		{"GET", "/p/x/l/y", 404},
		{"GET", "/p//l//", 403},
		{"GET", at, 404},
		{"GET", at + "../../../etc/passwd", 404},
		{"GET", at + "..", 404},
		{"GET", at + "v0/../index.m3u8", 404},
		{"GET", at + "%2e%2e%2findex.m3u8", 404},
		{"GET", at + "..\\index.m3u8", 404},
		{"GET", at + "v0%2flive.m3u8", 404},
		{"GET", at + "%2576%2530/live.m3u8", 404},
		{"GET", at + "v0/live.m3u8%00", 404},
		{"GET", at + "v0/live.m3u8/", 404},
		{"GET", at + strings.Repeat("v0/", 1400) + "live.m3u8", 404},
		{"GET", at + "V0/live.m3u8", 404},
		{"GET", at + "v0//live.m3u8", 404},
		{"GET", at + "v9/live.m3u8", 404},
		{"GET", at + "v10/live.m3u8", 404},
		{"GET", at + "a1/live.m3u8", 404},
		{"GET", at + "v0/init-" + tag + "-0.mp4", 200},
		{"GET", at + "v0/init-" + tag + "-1.mp4", 404},
		{"GET", at + "v0/init-0.mp4", 404},
		{"GET", at + "v0/seg-" + tag + "-00.m4s", 404},
		{"GET", at + "v0/seg-" + tag + "-999999999.m4s", 404},
		{"GET", at + "v0/seg-" + tag + "-9999999999.m4s", 404},
		{"GET", at + "v0/seg-" + tag + "--1.m4s", 404},
		{"GET", at + "v0/seg-2-aaaaaa-0.m4s", 404},
		{"GET", at + "v0/seg-" + tag + "-0.ts", 404},
		{"GET", at + "v0/seg-" + tag + "-0.m4s.tmp", 404},
		{"GET", at + "v0/part-" + tag + "-0-0.m4s", 200},
		{"GET", at + "v0/part-" + tag + "-0-9.m4s", 404},
		{"GET", at + "v0/part-" + tag + "-4-9.m4s", 404},
		{"GET", at + "v0/replay.m3u8", 404},
		{"GET", at + "journal.jsonl", 404},
		{"GET", at + "v0/journal.jsonl", 404},
		{"GET", live + "?_HLS_msn=-1", 400},
		{"GET", live + "?_HLS_msn=18446744073709551616", 400},
		{"GET", live + "?_HLS_msn=1e9", 400},
		{"GET", live + "?_HLS_msn=1;2", 400},
		{"GET", live + "?_HLS_msn=1&_HLS_msn=1", 400},
		{"GET", live + "?_HLS_part=0", 400},
		{"GET", live + "?_HLS_msn=", 400},
		{"GET", live + "?_HLS_msn=%31", 400},
		{"GET", live + "?_HLS_msn=+1", 400},
		{"GET", live + "?_HLS_msn=01", 400},
		{"GET", live + "?_HLS_msn=7", 400},
		{"GET", live + "?_HLS_msn=4&_HLS_part=99", 400},
		{"GET", live + "?_HLS_msn=1&_HLS_part=x", 400},
		{"GET", live + "?_HLS_msn=0&_HLS_part=0", 200},
		{"GET", live + "?_HLS_msn=3", 200},
		{"GET", live + "?_HLS_msn=3&_HLS_part=99", 200},
		{"GET", live + "?_HLS_skip=foo", 200},
		{"GET", live + "?_HLS_skip=YES", 200},
		{"GET", live + "?utm_source=x&y", 200},
		{"GET", live + "?" + strings.Repeat("a", 600), 400},
		{"GET", at + "v0/dvr.m3u8?_HLS_msn=9", 400},
		{"GET", at + "v0/dvr.m3u8", 200},
		{"GET", at + "index.m3u8", 200},
		{"GET", at + "dvr.m3u8", 200},
		{"GET", at + "replay.m3u8", 404},
		{"GET", at + "poster.mp4", 200},
		{"GET", at + "lesson.mp4", 404},
		{"GET", at + "v0/lesson.mp4", 404},
		{"GET", at + "samples.bin", 404},
	} {
		w := h.ask(test.method, test.target)
		if w.Code != test.want {
			t.Errorf("%s %s: %d, want %d", test.method, strings.ReplaceAll(test.target, at, "…/"), w.Code, test.want)
		}
		if w.Code >= 400 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s …%.60s: %d with Cache-Control %q, want no-store", test.method, test.target[len(test.target)/2:], w.Code, w.Header().Get("Cache-Control"))
		}
		if test.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d bytes of body", test.target, w.Body.Len())
		}
	}
}

// SEC-27: the school's own pages may play from another host, and nobody else's.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *hls.Config) { c.Origins = []string{"https://school.example"} })
	stream := mediatest.Stream{Duration: 5 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	for _, test := range []struct{ method, name, origin, allowed, vary string }{
		{"GET", "v0/live.m3u8", "https://school.example", "https://school.example", "Origin, Accept-Encoding"},
		{"GET", "v0/live.m3u8", "https://evil.example", "", "Origin, Accept-Encoding"},
		{"GET", "v0/live.m3u8", "null", "", "Origin, Accept-Encoding"},
		{"GET", "v0/live.m3u8", "", "", "Origin, Accept-Encoding"},
		{"GET", "poster.mp4", "https://school.example", "https://school.example", "Origin"},
		{"GET", "nothing", "https://school.example", "https://school.example", "Origin"},
		{"OPTIONS", "v0/live.m3u8", "https://school.example", "https://school.example", "Origin"},
		{"OPTIONS", "v0/live.m3u8", "https://school.example.evil.example", "", "Origin"},
	} {
		w := h.ask(test.method, h.path(h.lesson)+test.name, "Origin", test.origin)
		allowed, vary := w.Header().Get("Access-Control-Allow-Origin"), strings.Join(w.Header()["Vary"], ", ")
		if allowed != test.allowed || vary != test.vary || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s from %q: allowed %q, Vary %q; want %q, %q", test.method, test.name, test.origin, allowed, vary, test.allowed, test.vary)
		}
		if got := w.Header().Get("Access-Control-Allow-Headers"); got != "" != (test.method == "OPTIONS" && test.allowed != "") {
			t.Errorf("%s from %q: allowed headers %q", test.method, test.origin, got)
		}
	}
	if w := newHouse(t).ask("GET", "/p/x", "Origin", "https://school.example"); len(w.Header()["Access-Control-Allow-Origin"]) > 0 {
		t.Error("without a setting somebody may play from another host")
	}
}

// SEC-20: whatever is wrong with a ticket, the answer is the same.
func TestBadTickets(t *testing.T) {
	t.Parallel()
	h, _ := onAir(t)
	good := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: 4, Expires: h.clock.read().Add(time.Hour)})
	late := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: 4, Expires: h.clock.read().Add(-61 * time.Second)})
	other := h.minter.Mint(ticket.Claims{Channel: media.NewID(), Viewer: 4, Expires: h.clock.read().Add(time.Hour)})
	thrown := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: 5, Expires: h.clock.read().Add(time.Hour)})
	h.minter.Deny(5, h.clock.read().Add(time.Hour))
	flipped := []byte(good)
	flipped[20] ^= 1
	key, err := ticket.NewKey(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ticket.New(key)
	if err != nil {
		t.Fatal(err)
	}
	foreign := stranger.Mint(ticket.Claims{Channel: h.lesson, Viewer: 4, Expires: h.clock.read().Add(time.Hour)})
	for name, text := range map[string]string{
		"empty": "", "truncated": good[:len(good)-1], "flipped": string(flipped), "expired": late, "other lesson": other,
		"revoked": thrown, "padded": good + "=", "foreign key": foreign, "doubled": good + good,
	} {
		for _, file := range []string{"index.m3u8", "v0/live.m3u8", "nothing"} {
			w := h.ask("GET", "/p/"+text+"/l/"+h.lesson.String()+"/"+file)
			if w.Code != 403 || w.Body.String() != "Forbidden\n" {
				t.Errorf("%s ticket, %s: %d %q, want 403 with the one body", name, file, w.Code, w.Body)
			}
		}
	}
	if w := h.ask("GET", "/p/"+good+"/l/"+h.lesson.String()+"/index.m3u8"); w.Code != 200 {
		t.Errorf("good ticket: %d", w.Code)
	}
	nobody := media.NewID()
	if w := h.ask("GET", h.path(nobody)+"index.m3u8"); w.Code != 404 {
		t.Errorf("good ticket of a channel that never was: %d, want 404", w.Code)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h, p := onAir(t)
	at := h.path(h.lesson)
	for _, test := range []struct{ name, kind, cache string }{
		{"v0/live.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1, s-maxage=1, stale-while-revalidate=1"},
		{"v0/live.m3u8?_HLS_msn=1", "application/vnd.apple.mpegurl", "public, max-age=2"},
		{"index.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1, s-maxage=1, stale-while-revalidate=1"},
		{"v0/" + p.Segments[0].URI, "video/mp4", "public, max-age=31536000, immutable"},
		{"v0/" + p.Open.Parts[0].URI, "video/mp4", "public, max-age=31536000, immutable"},
		{"v0/" + p.Segments[0].Map, "video/mp4", "public, max-age=31536000, immutable"},
	} {
		w := h.ask("GET", at+test.name)
		head := w.Header()
		if head.Get("Content-Type") != test.kind || head.Get("Cache-Control") != test.cache || head.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", test.name, head)
		}
		if again := h.ask("GET", at+test.name, "If-None-Match", head.Get("Etag")); head.Get("Etag") == "" || again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%s with If-None-Match: %d, want 304", test.name, again.Code)
		}
		if head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is allowed to other sites", test.name)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	h, p := onAir(t)
	at := h.path(h.lesson)
	// All that can be stored is, so that the playlist of both answers is the same.
	dvr := "v0/dvr.m3u8?_HLS_msn=" + strconv.Itoa(p.Next()-1)
	for _, name := range []string{"v0/live.m3u8", dvr, "index.m3u8"} {
		plain := h.ask("GET", at+name, "Accept-Encoding", "br, gzip;q=0")
		zipped := h.ask("GET", at+name, "Accept-Encoding", "br, gzip;q=0.8")
		r, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(b, plain.Body.Bytes()) || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: the compressed playlist says something else (%v)", name, err)
		}
		if plain.Header().Get("Etag") == zipped.Header().Get("Etag") {
			t.Errorf("%s: one ETag for two encodings", name)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	h, p := onAir(t)
	at := h.path(h.lesson) + "v0/" + p.Segments[0].URI
	whole := h.ask("GET", at).Body.Bytes()
	n := len(whole)
	for _, test := range []struct {
		spec     string
		code     int
		from, to int
	}{
		{"bytes=0-0", 206, 0, 1},
		{"bytes=0-", 206, 0, n},
		{"bytes=5-9", 206, 5, 10},
		{"bytes=-7", 206, n - 7, n},
		{"bytes=1000-99999999", 206, 1000, n},
		{"bytes=-99999999", 206, 0, n},
		{"bytes=0-1,3-4", 200, 0, n},
		{"lines=1-2", 200, 0, n},
		{"bytes=9-5", 200, 0, n},
		{"bytes=a-b", 200, 0, n},
		{"bytes=99999999-", 416, 0, 0},
		{"bytes=-0", 416, 0, 0},
		{"bytes=99999999999999999999-", 200, 0, n},
	} {
		w := h.ask("GET", at, "Range", test.spec)
		if w.Code != test.code || !bytes.Equal(w.Body.Bytes(), whole[test.from:test.to]) {
			t.Errorf("%s: %d with %d bytes, want %d with %d", test.spec, w.Code, w.Body.Len(), test.code, test.to-test.from)
		}
	}
	if w := h.ask("GET", at, "Range", "bytes=0-1", "If-Range", `"another"`); w.Code != 200 {
		t.Errorf("If-Range of something else: %d, want 200", w.Code)
	}
}

// inBubble runs f with an origin in a bubble of fake time: nothing but the handler and an encoder.
func inBubble(t *testing.T, f func(h *house, in *hls.Input, frames []*media.Frame)) {
	inBubbleWith(t, func(*hls.Config) {}, f)
}

func inBubbleWith(t *testing.T, change func(*hls.Config), f func(h *house, in *hls.Input, frames []*media.Frame)) {
	synctest.Test(t, func(t *testing.T) {
		h := newDarkHouse(t, func(c *hls.Config) { c.Now = time.Now }, change)
		h.clock.now = time.Now()
		stream := mediatest.Stream{Duration: 20 * time.Second, NoAudio: true}
		f(h, h.publish(stream.Tracks(), true), stream.Frames())
	})
}

// later asks in another goroutine; the result is there when the handler has answered.
func (h *house) later(target string) func() (w *httptest.ResponseRecorder, took time.Duration) {
	done := make(chan *httptest.ResponseRecorder, 1)
	begin := time.Now()
	var took time.Duration
	go func() {
		w := h.ask("GET", target)
		took = time.Since(begin)
		done <- w
	}()
	return func() (*httptest.ResponseRecorder, time.Duration) { return <-done, took }
}

func TestBlockingReload(t *testing.T) {
	inBubble(t, func(h *house, in *hls.Input, frames []*media.Frame) {
		at := h.path(h.lesson)
		first := h.later(at + "index.m3u8")
		early := h.later(at + "v0/live.m3u8")
		time.Sleep(time.Second)
		h.write(in, frames[:61]...) // the first segment, and the first frame of the next
		for _, answer := range []func() (*httptest.ResponseRecorder, time.Duration){first, early} {
			if w, took := answer(); w.Code != 200 || took != time.Second {
				t.Errorf("request before the first segment: %d after %v, want 200 after 1s", w.Code, took)
			}
		}
		part := h.later(at + "v0/live.m3u8?_HLS_msn=1&_HLS_part=0")
		second := h.later(at + "v0/live.m3u8?_HLS_msn=1&_HLS_part=1")
		segment := h.later(at + "v0/live.m3u8?_HLS_msn=1")
		beyond := h.later(at + "v0/live.m3u8?_HLS_msn=1&_HLS_part=5")
		p, err := hlstest.Parse(h.ask("GET", at+"v0/live.m3u8").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		hint := h.later(at + "v0/" + p.Hint)
		time.Sleep(time.Second)
		h.write(in, frames[61:76]...)
		for name, answer := range map[string]func() (*httptest.ResponseRecorder, time.Duration){"part 0": part, "the hinted part": hint} {
			if w, took := answer(); w.Code != 200 || took != time.Second {
				t.Errorf("request for %s: %d after %v, want 200 after 1s", name, w.Code, took)
			}
		}
		time.Sleep(time.Second)
		h.write(in, frames[76:121]...)
		for name, answer := range map[string]func() (*httptest.ResponseRecorder, time.Duration){"part 1": second, "the whole segment": segment} {
			if w, took := answer(); w.Code != 200 || took != 2*time.Second {
				t.Errorf("request for %s: %d after %v, want 200 after 2s", name, w.Code, took)
			}
		}
		time.Sleep(time.Second)
		h.write(in, frames[121:150]...)
		if w, took := beyond(); w.Code != 200 || took != 3*time.Second {
			t.Errorf("request for a part beyond the segment's last: %d after %v, want 200 with the next segment's first after 3s", w.Code, took)
		}
	})
}

func TestHoldsEnd(t *testing.T) {
	inBubble(t, func(h *house, in *hls.Input, frames []*media.Frame) {
		at := h.path(h.lesson)
		nothing := h.later(at + "v0/live.m3u8")
		if w, took := nothing(); w.Code != 503 || took != 8*time.Second || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("playlist of an encoder that sends nothing: %d after %v, want 503 after 8s", w.Code, took)
		}
		h.write(in, frames[:61]...)
		p, err := hlstest.Parse(h.ask("GET", at+"v0/live.m3u8").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"v0/live.m3u8?_HLS_msn=1&_HLS_part=0", "v0/live.m3u8?_HLS_msn=2", "v0/dvr.m3u8?_HLS_msn=1", "v0/" + p.Hint} {
			if w, took := h.later(at + name)(); w.Code != 503 || took != 8*time.Second || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d after %v, want 503 after 8s", name, w.Code, took)
			}
		}
		for _, name := range []string{"v0/live.m3u8?_HLS_msn=3", "v0/live.m3u8?_HLS_msn=0", "v0/live.m3u8"} {
			if _, took := h.later(at + name)(); took != 0 {
				t.Errorf("%s waited %v, want an answer at once", name, took)
			}
		}
		waiting := h.later(at + "v0/live.m3u8?_HLS_msn=2")
		hinted := h.later(at + "v0/" + p.Hint)
		synctest.Wait()
		h.end()
		if w, took := waiting(); w.Code != 200 || took != 0 || !strings.HasSuffix(w.Body.String(), "#EXT-X-ENDLIST\n") {
			t.Errorf("waiting while the lesson ends: %d after %v\n%s", w.Code, took, w.Body)
		}
		if w, took := hinted(); w.Code != 200 || took != 0 {
			t.Errorf("waiting for a part while the lesson ends: %d after %v, want the last frame", w.Code, took)
		}
	})
}

func TestViewerGoesAway(t *testing.T) {
	inBubble(t, func(h *house, _ *hls.Input, _ []*media.Frame) {
		ctx, cancel := context.WithCancel(context.Background())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, h.path(h.lesson)+"v0/live.m3u8", nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.Handler().ServeHTTP(httptest.NewRecorder(), r)
		}()
		synctest.Wait()
		begin := time.Now()
		cancel()
		<-done
		if took := time.Since(begin); took != 0 {
			t.Errorf("the handler of a viewer who left ran %v longer", took)
		}
	})
}

// Between two generations of an epoch the first part of the next one is hinted at, and who asks for it gets it. When the
// encoder has gone, nothing is.
func TestHintOutlivesGeneration(t *testing.T) {
	inBubble(t, func(h *house, in *hls.Input, frames []*media.Frame) {
		h.write(in, frames[:130]...)
		for _, f := range frames[130:] { // time jumps, and what comes next is no key frame
			f.DTS += media.TicksOf(10*time.Second, h.rate)
		}
		h.write(in, frames[130])
		parse := func() *hlstest.Playlist {
			t.Helper()
			p, err := hlstest.Parse(h.ask("GET", h.path(h.lesson)+"v0/live.m3u8").Body.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := parse()
		last := p.Segments[len(p.Segments)-1]
		next := strings.NewReplacer("seg-", "part-", "-2.m4s", "-3-0.m4s").Replace(last.URI)
		if p.Hint != next || last.MSN != 2 {
			t.Fatalf("after a break segment %d is the last, and %q is hinted at, want 2 and %q", last.MSN, p.Hint, next)
		}
		asked := h.later(h.path(h.lesson) + "v0/" + next)
		synctest.Wait()
		h.write(in, frames[131:220]...)
		if w, took := asked(); w.Code != 200 || took != 0 {
			t.Errorf("%s: %d after %v, want 200 at once", next, w.Code, took)
		}
		// Nothing comes of what is further away.
		if w, took := h.later(h.path(h.lesson) + "v0/" + strings.Replace(next, "-3-0", "-9-0", 1))(); w.Code != 404 || took != 0 {
			t.Errorf("a part far ahead: %d after %v, want 404 at once", w.Code, took)
		}
		in.Close(media.End{})
		if p := parse(); p.Hint != "" {
			t.Errorf("nobody publishes, and %q is hinted at", p.Hint)
		}
	})
}
