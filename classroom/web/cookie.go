package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/templates"
)

// cookieName adds the prefix by which a browser promises that no other host and no plain connection set the
// cookie. Plain http, on the machine where the school is tried out, cannot have it.
func (s *Server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(c *gin.Context, name, value string, life time.Duration) {
	seconds := int(life / time.Second)
	if life <= 0 {
		seconds = -1
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) cookie(r *http.Request, name string) string {
	k, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return k.Value
}

const (
	sessionCookie = "cc"
	langCookie    = "cc_lang"
	flashCookie   = "cc_flash"
)

func (s *Server) sessionToken(r *http.Request) string {
	token := s.cookie(r, sessionCookie)
	if len(token) > 128 {
		return ""
	}
	return token
}

// SetSession gives the browser the token of a fresh session for at most life.
func SetSession(c *gin.Context, token string, life time.Duration) {
	of(c).server.setCookie(c, sessionCookie, token, life)
}

// ClearSession makes the browser forget its session.
func ClearSession(c *gin.Context) { of(c).server.setCookie(c, sessionCookie, "", 0) }

// SetLang remembers a language for somebody who is not signed in.
func SetLang(c *gin.Context, lang string) {
	st := of(c)
	st.server.setCookie(c, langCookie, st.server.cfg.Pages.Match(lang), 365*24*time.Hour)
}

func (s *Server) chooseLang(r *http.Request, v *Viewer) string {
	want := s.cookie(r, langCookie)
	if v != nil && v.Lang != "" {
		want = v.Lang
	}
	if want == "" {
		want = r.Header.Get("Accept-Language")
	}
	if want == "" || len(want) > 200 { // nobody reads that many languages
		want = s.school().Lang
	}
	return s.cfg.Pages.Match(want)
}

// Flash leaves a sentence for the next page that this browser loads. kind is good, info or bad.
func Flash(c *gin.Context, kind, key string, data map[string]any) {
	b, err := json.Marshal(templates.Flash{Kind: kind, Key: key, Data: data})
	if err != nil {
		panic(err) // data is plain values
	}
	of(c).server.setCookie(c, flashCookie, base64.RawURLEncoding.EncodeToString(b), time.Minute)
}

// takeFlash reads the sentence and makes the browser forget it. A cookie that we did not write is not shown:
// the key has to be one of the catalogues, and a page escapes the rest.
func (s *Server) takeFlash(c *gin.Context) []templates.Flash {
	value := s.cookie(c.Request, flashCookie)
	if value == "" {
		return nil
	}
	s.setCookie(c, flashCookie, "", 0)
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(b) > 2048 {
		return nil
	}
	var f templates.Flash
	if json.Unmarshal(b, &f) != nil || !s.cfg.Pages.Has(f.Key) {
		return nil
	}
	for name, v := range f.Data {
		if n, ok := v.(float64); ok { // numbers choose plural forms, and JSON knows one kind of them
			f.Data[name] = int(n)
		}
	}
	return []templates.Flash{f}
}
