package ingest

import (
	"net/url"
	"strings"
	"unicode"

	"chalkcast/media"
)

// Application is the first part of the path that encoders are told, whatever protocol they speak:
// rtmp://host/live, rtsp://host:8554/live/<key>.
const Application = "live"

// MaxPath limits what is kept of a path that an encoder sends.
const MaxPath = 1024

// FindKey reads what an encoder sent to say who it is: the path it asked for, and the places where people put the
// key, in the order in which they are looked at. The attempt's Mistyped is set when what remains of the path
// without the key is not /live. At, Protocol and Remote are left to the caller.
func FindKey(path string, places ...string) (a media.Attempt) {
	for _, text := range places {
		if a.Key, a.HasKey = media.FindKey(plain(text)); a.HasKey {
			break
		}
	}
	for _, text := range places {
		a.Takeover = a.Takeover || wantsTakeover(text)
	}
	a.Path = cleanPath(path, a.Key)
	a.Mistyped = a.HasKey && a.Path != "/"+Application
	return a
}

func wantsTakeover(text string) bool {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("?&;/ ", r) }) {
		if part == "takeover=1" {
			return true
		}
	}
	return false
}

// plain undoes percent-encoding in each part of a path where it is valid.
func plain(s string) string {
	parts := strings.Split(s, "/")
	for i, part := range parts {
		if p, err := url.PathUnescape(part); err == nil {
			parts[i] = p
		}
	}
	return strings.Join(parts, "/")
}

// cleanPath returns a path without key, queries, spaces and double slashes. Whatever looks like a key is cut out,
// so that the result may be shown and logged.
func cleanPath(path string, key media.Key) string {
	path = plain(path)
	if key.ID != "" {
		path = strings.ReplaceAll(path, key.Text(), "")
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		part, _, _ = strings.Cut(part, "?")
		if part = strings.TrimSpace(Printable(part, MaxPath)); part == "" {
			continue
		}
		if strings.Contains(strings.ToLower(part), "ck_") || key.ID != "" && strings.Contains(part, string(key.Secret)) {
			part = "…" // half a key is still a secret
		}
		parts = append(parts, part)
	}
	return Printable("/"+strings.Join(parts, "/"), MaxPath)
}

// Printable returns text from an encoder as one line of at most most bytes that can be logged and shown.
func Printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
