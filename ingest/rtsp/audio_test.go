package rtsp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"chalkcast/media"
)

func muxConfig(t *testing.T, digits string) *mpeg4audio.StreamMuxConfig {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	c := &mpeg4audio.StreamMuxConfig{}
	if err := c.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLATMConfigurations(t *testing.T) {
	for name, digits := range map[string]string{
		"as it should be":          "400023203fc0",
		"GStreamer with avenc_aac": "40002320adca00",
		"cut short":                "40002320",
	} {
		u, params, err := newLATM(&format.MPEG4AudioLATM{StreamMuxConfig: muxConfig(t, digits)})
		if err != nil || params.SampleRate != 48000 || params.Channels != 2 || params.Codec != media.AAC {
			t.Errorf("%s: %+v, %v", name, params, err)
			continue
		}
		frame := bytes.Repeat([]byte{7}, 300)
		p := &rtp.Packet{Header: rtp.Header{Marker: true}, Payload: append([]byte{255, 45}, frame...)}
		units, err := u.unpack(p, 5)
		if err != nil || len(units) != 1 || !bytes.Equal(units[0].data, frame) || units[0].dts != 5 || !units[0].sync {
			t.Errorf("%s: units %+v, %v", name, units, err)
		}
	}
	for name, f := range map[string]*format.MPEG4AudioLATM{
		"configuration in the stream": {CPresent: true},
		"sub-frames":                  {StreamMuxConfig: muxConfig(t, "410023203fc0")},
	} {
		_, _, err := newLATM(f)
		if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.AudioCodec {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

func TestLATMFrames(t *testing.T) {
	full := bytes.Repeat([]byte{1}, 255)
	for _, test := range []struct {
		in   []byte
		want [][]byte
		ok   bool
	}{
		{nil, nil, true},
		{[]byte{2, 8, 9}, [][]byte{{8, 9}}, true},
		{[]byte{1, 8, 2, 6, 7}, [][]byte{{8}, {6, 7}}, true},
		{append([]byte{255, 0}, full...), [][]byte{full}, true},
		{[]byte{0}, [][]byte{{}}, true},
		{[]byte{1}, nil, false},
		{[]byte{255}, nil, false},
		{append([]byte{255}, full...), nil, false},
		{[]byte{1, 8, 9}, nil, false},
	} {
		got, err := latmFrames(test.in)
		if (err == nil) != test.ok || !slices.EqualFunc(got, test.want, bytes.Equal) {
			t.Errorf("latmFrames(% x) = % x, %v; want % x", test.in, got, err, test.want)
		}
	}
}

func FuzzLATMFrames(f *testing.F) {
	f.Add([]byte{1, 8, 2, 6, 7})
	f.Add([]byte{255, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := latmFrames(b)
		if err != nil {
			return
		}
		var again []byte
		for _, frame := range frames {
			again = append(again, bytes.Repeat([]byte{255}, len(frame)/255)...)
			again = append(append(again, byte(len(frame)%255)), frame...)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("frames of % x are % x", b, frames)
		}
	})
}

func TestAAC(t *testing.T) {
	config := &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 44100, ChannelConfig: 2}
	f := &format.MPEG4Audio{PayloadTyp: 97, Config: config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	u, params, err := newAAC(f)
	if err != nil || params.SampleRate != 44100 {
		t.Fatalf("%+v, %v", params, err)
	}
	e, err := f.CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{{1}, bytes.Repeat([]byte{2}, 100), bytes.Repeat([]byte{3}, 3000)} // the last needs fragments
	packets, err := e.Encode(frames)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]byte
	for _, p := range packets {
		units, err := u.unpack(p, media.Ticks(p.Timestamp))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range units {
			if want := media.Ticks(1024 * len(got)); one.dts != want || one.pts != want {
				t.Errorf("frame %d at %d, want %d", len(got), one.dts, want)
			}
			got = append(got, one.data)
		}
	}
	if !slices.EqualFunc(got, frames, bytes.Equal) {
		t.Errorf("%d frames, want 3", len(got))
	}
}

func TestAudioRefuses(t *testing.T) {
	heAAC := &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 24000, ChannelConfig: 2, ExtensionType: 5, ExtensionSampleRate: 48000}
	lc := &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 48000, ChannelConfig: 2}
	_, _, err1 := newAAC(&format.MPEG4Audio{Config: heAAC, SizeLength: 13, IndexLength: 3})
	_, _, err2 := newAAC(&format.MPEG4Audio{Config: lc, SizeLength: 99, IndexLength: 3})
	_, _, err3 := newOpus(&format.Opus{ChannelCount: 6})
	for i, err := range []error{err1, err2, err3} {
		if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Detail == "" {
			t.Errorf("case %d: %v, want a refusal in words", i, err)
		}
	}
}

func FuzzAAC(f *testing.F) {
	lc := &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 48000, ChannelConfig: 2}
	f.Add([]byte{0, 16, 0, 8, 7}, true)
	f.Add([]byte{0, 32, 0, 8, 0, 8, 7, 8}, true)
	f.Add([]byte{0, 16, 1, 0, 7}, false)
	f.Fuzz(func(t *testing.T, payload []byte, marker bool) {
		u, _, err := newAAC(&format.MPEG4Audio{Config: lc, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			units, err := u.unpack(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Marker: marker}, Payload: payload}, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range units {
				if len(one.data) == 0 || len(one.data) > 3*len(payload) {
					t.Fatalf("unit of %d bytes from %d", len(one.data), len(payload))
				}
			}
		}
	})
}
