package web

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/media"
	"chalkcast/templates"
)

// problem is the body of an error for programs (RFC 9457).
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// awayTime is when to try again what is away. Pages add chance of their own.
const awayTime = 5 * time.Second

// fail is the one place where an error becomes an answer.
func (s *Server) fail(c *gin.Context, err error) {
	if c.Writer.Written() {
		s.cfg.Log.ErrorContext(c.Request.Context(), "answer broke off", facts(c, err)...)
		panic(http.ErrAbortHandler)
	}
	if c.Request.Context().Err() != nil && errors.Is(err, context.Canceled) {
		c.AbortWithStatus(499) // nobody listens any more; the number is for the metrics
		return
	}
	f, ok := fault.Of(err)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		f, ok = fault.TooLarge(""), true
	}
	if !ok && s.cfg.Away != nil && s.cfg.Away(err) {
		f, ok = fault.Busy("", awayTime).Because(err), true
	}
	reference := ""
	if !ok {
		f = &fault.Fault{}
		reference = media.NewID().String()
		s.cfg.Log.ErrorContext(c.Request.Context(), "request failed", append(facts(c, err), "reference", reference)...)
	} else if f.Kind == fault.KindBusy {
		s.cfg.Log.ErrorContext(c.Request.Context(), "request refused: busy", facts(c, err)...)
	}
	s.answer(c, f, reference)
}

// facts are what the log says of a request: its route, never its path.
func facts(c *gin.Context, err error) []any {
	return []any{"method", c.Request.Method, "route", c.FullPath(), "err", err}
}

func (s *Server) answer(c *gin.Context, f *fault.Fault, reference string) {
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	if f.After > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.After.Seconds()))))
	}
	if f.Kind == fault.KindTooLarge {
		h.Set("Connection", "close") // rather than reading the rest
	}
	if !wantsPage(c.Request) {
		s.answerJSON(c, f, reference)
		return
	}
	if f.Kind == fault.KindUnauthorized && f.Key == "" {
		_ = Redirect(c, "/sign-in?next="+url.QueryEscape(comeBack(c.Request)))
		return
	}
	if err := s.answerPage(c, f, reference); err != nil {
		// The error page itself does not work: the plainest answer there is.
		s.cfg.Log.ErrorContext(c.Request.Context(), "error page failed", append(facts(c, err), "reference", reference)...)
		if !c.Writer.Written() {
			http.Error(c.Writer, http.StatusText(f.Kind.Status()), f.Kind.Status())
		}
	}
}

// comeBack is where a reader goes on after signing in. A form that was posted is lost; its page is not.
func comeBack(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return Next(r.URL.RequestURI())
	}
	return "/"
}

func (s *Server) answerPage(c *gin.Context, f *fault.Fault, reference string) error {
	page, err := NewPage(c, "")
	if err != nil { // the menu is not worth a second failure
		page = templates.Page{School: s.school().Name, Now: s.now()}
	}
	return Render(c, f.Kind.Status(), templates.ErrorPage{
		Page: page, Status: f.Kind.Status(), Key: f.Key, Data: f.Data, Reference: reference,
	})
}

func (s *Server) answerJSON(c *gin.Context, f *fault.Fault, reference string) {
	st := of(c)
	status := f.Kind.Status()
	p := problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Kind.String(), Field: f.Field, Reference: reference}
	if f.Key != "" && s.cfg.Pages.Has(f.Key) {
		p.Type, p.Code = "tag:chalkcast,2026:"+f.Key, f.Key
		p.Title = s.cfg.Pages.T(st.lang, f.Key, f.Data)
	}
	b, err := json.Marshal(p)
	if err == nil {
		err = send(c, status, "application/problem+json", append(b, '\n'))
	}
	if err != nil {
		s.cfg.Log.ErrorContext(c.Request.Context(), "problem not sent", append(facts(c, err), "reference", reference)...)
	}
}

// wantsPage reports whether the one who asks is a person in front of a browser, as opposed to a script or program.
func wantsPage(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "text/html") || !strings.Contains(accept, "json")
}
