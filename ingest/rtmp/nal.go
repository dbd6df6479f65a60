package rtmp

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"

	"chalkcast/media"
)

// NAL unit types that matter to us (ITU-T H.264 table 7-1, H.265 table 7-1).
const (
	avcLastPicture = 5
	avcIDR         = 5
	avcSPS         = 7
	avcPPS         = 8

	hevcLastPicture = 31
	hevcFirstIRAP   = 16
	hevcLastIRAP    = 21
	hevcVPS         = 32
	hevcSPS         = 33
	hevcPPS         = 34
)

// maxSetBytes limits one parameter set that comes in band; real ones have less than 100 bytes.
const maxSetBytes = 4 << 10

// accessUnit is what the NAL units of one sample say about it.
type accessUnit struct {
	picture bool // it holds one
	sync    bool // decoding can start here
	sets    []nalUnit
}

type nalUnit struct {
	typ  byte
	data []byte
}

// readUnit walks over the NAL units of a sample, each with a length of lengthSize bytes in front. Parameter sets
// alias b.
func readUnit(codec media.Codec, lengthSize int, b []byte) (accessUnit, error) {
	var u accessUnit
	for total := len(b); len(b) > 0; {
		if len(b) < lengthSize {
			return accessUnit{}, tagErrorf("%d bytes behind the last NAL unit", len(b))
		}
		size := 0
		for _, c := range b[:lengthSize] {
			size = size<<8 | int(c)
		}
		b = b[lengthSize:]
		if size > len(b) {
			return accessUnit{}, tagErrorf("NAL unit of %d bytes in a picture of %d", size, total)
		}
		if size > 0 {
			u.add(codec, b[:size])
		}
		b = b[size:]
	}
	return u, nil
}

func (u *accessUnit) add(codec media.Codec, nal []byte) {
	if codec == media.HEVC {
		typ := nal[0] >> 1 & 0x3f
		u.picture = u.picture || typ <= hevcLastPicture
		u.sync = u.sync || hevcFirstIRAP <= typ && typ <= hevcLastIRAP
		if hevcVPS <= typ && typ <= hevcPPS {
			u.sets = append(u.sets, nalUnit{typ, nal})
		}
		return
	}
	typ := nal[0] & 0x1f
	u.picture = u.picture || 1 <= typ && typ <= avcLastPicture
	u.sync = u.sync || typ == avcIDR
	if typ == avcSPS || typ == avcPPS {
		u.sets = append(u.sets, nalUnit{typ, nal})
	}
}

// knownSets lists the parameter sets of a configuration record.
func knownSets(p *media.Params) []nalUnit {
	var sets []nalUnit
	add := func(typ byte, list [][]byte) {
		for _, s := range list {
			sets = append(sets, nalUnit{typ, s})
		}
	}
	if p.Codec == media.HEVC {
		h, _ := media.ParseHVC(p.Config) // was read before
		add(hevcVPS, h.VPS)
		add(hevcSPS, h.SPS)
		add(hevcPPS, h.PPS)
		return sets
	}
	a, _ := media.ParseAVC(p.Config)
	add(avcSPS, a.SPS)
	add(avcPPS, a.PPS)
	return sets
}

// mergeSets puts sets that came in band over known ones: a set replaces the one of its type with its number. It
// returns nil when there is nothing new. The result may alias both.
func mergeSets(codec media.Codec, known, news []nalUnit) []nalUnit {
	var merged []nalUnit
	for _, n := range news {
		if slices.ContainsFunc(known, func(k nalUnit) bool { return k.typ == n.typ && bytes.Equal(k.data, n.data) }) {
			continue
		}
		if merged == nil {
			merged = slices.Clone(known)
		}
		same := func(k nalUnit) bool { return k.typ == n.typ && setNumber(codec, k) == setNumber(codec, n) }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i] = n
		} else {
			merged = append(merged, n)
		}
	}
	return merged
}

// setNumber returns the id of a parameter set: of a picture parameter set the number it begins with, and 0 of all
// others, of which encoders use one.
func setNumber(codec media.Codec, n nalUnit) uint32 {
	switch {
	case codec == media.HEVC && n.typ == hevcPPS && len(n.data) > 2:
		return expGolomb(n.data[2:])
	case codec == media.H264 && n.typ == avcPPS && len(n.data) > 1:
		return expGolomb(n.data[1:])
	case codec == media.H264 && n.typ == avcSPS && len(n.data) > 4:
		return expGolomb(n.data[4:])
	}
	return 0
}

// expGolomb reads the unsigned code at the start of b (ITU-T H.264 section 9.1), of at most 16 bits.
func expGolomb(b []byte) uint32 {
	var v uint32
	for i := range 4 {
		v <<= 8
		if i < len(b) {
			v |= uint32(b[i])
		}
	}
	zeros := bits.LeadingZeros32(v)
	if zeros > 15 {
		return 0
	}
	return v>>(31-2*zeros) - 1
}

// paramsOf makes parameters from a list of sets. Errors wrap media.ErrParams.
func paramsOf(codec media.Codec, lengthSize int, sets []nalUnit) (*media.Params, error) {
	of := func(typ byte) (list [][]byte) {
		for _, s := range sets {
			if s.typ == typ {
				list = append(list, s.data)
			}
		}
		return list
	}
	if codec == media.HEVC {
		config, err := media.HVC{NALLengthSize: lengthSize, VPS: of(hevcVPS), SPS: of(hevcSPS), PPS: of(hevcPPS)}.Marshal()
		if err != nil {
			return nil, err
		}
		return media.NewHEVCParams(config)
	}
	for _, s := range sets {
		if len(s.data) < 2 || s.typ == avcSPS && len(s.data) < 4 || len(s.data) > maxSetBytes {
			return nil, fmt.Errorf("%w: parameter set of %d bytes", media.ErrParams, len(s.data))
		}
	}
	return media.NewH264Params(media.AVC{NALLengthSize: lengthSize, SPS: of(avcSPS), PPS: of(avcPPS)}.Marshal())
}
