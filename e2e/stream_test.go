package e2e

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"chalkcast/cmd/chalkcast/sample"
	"chalkcast/hls/hlstest"
)

// watching is a strict viewer at work.
type watching struct {
	t          *testing.T
	index      *hlstest.Index
	renditions []*hlstest.Rendition
	err        error
	enough     chan struct{} // closed when a few seconds have been seen
	done       chan struct{}
}

// watch collects everything from a playback address until its playlists end.
func (s *school) watch(address string) *watching {
	w := &watching{t: s.t, enough: make(chan struct{}), done: make(chan struct{})}
	var once sync.Once
	player := &hlstest.Player{
		Patience: patience,
		Loose:    true, // the last part of a stream that stops is as short as it is
		Stop: func(r *hlstest.Rendition) bool {
			if len(r.Units) > 300 {
				once.Do(func() { close(w.enough) })
			}
			return false
		},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	s.t.Cleanup(cancel)
	go func() { // ends with the stream, or with the test
		defer close(w.done)
		w.index, w.renditions, w.err = player.Collect(ctx, s.HTTP+address)
	}()
	return w
}

// units waits for the end and returns the pictures and the sound of the first rendition, and the sound of the one
// that has no pictures.
func (w *watching) units(what string) (video, audio, alone []hlstest.Unit) {
	w.t.Helper()
	<-w.done
	if w.err != nil {
		w.t.Fatalf("watch the %s: %v", what, w.err)
	}
	if len(w.renditions) != 2 {
		w.t.Fatalf("%s: got %d renditions, want pictures with sound, and sound alone", what, len(w.renditions))
	}
	split := func(r *hlstest.Rendition) (video, audio []hlstest.Unit) {
		for _, u := range r.Units {
			if u.Clock == videoClock {
				video = append(video, u)
			} else {
				audio = append(audio, u)
			}
		}
		return video, audio
	}
	video, audio = split(w.renditions[0])
	none, alone := split(w.renditions[1])
	if len(video) == 0 && len(none) > 0 { // listed the other way round
		video, audio, none, alone = none, alone, video, audio
	}
	if len(none) > 0 {
		w.t.Errorf("%s: the audio-only rendition has %d pictures", what, len(none))
	}
	return video, audio, alone
}

const videoClock = 90000

// ffmpeg sends a known file; everything that the encoder sent comes out once, in order, byte for byte and in time:
// up to Go live in the teacher's preview, from the next keyframe on in the lesson, and nothing of one in the other.
func TestEveryAccessUnitComesOutOnce(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	teacher, student := s.signIn(s.Teacher), s.signIn(s.Students[0])
	laptop := publish(t, s.publishURL(), 1)
	s.waitUntil("there is a preview", func() bool { return teacher.preview(s.LessonID).URL != "" })
	preview := s.watch(teacher.preview(s.LessonID).URL)
	select {
	case <-preview.enough:
	case <-preview.done:
		t.Fatalf("watch the preview: %v", preview.err)
	}
	teacher.order(s.LessonID, "live")
	s.waitUntil("the lesson can be played", func() bool { return student.playback(s.LessonID).URL != "" })
	lesson := s.watch(student.playback(s.LessonID).URL)
	if said, ok := laptop.wait(); !ok {
		t.Fatalf("ffmpeg: %s", said)
	}
	teacher.order(s.LessonID, "end")

	wantVideo, wantAudio := reference(t)
	previewVideo, previewAudio, previewAlone := preview.units("preview")
	liveVideo, liveAudio, liveAlone := lesson.units("lesson")
	check := func(what string, first, second []hlstest.Unit, want []sample.Frame) {
		t.Helper()
		if got := len(first) + len(second); got != len(want) {
			t.Errorf("%s: %d units in the preview and %d in the lesson, want %d in all", what, len(first), len(second), len(want))
		}
		compare(t, what+" of the preview", first, want[:min(len(first), len(want))])
		compare(t, what+" of the lesson", second, want[max(0, len(want)-len(second)):])
	}
	check("video", previewVideo, liveVideo, wantVideo)
	check("audio", previewAudio, liveAudio, wantAudio)
	check("audio alone", previewAlone, liveAlone, wantAudio)
	if len(liveVideo) > 0 && !liveVideo[0].Sync {
		t.Error("the lesson does not begin with a keyframe")
	}
	checkTogether(t, "preview", previewVideo, previewAudio, wantVideo, wantAudio)
	checkTogether(t, "lesson", liveVideo, liveAudio, wantVideo[max(0, len(wantVideo)-len(liveVideo)):], wantAudio[max(0, len(wantAudio)-len(liveAudio)):])

	// The replay is there at once and is the same lesson.
	again := s.watch(s.replay(student))
	replayVideo, replayAudio, _ := again.units("replay")
	same(t, "video", replayVideo, liveVideo)
	same(t, "audio", replayAudio, liveAudio)
}

// reference is what is in the file that ffmpeg sent.
func reference(t *testing.T) (video, audio []sample.Frame) {
	t.Helper()
	frames, err := sample.Frames()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if f.Video {
			video = append(video, f)
		} else {
			audio = append(audio, f)
		}
	}
	return video, audio
}

// tolerance: RTMP knows whole milliseconds, and sound is counted by samples.
const tolerance = time.Millisecond

// compare holds units against frames, times counted from the first of them.
func compare(t *testing.T, what string, got []hlstest.Unit, want []sample.Frame) {
	t.Helper()
	wrong := 0
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		problem := ""
		dts, pts := ticks(g.DTS-got[0].DTS, g.Clock), ticks(g.PTS-got[0].DTS, g.Clock)
		switch {
		case !bytes.Equal(g.Data, w.Data):
			problem = fmt.Sprintf("%d bytes differ from the %d that were sent", len(g.Data), len(w.Data))
		case (dts - (w.DTS - want[0].DTS)).Abs() > tolerance:
			problem = fmt.Sprintf("DTS %v, want %v", dts, w.DTS-want[0].DTS)
		case (pts - (w.PTS - want[0].DTS)).Abs() > tolerance:
			problem = fmt.Sprintf("PTS %v, want %v", pts, w.PTS-want[0].DTS)
		}
		if problem != "" {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: unit %d of %d: %s", what, i, len(got), problem)
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%s: %d units are wrong in all", what, wrong)
	}
}

// checkTogether holds the distance between picture and sound against that of the file.
func checkTogether(t *testing.T, what string, video, audio []hlstest.Unit, wantVideo, wantAudio []sample.Frame) {
	t.Helper()
	if len(video) == 0 || len(audio) == 0 {
		t.Errorf("%s: %d pictures and %d blocks of sound", what, len(video), len(audio))
		return
	}
	got := ticks(audio[0].PTS, audio[0].Clock) - ticks(video[0].PTS, video[0].Clock)
	want := wantAudio[0].PTS - wantVideo[0].PTS
	if (got - want).Abs() > tolerance {
		t.Errorf("%s: sound begins %v after the picture, want %v", what, got, want)
	}
}

func ticks(n int64, clock int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(clock)
}

func same(t *testing.T, what string, replay, live []hlstest.Unit) {
	t.Helper()
	if len(replay) != len(live) {
		t.Errorf("%s of the replay: %d units, live had %d", what, len(replay), len(live))
	}
	for i := range min(len(replay), len(live)) {
		if !bytes.Equal(replay[i].Data, live[i].Data) || replay[i].DTS != live[i].DTS || replay[i].PTS != live[i].PTS {
			t.Errorf("%s of the replay: unit %d differs from the live one", what, i)
			return
		}
	}
}
