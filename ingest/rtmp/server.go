package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/media"
)

// Config of a Server. Desk is required.
type Config struct {
	Desk *ingest.Desk
	Log  *slog.Logger

	// VideoTracks is how many pictures of one encoder are taken, the main one included; more are left out.
	// Default 4: several qualities of one picture, so that nobody has to code it again.
	VideoTracks int
	// ReadTimeout is how long an accepted encoder may send nothing at all. Default 30 s.
	ReadTimeout time.Duration

	Now func() time.Time // nil: time.Now; deadlines of sockets always follow the real clock
}

// Stats counts what happened since the start.
type Stats struct {
	Connections uint64 // that began to talk
	Published   uint64 // that were let in
	Refused     uint64 // that were told why not
	Broken      uint64 // that sent what is not acceptable
	Panics      uint64 // each one is a bug of ours
	Skipped     uint64 // frames of tracks that are not taken
}

// Server takes streams from listeners. Safe for concurrent use.
type Server struct {
	cfg   Config
	quiet quiet
	count struct{ connections, published, refused, broken, panics, skipped atomic.Uint64 }
}

// New returns a server.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.VideoTracks == 0 {
		cfg.VideoTracks = 4
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = 30 * time.Second
	}
	return &Server{cfg: cfg}
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.count
	return Stats{c.connections.Load(), c.published.Load(), c.refused.Load(), c.broken.Load(), c.panics.Load(), c.skipped.Load()}
}

// Serve takes connections until ctx ends or the listener fails. Then it closes l and all its connections, and
// returns when the last has ended; nil when ctx ended. l should be a guard.Listener, or a tls.Listener around one
// for RTMPS.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		nc, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept encoders: %w", err)
		}
		conns.Go(func() { s.serveConn(ctx, nc) })
	}
}

func (s *Server) serveConn(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	s.count.connections.Add(1)
	c := newConn(s, nc)
	defer context.AfterFunc(ctx, func() { c.hangUp(nil) })()
	defer func() {
		if v := recover(); v != nil {
			s.count.panics.Add(1)
			s.cfg.Log.Error("connection panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	s.report(c, c.run(ctx))
}

// report logs how a connection ended, one line a minute for each address that misbehaves.
func (s *Server) report(c *conn, err error) {
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		s.count.refused.Add(1)
		if s.quiet.speak(c.remote.Addr(), s.cfg.Now()) {
			s.cfg.Log.Info("encoder turned away", "protocol", c.protocol, "remote", maskAddr(c.remote.Addr()), "code", r.Code, "err", err)
		}
		return
	}
	if errors.Is(err, ErrProtocol) || errors.Is(err, guard.ErrBudget) {
		s.count.broken.Add(1)
		if s.quiet.speak(c.remote.Addr(), s.cfg.Now()) {
			s.cfg.Log.Info("connection closed", "protocol", c.protocol, "remote", maskAddr(c.remote.Addr()), "err", err)
		}
	}
}

func protocolOf(nc net.Conn) media.Protocol {
	if _, ok := nc.(*tls.Conn); ok {
		return media.RTMPS
	}
	return media.RTMP
}
