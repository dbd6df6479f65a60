package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// Render sends one of the page structs of package templates. Nothing is sent when it does not render.
func Render(c *gin.Context, status int, page any) error {
	st := of(c)
	var buf bytes.Buffer
	if err := st.server.cfg.Pages.Render(&buf, st.lang, page); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return send(c, status, "text/html; charset=utf-8", buf.Bytes())
}

// JSON sends v.
func JSON(c *gin.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return send(c, status, "application/json", append(b, '\n'))
}

// send writes a whole answer. Pages are personal, so nobody keeps them.
func send(c *gin.Context, status int, kind string, body []byte) error {
	h := c.Writer.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	c.Writer.WriteHeader(status)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return nil
	}
	_, err := c.Writer.Write(body)
	return err
}

// NoContent answers 204.
func NoContent(c *gin.Context) error {
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Writer.WriteHeader(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// Redirect sends the browser on with a GET, as after a form. to is a path on this host.
func Redirect(c *gin.Context, to string) error {
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Redirect(http.StatusSeeOther, Next(to))
	return nil
}

// Next returns path when it stays on this host, else "/": it begins with one slash, and holds nothing that
// browsers drop or read as a slash.
func Next(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || len(path) > 2048 {
		return "/"
	}
	for i := range len(path) {
		if path[i] <= ' ' || path[i] == '\\' || path[i] == 0x7f {
			return "/"
		}
	}
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return path
}
