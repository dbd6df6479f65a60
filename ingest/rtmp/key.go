package rtmp

import (
	"net/url"
	"strings"
	"unicode"

	"chalkcast/media"
)

// application is the first part of the path that OBS is told: rtmp://host/live.
const application = "live"

// maxPath limits what is kept of a path that an encoder sends.
const maxPath = 1024

// findKey looks for the stream key in what an encoder sends: app and tcURL of connect, name of publish. People
// paste the key with spaces, put it behind the server address, put the whole address into the key field, add a
// slash or write it as a query; all of that is fine. a.Mistyped is set when what remains without the key is not
// /live.
func findKey(app, tcURL, name string) (a media.Attempt) {
	for _, text := range []string{name, app, tcURL} {
		if a.Key, a.HasKey = media.FindKey(text); a.HasKey {
			break
		}
	}
	for _, text := range []string{name, app, tcURL} {
		a.Takeover = a.Takeover || wantsTakeover(text)
	}
	if isURL(name) { // the whole address in the key field
		app, name = pathOf(name), ""
	}
	a.Path = cleanPath(app+"/"+name, a.Key)
	a.Mistyped = a.HasKey && a.Path != "/"+application
	return a
}

func wantsTakeover(text string) bool {
	_, query, _ := strings.Cut(text, "?")
	for _, part := range strings.FieldsFunc(query, func(r rune) bool { return strings.ContainsRune("?&;/ ", r) }) {
		if part == "takeover=1" {
			return true
		}
	}
	return false
}

func isURL(s string) bool { return strings.Contains(s, "://") }

// pathOf returns what follows host and port, without trust in the address being well formed.
func pathOf(s string) string {
	_, s, _ = strings.Cut(s, "://")
	_, path, _ := strings.Cut(s, "/")
	return path
}

// cleanPath returns a path without key, queries, spaces and double slashes. Whatever looks like a key is cut out,
// so that the result may be shown and logged.
func cleanPath(path string, key media.Key) string {
	if key.ID != "" {
		path = strings.ReplaceAll(path, key.Text(), "")
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		part, _, _ = strings.Cut(part, "?")
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		if part = strings.TrimSpace(printable(part, maxPath)); part == "" {
			continue
		}
		if strings.Contains(strings.ToLower(part), "ck_") || key.ID != "" && strings.Contains(part, string(key.Secret)) {
			part = "…" // half a key is still a secret
		}
		parts = append(parts, part)
	}
	return printable("/"+strings.Join(parts, "/"), maxPath)
}

// printable returns text from an encoder as one line of at most most bytes that can be logged and shown.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

func splitPath(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '\\' })
}
