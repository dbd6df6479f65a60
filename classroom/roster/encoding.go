package roster

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"chalkcast/classroom/fault"
)

// Encodings are those that a file may have, by the names that people know them by. The first four are found out; the
// others look like GB18030 to a program, so a person names them who sees that the names are wrong.
var Encodings = []string{"UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "Shift_JIS", "Windows-1252"}

func decoder(name string) encoding.Encoding {
	switch name {
	case "UTF-8":
		return unicode.UTF8BOM
	case "UTF-16LE":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "UTF-16BE":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case "GB18030":
		return simplifiedchinese.GB18030
	case "Shift_JIS":
		return japanese.ShiftJIS
	case "Windows-1252":
		return charmap.Windows1252
	}
	return nil
}

// decode returns the encoding and the text in UTF-8, without byte order mark.
func decode(b []byte, name string) (string, io.Reader, error) {
	if name == "" {
		name = detect(b)
	}
	e := decoder(name)
	if e == nil {
		return "", nil, fault.Invalid("roster.encoding").At("encoding")
	}
	return name, e.NewDecoder().Reader(bytes.NewReader(b)), nil
}

// detect finds out the encoding; "" for none that can be found out.
func detect(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "UTF-8"
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return "UTF-16LE"
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "UTF-16BE"
	}
	if name := byZeros(b[:min(len(b), 1024)]); name != "" {
		return name
	}
	if utf8.Valid(b) {
		return "UTF-8"
	}
	if decodes(b, simplifiedchinese.GB18030) {
		return "GB18030"
	}
	return ""
}

// byZeros knows UTF-16 without a mark by the separators and line ends of the headings: one of their two bytes is 0.
func byZeros(b []byte) string {
	var zeros [2]int
	for i, c := range b {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch quarter := len(b) / 8; { // half of each pair, and Chinese headings have few
	case zeros[1] > quarter && zeros[0] <= zeros[1]/8:
		return "UTF-16LE"
	case zeros[0] > quarter && zeros[1] <= zeros[0]/8:
		return "UTF-16BE"
	}
	return ""
}

// decodes reports whether every byte means something in e.
func decodes(b []byte, e encoding.Encoding) bool {
	var out [4096]byte
	d := e.NewDecoder()
	for len(b) > 0 {
		n, used, err := d.Transform(out[:], b, true)
		if bytes.ContainsRune(out[:n], utf8.RuneError) || err != nil && !errors.Is(err, transform.ErrShortDst) {
			return false
		}
		b = b[used:]
	}
	return true
}
