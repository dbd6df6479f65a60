package reports

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// firstSheet is what the library calls the sheet that it begins with, and endOfRows what it writes behind its rows.
const (
	firstSheet = "xl/worksheets/sheet1.xml"
	endOfRows  = "</sheetData>"
)

// bookZip puts rows into the first sheet of a workbook on its way out.
type bookZip struct {
	*zip.Writer
	rows func(io.Writer) error
	err  error // of the rows; the library does not look at what a Write returns
}

// Create begins a part of the workbook.
func (z *bookZip) Create(part string) (io.Writer, error) {
	if z.err != nil {
		return nil, z.err
	}
	w, err := z.Writer.Create(part)
	if err != nil || part != firstSheet {
		return w, err
	}
	return sheetWriter{z, w}, nil
}

// sheetWriter is given the whole sheet, without its rows, at once.
type sheetWriter struct {
	zip *bookZip
	w   io.Writer
}

func (s sheetWriter) Write(sheet []byte) (int, error) {
	before, after, found := bytes.Cut(sheet, []byte(endOfRows))
	if !found {
		s.zip.err = io.ErrUnexpectedEOF
		return 0, s.zip.err
	}
	_, s.zip.err = s.w.Write(before)
	if s.zip.err == nil {
		s.zip.err = s.zip.rows(s.w)
	}
	if s.zip.err == nil {
		_, s.zip.err = s.w.Write(append([]byte(endOfRows), after...))
	}
	return len(sheet), s.zip.err
}

// writeRows writes rows as SpreadsheetML, from the second line of the sheet on (ECMA-376 part 1, section 18.3.1).
func (b *book) writeRows(w io.Writer, rows func(line func([]value) error) error) error {
	out := sheetRows{w: bufio.NewWriterSize(w, 32<<10), styles: map[kind]string{}, at: 1}
	for k, id := range b.styles {
		out.styles[k] = strconv.Itoa(id)
	}
	for i := range b.width {
		column, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		out.columns = append(out.columns, column)
	}
	if err := rows(out.line); err != nil {
		return err
	}
	return out.w.Flush()
}

type sheetRows struct {
	w       *bufio.Writer
	styles  map[kind]string
	columns []string
	at      int // the line written last
	number  []byte
}

func (r *sheetRows) line(cells []value) error {
	r.at++
	row := strconv.Itoa(r.at)
	r.write(`<row r="`, row, `">`)
	for i, c := range cells {
		r.cell(r.columns[i], row, c)
	}
	_, err := r.w.WriteString("</row>") // keeps the first error of all above
	return err
}

// cell writes a value as a workbook keeps it. Text is marked as text, so that no number is made of 00123, and no
// formula of =1. What is blank is left out.
func (r *sheetRows) cell(column, row string, v value) {
	content := v.native()
	if content == nil {
		return
	}
	r.write(`<c r="`, column, row, `" s="`, r.styles[v.kind])
	switch content := content.(type) {
	case string:
		r.write(`" t="inlineStr"><is><t xml:space="preserve">`)
		_ = xml.EscapeText(r.w, []byte(escapeCodes(content)))
		r.write("</t></is></c>")
		return
	case int64:
		r.number = strconv.AppendInt(r.number[:0], content, 10)
	case float64:
		r.number = strconv.AppendFloat(r.number[:0], content, 'f', -1, 64)
	case time.Time:
		r.number = strconv.AppendFloat(r.number[:0], serial(content), 'f', -1, 64)
	}
	r.write(`"><v>`)
	_, _ = r.w.Write(r.number)
	r.write("</v></c>")
}

func (r *sheetRows) write(texts ...string) {
	for _, t := range texts {
		_, _ = r.w.WriteString(t)
	}
}

// escapeCode is what programs read as another character.
var escapeCode = regexp.MustCompile(`^_x[0-9A-Fa-f]{4}_`)

// escapeCodes escapes each character that begins one.
func escapeCodes(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if text[i] == '_' && escapeCode.MatchString(text[i:]) {
			b.WriteString("_x005F")
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// dayZero is day 0 of workbooks from the first of March 1900 on: they count a 29 February of that year.
var dayZero = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// serial is what the clock on the wall shows as days since day zero.
func serial(t time.Time) float64 { return float64(t.Sub(dayZero)/time.Second) / (24 * 60 * 60) }
