package rtmp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/message"

	"chalkcast/media"
)

// encoder speaks RTMP byte by byte, well or badly.
type encoder struct {
	t         testing.TB
	nc        net.Conn
	in        *message.ReadWriter
	chunkSize int
	times     map[byte]uint32 // of the last message on a chunk stream
}

// dial connects and shakes hands.
func dial(t testing.TB, addr string) *encoder {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return shake(t, nc)
}

func shake(t testing.TB, nc net.Conn) *encoder {
	t.Helper()
	nc.SetDeadline(time.Now().Add(time.Minute))
	c1 := bytes.Repeat([]byte{0x5c}, 1536)
	answer := make([]byte, 1+2*1536)
	if _, err := nc.Write(append([]byte{3}, c1...)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, answer); err != nil {
		t.Fatalf("read S0, S1, S2: %v", err)
	}
	if answer[0] != 3 || !bytes.Equal(answer[5:9], make([]byte, 4)) || !bytes.Equal(answer[1537:], c1) {
		t.Fatal("S0 is not 3, S1 names a version, or S2 is not C1")
	}
	if _, err := nc.Write(answer[1:1537]); err != nil {
		t.Fatal(err)
	}
	bc := bytecounter.NewReadWriter(nc)
	return &encoder{t: t, nc: nc, in: message.NewReadWriter(bc, bc, true), chunkSize: 128, times: map[byte]uint32{}}
}

// write sends bytes as they are. An error is the server's right; what it thinks is read afterwards.
func (e *encoder) write(b []byte) { e.nc.Write(b) }

// message sends a message with a full header, or as OBS does with differences of time after the first.
func (e *encoder) message(chunkStream, typ byte, stream, time uint32, body []byte) {
	last, again := e.times[chunkStream]
	e.times[chunkStream] = time
	form, field := byte(0), time
	if again && typ != 18 && chunkStream == 4 {
		form, field = 1, time-last
	}
	b := []byte{form<<6 | chunkStream}
	b = append(b, byte(min(field, 0xffffff)>>16), byte(min(field, 0xffffff)>>8), byte(min(field, 0xffffff)))
	b = append(b, byte(len(body)>>16), byte(len(body)>>8), byte(len(body)), typ)
	if form == 0 {
		b = binary.LittleEndian.AppendUint32(b, stream)
	}
	var long []byte
	if field >= 0xffffff {
		long = binary.BigEndian.AppendUint32(nil, field)
	}
	b = append(b, long...)
	for i := 0; i < len(body); i += e.chunkSize {
		if i > 0 {
			b = append(append(b, 3<<6|chunkStream), long...)
		}
		b = append(b, body[i:min(i+e.chunkSize, len(body))]...)
	}
	e.write(b)
}

func amf(t testing.TB, values ...any) []byte {
	t.Helper()
	b, err := amf0.Data(values).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (e *encoder) command(stream uint32, values ...any) {
	e.t.Helper()
	e.message(3, 20, stream, 0, amf(e.t, values...))
}

func (e *encoder) setChunkSize(n int) {
	e.message(2, 1, 0, 0, binary.BigEndian.AppendUint32(nil, uint32(n)))
	e.chunkSize = n
}

// hear waits for a command of the server, nil when the connection ends before.
func (e *encoder) hear(name string) *message.CommandAMF0 {
	e.t.Helper()
	for {
		m, err := e.in.Read()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				e.t.Fatalf("waited in vain for %s", name)
			}
			return nil
		}
		if c, ok := m.(*message.CommandAMF0); ok && c.Name == name {
			return c
		}
	}
}

// status waits for onStatus and returns its code and description, empty when the connection ends before.
func (e *encoder) status() (code, description string) {
	e.t.Helper()
	c := e.hear("onStatus")
	if c == nil {
		return "", ""
	}
	o, ok := c.Arguments[1].(amf0.Object)
	if !ok {
		e.t.Fatalf("onStatus with %T", c.Arguments[1])
	}
	code, _ = o.GetString("code")
	description, _ = o.GetString("description")
	return code, description
}

// closed waits until the server closes the connection.
func (e *encoder) closed() {
	e.t.Helper()
	if _, err := io.Copy(io.Discard, e.nc); err != nil {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			e.t.Fatal("the server does not close the connection")
		}
	}
}

// connect says what OBS says first.
func (e *encoder) connect(app string) {
	e.t.Helper()
	e.command(0, "connect", float64(1), amf0.Object{
		{Key: "app", Value: app},
		{Key: "type", Value: "nonprivate"},
		{Key: "flashVer", Value: "FMLE/3.0 (compatible; FMSc/1.0)"},
		{Key: "swfUrl", Value: "rtmp://school/" + app},
		{Key: "tcUrl", Value: "rtmp://school/" + app},
	})
	if e.hear("_result") == nil {
		e.t.Fatal("connect has no result")
	}
}

// ask goes up to publish, as OBS does, and returns what the server says.
func (e *encoder) ask(app, key string) (code, description string) {
	e.t.Helper()
	e.connect(app)
	e.setChunkSize(4096)
	e.command(0, "releaseStream", float64(2), nil, key)
	e.command(0, "FCPublish", float64(3), nil, key)
	e.command(0, "createStream", float64(4), nil)
	for {
		c := e.hear("_result")
		if c == nil {
			e.t.Fatal("createStream has no result")
		}
		if c.CommandID == 4 {
			break
		}
	}
	e.command(1, "publish", float64(5), nil, key, "live")
	return e.status()
}

// publish begins a broadcast.
func (e *encoder) publish(key media.Key) *encoder {
	e.t.Helper()
	if code, words := e.ask("live", key.Text()); code != "NetStream.Publish.Start" {
		e.t.Fatalf("publish: %s %s", code, words)
	}
	return e
}

func (e *encoder) metadata(name string) {
	e.t.Helper()
	e.message(4, 18, 1, 0, amf(e.t, "@setDataFrame", "onMetaData", amf0.ECMAArray{
		{Key: "duration", Value: float64(0)}, {Key: "width", Value: float64(320)}, {Key: "encoder", Value: name},
	}))
}

func (e *encoder) video(ms uint32, key bool, packet byte, cto int, data []byte) {
	first := byte(0x27)
	if key {
		first = 0x17
	}
	e.message(4, 9, 1, ms, append([]byte{first, packet, byte(cto >> 16), byte(cto >> 8), byte(cto)}, data...))
}

func (e *encoder) audio(ms uint32, packet byte, data []byte) {
	e.message(4, 8, 1, ms, append([]byte{0xaf, packet}, data...))
}

// headers sends the sequence headers of tracks.
func (e *encoder) headers(tracks []media.Track) {
	for _, track := range tracks {
		if track.Kind == media.Video {
			e.video(0, true, 0, 0, track.Params.Config)
		} else {
			e.audio(0, 0, track.Params.Config)
		}
	}
}

// send sends a frame with its time rounded to 1 ms, and offset later.
func (e *encoder) send(tracks []media.Track, f *media.Frame, offset uint32) {
	clock := media.Ticks(tracks[f.Track].Clock)
	ms := uint32((f.DTS*1000+clock/2)/clock) + offset
	if tracks[f.Track].Kind == media.Video {
		e.video(ms, f.Sync, 1, int(f.CTO)/90, f.Data)
	} else {
		e.audio(ms, 1, f.Data)
	}
}

// quality sends a header or a picture of a further quality, as Enhanced RTMP's multitrack with one track.
func (e *encoder) quality(number byte, ms uint32, packet byte, data []byte) {
	b := append([]byte{0x80 | 1<<4 | 6, packet}, "avc1"...)
	b = append(b, number)
	if packet == 1 {
		b = append(b, 0, 0, 0)
	}
	e.message(4, 9, 1, ms, append(b, data...))
}

// stop presses Stop, as OBS does.
func (e *encoder) stop(key media.Key) {
	e.t.Helper()
	e.command(0, "FCUnpublish", float64(6), nil, key.Text())
	e.command(0, "deleteStream", float64(7), nil, float64(1))
}
