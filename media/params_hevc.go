package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// HEVC NAL unit types that are parameter sets (ITU-T H.265 table 7-1).
const (
	hevcVPS = 32
	hevcSPS = 33
	hevcPPS = 34
)

// HVC is what we need of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 8.3.3.1).
type HVC struct {
	NALLengthSize int
	VPS, SPS, PPS [][]byte
}

const hvcHeaderBytes = 23

// ParseHVC reads an hvcC payload of at most 16 KiB. The parameter sets alias b; other NAL units are skipped.
func ParseHVC(b []byte) (HVC, error) {
	if len(b) < hvcHeaderBytes || len(b) > maxConfigBytes {
		return HVC{}, paramsErrorf("hvcC of %d bytes", len(b))
	}
	if b[0] != 1 {
		return HVC{}, paramsErrorf("hvcC version %d", b[0])
	}
	h := HVC{NALLengthSize: int(b[21]&3) + 1}
	rest := b[hvcHeaderBytes:]
	for range int(b[22]) {
		if len(rest) < 3 {
			return HVC{}, paramsErrorf("hvcC is cut short")
		}
		typ, n := rest[0]&0x3f, int(binary.BigEndian.Uint16(rest[1:]))
		sets, after, err := parameterSets(rest[3:], n)
		if err != nil {
			return HVC{}, err
		}
		rest = after
		switch typ {
		case hevcVPS:
			h.VPS = append(h.VPS, sets...)
		case hevcSPS:
			h.SPS = append(h.SPS, sets...)
		case hevcPPS:
			h.PPS = append(h.PPS, sets...)
		}
	}
	return h, h.check()
}

func (h HVC) check() error {
	if h.NALLengthSize == 3 || len(h.VPS) == 0 || len(h.SPS) == 0 || len(h.PPS) == 0 {
		return paramsErrorf("hvcC with %d VPS, %d SPS, %d PPS, NAL length size %d", len(h.VPS), len(h.SPS), len(h.PPS), h.NALLengthSize)
	}
	return nil
}

// Marshal writes the hvcC payload for parameter sets that came in band. Errors wrap ErrParams.
func (h HVC) Marshal() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	var s h265.SPS
	if err := unmarshalSPS(s.Unmarshal, h.SPS[0]); err != nil {
		return nil, err
	}
	raw := h264.EmulationPreventionRemove(h.SPS[0]) // the escape is the same in both standards
	b := append([]byte{1}, raw[3:15]...)            // profile, tier, level as they stand in the SPS
	b = append(b, 0xf0, 0, 0xfc, 0xfc|byte(s.ChromaFormatIdc), 0xf8|byte(s.BitDepthLumaMinus8), 0xf8|byte(s.BitDepthChromaMinus8), 0, 0)
	layers := raw[2]>>1&7 + 1
	b = append(b, layers<<3|raw[2]&1<<2|byte(h.NALLengthSize-1), 3)
	for _, array := range []struct {
		typ  byte
		sets [][]byte
	}{{hevcVPS, h.VPS}, {hevcSPS, h.SPS}, {hevcPPS, h.PPS}} {
		b = binary.BigEndian.AppendUint16(append(b, array.typ), uint16(len(array.sets)))
		for _, set := range array.sets {
			if len(set) > maxConfigBytes {
				return nil, paramsErrorf("parameter set of %d bytes", len(set))
			}
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(set))), set...)
		}
	}
	return b, nil
}

// unmarshalSPS guards the parsers of parameter sets against what they do not expect.
func unmarshalSPS(parse func([]byte) error, sps []byte) error {
	if len(sps) < 16 || len(sps) > maxConfigBytes {
		return paramsErrorf("SPS of %d bytes", len(sps))
	}
	if err := parse(sps); err != nil {
		return paramsErrorf("SPS: %v", err)
	}
	return nil
}

// NewHEVCParams reads an hvcC payload. It copies what it keeps. Errors wrap ErrParams.
func NewHEVCParams(hvcC []byte) (*Params, error) {
	h, err := ParseHVC(hvcC)
	if err != nil {
		return nil, err
	}
	var s h265.SPS
	if err := unmarshalSPS(s.Unmarshal, h.SPS[0]); err != nil {
		return nil, err
	}
	p := &Params{
		Codec:         HEVC,
		Config:        bytes.Clone(hvcC),
		MIME:          hevcMIME(hvcC),
		Words:         "HEVC " + hevcProfile(hvcC[1]&0x1f),
		Width:         s.Width(),
		Height:        s.Height(),
		NALLengthSize: h.NALLengthSize,
	}
	if v := s.VUI; v != nil && v.TimingInfo != nil && v.TimingInfo.NumUnitsInTick > 0 {
		p.FrameRateMilli = int(uint64(v.TimingInfo.TimeScale) * 1000 / uint64(v.TimingInfo.NumUnitsInTick))
	}
	return p, p.checkSize()
}

// hevcMIME follows ISO/IEC 14496-15 section E.3: profile, compatibility flags in reverse bit order, tier and
// level, constraint bytes without the zeros at the end.
func hevcMIME(hvcC []byte) string {
	space := []string{"", "A", "B", "C"}[hvcC[1]>>6]
	tier := "L"
	if hvcC[1]&0x20 != 0 {
		tier = "H"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "hvc1.%s%d.%X.%s%d", space, hvcC[1]&0x1f, bits.Reverse32(binary.BigEndian.Uint32(hvcC[2:])), tier, hvcC[12])
	for _, c := range bytes.TrimRight(hvcC[6:12], "\x00") {
		fmt.Fprintf(&b, ".%X", c)
	}
	return b.String()
}

func hevcProfile(idc byte) string {
	switch idc {
	case 1:
		return "Main"
	case 2:
		return "Main 10"
	case 3:
		return "Main Still Picture"
	}
	return fmt.Sprintf("profile %d", idc)
}
