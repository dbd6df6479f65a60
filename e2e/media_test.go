package e2e

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// An encoder sends three sizes of its picture, as OBS does with multitrack video: viewers get the choice, and in each
// size everything that was sent.
func TestQualities(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	teacher := s.signIn(s.Teacher)
	sizes := []mediatest.Stream{
		{Width: 1280, Height: 720, Duration: shortStream, Padding: 4000},
		{Width: 640, Height: 360, Duration: shortStream, Padding: 2000, NoAudio: true},
		{Duration: shortStream, NoAudio: true},
	}
	sent := make(chan error, 1)
	go func() { sent <- s.sendQualities(t.Context(), sizes) }() // ends with the stream, or with the test
	s.waitUntil("there is a preview", func() bool {
		select {
		case err := <-sent:
			t.Fatalf("send: %v", err)
		default:
		}
		return teacher.preview(s.LessonID).URL != ""
	})
	got := &collected{done: make(chan struct{})}
	s.collect(teacher.preview(s.LessonID).URL, got)
	if err := <-sent; err != nil {
		t.Fatalf("send: %v", err)
	}
	<-got.done
	if got.err != nil {
		t.Fatalf("watch: %v", got.err)
	}
	if n := len(got.index.Variants); n != 4 {
		t.Fatalf("%d variants, want three pictures and the sound alone: %+v", n, got.index.Variants)
	}
	a := attempt{door: "rtmp", shape: shape{parts: sizes[:1]}}
	sound := a.sent()[media.Audio]
	for i, size := range sizes {
		v, r := got.index.Variants[i], got.renditions[i]
		if size.Width == 0 {
			size.Width, size.Height = 320, 180
		}
		if want := fmt.Sprintf("%dx%d", size.Width, size.Height); v.URI != fmt.Sprintf("v%d/live.m3u8", i) || v.Resolution != want {
			t.Errorf("variant %d is %s in %s, want v%d in %s", i, v.URI, v.Resolution, i, want)
		}
		quality := attempt{door: "rtmp", shape: shape{parts: sizes[i : i+1]}}
		quality.compare(t, v.URI, picturesOf(r), quality.sent()[media.Video], 0)
		quality.compare(t, "sound of "+v.URI, soundOf(r), sound, 0)
	}
	a.compare(t, "sound alone", soundOf(got.renditions[3]), sound, 0)
	if b := got.index.Variants; b[0].Bandwidth <= b[1].Bandwidth || b[1].Bandwidth <= b[2].Bandwidth || b[2].Bandwidth <= b[3].Bandwidth {
		t.Errorf("bandwidths %d, %d, %d and %d, want less for less", b[0].Bandwidth, b[1].Bandwidth, b[2].Bandwidth, b[3].Bandwidth)
	}
}

func picturesOf(r *hlstest.Rendition) (out []hlstest.Unit) {
	for _, u := range r.Units {
		if u.Clock == videoClock {
			out = append(out, u)
		}
	}
	return out
}

func soundOf(r *hlstest.Rendition) (out []hlstest.Unit) {
	for _, u := range r.Units {
		if u.Clock != videoClock {
			out = append(out, u)
		}
	}
	return out
}

// sendQualities is an encoder of another implementation that sends streams side by side at real time; the first has
// the sound.
func (s *school) sendQualities(ctx context.Context, sizes []mediatest.Stream) error {
	address, err := url.Parse(s.RTMP + "#" + s.Teacher.StreamKey)
	if err != nil {
		return err
	}
	client := &gortmplib.Client{URL: address, Publish: true}
	if err := client.Initialize(ctx); err != nil {
		return err
	}
	defer client.Close()
	audio := &gortmplib.Track{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
	}}}
	var video []*gortmplib.Track
	pictures := make([][]*media.Frame, len(sizes))
	for i, size := range sizes {
		video = append(video, &gortmplib.Track{Codec: &codecs.H264{SPS: size.SPS(), PPS: size.PPS()}})
		for _, f := range size.Frames() {
			if f.Track == 0 {
				pictures[i] = append(pictures[i], f)
			}
		}
	}
	w := &gortmplib.Writer{Conn: client, Tracks: append(append([]*gortmplib.Track(nil), video...), audio)}
	if err := w.Initialize(); err != nil {
		return err
	}
	begin, n := time.Now(), 0
	for _, f := range sizes[0].Frames() {
		if f.Track == 1 {
			if err := w.WriteMPEG4Audio(audio, f.DTS.Duration(48000), f.Data); err != nil {
				return err
			}
			continue
		}
		select {
		case <-time.After(time.Until(begin.Add(f.DTS.Duration(videoClock)))): // as an encoder does, not to wait for something
		case <-ctx.Done():
			return ctx.Err()
		}
		for i := range sizes {
			f := pictures[i][n]
			if err := w.WriteH264(video[i], f.PTS().Duration(videoClock), f.DTS.Duration(videoClock), units(f.Data)); err != nil {
				return err
			}
		}
		n++
	}
	return nil
}

// units takes a sample apart.
func units(sample []byte) (out [][]byte) {
	for len(sample) > 4 {
		n := 4 + int(binary.BigEndian.Uint32(sample))
		out, sample = append(out, sample[4:n]), sample[n:]
	}
	return out
}
