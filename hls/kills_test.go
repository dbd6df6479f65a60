package hls_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/disk"
)

// victim names the folder and the address of a server that this test binary is when it was started again.
const victim = "CHALKCAST_TEST_VICTIM"

func TestMain(m *testing.M) {
	if place := os.Getenv(victim); place != "" {
		folder, address, _ := strings.Cut(place, "|")
		if err := beVictim(folder, address); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

const victimsLesson = media.ID(0x600d1e5509)

func victimsTickets() (*ticket.Minter, error) {
	key, err := ticket.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		return nil, err
	}
	return ticket.New(key)
}

// beVictim serves a lesson that an encoder streams into, until it is killed. POST /end ends the lesson, and is
// answered when the recording is archived.
func beVictim(folder, address string) error {
	began := time.Now()
	store, err := disk.Open(filepath.Join(folder, "store"))
	if err != nil {
		return err
	}
	minter, err := victimsTickets()
	if err != nil {
		return err
	}
	o, err := hls.Open(hls.Config{
		Store: store, Tickets: minter, Spool: filepath.Join(folder, "spool"), PartTarget: 200 * time.Millisecond,
		SegmentTarget: time.Second, Log: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
	go func() { panic(o.Run(ctx)) }() // ends with the process
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	name := "victim/" + strconv.Itoa(os.Getpid())
	mux.HandleFunc("/p/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", name)
		o.Handler().ServeHTTP(w, r)
	})
	mux.HandleFunc("POST /end", func(w http.ResponseWriter, r *http.Request) {
		err := o.End(r.Context(), victimsLesson)
		for err == nil {
			if _, err := store.Stat(r.Context(), "lessons/"+victimsLesson.String()+"/journal.jsonl"); err == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
	})
	go func() { panic(http.Serve(l, mux)) }() // ends with the process
	// Each time the encoder comes back with a clock of its own.
	stream := mediatest.Stream{Duration: time.Minute, Start: time.Duration(rand.IntN(1000)) * time.Second, GOP: 30, Padding: rand.IntN(500)}
	in, err := o.Input(ctx, media.Grant{Broadcast: media.NewID(), Publisher: 7, Lesson: victimsLesson, Live: true}, stream.Tracks())
	fmt.Printf("serving after %d ms\n", time.Since(began).Milliseconds())
	if errors.Is(err, hls.ErrEnded) {
		select {} // there is still the recording
	}
	if err != nil {
		return err
	}
	began = time.Now()
	for _, f := range stream.Frames() {
		at := f.DTS.Duration(stream.Tracks()[f.Track].Clock) - stream.Start
		time.Sleep(time.Until(began.Add(at)))
		if err := in.Write(f); err != nil {
			return err
		}
	}
	select {}
}

// start runs a victim and returns when it serves, and how to kill it.
func startVictim(t *testing.T, folder, address string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+folder+"|"+address)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), "serving after "); ok {
			if ms, err := strconv.Atoi(strings.TrimSuffix(n, " ms")); err != nil || ms > 3000 {
				t.Errorf("it served after %s, want at most 3 s", n)
			}
			go func() { // ends with the process
				for lines.Scan() {
					t.Log(lines.Text())
				}
			}()
			return kill
		}
		t.Log(lines.Text())
	}
	kill()
	t.Fatal("the server did not start")
	return nil
}

// shortLived is where files are that need not survive a power cut: the tests kill processes.
func shortLived(t *testing.T) string {
	t.Helper()
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	folder, err := os.MkdirTemp(shm, "chalkcast-kills-") //nolint:usetesting // memory; t.TempDir is on the disk
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// FLT-04: the server is killed at random moments, again and again, while strict viewers follow.
func TestKills(t *testing.T) {
	t.Parallel()
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("CHALKCAST_KILLS")); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("CHALKCAST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d kills, CHALKCAST_SEED=%d", kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	folder := shortLived(t)
	minter, err := victimsTickets()
	if err != nil {
		t.Fatal(err)
	}
	text := minter.Mint(ticket.Claims{Channel: victimsLesson, Viewer: 1, Expires: time.Now().Add(time.Hour)})
	at := "http://" + address + "/p/" + text + "/l/" + victimsLesson.String() + "/"

	kill := startVictim(t, folder, address)
	defer func() { kill() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(kills)*10*time.Second)
	defer cancel()
	player := &hlstest.Player{Crashes: true, Patience: 20 * time.Second}
	var live []*hlstest.Rendition
	watched := make(chan error, 1)
	go func() { // ends with ctx or the lesson
		var err error
		_, live, err = player.Collect(ctx, at+"index.m3u8")
		watched <- err
	}()
	for range kills {
		select {
		case err := <-watched:
			t.Fatal("viewer:", err)
		case <-time.After(2*time.Second/10 + time.Duration(random.Int64N(int64(2500*time.Millisecond)))):
		}
		kill()
		kill = startVictim(t, folder, address)
	}
	select {
	case err := <-watched:
		t.Fatal("viewer:", err)
	case <-time.After(2500 * time.Millisecond): // the last encoder is seen, too
	}
	resp, err := http.Post("http://"+address+"/end", "", nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal("end lesson:", resp, err)
	}
	resp.Body.Close()
	if err := <-watched; err != nil {
		t.Fatal("viewer:", err)
	}
	check := func(what string) {
		t.Helper()
		_, recording, err := (&hlstest.Player{Loose: true}).Collect(ctx, at+"replay.m3u8")
		if err != nil {
			t.Fatal(what, err)
		}
		if gaps := sameProgramme(t, live, recording); gaps > 0 {
			t.Errorf("%s: %d segments are gaps", what, gaps)
		}
		pictures, _ := ffmpeg(t, at+"v0/replay.m3u8", gapsOf(recording[0])...)
		if want := len(recording[0].Track(1)); pictures != want {
			t.Errorf("%s: ffprobe decoded %d pictures of %d", what, pictures, want)
		}
	}
	check("recording")
	for i, r := range live {
		t.Logf("rendition %d: %d segments, %d units, lost after each crash: %.2f", i, len(r.Segments), len(r.Units), r.Lost)
		epochs := map[string]bool{}
		for _, s := range r.Segments {
			epochs[s.Map] = true
		}
		if len(epochs) < kills/2 {
			t.Errorf("rendition %d shows %d encoders, want most of %d", i, len(epochs), kills+1)
		}
	}
	// Once more, with nothing but the store.
	kill()
	if err := errors.Join(os.RemoveAll(filepath.Join(folder, "spool")), os.Mkdir(filepath.Join(folder, "spool"), 0o700)); err != nil {
		t.Fatal(err)
	}
	kill = startVictim(t, folder, address)
	check("recording from the store")
}
