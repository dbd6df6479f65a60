package hls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// edge is nginx as a CDN in front of a house.
type edge struct {
	*house
	client *http.Client // goes to nginx, whatever the host
	log    string       // its access log

	mu    sync.Mutex
	asked map[string]int // what the origin was asked, without the ticket: how often
}

func newEdge(t *testing.T, change ...func(*hls.Config)) *edge {
	t.Helper()
	e := &edge{house: newDarkHouse(t, append(change, func(c *hls.Config) { c.Now = time.Now })...), asked: map[string]int{}}
	e.clock.now = time.Now()
	folder, err := os.MkdirTemp("", "edge") //nolint:usetesting // it names a socket, for which a test's folder is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	e.log = filepath.Join(folder, "edge.log")
	origin := filepath.Join(folder, "origin.sock")
	l, err := net.Listen("unix", origin)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(e.count)}}
	server.Start()
	t.Cleanup(server.Close)
	e.startNginx(folder, origin)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(folder, "edge.sock"))
	}
	e.client = &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 1000}}
	t.Cleanup(e.client.CloseIdleConnections)
	return e
}

func (e *edge) count(w http.ResponseWriter, r *http.Request) {
	_, thing, _ := strings.Cut(r.URL.Path, "/l/")
	_, thing, _ = strings.Cut(thing, "/")
	e.mu.Lock()
	e.asked[thing+"?"+r.URL.RawQuery]++
	e.mu.Unlock()
	e.Handler().ServeHTTP(w, r)
}

func (e *edge) startNginx(folder, origin string) {
	e.t.Helper()
	sample, err := os.ReadFile("../deploy/nginx-cdn.conf")
	if err != nil {
		e.t.Fatal(err)
	}
	here := strings.NewReplacer("server 127.0.0.1:8080;", "server unix:"+origin+";", "listen 443 ssl http2;", "listen unix:"+filepath.Join(folder, "edge.sock")+";",
		"/var/cache/nginx/chalkcast", "cache", "/var/log/nginx/chalkcast-edge", "edge").Replace(string(sample))
	here = regexp.MustCompile(`(?m)^ *ssl_.*$`).ReplaceAllString(here, "") // the test's viewers come through a socket
	if err := os.WriteFile(filepath.Join(folder, "cdn.conf"), []byte(here), 0o600); err != nil {
		e.t.Fatal(err)
	}
	conf, err := filepath.Abs("testdata/edge.conf")
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.Symlink(conf, filepath.Join(folder, "edge.conf")); err != nil { // what it includes lies beside it
		e.t.Fatal(err)
	}
	conf = filepath.Join(folder, "edge.conf")
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = tool(e.t, "/usr/sbin/nginx")
	}
	cmd := exec.Command(program, "-p", folder, "-c", conf, "-e", "stderr")
	cmd.Stderr = e.t.Output()
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	e.waitFor("nginx", func() bool {
		c, err := net.Dial("unix", filepath.Join(folder, "edge.sock"))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// at returns the address of something at the edge, for one viewer.
func (e *edge) at(viewer int, name string) string {
	text := e.minter.Mint(ticket.Claims{Channel: e.lesson, Viewer: uint64(viewer), Expires: time.Now().Add(time.Hour)})
	return "http://edge.example/p/" + text + "/l/" + e.lesson.String() + "/" + name
}

// fetch asks the edge.
func (e *edge) fetch(address string) (status int, body []byte, header http.Header) {
	e.t.Helper()
	resp, err := e.client.Get(address)
	if err != nil {
		e.t.Error(err)
		return 0, nil, nil
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		e.t.Error(err)
	}
	return resp.StatusCode, body, resp.Header
}

// pace writes frames when they are due.
func (e *edge) pace(in *hls.Input, frames []*media.Frame, clocks ...int) {
	began, first := time.Now(), frames[0].DTS.Duration(clocks[frames[0].Track])
	for _, f := range frames {
		time.Sleep(time.Until(began.Add(f.DTS.Duration(clocks[f.Track]) - first)))
		if err := in.Write(f); err != nil {
			e.t.Error(err)
			return
		}
	}
}

// FLT-27: a CDN in between, which is nginx as deploy/nginx-cdn.conf sets it up. Everybody plays, the origin is asked once
// for each thing however many they are, no hold is longer than 8 s, nothing but good answers is cached, and (SEC-26) no
// ticket is logged.
func TestFLT27(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const viewers = 40
	stream := mediatest.Stream{Duration: 7 * time.Second, NoAudio: true, FPS: 15, GOP: 30}
	frames := stream.Frames()
	in := e.publish(stream.Tracks(), true)
	began := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	pictures := map[int]int{}
	for i := range viewers {
		all.Go(func() {
			p := hlstest.Player{Client: e.client, Stop: func(r *hlstest.Rendition) bool { return len(r.Units) > 5*15 }}
			_, got, err := p.Collect(t.Context(), e.at(i+1, "index.m3u8"))
			if err != nil {
				t.Errorf("viewer %d: %v", i, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			pictures[i] = len(got[0].Units)
		})
	}
	e.pace(in, frames, 90000)
	all.Wait()
	seconds := int(time.Since(began)/time.Second) + 2
	media := 0
	e.mu.Lock()
	delete(e.asked, "index.m3u8?") // once a viewer: whether the ticket is good
	for thing, n := range e.asked {
		once := !strings.Contains(thing, "m3u8")
		if once {
			media++
		}
		// A playlist lives for a second or two.
		if once && n != 1 || n > seconds {
			t.Errorf("the origin was asked %d times for %s", n, thing)
		}
	}
	distinct, total := len(e.asked), 0
	for _, n := range e.asked {
		total += n
	}
	e.mu.Unlock()
	t.Logf("%d viewers: %d things of which %d media, asked for %d times in %d s", viewers, distinct, media, total, seconds)
	if len(pictures) != viewers || media < 10 || total > distinct+3*seconds {
		t.Errorf("%d viewers saw something; the origin was asked %d times for %d things", len(pictures), total, distinct)
	}

	p, err := hlstest.Parse(e.ask("GET", e.path(e.lesson)+"v0/live.m3u8").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	// What lies in the cache is for those who have a ticket.
	cached := "v0/" + p.Segments[0].URI
	if status, _, header := e.fetch(e.at(1, cached)); status != 200 || header.Get("X-Cache") == "" {
		t.Errorf("a segment with a ticket: %d, cache: %s", status, header.Get("X-Cache"))
	}
	for _, forged := range []string{"http://edge.example/p/x/l/" + e.lesson.String() + "/" + cached, "http://edge.example/l/" + e.lesson.String() + "/" + cached} {
		if status, body, _ := e.fetch(forged); status != 403 && status != 404 || len(body) > 1000 {
			t.Errorf("a segment without a ticket: %d and %d bytes", status, len(body))
		}
	}
	if lines, err := os.ReadFile(e.log); err != nil || !strings.Contains(string(lines), "/l/"+e.lesson.String()+"/v0/live.m3u8") || strings.Contains(string(lines), "/p/") {
		t.Errorf("the log of the edge, %v:\n%.500s", err, lines)
	}

	// The encoder is gone: a hold ends in time, and is not remembered.
	next := fmt.Sprintf("v0/live.m3u8?_HLS_msn=%d&_HLS_part=0", p.Next()+1)
	began = time.Now()
	status, _, header := e.fetch(e.at(1, next))
	if took := time.Since(began); status != 503 || took > 9500*time.Millisecond || header.Get("Cache-Control") != "no-store" {
		t.Errorf("a hold for nothing: %d after %v, Cache-Control %q; want 503 after 8 s", status, took, header.Get("Cache-Control"))
	}
	again := mediatest.Stream{Duration: 5 * time.Second, NoAudio: true, FPS: 15, GOP: 30}
	e.write(e.publish(again.Tracks(), true), again.Frames()...)
	if status, _, header := e.fetch(e.at(2, next)); status != 200 || header.Get("X-Cache") == "HIT" {
		t.Errorf("the same when the encoder is back: %d, cache: %s", status, header.Get("X-Cache"))
	}
	if status, _, header := e.fetch(e.at(3, next)); status != 200 || header.Get("X-Cache") != "HIT" {
		t.Errorf("and once more: %d, cache: %s, want a hit", status, header.Get("X-Cache"))
	}
}

// FLT-28: what is listed is there, also through the CDN; what should be there and is not yet is 503, and the next
// request is answered anew.
func TestFLT28(t *testing.T) {
	t.Parallel()
	store := storagetest.NewFaulty(memory.New(memory.Config{}))
	e := newEdge(t, func(c *hls.Config) { c.Store = store })
	stream := mediatest.Stream{Duration: 6 * time.Second, FPS: 15, GOP: 30}
	frames := stream.Frames()
	in := e.publish(stream.Tracks(), true)
	var viewer sync.WaitGroup
	viewer.Go(func() {
		p := hlstest.Player{Client: e.client}
		r, err := p.Follow(t.Context(), e.at(1, "v0/live.m3u8"))
		if err != nil {
			t.Error("viewer:", err)
			return
		}
		sameUnits(t, "through the edge", r.Track(1), frames, 0, 0)
		sameUnits(t, "through the edge", r.Track(2), frames, 1, 0)
	})
	e.pace(in, frames, 90000, 48000)
	e.end()
	viewer.Wait()

	e.waitFor("the recording to be archived", e.archived)
	e.stop()
	e.start()
	_, b, _ := e.fetch(e.at(1, "a0/replay.m3u8")) // nobody has listened to the sound alone
	replay, err := hlstest.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	target := "a0/" + replay.Segments[1].URI
	store.Set(storagetest.Down(errors.New("no route to host")))
	if status, _, header := e.fetch(e.at(2, target)); status != 503 || header.Get("Cache-Control") != "no-store" {
		t.Errorf("a segment while the store is away: %d, Cache-Control %q; want 503, not to be stored", status, header.Get("Cache-Control"))
	}
	store.Set(nil)
	for viewer, cache := range []string{"MISS", "HIT"} {
		if status, _, header := e.fetch(e.at(viewer, target)); status != 200 || header.Get("X-Cache") != cache {
			t.Errorf("a segment when the store is back: %d, cache: %s; want a %s", status, header.Get("X-Cache"), cache)
		}
	}
	for range 2 {
		if status, _, header := e.fetch(e.at(2, "v0/seg-9-aaaaaa-1.m4s")); status != 404 || header.Get("X-Cache") != "MISS" {
			t.Errorf("what never was: %d, cache: %s", status, header.Get("X-Cache"))
		}
	}
}
