package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answer is a response that was read to its end.
type answer struct {
	status int
	head   http.Header
	body   []byte
	took   time.Duration
}

const maxBody = 128 << 20

// ask sends a request; header is names and values in turn. Nothing is decompressed on the way.
func (c *checker) ask(ctx context.Context, method, address string, header ...string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	began := time.Now()
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, short(address), unwrapURL(err))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, short(address), err)
	}
	return &answer{resp.StatusCode, resp.Header, b, time.Since(began)}, nil
}

// unwrapURL drops the address from an error: it holds a ticket.
func unwrapURL(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // it is the outermost, or none of ours
		return e.Err
	}
	return err
}

// short names a resource without the ticket that leads to it.
func short(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	name := u.Path
	if _, after, found := strings.Cut(name, "/l/"); found {
		_, name, _ = strings.Cut(after, "/")
	}
	if u.RawQuery != "" {
		name += "?" + u.RawQuery
	}
	return name
}

// resolve returns the address of a URI in a playlist.
func resolve(base, uri string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u, err := b.Parse(uri)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// withQuery adds a query to an address.
func withQuery(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}

// about returns a say for a place.
func (c *checker) about(where string) say {
	return func(rule Rule, format string, args ...any) { c.notes.add(rule, where, format, args...) }
}
