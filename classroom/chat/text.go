package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chalkcast/classroom/fault"
)

const (
	maxRunes = 500
	maxBytes = 2 << 10
	maxMarks = 8 // combining marks on one character; more draw over the lines around
)

// Line returns text as it is kept and shown: NFC, one line, spaces in place of breaks, without the characters that
// turn the text around them. Errors are faults about field: nothing that can be seen, longer than max characters or
// 2 KiB, characters that cannot be kept.
func Line(field, text string, max int) (string, error) {
	if len(text) > 4*maxBytes {
		return "", fault.Invalid("field.too_long").At(field)
	}
	if !utf8.ValidString(text) {
		return "", fault.Invalid("field.bad_text").At(field)
	}
	var b strings.Builder
	marks, seen, space := 0, false, false
	for _, r := range norm.NFC.String(text) {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case turns(r):
			continue
		case unicode.IsControl(r), r == utf8.RuneError:
			return "", fault.Invalid("field.bad_text").At(field)
		}
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		if marks > maxMarks {
			return "", fault.Invalid("field.bad_text").At(field)
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		seen = seen || visible(r)
	}
	// What was taken out may have kept two characters apart that are one.
	line := norm.NFC.String(b.String())
	switch {
	case !seen:
		return "", fault.Invalid("field.missing").At(field)
	case len(line) > maxBytes, utf8.RuneCountInString(line) > max:
		return "", fault.Invalid("field.too_long").At(field)
	}
	return line, nil
}

// turns reports the characters that set the direction of what follows. Marks of direction (U+200E, U+200F) only
// stand between letters and stay.
func turns(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// visible reports whether a character alone shows something: no space, no joiner, no mark, none of the fillers that
// are letters by name and empty to the eye.
func visible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return false
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}
