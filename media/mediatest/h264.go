package mediatest

import (
	"bytes"
	"encoding/binary"

	"chalkcast/media"
)

// H264Params returns the parameters of the pictures of the zero Stream.
func H264Params() *media.Params { return Stream{}.filled().video() }

// Sizes of the fields that our SPS declares.
const (
	frameNumBits = 8
	pocBits      = 16
)

func (s Stream) video() *media.Params {
	p, err := media.NewH264Params(media.AVC{NALLengthSize: 4, SPS: [][]byte{s.sps()}, PPS: [][]byte{pps()}}.Marshal())
	if err != nil {
		panic(err) // Stream with a size that media refuses: a bug of the test
	}
	return p
}

// SPS returns the sequence parameter set of the stream's pictures, as a NAL unit.
func (s Stream) SPS() []byte { return s.filled().sps() }

// PPS returns the picture parameter set of the stream's pictures, as a NAL unit.
func (s Stream) PPS() []byte { return pps() }

func (s Stream) sps() []byte {
	w := &bitWriter{}
	w.u(8, 77) // Main profile
	w.u(8, 0)
	w.u(8, 40) // level 4.0
	w.ue(0)
	w.ue(frameNumBits - 4)
	w.ue(0) // picture order count in every slice
	w.ue(pocBits - 4)
	w.ue(2) // reference pictures
	w.u(1, 0)
	w.ue(uint64(s.columns() - 1))
	w.ue(uint64(s.rows() - 1))
	w.u(1, 1) // frames only
	w.u(1, 1)
	right, bottom := s.columns()*16-s.Width, s.rows()*16-s.Height
	if right == 0 && bottom == 0 {
		w.u(1, 0)
	} else {
		w.u(1, 1)
		w.ue(0)
		w.ue(uint64(right / 2))
		w.ue(0)
		w.ue(uint64(bottom / 2))
	}
	s.vui(w)
	w.trail()
	return nal(0x67, w.b)
}

// vui declares the frame rate and how far pictures are reordered (ITU-T H.264 section E.1.1).
func (s Stream) vui(w *bitWriter) {
	w.u(1, 1)
	w.u(4, 0) // no aspect ratio, overscan, signal type, chroma location
	w.u(1, 1)
	w.u(32, 1)
	w.u(32, uint64(2*s.FPS))
	w.u(1, 1)
	w.u(3, 0) // no HRD, no picture structure
	w.u(1, 1)
	w.u(1, 1)
	for _, v := range []uint64{0, 0, 16, 16, uint64(min(s.BFrames, 1)), 2} {
		w.ue(v)
	}
}

func pps() []byte {
	w := &bitWriter{}
	w.ue(0)
	w.ue(0)
	w.u(2, 0) // CAVLC
	w.ue(0)
	w.ue(0)
	w.ue(0)
	w.u(3, 0)
	w.ue(0) // QP 26
	w.ue(0)
	w.ue(0)
	w.u(3, 0)
	w.trail()
	return nal(0x68, w.b)
}

func (s Stream) columns() int { return (s.Width + 15) / 16 }
func (s Stream) rows() int    { return (s.Height + 15) / 16 }

// picture is one coded picture of a group.
type picture struct {
	kind     byte // 'I', 'P' or 'B'
	display  int  // place in display order, from the IDR
	frameNum int
	idr      int // number of the group
}

// group returns the pictures of a closed group of n in decode order: every run of B pictures follows the P
// picture that ends it.
func group(n, bFrames, idr int) []picture {
	out := []picture{{kind: 'I', idr: idr}}
	for last, refs := 0, 1; last < n-1; refs++ {
		anchor := min(last+bFrames+1, n-1)
		out = append(out, picture{'P', anchor, refs, idr})
		for d := last + 1; d < anchor; d++ {
			out = append(out, picture{'B', d, refs + 1, idr})
		}
		last = anchor
	}
	return out
}

func (s Stream) slice(p picture) []byte {
	w := &bitWriter{}
	w.ue(0)
	w.ue(map[byte]uint64{'P': 5, 'B': 6, 'I': 7}[p.kind])
	w.ue(0)
	w.u(frameNumBits, uint64(p.frameNum))
	if p.kind == 'I' {
		w.ue(uint64(p.idr % 2))
	}
	w.u(pocBits, uint64(2*p.display))
	header := byte(0x41)
	switch p.kind {
	case 'I':
		header = 0x65
		w.u(2, 0) // keep earlier pictures for output, no long term reference
		w.ue(0)   // QP
		for range s.columns() * s.rows() {
			w.ue(3)   // Intra 16×16, DC, nothing coded
			w.ue(0)   // chroma DC
			w.ue(0)   // QP
			w.u(1, 1) // no coefficients
		}
	case 'P':
		w.u(3, 0) // default references, sliding window
		w.ue(0)
		w.ue(uint64(s.columns() * s.rows())) // all skipped
	case 'B':
		header = 0x01 // not a reference
		w.u(1, 1)     // spatial direct
		w.u(3, 0)
		w.ue(0)
		w.ue(uint64(s.columns() * s.rows()))
	}
	w.trail()
	return nal(header, w.b)
}

// sei numbers a picture and pads it with size bytes: user data that decoders skip (ITU-T H.264 section D.1.7).
func sei(number uint64, size int) []byte {
	body := append([]byte("chalkcast.tests."), binary.BigEndian.AppendUint64(nil, number)...)
	body = append(body, bytes.Repeat([]byte{0xa5}, size)...)
	payload := []byte{5}
	n := len(body)
	for ; n >= 255; n -= 255 {
		payload = append(payload, 255)
	}
	payload = append(append(payload, byte(n)), body...)
	return nal(0x06, append(payload, 0x80))
}

// sample joins NAL units as fMP4 and RTMP carry them: a 4-byte length before each.
func sample(units ...[]byte) []byte {
	var b []byte
	for _, u := range units {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(u))), u...)
	}
	return b
}
