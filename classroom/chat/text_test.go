package chat_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chalkcast/classroom/chat"
	"chalkcast/classroom/fault"
)

// SEC-53: whatever somebody writes is text on one line, or refused.
func TestLine(t *testing.T) {
	for _, c := range []struct{ text, want, key string }{
		{"  What is a cell?\n", "What is a cell?", ""},
		{"one\r\n\ttwo\u2028three\u2029four", "one two three four", ""},
		{"Zoe\u0308", "Zoë", ""},
		{"<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>", ""},
		{"👩‍👩‍👧 🇲🇾 ✋🏽", "👩‍👩‍👧 🇲🇾 ✋🏽", ""},
		{"\u2067مرحبا\u2069 abc\u202e", "مرحبا abc", ""},
		{"क्षि 한국어 ไม่", "क्षि 한국어 ไม่", ""},
		{strings.Repeat("é", 500), strings.Repeat("é", 500), ""},
		{strings.Repeat("字", 500), strings.Repeat("字", 500), ""},
		{"", "", "field.missing"},
		{" \u3000\u00a0\n", "", "field.missing"},
		{"\u200b\u200d\u2060\ufeff\u00ad", "", "field.missing"},
		{"\u3164\u115f\u2800", "", "field.missing"},
		{"\u202e\u202c", "", "field.missing"},
		{"\u0301\u0301", "", "field.missing"},
		{"a\x00b", "", "field.bad_text"},
		{"a\x1b[2Jb", "", "field.bad_text"},
		{"\xed\xa0\xbd\xed\xb8\x80", "", "field.bad_text"}, // an emoji in halves
		{"e" + strings.Repeat("\u0323", 8), "ẹ" + strings.Repeat("\u0323", 7), ""},
		{"e" + strings.Repeat("\u0301", 500), "", "field.bad_text"},
		{strings.Repeat("a", 501), "", "field.too_long"},
		{strings.Repeat("👩", 500), strings.Repeat("👩", 500), ""},
		{strings.Repeat("👩", 501), "", "field.too_long"},
		{strings.Repeat("a", 64<<10), "", "field.too_long"},
	} {
		got, err := chat.Line("text", c.text, 500)
		f, _ := fault.Of(err)
		if c.key == "" && (err != nil || got != c.want) || c.key != "" && (f == nil || f.Key != c.key || f.Field != "text") {
			t.Errorf("Line(%.40q) = %.40q, %v; want %.40q %s", c.text, got, err, c.want, c.key)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"What?", "a\u202eb", "e\u0301\u0301", "\xff", "👩‍👩‍👧", "\u200b", "a\n\nb", "e\u202a\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := chat.Line("text", text, 500)
		if err != nil {
			return
		}
		if !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || utf8.RuneCountInString(got) > 500 || len(got) > 2048 || strings.TrimSpace(got) != got || got == "" {
			t.Errorf("Line(%q) = %q", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u2028' {
				t.Errorf("Line(%q) keeps %U", text, r)
			}
		}
		if again, err := chat.Line("text", got, 500); err != nil || again != got {
			t.Errorf("Line is not at rest: %q, then %q, %v", got, again, err)
		}
	})
}
