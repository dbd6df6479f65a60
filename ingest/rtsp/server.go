package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"

	"chalkcast/ingest"
	"chalkcast/ingest/guard"
	"chalkcast/media"
)

// Config of a Server. Desk is required.
type Config struct {
	Desk *ingest.Desk
	Log  *slog.Logger

	// TLS makes it RTSPS.
	TLS *tls.Config
	// UDP is the address for RTP over UDP, such as ":8000": an even port; the next one takes RTCP. Empty: TCP only,
	// which is better for everything but cameras that cannot do it. Sources of UDP packets can be forged.
	UDP string
	// ReadTimeout is how long an accepted encoder may send nothing at all. Default 10 s.
	ReadTimeout time.Duration

	Now func() time.Time // nil: time.Now; deadlines of sockets always follow the real clock
}

// defaultRecordLimit is how long an encoder that was let in may take to start sending: GStreamer needs a second for
// each track.
const defaultRecordLimit = 15 * time.Second

// GuardConfig is how much a stranger may cost here: an ANNOUNCE holds a description of the stream and comes after
// a round of authentication.
func GuardConfig() guard.Config { return guard.Config{Deadline: 10 * time.Second, Bytes: 192 << 10} }

// Stats counts what happened since the start.
type Stats struct {
	Connections uint64 // that began to talk
	Published   uint64 // that were let in
	Refused     uint64 // that were told why not
	Broken      uint64 // packets and requests that are not acceptable
	Lost        uint64 // packets that never came or found the queue full
	Skipped     uint64 // pictures left out until the next keyframe
	Panics      uint64 // each one is a bug
}

type counters struct {
	connections, published, refused, broken, lost, skipped, panics atomic.Uint64
}

// Server takes streams from one listener.
type Server struct {
	cfg         Config
	recordLimit time.Duration
	count       counters
}

// New returns a server.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = 10 * time.Second
	}
	return &Server{cfg: cfg, recordLimit: defaultRecordLimit}
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.count
	return Stats{
		Connections: c.connections.Load(), Published: c.published.Load(), Refused: c.refused.Load(),
		Broken: c.broken.Load(), Lost: c.lost.Load(), Skipped: c.skipped.Load(), Panics: c.panics.Load(),
	}
}

// Serve takes connections until ctx ends or the listener fails. Then it closes l and all its connections, and
// returns when the last broadcast has ended; nil when ctx ended. l should be a guard.Listener (see GuardConfig);
// TLS is added here.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	server := &gortsplib.Server{
		Handler:                  &handler{server: s, ctx: ctx},
		RTSPAddress:              l.Addr().String(),
		Listen:                   func(string, string) (net.Listener, error) { return l, nil },
		ListenPacket:             listenUDP,
		TLSConfig:                s.cfg.TLS,
		AuthMethods:              []auth.VerifyMethod{auth.VerifyMethodBasic}, // keys are stored as hashes: Digest needs the secret
		ReadTimeout:              s.cfg.ReadTimeout,
		DisableRTCPSenderReports: true,
	}
	if s.cfg.UDP != "" {
		var err error
		if server.UDPRTPAddress, server.UDPRTCPAddress, err = udpAddresses(s.cfg.UDP); err != nil {
			return err
		}
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("serve RTSP: %w", err)
	}
	defer context.AfterFunc(ctx, server.Close)()
	err := server.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve RTSP: %w", err)
}

func (s *Server) protocol() media.Protocol {
	if s.cfg.TLS != nil {
		return media.RTSPS
	}
	return media.RTSP
}

// panicked counts and logs what recover returned, if anything.
func (s *Server) panicked(v any) bool {
	if v == nil {
		return false
	}
	s.count.panics.Add(1)
	s.cfg.Log.Error("RTSP connection panicked", "panic", v, "stack", string(debug.Stack()))
	return true
}

func remote(c *gortsplib.ServerConn) netip.AddrPort {
	if tcp, ok := c.NetConn().RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// refusalOf returns what err says to an encoder.
func refusalOf(err error) *media.Refusal {
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		return r
	}
	return &media.Refusal{Code: media.ServerBusy}
}
