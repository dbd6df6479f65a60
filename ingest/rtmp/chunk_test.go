package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// wire writes chunks as an encoder would, right or wrong.
type wire struct{ bytes.Buffer }

func (w *wire) basic(form byte, id int) {
	switch {
	case id < 64:
		w.WriteByte(form<<6 | byte(id))
	case id < 320:
		w.Write([]byte{form << 6, byte(id - 64)})
	default:
		w.Write([]byte{form<<6 | 1, byte(id - 64), byte((id - 64) >> 8)})
	}
}

func (w *wire) time(t uint32) (long bool) {
	if t >= extended {
		w.Write([]byte{0xff, 0xff, 0xff})
		return true
	}
	w.Write([]byte{byte(t >> 16), byte(t >> 8), byte(t)})
	return false
}

// head writes the header of a chunk. Forms leave out what they must.
func (w *wire) head(form byte, id int, time uint32, length int, typ byte, stream uint32) *wire {
	w.basic(form, id)
	long := form < 3 && w.time(time)
	if form < 2 {
		w.Write([]byte{byte(length >> 16), byte(length >> 8), byte(length), typ})
	}
	if form == 0 {
		w.Write(binary.LittleEndian.AppendUint32(nil, stream))
	}
	if long {
		w.Write(binary.BigEndian.AppendUint32(nil, time))
	}
	return w
}

func (w *wire) body(s string) *wire {
	w.WriteString(s)
	return w
}

func (w *wire) u32(v uint32) *wire {
	w.Write(binary.BigEndian.AppendUint32(nil, v))
	return w
}

func (w *wire) chunkSize(n uint32) *wire {
	return w.head(0, 2, 0, 4, typeSetChunkSize, 0).u32(n)
}

var long = strings.Repeat("0123456789abcdef", 20) // 320 bytes: three chunks of 128

func TestChunks(t *testing.T) {
	type got struct {
		typ  byte
		time uint32
		body string
	}
	for _, tc := range []struct {
		name string
		wire *wire
		want []got
	}{
		{"one", new(wire).head(0, 3, 7, 5, 20, 0).body("hello"), []got{{20, 7, "hello"}}},
		{"empty", new(wire).head(0, 3, 7, 0, 20, 0), []got{{20, 7, ""}}},
		{
			"forms", new(wire).head(0, 4, 1000, 1, 8, 1).body("a").head(1, 4, 20, 1, 9, 1).body("b").
				head(2, 4, 30, 0, 0, 0).body("c").head(3, 4, 0, 0, 0, 0).body("d"),
			[]got{{8, 1000, "a"}, {9, 1020, "b"}, {9, 1050, "c"}, {9, 1080, "d"}},
		},
		{
			"form 3 after form 0 repeats its time as a difference", new(wire).head(0, 4, 40, 1, 8, 1).body("a").head(3, 4, 0, 0, 0, 0).body("b"),
			[]got{{8, 40, "a"}, {8, 80, "b"}},
		},
		{
			"stream ids of one, two and three bytes", new(wire).head(0, 63, 1, 1, 8, 1).body("a").head(0, 64, 2, 1, 8, 1).body("b").
				head(0, 319, 3, 1, 8, 1).body("c").head(0, 320, 4, 1, 8, 1).body("d").head(0, 65599, 5, 1, 8, 1).body("e").
				head(3, 65599, 0, 0, 0, 0).body("f"),
			[]got{{8, 1, "a"}, {8, 2, "b"}, {8, 3, "c"}, {8, 4, "d"}, {8, 5, "e"}, {8, 10, "f"}},
		},
		{
			"in pieces", new(wire).head(0, 4, 9, 320, 9, 1).body(long[:128]).head(3, 4, 0, 0, 0, 0).body(long[128:256]).
				head(3, 4, 0, 0, 0, 0).body(long[256:]),
			[]got{{9, 9, long}},
		},
		{
			"two messages interleaved", new(wire).head(0, 4, 9, 320, 9, 1).body(long[:128]).head(0, 5, 8, 3, 8, 1).body("abc").
				head(3, 4, 0, 0, 0, 0).body(long[128:256]).head(3, 4, 0, 0, 0, 0).body(long[256:]),
			[]got{{8, 8, "abc"}, {9, 9, long}},
		},
		{
			"chunk size", new(wire).chunkSize(4096).head(0, 4, 9, 320, 9, 1).body(long),
			[]got{{9, 9, long}},
		},
		{
			"extended time repeated", new(wire).head(0, 4, 0x1000000, 320, 9, 1).body(long[:128]).head(3, 4, 0, 0, 0, 0).u32(0x1000000).body(long[128:256]).
				head(3, 4, 0, 0, 0, 0).u32(0x1000000).body(long[256:]),
			[]got{{9, 0x1000000, long}},
		},
		{
			"extended time left out", new(wire).head(0, 4, 0x1000000, 320, 9, 1).body(long[:128]).head(3, 4, 0, 0, 0, 0).body(long[128:256]).
				head(3, 4, 0, 0, 0, 0).body(long[256:]),
			[]got{{9, 0x1000000, long}},
		},
		{
			"exactly 24 bits need the extension", new(wire).head(0, 4, 0xffffff, 1, 9, 1).body("a").head(0, 4, 0xfffffe, 1, 9, 1).body("b"),
			[]got{{9, 0xffffff, "a"}, {9, 0xfffffe, "b"}},
		},
		{
			"extended difference, then a short one", new(wire).head(0, 4, 5, 1, 9, 1).body("a").head(1, 4, 0x2000000, 1, 9, 1).body("b").
				head(2, 4, 10, 0, 0, 0).body("c").head(3, 4, 0, 0, 0, 0).body("d"),
			[]got{{9, 5, "a"}, {9, 0x2000005, "b"}, {9, 0x200000f, "c"}, {9, 0x2000019, "d"}},
		},
		{
			"time wraps", new(wire).head(0, 4, 0xfffffff0, 1, 9, 1).body("a").head(1, 4, 0x20, 1, 9, 1).body("b"),
			[]got{{9, 0xfffffff0, "a"}, {9, 0x10, "b"}},
		},
		{
			"abort", new(wire).head(0, 4, 9, 320, 9, 1).body(long[:128]).head(0, 2, 0, 4, typeAbort, 0).u32(4).
				head(0, 4, 10, 1, 9, 1).body("b"),
			[]got{{9, 10, "b"}},
		},
		{
			"abort of nothing", new(wire).head(0, 2, 0, 4, typeAbort, 0).u32(4).head(0, 4, 10, 1, 9, 1).body("b"),
			[]got{{9, 10, "b"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newChunkReader(&tc.wire.Buffer, limitGuest)
			for i, want := range tc.want {
				m, err := c.next()
				if err != nil {
					t.Fatalf("message %d: %v", i, err)
				}
				if g := (got{m.typ, m.time, string(m.body)}); g != want {
					t.Errorf("message %d: got %+v, want %+v", i, g, want)
				}
			}
			if _, err := c.next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last message: got %v, want EOF", err)
			}
		})
	}
}

// SEC-12
func TestChunksThatAreRefused(t *testing.T) {
	pieces := func(n, size int) *wire {
		w := new(wire)
		for i := range n {
			w.head(0, 3+i, 0, size, 9, 1).body(long[:128])
		}
		return w
	}
	streams := func(n int) *wire {
		w := new(wire)
		for i := range n {
			w.head(0, 3+i, 0, 0, 9, 1)
		}
		return w
	}
	for _, tc := range []struct {
		name    string
		wire    *wire
		refused bool
	}{
		{"chunk size 0", new(wire).chunkSize(0), true},
		{"chunk size 1", new(wire).chunkSize(1), true},
		{"chunk size 127", new(wire).chunkSize(127), true},
		{"chunk size 128", new(wire).chunkSize(128), false},
		{"chunk size 1 MiB", new(wire).chunkSize(1 << 20), false},
		{"chunk size 1 MiB + 1", new(wire).chunkSize(1<<20 + 1), true},
		{"chunk size 16 MiB", new(wire).chunkSize(16 << 20), true},
		{"chunk size 2^31", new(wire).chunkSize(1 << 31), true},
		{"chunk size 2^32 − 1", new(wire).chunkSize(1<<32 - 1), true},
		{"chunk size cut", new(wire).head(0, 2, 0, 3, typeSetChunkSize, 0).body("abc"), true},
		{"abort cut", new(wire).head(0, 2, 0, 3, typeAbort, 0).body("abc"), true},
		{"form 3 first", new(wire).head(3, 9, 0, 0, 0, 0), true},
		{"header inside a message", new(wire).head(0, 4, 9, 320, 9, 1).body(long[:128]).head(0, 4, 9, 320, 9, 1), true},
		{"8 unfinished messages", pieces(8, 320), false},
		{"9 unfinished messages", pieces(9, 320), true},
		{"32 chunk streams", streams(32), false},
		{"33 chunk streams", streams(33), true},
		{"audio at its limit", new(wire).head(0, 4, 0, maxAudioBytes, 8, 1), false},
		{"audio above its limit", new(wire).head(0, 4, 0, maxAudioBytes+1, 8, 1), true},
		{"video at its limit", new(wire).head(0, 4, 0, maxVideoBytes, 9, 1), false},
		{"video above its limit", new(wire).head(0, 4, 0, maxVideoBytes+1, 9, 1), true},
		{"command above its limit", new(wire).head(0, 4, 0, maxCommandBytes+1, 20, 1), true},
		{"data at its limit", new(wire).head(0, 4, 0, maxDataBytes, 18, 1), false},
		{"data above its limit", new(wire).head(0, 4, 0, maxDataBytes+1, 18, 1), true},
		{"unknown type above its limit", new(wire).head(0, 4, 0, maxDataBytes+1, 99, 1), true},
		{"control above its limit", new(wire).head(0, 4, 0, maxControlBytes+1, typeAck, 1), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newChunkReader(&tc.wire.Buffer, limitGuest)
			var err error
			for err == nil {
				_, err = c.next()
			}
			if got := errors.Is(err, ErrProtocol); got != tc.refused {
				t.Errorf("got %v, want refused %v", err, tc.refused)
			}
		})
	}
}

func TestStrangersSendNoMedia(t *testing.T) {
	for typ, want := range map[byte]int{typeAudio: 0, typeVideo: 0, typeCommandAMF0: maxCommandBytes, typeDataAMF0: maxCommandBytes, typeAck: maxControlBytes} {
		if got := limitStranger(typ); got != want {
			t.Errorf("type %d: a stranger may send %d bytes, want %d", typ, got, want)
		}
	}
}

// Unfinished bytes are bounded however many messages announce however much.
func TestChunksUnfinishedBytes(t *testing.T) {
	w := new(wire).chunkSize(maxChunkSize)
	for i := range 8 {
		w.head(0, 3+i, 0, maxVideoBytes, 9, 1).Write(make([]byte, maxChunkSize))
	}
	for range 3 {
		for i := range 8 {
			w.head(3, 3+i, 0, 0, 0, 0).Write(make([]byte, maxChunkSize))
		}
	}
	c := newChunkReader(&w.Buffer, limitGuest)
	if _, err := c.next(); !errors.Is(err, ErrProtocol) || c.unfinishedBytes > maxUnfinishedBytes+maxChunkSize {
		t.Errorf("got %v with %d unfinished bytes, want refusal at %d", err, c.unfinishedBytes, maxUnfinishedBytes)
	}
}

// held is how much memory the reader's bodies take.
func (c *chunkReader) held() (n int) {
	for _, s := range c.streams {
		n += cap(s.body)
	}
	return n
}

// SEC-12: whatever a stranger announces, memory grows with what arrives.
func TestMemoryFollowsTheBytes(t *testing.T) {
	w := new(wire)
	w.chunkSize(maxChunkSize).head(0, 4, 0, maxVideoBytes, 9, 1).body("ten bytes!")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := newChunkReader(&w.Buffer, limitGuest)
	if _, err := c.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 || c.held() > firstBody+64 {
		t.Errorf("ten bytes of an announced 8 MiB took %d bytes, %d are held", grown, c.held())
	}
}

func FuzzChunks(f *testing.F) {
	f.Add(new(wire).chunkSize(4096).head(0, 4, 9, 320, 9, 1).body(long).Bytes())
	f.Add(new(wire).head(0, 4, 0x1000000, 320, 9, 1).body(long[:128]).head(3, 4, 0, 0, 0, 0).u32(0x1000000).body(long[128:]).Bytes())
	f.Add(new(wire).head(0, 65599, 5, 1, 8, 1).body("e").head(3, 65599, 0, 0, 0, 0).body("f").Bytes())
	f.Add(new(wire).head(0, 4, 0, maxVideoBytes, 9, 1).body("x").Bytes())
	f.Add(new(wire).head(0, 4, 9, 320, 9, 1).body(long[:128]).head(0, 2, 0, 4, typeAbort, 0).u32(4).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newChunkReader(bytes.NewReader(b), limitGuest)
		for {
			m, err := c.next()
			if held := c.held(); held > maxChunkStreams*firstBody+2*len(b) {
				t.Fatalf("%d bytes of input hold %d bytes", len(b), held)
			}
			if err != nil {
				return
			}
			if len(m.body) > limitGuest(m.typ) {
				t.Fatalf("message of type %d with %d bytes", m.typ, len(m.body))
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	frame := new(wire)
	frame.chunkSize(4096)
	start := frame.Len()
	frame.head(0, 4, 40, 20005, 9, 1)
	body := append([]byte{0x27, 1, 0, 0, 0}, 0, 0, 0x4e, 0x1c, 0x41)
	body = append(body, make([]byte, 20005-len(body))...)
	for i := 0; i < len(body); i += 4096 {
		if i > 0 {
			frame.head(3, 4, 0, 0, 0, 0)
		}
		frame.Write(body[i:min(i+4096, len(body))])
	}
	loop := &repeat{first: frame.Bytes(), again: start}
	c := newChunkReader(loop, limitGuest)
	tr := benchTrack()
	var tags []tag
	b.ReportAllocs()
	b.SetBytes(20000)
	for b.Loop() {
		m, err := c.next()
		if err != nil {
			b.Fatal(err)
		}
		if tags, err = parseVideo(tags[:0], m.body); err != nil {
			b.Fatal(err)
		}
		if f, _, err := tr.read(tags[0], int64(m.time)); err != nil || f == nil {
			b.Fatal(fmt.Sprint("no frame: ", err))
		}
	}
}

// repeat reads first, then first[again:] for ever.
type repeat struct {
	first []byte
	again int
	at    int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.at == len(r.first) {
		r.at = r.again
	}
	n := copy(p, r.first[r.at:])
	r.at += n
	return n, nil
}
