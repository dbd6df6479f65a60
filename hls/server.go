package hls

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/storage"
)

// server answers viewers. It keeps no state: what it serves is in the views of the channels.
type server struct{ o *Origin }

// visit is a request on its way through the server, and the ResponseWriter of its answer.
type visit struct {
	http.ResponseWriter
	o      *Origin
	claims ticket.Claims
	kind   kind
	status int // of the answer, 0 when nobody was there to get one
}

// WriteHeader implements http.ResponseWriter.
func (v *visit) WriteHeader(status int) {
	v.status = status
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find the connection.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// ReadFrom lets the kernel send files.
func (v *visit) ReadFrom(r io.Reader) (int64, error) { return io.Copy(v.ResponseWriter, r) }

// welcome reports whether the ticket is still good: whoever is thrown out while an answer is made gets no more of it.
func (v *visit) welcome() bool { return !v.o.cfg.Tickets.Denied(v.claims, v.o.cfg.Now()) }

// hold waits until ready holds for what is in c, as cell.wait does.
func hold[T any](w *visit, r *http.Request, c *cell[T], ready func(T) bool) (T, error) {
	if now := c.get(); ready(now) {
		return now, nil
	}
	w.o.metrics.waiting.Add(1)
	defer w.o.metrics.waiting.Add(-1)
	value, err := c.wait(r.Context(), ready)
	if err == nil && !w.welcome() {
		err = errForbidden
	}
	return value, err
}

// answer is an error with a status. Every answer with one status has the same body: nobody learns from it why.
type answer int

func (a answer) Error() string { return http.StatusText(int(a)) }

const (
	errUnknown   = answer(http.StatusNotFound)
	errForbidden = answer(http.StatusForbidden)
	errBadQuery  = answer(http.StatusBadRequest)
	errNotNow    = answer(http.StatusServiceUnavailable)
)

const maxPath = 1024

func (s *server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := &visit{ResponseWriter: rw, o: s.o}
	defer func() { s.o.metrics.answered(w.kind, w.status) }()
	h := w.Header()
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = noReferrer
	h["Cross-Origin-Resource-Policy"] = sameSite
	s.share(h, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		s.refuse(w, answer(http.StatusMethodNotAllowed))
		return
	}
	if err := s.serve(w, r); err != nil {
		s.refuse(w, err)
	}
}

// share lets the school's pages play from another host, and no others (CORS, Fetch standard section 3.2).
func (s *server) share(h http.Header, r *http.Request) {
	if len(s.o.cfg.Origins) == 0 {
		return
	}
	h["Vary"] = []string{"Origin"}
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.o.cfg.Origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Content-Range, Date, Etag")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Headers", "Range, If-None-Match")
		h.Set("Access-Control-Max-Age", "3600")
	}
}

// refuse sends an error. What is neither ours nor the viewer's going away is a store or disk that does not
// answer: the viewer should come again.
func (s *server) refuse(w http.ResponseWriter, err error) {
	var a answer
	switch {
	case errors.As(err, &a):
	case errors.Is(err, storage.ErrNotFound):
		a = errUnknown
	case errors.Is(err, context.Canceled):
		return // nobody is there to read it
	default:
		a = errNotNow
	}
	h := w.Header()
	for _, name := range []string{"Etag", "Content-Encoding", "Content-Range", "Content-Length"} {
		h.Del(name)
	}
	h["Cache-Control"] = cacheNever
	h["Content-Type"] = typeText
	text := a.Error() + "\n"
	h.Set("Content-Length", strconv.Itoa(len(text)))
	deadline(w, int64(len(text)))
	w.WriteHeader(int(a))
	io.WriteString(w, text)
}

// deadline gives a viewer time to take size bytes: 30 s, or longer for what 64 KiB a second would take four times
// longer for. The socket's clock is the kernel's, so this is the one place that asks the real time.
func deadline(w http.ResponseWriter, size int64) {
	limit := max(30*time.Second, time.Duration(size)*4*time.Second/(64<<10))
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit)) // not every test's writer has one
}

// lift sends what is buffered and takes the deadline off: on HTTP/1 it belongs to the connection, and the next
// request there may be somebody else's to answer.
func lift(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	rc.Flush()
	rc.SetWriteDeadline(time.Time{})
}

// address splits /p/<ticket>/l/<channel>/<name>. Escapes of any kind are nothing of ours.
func address(r *http.Request) (ticket string, channel media.ID, name string, err error) {
	if r.URL.RawPath != "" || len(r.URL.Path) > maxPath {
		return "", 0, "", errUnknown
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/p/")
	ticket, rest, found := strings.Cut(rest, "/l/")
	id, name, named := strings.Cut(rest, "/")
	if !ok || !found || !named {
		return "", 0, "", errUnknown
	}
	// An impossible channel is an unknown one, so its ticket is wrong: both get the answer of a bad ticket.
	channel, _ = media.ParseID(id)
	return ticket, channel, name, nil
}

func (s *server) serve(w *visit, r *http.Request) error {
	text, id, name, err := address(r)
	if err != nil {
		return err
	}
	if w.claims, err = s.o.cfg.Tickets.Verify(text, id, s.o.cfg.Now()); err != nil || id == 0 {
		return errForbidden
	}
	res := parseName(name)
	w.kind = res.kind
	if res.kind == unknown {
		return errUnknown
	}
	c, err := s.o.find(r.Context(), id)
	if err != nil {
		return err
	}
	if res.kind.playlist() && !w.personal(r, c) {
		return errForbidden
	}
	switch res.kind {
	case indexPlaylist, dvrIndex, replayIndex:
		return s.index(w, r, c, res.kind)
	case poster:
		return s.poster(w, r, c)
	case lessonFile:
		return s.download(w, r, c)
	}
	row := c.shape.get().find(res.rendition)
	switch res.kind {
	case livePlaylist:
		return s.live(w, r, c, res.rendition)
	case dvrPlaylist:
		return s.dvr(w, r, c, res.rendition)
	}
	if row == nil {
		return errUnknown
	}
	switch res.kind {
	case replayPlaylist:
		return s.replay(w, r, c, row)
	case initFile:
		b := (*row.inits.Load())[initName{res.tag, res.generation}]
		if b == nil {
			return errUnknown
		}
		return sendMedia(w, r, name, int64(len(b)), cacheMedia, body{b}.open)
	case segmentFile:
		return s.segment(w, r, c, row, res)
	}
	return s.part(w, r, c, row, res)
}

// directives are the delivery directives of a playlist request (RFC 8216bis section 6.2.5).
type directives struct {
	msn, part int // −1: none
	skip      bool
}

const maxQuery = 512

// parseDirectives reads a query. Parameters that are not ours are none of our business; ours may stand there once
// and in plain digits only.
func parseDirectives(query string) (d directives, err error) {
	d = directives{msn: -1, part: -1}
	if len(query) > maxQuery {
		return d, errBadQuery
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "_HLS_msn":
			err = d.number(&d.msn, value)
		case "_HLS_part":
			err = d.number(&d.part, value)
		case "_HLS_skip":
			d.skip = value == "YES" || value == "v2"
		}
		if err != nil {
			return d, err
		}
	}
	if d.part >= 0 && d.msn < 0 {
		return d, errBadQuery
	}
	return d, nil
}

func (d *directives) number(field *int, value string) error {
	n, ok := parseNumber(value)
	if !ok || *field >= 0 {
		return errBadQuery
	}
	*field = n
	return nil
}

// reach returns errBadQuery for a request that is so far ahead that its answer is not worth waiting for (RFC
// 8216bis section 6.2.5.2).
func (d directives) reach(v *view) error {
	limit := 3
	if v.targets.part > 0 && v.targets.part < time.Second {
		limit = int((3*time.Second + v.targets.part - 1) / v.targets.part)
	}
	if d.msn > v.number+1 || d.msn == v.number && d.part >= len(v.parts)+limit {
		return errBadQuery
	}
	return nil
}

// rendition waits until a channel that has begun to publish has a rendition.
func (s *server) rendition(w *visit, r *http.Request, c *channel, name string) (*rendition, error) {
	shape, err := hold(w, r, &c.shape, func(s *shape) bool { return len(s.renditions) > 0 || s.ended })
	if err != nil {
		return nil, err
	}
	if row := shape.find(name); row != nil {
		return row, nil
	}
	return nil, errUnknown
}

func (s *server) live(w *visit, r *http.Request, c *channel, name string) error {
	d, err := parseDirectives(r.URL.RawQuery)
	if err != nil {
		return err
	}
	row, err := s.rendition(w, r, c, name)
	if err != nil {
		return err
	}
	v := row.view.get()
	if d.msn >= 0 && v.live != nil && !v.ended {
		if err := d.reach(v); err != nil {
			return err
		}
	}
	v, err = hold(w, r, &row.view, func(v *view) bool {
		return v.ended || v.live != nil && (d.msn < 0 || v.has(d.msn, d.part))
	})
	if err != nil {
		return err
	}
	if v.live == nil {
		return errUnknown // it ended before anything was published
	}
	var p *page
	if d.skip {
		p = v.delta()
	}
	if p == nil {
		p = v.live()
	}
	cache := cacheEdge
	if d.msn >= 0 {
		cache = cacheAnswered
	}
	return sendPlaylist(w, r, p, cache)
}

func (s *server) dvr(w *visit, r *http.Request, c *channel, name string) error {
	d, err := parseDirectives(r.URL.RawQuery)
	if err != nil {
		return err
	}
	row, err := s.rendition(w, r, c, name)
	if err != nil {
		return err
	}
	if c.preview() {
		return errUnknown
	}
	if v := row.view.get(); d.msn >= 0 && d.msn > v.number+1 {
		return errBadQuery
	}
	all, err := hold(w, r, &row.dvr.current, func(all dvrView) bool {
		v := row.view.get()
		return len(all.starts) > 0 && v.targets.segment > 0 && (d.msn < all.next || v.ended && all.next == v.number)
	})
	if err != nil {
		return err
	}
	v := row.view.get()
	p := all.page(v.targets, d.skip, v.ended && all.next == v.number)
	cache := cacheEdge
	if d.msn >= 0 {
		cache = cacheAnswered
	}
	return sendPlaylist(w, r, p, cache)
}

func (s *server) replay(w *visit, r *http.Request, c *channel, row *rendition) error {
	v := row.view.get()
	if !v.ended || c.preview() {
		return errUnknown
	}
	settled := func(all dvrView) bool { return len(v.list) == 0 || all.next == v.number }
	if _, err := hold(w, r, &row.dvr.current, settled); err != nil {
		return err
	}
	p := row.replay.Load()
	if p == nil {
		b := renderReplay(v.list, v.targets)
		if b == nil {
			return errUnknown
		}
		if p = newPage(b); settledForGood(v.list) {
			row.replay.Store(p)
		}
	}
	return sendPlaylist(w, r, p, cacheReplay)
}

// settledForGood reports whether no segment can still become stored.
func settledForGood(list []*segment) bool {
	for _, s := range list {
		if k := s.keeping(); k != stored && k != lost {
			return false
		}
	}
	return true
}

// index sends a multivariant playlist. The one of an ended lesson leads to its recording.
func (s *server) index(w *visit, r *http.Request, c *channel, kind kind) error {
	if kind != indexPlaylist && c.preview() {
		return errUnknown
	}
	now, err := hold(w, r, &c.shape, func(s *shape) bool { return len(s.renditions) > 0 || s.ended })
	if err != nil {
		return err
	}
	if len(now.renditions) == 0 || kind == replayIndex && !now.ended {
		return errUnknown
	}
	if now, err = hold(w, r, &c.shape, (*shape).playable); err != nil {
		return err
	}
	file, cache := "live.m3u8", cacheEdge
	switch {
	case kind == dvrIndex:
		file = "dvr.m3u8"
	case kind == replayIndex || now.ended && !c.preview():
		file, cache = "replay.m3u8", cacheReplay
	}
	var rows []row
	for _, r := range now.renditions {
		v := r.view.get()
		if len(v.list) == 0 {
			continue // it has just joined
		}
		measured := v.list[v.first:]
		if now.ended {
			measured = v.list
		}
		peak, mean := bandwidth(measured, v.targets.segment)
		rows = append(rows, row{r.name, *r.looks.Load(), peak, mean})
	}
	if len(rows) == 0 {
		return errUnknown
	}
	return sendPlaylist(w, r, newPage(renderIndex(rows, file)), cache)
}

func (s *server) poster(w *visit, r *http.Request, c *channel) error {
	p := c.still.Load()
	if p == nil {
		return errUnknown
	}
	b, err := p.marshal()
	if err != nil {
		return err
	}
	page := newPage(b)
	h := w.Header()
	h["Content-Type"] = typeMP4
	h["Cache-Control"] = cacheEdge
	h.Set("Etag", page.etag)
	if matches(r.Header.Get("If-None-Match"), page.etag) {
		return notModified(w)
	}
	return sendBytes(w, r, page.plain)
}

func (s *server) segment(w *visit, r *http.Request, c *channel, row *rendition, res resource) error {
	seg := row.view.get().find(res.msn)
	if seg == nil || seg.tag != res.tag || seg.gap() {
		return errUnknown
	}
	return sendMedia(w, r, spoolFile(row.name, &seg.heading), seg.size, cacheMedia, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		if r.TLS == nil && seg.keeping() != inMemory {
			if f, err := c.openSpooled(row, seg, off, n); err == nil {
				return f, nil // the kernel sends a file without copying it, which memory is
			}
		}
		return s.o.open(ctx, c, row, seg, off, n)
	})
}

// part sends a part. A request for the part that the playlist hints at waits until it is there: also over the end of a
// generation, whose next one may begin with it.
func (s *server) part(w *visit, r *http.Request, c *channel, row *rendition, res resource) error {
	hinted := func(v *view) bool {
		return v.number == res.msn && len(v.parts) == res.part && v.tag() == res.tag && !v.ended
	}
	v := row.view.get()
	if hinted(v) {
		var err error
		if v, err = hold(w, r, &row.view, func(v *view) bool { return !hinted(v) }); err != nil {
			return err
		}
	}
	name := spoolFile(row.name, &heading{tag: res.tag, msn: res.msn}) + strconv.Itoa(res.part)
	if v.open != nil && v.open.tag == res.tag && v.number == res.msn && res.part < len(v.parts) {
		b := v.body[res.part]
		return sendMedia(w, r, name, int64(len(b)), cacheMedia, body{b}.open)
	}
	seg := v.find(res.msn)
	if seg == nil || seg.tag != res.tag || res.part >= len(seg.parts) {
		return errUnknown
	}
	p := seg.parts[res.part]
	return sendMedia(w, r, name, p.size, cacheMedia, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return s.o.open(ctx, c, row, seg, p.offset+off, n)
	})
}
