package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	answerTime  = 30 * time.Second // for a whole answer to a slow browser
	slowRequest = 2 * time.Second  // worth a line in the log
)

func (s *Server) openMetrics() error {
	s.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "chalkcast_http_request_seconds",
		Help:    "Time to answer, by route pattern and status.",
		Buckets: []float64{.002, .01, .05, .1, .5, 1, 5, 10},
	}, []string{"method", "route", "status"})
	if s.cfg.Metrics == nil {
		return nil
	}
	return s.cfg.Metrics.Register(s.took)
}

// measure counts every request by its pattern; the path itself may hold what is nobody's business.
func (s *Server) measure(c *gin.Context) {
	begun := s.cfg.Now()
	defer func() {
		route, method := c.FullPath(), c.Request.Method
		if route == "" {
			route, method = "none", "any" // both are the client's own words here
		}
		took := s.cfg.Now().Sub(begun)
		s.took.WithLabelValues(method, route, strconv.Itoa(c.Writer.Status())).Observe(took.Seconds())
		if took > slowRequest && !strings.HasPrefix(c.Writer.Header().Get("Content-Type"), eventStream) {
			s.cfg.Log.WarnContext(c.Request.Context(), "slow request", "method", method, "route", route,
				"status", c.Writer.Status(), "took", took.Round(time.Millisecond), "net", network(ClientAddr(c)))
		}
	}()
	c.Next()
}

// recover turns a panic into a 500. An aborted answer stays aborted: gin's own recovery would swallow
// ErrAbortHandler, and a client or cache would take the half that was sent for the whole.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		s.cfg.Log.ErrorContext(c.Request.Context(), "bug: a handler panicked", "route", c.FullPath(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if _, ok := c.Get(stateKey); !ok {
			begin(c, s)
		}
		s.fail(c, fmt.Errorf("panic: %v", p)) // aborts when something was sent
	}()
	c.Next()
}

// protect sets the headers that every answer carries.
func (s *Server) protect(c *gin.Context) {
	maps.Copy(c.Writer.Header(), s.headers)
	c.Next()
}

func securityHeaders(cfg Config, secure bool) http.Header {
	media := strings.Join(append([]string{"'self'"}, cfg.MediaOrigins...), " ")
	frames := "'none'"
	if len(cfg.FrameAncestors) > 0 {
		frames = strings.Join(cfg.FrameAncestors, " ")
	}
	h := http.Header{}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"media-src "+media+" blob: data:; connect-src "+media+"; worker-src 'self' blob:; manifest-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors "+frames)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	// Not no-referrer: with that a browser sends "Origin: null" with our own forms, and over plain http, where
	// there is no Sec-Fetch-Site, they would be refused as another site's.
	h.Set("Referrer-Policy", "same-origin")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return h
}

// ClientAddr returns the address a request came from: of the connection, or what a trusted proxy says. It is
// the zero Addr when there is none, as on a Unix socket.
func ClientAddr(c *gin.Context) netip.Addr {
	a, _ := netip.ParseAddr(c.ClientIP())
	return a.Unmap()
}

// network returns as much of an address as a log may keep.
func network(a netip.Addr) string {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
