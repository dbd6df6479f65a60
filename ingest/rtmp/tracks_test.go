package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

func benchTrack() *track {
	tr := &track{kind: media.Video}
	tr.use(mediatest.H264Params())
	return tr
}

func units(list ...[]byte) (b []byte) {
	for _, u := range list {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(u))), u...)
	}
	return b
}

func TestClockUnwraps(t *testing.T) {
	var c clock
	for i, tc := range []struct {
		in   uint32
		want int64
	}{
		{0xfffffff0, 0xfffffff0},
		{0x10, 0x100000010},
		{0xfffffff8, 0xfffffff8}, // sound a little behind the picture, across the wrap
		{0x20, 0x100000020},
		{0x20 + 36000000, 0x100000020 + 36000000}, // ten hours ahead, once
		{0x30, 0x100000030},
	} {
		if got := c.at(tc.in); got != tc.want {
			t.Errorf("%d: %#x becomes %#x, want %#x", i, tc.in, got, tc.want)
		}
	}
}

// An encoder that keeps 31 bits of the time begins anew at 0 after 24 days.
func TestClockUnwrapsHalf(t *testing.T) {
	var c clock
	for i, tc := range []struct {
		in   uint32
		want int64
	}{
		{0x7ffffff0, 0x7ffffff0},
		{0x10, 0x80000010},
		{0x7ffffff8, 0x7ffffff8}, // sound a little behind the picture, across the wrap
		{0x20, 0x80000020},
		{0x20 + 36000000, 0x80000020 + 36000000}, // ten hours ahead, once
		{0x30, 0x80000030},
	} {
		if got := c.at(tc.in); got != tc.want {
			t.Errorf("%d: %#x becomes %#x, want %#x", i, tc.in, got, tc.want)
		}
	}
}

// ffmpeg that copies ADTS out of MPEG-TS opens with a header without a configuration, and sends the real one when it
// has seen the first block.
func TestEmptyHeaderIsNone(t *testing.T) {
	tr := &track{kind: media.Audio}
	header := func(b []byte) (change, error) {
		_, did, err := tr.read(tag{kind: media.Audio, codec: media.AAC, form: tagHeader, data: b}, 0)
		return did, err
	}
	if did, err := header(nil); did != changeNothing || err != nil || tr.params != nil {
		t.Errorf("empty header: %v, %v, parameters %v, want nothing", did, err, tr.params)
	}
	if did, err := header(mediatest.AACParams().Config); did != changeTrack || err != nil {
		t.Errorf("header after an empty one: %v, %v, want a track", did, err)
	}
	if _, err := header([]byte{0x11}); err == nil {
		t.Error("half a header was taken")
	}
}

func TestSoundIsCountedBySamples(t *testing.T) {
	tr := &track{kind: media.Audio}
	tr.use(mediatest.Stream{SampleRate: 44100}.Tracks()[1].Params)
	at := func(ms int64) media.Ticks {
		f, _, err := tr.read(tag{kind: media.Audio, codec: media.AAC, form: tagFrame, data: []byte{1}}, ms)
		if err != nil || f == nil {
			t.Fatalf("no frame at %d ms: %v", ms, err)
		}
		return f.DTS
	}
	first := at(1000)
	if first != 44100 {
		t.Errorf("first frame at %d, want 44100", first)
	}
	for i := int64(1); i < 500; i++ { // rounded to ms, as RTMP does
		want := first + media.Ticks(i)*1024
		if got := at(1000 + (i*1024*1000+22050)/44100); got != want {
			t.Fatalf("frame %d at %d, want %d", i, got, want)
		}
	}
	next := first + 500*1024
	ms := int64(next) * 1000 / 44100
	if got := at(ms + 49); got != next {
		t.Errorf("49 ms late: at %d, want %d", got, next)
	}
	if got, want := at(ms+23+60), media.Ticks(((ms+23+60)*44100+500)/1000); got != want {
		t.Errorf("60 ms late: at %d, want the encoder's %d", got, want)
	}
	if got, want := at(ms-100), media.Ticks(((ms-100)*44100+500)/1000); got != want {
		t.Errorf("back: at %d, want the encoder's %d", got, want)
	}
}

func video(form tagForm, data []byte) tag {
	return tag{kind: media.Video, codec: media.H264, form: form, data: data}
}

func TestParametersChange(t *testing.T) {
	small, large := mediatest.Stream{}, mediatest.Stream{Width: 640, Height: 360}
	idr := small.Frames()[0].Data
	for name, tc := range map[string]struct {
		tags  []tag
		width int // of the frame's new parameters, 0 when they did not change
	}{
		"same header again":    {[]tag{video(tagHeader, mediatest.H264Params().Config), video(tagFrame, idr)}, 0},
		"new header":           {[]tag{video(tagHeader, large.Tracks()[0].Params.Config), video(tagFrame, idr)}, 640},
		"in band, same":        {[]tag{video(tagFrame, append(units(small.SPS(), small.PPS()), idr...))}, 0},
		"in band, new":         {[]tag{video(tagFrame, append(units(large.SPS(), large.PPS()), idr...))}, 640},
		"in band, SPS alone":   {[]tag{video(tagFrame, append(units(large.SPS()), idr...))}, 640},
		"parameter sets alone": {[]tag{video(tagFrame, units(large.SPS(), large.PPS())), video(tagFrame, idr)}, 640},
		"there and back":       {[]tag{video(tagFrame, units(large.SPS())), video(tagFrame, units(small.SPS())), video(tagFrame, idr)}, 320},
	} {
		t.Run(name, func(t *testing.T) {
			tr := benchTrack()
			var f *media.Frame
			for i, tg := range tc.tags {
				var did change
				var err error
				if f, did, err = tr.read(tg, int64(i*33)); err != nil || did != changeNothing {
					t.Fatalf("tag %d: change %d, %v", i, did, err)
				}
			}
			if f == nil || !f.Sync {
				t.Fatalf("no keyframe: %+v", f)
			}
			switch {
			case tc.width == 0 && f.Params != nil:
				t.Errorf("parameters changed to %+v", f.Params)
			case tc.width != 0 && (f.Params == nil || f.Params.Width != tc.width):
				t.Errorf("parameters %+v, want width %d", f.Params, tc.width)
			}
			if f, _, _ := tr.read(video(tagFrame, idr), 1000); f.Params != nil {
				t.Error("the next frame says once more that parameters changed")
			}
		})
	}
}

func TestSampleRateChangeMakesANewTrack(t *testing.T) {
	tr := &track{kind: media.Audio}
	tr.use(mediatest.AACParams())
	config := mediatest.Stream{SampleRate: 44100}.Tracks()[1].Params.Config
	_, did, err := tr.read(tag{kind: media.Audio, codec: media.AAC, form: tagHeader, data: config}, 0)
	if err != nil || did != changeTrack {
		t.Errorf("got change %d, %v", did, err)
	}
}

// NAL length sizes are read, not assumed.
func TestNALLengthSizes(t *testing.T) {
	avc := media.AVC{SPS: [][]byte{mediatest.Stream{}.SPS()}, PPS: [][]byte{mediatest.Stream{}.PPS()}}
	for _, size := range []int{1, 2, 4} {
		avc.NALLengthSize = size
		tr := &track{kind: media.Video}
		if _, _, err := tr.read(video(tagHeader, avc.Marshal()), 0); err != nil {
			t.Fatal(err)
		}
		data := append(make([]byte, size-1), 2, 0x65, 0x88)
		f, _, err := tr.read(video(tagFrame, data), 0)
		if err != nil || f == nil || !f.Sync || !bytes.Equal(f.Data, data) {
			t.Errorf("length size %d: got %+v, %v", size, f, err)
		}
	}
}

func TestHostilePictures(t *testing.T) {
	good := mediatest.H264Params().Config
	bigSPS := mediatest.Stream{Width: 4096, Height: 2304}.SPS()
	for name, tc := range map[string]struct {
		tags   []tag
		broken bool
	}{
		"header cut":              {[]tag{video(tagHeader, good[:9])}, true},
		"header empty":            {[]tag{video(tagHeader, nil)}, true},
		"frame before its header": {[]tag{video(tagFrame, []byte{0, 0, 0, 1, 0x65})}, false},
		"empty frame":             {[]tag{video(tagHeader, good), video(tagFrame, nil)}, false},
		"one bad NAL length":      {[]tag{video(tagHeader, good), video(tagFrame, []byte{0xff, 0xff, 0xff, 0xff, 0x65})}, false},
		"bad NAL lengths": {
			append([]tag{video(tagHeader, good)}, repeatTag(video(tagFrame, []byte{0, 0, 0, 9, 0x65}), maxBad+1)...), true,
		},
		"rest behind NAL units":   {append([]tag{video(tagHeader, good)}, repeatTag(video(tagFrame, []byte{0, 0, 0, 1, 0x65, 7}), maxBad+1)...), true},
		"empty NAL units":         {[]tag{video(tagHeader, good), video(tagFrame, make([]byte, 400))}, false},
		"in-band SPS of one byte": {[]tag{video(tagHeader, good), video(tagFrame, units([]byte{0x67}))}, true},
		"in-band PPS of one byte": {[]tag{video(tagHeader, good), video(tagFrame, units([]byte{0x68}))}, true},
		"in-band SPS that is junk": {
			[]tag{video(tagHeader, good), video(tagFrame, units([]byte{0x67, 77, 0, 40, 0, 0, 0, 1}))}, true,
		},
		"in-band SPS of 5 KiB":     {[]tag{video(tagHeader, good), video(tagFrame, units(append([]byte{0x67, 77, 0, 40}, make([]byte, 5000)...)))}, true},
		"largest picture":          {[]tag{video(tagHeader, good), video(tagFrame, units(bigSPS))}, false},
		"a picture of 65536×65536": {[]tag{video(tagHeader, handWritten("11111 0 0000000000001000000000000 0000000000001000000000000 1000 1"))}, true},
		"a picture of 16×16":       {[]tag{video(tagHeader, handWritten("11111 0 1 1 1000 1"))}, false},
		"a huge code for its size": {[]tag{video(tagHeader, handWritten("11111 0 "+strings.Repeat("0", 31)+strings.Repeat("1", 33)+"1000 1"))}, true},
		"only zeros":               {[]tag{video(tagHeader, handWritten(strings.Repeat("0", 800)))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &track{kind: media.Video}
			var err error
			for _, tg := range tc.tags {
				if err != nil {
					t.Fatalf("broken too early: %v", err)
				}
				_, _, err = tr.read(tg, 0)
			}
			r, refused := errors.AsType[*media.Refusal](err)
			if refused != tc.broken || refused && r.Code != media.StreamBroken {
				t.Errorf("got %v, want broken %v", err, tc.broken)
			}
		})
	}
}

func repeatTag(t tag, n int) (out []tag) {
	for range n {
		out = append(out, t)
	}
	return out
}

// handWritten is an avcC with a Baseline SPS of these bits.
func handWritten(bits string) []byte {
	sps := []byte{0x67, 66, 0, 40}
	bits = strings.ReplaceAll(bits, " ", "")
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for j, c := range bits[i:min(i+8, len(bits))] {
			b |= byte(c-'0') << (7 - j)
		}
		sps = append(sps, b)
	}
	return media.AVC{NALLengthSize: 4, SPS: [][]byte{sps}, PPS: [][]byte{mediatest.Stream{}.PPS()}}.Marshal()
}

// av1C of libaom, written by ffmpeg: 64×48 and 128×96.
var (
	av1Small = []byte("\x81\x00\x0c\x00\x0a\x0a\x00\x00\x00\x02\xaf\xf7\x9b\x5f\x20\x08")
	av1Large = []byte("\x81\x00\x0c\x00\x0a\x0a\x00\x00\x00\x03\x37\xfb\xe6\xd7\xc8\x02")
)

func TestAV1FromTheStream(t *testing.T) {
	tr := &track{kind: media.Video}
	if _, did, err := tr.read(tag{kind: media.Video, codec: media.AV1, form: tagHeader, data: av1Small}, 0); err != nil || did != changeTrack {
		t.Fatalf("header: change %d, %v", did, err)
	}
	frame := []byte{0x32, 2, 0xaa, 0xbb}
	delimiter := []byte{0x12, 0}
	read := func(data ...[]byte) *media.Frame {
		f, _, err := tr.read(tag{kind: media.Video, codec: media.AV1, form: tagFrame, key: true, data: bytes.Join(data, nil)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := read(delimiter, frame); !bytes.Equal(f.Data, frame) || f.Params != nil || !f.Sync {
		t.Errorf("temporal delimiter stays, or worse: %+v", f)
	}
	if f := read(delimiter, av1Small[4:], frame); f.Params != nil {
		t.Errorf("the same sequence header changed parameters")
	}
	if f := read(av1Large[4:], frame); f.Params == nil || f.Params.Width != 128 || !bytes.Equal(f.Params.Config[4:], av1Large[4:]) {
		t.Errorf("new sequence header: %+v", f.Params)
	}
	if f := read(delimiter); f != nil {
		t.Errorf("a delimiter alone is a frame: %+v", f)
	}
}

func TestEarlyClockIsNotLate(t *testing.T) {
	var c clock
	if got := c.at(0); got != 0 {
		t.Errorf("first time 0 becomes %d", got)
	}
	if got := c.at(uint32(time.Hour.Milliseconds())); got != 3600000 {
		t.Errorf("one hour becomes %d ms", got)
	}
}
