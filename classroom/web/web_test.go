package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

var pages = sync.OnceValues(templates.New)

// Tokens of the people in these tests.
var people = map[string]*web.Viewer{
	"ada":  {ID: 1, Name: "Ada", Admin: true},
	"emil": {ID: 2, Name: "Emil", Lang: "ja"},
}

type door struct {
	*web.Server
	log *bytes.Buffer
	url string
}

func open(t *testing.T, change func(*web.Config), routes func(*web.Server)) *door {
	t.Helper()
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	d := &door{log: new(bytes.Buffer)}
	cfg := web.Config{
		Pages:    set,
		School:   func() web.School { return web.School{Name: "Grove School", Lang: "en"} },
		Identify: func(_ context.Context, token string) (*web.Viewer, error) { return people[token], nil },
		Log:      slog.New(slog.NewTextHandler(&lockedWriter{w: d.log}, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	if d.Server, err = web.New(cfg); err != nil {
		t.Fatal(err)
	}
	routes(d.Server)
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = d.HTTPServer(d.Handler(), nil)
	ts.Start()
	t.Cleanup(ts.Close)
	d.url = ts.URL
	return d
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// ask sends one request; pairs are header names and values. It does not follow redirects.
func (d *door) ask(t *testing.T, method, path, body string, pairs ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "Host" {
			r.Host = pairs[i+1]
		}
		r.Header.Add(pairs[i], pairs[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer, string(b)
}

func as(token string) []string { return []string{"Cookie", "cc=" + token} }

func ok(c *gin.Context) error { return web.JSON(c, 200, gin.H{"ok": true}) }

func TestNeeds(t *testing.T) {
	d := open(t, nil, func(s *web.Server) {
		for _, api := range []string{"/api/v1", ""} {
			s.Handle("GET", api+"/anyone", web.Anyone, ok)
			s.Handle("GET", api+"/mine", web.SignedIn, ok)
			s.Handle("GET", api+"/course", web.CourseStaff, ok)
			s.Handle("GET", api+"/admin", web.Admin, ok)
			s.Handle("POST", api+"/mine", web.SignedIn, ok)
		}
	})
	for _, c := range []struct {
		method, path, token string
		status              int
		location            string
	}{
		{"GET", "/api/v1/anyone", "", 200, ""},
		{"GET", "/api/v1/anyone", "stale", 200, ""},
		{"GET", "/api/v1/mine", "", 401, ""},
		{"GET", "/api/v1/mine", "stale", 401, ""},
		{"GET", "/api/v1/mine", "emil", 200, ""},
		{"GET", "/api/v1/course", "", 401, ""},
		{"GET", "/api/v1/course", "emil", 200, ""},
		{"GET", "/api/v1/admin", "", 401, ""},
		{"GET", "/api/v1/admin", "emil", 404, ""},
		{"GET", "/api/v1/admin", "ada", 200, ""},
		{"GET", "/mine", "", 303, "/sign-in?next=%2Fmine"},
		{"HEAD", "/mine", "emil", 200, ""},
		{"GET", "/mine?day=3&x=//evil", "", 303, "/sign-in?next=%2Fmine%3Fday%3D3%26x%3D%2F%2Fevil"},
		{"POST", "/mine", "", 303, "/sign-in?next=%2F"},
		{"GET", "/admin", "emil", 404, ""},
		{"GET", "/nowhere", "", 404, ""},
		{"GET", "/api/v1/nowhere", "", 404, ""},
		{"DELETE", "/mine", "emil", 405, ""},
		{"PATCH", "/api/v1/mine", "emil", 405, ""},
		{"GET", "/mine/", "emil", 404, ""},
		{"GET", "//mine", "emil", 404, ""},
	} {
		answer, body := d.ask(t, c.method, c.path, "", as(c.token)...)
		if answer.StatusCode != c.status || answer.Header.Get("Location") != c.location {
			t.Errorf("%s %s as %q: %d %q, want %d %q", c.method, c.path, c.token, answer.StatusCode, answer.Header.Get("Location"), c.status, c.location)
		}
		kind := answer.Header.Get("Content-Type")
		switch {
		case c.status < 400 || c.method == "HEAD":
		case strings.HasPrefix(c.path, "/api/"):
			var p map[string]any
			if err := json.Unmarshal([]byte(body), &p); err != nil || kind != "application/problem+json" || p["status"] != float64(c.status) || p["title"] == "" || p["code"] == "" {
				t.Errorf("%s %s: not a problem document: %s %s", c.method, c.path, kind, body)
			}
		case kind != "text/html; charset=utf-8" || !strings.Contains(body, "Grove School"):
			t.Errorf("%s %s: not a page: %s %.100s", c.method, c.path, kind, body)
		}
	}
	if got := len(d.Routes()); got != 10 {
		t.Errorf("%d routes listed, want 10", got)
	}
}

func TestFaultsBecomeAnswers(t *testing.T) {
	secret := errors.New("SELECT from secret_table")
	answers := map[string]error{
		"plain":    secret,
		"invalid":  fault.Invalid("field.missing").At("title").Because(secret),
		"busy":     fmt.Errorf("hash: %w", fault.Busy("", 1500*time.Millisecond).Because(secret)),
		"tooMany":  fault.TooMany("sign_in.slow_down", time.Minute),
		"conflict": fault.Conflict(""),
		"toolarge": &http.MaxBytesError{Limit: 5},
		"unknown":  fault.Forbidden("no.such_key"),
	}
	d := open(t, nil, func(s *web.Server) {
		h := func(c *gin.Context) error { return answers[c.Param("which")] }
		s.Handle("GET", "/api/v1/:which", web.Anyone, h)
		s.Handle("GET", "/pages/:which", web.Anyone, h)
	})
	for _, c := range []struct {
		which  string
		status int
		code   string
		field  string
		retry  string
	}{
		{"plain", 500, "internal", "", ""},
		{"invalid", 400, "field.missing", "title", ""},
		{"busy", 503, "busy", "", "2"},
		{"tooMany", 429, "sign_in.slow_down", "", "60"},
		{"conflict", 409, "conflict", "", ""},
		{"toolarge", 413, "too_large", "", ""},
		{"unknown", 403, "forbidden", "", ""},
	} {
		for _, prefix := range []string{"/api/v1/", "/pages/"} {
			answer, body := d.ask(t, "GET", prefix+c.which, "")
			if answer.StatusCode != c.status || answer.Header.Get("Retry-After") != c.retry || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s%s: %d, %v", prefix, c.which, answer.StatusCode, answer.Header)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("%s%s tells its cause: %s", prefix, c.which, body)
			}
			if prefix == "/pages/" {
				continue
			}
			var p struct{ Code, Field, Reference string }
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Code != c.code || p.Field != c.field {
				t.Errorf("%s: %s", c.which, body)
			}
			if c.status == 500 && (p.Reference == "" || !strings.Contains(d.log.String(), p.Reference) || !strings.Contains(d.log.String(), "secret_table")) {
				t.Errorf("the log cannot be found by the reference in %s:\n%s", body, d.log)
			}
		}
	}
}

func TestPanics(t *testing.T) {
	d := open(t, nil, func(s *web.Server) {
		s.Handle("GET", "/api/v1/bug", web.Anyone, func(*gin.Context) error { panic("oh") })
		s.Handle("GET", "/abort", web.Anyone, func(*gin.Context) error { panic(http.ErrAbortHandler) })
		s.Handle("GET", "/half", web.Anyone, func(c *gin.Context) error {
			c.Writer.WriteString("half")
			c.Writer.Flush()
			return errors.New("disk full")
		})
		s.Handle("GET", "/half-bug", web.Anyone, func(c *gin.Context) error {
			c.Writer.WriteString("half")
			c.Writer.Flush()
			panic("oh")
		})
	})
	answer, body := d.ask(t, "GET", "/api/v1/bug", "")
	if answer.StatusCode != 500 || !strings.Contains(body, "reference") || !strings.Contains(d.log.String(), "web_test.go") {
		t.Errorf("panic: %d %s\n%s", answer.StatusCode, body, d.log)
	}
	for _, path := range []string{"/abort", "/half", "/half-bug"} {
		answer, err := http.Get(d.url + path)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if err == nil {
			t.Errorf("GET %s looks complete to the client", path)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	plain := open(t, nil, func(s *web.Server) { s.Handle("GET", "/api/v1/x", web.Anyone, ok) })
	secure := open(t, func(c *web.Config) {
		c.BaseURL = "https://school.example"
		c.MediaOrigins = []string{"https://cdn.example"}
		c.FrameAncestors = []string{"https://moodle.example"}
	}, func(s *web.Server) {
		s.Handle("GET", "/api/v1/x", web.Anyone, func(c *gin.Context) error {
			web.SetSession(c, "token", time.Hour)
			return ok(c)
		})
	})
	for _, path := range []string{"/api/v1/x", "/nowhere"} {
		answer, _ := plain.ask(t, "GET", path, "")
		h := answer.Header
		want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob: data:; connect-src 'self'; " +
			"worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
		if h.Get("Content-Security-Policy") != want || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Permissions-Policy") == "" || h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s over http: %v", path, h)
		}
	}
	answer, _ := secure.ask(t, "GET", "/api/v1/x", "")
	h := answer.Header
	csp := h.Get("Content-Security-Policy")
	if !strings.Contains(csp, "media-src 'self' https://cdn.example blob: data:; connect-src 'self' https://cdn.example;") ||
		!strings.HasSuffix(csp, "frame-ancestors https://moodle.example") || h.Get("Strict-Transport-Security") == "" {
		t.Errorf("over https: %v", h)
	}
	if got := h.Get("Set-Cookie"); got != "__Host-cc=token; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("cookie %q", got)
	}
}

func TestCrossOriginRequestsAreRefused(t *testing.T) {
	routes := func(s *web.Server) {
		s.Handle("POST", "/api/v1/x", web.Anyone, ok)
		s.Handle("GET", "/api/v1/x", web.Anyone, ok)
	}
	d := open(t, func(c *web.Config) { c.BaseURL = "https://school.example" }, routes)
	for _, c := range []struct {
		what   string
		method string
		status int
		header []string
	}{
		{"a program", "POST", 200, nil},
		{"our page", "POST", 200, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://school.example"}},
		{"our page in an old browser, behind a proxy that changes Host", "POST", 200, []string{"Origin", "https://school.example", "Host", "10.0.0.1:8080"}},
		{"typed by hand", "POST", 200, []string{"Sec-Fetch-Site", "none"}},
		{"another site", "POST", 403, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		{"another site in an old browser", "POST", 403, []string{"Origin", "https://evil.example"}},
		{"a sandboxed frame", "POST", 403, []string{"Origin", "null"}},
		{"a sister host", "POST", 403, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://blog.example"}},
		{"a link on another site", "GET", 200, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		if answer, _ := d.ask(t, c.method, "/api/v1/x", "", c.header...); answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.what, answer.StatusCode, c.status)
		}
	}
}

func TestBodies(t *testing.T) {
	reached := 0
	d := open(t, nil, func(s *web.Server) {
		s.Handle("POST", "/api/v1/beat", web.Anyone, func(c *gin.Context) error {
			var in struct {
				N     int
				State string
				Pos   float64
			}
			if err := web.BindJSON(c, &in); err != nil {
				return err
			}
			reached++
			return web.JSON(c, 200, in)
		}, web.Body(1024))
		s.Handle("POST", "/form", web.Anyone, func(c *gin.Context) error {
			if err := web.Form(c); err != nil {
				return err
			}
			return web.JSON(c, 200, web.Field(c, "a"))
		}, web.Body(1024))
	})
	pad := func(n int) string { return `{"n":1` + strings.Repeat(" ", n-7) + `}` }
	for _, c := range []struct {
		what, body string
		status     int
	}{
		{"good", `{"n":7,"state":"playing"}`, 200},
		{"unknown members", `{"n":7,"role":"admin","user_id":3}`, 200},
		{"at the limit", pad(1024), 200},
		{"one byte more", pad(1025), 413},
		{"1 MiB", pad(1 << 20), 413},
		{"empty", ``, 400},
		{"no JSON", `{"n":7`, 400},
		{"two values", `{"n":7}{"n":8}`, 400},
		{"a name twice", `{"n":7,"n":8}`, 400},
		{"a name twice inside", `{"n":7,"x":[{"a":1,"a":2}]}`, 400},
		{"deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), 400},
		{"a number beyond numbers", `{"pos":1e400}`, 400},
		{"a text for a number", `{"n":"7"}`, 400},
		{"a list", `[1,2]`, 400},
		{"not UTF-8", "{\"state\":\"\xff\"}", 400},
		{"NUL", "\x00", 400},
	} {
		before := reached
		answer, body := d.ask(t, "POST", "/api/v1/beat", c.body, "Content-Type", "text/plain")
		if answer.StatusCode != c.status || (c.status != 200) == (reached > before) {
			t.Errorf("%s: %d %s, want %d", c.what, answer.StatusCode, body, c.status)
		}
	}
	if answer, _ := d.ask(t, "POST", "/api/v1/beat", pad(1025), "Transfer-Encoding", "chunked"); answer.StatusCode != 413 {
		t.Errorf("too long without a length: %d, want 413", answer.StatusCode)
	}
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{form, "a=b", 200},
		{form + "; charset=utf-8", "a=b", 200},
		{"text/plain", "a=b", 400},
		{"multipart/form-data; boundary=x", "--x--", 400},
		{"", "a=b", 400},
		{form, "a=%zz", 400},
		{form, "a=" + strings.Repeat("x", 1023), 413},
	} {
		if answer, _ := d.ask(t, "POST", "/form", c.body, "Content-Type", c.kind, "Accept", "application/json"); answer.StatusCode != c.status {
			t.Errorf("form %q %.20q: %d, want %d", c.kind, c.body, answer.StatusCode, c.status)
		}
	}
}

func TestIDs(t *testing.T) {
	id := media.NewID()
	d := open(t, nil, func(s *web.Server) {
		s.Handle("GET", "/api/v1/lessons/:id", web.Anyone, func(c *gin.Context) error {
			got, err := web.ID(c, "id")
			if err != nil {
				return err
			}
			return web.JSON(c, 200, got)
		})
	})
	if answer, body := d.ask(t, "GET", "/api/v1/lessons/"+id.String(), ""); answer.StatusCode != 200 || strings.TrimSpace(body) != `"`+id.String()+`"` {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	for _, bad := range []string{
		"0", "-1", "7", "9223372036854775808", "550e8400-e29b-41d4-a716-446655440000", strings.ToUpper(id.String()), "0000000000000",
		id.String() + "0", "%00", "..%2f..%2fetc", "%2e%2e", strings.Repeat("a", 4000),
	} {
		if answer, _ := d.ask(t, "GET", "/api/v1/lessons/"+bad, ""); answer.StatusCode != 404 {
			t.Errorf("id %.40s: %d, want 404", bad, answer.StatusCode)
		}
	}
}

func TestClientAddress(t *testing.T) {
	routes := func(s *web.Server) {
		s.Handle("GET", "/api/v1/who", web.Anyone, func(c *gin.Context) error { return web.JSON(c, 200, web.ClientAddr(c).String()) })
	}
	spoof := []string{"X-Forwarded-For", "203.0.113.9", "X-Real-IP", "203.0.113.9", "Forwarded", "for=203.0.113.9"}
	for _, c := range []struct {
		trusted []string
		want    string
	}{
		{nil, `"127.0.0.1"`},
		{[]string{"10.0.0.0/8"}, `"127.0.0.1"`},
		{[]string{"127.0.0.1"}, `"203.0.113.9"`},
	} {
		d := open(t, func(cfg *web.Config) { cfg.TrustedProxies = c.trusted }, routes)
		if _, body := d.ask(t, "GET", "/api/v1/who", "", spoof...); strings.TrimSpace(body) != c.want {
			t.Errorf("trusting %v: %s, want %s", c.trusted, body, c.want)
		}
	}
}

func TestLanguageAndFlash(t *testing.T) {
	d := open(t, nil, func(s *web.Server) {
		s.Handle("GET", "/api/v1/lang", web.Anyone, func(c *gin.Context) error { return web.JSON(c, 200, web.Lang(c)) })
		s.Handle("POST", "/save", web.Anyone, func(c *gin.Context) error {
			web.Flash(c, "good", "settings.saved", nil)
			return web.Redirect(c, "/page")
		})
		s.Handle("GET", "/page", web.Anyone, func(c *gin.Context) error {
			p, err := web.NewPage(c, "")
			if err != nil {
				return err
			}
			return web.Render(c, 200, templates.SignIn{Page: p})
		})
	})
	for _, c := range []struct{ cookie, accept, want string }{
		{"", "", "en"},
		{"", "de, ja;q=0.8", "ja"},
		{"", strings.Repeat("ja,", 1000), "en"},
		{"cc_lang=id", "ja", "id"},
		{"cc_lang=xx", "ja", "en"},
		{"cc=emil; cc_lang=id", "ms", "ja"},
		{"cc=ada; cc_lang=id", "ms", "id"},
	} {
		if _, body := d.ask(t, "GET", "/api/v1/lang", "", "Cookie", c.cookie, "Accept-Language", c.accept); strings.TrimSpace(body) != `"`+c.want+`"` {
			t.Errorf("%+v: %s", c, body)
		}
	}

	answer, _ := d.ask(t, "POST", "/save", "")
	cookie := answer.Cookies()[0]
	answer, body := d.ask(t, "GET", "/page", "", "Cookie", cookie.Name+"="+cookie.Value)
	if !strings.Contains(body, "Saved.") || answer.Cookies()[0].MaxAge >= 0 {
		t.Errorf("flash not shown, or kept: %v", answer.Cookies())
	}
	for _, forged := range []string{"xxx", "e30", "eyJLZXkiOiI8c2NyaXB0PiJ9"} {
		if answer, body := d.ask(t, "GET", "/page", "", "Cookie", "cc_flash="+forged); answer.StatusCode != 200 || strings.Contains(body, "<script>") {
			t.Errorf("forged flash %s: %d", forged, answer.StatusCode)
		}
	}
}

func TestNext(t *testing.T) {
	for path, want := range map[string]string{
		"/lessons/1?a=b#c":              "/lessons/1?a=b#c",
		"/":                             "/",
		"":                              "/",
		"lessons":                       "/",
		"//evil.example":                "/",
		"/\\evil.example":               "/",
		"/\t/evil.example":              "/",
		"/\n/evil.example":              "/",
		"\x20//evil.example":            "/",
		"https://evil.example":          "/",
		"javascript:alert(1)":           "/",
		"/x\x00":                        "/",
		"/a\\b":                         "/",
		"/%zz":                          "/",
		"/" + strings.Repeat("a", 3000): "/",
	} {
		if got := web.Next(path); got != want {
			t.Errorf("Next(%.40q) = %q, want %q", path, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("/a/b?c=d")
	f.Add("//evil.example/%2f..")
	f.Fuzz(func(t *testing.T, path string) {
		got := web.Next(path)
		r, err := http.NewRequest("GET", "https://school.example/sign-in", nil)
		if err != nil {
			t.Fatal(err)
		}
		to, err := r.URL.Parse(got)
		if err != nil || to.Host != "school.example" || to.Scheme != "https" || strings.ContainsAny(got, "\\\t\n\r") {
			t.Errorf("Next(%q) = %q leads to %v", path, got, to)
		}
	})
}

func TestLine(t *testing.T) {
	for _, c := range []struct{ text, want, key string }{
		{"  O'Brien ", "O'Brien", ""},
		{"Null", "Null", ""},
		{"李雷", "李雷", ""},
		{"محمد", "محمد", ""},
		{"Zoe\u0308", "Zoë", ""},
		{"👩‍👩‍👧 family", "👩‍👩‍👧 family", ""},
		{"x", "x", ""},
		{"", "", "field.missing"},
		{"\u3000 \u200b\u00a0", "", "field.missing"},
		{"two\nlines", "", "field.bad_text"},
		{"a\x00b", "", "field.bad_text"},
		{"a\u202eb", "", "field.bad_text"},
		{"\xed\xa0\x80", "", "field.bad_text"},
		{"e" + strings.Repeat("\u0301", 500), "", "field.too_long"},
		{"e" + strings.Repeat("\u0301", 12), "", "field.bad_text"},
		{strings.Repeat("é", 40), strings.Repeat("é", 40), ""},
		{strings.Repeat("é", 41), "", "field.too_long"},
		{strings.Repeat("a", 10_000), "", "field.too_long"},
	} {
		got, err := web.Line("title", c.text, 40)
		f, _ := fault.Of(err)
		if c.key == "" && (err != nil || got != c.want) || c.key != "" && (f == nil || f.Key != c.key || f.Field != "title") {
			t.Errorf("Line(%.30q) = %q, %v; want %q %s", c.text, got, err, c.want, c.key)
		}
	}
	if got, err := web.OptionalLine("term", " ", 40); got != "" || err != nil {
		t.Errorf("empty optional line: %q, %v", got, err)
	}
}

func TestStream(t *testing.T) {
	news := make(chan string)
	ended := make(chan struct{}, 2)
	d := open(t, nil, func(s *web.Server) {
		s.Handle("GET", "/api/v1/events", web.Anyone, func(c *gin.Context) error {
			e, err := web.OpenStream(c)
			if err != nil {
				return nil
			}
			defer func() { e.Close(); ended <- struct{}{} }()
			for {
				select {
				case text := <-news:
					if e.Send("7", "state", []byte(text)) != nil {
						return nil
					}
				case <-e.Context().Done():
					return nil
				}
			}
		}, web.Stream())
	})
	follow := func() (*http.Response, *bufio.Reader) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", d.url+"/api/v1/events", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer, bufio.NewReader(answer.Body)
	}
	read := func(b *bufio.Reader, want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(b, got); err != nil || string(got) != want {
			t.Fatalf("stream: %q, %v; want %q", got, err, want)
		}
	}
	answer, b := follow()
	h := answer.Header
	if h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store, no-transform" ||
		h.Get("X-Accel-Buffering") != "no" || h.Get("Content-Encoding") != "" {
		t.Errorf("head of the stream: %v", h)
	}
	read(b, ": ok\n\n")
	news <- `{"state":"live"}`
	read(b, "id: 7\nevent: state\ndata: {\"state\":\"live\"}\n\n")
	answer.Body.Close() // the page goes away
	<-ended

	answer, b = follow()
	read(b, ": ok\n\n")
	d.Drain()
	<-ended
	if rest, err := io.ReadAll(b); err != nil || len(rest) > 0 {
		t.Errorf("drained stream ended with %q, %v", rest, err)
	}
	answer.Body.Close()
	answer, b = follow()
	read(b, ": ok\n\n")
	if _, err := io.ReadAll(b); err != nil {
		t.Errorf("a stream opened while draining: %v", err)
	}
	answer.Body.Close()
}

// A quiet stream outlives the deadline of reading its request.
func TestStreamOutlivesReadTimeout(t *testing.T) {
	d := open(t, nil, func(s *web.Server) {
		s.Handle("GET", "/api/v1/events", web.Anyone, func(c *gin.Context) error {
			e, err := web.OpenStream(c)
			if err != nil {
				return nil
			}
			defer e.Close()
			select {
			case <-time.After(150 * time.Millisecond): // the kernel's clock, so not in a bubble
				return e.Send("", "state", []byte("late"))
			case <-e.Context().Done():
				return nil
			}
		}, web.Stream())
	})
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = d.HTTPServer(d.Handler(), nil)
	ts.Config.ReadTimeout = 30 * time.Millisecond
	ts.Start()
	defer ts.Close()
	answer, err := http.Get(ts.URL + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, err := io.ReadAll(answer.Body); err != nil || !strings.HasSuffix(string(b), "data: late\n\n") {
		t.Errorf("stream: %q, %v", b, err)
	}
}

func TestConfig(t *testing.T) {
	set, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []web.Config{
		{BaseURL: "school.example"},
		{BaseURL: "ftp://school.example"},
		{BaseURL: "https://school.example/sub"},
		{TrustedProxies: []string{"not an address"}},
	} {
		cfg.Pages = set
		if _, err := web.New(cfg); err == nil {
			t.Errorf("New accepts %q %q", cfg.BaseURL, cfg.TrustedProxies)
		}
	}
}

func TestServerLimits(t *testing.T) {
	d := open(t, nil, func(s *web.Server) { s.Handle("GET", "/api/v1/x", web.Anyone, ok) })
	if answer, _ := d.ask(t, "GET", "/api/v1/x", "", "X-Flood", strings.Repeat("a", 64<<10)); answer.StatusCode != 431 {
		t.Errorf("64 KiB of headers: %d, want 431", answer.StatusCode)
	}
	srv := d.HTTPServer(http.NotFoundHandler(), nil)
	if srv.ReadHeaderTimeout != 5*time.Second || srv.ReadTimeout != 30*time.Second || srv.IdleTimeout != 75*time.Second || srv.WriteTimeout != 0 {
		t.Errorf("timeouts: %+v", srv)
	}
}
