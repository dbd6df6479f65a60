package mediatest

import (
	"bytes"
	"encoding/binary"

	"chalkcast/media"
)

// AnnexB writes the video frames as a file that players read: start codes, parameter sets before every IDR
// picture (ITU-T H.264 annex B).
func (s Stream) AnnexB() []byte {
	var b []byte
	unit := func(u []byte) { b = append(append(b, 0, 0, 0, 1), u...) }
	for _, f := range s.filled().pictures() {
		if f.Sync {
			unit(s.SPS())
			unit(s.PPS())
		}
		for rest := f.Data; len(rest) > 0; {
			n := binary.BigEndian.Uint32(rest)
			unit(rest[4 : 4+n])
			rest = rest[4+n:]
		}
	}
	return b
}

// ADTS writes the audio frames as a file that players read (ISO/IEC 14496-3 annex 1.A).
func (s Stream) ADTS() []byte {
	s = s.filled()
	config := s.audio().Config
	rate, channels := (config[0]&7)<<1|config[1]>>7, byte(s.Channels)
	var b []byte
	for _, f := range s.sounds() {
		n := len(f.Data) + 7
		b = append(b, 0xff, 0xf1, 1<<6|rate<<2|channels>>2, channels<<6|byte(n>>11), byte(n>>3), byte(n<<5)|0x1f, 0xfc)
		b = append(b, f.Data...)
	}
	return b
}

// Number returns the number that a frame of a Stream carries: pictures and sounds count from 0 in decode order.
func Number(f *media.Frame) uint64 {
	const uuid = "chalkcast.tests."
	if n := len(f.Data); n > 30 { // no sound is as long; parameter sets may stand in front
		if i := bytes.Index(f.Data[:min(n, 64<<10)], []byte(uuid)); i >= 0 {
			return unescape(f.Data[i+len(uuid):])
		}
	}
	return soundNumber(f.Data)
}

// unescape reads 8 bytes of a NAL unit.
func unescape(b []byte) uint64 {
	var v uint64
	for read, zeros := 0, 0; read < 8 && len(b) > 0; b = b[1:] {
		if zeros == 2 && b[0] == 3 {
			zeros = 0
			continue
		}
		if zeros++; b[0] != 0 {
			zeros = 0
		}
		v, read = v<<8|uint64(b[0]), read+1
	}
	return v
}

// soundNumber reads the 64 bits before the end element, which the padding to a byte follows.
func soundNumber(b []byte) uint64 {
	offset := 3 + 4 + 8 + 11 + 3 + 3 + 4 + 1 + 8 // mono
	if len(b) > 0 && b[0]>>5 == 1 {
		offset = 3 + 4 + 1 + 11 + 2 + 2*11 + 3 + 4 + 1 + 8
	}
	var v uint64
	for i := offset; i < offset+64 && i/8 < len(b); i++ {
		v = v<<1 | uint64(b[i/8]>>(7-i%8)&1)
	}
	return v
}
