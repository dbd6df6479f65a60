package rtmp

import (
	"encoding/binary"
	"math"
)

// Message types (RTMP sections 5.4 and 7.1).
const (
	typeSetChunkSize  = 1
	typeAbort         = 2
	typeAck           = 3
	typeUserControl   = 4
	typeWindowAckSize = 5
	typePeerBandwidth = 6
	typeAudio         = 8
	typeVideo         = 9
	typeDataAMF3      = 15
	typeCommandAMF3   = 17
	typeDataAMF0      = 18
	typeCommandAMF0   = 20
)

// Limits of one message (SEC-11, SEC-12).
const (
	maxControlBytes = 1 << 10
	maxCommandBytes = 16 << 10
	maxDataBytes    = 64 << 10
	maxAudioBytes   = 256 << 10
	maxVideoBytes   = 8 << 20
)

// limitStranger is what a connection may send that has not shown a good key; limitGuest what it may send after.
func limitStranger(typ byte) int {
	if typ == typeAudio || typ == typeVideo {
		return 0
	}
	return min(limitGuest(typ), maxCommandBytes)
}

func limitGuest(typ byte) int {
	switch typ {
	case typeSetChunkSize, typeAbort, typeAck, typeUserControl, typeWindowAckSize, typePeerBandwidth:
		return maxControlBytes
	case typeCommandAMF0, typeCommandAMF3:
		return maxCommandBytes
	case typeAudio:
		return maxAudioBytes
	case typeVideo:
		return maxVideoBytes
	}
	return maxDataBytes
}

// What we announce. Our answers are short: one chunk each, once the encoder knows the chunk size.
const (
	ourChunkSize = 4096
	ourWindow    = 2_500_000
)

// Chunk streams that we answer on.
const (
	controlStream = 2
	commandStream = 3
)

// appendMessage writes a message as one chunk of form 0. A body longer than our chunk size is a bug and panics.
func appendMessage(b []byte, chunkStream byte, typ byte, stream uint32, body []byte) []byte {
	if len(body) > ourChunkSize {
		panic("rtmp: answer longer than a chunk")
	}
	b = append(b, chunkStream, 0, 0, 0, 0, byte(len(body)>>8), byte(len(body)), typ)
	b = binary.LittleEndian.AppendUint32(b, stream)
	return append(b, body...)
}

func appendControl(b []byte, typ byte, value uint32, more ...byte) []byte {
	return appendMessage(b, controlStream, typ, 0, append(binary.BigEndian.AppendUint32(nil, value), more...))
}

// appendStreamBegin tells the encoder that a message stream is ready (RTMP section 7.1.7).
func appendStreamBegin(b []byte, stream uint32) []byte {
	return appendMessage(b, controlStream, typeUserControl, 0, binary.BigEndian.AppendUint32([]byte{0, 0}, stream))
}

func appendCommand(b []byte, stream uint32, values ...any) []byte {
	return appendMessage(b, commandStream, typeCommandAMF0, stream, encodeAMF(values...))
}

// command is what an encoder asks for.
type command struct {
	name        string
	transaction float64
	stream      uint32
	args        []any // after the transaction
}

func parseCommand(m message) (command, error) {
	values, err := decodeAMF(m.body)
	if err != nil {
		return command{}, err
	}
	c := command{stream: m.stream}
	var ok bool
	if len(values) > 0 {
		c.name, ok = values[0].(string)
	}
	if !ok {
		return command{}, protocolErrorf("command without a name")
	}
	if len(values) > 1 {
		c.transaction, _ = values[1].(float64)
		c.args = values[2:]
	}
	if math.IsNaN(c.transaction) || math.IsInf(c.transaction, 0) {
		return command{}, protocolErrorf("command with transaction %v", c.transaction)
	}
	return c, nil
}

// text returns argument i when it is a string.
func (c command) text(i int) string {
	if i >= len(c.args) {
		return ""
	}
	s, _ := c.args[i].(string)
	return s
}
