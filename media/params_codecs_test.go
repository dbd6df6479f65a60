package media_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"chalkcast/media"
)

// Configuration records of real encoders, as ffmpeg stored them in MP4.
var (
	hvcC     = unhex("0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959809a10001002b42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c840a2000100074401c172b46240")
	av1C     = unhex("81000c000a0a0000000337fbe6d7c802")
	vpcC     = unhex("01000000000b820202020000")
	vp9Frame = unhex("824983420013f00b360c38241c184a00")
	dOps     = unhex("000201380000bb80000000")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestParamsOfRealEncoders(t *testing.T) {
	vp9 := func(b []byte) (*media.Params, error) { return media.NewVP9Params(b, vp9Frame) }
	for _, tc := range []struct {
		name   string
		read   func([]byte) (*media.Params, error)
		config []byte
		want   media.Params
	}{
		{"x265", media.NewHEVCParams, hvcC, media.Params{
			Codec: media.HEVC, Config: hvcC, MIME: "hvc1.1.6.L60.90", Words: "HEVC Main", Width: 320, Height: 180, FrameRateMilli: 25000, NALLengthSize: 4,
		}},
		{"libaom", media.NewAV1Params, av1C, media.Params{
			Codec: media.AV1, Config: av1C, MIME: "av01.0.00M.08", Words: "AV1 Main", Width: 128, Height: 96,
		}},
		{"libvpx", vp9, vpcC, media.Params{
			Codec: media.VP9, Config: vpcC, MIME: "vp09.00.11.08", Words: "VP9 profile 0", Width: 320, Height: 180,
		}},
		{"libvpx without version", vp9, vpcC[4:], media.Params{
			Codec: media.VP9, Config: vpcC, MIME: "vp09.00.11.08", Words: "VP9 profile 0", Width: 320, Height: 180,
		}},
		{"libopus", media.NewOpusParams, dOps, media.Params{
			Codec: media.Opus, Config: dOps, MIME: "opus", Words: "Opus stereo", SampleRate: 48000, Channels: 2,
		}},
	} {
		p, err := tc.read(tc.config)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if !bytes.Equal(p.Config, tc.want.Config) {
			t.Errorf("%s: config %x, want %x", tc.name, p.Config, tc.want.Config)
		}
		p.Config, tc.want.Config = nil, nil
		if got, want := *p, tc.want; got.Codec != want.Codec || got.MIME != want.MIME || got.Words != want.Words || got.Width != want.Width ||
			got.Height != want.Height || got.FrameRateMilli != want.FrameRateMilli || got.NALLengthSize != want.NALLengthSize ||
			got.SampleRate != want.SampleRate || got.Channels != want.Channels {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, want)
		}
		for n := range tc.config {
			if _, err := tc.read(tc.config[:n]); err != nil && !errors.Is(err, media.ErrParams) {
				t.Errorf("%s cut to %d bytes: %v", tc.name, n, err)
			}
		}
	}
}

// Records written from what came in band say the same as the encoder's own.
func TestRecordsFromInBand(t *testing.T) {
	h, err := media.ParseHVC(hvcC)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Marshal()
	if err != nil || !bytes.Equal(b, markComplete(hvcC)) {
		t.Errorf("hvcC %x, want %x; %v", b, hvcC, err)
	}
	b, err = media.AV1Config(media.AV1SequenceHeader(av1C[4:]))
	if err != nil || !bytes.Equal(b, av1C) {
		t.Errorf("av1C %x, want %x; %v", b, av1C, err)
	}
	head := unhex("4f707573486561640102380180bb0000000000")
	b, err = media.OpusConfig(head)
	if err != nil || !bytes.Equal(b, dOps) {
		t.Errorf("dOps %x, want %x; %v", b, dOps, err)
	}
}

// markComplete clears the flag with which ffmpeg says that no other parameter sets will come: ours may.
func markComplete(b []byte) []byte {
	b = bytes.Clone(b)
	for _, typ := range []byte{32, 33, 34} {
		if i := bytes.Index(b, []byte{0x80 | typ, 0, 1}); i >= 0 {
			b[i] = typ
		}
	}
	return b
}

func TestAV1Units(t *testing.T) {
	header, frame, delimiter := av1C[4:], []byte{0x32, 2, 1, 2}, []byte{0x12, 0}
	for name, tc := range map[string]struct {
		unit, sample, header []byte
	}{
		"key frame":             {join(delimiter, header, frame), join(header, frame), header},
		"two delimiters":        {join(delimiter, delimiter, frame), frame, nil},
		"no delimiter":          {frame, frame, nil},
		"only a delimiter":      {delimiter, nil, nil},
		"empty":                 {nil, nil, nil},
		"size beyond the end":   {[]byte{0x32, 9, 1}, []byte{0x32, 9, 1}, nil},
		"no size":               {[]byte{0x30, 9, 1}, []byte{0x30, 9, 1}, nil},
		"endless size":          {bytes.Repeat([]byte{0x32, 0xff, 0xff, 0xff, 0xff}, 4), bytes.Repeat([]byte{0x32, 0xff, 0xff, 0xff, 0xff}, 4), nil},
		"extension cut":         {[]byte{0x36}, []byte{0x36}, nil},
		"header with extension": {join([]byte{0x0e, 0}, header[1:]), join([]byte{0x0e, 0}, header[1:]), join([]byte{0x0e, 0}, header[1:])},
	} {
		if got := media.AV1Sample(tc.unit); !bytes.Equal(got, tc.sample) {
			t.Errorf("%s: sample %x, want %x", name, got, tc.sample)
		}
		if got := media.AV1SequenceHeader(tc.unit); !bytes.Equal(got, tc.header) {
			t.Errorf("%s: sequence header %x, want %x", name, got, tc.header)
		}
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestVP9Keyframe(t *testing.T) {
	for name, tc := range map[string]struct {
		b    []byte
		want bool
	}{
		"key frame":           {vp9Frame, true},
		"other frame":         {[]byte{0x86, 0, 0, 0}, false},
		"show existing":       {[]byte{0x88, 0, 0, 0}, false},
		"profile 3 key frame": {[]byte{0xb0, 0, 0, 0}, true},
		"profile 3 other":     {[]byte{0xb2, 0, 0, 0}, false},
		"no marker":           {[]byte{0x02, 0, 0, 0}, false},
		"too short":           {[]byte{0x82}, false},
	} {
		if got := media.VP9Keyframe(tc.b); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestOpusDuration(t *testing.T) {
	for _, tc := range []struct {
		packet []byte
		want   media.Ticks
	}{
		{nil, 0},
		{[]byte{0}, 480},
		{[]byte{3 << 3}, 2880},
		{[]byte{12<<3 | 1}, 960},
		{[]byte{13 << 3}, 960},
		{[]byte{16 << 3}, 120},
		{[]byte{31<<3 | 2}, 1920},
		{[]byte{31<<3 | 3}, 0},
		{[]byte{31<<3 | 3, 3}, 2880},
	} {
		if got := media.OpusDuration(tc.packet); got != tc.want {
			t.Errorf("packet % x lasts %d, want %d", tc.packet, got, tc.want)
		}
	}
}

func TestBadCodecParams(t *testing.T) {
	cut := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	for name, err := range map[string]error{
		"hvcC version 2":          second(media.NewHEVCParams(cut(hvcC, 0, 2))),
		"hvcC NAL length 3":       second(media.NewHEVCParams(cut(hvcC, 21, 2))),
		"hvcC without arrays":     second(media.NewHEVCParams(cut(hvcC[:23], 22, 0))),
		"hvcC too long":           second(media.NewHEVCParams(make([]byte, 20000))),
		"hvcC of nothing":         second(media.HVC{NALLengthSize: 4}.Marshal()),
		"av1C version 2":          second(media.NewAV1Params(cut(av1C, 0, 0x82))),
		"av1C without header":     second(media.NewAV1Params(append(av1C[:4:4], 0x12, 0))),
		"AV1 header that is junk": second(media.AV1Config([]byte{0x0a, 1, 0})),
		"VP9 without key frame":   second(media.NewVP9Params(vpcC, []byte{0x86, 0, 0, 0})),
		"VP9 frame cut":           second(media.NewVP9Params(vpcC, vp9Frame[:3])),
		"dOps version 1":          second(media.NewOpusParams(cut(dOps, 0, 1))),
		"dOps without channels":   second(media.NewOpusParams(cut(dOps, 1, 0))),
		"dOps without mapping":    second(media.NewOpusParams(cut(dOps, 10, 1))),
		"OpusHead cut":            second(media.OpusConfig([]byte("OpusHead"))),
	} {
		if !errors.Is(err, media.ErrParams) {
			t.Errorf("%s: got %v, want ErrParams", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzCodecParams(f *testing.F) {
	for _, b := range [][]byte{hvcC, av1C, vpcC, dOps} {
		f.Add(b, vp9Frame)
	}
	f.Fuzz(func(t *testing.T, b, frame []byte) {
		for _, read := range []func() (*media.Params, error){
			func() (*media.Params, error) { return media.NewHEVCParams(b) },
			func() (*media.Params, error) { return media.NewAV1Params(b) },
			func() (*media.Params, error) { return media.NewVP9Params(b, frame) },
			func() (*media.Params, error) { return media.NewOpusParams(b) },
		} {
			p, err := read()
			if err == nil && p.Codec.Kind() == media.Video && (p.Width < 16 || p.Width > media.MaxWidth || p.Height > media.MaxHeight) {
				t.Fatalf("accepted %d×%d", p.Width, p.Height)
			}
			if err != nil && !errors.Is(err, media.ErrParams) {
				t.Fatalf("%v is not ErrParams", err)
			}
		}
		media.AV1Sample(frame)
		media.OpusDuration(frame)
		if h, err := media.ParseHVC(b); err == nil {
			h.Marshal()
		}
	})
}
