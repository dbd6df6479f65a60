package reports

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// aboutLine is one line of a workbook's second sheet: what is said, and in which words.
type aboutLine struct {
	name  string
	value value
}

// book is a workbook whose first sheet has its rows written while the file goes out: the library would keep 16 MiB of
// them, and a temporary file of the rest.
type book struct {
	file   *excelize.File
	styles map[kind]int
	bold   int
	sheet  string // the name of the first sheet
	width  int    // columns
}

// Columns are as wide as their headers, within these characters.
const (
	narrowest = 14
	widest    = 40
)

func newBook(title string) (*book, error) {
	b := &book{file: excelize.NewFile(), sheet: sheetName(title), styles: map[kind]int{}}
	err := b.file.SetSheetName("Sheet1", b.sheet)
	if err == nil {
		err = b.addStyles()
	}
	if err != nil {
		return nil, errors.Join(err, b.file.Close())
	}
	return b, nil
}

func (b *book) addStyles() (err error) {
	for _, f := range []struct {
		kind   kind
		format string
	}{{words, "@"}, {code, "@"}, {count, "0"}, {tenths, "0.0%"}, {length, "[h]:mm:ss"}, {moment, "yyyy-mm-dd hh:mm:ss"}, {day, "yyyy-mm-dd"}} {
		if b.styles[f.kind], err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &f.format}); err != nil {
			return err
		}
	}
	b.bold, err = b.file.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
	})
	return err
}

// head writes the header over so many rows. It stays on the screen while they move under it.
func (b *book) head(names []string, rows int) error {
	b.width = len(names)
	last, err := excelize.CoordinatesToCellName(b.width, rows+1)
	if err != nil {
		return err
	}
	right, err := excelize.CoordinatesToCellName(b.width, 1)
	if err != nil {
		return err
	}
	errs := []error{
		b.file.SetSheetRow(b.sheet, "A1", &names),
		b.file.SetCellStyle(b.sheet, "A1", right, b.bold),
		b.file.AutoFilter(b.sheet, "A1:"+last, nil),
		b.file.SetPanes(b.sheet, &excelize.Panes{
			Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
			Selection: []excelize.Selection{{SQRef: "A2", ActiveCell: "A2", Pane: "bottomLeft"}},
		}),
	}
	for i, n := range names {
		column, err := excelize.ColumnNumberToName(i + 1)
		w := float64(min(max(len([]rune(n))+4, narrowest), widest))
		errs = append(errs, err, b.file.SetColWidth(b.sheet, column, column, w))
	}
	return errors.Join(errs...)
}

// native is nil for a cell that is left out. Workbooks know no zones: what they hold is what the clock on the wall
// shows.
func (v value) native() any {
	switch v.kind {
	case words, code:
		if v.text == "" {
			return nil
		}
		return v.text
	case count:
		return v.n
	case tenths:
		return float64(v.n) / 1000
	case length:
		return float64(v.n) / (24 * 60 * 60) // in days; the library would round to what a float32 holds
	case moment, day:
		t := v.at
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	}
	return nil
}

// finish adds the sheet about the book and writes everything, the rows as they come.
func (b *book) finish(w io.Writer, title string, about []aboutLine, rows func(line func([]value) error) error) error {
	if err := b.addAbout(sheetName(title), about); err != nil {
		return err
	}
	// The library would collect the file in memory first. What it is given instead goes straight to w.
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter {
		return &bookZip{Writer: zip.NewWriter(w), rows: func(w io.Writer) error { return b.writeRows(w, rows) }}
	})
	return b.file.Write(io.Discard)
}

func (b *book) addAbout(title string, about []aboutLine) error {
	if title == b.sheet {
		title += " 2"
	}
	if _, err := b.file.NewSheet(title); err != nil {
		return err
	}
	wrapped, err := b.file.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top", Horizontal: "left"}})
	if err != nil {
		return err
	}
	errs := []error{b.file.SetColWidth(title, "A", "A", 28), b.file.SetColWidth(title, "B", "B", 80)}
	for i, l := range about {
		left, right := fmt.Sprintf("A%d", i+1), fmt.Sprintf("B%d", i+1)
		style := wrapped
		if l.value.kind == moment {
			style = b.styles[moment]
		}
		errs = append(errs,
			b.file.SetCellStr(title, left, l.name), b.file.SetCellStyle(title, left, left, b.bold),
			b.file.SetCellValue(title, right, l.value.native()), b.file.SetCellStyle(title, right, right, style))
	}
	return errors.Join(errs...)
}

// close frees what the library holds.
func (b *book) close() error { return b.file.Close() }

// sheetName is a title as tabs may have it: at most 31 characters, none of []:*?/\ and no apostrophe at its ends.
func sheetName(title string) string {
	title = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) {
			return ' '
		}
		return r
	}, title)
	if r := []rune(title); len(r) > 31 {
		title = string(r[:31])
	}
	return strings.Trim(title, "' ")
}
