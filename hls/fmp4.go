package hls

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"chalkcast/media"
)

// sample is one frame whose length is known, in the time of the programme.
type sample struct {
	start    media.Ticks
	duration uint32
	cto      int32
	sync     bool
	data     []byte
}

func (s *sample) end() media.Ticks { return s.start + media.Ticks(s.duration) }

// fragment is the samples of one track in one part.
type fragment struct {
	video   bool
	samples []sample
}

// Sizes of boxes (ISO/IEC 14496-12 section 8.8), headers included.
const (
	boxHeader    = 8
	mfhdSize     = 16
	tfhdSize     = 16
	tfdtSize     = 20
	trunSize     = 20
	videoEntry   = 16 // duration, size, flags, composition offset
	audioEntry   = 8  // duration, size
	trunVideo    = 0x01000f01
	trunAudio    = 0x01000301
	baseIsMoof   = 0x00020000
	tfdt64       = 0x01000000
	flagsSync    = 0x02000000 // depends on no other picture
	flagsNonSync = 0x01010000
)

func (f *fragment) entry() int {
	if f.video {
		return videoEntry
	}
	return audioEntry
}

func (f *fragment) trafSize() int {
	return boxHeader + tfhdSize + tfdtSize + trunSize + len(f.samples)*f.entry()
}

// marshalPart writes moof and mdat into one slice of exactly their size. Track numbers count from 1 in the order
// of the fragments; fragments without samples are left out. Every byte of media is copied once.
func marshalPart(sequence uint32, fragments []fragment) []byte {
	moof, mdat := boxHeader+mfhdSize, boxHeader
	for i := range fragments {
		f := &fragments[i]
		if len(f.samples) == 0 {
			continue
		}
		moof += f.trafSize()
		for j := range f.samples {
			mdat += len(f.samples[j].data)
		}
	}
	b := make([]byte, 0, moof+mdat)
	b = appendBox(b, moof, "moof")
	b = appendBox(b, mfhdSize, "mfhd")
	b = be32(be32(b, 0), sequence)
	offset := moof + boxHeader
	for i := range fragments {
		if f := &fragments[i]; len(f.samples) > 0 {
			b = f.appendTraf(b, i+1, offset)
			for j := range f.samples {
				offset += len(f.samples[j].data)
			}
		}
	}
	b = appendBox(b, mdat, "mdat")
	for i := range fragments {
		for j := range fragments[i].samples {
			b = append(b, fragments[i].samples[j].data...)
		}
	}
	return b
}

func (f *fragment) appendTraf(b []byte, track, offset int) []byte {
	b = appendBox(b, f.trafSize(), "traf")
	b = appendBox(b, tfhdSize, "tfhd")
	b = be32(be32(b, baseIsMoof), uint32(track))
	b = appendBox(b, tfdtSize, "tfdt")
	b = binary.BigEndian.AppendUint64(be32(b, tfdt64), uint64(f.samples[0].start))
	b = appendBox(b, trunSize+len(f.samples)*f.entry(), "trun")
	flags := uint32(trunAudio)
	if f.video {
		flags = trunVideo
	}
	b = be32(be32(be32(b, flags), uint32(len(f.samples))), uint32(offset))
	for i := range f.samples {
		s := &f.samples[i]
		b = be32(be32(b, s.duration), uint32(len(s.data)))
		if f.video {
			b = be32(be32(b, sampleFlags(s.sync)), uint32(s.cto))
		}
	}
	return b
}

func sampleFlags(sync bool) uint32 {
	if sync {
		return flagsSync
	}
	return flagsNonSync
}

func appendBox(b []byte, size int, name string) []byte { return append(be32(b, uint32(size)), name...) }

func be32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// marshalInit writes the init segment for tracks, numbered from 1. The configuration records of the encoder are
// carried as they are: the library would keep only the first parameter sets.
func marshalInit(tracks []media.Track) ([]byte, error) {
	var init fmp4.Init
	for i, t := range tracks {
		codec, err := initCodec(t.Params)
		if err != nil {
			return nil, fmt.Errorf("init segment: %w", err)
		}
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: i + 1, TimeScale: uint32(t.Clock), Codec: codec})
	}
	var buf seekablebuffer.Buffer
	if err := init.Marshal(&buf); err != nil {
		return nil, fmt.Errorf("init segment: %w", err)
	}
	b := buf.Bytes()
	for i, t := range tracks {
		if name := recordBox[t.Params.Codec]; name != "" {
			var ok bool
			if b, ok = replaceRecord(b, i, name, t.Params.Config); !ok {
				return nil, fmt.Errorf("init segment: no %s box in track %d", name, i+1)
			}
		}
	}
	return bytes.Clone(b), nil
}

// recordBox names the box whose payload Params.Config is.
var recordBox = map[media.Codec]string{
	media.H264: "avcC", media.HEVC: "hvcC", media.AV1: "av1C", media.VP9: "vpcC", media.Opus: "dOps",
}

func initCodec(p *media.Params) (codecs.Codec, error) {
	switch p.Codec {
	case media.H264:
		avc, err := media.ParseAVC(p.Config)
		if err != nil {
			return nil, err
		}
		return &codecs.H264{SPS: avc.SPS[0], PPS: avc.PPS[0]}, nil
	case media.HEVC:
		return hevcCodec(p.Config)
	case media.AV1:
		return av1Codec(p.Config)
	case media.VP9:
		return &codecs.VP9{Width: p.Width, Height: p.Height, BitDepth: 8}, nil
	case media.AAC:
		var c mpeg4audio.AudioSpecificConfig
		if err := c.Unmarshal(p.Config); err != nil {
			return nil, err
		}
		return &codecs.MPEG4Audio{Config: c}, nil
	case media.Opus:
		return &codecs.Opus{ChannelCount: p.Channels}, nil
	}
	return nil, fmt.Errorf("%v is not carried", p.Codec)
}

// hevcCodec finds one parameter set of each kind in an hvcC payload (ISO/IEC 14496-15 section 8.3.3.1).
func hevcCodec(hvcC []byte) (codecs.Codec, error) {
	c := &codecs.H265{}
	if len(hvcC) < 23 {
		return nil, fmt.Errorf("hvcC of %d bytes", len(hvcC))
	}
	rest := hvcC[23:]
	for range hvcC[22] {
		if len(rest) < 3 {
			return nil, fmt.Errorf("hvcC is cut short")
		}
		kind, count := rest[0]&0x3f, int(rest[1])<<8|int(rest[2])
		rest = rest[3:]
		for range count {
			if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
				return nil, fmt.Errorf("hvcC is cut short")
			}
			n := 2 + int(binary.BigEndian.Uint16(rest))
			switch kind {
			case 32:
				c.VPS = rest[2:n]
			case 33:
				c.SPS = rest[2:n]
			case 34:
				c.PPS = rest[2:n]
			}
			rest = rest[n:]
		}
	}
	return c, nil
}

// av1Codec takes the sequence header out of an av1C payload: four bytes, then OBUs. The library wants it without
// a size field.
func av1Codec(av1C []byte) (codecs.Codec, error) {
	if len(av1C) < 7 {
		return nil, fmt.Errorf("av1C of %d bytes", len(av1C))
	}
	obu := av1C[4:]
	if obu[0]&0x02 == 0 {
		return &codecs.AV1{SequenceHeader: obu}, nil
	}
	size, n := binary.Uvarint(obu[1:]) // leb128 is a varint
	if n <= 0 || size > uint64(len(obu)-1-n) {
		return nil, fmt.Errorf("av1C is cut short")
	}
	header := append([]byte{obu[0] &^ 0x02}, obu[1+n:1+n+int(size)]...)
	return &codecs.AV1{SequenceHeader: header}, nil
}

// replaceRecord puts payload into the box called name of the index-th track's sample entry, and corrects the
// sizes of all boxes around it.
func replaceRecord(b []byte, index int, name string, payload []byte) ([]byte, bool) {
	var sizes []int // where the sizes of the boxes around it are written
	from, to := 0, len(b)
	enter := func(name string, nth, skip int) bool {
		at, size, ok := findBox(b[from:to], name, nth)
		if !ok {
			return false
		}
		sizes = append(sizes, from+at)
		from, to = from+at+boxHeader+skip, from+at+size
		return from <= to
	}
	entry := 78 // bytes of a VisualSampleEntry before its boxes
	if name == "dOps" {
		entry = 28
	}
	ok := enter("moov", 0, 0) && enter("trak", index, 0) && enter("mdia", 0, 0) && enter("minf", 0, 0) &&
		enter("stbl", 0, 0) && enter("stsd", 0, 8) && enter("", 0, entry) && enter(name, 0, 0)
	if !ok {
		return nil, false
	}
	out := append(append(bytes.Clone(b[:from]), payload...), b[to:]...)
	for _, at := range sizes {
		size := int(binary.BigEndian.Uint32(out[at:])) + len(out) - len(b)
		binary.BigEndian.PutUint32(out[at:], uint32(size))
	}
	return out, true
}

// findBox returns where the nth box called name begins and how big it is; any name will do when name is empty.
func findBox(b []byte, name string, nth int) (at, size int, ok bool) {
	for at+boxHeader <= len(b) {
		size = int(binary.BigEndian.Uint32(b[at:]))
		if size < boxHeader || at+size > len(b) {
			return 0, 0, false
		}
		if name == "" || string(b[at+4:at+8]) == name {
			if nth == 0 {
				return at, size, true
			}
			nth--
		}
		at += size
	}
	return 0, 0, false
}

// hasCaptions reports whether an H.264 sample carries CEA-608 or 708 captions in its SEI (ATSC A/53 part 4
// section 6.2.3). It looks at no more than what stands before the picture, and of that at the beginning of each SEI.
func hasCaptions(data []byte, lengthSize int) bool {
	for len(data) > lengthSize {
		n := 0
		for _, c := range data[:lengthSize] {
			n = n<<8 | int(c)
		}
		data = data[lengthSize:]
		if n <= 0 || n > len(data) {
			return false
		}
		unit := data[0] & 0x1f
		if 1 <= unit && unit <= 5 {
			return false // the picture itself: SEI comes before
		}
		if unit == 6 && bytes.Contains(data[:min(n, 256)], []byte("\xb5\x00\x31GA94\x03")) {
			return true
		}
		data = data[n:]
	}
	return false
}
