package rtmp_test

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"net/url"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"chalkcast/ingest/guard"
	"chalkcast/ingest/rtmp"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// independent is another implementation's encoder.
func independent(t *testing.T, address string, tracks ...*gortmplib.Track) (*gortmplib.Client, *gortmplib.Writer) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := &gortmplib.Client{URL: u, Publish: true, TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	if err := c.Initialize(t.Context()); err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	w := &gortmplib.Writer{Conn: c, Tracks: tracks}
	if err := w.Initialize(); err != nil {
		t.Fatal(err)
	}
	return c, w
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every codec of Enhanced RTMP arrives as it was sent, with its parameters.
func TestCodecsOfAnotherImplementation(t *testing.T) {
	aac := &gortmplib.Track{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
	}}}
	opusTrack := &gortmplib.Track{Codec: &codecs.Opus{IDHeader: &opus.IDHeader{Version: 1, ChannelCount: 2, InputSampleRate: 48000}}}
	h264 := &gortmplib.Track{Codec: &codecs.H264{SPS: mediatest.Stream{}.SPS(), PPS: mediatest.Stream{}.PPS()}}
	// Parameter sets and a key frame's beginning of x265, libaom and libvpx.
	h265 := &gortmplib.Track{Codec: &codecs.H265{
		VPS: unhex(t, "40010c01ffff01600000030090000003000003003c959809"),
		SPS: unhex(t, "42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c840"),
		PPS: unhex(t, "4401c172b46240"),
	}}
	av1, vp9 := &gortmplib.Track{Codec: &codecs.AV1{}}, &gortmplib.Track{Codec: &codecs.VP9{}}
	av1Header := unhex(t, "080000000337fbe6d7c802")
	vp9Frame := unhex(t, "824983420013f00b360c38241c184a00")

	for _, tc := range []struct {
		name         string
		video, audio *gortmplib.Track
		write        func(w *gortmplib.Writer, i int, pts, dts time.Duration) error
		codec        media.Codec
		width        int
		data         func(i int) []byte
	}{
		{
			"H.264 and AAC", h264, aac,
			func(w *gortmplib.Writer, i int, pts, dts time.Duration) error {
				return w.WriteH264(h264, pts, dts, [][]byte{{0x65, 0x88, byte(i)}})
			},
			media.H264, 320, func(i int) []byte { return []byte{0, 0, 0, 3, 0x65, 0x88, byte(i)} },
		},
		{
			"HEVC and Opus", h265, opusTrack,
			func(w *gortmplib.Writer, i int, pts, dts time.Duration) error {
				return w.WriteH265(h265, pts, dts, [][]byte{{19 << 1, 1, byte(i)}})
			},
			media.HEVC, 320, func(i int) []byte { return []byte{0, 0, 0, 3, 19 << 1, 1, byte(i)} },
		},
		{
			"AV1 and Opus", av1, opusTrack,
			func(w *gortmplib.Writer, i int, pts, _ time.Duration) error {
				return w.WriteAV1(av1, pts, [][]byte{av1Header, {6 << 3, byte(i)}})
			},
			media.AV1, 128, func(i int) []byte { return append(append([]byte{0x0a, 10}, av1Header[1:]...), 0x32, 1, byte(i)) },
		},
		{
			"VP9 and AAC", vp9, aac,
			func(w *gortmplib.Writer, i int, pts, _ time.Duration) error {
				return w.WriteVP9(vp9, pts, append(bytes.Clone(vp9Frame), byte(i)))
			},
			media.VP9, 320, func(i int) []byte { return append(bytes.Clone(vp9Frame), byte(i)) },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := open(t)
			c, w := independent(t, "rtmp://"+p.addr+"/live#"+p.key.Text(), tc.video, tc.audio)
			const n = 20
			for i := range n {
				at := time.Duration(i) * 40 * time.Millisecond
				must(t, tc.write(w, i, at, at))
				if tc.audio == opusTrack {
					must(t, w.WriteOpus(tc.audio, at, []byte{31<<3 | 1, byte(i)})) // 2 × 20 ms
				} else {
					must(t, w.WriteMPEG4Audio(tc.audio, time.Duration(i)*time.Second*1024/48000, []byte{byte(i)}))
				}
			}
			p.wait(t, "frames", func() bool {
				total := 0
				for _, u := range p.runs {
					total += len(u.frames)
				}
				return total == 2*n
			})
			c.Close()
			if end := p.waitEnd(t, 1); end.Code != "" {
				t.Errorf("end %+v", end)
			}
			check(t, p.recorder, tc.codec, tc.width, tc.data)
		})
	}
}

func check(t *testing.T, r *recorder, codec media.Codec, width int, data func(i int) []byte) {
	t.Helper()
	last := r.runs[len(r.runs)-1]
	if p := last.tracks[0].Params; p.Codec != codec {
		t.Errorf("track of %v, want %v", p.Codec, codec)
	}
	params := last.tracks[0].Params
	for i, f := range r.frames(media.Video) {
		if f.Params != nil {
			params = f.Params
		}
		if !bytes.Equal(f.Data, data(i)) || f.DTS != media.Ticks(i*3600) || !f.Sync {
			t.Errorf("picture %d at %d, sync %v: % x, want % x", i, f.DTS, f.Sync, f.Data, data(i))
		}
	}
	if params.Width != width {
		t.Errorf("pictures are %d wide, want %d", params.Width, width)
	}
	step := media.Ticks(1024)
	if last.tracks[1].Params.Codec == media.Opus {
		step = 1920
	}
	for i, f := range r.frames(media.Audio) {
		if f.DTS != media.Ticks(i)*step || f.Data[len(f.Data)-1] != byte(i) {
			t.Errorf("sound %d at %d: % x", i, f.DTS, f.Data)
		}
	}
}

// Several qualities: all are taken when the server wants them, the main one when it does not.
func TestMultitrack(t *testing.T) {
	for want, name := range map[int]string{1: "main picture only", 2: "two qualities"} {
		t.Run(name, func(t *testing.T) {
			p := open(t, func(c *rtmp.Config, _ *guard.Config) { c.VideoTracks = want })
			large := mediatest.Stream{Width: 1280, Height: 720}
			tracks := []*gortmplib.Track{
				{Codec: &codecs.H264{SPS: large.SPS(), PPS: large.PPS()}},
				{Codec: &codecs.H264{SPS: mediatest.Stream{}.SPS(), PPS: mediatest.Stream{}.PPS()}},
				{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
					Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
				}}},
			}
			_, w := independent(t, p.url(), tracks...)
			for i := range 10 {
				at := time.Duration(i) * 100 * time.Millisecond
				must(t, w.WriteH264(tracks[0], at, at, [][]byte{{0x65, 1, byte(i)}}))
				must(t, w.WriteH264(tracks[1], at, at, [][]byte{{0x65, 2, byte(i)}}))
			}
			p.wait(t, "pictures", func() bool { return len(p.runs) == 1 && len(p.runs[0].frames) == 10*want })
			if n := len(p.runs[0].tracks); n != want+1 || p.runs[0].tracks[0].Params.Width != 1280 {
				t.Errorf("%d tracks, want %d; the first is %d wide", n, want+1, p.runs[0].tracks[0].Params.Width)
			}
			for _, f := range p.runs[0].frames {
				if f.Data[5] != byte(f.Track+1) {
					t.Errorf("track %d holds a picture of the other", f.Track)
				}
			}
		})
	}
}
