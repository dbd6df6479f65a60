package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/templates"
)

// Config is what New needs.
type Config struct {
	// Pages renders everything.
	Pages *templates.Set
	// BaseURL is how browsers reach the school: https://school.example. With https, cookies get the __Host-
	// prefix and Secure, and HSTS is sent. Empty means plain http, for trying out.
	BaseURL string
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is believed. None by default.
	TrustedProxies []string
	// MediaOrigins may serve media beside our own host: https://cdn.example.
	MediaOrigins []string
	// FrameAncestors may show our pages in a frame: https://moodle.example. None by default.
	FrameAncestors []string
	// Identify returns who a session token belongs to, nil for a token that is unknown or has expired.
	Identify func(ctx context.Context, token string) (*Viewer, error)
	// IdentifyToken is Identify for the token of a program, from the header "Authorization: Bearer …". It counts on
	// /api/ alone, and before a cookie. Nil: programs have cookies as well.
	IdentifyToken func(ctx context.Context, token string) (*Viewer, error)
	// Denied is told of people who asked for what is the admins'. Nil: nobody is.
	Denied func(ctx context.Context, v *Viewer, pattern string)
	// Away reports whether an error means that something is away which will be back: a 503 that tries again, instead
	// of a 500. Nil means never.
	Away func(err error) bool
	// School returns what pages say about the school. It is called for every page, so it must not wait.
	School func() School
	// Involved returns whether a person teaches and whether they study somewhere, for the menu. Nil means neither.
	Involved func(ctx context.Context, v *Viewer) (teaches, studies bool, err error)
	// Metrics registers the counters; nil means none are kept.
	Metrics prometheus.Registerer
	Log     *slog.Logger     // nil means slog.Default
	Now     func() time.Time // nil means time.Now
}

// School is what every page needs to know about it.
type School struct {
	Name string
	Zone *time.Location // nil means UTC
	Lang string         // for readers who ask for none
	// SecondFactor keeps admins who have no second factor off the routes marked with it.
	SecondFactor bool
}

// Server holds the routes and serves them.
type Server struct {
	cfg     Config
	secure  bool
	engine  *gin.Engine
	routes  []Route
	csrf    *http.CrossOriginProtection
	headers http.Header
	took    *prometheus.HistogramVec

	mu       sync.Mutex // guards what follows
	streams  map[*EventStream]struct{}
	draining bool
}

// New returns a server without routes. Errors are about the configuration.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, csrf: http.NewCrossOriginProtection(), streams: map[*EventStream]struct{}{}}
	if err := s.useBaseURL(); err != nil {
		return nil, err
	}
	s.headers = securityHeaders(cfg, s.secure)
	if err := s.openMetrics(); err != nil {
		return nil, err
	}

	gin.SetMode(gin.ReleaseMode)
	s.engine = gin.New()
	s.engine.RedirectTrailingSlash = false
	s.engine.HandleMethodNotAllowed = true
	s.engine.ForwardedByClientIP = len(cfg.TrustedProxies) > 0
	s.engine.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := s.engine.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	s.engine.Use(s.measure, s.recover, s.protect)
	s.engine.NoRoute(s.run(nil, notFound))
	s.engine.NoMethod(s.run(nil, methodNotAllowed))
	return s, nil
}

func (s *Server) useBaseURL() error {
	if s.cfg.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(s.cfg.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
		return errors.New("base_url: want https://host or http://host:port")
	}
	s.secure = u.Scheme == "https"
	// A proxy in front may change Host; what the browser shows is the base URL.
	return s.csrf.AddTrustedOrigin(u.Scheme + "://" + u.Host)
}

// Handler returns everything behind the door, compressed where the browser can take it.
func (s *Server) Handler() http.Handler {
	gz, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{
		"text/html", "text/csv", "application/json", "application/problem+json",
	}))
	if err != nil {
		panic(err) // the options are constants
	}
	return gz(s.engine)
}

// HTTPServer returns a server with our limits (see the package comment) around h, usually a mux of Handler, the
// static files and the media. config is nil without TLS. Its Shutdown also ends the streams.
func (s *Server) HTTPServer(h http.Handler, config *tls.Config) *http.Server {
	srv := &http.Server{
		Handler:           patient(h),
		TLSConfig:         config,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug), // handshakes and scanners
	}
	srv.RegisterOnShutdown(s.Drain)
	return srv
}

// patient lifts the deadline of reading once a request without a body has been read. net/http keeps watching the
// connection while the handler works, takes the deadline for a lost client and cancels the request: a stream, or
// a segment on a slow line, would end after 30 s.
func patient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // every real connection can
		}
		h.ServeHTTP(w, r)
	})
}
