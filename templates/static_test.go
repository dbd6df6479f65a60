package templates_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"chalkcast/templates"
)

func fetch(method, url string, header ...string) *http.Response {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	templates.Static().ServeHTTP(w, r)
	return w.Result()
}

func TestStatic(t *testing.T) {
	url := templates.StaticURL("js/class.mjs")
	want, err := os.ReadFile("static/js/class.mjs")
	if err != nil {
		t.Fatal(err)
	}

	plain := fetch("GET", url)
	body, _ := io.ReadAll(plain.Body)
	if plain.StatusCode != 200 || !bytes.Equal(body, want) {
		t.Errorf("GET %s: status %d, %d bytes, want 200 and %d", url, plain.StatusCode, len(body), len(want))
	}
	for name, want := range map[string]string{
		"Content-Type":           "text/javascript; charset=utf-8",
		"Cache-Control":          "public, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff",
		"Vary":                   "Accept-Encoding",
		"Content-Encoding":       "",
	} {
		if got := plain.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	packed := fetch("GET", url, "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatalf("the compressed answer: %v", err)
	}
	if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, want) {
		t.Errorf("unpacked: %d bytes, %v; want %d", len(body), err, len(want))
	}
	if head := fetch("HEAD", url); head.StatusCode != 200 || head.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: status %d, length %q", head.StatusCode, head.Header.Get("Content-Length"))
	}
}

func TestStaticRefusals(t *testing.T) {
	hash := strings.Split(templates.StaticURL("css/base.css"), "/")[2]
	for _, c := range []struct {
		method, url string
		status      int
		cache       string
	}{
		{"GET", "/static/000000000000/css/base.css", 200, "no-cache"},
		{"GET", "/static/" + hash + "/css/nothing.css", 404, "no-store"},
		{"GET", "/static/" + hash + "/../static.go", 404, "no-store"},
		{"GET", "/static/" + hash + "/js/", 404, "no-store"},
		{"GET", "/static/", 404, "no-store"},
		{"POST", "/static/" + hash + "/css/base.css", 405, ""},
	} {
		r := fetch(c.method, c.url)
		if r.StatusCode != c.status || r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s %s: status %d, cache %q; want %d, %q", c.method, c.url, r.StatusCode, r.Header.Get("Cache-Control"), c.status, c.cache)
		}
	}
	// What others wrote is large, and some browsers take it smaller.
	hls := templates.StaticURL("vendor/hls.js/hls.min.mjs")
	for accept, want := range map[string]string{"gzip, deflate, br, zstd": "br", "gzip, br;q=0": "gzip", "identity": ""} {
		if r := fetch("GET", hls, "Accept-Encoding", accept); r.Header.Get("Content-Encoding") != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, r.Header.Get("Content-Encoding"), want)
		}
	}
	if r := fetch("GET", hls+".br"); r.StatusCode != 404 {
		t.Errorf("GET %s.br: status %d, want 404: it has one name", hls, r.StatusCode)
	}
	for _, refuse := range []string{"gzip;q=0", "gzip; q=0.0", "br", "identity"} {
		if r := fetch("GET", templates.StaticURL("css/base.css"), "Accept-Encoding", refuse); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q got a compressed answer", refuse)
		}
	}
}

var (
	imported   = regexp.MustCompile(`(?m)^(?:import '|import .* from '|export .* from ')([^']+)'`)
	cssOutside = regexp.MustCompile(`url\(|@import`)
)

// TestModulesResolve follows every import of our scripts, and holds the style sheets to one file each.
func TestModulesResolve(t *testing.T) {
	files := os.DirFS("static")
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "vendor/") {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		for _, m := range imported.FindAllStringSubmatch(string(b), -1) {
			if path.Ext(name) != ".mjs" {
				continue
			}
			if _, err := fs.Stat(files, path.Join(path.Dir(name), m[1])); err != nil || !strings.HasPrefix(m[1], "./") {
				t.Errorf("%s imports %q: %v", name, m[1], err)
			}
		}
		if path.Ext(name) == ".css" && cssOutside.Match(b) {
			t.Errorf("%s loads something else", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestVendored keeps foreign code with its license, untouched.
func TestVendored(t *testing.T) {
	notice, err := os.ReadFile("static/vendor/NOTICE.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hls.js/hls.min.mjs", "hls.js/hls.min.mjs.br", "hls.js/LICENSE.txt"} {
		b, err := os.ReadFile("static/vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha(b); !strings.Contains(string(notice), sum) {
			t.Errorf("%s has SHA-256 %s, which the notice does not name", name, sum)
		}
	}
}

var (
	assetLink    = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"|&#34;(/static/[^&]+)&#34;`)
	moduleImport = regexp.MustCompile(`(?m)^import .*?'\./([^']+)';$`)
)

// TestClassPageWeight adds up what a first visit of a live class loads, as it is sent: below 250 kB with the player. The
// page names all of its modules, so that none is found only by reading another.
func TestClassPageWeight(t *testing.T) {
	page := render(t, newSet(t), "ja", class(templates.Live))
	total := len(gzipped(t, []byte(page)))
	seen := map[string]bool{}
	named := map[string]bool{}
	for _, m := range assetLink.FindAllStringSubmatch(page, -1) {
		named[m[1]+m[2]] = true
	}
	var add func(url string)
	add = func(url string) {
		if seen[url] {
			return
		}
		seen[url] = true
		if !named[url] {
			t.Errorf("%s is loaded, and the page does not say so beforehand", url)
		}
		sent, plain := fetch("GET", url, "Accept-Encoding", "gzip"), fetch("GET", url)
		n, err := io.Copy(io.Discard, sent.Body)
		if err != nil || sent.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", url, sent.StatusCode, err)
		}
		total += int(n)
		text, err := io.ReadAll(plain.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range moduleImport.FindAllStringSubmatch(string(text), -1) {
			add(path.Dir(url) + "/" + m[1])
		}
	}
	for url := range named {
		add(url)
	}
	if !seen[templates.StaticURL("vendor/hls.js/hls.min.mjs")] || !seen[templates.StaticURL("js/beat.mjs")] || len(seen) < 15 {
		t.Errorf("found only %d files: %v", len(seen), seen)
	}
	const most = 250_000
	t.Logf("%d bytes in %d files and the page", total, len(seen))
	if total > most {
		t.Errorf("a class loads %d bytes, want %d at most", total, most)
	}
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
