package media_test

import (
	"bytes"
	"errors"
	"testing"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

func TestH264ParamsSayWhatTheStreamIs(t *testing.T) {
	p := mediatest.H264Params()
	back, err := media.NewH264Params(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	if back.MIME != p.MIME || back.Width < 16 || back.NALLengthSize != 4 {
		t.Errorf("got %+v, want what %+v says", back, p)
	}
}

func TestAVCRoundTrip(t *testing.T) {
	p := mediatest.H264Params()
	a, err := media.ParseAVC(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	b, err := media.ParseAVC(a.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if b.NALLengthSize != a.NALLengthSize || !bytes.Equal(b.SPS[0], a.SPS[0]) || !bytes.Equal(b.PPS[0], a.PPS[0]) {
		t.Errorf("avcC changed on its way: %+v, want %+v", b, a)
	}
}

func TestBadParamsAreErrorsInWords(t *testing.T) {
	good := mediatest.H264Params().Config
	cut := func(n int) []byte { return good[:n] }
	for name, b := range map[string][]byte{
		"empty": nil, "six bytes": cut(6), "cut in SPS": cut(10), "cut before PPS": cut(len(good) - 1),
		"version 2": append([]byte{2}, good[1:]...), "too long": make([]byte, 16<<10+1),
		"no SPS":           {1, 66, 0, 30, 0xff, 0xe0, 0},
		"SPS of one byte":  {1, 66, 0, 30, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68},
		"NAL length 3":     append(append([]byte{}, good[:4]...), append([]byte{0xfe}, good[5:]...)...),
		"SPS that is junk": {1, 66, 0, 30, 0xff, 0xe1, 0, 5, 0x67, 66, 0, 30, 0, 1, 0, 1, 0x68},
	} {
		if _, err := media.NewH264Params(b); !errors.Is(err, media.ErrParams) {
			t.Errorf("%s: got %v, want ErrParams", name, err)
		}
	}
	for _, b := range [][]byte{nil, {0x12}, make([]byte, 65), {0xff, 0xff}} {
		if _, err := media.NewAACParams(b); !errors.Is(err, media.ErrParams) {
			t.Errorf("AudioSpecificConfig %x: got %v, want ErrParams", b, err)
		}
	}
}

func FuzzParams(f *testing.F) {
	f.Add(mediatest.H264Params().Config)
	f.Add(mediatest.AACParams().Config)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := media.NewH264Params(b); err == nil && (p.Width > media.MaxWidth || p.Height > media.MaxHeight || p.MIME == "") {
			t.Errorf("accepted %+v", p)
		}
		if p, err := media.NewAACParams(b); err == nil && p.SampleRate <= 0 {
			t.Errorf("accepted %+v", p)
		}
	})
}
