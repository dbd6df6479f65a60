package rtmp

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"chalkcast/ingest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// openHouse lets everybody in and keeps nothing.
type openHouse struct{ open, ended int }

func (h *openHouse) Admit(context.Context, media.Attempt) (media.Grant, error) {
	h.open++
	return media.Grant{Broadcast: 1, Publisher: 1}, nil
}
func (h *openHouse) Started(media.Grant, []media.Track, string) {}
func (h *openHouse) Health(media.Grant, media.Health)           {}
func (h *openHouse) Ended(media.Grant, media.End)               { h.ended++ }

func (h *openHouse) Open(context.Context, media.Grant, []media.Track) (ingest.Writer, error) {
	return h, nil
}
func (*openHouse) Rest() time.Duration { return 0 }

func (h *openHouse) Write(*media.Frame) error { return nil }
func (h *openHouse) Close(media.End) error    { return nil }

// recorded is a connection on which everything was said before.
type recorded struct {
	bytes.Reader
	answered int
}

func (r *recorded) Write(b []byte) (int, error) {
	r.answered += len(b)
	return len(b), nil
}
func (r *recorded) Close() error                     { return nil }
func (r *recorded) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (r *recorded) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }
func (r *recorded) SetDeadline(time.Time) error      { return nil }
func (r *recorded) SetReadDeadline(time.Time) error  { return nil }
func (r *recorded) SetWriteDeadline(time.Time) error { return nil }

// begin is what an encoder says until it may publish.
func begin() *wire {
	w := new(wire)
	w.chunkSize(4096)
	say := func(stream uint32, values ...any) {
		b := encodeAMF(values...)
		w.head(0, 3, 0, len(b), typeCommandAMF0, stream).Write(b)
	}
	say(0, "connect", 1, object{{"app", "live"}, {"tcUrl", "rtmp://school/live"}, {"fourCcList", []any{"avc1"}}})
	say(0, "createStream", 2, nil)
	say(1, "publish", 3, nil, testKey, "live")
	return w
}

// whole is a short broadcast, in bytes.
func whole() *wire {
	w := begin()
	data := encodeAMF("@setDataFrame", "onMetaData", object{{"encoder", "test"}})
	w.head(0, 4, 0, len(data), typeDataAMF0, 1).Write(data)
	tag := func(typ byte, ms uint32, head string, body []byte) {
		w.head(0, 4, ms, len(head)+len(body), typ, 1).body(head).Write(body)
	}
	s := mediatest.Stream{Duration: 60 * time.Millisecond}
	tag(typeVideo, 0, "\x17\x00\x00\x00\x00", s.Tracks()[0].Params.Config)
	tag(typeAudio, 0, "\xaf\x00", s.Tracks()[1].Params.Config)
	for _, f := range s.Frames() {
		if f.Track == 0 {
			tag(typeVideo, uint32(f.DTS/90), "\x17\x01\x00\x00\x00", f.Data)
		} else {
			tag(typeAudio, uint32(f.DTS/48), "\xaf\x01", f.Data)
		}
	}
	stop := encodeAMF("FCUnpublish", 6, nil, "x")
	w.head(0, 3, 0, len(stop), typeCommandAMF0, 0).Write(stop)
	return w
}

// FuzzConnection feeds whole connections, behind the handshake: nothing panics, every grant is returned, and the
// answers stay in proportion to what was asked.
func FuzzConnection(f *testing.F) {
	f.Add(whole().Bytes())
	f.Add(begin().Bytes())
	f.Add(begin().head(0, 4, 0, 9, typeVideo, 1).body("\x96\x13avc1\x00\x00\x00").Bytes())
	f.Add(new(wire).head(0, 3, 0, 5, typeCommandAMF0, 0).body("\x0a\xff\xff\xff\xff").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		house := &openHouse{}
		s := New(Config{Desk: ingest.NewDesk(ingest.Config{Gate: house, Sink: house})})
		nc := &recorded{}
		nc.Reset(append(append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...), b...))
		s.serveConn(t.Context(), nc)
		if n := s.Stats().Panics; n != 0 {
			t.Fatal("panicked")
		}
		if house.open != house.ended {
			t.Fatalf("%d let in, %d ended", house.open, house.ended)
		}
		if most := 1 + 2*handshakeSize + 1024 + 40*len(b); nc.answered > most {
			t.Fatalf("%d bytes answered to %d", nc.answered, len(b))
		}
	})
}

func TestPing(t *testing.T) {
	w := new(wire)
	w.head(0, 2, 0, 6, typeUserControl, 0).body("\x00\x06abcd").head(0, 2, 0, 3, typeUserControl, 0).body("\x00\x06a")
	c, nc := talk(t, w)
	if err := c.run(t.Context()); err == nil {
		t.Error("no error at the end of the connection")
	}
	if want := 1 + 2*handshakeSize + 12 + 6; nc.answered != want {
		t.Errorf("%d bytes answered, want %d", nc.answered, want)
	}
}

// Every window of bytes is acknowledged, in the size that the encoder wants but not smaller than 64 KiB.
func TestAcknowledgements(t *testing.T) {
	w := new(wire)
	w.chunkSize(maxChunkSize).head(0, 2, 0, 4, typeWindowAckSize, 0).u32(1)
	for range 40 {
		w.head(0, 3, 0, 10000, 99, 0).Write(make([]byte, 10000))
	}
	c, nc := talk(t, w)
	c.run(t.Context())
	if want := 1 + 2*handshakeSize + 6*(12+4); nc.answered != want {
		t.Errorf("%d bytes answered, want %d: six acknowledgements", nc.answered, want)
	}
}

func talk(t *testing.T, w *wire) (*conn, *recorded) {
	t.Helper()
	house := &openHouse{}
	nc := &recorded{}
	nc.Reset(append(append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...), w.Bytes()...))
	return newConn(New(Config{Desk: ingest.NewDesk(ingest.Config{Gate: house, Sink: house})}), nc), nc
}
