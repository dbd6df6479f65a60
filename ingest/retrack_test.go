package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// A track that joins late changes the numbers of the others; output time goes on as if nothing had happened, also
// after a jump that only the timeline knows of.
func TestTimelineGoesOnWithOtherTracks(t *testing.T) {
	late := tlVideo
	alone, behind := tlAudio, tlAudio
	alone.ID, behind.ID = 0, 1
	tl := newTimeline([]media.Track{alone})
	dts, shift := media.Ticks(0), media.Ticks(0)
	sound := func(track, n int) (out media.Ticks, jumps int) {
		for range n {
			f := &media.Frame{Track: track, DTS: dts + shift}
			if tl.fix(f) {
				jumps++
			}
			dts, out = dts+960, f.DTS
		}
		return out, jumps
	}
	sound(0, 100)
	shift = 48000 * 3600 // the encoder's clock jumps by an hour
	before, jumps := sound(0, 100)
	if jumps != 1 {
		t.Fatalf("%d jumps, want 1", jumps)
	}
	tl.retrack([]media.Track{late, behind})
	picture := &media.Frame{Track: 0, DTS: (dts + shift).Rescale(48000, 90000), Sync: true}
	tl.fix(picture)
	after, jumps := sound(1, 1)
	if after-before != 960 || jumps != 0 {
		t.Errorf("sound went on by %d ticks with %d jumps, want 960 and none", after-before, jumps)
	}
	if got, want := picture.DTS.Duration(90000), after.Duration(48000); got != want {
		t.Errorf("the first picture is at %v, the sound beside it at %v; want together", got, want)
	}
}

// Sound that changes its rate counts in other ticks from then on.
func TestTimelineGoesOnWithAnotherClock(t *testing.T) {
	slow := tlAudio
	slow.Clock = 24000
	tl := newTimeline([]media.Track{tlVideo, tlAudio})
	out := time.Duration(0)
	for n := range media.Ticks(300) {
		f := &media.Frame{Track: 1, DTS: n * 960}
		if n >= 100 {
			f.DTS += 48000 * 60
		}
		tl.fix(f)
		out = f.DTS.Duration(48000)
	}
	tl.retrack([]media.Track{tlVideo, slow})
	f := &media.Frame{Track: 1, DTS: 300*480 + 24000*60}
	if jumped := tl.fix(f); jumped {
		t.Error("the other clock is taken for a jump")
	}
	if step := f.DTS.Duration(24000) - out; step != 20*time.Millisecond {
		t.Errorf("time went on by %v, want 20 ms", step)
	}
}

// Measurements of a broadcast go on: the line of the last minute, limits that look back, conditions.
func TestMeterGoesOnWithOtherTracks(t *testing.T) {
	s := mediatest.Stream{Duration: 20 * time.Second, Padding: 10000, GOP: 127}
	m, now := measure(s, Limits{}, 100)
	m.tell(media.AudioCodec, "MP3")
	before := m.health(now)
	tracks := s.Tracks()
	tracks[0], tracks[1] = tracks[1], tracks[0]
	for i := range tracks {
		tracks[i].ID = i
	}
	opus := *tracks[0].Params
	opus.Codec = media.Opus
	tracks[0].Params = &opus
	m.retrack(tracks)
	after := m.health(now)
	if !slices.Equal(after.SparkBPS, before.SparkBPS) || after.BitrateBPS != before.BitrateBPS || after.FPSMilli != before.FPSMilli {
		t.Errorf("bitrate %d, %d frames per 1000 s, spark %v;\nwant as before: %d, %d, %v",
			after.BitrateBPS, after.FPSMilli, after.SparkBPS, before.BitrateBPS, before.FPSMilli, before.SparkBPS)
	}
	if after.Keyframe != before.Keyframe || after.SkewMS != before.SkewMS {
		t.Errorf("keyframes every %v, skew %d ms; want as before: %v, %d", after.Keyframe, after.SkewMS, before.Keyframe, before.SkewMS)
	}
	if got, want := codes(after), "keyframe_long=4.2 audio_codec=Opus"; got != want {
		t.Errorf("warnings %q, want %q", got, want)
	}
	if !after.Warnings[0].Since.Equal(before.Warnings[0].Since) {
		t.Error("a warning begins anew")
	}
}

// What belonged to a track that is gone is not held against the next one.
func TestMeterForgetsATrackThatIsGone(t *testing.T) {
	m, now := measure(mediatest.Stream{Duration: 20 * time.Second, NoVideo: true}, Limits{}, 100)
	both := mediatest.Stream{}.Tracks()
	m.retrack(both)
	next := mediatest.Stream{Duration: 8 * time.Second}
	start := now
	for _, f := range next.Frames() {
		now = start.Add(f.DTS.Duration(both[f.Track].Clock))
		m.frame(now, f)
		if r := m.exceeded(); r != nil {
			t.Fatalf("sent away with %v", r)
		}
	}
	if h := m.health(now); codes(h) != "" || h.Keyframe != 2*time.Second || h.SkewMS < -100 || h.SkewMS > 100 {
		t.Errorf("warnings %q, keyframes every %v, skew %d ms; want none, 2 s, about 0", codes(h), h.Keyframe, h.SkewMS)
	}
	m.retrack(both[:1])
	if got := codes(m.health(now.Add(4 * time.Second))); strings.Contains(got, "audio_missing") {
		t.Errorf("4 s after the sound left: %q, want to miss it after 5 s", got)
	}
}
