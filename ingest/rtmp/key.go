package rtmp

import (
	"strings"

	"chalkcast/ingest"
	"chalkcast/media"
)

// findKey looks for the stream key in what an encoder sends: app and tcURL of connect, name of publish. People
// paste the key with spaces, put it behind the server address, put the whole address into the key field, add a
// slash or write it as a query; all of that is fine.
func findKey(app, tcURL, name string) media.Attempt {
	path := app + "/" + name
	if isURL(name) { // the whole address in the key field
		path = pathOf(name)
	}
	return ingest.FindKey(path, name, app, tcURL)
}

func isURL(s string) bool { return strings.Contains(s, "://") }

// pathOf returns what follows host and port, without trust in the address being well formed.
func pathOf(s string) string {
	_, s, _ = strings.Cut(s, "://")
	_, path, _ := strings.Cut(s, "/")
	return path
}

func splitPath(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '\\' })
}
