package rtsp

import (
	"net/url"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"chalkcast/media"
)

// application is the first part of the path that encoders are told: rtsp://host:8554/live/<key>.
const application = "live"

// maxPath limits what is kept of a path that an encoder sends.
const maxPath = 1024

// findKey looks for the stream key where people put it: in the path, in the query, as user name or as password.
// credentials tells whether any were sent. a.Mistyped is set when what remains of the path without the key is not
// /live.
func findKey(path, query string, authorization base.HeaderValue) (a media.Attempt, credentials bool) {
	texts := []string{path, query}
	var sent headers.Authorization
	if len(authorization) > 0 {
		credentials = true
		if sent.Unmarshal(authorization) == nil && sent.Method == headers.AuthMethodBasic {
			texts = append(texts, sent.BasicPass, sent.Username)
		}
	}
	for _, text := range texts {
		if a.Key, a.HasKey = media.FindKey(plain(text)); a.HasKey {
			break
		}
	}
	for _, text := range []string{path, query} {
		a.Takeover = a.Takeover || wantsTakeover(text)
	}
	a.Path = cleanPath(path, a.Key)
	a.Mistyped = a.HasKey && a.Path != "/"+application
	return a, credentials
}

// plain undoes percent-encoding where it is valid.
func plain(s string) string {
	if p, err := url.PathUnescape(s); err == nil {
		return p
	}
	return s
}

func wantsTakeover(text string) bool {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("?&;/ ", r) }) {
		if part == "takeover=1" {
			return true
		}
	}
	return false
}

// cleanPath returns path without the key, empty parts and whatever cannot be shown. Half a key is still a secret.
func cleanPath(path string, key media.Key) string {
	path, _, _ = strings.Cut(plain(path), "?")
	if key.ID != "" {
		path = strings.ReplaceAll(path, key.Text(), "")
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		part = strings.TrimSpace(printable(part))
		if strings.Contains(part, "ck_") {
			part = "…"
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return cut("/"+strings.Join(parts, "/"), maxPath)
}

// printable drops what is no letter of one line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 || r == 0xfffd {
			return -1
		}
		return r
	}, s)
}

// cut returns at most most bytes of s, whole letters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
