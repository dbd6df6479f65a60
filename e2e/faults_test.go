package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"chalkcast/e2e/conformance"
)

// either is the length of a fault in CI, and the one that it has with CHALKCAST_LONG=1.
func either(short, full time.Duration) time.Duration {
	if long {
		return full
	}
	return short
}

// drawn is an encoder of another kind than the clip's: smaller, baseline, drawn while it is sent.
func drawn(t *testing.T, url string) *encoder {
	t.Helper()
	return ffmpeg(t, "-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=f=440:r=44100",
		"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-g", "50", "-b:v", "300k", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-b:a", "64k", "-f", "flv", url)
}

// onAir is a lesson on air, with a viewer in it who stays to the end.
type onAir struct {
	*school
	parent  *testing.T // of what outlives a subtest
	teacher *visitor
	address string
	viewer  *witness
}

// in is the same lesson for a subtest.
func (a *onAir) in(t *testing.T) *onAir {
	other := *a
	other.school = a.school.in(t)
	other.viewer.t = t
	return &other
}

func goOnAir(t *testing.T) (a *onAir, laptop *encoder) {
	t.Helper()
	return openSchool(t).goOnAir()
}

func (s *school) goOnAir() (a *onAir, laptop *encoder) {
	s.t.Helper()
	a = &onAir{school: s, parent: s.t}
	laptop = publish(s.t, a.publishURL(), -1)
	a.teacher = a.signIn(a.Teacher)
	a.goLive(a.teacher)
	a.address = a.signIn(a.Students[0]).playback(a.LessonID).URL
	a.viewer = a.witness(a.address)
	a.viewer.sees(a.school, 0)
	return a, laptop
}

// Everything that can happen to an encoder, in one lesson that a viewer never leaves: two with one key, one that
// vanishes without a word, one that comes back as somebody else, one that nobody can play, one that is killed for
// good. Numbers go on, the same address goes on, and the recording is what was shown.
func TestPublisherFaults(t *testing.T) {
	t.Parallel()
	a, first := goOnAir(t)
	wifi := dig(t, strings.TrimSuffix(strings.TrimPrefix(a.RTMP, "rtmp://"), "/live"))
	var vanishing, last *encoder
	t.Run("FLT-14 two publishers, one key", func(t *testing.T) { vanishing = a.in(t).twoPublishers(first, wifi) })
	t.Run("FLT-01 publisher vanishes and is back", func(t *testing.T) { last = a.in(t).vanish(vanishing, wifi) })
	t.Run("FLT-03 other parameters", func(t *testing.T) { last = a.in(t).otherParameters(last) })
	report := a.conforms("the live playlist after all that", a.address, conformance.Config{Segments: 2})
	if r := report.Renditions[0]; r.Discontinuities < 3 && !long { // in an hour they have left
		t.Errorf("the live playlist has %d discontinuities, want one for each encoder that came: %v", r.Discontinuities, report)
	}
	a.conforms("the playlist of everything after all that", dvr(a.address), conformance.Config{Segments: 1})
	t.Run("FLT-02 publisher never back", func(t *testing.T) { a.in(t).neverBack(last) })
}

// SEC-07: the second is refused in words and the first goes on, unless the second says that it takes over.
func (a *onAir) twoPublishers(first *encoder, wifi *tunnel) (second *encoder) {
	a.t.Helper()
	said, ok := publish(a.t, a.publishURL(), 1).wait()
	if ok {
		a.t.Errorf("the second encoder of one key was let in; it said %q", said)
	}
	a.studioSays(a.teacher, "second_encoder")
	a.viewer.goesOn(a.school)
	if came := a.viewer.arrived(1); !came.IsZero() {
		a.t.Error("the refused encoder is seen by the viewer")
	}

	second = publish(a.parent, wifi.through(a.publishURL())+"?takeover=1", -1)
	if _, ok := first.wait(); ok {
		a.t.Error("the encoder that was taken over ended as if its stream were over")
	}
	a.viewer.sees(a.school, 1)
	a.becomes(a.teacher, "live")
	return second
}

// vanish cuts the network under the encoder without a word. Another one comes from elsewhere, and then what is left of
// the first arrives after all.
func (a *onAir) vanish(lost *encoder, wifi *tunnel) (back *encoder) {
	a.t.Helper()
	files := a.openFiles()
	wifi.vanish()
	gone := time.Now()
	if took := a.becomes(a.teacher, "interrupted"); took > 7*time.Second {
		a.t.Errorf("the page was told %v after the last packet that the teacher is away, want 5 s and a round of settling", took)
	}
	a.pass(gone, either(0, 20*time.Second))

	mobile := dig(a.parent, wifi.to)
	back = publish(a.parent, mobile.through(a.publishURL()), -1)
	seen := a.viewer.sees(a.school, 2)
	if took := seen.Sub(mobile.used()); took > 6*time.Second {
		a.t.Errorf("viewers play %v after the encoder is back, want 6 s at most", took)
	}
	a.becomes(a.teacher, "live")

	wifi.mend()
	if _, ok := lost.wait(); ok {
		a.t.Error("the encoder that had vanished ended as if its stream were over")
	}
	a.viewer.goesOn(a.school)
	if came := a.viewer.arrived(3); !came.IsZero() {
		a.t.Error("what the vanished encoder had still to say was shown")
	}
	a.checkFiles(files)
	return back
}

// otherParameters brings an encoder with another picture, and one with a codec that no browser plays.
func (a *onAir) otherParameters(before *encoder) (last *encoder) {
	a.t.Helper()
	before.kill()
	smaller := drawn(a.t, a.publishURL())
	a.viewer.sees(a.school, 3)
	a.becomes(a.teacher, "live")
	smaller.kill()
	a.becomes(a.teacher, "interrupted")

	said, ok := ffmpeg(a.t, "-re", "-f", "lavfi", "-i", "testsrc=s=320x240:r=25", "-t", "20", "-c:v", "flv1", "-f", "flv", a.publishURL()).wait()
	if ok {
		a.t.Errorf("Sorenson video was let in; ffmpeg said %q", said)
	}
	a.studioSays(a.teacher, "video_codec")
	if state := a.state(a.teacher); state != "interrupted" {
		a.t.Errorf("the lesson is %s after a codec was refused, want interrupted", state)
	}
	last = publish(a.parent, a.publishURL(), -1)
	a.viewer.sees(a.school, 4)
	return last
}

// neverBack kills the encoder for good. The teacher ends the lesson by hand, and the recording is there.
func (a *onAir) neverBack(last *encoder) {
	a.t.Helper()
	last.kill()
	gone := time.Now()
	a.becomes(a.teacher, "interrupted")
	a.pass(gone, either(0, 70*time.Second))
	if state := a.state(a.teacher); state != "interrupted" {
		a.t.Errorf("the lesson is %s, want interrupted: it waits", state)
	}
	a.finish()
}

// finish ends the lesson and holds its recording against what the viewer was shown.
func (a *onAir) finish() {
	a.t.Helper()
	a.teacher.order(a.LessonID, "end")
	replay := a.replay(a.teacher)
	a.viewer.compare(a.school, replay)
	a.checkReadable(replay)
	a.conforms("the recording", replay, conformance.Config{})
}

// What can happen to the server: it is stopped for a while, and it loses its power.
func TestServerFaults(t *testing.T) {
	t.Parallel()
	a, laptop := goOnAir(t)
	t.Run("FLT-06 stopped and continued", func(t *testing.T) { laptop = a.in(t).stopAndContinue(laptop) })
	t.Run("FLT-05 power loss", func(t *testing.T) { a.in(t).losePower() })
}

// stopAndContinue stops the process. Viewers wait, nobody loses what was sent, and nothing counts as negative.
func (a *onAir) stopAndContinue(laptop *encoder) *encoder {
	a.t.Helper()
	files, before := a.openFiles(), a.position(a.teacher)
	a.signal(syscall.SIGSTOP)
	a.pass(time.Now(), either(7*time.Second, 30*time.Second))
	a.signal(syscall.SIGCONT)
	a.waitReady()
	select {
	case <-laptop.ended: // it had to wait too long
		laptop = publish(a.parent, a.publishURL(), -1)
	default:
	}
	a.viewer.goesOn(a.school)
	a.becomes(a.teacher, "live")
	a.conforms("the live playlist after a stop", a.address, conformance.Config{Segments: 2})
	a.checkGoesOn(before, a.position(a.teacher))
	for who, row := range a.register(a.teacher) {
		for column, value := range row {
			if n, err := strconv.Atoi(value); err == nil && n < 0 {
				a.t.Errorf("register: %s of %s is %d", column, who, n)
			}
		}
	}
	a.checkFiles(files)
	return laptop
}

// losePower kills the server and takes from its disk what was not yet flushed there. What had been complete for a
// second is kept; the rest is a gap at most.
func (a *onAir) losePower() {
	a.t.Helper()
	before := a.position(a.teacher)
	a.pass(time.Now(), time.Second)
	a.kill()
	a.viewer.leave()
	loseUnsynced(a.t, filepath.Join(a.dir, "data", "spool", a.LessonID))
	began := time.Now()
	a.restart()
	a.t.Logf("ready %v after the power came back", time.Since(began))
	shown := a.viewer
	a.viewer = a.witness(a.address) // the ticket is as good as before
	publish(a.parent, a.publishURL(), -1)
	a.becomes(a.teacher, "live")
	a.viewer.goesOn(a.school)
	report := a.conforms("the live playlist after a power loss", a.address, conformance.Config{Segments: 2})
	a.checkGoesOn(before, a.position(a.teacher))
	if report.Renditions[0].Discontinuities == 0 {
		a.t.Errorf("no discontinuity where the power was lost: %v", report)
	}
	a.conforms("the playlist of everything after a power loss", dvr(a.address), conformance.Config{Segments: 1})
	a.finish()
	a.checkKept(shown, before)
}

// checkKept wants everything in the recording that was complete before a position.
func (a *onAir) checkKept(shown *witness, before position) {
	a.t.Helper()
	recorded := a.recorded(a.replay(a.teacher))
	for i, r := range shown.renditions {
		for _, seen := range r.Segments {
			is := recorded[i][seen.MSN]
			if done := seen.MSN < before.sequence+before.segments; is.URI != seen.URI || is.Duration != seen.Duration || done && is.Gap {
				a.t.Errorf("segment %d was shown as %+v, and is recorded as %+v", seen.MSN, seen, is)
			}
		}
	}
}

var (
	segmentRecord = regexp.MustCompile(`"k":"seg","r":"([a-z]\d)","n":(\d+)|"k":"seg","r":"([a-z]\d)"`)
	spoolFile     = regexp.MustCompile(`^.*\.([a-z]\d)\.(\d+)\.m4s$`)
)

// loseUnsynced makes of a lesson's spool what a power cut may make of it: of the journal there is what was synced and
// a torn line with a block of zeros behind it, and files of segments that were not complete are full of zeros, or short.
func loseUnsynced(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "journal.jsonl")
	journal, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	kept, complete := 0, map[string]bool{}
	for i, line := range lines {
		if m := segmentRecord.FindSubmatch(line); m != nil {
			kept = i + 1
			rendition, number := string(m[1]), string(m[2])
			if number == "" { // the first is left out of its line
				rendition, number = string(m[3]), "0"
			}
			complete[rendition+" "+number] = true
		}
	}
	if kept == 0 {
		t.Fatalf("the journal has no segment: %.400s", journal)
	}
	rest := bytes.Join(lines[kept:], nil)
	torn := slices.Concat(bytes.Join(lines[:kept], nil), rest[:min(len(rest), 40)], make([]byte, 512))
	if err := os.WriteFile(name, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		m := spoolFile.FindStringSubmatch(filepath.Base(name))
		if err != nil || m == nil || complete[m[1]+" "+m[2]] {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(name, make([]byte, info.Size()/2), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (a *onAir) signal(sig syscall.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(sig); err != nil {
		a.t.Fatalf("%v: %v", sig, err)
	}
}

// pass lets time go by until d after from. It is the fault that lasts so long; there is nothing to wait for.
func (a *onAir) pass(from time.Time, d time.Duration) {
	<-time.After(time.Until(from.Add(d)))
}
