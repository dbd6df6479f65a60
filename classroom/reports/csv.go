package reports

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	utf16 "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"chalkcast/classroom/fault"
)

// Form is how a table is written as text. The zero value is what most spreadsheets want: commas, UTF-8 with a
// byte order mark.
type Form struct {
	Comma   rune // ',' ';' or '\t'; 0 is a comma
	BOMLess bool
	UTF16   bool // little endian with a byte order mark, fields separated by tabs
}

// ParseForm reads the options of a download: separator (comma, semicolon, tab), bom (1, 0) and encoding (utf-8,
// utf-16le). What is empty is the default; anything else is a fault about the option.
func ParseForm(separator, bom, encoding string) (Form, error) {
	var f Form
	switch separator {
	case "", "comma":
	case "semicolon":
		f.Comma = ';'
	case "tab":
		f.Comma = '\t'
	default:
		return f, fault.Invalid("report.separator").At("separator")
	}
	switch bom {
	case "", "1":
	case "0":
		f.BOMLess = true
	default:
		return f, fault.Invalid("report.bom").At("bom")
	}
	switch encoding {
	case "", "utf-8":
	case "utf-16le":
		f.UTF16 = true
		if separator != "" && separator != "tab" {
			return f, fault.Invalid("report.separator").At("separator") // spreadsheets read UTF-16 with tabs only
		}
		f.Comma = '\t'
	default:
		return f, fault.Invalid("report.encoding").At("encoding")
	}
	return f, nil
}

// table writes records as RFC 4180 says, with CRLF at the end of each line.
type table struct {
	csv    *csv.Writer
	end    func() error
	record []string
}

func newTable(w io.Writer, f Form) (*table, error) {
	end := func() error { return nil }
	if f.UTF16 {
		policy := utf16.UseBOM
		if f.BOMLess {
			policy = utf16.IgnoreBOM
		}
		t := transform.NewWriter(w, utf16.UTF16(utf16.LittleEndian, policy).NewEncoder())
		w, end = t, t.Close
	} else if !f.BOMLess {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, err
		}
	}
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if f.Comma != 0 {
		c.Comma = f.Comma
	}
	return &table{csv: c, end: end}, nil
}

// head writes a record of texts that need no escaping.
func (t *table) head(names []string) error { return t.csv.Write(names) }

func (t *table) line(cells []value) error {
	t.record = t.record[:0]
	for _, c := range cells {
		t.record = append(t.record, c.csv())
	}
	return t.csv.Write(t.record)
}

func (t *table) close() error {
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return err
	}
	return t.end()
}

// Escape makes text harmless in a spreadsheet: what could be a formula gets an apostrophe before it. So does what
// would look like the result of that, so that Unescape gives back every text. Line ends become \n, which the
// table writes as CRLF.
func Escape(text string) string {
	text = lineEnds.Replace(text)
	if formulaLike(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// Unescape is the text that Escape was given, its line ends apart.
func Unescape(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && formulaLike(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// formulaLike reports whether a spreadsheet may run text: it begins with one of the signs, or hides one behind
// blanks that programs cut off.
func formulaLike(text string) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch r {
		case '=', '+', '-', '@', '\t', '\r', '\n', 0, '−', '＝', '＋', '－', '＠':
			return true
		}
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) {
			return false
		}
		text = text[size:]
	}
	return false
}
