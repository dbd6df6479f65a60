package rtmp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of the chunk layer (SEC-12). Limits of one message depend on its type, see message.go.
const (
	minChunkSize       = 128
	maxChunkSize       = 1 << 20
	maxChunkStreams    = 32
	maxUnfinished      = 8
	maxUnfinishedBytes = 16 << 20
	firstBody          = 32 << 10  // a message's first piece of memory at most: all of most pictures
	keepBody           = 256 << 10 // larger memory is given back after its message
)

const extended = 0xffffff // a 24-bit time that says: the real one follows in 32 bits

// ErrProtocol is wrapped by every error about bytes that are not RTMP as we accept it.
var ErrProtocol = errors.New("not acceptable RTMP")

func protocolErrorf(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, a...))
}

// message is one RTMP message. The body of a video message is its owner's; any other is valid until the next message
// is read.
type message struct {
	typ    byte
	stream uint32
	time   uint32 // ms, wraps
	body   []byte
}

// chunkReader puts messages together from chunks (RTMP section 5.3).
type chunkReader struct {
	r         *bufio.Reader
	limit     func(typ byte) int // most bytes that a message of a type may have
	chunkSize int
	streams   map[uint32]*chunkStream

	unfinished, unfinishedBytes int
}

// chunkStream is what the header of the next chunk may leave out.
type chunkStream struct {
	header   message // body unused
	delta    uint32  // the time field of the last header: a difference, or after a full header a time
	extended bool    // the last header's time did not fit in 24 bits
	length   int
	open     bool // a message is unfinished
	body     []byte
}

func newChunkReader(r io.Reader, limit func(typ byte) int) *chunkReader {
	return &chunkReader{r: bufio.NewReaderSize(r, 16<<10), limit: limit, chunkSize: 128, streams: map[uint32]*chunkStream{}}
}

// next returns the next message. Messages that only concern this layer are obeyed and not returned.
func (c *chunkReader) next() (message, error) {
	for {
		m, done, err := c.chunk()
		if err != nil {
			return message{}, err
		}
		if !done {
			continue
		}
		switch m.typ {
		case typeSetChunkSize:
			err = c.setChunkSize(m.body)
		case typeAbort:
			err = c.abort(m.body)
		default:
			return m, nil
		}
		if err != nil {
			return message{}, err
		}
	}
}

func (c *chunkReader) setChunkSize(b []byte) error {
	if len(b) < 4 {
		return protocolErrorf("chunk size in %d bytes", len(b))
	}
	n := binary.BigEndian.Uint32(b)
	if n < minChunkSize || n > maxChunkSize {
		return protocolErrorf("chunk size %d", n)
	}
	c.chunkSize = int(n)
	return nil
}

func (c *chunkReader) abort(b []byte) error {
	if len(b) < 4 {
		return protocolErrorf("abort in %d bytes", len(b))
	}
	if s := c.streams[binary.BigEndian.Uint32(b)]; s != nil && s.open {
		c.unfinished--
		c.unfinishedBytes -= len(s.body)
		s.open = false
	}
	return nil
}

// chunk reads one chunk, which may finish a message.
func (c *chunkReader) chunk() (m message, done bool, err error) {
	form, id, err := c.basicHeader()
	if err != nil {
		return message{}, false, err
	}
	s := c.streams[id]
	if s == nil {
		if form == 3 || len(c.streams) >= maxChunkStreams {
			return message{}, false, protocolErrorf("chunk of form %d on stream %d, %d are open", form, id, len(c.streams))
		}
		s = &chunkStream{}
		c.streams[id] = s
	}
	if err := c.messageHeader(s, form); err != nil {
		return message{}, false, err
	}
	if err := c.payload(s); err != nil {
		return message{}, false, err
	}
	if len(s.body) < s.length {
		return message{}, false, nil
	}
	c.unfinished--
	c.unfinishedBytes -= len(s.body)
	s.open = false
	m = s.header
	m.body = s.body
	if m.typ == typeVideo || cap(s.body) > keepBody {
		s.body = nil
	}
	return m, true, nil
}

func (c *chunkReader) basicHeader() (form byte, id uint32, err error) {
	b, err := c.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	form, id = b>>6, uint32(b&0x3f)
	if id > 1 {
		return form, id, nil
	}
	more, err := c.r.Peek(int(id) + 1)
	if err != nil {
		return 0, 0, unexpected(err)
	}
	last := id
	id = 64 + uint32(more[0])
	if last == 1 {
		id += uint32(more[1]) << 8
	}
	c.r.Discard(int(last) + 1)
	return form, id, nil
}

// messageHeader reads what a chunk of this form carries of it, and begins a message when none is open.
func (c *chunkReader) messageHeader(s *chunkStream, form byte) error {
	if s.open && form != 3 {
		return protocolErrorf("chunk of form %d inside a message", form)
	}
	if form < 3 {
		if err := c.fields(s, form); err != nil {
			return err
		}
	}
	if s.extended {
		if err := c.extendedTime(s, form); err != nil {
			return err
		}
	}
	if s.open {
		return nil
	}
	if form == 0 {
		s.header.time = s.delta
	} else {
		s.header.time += s.delta
	}
	return c.begin(s)
}

func (c *chunkReader) fields(s *chunkStream, form byte) error {
	size := [3]int{11, 7, 3}[form]
	b, err := c.r.Peek(size)
	if err != nil {
		return unexpected(err)
	}
	s.delta = uint24(b)
	s.extended = s.delta == extended
	if form < 2 {
		s.length, s.header.typ = int(uint24(b[3:])), b[6]
	}
	if form == 0 {
		s.header.stream = binary.LittleEndian.Uint32(b[7:])
	}
	c.r.Discard(size)
	return nil
}

// extendedTime reads the 32-bit time. Chunks of form 3 should repeat it; old encoders leave it out, and then what
// stands there is already the payload.
func (c *chunkReader) extendedTime(s *chunkStream, form byte) error {
	b, err := c.r.Peek(4)
	if err != nil {
		return unexpected(err)
	}
	t := binary.BigEndian.Uint32(b)
	if form == 3 && t != s.delta {
		return nil
	}
	s.delta = t
	c.r.Discard(4)
	return nil
}

func (c *chunkReader) begin(s *chunkStream) error {
	if most := c.limit(s.header.typ); s.length > most {
		return protocolErrorf("message of type %d with %d bytes, allowed are %d", s.header.typ, s.length, most)
	}
	if c.unfinished++; c.unfinished > maxUnfinished {
		return protocolErrorf("more than %d unfinished messages", maxUnfinished)
	}
	s.open = true
	s.body = s.body[:0]
	return nil
}

// payload appends the chunk's bytes to the body, whose memory grows with what has arrived.
func (c *chunkReader) payload(s *chunkStream) error {
	n := min(c.chunkSize, s.length-len(s.body))
	if c.unfinishedBytes += n; c.unfinishedBytes > maxUnfinishedBytes {
		return protocolErrorf("more than %d unfinished bytes", maxUnfinishedBytes)
	}
	for n > 0 {
		have := len(s.body)
		if have == cap(s.body) {
			larger := make([]byte, have, min(s.length, max(firstBody, 2*have)))
			copy(larger, s.body)
			s.body = larger
		}
		piece := min(n, cap(s.body)-have)
		s.body = s.body[:have+piece]
		if _, err := io.ReadFull(c.r, s.body[have:]); err != nil {
			return unexpected(err)
		}
		n -= piece
	}
	return nil
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// unexpected says that a connection ended inside a chunk.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
