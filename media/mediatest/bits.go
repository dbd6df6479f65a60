package mediatest

import (
	"bytes"
	"math/bits"
)

// bitWriter appends bits, most significant first.
type bitWriter struct {
	b    []byte
	used int // bits used of the last byte, 0 when it is full
}

func (w *bitWriter) u(n int, v uint64) {
	for i := n - 1; i >= 0; i-- {
		if w.used == 0 {
			w.b = append(w.b, 0)
		}
		w.b[len(w.b)-1] |= byte(v>>i&1) << (7 - w.used)
		w.used = (w.used + 1) % 8
	}
}

// ue writes an unsigned Exp-Golomb code (ITU-T H.264 section 9.1).
func (w *bitWriter) ue(v uint64) {
	n := bits.Len64(v + 1)
	w.u(n-1, 0)
	w.u(n, v+1)
}

// trail ends a raw byte sequence payload: a one, then zeros up to the byte (ITU-T H.264 section 7.3.2.11).
func (w *bitWriter) trail() {
	w.u(1, 1)
	w.align()
}

func (w *bitWriter) align() { w.used = 0 }

// nal turns a payload into a NAL unit: no three bytes of it look like a start code (ITU-T H.264 section 7.3.1).
func nal(header byte, payload []byte) []byte {
	out, zeros := append(make([]byte, 0, len(payload)+16), header), 0
	for len(payload) > 0 {
		if zeros == 0 { // up to the next zero there is nothing to watch
			run := bytes.IndexByte(payload, 0)
			if run < 0 {
				return append(out, payload...)
			}
			out, payload = append(out, payload[:run]...), payload[run:]
		}
		if zeros == 2 && payload[0] <= 3 {
			out, zeros = append(out, 3), 0
		}
		if zeros++; payload[0] != 0 {
			zeros = 0
		}
		out, payload = append(out, payload[0]), payload[1:]
	}
	return out
}
