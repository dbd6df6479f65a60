package rtsp

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"chalkcast/ingest"
	"chalkcast/media"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestFindKey(t *testing.T) {
	k := media.NewKey()
	key := k.Text()
	for _, test := range []struct {
		path, query, authorization string
		found                      bool
		left                       string
		mistyped, takeover         bool
	}{
		{"/live/" + key, "", "", true, "/live", false, false},
		{"/live/" + key + "/", "", "", true, "/live", false, false},
		{"//live//" + key, "", "", true, "/live", false, false},
		{"/live", "key=" + key, "", true, "/live", false, false},
		{"/live", "x=1&key=" + key + "&takeover=1", "", true, "/live", false, true},
		{"/live/" + key, "takeover=1", "", true, "/live", false, true},
		{"/live/" + key, "takeover=10", "", true, "/live", false, false},
		{"/live/" + key + "%3Ftakeover=1", "", "", true, "/live", false, false},
		{"/live/%20" + key + "%20", "", "", true, "/live", false, false},
		{"/live", "", basic("teacher", key), true, "/live", false, false},
		{"/live", "", basic(key, ""), true, "/live", false, false},
		{"/live", "", basic("teacher", "other"), false, "/live", false, false},
		{"/live", "", `Digest username="` + key + `", realm="x", nonce="y", uri="z", response="0"`, false, "/live", false, false},
		{"/live", "", "Basic !!!", false, "/live", false, false},
		{"/" + key, "", "", true, "/", true, false},
		{"/stream/" + key, "", "", true, "/stream", true, false},
		{"/live/" + key + "/camera1", "", "", true, "/live/camera1", true, false},
		{"/live/" + key[:20], "", "", false, "/live/…", false, false},
		{"/live\x00\r\nX: y/" + key, "", "", true, "/liveX: y", true, false},
		{"/../../etc/passwd", "", "", false, "/../../etc/passwd", false, false},
		{"", "", "", false, "/", false, false},
		{"/live/" + strings.Repeat("é", 2000), "", "", false, "", false, false},
	} {
		var header base.HeaderValue
		if test.authorization != "" {
			header = base.HeaderValue{test.authorization}
		}
		a, credentials := findKey(test.path, test.query, header)
		if a.HasKey != test.found || a.Mistyped != test.mistyped || a.Takeover != test.takeover || credentials != (header != nil) {
			t.Errorf("findKey(%q, %q, %q) = %+v, %v", test.path, test.query, test.authorization, a, credentials)
		}
		if test.found && a.Key != k {
			t.Errorf("findKey(%q, %q) found another key", test.path, test.query)
		}
		if test.left != "" && a.Path != test.left || len(a.Path) > ingest.MaxPath || strings.Contains(a.Path, string(k.Secret)) {
			t.Errorf("findKey(%q) leaves the path %q, want %q", test.path, a.Path, test.left)
		}
	}
}

func FuzzFindKey(f *testing.F) {
	k := media.NewKey()
	f.Add("/live/"+k.Text(), "takeover=1", "Basic eDp5")
	f.Add("/live/%63k_"+k.Text()[3:], "", "")
	f.Add("/live/ck_\x00"+k.Text()[3:], "", "")
	f.Fuzz(func(t *testing.T, path, query, authorization string) {
		a, _ := findKey(path, query, base.HeaderValue{authorization})
		if strings.ContainsAny(a.Path, "\r\n\x00") || len(a.Path) > ingest.MaxPath || strings.Contains(a.Path, "ck_") {
			t.Errorf("path %q", a.Path)
		}
	})
}
