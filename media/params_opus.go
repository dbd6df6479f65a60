package media

import (
	"bytes"
	"encoding/binary"
)

// opusClock is the clock of every Opus stream, whatever it was recorded at (RFC 7845 section 4).
const opusClock = 48000

var opusMagic = []byte("OpusHead")

// OpusConfig turns an identification header (RFC 7845 section 5.1) into a dOps payload, which holds the same fields
// with the other byte order. Errors wrap ErrParams.
func OpusConfig(head []byte) ([]byte, error) {
	if len(head) < 19 || len(head) > 19+2+255 || !bytes.HasPrefix(head, opusMagic) {
		return nil, paramsErrorf("OpusHead of %d bytes", len(head))
	}
	b := []byte{0, head[9]}
	b = binary.BigEndian.AppendUint16(b, binary.LittleEndian.Uint16(head[10:]))
	b = binary.BigEndian.AppendUint32(b, binary.LittleEndian.Uint32(head[12:]))
	b = binary.BigEndian.AppendUint16(b, binary.LittleEndian.Uint16(head[16:]))
	return append(b, head[18:]...), nil
}

// NewOpusParams reads a dOps payload (Encapsulation of Opus in ISO Base Media File Format section 4.3.2). It copies
// what it keeps. Errors wrap ErrParams.
func NewOpusParams(dOps []byte) (*Params, error) {
	if len(dOps) < 11 || len(dOps) > 11+2+255 || dOps[0] != 0 {
		return nil, paramsErrorf("dOps of %d bytes", len(dOps))
	}
	channels := int(dOps[1])
	if channels == 0 || channels > 8 {
		return nil, paramsErrorf("Opus with %d channels", channels)
	}
	if dOps[10] != 0 && len(dOps) < 13+channels {
		return nil, paramsErrorf("dOps without its channel mapping")
	}
	return &Params{
		Codec:      Opus,
		Config:     bytes.Clone(dOps),
		MIME:       "opus",
		Words:      "Opus " + channelWords(channels),
		SampleRate: opusClock,
		Channels:   channels,
	}, nil
}

// OpusDuration returns the length of a packet in ticks of 1/48000 s (RFC 6716 section 3.1), 0 when it is broken.
func OpusDuration(packet []byte) Ticks {
	if len(packet) == 0 {
		return 0
	}
	frames := Ticks(1)
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = Ticks(packet[1] & 63)
	}
	config := packet[0] >> 3
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return frames * []Ticks{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return frames * []Ticks{480, 960}[config&1]
	}
	return frames * []Ticks{120, 240, 480, 960}[config&3] // CELT: 2.5, 5, 10, 20 ms
}
