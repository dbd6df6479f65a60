package hls_test

import (
	"context"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// The tracks of a broadcast change: its next run goes on where the last one is, whether students see it or not.
func TestTracksChange(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{false, true} {
		h := newHouse(t)
		g := media.Grant{Broadcast: media.NewID(), Publisher: h.teacher, Lesson: h.lesson}
		open := func(tracks []media.Track) *hls.Input {
			t.Helper()
			in, err := h.Input(context.Background(), g, tracks)
			if err != nil {
				t.Fatal("open input:", err)
			}
			return in
		}
		stream := mediatest.Stream{Duration: 20 * time.Second}
		frames, tracks := stream.Frames(), stream.Tracks()
		h.rate = tracks[0].Clock
		first, second := h.ahead(frames, 5*time.Second), h.ahead(frames, 10*time.Second)
		in := open(tracks[:1])
		for _, f := range frames[:first] {
			if f.Track == 0 {
				h.write(in, f)
			}
		}
		channel := h.teacher
		if live {
			channel = h.lesson
			if err := h.GoLive(context.Background(), h.lesson, h.teacher); err != nil {
				t.Fatal(err)
			}
		}
		// The sound joins before the key frame with which the lesson would have begun.
		again := open(tracks)
		if err := in.Close(media.End{}); err != nil {
			t.Error(err)
		}
		h.write(again, frames[first:second]...)
		if s := h.Status(channel); !s.Publishing || !s.Live || s.Ended {
			t.Errorf("live %v: status after the sound joined %+v, want that it goes on", live, s)
		}
		// And leaves again, when the lesson is on air.
		last := open(tracks[:1])
		if err := again.Close(media.End{}); err != nil {
			t.Error(err)
		}
		for _, f := range frames[second:] {
			if f.Track == 0 {
				h.write(last, f)
			}
		}
		p, err := hlstest.Parse(h.get(h.url(channel, "v0/live.m3u8")))
		if err != nil || p.Ended || p.MediaSequence != 0 {
			t.Errorf("live %v: playlist %+v, %v; want one that goes on", live, p, err)
		}
		want := 2
		if live {
			want = 1 // it begins with the sound
		}
		if got := p.Segments[len(p.Segments)-1].Disc; got != want {
			t.Errorf("live %v: %d discontinuities, want %d", live, got, want)
		}
		if err := last.Close(media.End{}); err != nil {
			t.Error(err)
		}
		if s := h.Status(h.teacher); s.Publishing || !s.Ended {
			t.Errorf("live %v: status of the preview after the encoder left %+v, want that it has ended", live, s)
		}
	}
}
