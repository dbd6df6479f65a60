package hls

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"

	"chalkcast/storage"
)

// open returns n bytes of a segment from off on, from wherever they are: memory, spool or store.
func (o *Origin) open(ctx context.Context, c *channel, r *rendition, s *segment, off, n int64) (io.ReadCloser, error) {
	if b := s.body.Load(); b != nil {
		return b.open(ctx, off, n)
	}
	f, err := c.openSpooled(r, s, off, n)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, fs.ErrNotExist) && s.keeping() != stored {
		return nil, err
	}
	if s.keeping() == lost {
		return nil, errUnknown
	}
	obj, err := o.cfg.Store.Get(ctx, segmentKey(c.id, r.name, s), storage.Range{Offset: off, Length: n})
	if err != nil {
		return nil, err
	}
	return obj.Body, nil
}

// openSpooled returns n bytes of a segment's file from off on, fs.ErrNotExist when the spool has none.
func (c *channel) openSpooled(r *rendition, s *segment, off, n int64) (io.ReadCloser, error) {
	if c.spool == nil || c.archived.Load() {
		return nil, fs.ErrNotExist
	}
	f, err := c.spool.open(r, &s.heading)
	if err != nil {
		return nil, err
	}
	if off > 0 {
		if _, err := f.Seek(off, io.SeekStart); err != nil {
			f.Close()
			return nil, err
		}
	}
	return &fileRange{io.LimitReader(f, n), f}, nil
}

type fileRange struct {
	io.Reader
	f *os.File
}

func (r *fileRange) Close() error { return r.f.Close() }

// WriteTo lets the kernel send the file.
func (r *fileRange) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, r.Reader) }

// open returns n bytes from off on, without copying any.
func (b body) open(_ context.Context, off, n int64) (io.ReadCloser, error) {
	var parts bodyReader
	for _, p := range b {
		size := int64(len(p))
		if off >= size {
			off -= size
			continue
		}
		p = p[off:min(size, off+n)]
		off = 0
		if n -= int64(len(p)); len(p) > 0 {
			parts = append(parts, p)
		}
	}
	return &parts, nil
}

// bodyReader reads parts one after the other; io.Copy writes them as they are.
type bodyReader body

func (b *bodyReader) Read(p []byte) (int, error) {
	if len(*b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*b)[0])
	if (*b)[0] = (*b)[0][n:]; len((*b)[0]) == 0 {
		*b = (*b)[1:]
	}
	return n, nil
}

// WriteTo writes everything that is left.
func (b *bodyReader) WriteTo(w io.Writer) (total int64, err error) {
	for _, p := range *b {
		n, err := w.Write(p)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	*b = nil
	return total, nil
}

func (b *bodyReader) Close() error { return nil }

// Header values that are always the same: sending them allocates nothing. They are shared, so nobody changes one.
var (
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	sameSite   = []string{"same-site"}

	typePlaylist = []string{"application/vnd.apple.mpegurl"}
	typeMP4      = []string{"video/mp4"}
	typeText     = []string{"text/plain; charset=utf-8"}

	// Names of media are never used twice.
	cacheMedia    = []string{"public, max-age=31536000, immutable"}
	cacheAnswered = []string{"public, max-age=2"} // a playlist that was asked for by number
	cacheEdge     = []string{"public, max-age=1, s-maxage=1, stale-while-revalidate=1"}
	cacheReplay   = []string{"public, max-age=60"} // a deleted recording is gone from caches after that
	cacheNever    = []string{"no-store"}

	byEncoding = []string{"Accept-Encoding"}
	zippedText = []string{"gzip"}
	inBytes    = []string{"bytes"}
)

// sendPlaylist sends a rendered playlist, compressed when the viewer takes that.
func sendPlaylist(w http.ResponseWriter, r *http.Request, p *page, cache []string) error {
	h := w.Header()
	b, etag := p.plain, p.etag
	h["Content-Type"] = typePlaylist
	h["Cache-Control"] = cache
	if h["Vary"] == nil {
		h["Vary"] = byEncoding
	} else {
		h.Add("Vary", "Accept-Encoding")
	}
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		b, etag = p.zipped(), p.etagZipped
		h["Content-Encoding"] = zippedText
	}
	h.Set("Etag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		return notModified(w)
	}
	return sendBytes(w, r, b)
}

func sendBytes(w http.ResponseWriter, r *http.Request, b []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	deadline(w, int64(len(b)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(b) // who does not read it is not there any more
	}
	lift(w)
	return nil
}

func notModified(w http.ResponseWriter) error {
	w.Header().Del("Content-Type")
	w.WriteHeader(http.StatusNotModified)
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3) as far as browsers, players and proxies write it.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.ReplaceAll(strings.ToLower(weight), " ", "")
			return q == "" || strings.Trim(strings.TrimPrefix(q, "q="), "0.") != ""
		}
	}
	return false
}

// matches reads If-None-Match (RFC 9110 section 13.1.2).
func matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// opener opens n bytes of something, from off on.
type opener func(ctx context.Context, off, n int64) (io.ReadCloser, error)

// sendMedia sends size bytes that never change under name, or the range of them that was asked for. The
// bytes are opened before the first header goes out, so that trouble is still a 503.
func sendMedia(w http.ResponseWriter, r *http.Request, name string, size int64, cache []string, open opener) error {
	h := w.Header()
	sum := fnv.New64a()
	io.WriteString(sum, name)
	etag := `"` + strconv.FormatUint(sum.Sum64(), 36) + `"`
	h.Set("Etag", etag)
	h["Content-Type"] = typeMP4
	h["Cache-Control"] = cache
	h["Accept-Ranges"] = inBytes
	if matches(r.Header.Get("If-None-Match"), etag) {
		return notModified(w)
	}
	off, n, status := requestedRange(r, etag, size)
	if status == http.StatusRequestedRangeNotSatisfiable {
		h.Set("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
		h["Cache-Control"] = cacheNever
		h.Set("Content-Length", "0")
		w.WriteHeader(status)
		return nil
	}
	if status == http.StatusPartialContent {
		h.Set("Content-Range", "bytes "+strconv.FormatInt(off, 10)+"-"+strconv.FormatInt(off+n-1, 10)+"/"+strconv.FormatInt(size, 10))
	}
	h.Set("Content-Length", strconv.FormatInt(n, 10))
	if r.Method == http.MethodHead {
		w.WriteHeader(status)
		return nil
	}
	src, err := open(r.Context(), off, n)
	if err != nil {
		return err
	}
	defer src.Close()
	deadline(w, n)
	w.WriteHeader(status)
	if sent, _ := io.Copy(w, src); sent != n {
		panic(http.ErrAbortHandler) // the viewer must not take what it has for whole
	}
	lift(w)
	return nil
}

// requestedRange returns what of size bytes a request asks for, and with which status to answer. HEAD has no
// ranges (RFC 9110 section 14.2).
func requestedRange(r *http.Request, etag string, size int64) (off, n int64, status int) {
	text, condition := r.Header.Get("Range"), r.Header.Get("If-Range")
	if text == "" || r.Method == http.MethodHead || condition != "" && condition != etag {
		return 0, size, http.StatusOK
	}
	off, n, known, satisfiable := parseRange(text, size)
	switch {
	case !known:
		return 0, size, http.StatusOK
	case !satisfiable:
		return 0, 0, http.StatusRequestedRangeNotSatisfiable
	}
	return off, n, http.StatusPartialContent
}

// parseRange reads a Range header with one range (RFC 9110 section 14.1.2). known is false for anything else,
// which a server may ignore.
func parseRange(header string, size int64) (off, n int64, known, satisfiable bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, false
	}
	if from == "" {
		last, err := parseOffset(to)
		if err != nil {
			return 0, size, false, false
		}
		last = min(last, size)
		return size - last, last, true, last > 0
	}
	off, err := parseOffset(from)
	if err != nil {
		return 0, size, false, false
	}
	end := size - 1
	if to != "" {
		if end, err = parseOffset(to); err != nil || end < off {
			return 0, size, false, false
		}
	}
	if off >= size {
		return 0, size, true, false
	}
	return off, min(end, size-1) - off + 1, true, true
}

func parseOffset(s string) (int64, error) {
	if len(s) > 15 || s == "" || s[0] == '+' || s[0] == '-' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}
