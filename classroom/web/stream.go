package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	eventStream = "text/event-stream"
	streamWrite = 10 * time.Second // a browser that takes longer for one event is gone
)

// Heartbeat is how often a stream without news sends a comment, so that no proxy takes it for dead.
const Heartbeat = 15 * time.Second

// EventStream is a page's open line to the server (server-sent events). It belongs to one goroutine.
type EventStream struct {
	c       *gin.Context
	control *http.ResponseController
	server  *Server
	ctx     context.Context
	cancel  context.CancelFunc
	// LastID is the id of the last event the browser saw before it came back, empty at first.
	LastID string
}

// OpenStream answers with the head of a stream; the caller closes it. The route must be marked Stream. From here
// on the only errors are those of writing, and they mean that the page went away: return nil.
func OpenStream(c *gin.Context) (*EventStream, error) {
	h := c.Writer.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	e := &EventStream{c: c, control: http.NewResponseController(c.Writer), server: of(c).server, LastID: c.GetHeader("Last-Event-ID")}
	if len(e.LastID) > 64 {
		e.LastID = ""
	}
	e.ctx, e.cancel = context.WithCancel(c.Request.Context())
	e.server.addStream(e)
	c.Writer.WriteHeader(http.StatusOK)
	if err := e.write([]byte(": ok\n\n")); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Context ends when the page goes away, the server drains, or Close.
func (e *EventStream) Context() context.Context { return e.ctx }

// Close ends the stream.
func (e *EventStream) Close() {
	e.server.removeStream(e)
	e.cancel()
}

func (s *Server) addStream(e *EventStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[e] = struct{}{}
	if s.draining {
		e.cancel()
	}
}

func (s *Server) removeStream(e *EventStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, e)
}

// Drain ends all streams, also those that come later; the browsers try another node or come back. Shutdown of
// HTTPServer calls it.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for e := range s.streams {
		e.cancel() // only wakes the handler: it waits for no lock
	}
}

// Send writes one event. id may be empty; data is one line, JSON as a rule.
func (e *EventStream) Send(id, event string, data []byte) error {
	return e.write(Event(id, event, data))
}

// SendEvent writes what Event returned, which many streams may share.
func (e *EventStream) SendEvent(event []byte) error { return e.write(event) }

// Event returns an event as it stands in a stream. id may be empty: then a page that comes back names the one before.
func Event(id, event string, data []byte) []byte {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\n", event)
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// Ping writes a comment, which the page does not see.
func (e *EventStream) Ping() error { return e.write([]byte(":\n\n")) }

func (e *EventStream) write(text []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(streamWrite))
	if _, err := e.c.Writer.Write(text); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}
