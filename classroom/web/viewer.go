package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/media"
	"chalkcast/templates"
)

// Viewer is who reads: a signed-in person in one browser. It is shared between requests; do not change it.
type Viewer struct {
	ID      media.ID
	Name    string
	Admin   bool
	Lang    string // their own choice, empty to follow the browser
	Session uint64 // names this sign-in without giving it away; playback tickets carry it
	Since   time.Time
	// ReadOnly is a program whose token may look and not touch.
	ReadOnly bool
	// SecondFactor says that they sign in with a code as well.
	SecondFactor bool
}

// state is what one request knows. It belongs to the request's goroutine.
type state struct {
	server *Server
	viewer *Viewer
	token  string // of the session, as the browser sent it
	lang   string
}

const stateKey = "chalkcast/web"

func begin(c *gin.Context, s *Server) *state {
	st := &state{server: s}
	c.Set(stateKey, st)
	return st
}

func of(c *gin.Context) *state {
	st, _ := c.MustGet(stateKey).(*state)
	return st
}

func (s *Server) identify(c *gin.Context, st *state) error {
	who := s.cfg.Identify
	st.token = s.sessionToken(c.Request)
	token := st.token
	if bearer, ok := bearerToken(c.Request); ok && s.cfg.IdentifyToken != nil {
		who, token, st.token = s.cfg.IdentifyToken, bearer, ""
	}
	if token != "" {
		v, err := who(c.Request.Context(), token)
		if err != nil {
			return fault.Busy("", 5*time.Second).Because(err)
		}
		st.viewer = v
	}
	st.lang = s.chooseLang(c.Request, st.viewer)
	return nil
}

// bearerToken returns the token by which a program signs in. Pages are for people, who have a cookie.
func bearerToken(r *http.Request) (string, bool) {
	kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(kind, "Bearer") || !strings.HasPrefix(r.URL.Path, "/api/") {
		return "", false
	}
	return token, true
}

// CurrentViewer returns who is signed in, nil for nobody.
func CurrentViewer(c *gin.Context) *Viewer { return of(c).viewer }

// MustViewer returns who is signed in. It panics on a route that needs nobody: a bug of ours.
func MustViewer(c *gin.Context) *Viewer {
	v := of(c).viewer
	if v == nil {
		panic("a handler asks for its viewer on a route that lets anyone in")
	}
	return v
}

// SessionToken returns the session's token as the browser sent it, for signing out. It is secret.
func SessionToken(c *gin.Context) string { return of(c).token }

// Lang returns the language of the answer, one that has a catalogue.
func Lang(c *gin.Context) string { return of(c).lang }

// T returns a sentence of the catalogues in the reader's language.
func T(c *gin.Context, key string, data map[string]any) string {
	st := of(c)
	return st.server.cfg.Pages.T(st.lang, key, data)
}

// Now returns the server's clock in the school's zone.
func Now(c *gin.Context) time.Time { return of(c).server.now() }

func (s *Server) school() School {
	school := s.cfg.School()
	if school.Zone == nil {
		school.Zone = time.UTC
	}
	return school
}

func (s *Server) now() time.Time { return s.cfg.Now().In(s.school().Zone) }

// NewPage returns what every page has. here is the entry of the menu, empty for none. It takes the flashes that
// an earlier answer left, so call it once, for a page that will be sent.
func NewPage(c *gin.Context, here string) (templates.Page, error) {
	st := of(c)
	s := st.server
	p := templates.Page{
		School: s.school().Name,
		Here:   here,
		Path:   Next(c.Request.URL.RequestURI()),
		Flash:  s.takeFlash(c),
		Now:    s.now(),
	}
	if st.viewer == nil {
		return p, nil
	}
	p.Viewer = &templates.Viewer{ID: st.viewer.ID.String(), Name: st.viewer.Name, Admin: st.viewer.Admin}
	if s.cfg.Involved != nil {
		var err error
		p.Viewer.Teaches, p.Viewer.Studies, err = s.cfg.Involved(c.Request.Context(), st.viewer)
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
