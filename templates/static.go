package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var staticFiles embed.FS

// asset is one file as it is sent.
type asset struct {
	kind    string // Content-Type
	plain   []byte
	gzipped []byte // nil when that is not smaller
	brotli  []byte // of a large file of others: a fifth smaller than gzip, but slow to make, so it lies beside the file as name.br
}

// tree is all static files and one name for their content. One name for the whole tree, not one a file, lets
// modules import each other by relative paths without an import map, which the content security policy would
// have to allow inline.
type tree struct {
	hash   string
	assets map[string]asset
}

var staticTree = sync.OnceValue(func() tree {
	t := tree{assets: map[string]asset{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "static/")
		if of, ok := strings.CutSuffix(name, ".br"); ok { // comes right after what it is of
			a := t.assets[of]
			a.brotli = b
			t.assets[of] = a
			return nil
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
		t.assets[name] = asset{kind: contentType(name), plain: b, gzipped: compress(b)}
		return nil
	})
	if err != nil {
		panic(err) // the files are inside the program
	}
	t.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return t
})

// The types are ours, because the machine's own table may be missing or wrong.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".mjs", ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	}
	return "text/plain; charset=utf-8"
}

func compress(b []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	_, _ = w.Write(b) // a bytes.Buffer does not fail
	_ = w.Close()
	if buf.Len() >= len(b) {
		return nil
	}
	return buf.Bytes()
}

// StaticURL returns the path under which the file name, like "js/class.mjs", can be kept for ever. It panics
// for a file that is not there: pages name their files literally.
func StaticURL(name string) string {
	t := staticTree()
	if _, ok := t.assets[name]; !ok {
		panic("no static file " + name)
	}
	return "/static/" + t.hash + "/" + name
}

// Static serves what StaticURL names; mount it at /static/. Under the name of another version, as a page that
// was loaded before an upgrade asks, it serves today's file without letting anybody keep it.
func Static() http.Handler {
	t := staticTree()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
		a, ok := t.assets[name]
		if !ok {
			w.Header().Set("Cache-Control", "no-store")
			http.NotFound(w, r)
			return
		}
		t.send(w, r, a, hash)
	})
}

func (t tree) send(w http.ResponseWriter, r *http.Request, a asset, hash string) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if hash == t.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, accepted := a.plain, r.Header.Get("Accept-Encoding")
	switch {
	case a.brotli != nil && accepts(accepted, "br"):
		h.Set("Content-Encoding", "br")
		body = a.brotli
	case a.gzipped != nil && accepts(accepted, "gzip"):
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// accepts reads an Accept-Encoding header.
func accepts(header, wanted string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if c := strings.TrimSpace(coding); c != wanted && c != "*" {
			continue
		}
		if q := strings.ReplaceAll(params, " ", ""); q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000" {
			return true
		}
	}
	return false
}
