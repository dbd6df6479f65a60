package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// atOnce is how long an answer may take that has nothing to wait for: far from what a server holds, and enough for a
// busy machine.
const atOnce = 2500 * time.Millisecond

// checkBlocking asks for what is old, for what is whole, for what is far ahead and for nonsense.
func (r *rendition) checkBlocking(ctx context.Context) error {
	for _, ask := range []func(context.Context) error{r.askOld, r.askWhole, r.askPastEnd, r.askBadly} {
		if err := ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *rendition) askOld(ctx context.Context) error {
	for _, query := range []string{fmt.Sprintf("_HLS_msn=%d", r.last.first), fmt.Sprintf("_HLS_msn=%d&_HLS_part=0", r.last.next()-1), "other=1"} {
		a, err := r.ask(ctx, http.MethodGet, withQuery(r.address, query))
		if err != nil {
			return err
		}
		if a.status != http.StatusOK || a.took > atOnce {
			r.wrong(Blocking, "%s for what is there: status %d after %v", query, a.status, a.took)
		}
	}
	return nil
}

// askWhole asks for the segment that is being made without naming a part: the answer must have all of it.
func (r *rendition) askWhole(ctx context.Context) error {
	p, err := r.load(ctx, r.address)
	if err != nil || p.ended {
		return err
	}
	query := fmt.Sprintf("_HLS_msn=%d", p.next())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := r.load(ctx, withQuery(r.address, query))
	if err != nil {
		return err
	}
	if now.next() <= p.next() && !now.ended {
		r.wrong(Blocking, "%s: answered when segment %d was not whole", query, p.next())
	}
	checkReload(p, now, r.wrong)
	r.last = now
	return r.take(ctx, now)
}

// askPastEnd asks for the part after the last of a segment that has ended: that is the first of the next.
func (r *rendition) askPastEnd(ctx context.Context) error {
	if r.last.partTarget == 0 || len(r.last.segments) == 0 {
		return nil
	}
	s := r.last.segments[len(r.last.segments)-1]
	query := fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", s.number, len(s.parts))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := r.load(ctx, withQuery(r.address, query))
	if err != nil {
		return err
	}
	if now.next() == s.number+1 && len(now.open.parts) == 0 && !now.ended {
		r.wrong(Blocking, "%s: answered when segment %d had no part", query, s.number+1)
	}
	checkReload(r.last, now, r.wrong)
	r.last = now
	return r.take(ctx, now)
}

func (r *rendition) askBadly(ctx context.Context) error {
	far := r.last.next() + 20
	for _, query := range []string{fmt.Sprintf("_HLS_msn=%d", far), fmt.Sprintf("_HLS_msn=%d&_HLS_part=0", far), "_HLS_part=1", "_HLS_msn=x"} {
		a, err := r.ask(ctx, http.MethodGet, withQuery(r.address, query))
		if err != nil {
			return err
		}
		if a.status != http.StatusBadRequest || a.took > atOnce {
			r.wrong(Blocking, "%s: status %d after %v, want 400 at once", query, a.status, a.took)
		}
		if a.status >= http.StatusBadRequest {
			checkKept(a, r.about(short(withQuery(r.address, query))))
		}
	}
	return nil
}

// checkKept wants that caches do not keep an error.
func checkKept(a *answer, wrong say) {
	if !strings.Contains(a.head.Get("Cache-Control"), "no-store") {
		wrong(CacheControl, "status %d with Cache-Control %q, want no-store", a.status, a.head.Get("Cache-Control"))
	}
}

// resource is something to ask in all the ways that HTTP has.
type resource struct {
	address  string
	playlist bool
	still    bool // it does not change while we look
}

// probe looks at HTTP: one resource of each kind.
func (c *checker) probe(ctx context.Context, all []*rendition) error {
	main := all[0]
	ended := main.last.ended
	resources := []resource{{c.cfg.URL, true, ended}, {main.address, true, ended}}
	for _, uri := range []string{main.last.open.mapURI, main.segmentURI, main.partURI} {
		if uri == "" {
			continue
		}
		address, err := resolve(main.address, uri)
		if err != nil {
			return err
		}
		resources = append(resources, resource{address, false, true})
	}
	for _, res := range resources {
		if err := c.probeOne(ctx, res); err != nil {
			return err
		}
	}
	return c.probeUnknown(ctx, main)
}

func (c *checker) probeOne(ctx context.Context, res resource) error {
	wrong := c.about(short(res.address))
	checks := []func(context.Context, resource, say) error{c.probeHeaders, c.probeValidators, c.probeHead, c.probeOthers}
	if res.playlist {
		checks = append(checks, c.probeGzip)
	} else {
		checks = append(checks, c.probeRanges)
	}
	for _, check := range checks {
		if err := check(ctx, res, wrong); err != nil {
			return err
		}
	}
	return nil
}

var contentTypes = map[bool][]string{
	true:  {"application/vnd.apple.mpegurl", "audio/mpegurl"},
	false: {"video/mp4", "audio/mp4", "video/iso.segment"},
}

func (c *checker) probeHeaders(ctx context.Context, res resource, wrong say) error {
	a, err := c.ask(ctx, http.MethodGet, res.address)
	if err != nil {
		return err
	}
	kind := a.head.Get("Content-Type")
	if want := contentTypes[res.playlist]; a.status != http.StatusOK || !strings.Contains(strings.Join(want, " "), kind) || kind == "" {
		wrong(ContentType, "status %d, Content-Type %q, want one of %v", a.status, kind, want)
	}
	if a.head.Get("X-Content-Type-Options") != "nosniff" {
		wrong(ContentType, "X-Content-Type-Options is %q, want nosniff", a.head.Get("X-Content-Type-Options"))
	}
	if n := a.head.Get("Content-Length"); n != strconv.Itoa(len(a.body)) {
		wrong(Head, "Content-Length is %q, %d bytes came", n, len(a.body))
	}
	cache := a.head.Get("Cache-Control")
	age, ok := maxAge(cache)
	switch {
	case !ok:
		wrong(CacheControl, "Cache-Control is %q, want a max-age", cache)
	case !res.playlist && (age < 24*time.Hour || !strings.Contains(cache, "immutable")):
		wrong(CacheControl, "Cache-Control is %q, want that it is kept: its name is never used twice", cache)
	case res.playlist && !res.still && age > 2*time.Second, age > time.Hour && res.playlist:
		wrong(CacheControl, "Cache-Control is %q of a playlist that changes", cache)
	}
	return nil
}

func maxAge(cache string) (time.Duration, bool) {
	for directive := range strings.SplitSeq(cache, ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); ok {
			n, err := strconv.Atoi(text)
			return time.Duration(n) * time.Second, err == nil
		}
	}
	return 0, false
}

// tries is how often something that changes is asked for before it counts as wrong.
const tries = 6

func (c *checker) probeValidators(ctx context.Context, res resource, wrong say) error {
	var first, again *answer
	var err error
	for range tries {
		if first, err = c.ask(ctx, http.MethodGet, res.address); err != nil {
			return err
		}
		tag := first.head.Get("Etag")
		if tag == "" {
			wrong(Validators, "no ETag")
			return nil
		}
		if again, err = c.ask(ctx, http.MethodGet, res.address, "If-None-Match", `"other", `+tag); err != nil {
			return err
		}
		if again.status == http.StatusNotModified {
			break
		}
	}
	if again.status != http.StatusNotModified || len(again.body) > 0 || again.head.Get("Etag") != first.head.Get("Etag") {
		wrong(Validators, "If-None-Match: status %d, %d bytes, ETag %s, want 304 and %s", again.status, len(again.body), again.head.Get("Etag"), first.head.Get("Etag"))
	}
	other, err := c.ask(ctx, http.MethodGet, res.address, "If-None-Match", `"other"`)
	if err == nil && other.status != http.StatusOK {
		wrong(Validators, "If-None-Match of something else: status %d, want 200", other.status)
	}
	return err
}

func (c *checker) probeHead(ctx context.Context, res resource, wrong say) error {
	for try := 1; ; try++ {
		get, err := c.ask(ctx, http.MethodGet, res.address)
		if err != nil {
			return err
		}
		head, err := c.ask(ctx, http.MethodHead, res.address)
		if err != nil {
			return err
		}
		differs := ""
		for _, name := range []string{"Content-Type", "Content-Length", "Etag", "Cache-Control", "Accept-Ranges"} {
			if get.head.Get(name) != head.head.Get(name) {
				differs = fmt.Sprintf("%s is %q, of GET %q", name, head.head.Get(name), get.head.Get(name))
			}
		}
		if differs == "" && head.status == http.StatusOK && len(head.body) == 0 {
			return nil
		}
		if try == tries {
			wrong(Head, "status %d, %d bytes, %s", head.status, len(head.body), differs)
			return nil
		}
	}
}

// probeOthers asks as another site does, and to change something.
func (c *checker) probeOthers(ctx context.Context, res resource, wrong say) error {
	a, err := c.ask(ctx, http.MethodGet, res.address, "Origin", "https://elsewhere.example")
	if err != nil {
		return err
	}
	if allowed := a.head.Get("Access-Control-Allow-Origin"); allowed == "*" || strings.Contains(allowed, "elsewhere") {
		wrong(CORS, "Access-Control-Allow-Origin is %q for a page of another site", allowed)
	}
	if policy := a.head.Get("Cross-Origin-Resource-Policy"); policy != "same-site" && policy != "same-origin" {
		wrong(CORS, "Cross-Origin-Resource-Policy is %q, want same-site", policy)
	}
	if a, err = c.ask(ctx, http.MethodPost, res.address); err != nil {
		return err
	}
	if a.status != http.StatusMethodNotAllowed {
		wrong(Refusals, "POST: status %d, want 405", a.status)
	}
	checkKept(a, wrong)
	return nil
}

func (c *checker) probeGzip(ctx context.Context, res resource, wrong say) error {
	for try := 1; ; try++ {
		plain, err := c.ask(ctx, http.MethodGet, res.address)
		if err != nil {
			return err
		}
		zipped, err := c.ask(ctx, http.MethodGet, res.address, "Accept-Encoding", "br, gzip")
		if err != nil {
			return err
		}
		problem := compareGzip(plain, zipped)
		if problem == "" {
			break
		}
		if try == tries {
			wrong(Gzip, "%s", problem)
			return nil
		}
	}
	refused, err := c.ask(ctx, http.MethodGet, res.address, "Accept-Encoding", "gzip;q=0, identity")
	if err == nil && refused.head.Get("Content-Encoding") != "" {
		wrong(Gzip, "Content-Encoding %q for who refuses gzip", refused.head.Get("Content-Encoding"))
	}
	return err
}

func compareGzip(plain, zipped *answer) string {
	switch {
	case plain.head.Get("Content-Encoding") != "":
		return "Content-Encoding " + plain.head.Get("Content-Encoding") + " without having been asked for"
	case zipped.head.Get("Content-Encoding") != "gzip":
		return fmt.Sprintf("Content-Encoding is %q for who takes gzip", zipped.head.Get("Content-Encoding"))
	case !strings.Contains(strings.ToLower(plain.head.Get("Vary")+zipped.head.Get("Vary")), "accept-encoding"):
		return "no Vary: Accept-Encoding"
	case plain.head.Get("Etag") == zipped.head.Get("Etag"):
		return "one ETag for both encodings"
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(io.LimitReader(z, maxPlaylist))
	if err != nil {
		return err.Error()
	}
	if !bytes.Equal(b, plain.body) {
		return "the compressed playlist says something else"
	}
	return ""
}

// rangeCase is a range that is asked for and what must come of it.
type rangeCase struct {
	header      string
	from, to    int // bytes that must come
	satisfiable bool
}

func (c *checker) probeRanges(ctx context.Context, res resource, wrong say) error {
	whole, err := c.ask(ctx, http.MethodGet, res.address)
	if err != nil {
		return err
	}
	n := len(whole.body)
	if whole.head.Get("Accept-Ranges") != "bytes" {
		wrong(Range, "Accept-Ranges is %q", whole.head.Get("Accept-Ranges"))
	}
	for _, test := range []rangeCase{
		{"bytes=0-99", 0, min(100, n), true},
		{fmt.Sprintf("bytes=%d-", n/2), n / 2, n, true},
		{"bytes=-50", max(0, n-50), n, true},
		{fmt.Sprintf("bytes=%d-%d", n-1, n+1000), n - 1, n, true},
		{fmt.Sprintf("bytes=%d-", n), 0, 0, false},
	} {
		a, err := c.ask(ctx, http.MethodGet, res.address, "Range", test.header)
		if err != nil {
			return err
		}
		checkRange(a, whole, test, wrong)
	}
	a, err := c.ask(ctx, http.MethodGet, res.address, "Range", "bytes=0-9", "If-Range", `"other"`)
	if err == nil && (a.status != http.StatusOK || len(a.body) != n) {
		wrong(Range, "If-Range of something else: status %d, %d bytes, want 200 and %d", a.status, len(a.body), n)
	}
	return err
}

func checkRange(a, whole *answer, test rangeCase, wrong say) {
	n := len(whole.body)
	if !test.satisfiable {
		if want := fmt.Sprintf("bytes */%d", n); a.status != http.StatusRequestedRangeNotSatisfiable || a.head.Get("Content-Range") != want {
			wrong(Range, "%s of %d: status %d, Content-Range %q, want 416, %q", test.header, n, a.status, a.head.Get("Content-Range"), want)
		}
		return
	}
	want := fmt.Sprintf("bytes %d-%d/%d", test.from, test.to-1, n)
	if a.status != http.StatusPartialContent || a.head.Get("Content-Range") != want || !bytes.Equal(a.body, whole.body[test.from:test.to]) {
		wrong(Range, "%s: status %d, Content-Range %q, %d bytes, want 206, %q and those bytes", test.header, a.status, a.head.Get("Content-Range"), len(a.body), want)
	}
}

// probeUnknown asks for what never was.
func (c *checker) probeUnknown(ctx context.Context, main *rendition) error {
	for _, uri := range []string{"never.m4s", "seg-0-000000-0.m4s", "part-0-000000-0-0.m4s", "init-0-000000-0.mp4", "../v9/live.m3u8", "../never.m3u8"} {
		a, err := main.fetch(ctx, uri)
		if err != nil {
			return err
		}
		wrong := c.about(uri)
		if a.status != http.StatusNotFound {
			wrong(Refusals, "status %d for what never was, want 404", a.status)
		}
		checkKept(a, wrong)
	}
	return nil
}
