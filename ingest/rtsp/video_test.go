package rtsp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/pion/rtp"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// sender packs the pictures of a stream into RTP.
type sender struct {
	t       testing.TB
	encoder *rtph264.Encoder
}

func newSender(t testing.TB) *sender {
	e, err := (&format.H264{PayloadTyp: 96, PacketizationMode: 1}).CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	return &sender{t, e}
}

// pack returns the packets of a picture with units in front of it.
func (s *sender) pack(f *media.Frame, before ...[]byte) []*rtp.Packet {
	units := before
	for b := f.Data; len(b) > 0; {
		size := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		units, b = append(units, b[4:4+size]), b[4+size:]
	}
	packets, err := s.encoder.Encode(units)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range packets {
		p.Timestamp = uint32(f.PTS())
	}
	return packets
}

func newVideo(t testing.TB, sps, pps []byte) (*video, *counters, *media.Params) {
	t.Helper()
	count := &counters{}
	u, params, err := newAVC(&format.H264{SPS: sps, PPS: pps, PacketizationMode: 1}, count)
	if err != nil {
		t.Fatal(err)
	}
	return u.(*video), count, params
}

func unpackAll(t testing.TB, v *video, packets []*rtp.Packet) (units []unit) {
	t.Helper()
	for _, p := range packets {
		got, err := v.unpack(p, media.Ticks(p.Timestamp))
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, got...)
	}
	return units
}

var stream = mediatest.Stream{Duration: 3 * time.Second, NoAudio: true, BFrames: 2, FPS: 25, GOP: 25, Padding: 4000}

// same holds units against the pictures they must be.
func same(t *testing.T, units []unit, want []*media.Frame) {
	t.Helper()
	if len(units) != len(want) {
		t.Fatalf("%d units, want %d", len(units), len(want))
	}
	for i, u := range units {
		w := want[i]
		if !bytes.Equal(u.data, w.Data) || u.pts != w.PTS() || u.sync != w.Sync {
			t.Errorf("unit %d: %d bytes at %d, sync %v; want %d bytes at %d, sync %v", i, len(u.data), u.pts, u.sync, len(w.Data), w.PTS(), w.Sync)
		}
		if off := u.dts - w.DTS; max(off, -off) > 90 {
			t.Errorf("unit %d: DTS %d, want %d to the millisecond", i, u.dts, w.DTS)
		}
		if u.dts > u.pts || i > 0 && u.dts <= units[i-1].dts {
			t.Errorf("unit %d: DTS %d, PTS %d, DTS before %d", i, u.dts, u.pts, units[max(i-1, 0)].dts)
		}
	}
}

func TestVideo(t *testing.T) {
	sps, pps, frames := stream.SPS(), stream.PPS(), stream.Frames()
	t.Run("parameters in the description", func(t *testing.T) {
		v, _, params := newVideo(t, sps, pps)
		if params == nil || params.Width != 320 {
			t.Errorf("parameters %+v", params)
		}
		s := newSender(t)
		var packets []*rtp.Packet
		for _, f := range frames {
			packets = append(packets, s.pack(f)...)
		}
		units := unpackAll(t, v, packets)
		same(t, units, frames)
		if units[0].params != nil {
			t.Error("parameters are told twice")
		}
	})
	t.Run("parameters in band", func(t *testing.T) {
		v, _, params := newVideo(t, nil, nil)
		if params != nil {
			t.Errorf("parameters from nowhere: %+v", params)
		}
		s := newSender(t)
		var packets []*rtp.Packet
		for _, f := range frames {
			if f.Sync {
				packets = append(packets, s.pack(f, []byte{9, 0xf0}, sps, pps)...) // with an access unit delimiter
			} else {
				packets = append(packets, s.pack(f)...)
			}
		}
		units := unpackAll(t, v, packets)
		same(t, units, frames)
		for i, u := range units {
			if (u.params != nil) != (i == 0) {
				t.Errorf("unit %d: parameters %+v", i, u.params)
			}
		}
	})
	t.Run("new parameters", func(t *testing.T) {
		v, _, _ := newVideo(t, sps, pps)
		small := stream
		small.Width, small.Height = 160, 90
		s := newSender(t)
		packets := s.pack(frames[0])
		packets = append(packets, s.pack(frames[25], small.SPS(), pps)...)
		packets = append(packets, s.pack(frames[50])...)
		units := unpackAll(t, v, packets)
		if len(units) != 3 || units[0].params != nil || units[1].params == nil || units[1].params.Width != 160 || units[2].params != nil {
			t.Errorf("units %+v", units)
		}
	})
	t.Run("no markers", func(t *testing.T) {
		v, _, _ := newVideo(t, sps, pps)
		s := newSender(t)
		var packets []*rtp.Packet
		for _, f := range frames {
			packets = append(packets, s.pack(f)...)
		}
		for _, p := range packets {
			p.Marker = false
		}
		same(t, unpackAll(t, v, packets), frames[:len(frames)-1]) // the last one never ends
	})
	t.Run("begins between keyframes", func(t *testing.T) {
		v, count, _ := newVideo(t, sps, pps)
		s := newSender(t)
		var packets []*rtp.Packet
		for _, f := range frames[1:] {
			packets = append(packets, s.pack(f)...)
		}
		units := unpackAll(t, v, packets)
		same(t, units, frames[25:])
		if count.skipped.Load() == 0 {
			t.Error("nothing was counted as skipped")
		}
	})
	t.Run("loss", func(t *testing.T) {
		v, _, _ := newVideo(t, sps, pps)
		s := newSender(t)
		var packets []*rtp.Packet
		for i, f := range frames {
			of := s.pack(f)
			if i == 5 {
				of = append(of[:1:1], of[2:]...)
			}
			packets = append(packets, of...)
		}
		same(t, unpackAll(t, v, packets), append(frames[:5:5], frames[25:]...))
	})
	t.Run("order that cannot be followed", func(t *testing.T) {
		v, _, _ := newVideo(t, sps, pps)
		s := newSender(t)
		bad := *frames[0]
		bad.Data = append(append([]byte(nil), 0, 0, 0, 2, 0x65), 0xff) // a slice without room for its order
		units := unpackAll(t, v, append(s.pack(&bad), s.pack(frames[1])...))
		if len(units) != 2 || units[0].dts != units[0].pts || units[1].dts <= units[0].dts {
			t.Errorf("units %+v, want them as they came", units)
		}
	})
}

func TestVideoRefusesWords(t *testing.T) {
	huge := mediatest.Stream{Width: 4096, Height: 2304}.SPS()
	for name, sps := range map[string][]byte{
		"too large": append(append([]byte(nil), huge...), make([]byte, maxSet)...),
		"garbage":   {0x67, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"one byte":  {0x67},
	} {
		v, _, _ := newVideo(t, nil, nil)
		s := newSender(t)
		var err error
		for _, p := range s.pack(stream.Frames()[0], sps, stream.PPS()) {
			if _, e := v.unpack(p, 0); e != nil {
				err = e
			}
		}
		if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.StreamBroken || r.Detail == "" {
			t.Errorf("%s: %v, want a refusal in words", name, err)
		}
	}
}

// FuzzVideo feeds payloads; each begins after a zero byte in the fuzzed input.
func FuzzVideo(f *testing.F) {
	s := newSender(f)
	var all []byte
	for i, frame := range (mediatest.Stream{Duration: time.Second, NoAudio: true, BFrames: 1}).Frames() {
		for _, p := range s.pack(frame) {
			if i < 5 {
				f.Add(p.Payload, []byte{0x7c, 0x85, 1}, []byte{0x78, 0, 2, 0x67, 0x42}, uint8(i))
			}
			all = append(all, p.Payload...)
		}
	}
	f.Add(all, []byte(nil), []byte{0}, uint8(255))
	sps, pps := stream.SPS(), stream.PPS()
	hevc, err := base64.StdEncoding.DecodeString("QgEBAWAAAAMAkAAAAwAAAwBdoAKAgC0WWVmkkyuAQAAA+kAAF3AC")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte, flags uint8) {
		count := &counters{}
		avc, _, _ := newAVC(&format.H264{SPS: sps, PPS: pps, PacketizationMode: 1}, count)
		h, _, _ := newHEVC(&format.H265{SPS: hevc}, count)
		for _, u := range []unpacker{avc, h} {
			last := media.Ticks(-1 << 62)
			for i, payload := range [][]byte{a, b, c, a, c} {
				p := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Marker: flags>>i&1 == 1, Timestamp: uint32(i/2) * 3000}, Payload: payload}
				units, err := u.unpack(p, media.Ticks(p.Timestamp))
				if err != nil {
					if !strings.HasPrefix(err.Error(), "refused") {
						t.Fatalf("error %v", err)
					}
					break
				}
				for _, got := range units {
					if len(got.data) < 5 || got.dts < last {
						t.Fatalf("unit of %d bytes at %d after %d", len(got.data), got.dts, last)
					}
					last = got.dts
				}
			}
		}
	})
}
