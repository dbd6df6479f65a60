package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// requestTime is how long an answer may take: a held playlist is answered after 8 s at the latest.
const requestTime = 20 * time.Second

// maxText bounds a playlist, page or answer.
const maxText = 16 << 20

// wire is a browser's connection to one server: HTTP/1.1, one request at a time, on a socket that is opened again
// when the server has closed it. It belongs to one goroutine.
//
// The client of net/http has two goroutines for a connection and copies what it reads twice; with thousands of
// viewers on the machine that also runs the server, the load would be most of what is measured.
type wire struct {
	base    *url.URL
	gzip    bool
	cookies map[string]string
	extra   string // header lines

	nc   net.Conn
	r    *bufio.Reader
	used bool // the connection has answered before
	stop func() bool
	line []byte
	body bytes.Buffer
}

// newWire is a browser that has the cookies already; nil means none.
func newWire(base *url.URL, compressed bool, cookies map[string]string) *wire {
	w := &wire{base: base, gzip: compressed, cookies: maps.Clone(cookies)}
	if cookies == nil {
		w.cookies = map[string]string{}
	}
	return w
}

// status is an answer that was not wanted.
type status int

func (s status) Error() string { return fmt.Sprintf("status %d %s", int(s), http.StatusText(int(s))) }

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   []byte // nil when it was thrown away; good until the next request
	size   int64  // of the body as sent
	at     time.Time
	where  *url.URL // after redirects
}

// text fetches a body to be read.
func (w *wire) text(ctx context.Context, method string, at *url.URL, body string) (*answered, error) {
	return w.fetch(ctx, method, at, body, true)
}

// media fetches a body that only has to arrive.
func (w *wire) media(ctx context.Context, at *url.URL, keep bool) (*answered, error) {
	return w.fetch(ctx, http.MethodGet, at, "", keep)
}

// fetch follows up to three redirects on the same server.
func (w *wire) fetch(ctx context.Context, method string, at *url.URL, body string, keep bool) (*answered, error) {
	for range 4 {
		a, err := w.once(ctx, method, at, body, keep)
		if err != nil {
			return nil, err
		}
		a.where = at
		switch a.status {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			if at, err = at.Parse(a.header.Get("Location")); err != nil {
				return nil, fmt.Errorf("redirect: %w", err)
			}
			if a.status == http.StatusSeeOther {
				method, body = http.MethodGet, ""
			}
			continue
		}
		return a, nil
	}
	return nil, errors.New("too many redirects")
}

// once sends a request, on a fresh connection when the old one turns out to be closed.
func (w *wire) once(ctx context.Context, method string, at *url.URL, body string, keep bool) (*answered, error) {
	for {
		if err := w.dial(ctx); err != nil {
			return nil, err
		}
		_ = w.nc.SetDeadline(time.Now().Add(requestTime)) // fails only on a closed connection, as Write then does
		w.line = w.appendRequest(w.line[:0], method, at, body)
		_, err := w.nc.Write(w.line)
		if err == nil {
			_, err = w.r.Peek(1)
		}
		if err != nil {
			again := w.used
			w.close()
			if again && ctx.Err() == nil && !isTimeout(err) {
				continue // it was closed while it lay idle
			}
			return nil, plainly(err)
		}
		a, err := w.answer(keep)
		if err != nil {
			w.close()
			return nil, plainly(err)
		}
		return a, nil
	}
}

// plainly leaves addresses and ports out of an error, so that those of many connections are one kind.
func plainly(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

func (w *wire) dial(ctx context.Context) error {
	if w.nc != nil {
		return nil
	}
	host, port := w.base.Hostname(), w.base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[w.base.Scheme]
	}
	d := net.Dialer{Timeout: requestTime}
	nc, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return plainly(err)
	}
	if w.base.Scheme == "https" {
		secure := tls.Client(nc, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			return err
		}
		nc = secure
	}
	w.nc, w.used = nc, false
	w.stop = context.AfterFunc(ctx, func() { nc.Close() })
	if w.r == nil {
		w.r = bufio.NewReaderSize(nc, 4<<10)
	} else {
		w.r.Reset(nc)
	}
	return nil
}

func (w *wire) close() {
	if w.nc != nil {
		w.stop()
		w.nc.Close()
		w.nc = nil
	}
}

func (w *wire) appendRequest(b []byte, method string, at *url.URL, body string) []byte {
	b = append(append(append(b, method...), ' '), at.RequestURI()...)
	b = append(append(b, " HTTP/1.1\r\nHost: "...), w.base.Host...)
	b = append(b, "\r\nUser-Agent: chalkcast-surge\r\n"...)
	if w.gzip {
		b = append(b, "Accept-Encoding: gzip\r\n"...)
	}
	b = append(b, w.extra...)
	sep := "Cookie: "
	for name, value := range w.cookies {
		b = append(append(append(append(b, sep...), name...), '='), value...)
		sep = "; "
	}
	if sep == "; " {
		b = append(b, "\r\n"...)
	}
	if body != "" {
		b = fmt.Appendf(b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(b, "\r\n"...), body...)
}

func (w *wire) answer(keep bool) (*answered, error) {
	r, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return nil, err
	}
	w.used = true
	for _, c := range r.Cookies() {
		w.cookies[c.Name] = c.Value
	}
	a := &answered{status: r.StatusCode, header: r.Header, size: r.ContentLength}
	if keep || r.ContentLength < 0 || a.status >= 300 {
		a.body, err = w.read(r)
		a.size = int64(len(a.body))
	} else {
		err = w.skip(r.ContentLength)
	}
	a.at = time.Now()
	if r.Close {
		w.close()
	}
	return a, err
}

// read reads a body into memory that the next one will use again.
func (w *wire) read(r *http.Response) ([]byte, error) {
	defer r.Body.Close()
	w.body.Reset()
	_, err := w.body.ReadFrom(io.LimitReader(r.Body, maxText))
	return w.body.Bytes(), err
}

// plain returns a body as it was before it was compressed.
func (a *answered) plain() ([]byte, error) {
	if a.header.Get("Content-Encoding") != "gzip" {
		return a.body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxText))
}

// skip throws n bytes of a body away: first what lies in the reader's buffer, then what the kernel has.
func (w *wire) skip(n int64) error {
	have := min(n, int64(w.r.Buffered()))
	if _, err := w.r.Discard(int(have)); err != nil {
		return err
	}
	if n -= have; n == 0 {
		return nil
	}
	if tcp, ok := w.nc.(*net.TCPConn); ok {
		return throwAway(tcp, n)
	}
	_, err := io.CopyN(io.Discard, w.r, n)
	return err
}

// listen keeps a stream of events open and tells of each line, until ctx ends or the server hangs up.
func (w *wire) listen(ctx context.Context, at *url.URL, line func(string)) error {
	defer w.close()
	if err := w.dial(ctx); err != nil {
		return err
	}
	_ = w.nc.SetDeadline(time.Time{}) // fails only on a closed connection, as Write then does
	if _, err := w.nc.Write(w.appendRequest(nil, http.MethodGet, at, "")); err != nil {
		return err
	}
	r, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return status(r.StatusCode)
	}
	for text := bufio.NewScanner(r.Body); text.Scan(); {
		line(strings.TrimSpace(text.Text()))
	}
	return io.ErrUnexpectedEOF
}
