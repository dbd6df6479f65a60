package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/ticket"
	"chalkcast/ingest"
	"chalkcast/ingest/rtmp"
	"chalkcast/media"
	"chalkcast/storage/memory"
)

// lesson is the one that is on air.
const lesson = media.ID(1)

// origin is the media wing of a server: an RTMP door, and a lesson that its one key streams into.
type origin struct {
	*hls.Origin
	minter *ticket.Minter
	key    media.Key
	rtmp   string // without the key
	http   string
}

func (o *origin) Admit(_ context.Context, a media.Attempt) (media.Grant, error) {
	if a.Key != o.key {
		return media.Grant{}, &media.Refusal{Code: media.KeyWrong}
	}
	return media.Grant{Publisher: 2, Broadcast: media.NewID(), Lesson: lesson, Live: true, KeyID: a.Key.ID}, nil
}

func (o *origin) Started(media.Grant, []media.Track, string) {}
func (o *origin) Health(media.Grant, media.Health)           {}
func (o *origin) Ended(media.Grant, media.End)               {}

func (o *origin) Open(ctx context.Context, g media.Grant, tracks []media.Track) (ingest.Writer, error) {
	in, err := o.Input(ctx, g, tracks)
	if err != nil {
		return nil, err
	}
	return in, nil
}

func openOrigin(t *testing.T, part time.Duration) *origin {
	t.Helper()
	key, err := ticket.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{key: media.NewKey()}
	if o.minter, err = ticket.New(key); err != nil {
		t.Fatal(err)
	}
	o.Origin, err = hls.Open(hls.Config{Store: memory.New(memory.Config{}), Tickets: o.minter, Spool: t.TempDir(), PartTarget: part})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- o.Run(ctx) }() // both end with ctx
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := rtmp.New(rtmp.Config{Desk: ingest.NewDesk(ingest.Config{Gate: o, Sink: o})})
	go func() { done <- door.Serve(ctx, l) }()
	web := httptest.NewServer(o.Handler())
	t.Cleanup(func() {
		web.Close()
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("stop the server: %v", err)
			}
		}
	})
	o.rtmp, o.http = "rtmp://"+l.Addr().String()+"/live", web.URL
	return o
}

func (o *origin) publishURL() string { return o.rtmp + "/" + o.key.Text() }

func (o *origin) url() string {
	text := o.minter.Mint(ticket.Claims{Channel: lesson, Viewer: 1, Expires: time.Now().Add(time.Hour)})
	return o.http + "/p/" + text + "/l/" + lesson.String() + "/index.m3u8"
}

func surgeAt(t *testing.T, args ...string) report {
	t.Helper()
	var out, progress bytes.Buffer
	file := filepath.Join(t.TempDir(), "report.json")
	if err := run(t.Context(), append(args, "--json", file), &out, &progress); err != nil {
		t.Fatalf("surge %v: %v\n%s", args, err, &progress)
	}
	var r report
	if err := readJSON(file, &r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "stalled") || !strings.Contains(progress.String(), "measure") {
		t.Errorf("the report says %q, the bar %q", &out, &progress)
	}
	return r
}

// Five players follow a stream that surge pushes itself: at the right pace, without a stall or an error, and each
// part is at most as old as a busy machine makes it.
func TestSurgeFollowsLive(t *testing.T) {
	t.Parallel()
	o := openOrigin(t, 200*time.Millisecond)
	r := surgeAt(t, "--rtmp", o.publishURL(), "--encoders", "1", "--url", o.url(), "--viewers", "5", "--gzip",
		"--join", "200ms", "--settle", "500ms", "--for", "2s", "--pid", strconv.Itoa(processID))
	if r.GaveUp != 0 || len(r.Errors) != 0 || r.StalledPct > 20 {
		t.Errorf("%d gave up, %.1f %% stalled, errors %v", r.GaveUp, r.StalledPct, r.Errors)
	}
	if r.ViewerSeconds < 9.5 || r.ViewerSeconds > 11 {
		t.Errorf("5 viewers watched %.1f s in all, want 10", r.ViewerSeconds)
	}
	// 5 parts a second, each reloaded and loaded once; a busy machine may hand out two at a time.
	if r.Loads < 35 || r.Loads > 65 || r.Reloads < 15 || r.Reloads > 65 {
		t.Errorf("loaded %d parts after %d playlists in 2 s, want about 50", r.Loads, r.Reloads)
	}
	if r.Fresh.Count < 6 || r.Fresh.P50 < 1 || r.Fresh.P50 > 1000 || r.Delay.Count < 35 {
		t.Errorf("delays: %+v by the pictures, %+v by the playlist; want one for each part", r.Fresh, r.Delay)
	}
	if r.Server == nil || r.Server.CPUSeconds <= 0 || r.Server.RSSMB < 5 || r.Server.PerStreamMS <= 0 {
		t.Errorf("server: %+v", r.Server)
	}
}

// A player that knows nothing of low latency polls at the pace of segments.
func TestSurgePlain(t *testing.T) {
	t.Parallel()
	o := openOrigin(t, 0)
	r := surgeAt(t, "--rtmp", o.publishURL(), "--encoders", "1", "--url", o.url(), "--viewers", "3", "--plain", "--behind", "2s",
		"--join", "100ms", "--settle", "500ms", "--for", "3s")
	if r.GaveUp != 0 || len(r.Errors) != 0 {
		t.Errorf("%d gave up, errors %v", r.GaveUp, r.Errors)
	}
	if r.Loads < 3 || r.Loads > 12 || r.Reloads > 15 {
		t.Errorf("loaded %d segments after %d playlists in 3 s, want 3 to 6 after 3 to 9", r.Loads, r.Reloads)
	}
}

// What is wrong is counted by its name, and does not end the run.
func TestSurgeCountsErrors(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".m3u8") {
			_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngone.ts\n"))
			return
		}
		http.NotFound(w, r)
	}))
	defer web.Close()
	r := surgeAt(t, "--url", web.URL+"/x.m3u8", "--viewers", "1", "--plain", "--join", "1ms", "--settle", "1ms", "--for", "1s")
	if r.Errors["segment: status 404 Not Found"] == 0 || r.ViewerSeconds != 0 {
		t.Errorf("errors %v, %v viewer-seconds", r.Errors, r.ViewerSeconds)
	}
}

func TestSurgeSaysWhyItCannotBegin(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":             "nothing to do",
		"--viewers 1":  "--url",
		"--encoders 1": "--rtmp",
		"--encoders 1 --rtmp rtmp://127.0.0.1:1/l/k": "connection refused",
		"--viewers 1 --credentials none --url x":     "leave out",
		"--viewers 1 --credentials none":             "no such file",
		"--encoders 1 --rtmp x --clip none":          "no such file",
	} {
		var out bytes.Buffer
		err := run(t.Context(), append(strings.Fields(args), "--no-progress", "--settle", "1s", "--for", "1s", "--join", "1s"), &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("surge %s: %v, want an error about %q", args, err, want)
		}
	}
}

// A student signs in, loads the page and what it is made of, listens, plays and sends beats; the teacher goes live.
func TestSurgeAttendsASchool(t *testing.T) {
	t.Parallel()
	o := openOrigin(t, 200*time.Millisecond)
	counts := newCounts()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/session", func(w http.ResponseWriter, r *http.Request) {
		counts.add("sign-in")
		http.SetCookie(w, &http.Cookie{Name: "cc", Value: "good", Path: "/"})
		_, _ = w.Write([]byte("{}"))
	})
	known := func(name string, answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("cc"); err != nil || c.Value != "good" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			counts.add(name)
			answer(w, r)
		}
	}
	api := "/api/v1/lessons/" + lesson.String()
	mux.HandleFunc("GET /api/v1/me", known("me", func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("POST "+api+"/live", known("live", func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("GET /lessons/"+lesson.String(), known("page", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<link href="/static/a.css"><script src="/static/b.js"></script>`))
	}))
	mux.HandleFunc("GET /static/", known("asset", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }))
	mux.HandleFunc("GET "+api+"/playback", known("playback", func(w http.ResponseWriter, _ *http.Request) {
		url := ""
		if o.Status(lesson).Live {
			url = strings.TrimPrefix(o.url(), o.http)
		}
		_ = json.NewEncoder(w).Encode(playback{URL: url})
	}))
	mux.HandleFunc("GET "+api+"/events", known("events", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(": ok\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	mux.HandleFunc("POST "+api+"/beats", known("beat", func(w http.ResponseWriter, r *http.Request) {
		var b beat
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || b.State != "playing" || b.View == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(`{"interval_ms": 500}`))
	}))
	mux.Handle("/p/", o.Handler())
	web := httptest.NewServer(mux)
	defer web.Close()

	dir := t.TempDir()
	file, sessions := filepath.Join(dir, "credentials.json"), filepath.Join(dir, "sessions.json")
	writeFile(t, file, credentials{
		HTTP: web.URL, RTMP: o.rtmp, Students: []account{{Email: "a"}, {Email: "b"}},
		class: class{Teacher: account{Email: "t", StreamKey: o.key.Text()}, LessonID: lesson.String()},
	})
	args := []string{"--credentials", file, "--sessions", sessions, "--viewers", "3", "--join", "100ms", "--settle", "500ms", "--for", "1500ms"}
	r := surgeAt(t, append(args, "--encoders", "1")...)
	if r.GaveUp != 0 || len(r.Errors) != 0 || r.Page.Count != 3 || r.Picture.Count != 3 || r.Beat.Count < 4 || r.ViewerSeconds < 4 {
		t.Errorf("%d gave up, errors %v, pages %+v, pictures %+v, beats %+v, %.1f viewer-seconds", r.GaveUp, r.Errors, r.Page, r.Picture, r.Beat, r.ViewerSeconds)
	}
	for name, want := range map[string]int{"sign-in": 3, "page": 3, "asset": 6, "events": 3} {
		if got := counts.of(name); got != want {
			t.Errorf("%s: %d times, want %d", name, got, want)
		}
	}
	var kept map[string]map[string]string
	if err := readJSON(sessions, &kept); err != nil || len(kept) != 3 || kept["a"]["cc"] != "good" {
		t.Errorf("sessions kept: %v, %v", kept, err)
	}
}
