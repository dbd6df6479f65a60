package ingest_test

import (
	"strings"
	"testing"

	"chalkcast/ingest"
	"chalkcast/media"
)

// What encoders send is tried out in the packages of the protocols; here is what all of them share.
func TestFindKeyLooksInOrder(t *testing.T) {
	first, second := media.NewKey(), media.NewKey()
	for _, tc := range []struct {
		name   string
		places []string
		want   media.Key
	}{
		{"only place", []string{first.Text()}, first},
		{"first of two", []string{first.Text(), second.Text()}, first},
		{"second place", []string{"live", second.Text()}, second},
		{"percent-encoded", []string{"%63k_" + first.Text()[3:]}, first},
		{"percent-encoded beside a stray percent sign", []string{"100%/%63k_" + first.Text()[3:]}, first},
	} {
		if a := ingest.FindKey("/live", tc.places...); !a.HasKey || a.Key != tc.want || a.Mistyped {
			t.Errorf("%s: found %v, key %s, mistyped %v; want key %s", tc.name, a.HasKey, a.Key.ID, a.Mistyped, tc.want.ID)
		}
	}
	if a := ingest.FindKey("/live/" + first.Text()); a.HasKey || a.Path != "/live/…" {
		t.Errorf("a key where nobody looks: found %v, path %q; want none, and no piece of it", a.HasKey, a.Path)
	}
	if a := ingest.FindKey("/live/%63k_"+first.Text()[3:], "/live/"+first.Text()); a.Path != "/live" {
		t.Errorf("an encoded key in the path leaves %q, want /live", a.Path)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"OBS\r\n\x00\x1b[31m":         "OBS[31m",
		"<b>obs</b>":                  "<b>obs</b>",
		"a\u202eb\ufeffc":             "abc",
		"\xff\xfeé":                   "é",
		strings.Repeat("é", 60) + "x": strings.Repeat("é", 50),
	} {
		if got := ingest.Printable(in, 101); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
