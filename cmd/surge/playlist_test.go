package main

import (
	"strings"
	"testing"
	"time"
)

const lowLatency = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:10
#EXT-X-SKIP:SKIPPED-SEGMENTS=3
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T08:00:00.000Z
#EXTINF:2.0,
13.m4s
#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="14.0.m4s"
#EXT-X-PART:DURATION=0.5,URI="14.1.m4s"
#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="14.2.m4s"
#EXT-X-PART:DURATION=0.5,URI="14.3.m4s"
#EXTINF:2.0,
14.m4s
#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="15.0.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="15.1.m4s"
`

func parse(t *testing.T, text string) *playlist {
	t.Helper()
	p, err := parsePlaylist([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParsePlaylist(t *testing.T) {
	p := parse(t, lowLatency)
	if !p.blocks || !p.skips || !p.delta || p.target != 2*time.Second || p.partTarget != 500*time.Millisecond || p.holdBack != 1500*time.Millisecond {
		t.Errorf("head: %+v", p)
	}
	if msn, part := p.next(); msn != 15 || part != 1 || len(p.segments) != 2 || p.segments[0].msn != 13 || p.segments[1].msn != 14 {
		t.Errorf("numbers: next %d.%d, segments %+v", msn, part, p.segments)
	}
	begin := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	if s := p.segments[1]; !s.at.Equal(begin.Add(2*time.Second)) || s.uri != "14.m4s" || s.init != "init.mp4" || len(s.parts) != 4 {
		t.Errorf("segment 14: %+v", s)
	}
	if end := p.open.parts[0].end; !end.Equal(begin.Add(4500 * time.Millisecond)) {
		t.Errorf("the last part ends at %v, want 4.5 s after %v", end, begin)
	}
}

func TestParsePlaylistRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a page":                     "<html>",
		"a URI without EXTINF":       "#EXTM3U\nfile.m4s\n",
		"a negative length":          "#EXTM3U\n#EXTINF:-1,\n",
		"a length that is no number": "#EXTM3U\n#EXTINF:NaN,\n",
		"a date that is none":        "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:yesterday\n",
	} {
		if _, err := parsePlaylist([]byte(text)); err == nil {
			t.Errorf("%s: taken for a playlist", name)
		}
	}
}

func FuzzParsePlaylist(f *testing.F) {
	f.Add([]byte(lowLatency))
	f.Add([]byte("#EXTM3U\n#EXT-X-GAP\n#EXTINF:0,\nx\n#EXT-X-ENDLIST"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePlaylist(b)
		if err != nil {
			return
		}
		for i := range p.segments[min(1, len(p.segments)):] {
			if p.segments[i+1].msn != p.segments[i].msn+1 {
				t.Fatalf("segments are not consecutive: %+v", p.segments)
			}
		}
		startPoint(p, time.Second, false)
		startPoint(p, time.Second, true)
	})
}

// Players begin where decoding can, and show what lies no further back than they were told.
func TestStartPoint(t *testing.T) {
	p := parse(t, lowLatency)
	for _, c := range []struct {
		behind    time.Duration
		plain     bool
		msn, part int
		have      time.Duration
	}{
		{behind: 300 * time.Millisecond, msn: 15, part: 0, have: 300 * time.Millisecond},
		{behind: 1500 * time.Millisecond, msn: 14, part: 2, have: 1500 * time.Millisecond},
		{behind: 1600 * time.Millisecond, msn: 14, part: 0, have: 1600 * time.Millisecond},
		{behind: 3 * time.Second, msn: 13, part: 0, have: 3 * time.Second},
		{behind: time.Minute, msn: 13, part: 0, have: 4500 * time.Millisecond}, // as far as there is anything
		{behind: 3 * time.Second, plain: true, msn: 13, part: 0, have: 3 * time.Second},
		{behind: 2 * time.Second, plain: true, msn: 14, part: 0, have: 2 * time.Second},
	} {
		msn, part, have, ok := startPoint(p, c.behind, c.plain)
		if !ok || msn != c.msn || part != c.part || have != c.have {
			t.Errorf("behind %v, plain %t: got %d.%d with %v, %t; want %d.%d with %v", c.behind, c.plain, msn, part, have, ok, c.msn, c.part, c.have)
		}
	}
	if _, _, _, ok := startPoint(parse(t, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"), time.Second, false); ok {
		t.Error("an empty playlist has a place to start")
	}
}

func TestChoose(t *testing.T) {
	const apart = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="a.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="b",DEFAULT=YES,URI="b.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="s"
v.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2
w.m3u8
`
	for text, want := range map[string]string{
		apart: "v.m3u8 b.m3u8",
		"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0/live.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\na0/live.m3u8\n": "v0/live.m3u8",
		lowLatency: "",
	} {
		c, ok := choose([]byte(text))
		if got := strings.Join(c.uris, " "); got != want || ok != (want != "") {
			t.Errorf("chose %q, %t of\n%s\nwant %q", got, ok, text, want)
		}
	}
}
