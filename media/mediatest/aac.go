package mediatest

import (
	"encoding/binary"

	"chalkcast/media"
)

// AACParams returns the parameters of the sound of the zero Stream.
func AACParams() *media.Params { return Stream{}.filled().audio() }

// samplesPerFrame is the length of every AAC-LC frame.
const samplesPerFrame = 1024

var aacRates = []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000}

func (s Stream) audio() *media.Params {
	w := &bitWriter{}
	w.u(5, 2) // AAC-LC
	rate := -1
	for i, r := range aacRates {
		if r == s.SampleRate {
			rate = i
		}
	}
	if rate < 0 {
		panic("mediatest: no such AAC sample rate")
	}
	w.u(4, uint64(rate))
	w.u(4, uint64(s.Channels))
	w.u(3, 0)
	p, err := media.NewAACParams(w.b)
	if err != nil {
		panic(err)
	}
	return p
}

// aacFrame writes silence and, in a data stream element, its number.
func (s Stream) aacFrame(number uint64) []byte {
	w := &bitWriter{}
	if s.Channels == 1 {
		w.u(3, 0) // single channel element
		w.u(4, 0)
		w.u(8, 0)
		silentWindow(w)
		w.u(3, 0)
	} else {
		w.u(3, 1) // channel pair element
		w.u(4, 0)
		w.u(1, 1) // one window for both
		silentWindow(w)
		w.u(2, 0)
		for range 2 {
			w.u(8, 0) // gain
			w.u(3, 0) // no pulses, noise shaping, gain control
		}
	}
	w.u(3, 4) // data stream element
	w.u(4, 0)
	w.u(1, 0)
	w.u(8, 8)
	for _, c := range binary.BigEndian.AppendUint64(nil, number) {
		w.u(8, uint64(c))
	}
	w.u(3, 7) // end
	w.align()
	return w.b
}

// silentWindow is one long window without any coded band.
func silentWindow(w *bitWriter) {
	w.u(1, 0)
	w.u(2, 0)
	w.u(1, 0)
	w.u(6, 0)
	w.u(1, 0)
}
