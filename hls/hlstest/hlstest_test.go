package hlstest_test

import (
	"strings"
	"testing"

	"chalkcast/hls/hlstest"
)

const good = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.000,PART-HOLD-BACK=1.515
#EXT-X-PART-INF:PART-TARGET=0.505
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="init-1-aaaaaa-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T08:00:00.000Z
#EXTINF:2.000000,
seg-1-aaaaaa-7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-2-bbbbbb-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T08:00:09.000Z
#EXT-X-PART:DURATION=0.500000,INDEPENDENT=YES,URI="part-2-bbbbbb-8-0.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-2-bbbbbb-8-1.m4s"
`

func TestParse(t *testing.T) {
	p, err := hlstest.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if p.Next() != 8 || p.Open.MSN != 8 || p.Open.Disc != 4 || len(p.Open.Parts) != 1 || p.Open.Map != "init-2-bbbbbb-0.mp4" {
		t.Errorf("read %+v", p)
	}
	if s := p.Segments[0]; s.MSN != 7 || s.Disc != 3 || s.Duration != 2 || s.At.IsZero() || !p.Open.Parts[0].Independent || p.Hint == "" {
		t.Errorf("read %+v", p)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, change := range map[string][2]string{
		"no header":          {"#EXTM3U\n", ""},
		"no last line break": {"8-1.m4s\"\n", "8-1.m4s\""},
		"unknown tag":        {"#EXT-X-VERSION:9", "#EXT-X-WHATEVER:9"},
		"empty line":         {"#EXTINF:2.000000,\n", "#EXTINF:2.000000,\n\n"},
		"URI without EXTINF": {"#EXTINF:2.000000,\n", ""},
		"negative part":      {"DURATION=0.5", "DURATION=-0.5"},
		"bad date":           {"08:00:00.000Z", "08:00:00+01:00"},
		"open quote":         {"0.mp4\"\n#EXT-X-PROGRAM", "0.mp4\n#EXT-X-PROGRAM"},
		"attribute twice":    {"CAN-BLOCK-RELOAD=YES", "CAN-BLOCK-RELOAD=YES,CAN-BLOCK-RELOAD=YES"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if p, err := hlstest.Parse([]byte(text)); err == nil {
			t.Errorf("%s: taken for %+v", name, p)
		}
	}
}
