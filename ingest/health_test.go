package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// measure feeds a stream to a meter at real time, stretched by slow percent, and returns the meter and its time.
func measure(s mediatest.Stream, limits Limits, stretch time.Duration) (*meter, time.Time) {
	tracks := s.Tracks()
	m := newMeter(tracks, limits.WithDefaults())
	now := noon
	for _, f := range s.Frames() {
		now = noon.Add(f.DTS.Duration(tracks[f.Track].Clock) * stretch / 100)
		m.frame(now, f)
	}
	return m, now
}

func codes(h media.Health) string {
	var list []string
	for _, w := range h.Warnings {
		list = append(list, strings.TrimSuffix(string(w.Code)+"="+w.Detail, "="))
	}
	return strings.Join(list, " ")
}

func TestHealthOfAGoodStream(t *testing.T) {
	m, now := measure(mediatest.Stream{Duration: 20 * time.Second, Padding: 10000}, Limits{}, 100)
	h := m.health(now)
	if h.BitrateBPS < 2_300_000 || h.BitrateBPS > 2_600_000 {
		t.Errorf("bitrate %d, want about 2.4 Mbit/s", h.BitrateBPS)
	}
	if h.FPSMilli < 29_500 || h.FPSMilli > 30_500 {
		t.Errorf("%d frames per 1000 s, want about 30000", h.FPSMilli)
	}
	if h.Keyframe != 2*time.Second || h.Silence > 50*time.Millisecond || h.SkewMS < -100 || h.SkewMS > 100 {
		t.Errorf("keyframe %v, silence %v, skew %d ms", h.Keyframe, h.Silence, h.SkewMS)
	}
	if len(h.SparkBPS) != 60 || h.SparkBPS[59] < 2_000_000 || h.SparkBPS[45] < 2_000_000 || h.SparkBPS[10] != 0 {
		t.Errorf("spark %v", h.SparkBPS)
	}
	if codes(h) != "" || m.exceeded() != nil || len(h.Tracks) != 2 {
		t.Errorf("warnings %s, refusal %v", codes(h), m.exceeded())
	}
}

func TestWarnings(t *testing.T) {
	surround := mediatest.Stream{}.Tracks()
	wide := *surround[1].Params
	wide.Channels = 6
	for _, tc := range []struct {
		name    string
		stream  mediatest.Stream
		limits  Limits
		stretch time.Duration
		want    string
	}{
		{"no sound at all", mediatest.Stream{NoAudio: true}, Limits{}, 100, "audio_missing"},
		{"only sound", mediatest.Stream{NoVideo: true}, Limits{}, 100, ""},
		{"keyframes every 4 s", mediatest.Stream{GOP: 120, Duration: 20 * time.Second}, Limits{}, 100, ""},
		{"keyframes every 8.3 s", mediatest.Stream{FPS: 10, GOP: 83, Duration: 20 * time.Second}, Limits{}, 100, "keyframe_long=8.3"},
		{"no keyframe for 9.9 s", mediatest.Stream{FPS: 10, GOP: 127}, Limits{}, 100, "keyframe_long=9.9"},
		{"6.1 Mbit/s", mediatest.Stream{Padding: 25200}, Limits{}, 100, "bitrate_high=6.1"},
		{"a school that allows more", mediatest.Stream{Padding: 25200}, Limits{BitrateWarnBPS: 8_000_000}, 100, ""},
		{"four fifths of real time", mediatest.Stream{Duration: 20 * time.Second, Padding: 5000}, Limits{}, 125, "starved=1.0 / 1.2"},
		{"a little slow", mediatest.Stream{Duration: 20 * time.Second}, Limits{}, 105, ""},
	} {
		m, now := measure(tc.stream, tc.limits, tc.stretch)
		if got := codes(m.health(now)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	surround[1].Params = &wide
	if got := codes(newMeter(surround, Limits{}.WithDefaults()).health(noon)); got != "audio_channels=5.1" {
		t.Errorf("six channels: %q", got)
	}
	surround[0].Params, surround[1].Params = &media.Params{Codec: media.HEVC}, &media.Params{Codec: media.Opus, Channels: 2}
	if got := codes(newMeter(surround, Limits{}.WithDefaults()).health(noon)); got != "video_codec=HEVC audio_codec=Opus" {
		t.Errorf("HEVC and Opus: %q", got)
	}
}

// Sound that stops is missed after five seconds, and the warning says since when; sound that returns ends it.
func TestSoundStopsAndReturns(t *testing.T) {
	s := mediatest.Stream{Duration: 30 * time.Second}
	tracks := s.Tracks()
	m := newMeter(tracks, Limits{}.WithDefaults())
	var warned []string
	var since []time.Time
	next := noon
	for _, f := range s.Frames() {
		now := noon.Add(f.DTS.Duration(tracks[f.Track].Clock))
		if quiet := now.Sub(noon) > 10*time.Second && now.Sub(noon) < 19500*time.Millisecond; f.Track == 0 || !quiet {
			m.frame(now, f)
		}
		if !now.Before(next) {
			next = next.Add(time.Second)
			h := m.health(now)
			if len(h.Warnings) > 0 {
				warned = append(warned, fmt.Sprint(int(now.Sub(noon).Seconds())))
				since = append(since, h.Warnings[0].Since)
			}
		}
	}
	if got := strings.Join(warned, " "); got != "15 16 17 18 19" {
		t.Errorf("warned at seconds %s", got)
	}
	if since = slices.Compact(since); len(since) != 1 {
		t.Errorf("since %v, want one instant", since)
	}
}

func TestSilence(t *testing.T) {
	m, now := measure(mediatest.Stream{}, Limits{}, 100)
	h := m.health(now.Add(8 * time.Second))
	if h.Silence != 8*time.Second || h.BitrateBPS != 0 || h.FPSMilli != 0 || codes(h) != "" {
		t.Errorf("silence %v, bitrate %d, %d frames, warnings %s", h.Silence, h.BitrateBPS, h.FPSMilli, codes(h))
	}
	h = m.health(now.Add(2 * time.Hour))
	if slices.Max(h.SparkBPS) != 0 || h.Silence != 2*time.Hour {
		t.Errorf("two hours later: %+v", h)
	}
}

func TestJumpIsRemembered(t *testing.T) {
	m, now := measure(mediatest.Stream{}, Limits{}, 100)
	m.jump(now)
	if got := codes(m.health(now.Add(29 * time.Second))); got != "timestamps_jump" {
		t.Errorf("after 29 s: %q", got)
	}
	if got := codes(m.health(now.Add(30 * time.Second))); got != "" {
		t.Errorf("after 30 s: %q", got)
	}
}

func TestNotesAreSaidOnce(t *testing.T) {
	m, now := measure(mediatest.Stream{}, Limits{}, 100)
	m.tell(media.AudioCodec, "MP3")
	m.tell(media.AudioCodec, "MP3")
	if got := codes(m.health(now)); got != "audio_codec=MP3" {
		t.Errorf("got %q", got)
	}
}

// What breaks a hard limit ends the broadcast (SEC-14).
func TestExceeded(t *testing.T) {
	for _, tc := range []struct {
		name    string
		stream  mediatest.Stream
		stretch time.Duration
		want    string
	}{
		{"11.5 Mbit/s", mediatest.Stream{Padding: 47500, Duration: 15 * time.Second}, 100, "<nil>"},
		{"12.5 Mbit/s", mediatest.Stream{Padding: 52000, Duration: 15 * time.Second}, 100, "refused: bitrate_high (12.0)"},
		{"a second at twenty times real time", mediatest.Stream{Duration: 20 * time.Second, Padding: 10000}, 5, "<nil>"},
		{"200 Mbit/s", mediatest.Stream{Padding: 500_000, Duration: time.Second, FPS: 50}, 100, "refused: bitrate_high (12.0)"},
		{"keyframes every 12 s", mediatest.Stream{FPS: 10, GOP: 120, Duration: 25 * time.Second}, 100, "<nil>"},
		{"keyframes every 12.2 s", mediatest.Stream{FPS: 10, GOP: 122, Duration: 25 * time.Second}, 100, "refused: keyframe_long (12.1)"},
	} {
		m, _ := measure(tc.stream, Limits{}, tc.stretch)
		got := fmt.Sprint(error(nil))
		if r := m.exceeded(); r != nil {
			got = r.Error()
		}
		if got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func BenchmarkMeter(b *testing.B) {
	m := newMeter(mediatest.Stream{}.Tracks(), Limits{}.WithDefaults())
	f := &media.Frame{Data: make([]byte, 1000), Sync: true}
	now := noon
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * time.Millisecond)
		f.DTS += 900
		m.frame(now, f)
	}
}
