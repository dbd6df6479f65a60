package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/e2e/conformance"
	"chalkcast/hls/hlstest"
)

// The promises of a fault test:
//
//	I1 numbers never go back, I2 what is listed is there        hlstest, all the time; a witness
//	I3 durations are what decode times say                      conformance
//	I4 the recording is the union of what was listed, and ends   compare, count
//	I6 nothing is left open                                      openFiles
//	I7 who saw no fault sees nothing of it                       a second witness, or a page
//	I8 no secret is logged                                       close of every school

// witness is a strict viewer who stays through a fault and remembers everything.
type witness struct {
	t    *testing.T
	stop context.CancelFunc
	done chan struct{}

	mu         sync.Mutex
	reloads    int
	units      int
	epochs     []string // init segments of the pictures, in the order of their first unit
	since      map[string]time.Time
	last       time.Time // of the newest unit
	renditions []*hlstest.Rendition
	err        error
}

// witness begins to watch at an address.
func (s *school) witness(address string) *witness {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	w := &witness{t: s.t, stop: cancel, done: make(chan struct{}), since: map[string]time.Time{}}
	player := &hlstest.Player{Patience: patience, Loose: true, Stop: w.note}
	go func() { // ends with the stream, or with the test
		defer close(w.done)
		_, w.renditions, w.err = player.Collect(ctx, s.HTTP+address)
	}()
	s.t.Cleanup(func() { cancel(); <-w.done })
	return w
}

// note looks at what a rendition has become.
func (w *witness) note(r *hlstest.Rendition) (stop bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reloads++
	n := len(r.Units)
	if n == 0 || r.Units[n-1].Clock != videoClock && r.Units[0].Clock != videoClock {
		return false
	}
	if n > w.units {
		w.units, w.last = n, time.Now()
	}
	if newest := r.Units[n-1].Map; w.since[newest].IsZero() {
		w.since[newest] = time.Now()
		w.epochs = append(w.epochs, newest)
	}
	return false
}

// arrived returns when the witness saw the first picture of its n-th epoch, zero while it has not.
func (w *witness) arrived(n int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.epochs) <= n {
		return time.Time{}
	}
	return w.since[w.epochs[n]]
}

// sees waits until the n-th epoch is there.
func (w *witness) sees(s *school, n int) time.Time {
	w.t.Helper()
	s.waitUntil(fmt.Sprintf("the viewer sees epoch %d", n), func() bool {
		w.check()
		return !w.arrived(n).IsZero()
	})
	return w.arrived(n)
}

// goesOn waits until the witness has had more pictures.
func (w *witness) goesOn(s *school) {
	w.t.Helper()
	began := time.Now()
	s.waitUntil("the viewer sees more", func() bool {
		w.check()
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.last.After(began)
	})
}

// check fails when the witness has seen a promise broken.
func (w *witness) check() {
	w.t.Helper()
	select {
	case <-w.done:
		if w.err != nil {
			w.t.Fatalf("the viewer: %v", w.err)
		}
	default:
	}
}

// compare holds the recording against everything that the witness was shown (I4). The witness must have seen the end.
func (w *witness) compare(s *school, replay string) {
	w.t.Helper()
	select {
	case <-w.done:
	case <-time.After(patience):
		w.t.Fatal("the viewer was not told that the lesson has ended")
	}
	w.check()
	recorded := s.recorded(replay)
	for i, r := range w.renditions {
		for _, seen := range r.Segments {
			if is := recorded[i][seen.MSN]; is.URI != seen.URI || is.Duration != seen.Duration || is.Gap != seen.Gap || is.Disc != seen.Disc {
				w.t.Errorf("segment %d was shown as %+v, and is recorded as %+v", seen.MSN, seen, is)
			}
		}
	}
}

// leave goes away in the middle, with what was seen.
func (w *witness) leave() {
	w.stop()
	<-w.done
}

// recorded returns the segments of a recording by their number, a map for each rendition.
func (s *school) recorded(replay string) (all []map[int]hlstest.Segment) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, renditions, err := (&hlstest.Player{Loose: true}).Collect(ctx, s.HTTP+replay)
	if err != nil {
		s.t.Fatalf("read the recording: %v", err)
	}
	for _, r := range renditions {
		byNumber := map[int]hlstest.Segment{}
		for _, segment := range r.Segments {
			byNumber[segment.MSN] = segment
		}
		all = append(all, byNumber)
	}
	return all
}

// count returns how many pictures and blocks of sound a recording has, by a strict reader.
func (s *school) count(address string) (n heard) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, renditions, err := (&hlstest.Player{Loose: true}).Collect(ctx, s.HTTP+address)
	if err != nil {
		s.t.Fatalf("read the recording: %v", err)
	}
	for _, u := range renditions[0].Units {
		if u.Clock == videoClock {
			n.pictures++
		} else {
			n.sounds++
		}
	}
	return n
}

// checkReadable lets ffmpeg decode a recording to its end (I4), one init segment after the other: its reader of HLS
// takes the first and keeps to it.
func (s *school) checkReadable(address string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, renditions, err := (&hlstest.Player{Loose: true}).Collect(ctx, s.HTTP+address)
	if err != nil {
		s.t.Fatalf("read the recording: %v", err)
	}
	files, want := map[string][]byte{}, map[string]heard{}
	base := s.HTTP + strings.TrimSuffix(address, "index.m3u8") + "v0/"
	for _, segment := range renditions[0].Segments {
		if segment.Gap {
			continue
		}
		if files[segment.Map] == nil {
			files[segment.Map] = s.fetch(base + segment.Map)
		}
		files[segment.Map] = append(files[segment.Map], s.fetch(base+segment.URI)...)
	}
	for _, u := range renditions[0].Units {
		n := want[u.Map]
		if u.Clock == videoClock {
			n.pictures++
		} else {
			n.sounds++
		}
		want[u.Map] = n
	}
	for name, content := range files {
		file := filepath.Join(s.t.TempDir(), name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			s.t.Fatal(err)
		}
		if got, err := playFFmpeg(ctx, file, everything); err != nil || got != want[name] {
			s.t.Errorf("ffmpeg reads what belongs to %s: %+v, %v, want %+v", name, got, err, want[name])
		}
	}
}

// fetch gets something that must be there.
func (s *school) fetch(address string) []byte {
	s.t.Helper()
	response, err := http.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("fetch %s: %s, %v", filepath.Base(address), response.Status, err)
	}
	return b
}

// replay waits until the recording of an ended lesson can be watched: at once.
func (s *school) replay(who *visitor) string {
	s.t.Helper()
	took := s.waitUntil("the recording can be played", func() bool {
		p := who.playback(s.LessonID)
		return p.URL != "" && !p.Live
	})
	if took > 2*time.Second {
		s.t.Errorf("the recording can be played after %v, want 2 s at most", took)
	}
	return who.playback(s.LessonID).URL
}

// conforms holds what is behind an address against the books.
func (s *school) conforms(what, address string, cfg conformance.Config) *conformance.Report {
	s.t.Helper()
	report, ok := s.inspect(what, address, cfg)
	if !ok {
		s.t.FailNow()
	}
	return report
}

// inspect does so, and may run on any goroutine. It is not ok when the check did not come to its end.
func (s *school) inspect(what, address string, cfg conformance.Config) (report *conformance.Report, ok bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cfg.URL = s.HTTP + address
	report, err := conformance.Check(ctx, cfg)
	switch {
	case err != nil:
		s.t.Errorf("%s: %v\n%v", what, err, report)
	case len(report.Findings) > 0:
		s.t.Errorf("%s breaks rules:\n%v", what, report)
	}
	return report, err == nil
}

// dvr is where a viewer who came late finds the lesson from its beginning.
func dvr(address string) string { return strings.TrimSuffix(address, "index.m3u8") + "dvr.m3u8" }

// openFiles counts what the server's process holds open.
func (s *school) openFiles() int {
	s.t.Helper()
	list, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "fd"))
	if err != nil {
		s.t.Fatalf("count open files: %v", err)
	}
	return len(list)
}

// fewFiles is by how much the number of open files may differ for reasons of its own: connections that wait for
// another request, and the database's.
const fewFiles = 16

func (s *school) checkFiles(before int) {
	s.t.Helper()
	if now := s.openFiles(); now > before+fewFiles {
		s.t.Errorf("the server has %d files open, before the fault it had %d", now, before)
	}
}

// state is what the page is told of the lesson.
func (s *school) state(who *visitor) string {
	s.t.Helper()
	return who.playback(s.LessonID).State
}

// becomes waits until the lesson has a state, and returns how long that took.
func (s *school) becomes(who *visitor, state string) time.Duration {
	s.t.Helper()
	return s.waitUntil("the lesson is "+state, func() bool { return s.state(who) == state })
}
