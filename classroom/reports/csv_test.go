package reports_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/reports"
)

// write returns the bytes of a table of one line: x and a text cell.
func write(t testing.TB, f reports.Form, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := reports.WriteLines(&b, f, [][]string{{"x", reports.Escape(text)}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCells(t *testing.T) {
	b, err := os.ReadFile("testdata/csv_cells.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		CSV []struct {
			In   string
			Line string `json:"csv_line"`
		}
	}
	if err := json.Unmarshal(b, &f); err != nil || len(f.CSV) == 0 {
		t.Fatal(err, len(f.CSV))
	}
	for _, c := range f.CSV {
		if got := string(write(t, reports.Form{BOMLess: true}, c.In)); got != c.Line {
			t.Errorf("%q is written %q, want %q", c.In, got, c.Line)
		}
	}
}

func TestForms(t *testing.T) {
	for name, c := range map[string]struct {
		separator, bom, encoding string
		want                     string
	}{
		"default":   {"", "", "", "\xef\xbb\xbfx,\"é,;\"\r\n"},
		"no bom":    {"comma", "0", "utf-8", "x,\"é,;\"\r\n"},
		"semicolon": {"semicolon", "1", "", "\xef\xbb\xbfx;\"é,;\"\r\n"},
		"tab":       {"tab", "0", "", "x\té,;\r\n"},
		"utf-16":    {"", "", "utf-16le", "\xff\xfex\x00\t\x00\xe9\x00,\x00;\x00\r\x00\n\x00"},
	} {
		f, err := reports.ParseForm(c.separator, c.bom, c.encoding)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(write(t, f, "é,;")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, bad := range [][3]string{{"pipe", "", ""}, {"", "yes", ""}, {"", "", "latin-1"}, {"semicolon", "", "utf-16le"}} {
		if _, err := reports.ParseForm(bad[0], bad[1], bad[2]); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%v: %v, want it refused", bad, err)
		}
	}
}

// triggers is what makes a spreadsheet run a cell, written again here so that the test does not ask the code.
const triggers = "=+-@\t\r\n\x00−＝＋－＠"

func FuzzEscape(f *testing.F) {
	for _, text := range []string{
		"", "=1", "'=1", "''=1", " =1", "\u200b=1", "\ufeff@x", "\u3000＝1", "O'Neil", "'quoted'", "a\rb\r\nc\nd", "=cmd|' /C calc'!A0", "\t=1", "\x00=", "+49 30",
		"'", "' ", "مرحبا", "\"=1\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := reports.Escape(text)
		shown := strings.TrimLeft(cell, " \u00a0\u3000\u200b\ufeff") // as programs cut it
		if first, _ := utf8.DecodeRuneInString(shown); shown != "" && strings.ContainsRune(triggers, first) {
			t.Fatalf("%q is written as %q, which a spreadsheet may run", text, cell)
		}
		plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if got := reports.Unescape(cell); got != plain {
			t.Fatalf("%q is written as %q and read back as %q", text, cell, got)
		}
		lines, err := csv.NewReader(bytes.NewReader(write(t, reports.Form{BOMLess: true}, text))).ReadAll()
		if err != nil || len(lines) != 1 || len(lines[0]) != 2 || lines[0][1] != cell {
			t.Fatalf("%q: a reader sees %q, %v; want %q", text, lines, err, cell)
		}
	})
}
