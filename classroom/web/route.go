package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
)

// Handler answers a request or says why not. After the first byte of an answer an error aborts the connection.
type Handler func(c *gin.Context) error

// Need is what a reader must be for a route. This package enforces the first three; the others are enforced by
// the handler beside the data, and imply SignedIn.
type Need string

const (
	Anyone   Need = "anyone"    // also somebody who is not signed in
	SignedIn Need = "signed in" // what is shown or done is the reader's own
	Admin    Need = "admin"     // 404 for others who are signed in

	CourseMember  Need = "course member"  // any running enrollment, or an admin
	CourseStaff   Need = "course staff"   // teacher or assistant, or an admin where the rule says so
	CourseTeacher Need = "course teacher" // teacher, or an admin
)

// Route is one line of the list that the permissions test walks.
type Route struct {
	Method  string
	Pattern string // gin's: /courses/:id
	Need    Need
	MaxBody int64 // bytes
	Upload  bool  // takes a file, and longer for it
	Strong  bool  // what cannot be taken back: admins may need a second factor
	Stream  bool  // server-sent events or a download without end: no deadline for the whole
}

// Option changes a route.
type Option func(*Route)

// Body sets the limit of the request's body in bytes.
func Body(n int64) Option { return func(r *Route) { r.MaxBody = n } }

// Strong marks a route that does what cannot be taken back, or gives away what cannot be got back: an admin without a
// second factor is told how to get one, where the school wants that (SEC-36).
func Strong() Option { return func(r *Route) { r.Strong = true } }

// Stream marks a route whose answer takes as long as it takes; each write has its own deadline.
func Stream() Option { return func(r *Route) { r.Stream = true } }

// usualBody is plenty for a form.
const usualBody = 64 << 10

// Handle adds a route. A GET answers HEAD as well. It panics for a pattern that is there already.
func (s *Server) Handle(method, pattern string, need Need, h Handler, options ...Option) {
	r := Route{Method: method, Pattern: pattern, Need: need, MaxBody: usualBody}
	for _, o := range options {
		o(&r)
	}
	s.routes = append(s.routes, r)
	s.engine.Handle(method, pattern, s.run(&r, h))
	if method == http.MethodGet && !r.Stream {
		s.engine.HEAD(pattern, s.run(&r, h))
	}
}

// Routes returns every route in the order of registration.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

// run is what happens between gin and a handler. route is nil for paths that are not there.
func (s *Server) run(route *Route, h Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		st := begin(c, s)
		if err := s.admit(c, st, route); err != nil {
			s.fail(c, err)
			return
		}
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

func (s *Server) admit(c *gin.Context, st *state, route *Route) error {
	if err := s.csrf.Check(c.Request); err != nil {
		return fault.Forbidden("").Because(err)
	}
	if route == nil {
		return s.identify(c, st)
	}
	if err := s.bound(c, route); err != nil {
		return err
	}
	if err := s.identify(c, st); err != nil {
		return err
	}
	switch {
	case st.viewer != nil && st.viewer.ReadOnly && c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead:
		return fault.Forbidden("token.read_only")
	case route.Need == Anyone:
		return nil
	case st.viewer == nil:
		return fault.Unauthorized("")
	case route.Need == Admin && !st.viewer.Admin:
		if s.cfg.Denied != nil {
			s.cfg.Denied(c.Request.Context(), st.viewer, route.Pattern)
		}
		return fault.NotFound("")
	case route.Strong && st.viewer.Admin && !st.viewer.SecondFactor && s.school().SecondFactor:
		return fault.Forbidden("factor.needed")
	}
	return nil
}

// bound limits what is read from and written to a slow or hostile browser.
func (s *Server) bound(c *gin.Context, route *Route) error {
	if c.Request.ContentLength > route.MaxBody {
		return fault.TooLarge("")
	}
	if c.Request.Body != nil {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, route.MaxBody)
	}
	if route.Upload {
		giveTime(c.Writer)
	} else if !route.Stream {
		// The socket has its own clock. Recorders in tests know no deadlines; every real connection does.
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(answerTime))
	}
	return nil
}

func notFound(*gin.Context) error { return fault.NotFound("") }

func methodNotAllowed(*gin.Context) error { return fault.Method("") }
