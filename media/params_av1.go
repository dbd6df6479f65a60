package media

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
)

// AV1 OBU types (AV1 section 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
)

// obus calls yield with each OBU of b that has a size field, as fMP4 and RTMP carry them. Payload starts after
// header and size; whole is everything. It stops at the first that is not well formed.
func obus(b []byte, yield func(typ byte, whole, payload []byte) bool) {
	for len(b) > 0 {
		header := 1
		if b[0]&4 != 0 { // extension
			header = 2
		}
		if b[0]&2 == 0 || len(b) < header {
			return
		}
		size, n := leb128(b[header:])
		if n == 0 || uint64(len(b)-header-n) < size {
			return
		}
		end := header + n + int(size)
		if !yield(b[0]>>3&15, b[:end], b[header+n:end]) {
			return
		}
		b = b[end:]
	}
}

// leb128 reads a number of at most 32 bits (AV1 section 4.10.5); n is 0 when it cannot.
func leb128(b []byte) (v uint64, n int) {
	for i := range min(8, len(b)) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if v > 1<<32-1 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// AV1SequenceHeader returns the first sequence header of a temporal unit or of an av1C's configOBUs, as a whole
// OBU that aliases b; nil when there is none.
func AV1SequenceHeader(b []byte) (obu []byte) {
	obus(b, func(typ byte, whole, _ []byte) bool {
		if typ == obuSequenceHeader {
			obu = whole
		}
		return obu == nil
	})
	return obu
}

// AV1Sample returns a temporal unit as an fMP4 sample: without the temporal delimiter that begins it (AV1 in
// ISOBMFF section 2.4). The result aliases b.
func AV1Sample(b []byte) []byte {
	obus(b, func(typ byte, whole, _ []byte) bool {
		if typ == obuTemporalDelimiter {
			b = b[len(whole):]
			return true
		}
		return false
	})
	return b
}

// AV1Config writes the av1C payload for a sequence header OBU that came in band. Errors wrap ErrParams.
func AV1Config(sequenceHeader []byte) ([]byte, error) {
	s, err := parseAV1(sequenceHeader)
	if err != nil {
		return nil, err
	}
	flag := func(on bool, shift int) byte {
		if on {
			return 1 << shift
		}
		return 0
	}
	c := s.ColorConfig
	b := []byte{
		0x81,
		s.SeqProfile<<5 | s.SeqLevelIdx[0],
		flag(s.SeqTier[0], 7) | flag(c.HighBitDepth, 6) | flag(c.TwelveBit, 5) | flag(c.MonoChrome, 4) |
			flag(c.SubsamplingX, 3) | flag(c.SubsamplingY, 2) | byte(c.ChromaSamplePosition)&3,
		0,
	}
	return append(b, sequenceHeader...), nil
}

func parseAV1(obu []byte) (*av1.SequenceHeader, error) {
	var s av1.SequenceHeader
	var found error = paramsErrorf("no AV1 sequence header")
	obus(obu, func(typ byte, whole, payload []byte) bool {
		if typ == obuSequenceHeader {
			// The parser reads an OBU without extension and size.
			if found = s.Unmarshal(append([]byte{whole[0] &^ 6}, payload...)); found != nil {
				found = paramsErrorf("AV1 sequence header: %v", found)
			}
		}
		return typ != obuSequenceHeader
	})
	if found != nil {
		return nil, found
	}
	if len(s.SeqLevelIdx) == 0 || len(s.SeqTier) == 0 {
		return nil, paramsErrorf("AV1 sequence header without operating point")
	}
	return &s, nil
}

// NewAV1Params reads an av1C payload, which must hold the sequence header. It copies what it keeps. Errors wrap
// ErrParams.
func NewAV1Params(av1C []byte) (*Params, error) {
	if len(av1C) < 5 || len(av1C) > maxConfigBytes || av1C[0] != 0x81 {
		return nil, paramsErrorf("av1C of %d bytes", len(av1C))
	}
	s, err := parseAV1(AV1SequenceHeader(av1C[4:]))
	if err != nil {
		return nil, err
	}
	tier := "M"
	if s.SeqTier[0] {
		tier = "H"
	}
	p := &Params{
		Codec:  AV1,
		Config: bytes.Clone(av1C),
		MIME:   fmt.Sprintf("av01.%d.%02d%s.%02d", s.SeqProfile, s.SeqLevelIdx[0], tier, s.ColorConfig.BitDepth),
		Words:  "AV1 " + []string{"Main", "High", "Professional", "", "", "", "", ""}[s.SeqProfile&7],
		Width:  s.Width(),
		Height: s.Height(),
	}
	if t := s.TimingInfo; t != nil && t.EqualPictureInterval && t.NumUnitsInDisplayTick > 0 {
		ticks := uint64(t.NumUnitsInDisplayTick) * (uint64(t.NumTicksPerPictureMinus1) + 1)
		p.FrameRateMilli = int(uint64(t.TimeScale) * 1000 / ticks)
	}
	return p, p.checkSize()
}
