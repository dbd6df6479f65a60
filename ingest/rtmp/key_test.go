package rtmp

import (
	"strings"
	"testing"
	"unicode"

	"chalkcast/ingest"
	"chalkcast/media"
)

const testKey = "ck_abcdefgh_abcdefghijklmnopqrstuvwxyz"

func TestKeysAsPeoplePasteThem(t *testing.T) {
	for _, tc := range []struct {
		name             string
		app, tcURL, key  string
		path             string
		mistyped, forced bool
		nothing          bool
	}{
		{name: "as shown", app: "live", tcURL: "rtmp://school:1935/live", key: testKey, path: "/live"},
		{name: "spaces around", app: "live", key: "  " + testKey + "\t ", path: "/live"},
		{name: "line break", app: "live", key: testKey + "\r\n", path: "/live"},
		{name: "slash before and after", app: "live/", key: "/" + testKey + "/", path: "/live"},
		{name: "whole address in the key field", app: "live", key: "rtmp://school:1935/live/" + testKey, path: "/live"},
		{name: "whole address with a space", app: "live", key: " rtmps://school/live/" + testKey + " ", path: "/live"},
		{name: "key behind the server", app: "live/" + testKey, tcURL: "rtmp://school/live/" + testKey, path: "/live"},
		{name: "key behind the server, and a slash", app: "live/" + testKey + "/", key: "", path: "/live"},
		{name: "path and key in the key field", app: "", tcURL: "rtmp://school", key: "live/" + testKey, path: "/live"},
		{name: "query in the key field", app: "live", key: "?key=" + testKey, path: "/live"},
		{name: "query in the server field", app: "live?key=" + testKey, tcURL: "rtmp://school/live?key=" + testKey, path: "/live"},
		{name: "only in the address", app: "live", tcURL: "rtmp://school/live?key=" + testKey, path: "/live"},
		{name: "takeover", app: "live", key: testKey + "?takeover=1", path: "/live", forced: true},
		{name: "takeover among others", app: "live", key: testKey + "?a=b&takeover=1", path: "/live", forced: true},
		{name: "takeover as a query of the server", app: "live?takeover=1", key: testKey, path: "/live", forced: true},
		{name: "takeover denied", app: "live", key: testKey + "?takeover=0", path: "/live"},
		{name: "takeover is no part of a word", app: "live", key: testKey + "?notakeover=1", path: "/live"},
		{name: "wrong server path", app: "live/abc", key: testKey, path: "/live/abc", mistyped: true},
		{name: "other server path", app: "stream", key: testKey, path: "/stream", mistyped: true},
		{name: "no server path", app: "", key: testKey, path: "/", mistyped: true},
		{name: "name before the key", app: "live", key: "room4/" + testKey, path: "/live/room4", mistyped: true},
		{name: "escaped slash", app: "live", key: "room%2f4/" + testKey, path: "/live/room/4", mistyped: true},

		{name: "empty", app: "live", key: "", path: "/live", nothing: true},
		{name: "question mark", app: "live", key: "?", path: "/live", nothing: true},
		{name: "NUL", app: "live", key: "%00", path: "/live", nothing: true},
		{name: "key cut", app: "live", key: testKey[:30], path: "/live/…", nothing: true},
		{name: "key too long", app: "live", key: testKey + "abc", path: "/live/…", nothing: true},
		{name: "upper case", app: "live", key: strings.ToUpper(testKey), path: "/live/…", nothing: true},
		{name: "5000 bytes", app: "live", key: strings.Repeat("x", 5000), path: "/live/" + strings.Repeat("x", 1018), nothing: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := findKey(tc.app, tc.tcURL, tc.key)
			if a.HasKey == tc.nothing || a.HasKey && a.Key.Text() != testKey {
				t.Errorf("key found: %v", a.HasKey)
			}
			if a.Path != tc.path || a.Mistyped != tc.mistyped || a.Takeover != tc.forced {
				t.Errorf("got path %q, mistyped %v, takeover %v; want %q, %v, %v", a.Path, a.Mistyped, a.Takeover, tc.path, tc.mistyped, tc.forced)
			}
		})
	}
}

func FuzzKey(f *testing.F) {
	f.Add("live", "rtmp://school/live", testKey)
	f.Add("live?takeover=1", "", " rtmp://school/live/"+testKey+"/ ")
	f.Add("", "", "ck_abcdefgh_abcdefghijklmnopqrst")
	f.Fuzz(func(t *testing.T, app, tcURL, key string) {
		a := findKey(app, tcURL, key)
		if a.HasKey && strings.Contains(a.Path, string(a.Key.Secret)) {
			t.Fatalf("path %q holds the secret", a.Path)
		}
		if strings.Contains(a.Path, "ck_") {
			t.Fatalf("path %q holds a piece of a key", a.Path)
		}
		if len(a.Path) > ingest.MaxPath || strings.ContainsFunc(a.Path, unicode.IsControl) {
			t.Fatalf("path %q cannot be shown", a.Path)
		}
		if a.HasKey {
			if again, ok := media.FindKey(a.Key.Text()); !ok || again != a.Key {
				t.Fatal("key is not a key")
			}
		}
	})
}
