package captions_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"chalkcast/classroom/captions"
	"chalkcast/classroom/fault"
)

// files are WebVTT files and what is wrong with them, by line.
var files = []struct {
	name, file string
	cues       int
	problems   []string
}{
	{"small", "WEBVTT\n\n00:01.000 --> 00:02.500\nCells\n", 1, nil},
	{"as editors write it", "\ufeffWEBVTT - Cells\r\nKind: captions\r\nLanguage: en\r\n\r\nNOTE made by hand\r\n\r\nSTYLE\r\n::cue { color: white }\r\n\r\n1\r\n00:00:01.000 --> 00:00:02.500 line:0 align:start\r\n<v Ms Tanaka>Cells &amp; tissue\r\nand more\r\n\r\n2\r\n00:00:02.500 --> 100:00:00.000\r\nend", 2, nil},
	{"old line ends", "WEBVTT\r\r00:01.000 --> 00:02.500\rCells\r", 1, nil},
	{"two at the same time", "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n00:01.000 --> 00:03.000\nb", 2, nil},
	{"commas", "WEBVTT\n\n00:00:01,000 --> 00:00:02,500\nCells\n", 1, []string{"3 captions.problem.comma"}},
	{
		"no such times", "WEBVTT\n\n0:01.000 --> 00:02.000\na\n\n00:61.000 --> 00:02.000\nb\n\n00:01.00 --> 00:02.000\nc\n\n00:01.000 -->\nd\n\n1 --> 2\ne\n", 5,
		[]string{"3 captions.problem.timing", "6 captions.problem.timing", "9 captions.problem.timing", "12 captions.problem.timing", "15 captions.problem.timing"},
	},
	{"backwards", "WEBVTT\n\n00:05.000 --> 00:04.000\na\n\n00:03.000 --> 00:04.000\nb\n", 2, []string{"3 captions.problem.length", "6 captions.problem.order"}},
	{"no empty line", "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nb\n", 1, []string{"5 captions.problem.text"}},
	{"text without times", "WEBVTT\n\nCells\nand more\n", 0, []string{"3 captions.problem.stray"}},
}

func TestParse(t *testing.T) {
	for _, f := range files {
		text, cues, problems, err := captions.Parse([]byte(f.file))
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprint(p.Line, " ", p.Key))
		}
		if err != nil || cues != f.cues || !slices.Equal(got, f.problems) {
			t.Errorf("%s: %d cues, %q, %v; want %d, %q", f.name, cues, got, err, f.cues, f.problems)
		}
		if !strings.HasPrefix(text, "WEBVTT") || strings.ContainsAny(text, "\r\x00") {
			t.Errorf("%s is kept as %q", f.name, text)
		}
	}
}

// What is no WebVTT at all is refused as a whole.
func TestRefusedFiles(t *testing.T) {
	cue := func(n int) string { return fmt.Sprintf("00:00:00.%03d --> 00:00:01.000\n\n", n%1000) }
	full := "WEBVTT\n\n" + strings.Repeat(cue(0), 20_000)
	long := "WEBVTT\n\n00:01.000 --> 00:02.000\n"
	long += strings.Repeat("a", captions.MaxBytes-len(long))
	for _, c := range []struct {
		name, file, key string
		problems        int
	}{
		{"empty", "", "captions.not_webvtt", 0},
		{"another word", "WEBVTTS\n\n", "captions.not_webvtt", 0},
		{"SRT", "1\n00:00:01,000 --> 00:00:02,500\nCells\n", "captions.not_webvtt", 0},
		{"UTF-16", "\xff\xfeW\x00E\x00B\x00", "captions.not_utf8", 0},
		{"nothing in it", "WEBVTT\n\nNOTE nothing\n", "captions.no_cues", 0},
		{"as large as can be", long, "", 0},
		{"too large", long + "a", "captions.too_large", 0},
		{"as many as can be", full, "", 0},
		{"too many", full + cue(1), "", 1},
		{"all of it wrong", "WEBVTT\n\n" + strings.Repeat("1 --> 2\n\n", 1000), "", 20},
	} {
		_, _, problems, err := captions.Parse([]byte(c.file))
		f, _ := fault.Of(err)
		if (f == nil) != (c.key == "") || f != nil && f.Key != c.key || len(problems) != c.problems {
			t.Errorf("%s: %d problems, %v; want %d, %s", c.name, len(problems), err, c.problems, c.key)
		}
		if f != nil && f.Kind.Status() != http.StatusBadRequest && f.Kind.Status() != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d", c.name, f.Kind.Status())
		}
	}
}

// Nothing makes it panic, and what it kept it would keep again.
func FuzzParse(f *testing.F) {
	for _, c := range files {
		f.Add([]byte(c.file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		text, cues, problems, err := captions.Parse(file)
		if err != nil {
			return
		}
		again, cuesAgain, problemsAgain, err := captions.Parse([]byte(text))
		if err != nil || again != text || cuesAgain != cues || !slices.Equal(problems, problemsAgain) {
			t.Errorf("%q is kept as %q, which is read as %q with %d cues for %d: %v", file, text, again, cuesAgain, cues, err)
		}
	})
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]string{"en": "en", "EN-us": "en-US", "zh-hans": "zh-Hans", "ms": "ms", "": "", "no such language": "", "und": "", "x": ""} {
		got, err := captions.Language(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, l := range captions.Languages {
		if got, err := captions.Language(l.Tag); err != nil || got != l.Tag || captions.Name(got) != l.Name {
			t.Errorf("the offered %s is %q (%q), %v", l.Tag, got, captions.Name(got), err)
		}
	}
}
