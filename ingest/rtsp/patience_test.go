package rtsp

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/media"
)

// An encoder that was let in and never sends keeps its teacher's place for a while only.
func TestRecordMustCome(t *testing.T) {
	s := New(Config{Desk: ingest.NewDesk(ingest.Config{Gate: &school{}, Sink: &school{}})})
	s.recordLimit = 50 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, guard.Listen(l, GuardConfig())) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	sdp := "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
	fmt.Fprintf(c, "ANNOUNCE rtsp://x/live/%s RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		media.NewKey().Text(), len(sdp), sdp)
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "RTSP/1.0 200") {
		t.Errorf("%q, %v; want 200 and then the end", answer, err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
