package hls

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/google/go-cmp/cmp"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// library writes a part with the library that we measure ours against.
func library(t testing.TB, sequence uint32, fragments []fragment) []byte {
	part := fmp4.Part{SequenceNumber: sequence}
	for i, f := range fragments {
		pt := &fmp4.PartTrack{ID: i + 1, BaseTime: uint64(f.samples[0].start)}
		for _, s := range f.samples {
			pt.Samples = append(pt.Samples, &fmp4.Sample{Duration: s.duration, PTSOffset: s.cto, IsNonSyncSample: !s.sync, Payload: s.data})
		}
		part.Tracks = append(part.Tracks, pt)
	}
	var b seekablebuffer.Buffer
	if err := part.Marshal(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// aPart returns half a second of a stream as the segmenter hands it to marshalPart.
func aPart(padding int) []fragment {
	stream := mediatest.Stream{Duration: 500 * time.Millisecond, BFrames: 2, Padding: padding}
	fragments := []fragment{{video: true}, {}}
	for _, f := range stream.Frames() {
		d := []uint32{3000, 1024}[f.Track]
		fr := &fragments[f.Track]
		fr.samples = append(fr.samples, sample{start: f.DTS, duration: d, cto: f.CTO, sync: f.Sync, data: f.Data})
	}
	return fragments
}

func TestMarshalPart(t *testing.T) {
	fragments := aPart(100)
	got, want := marshalPart(7, fragments), library(t, 7, fragments)
	if len(got) != len(want) || cap(got) != len(got) {
		t.Errorf("%d bytes in a slice of %d, the library needs %d", len(got), cap(got), len(want))
	}
	var a, b fmp4.Parts
	if err := a.Unmarshal(got); err != nil {
		t.Fatal(err)
	}
	if err := b.Unmarshal(want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("read back (−library +ours):\n%s", diff)
	}
	alone := marshalPart(1, []fragment{{video: true}, fragments[1]})
	var sound fmp4.Parts
	if err := sound.Unmarshal(alone); err != nil || len(sound[0].Tracks) != 1 || sound[0].Tracks[0].ID != 2 {
		t.Errorf("part with sound alone: %+v, %v", sound, err)
	}
}

func TestMarshalInit(t *testing.T) {
	stream := mediatest.Stream{}
	sps, pps := stream.SPS(), stream.PPS()
	other := append(slices.Clone(pps[:1]), 0x5a, 0x60) // a second set, which the library would drop
	params, err := media.NewH264Params(media.AVC{NALLengthSize: 4, SPS: [][]byte{sps}, PPS: [][]byte{pps, other}}.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	tracks := stream.Tracks()
	tracks[0].Params = params
	b, err := marshalInit(tracks)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, append([]byte("avcC"), params.Config...)) {
		t.Error("the init segment does not have the encoder's avcC")
	}
	for at, rest := 0, b; len(rest) > 0; rest = b[at:] {
		_, size, ok := findBox(rest, "", 0)
		if !ok {
			t.Fatalf("boxes do not fill the file: %d of %d bytes", at, len(b))
		}
		at += size
	}
}

func TestCaptions(t *testing.T) {
	unit := func(b ...byte) []byte { return append([]byte{0, 0, 0, byte(len(b))}, b...) }
	cc := append([]byte{6, 4, 20, 0xb5, 0, 0x31}, "GA94\x03"...)
	for _, test := range []struct {
		name string
		data []byte
		want bool
	}{
		{"captions", append(unit(cc...), unit(0x65, 1, 2)...), true},
		{"behind a delimiter", append(unit(9, 0xf0), unit(cc...)...), true},
		{"other SEI", append(unit(6, 5, 3, 1, 2, 3), unit(0x65, 1)...), false},
		{"in a picture", unit(append([]byte{0x65}, cc...)...), false},
		{"cut short", []byte{0, 0, 0, 200, 6, 4}, false},
		{"nothing", nil, false},
	} {
		if got := hasCaptions(test.data, 4); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
