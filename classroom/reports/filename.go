package reports

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFileName keeps names short enough for every file system, extension and all.
const maxFileName = 100

// disposition makes a browser save an answer under name (RFC 6266); the plain one is for programs that do not read
// RFC 5987. What no file name may hold becomes a space.
func disposition(name, plain, extension string) string {
	return `attachment; filename="` + plain + extension + `"; filename*=UTF-8''` + percentEncode(fileName(name)+extension)
}

// fileName cuts name down to what every system can store.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, r) {
			return ' '
		}
		return r
	}, name)
	clean = strings.Trim(strings.Join(strings.Fields(clean), " "), ". ")
	for len(clean) > maxFileName {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	if clean == "" {
		return "register"
	}
	return clean
}

// percentEncode leaves only attr-char of RFC 5987 as it is.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
