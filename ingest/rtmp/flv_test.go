package rtmp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chalkcast/media"
)

var tagCases = []struct {
	name  string
	video bool
	body  string
	want  []tag
}{
	{"H.264 header", true, "\x17\x00\x00\x00\x00conf", []tag{{kind: media.Video, codec: media.H264, form: tagHeader, key: true, data: []byte("conf")}}},
	{"H.264 keyframe", true, "\x17\x01\x00\x00\x00data", []tag{{kind: media.Video, codec: media.H264, form: tagFrame, key: true, data: []byte("data")}}},
	{"composition time", true, "\x27\x01\x00\x01\x02d", []tag{{kind: media.Video, codec: media.H264, form: tagFrame, cto: 258, data: []byte("d")}}},
	{"negative composition time", true, "\x27\x01\xff\xff\xfed", []tag{{kind: media.Video, codec: media.H264, form: tagFrame, cto: -2, data: []byte("d")}}},
	{"end of sequence", true, "\x17\x02\x00\x00\x00", []tag{{kind: media.Video, codec: media.H264, key: true, data: []byte{}}}},
	{"command frame", true, "\x57\x00", nil},
	{"unofficial HEVC", true, "\x1c\x01\x00\x00\x00d", []tag{{kind: media.Video, codec: media.HEVC, form: tagFrame, key: true, data: []byte("d")}}},
	{"VP6", true, "\x14abc", []tag{{kind: media.Video, name: "VP6", key: true}}},
	{"Sorenson", true, "\x22", []tag{{kind: media.Video, name: "Sorenson H.263"}}},
	{"unknown picture", true, "\x1f", []tag{{kind: media.Video, name: "an unknown codec", key: true}}},
	{"AAC header", false, "\xaf\x00\x12\x10", []tag{{kind: media.Audio, codec: media.AAC, form: tagHeader, data: []byte("\x12\x10")}}},
	{"AAC", false, "\xaf\x01d", []tag{{kind: media.Audio, codec: media.AAC, form: tagFrame, data: []byte("d")}}},
	{"MP3", false, "\x2fd", []tag{{kind: media.Audio, name: "MP3"}}},
	{"Speex", false, "\xb2d", []tag{{kind: media.Audio, name: "Speex"}}},
	{"PCM", false, "\x3e", []tag{{kind: media.Audio, name: "PCM"}}},
	{"empty sound", false, "", nil},
	{"avc1 start", true, "\x90avc1conf", []tag{{kind: media.Video, codec: media.H264, form: tagHeader, key: true, data: []byte("conf")}}},
	{"avc1 frame", true, "\xa1avc1\x00\x00\x05d", []tag{{kind: media.Video, codec: media.H264, form: tagFrame, cto: 5, data: []byte("d")}}},
	{"hvc1 frame", true, "\x91hvc1\xff\xff\xffd", []tag{{kind: media.Video, codec: media.HEVC, form: tagFrame, key: true, cto: -1, data: []byte("d")}}},
	{"hvc1 without time", true, "\x93hvc1d", []tag{{kind: media.Video, codec: media.HEVC, form: tagFrame, key: true, data: []byte("d")}}},
	{"av01 has no time", true, "\xa1av01\x00\x00\x05d", []tag{{kind: media.Video, codec: media.AV1, form: tagFrame, data: []byte("\x00\x00\x05d")}}},
	{"vp09 end", true, "\x92vp09", []tag{{kind: media.Video, codec: media.VP9, key: true, data: []byte{}}}},
	{"metadata", true, "\x94hvc1xx", []tag{{kind: media.Video, codec: media.HEVC, key: true, data: []byte("xx")}}},
	{"command", true, "\xd0\x01", nil},
	{"VP8", true, "\x90vp08", []tag{{kind: media.Video, name: "VP8", form: tagHeader, key: true, data: []byte{}}}},
	{"Opus start", false, "\x90OpusOpusHead", []tag{{kind: media.Audio, codec: media.Opus, form: tagHeader, data: []byte("OpusHead")}}},
	{"Opus", false, "\x91Opusd", []tag{{kind: media.Audio, codec: media.Opus, form: tagFrame, data: []byte("d")}}},
	{"mp4a", false, "\x91mp4ad", []tag{{kind: media.Audio, codec: media.AAC, form: tagFrame, data: []byte("d")}}},
	{"FLAC", false, "\x90fLaC", []tag{{kind: media.Audio, name: "FLAC", form: tagHeader, data: []byte{}}}},
	{"multichannel", false, "\x94mp4ax", []tag{{kind: media.Audio, codec: media.AAC, data: []byte("x")}}},
	{
		"ModEx twice", true, "\x97\x02abc\x07\x00x\x03avc1d",
		[]tag{{kind: media.Video, codec: media.H264, form: tagFrame, key: true, data: []byte("d")}},
	},
	{
		"long ModEx", true, "\xa7\xff\x01\x00" + strings.Repeat("m", 257) + "\x03avc1d",
		[]tag{{kind: media.Video, codec: media.H264, form: tagFrame, data: []byte("d")}},
	},
	{
		"one track", true, "\x96\x01avc1\x02\x00\x00\x00d",
		[]tag{{kind: media.Video, codec: media.H264, track: 2, form: tagFrame, key: true, data: []byte("d")}},
	},
	{
		"many tracks", true, "\xa6\x13avc1\x00\x00\x00\x01a\x01\x00\x00\x02bc",
		[]tag{
			{kind: media.Video, codec: media.H264, form: tagFrame, data: []byte("a")},
			{kind: media.Video, codec: media.H264, track: 1, form: tagFrame, data: []byte("bc")},
		},
	},
	{
		"many tracks, many codecs", true, "\x96\x23avc1\x00\x00\x00\x01ahvc1\x01\x00\x00\x01b",
		[]tag{
			{kind: media.Video, codec: media.H264, form: tagFrame, key: true, data: []byte("a")},
			{kind: media.Video, codec: media.HEVC, track: 1, form: tagFrame, key: true, data: []byte("b")},
		},
	},
	{"sound tracks", false, "\x95\x01Opus\x03d", []tag{{kind: media.Audio, codec: media.Opus, track: 3, form: tagFrame, data: []byte("d")}}},
	{"multitrack of the future", true, "\x96\x31avc1", nil},
}

func parse(video bool, body []byte) ([]tag, error) {
	if video {
		return parseVideo(nil, body)
	}
	return parseAudio(nil, body)
}

func TestTags(t *testing.T) {
	for _, tc := range tagCases {
		got, err := parse(tc.video, []byte(tc.body))
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(tag{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tc.name, err, diff)
		}
	}
}

func TestTagsThatAreRefused(t *testing.T) {
	many := "\x96\x13avc1"
	for i := range maxTags + 1 {
		many += fmt.Sprintf("%c\x00\x00\x01a", i)
	}
	for _, tc := range []struct {
		name  string
		video bool
		body  string
	}{
		{"empty picture", true, ""},
		{"H.264 of four bytes", true, "\x17\x01\x00\x00"},
		{"AAC of one byte", false, "\xaf"},
		{"no FourCC", true, "\x91avc"},
		{"no composition time", true, "\x91avc1\x00\x00"},
		{"ModEx without size", true, "\x97"},
		{"ModEx cut", true, "\x97\x05abc"},
		{"long ModEx cut", true, "\x97\xff\x01"},
		{"long ModEx of nothing", true, "\x97\xff\xff\xff"},
		{"multitrack without form", true, "\x96"},
		{"multitrack without FourCC", true, "\x96\x11avc"},
		{"track cut", true, "\x96\x13avc1\x00\x00\x00"},
		{"track longer than the message", true, "\x96\x13avc1\x00\x00\x00\x02a"},
		{"second codec cut", true, "\x96\x23avc1\x00\x00\x00\x01ahv"},
		{"too many tracks", true, many},
	} {
		if got, err := parse(tc.video, []byte(tc.body)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: got %+v, %v, want refusal", tc.name, got, err)
		}
	}
}

func FuzzTags(f *testing.F) {
	for _, tc := range tagCases {
		f.Add(tc.video, []byte(tc.body))
	}
	for _, h := range [][]byte{av1Small, av1Large} {
		f.Add(true, append([]byte("\x90av01"), h...))
	}
	f.Fuzz(func(t *testing.T, video bool, b []byte) {
		tags, err := parse(video, b)
		if err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatal(err)
		}
		tr := benchTrack()
		if !video {
			tr = &track{kind: media.Audio}
		}
		for _, tg := range tags {
			if tg.name != "" {
				continue
			}
			frame, _, err := tr.read(tg, 1000)
			if _, refused := errors.AsType[*media.Refusal](err); err != nil && !refused {
				t.Fatalf("tag %+v: %v", tg, err)
			}
			if frame != nil && (len(frame.Data) == 0 || len(frame.Data) > len(b)) {
				t.Fatalf("frame of %d bytes from %d", len(frame.Data), len(b))
			}
		}
	})
}
