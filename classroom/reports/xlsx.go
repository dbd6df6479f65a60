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

// sheet is the first sheet of a workbook. It goes to a temporary file when it grows, and no two sheets of a book
// are written so: their order in the file would be left to chance.
type sheet struct {
	book   *excelize.File
	stream *excelize.StreamWriter
	styles map[kind]int
	bold   int
	name   string
	cells  []any
	rows   int
	width  int // columns
}

// Columns are as wide as their headers, within these characters.
const (
	narrowest = 14
	widest    = 40
)

func newSheet(title string) (*sheet, error) {
	book := excelize.NewFile()
	s := &sheet{book: book, name: sheetName(title), styles: map[kind]int{}}
	err := book.SetSheetName("Sheet1", s.name)
	if err == nil {
		err = s.addStyles()
	}
	if err == nil {
		s.stream, err = book.NewStreamWriter(s.name)
	}
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return s, nil
}

func (s *sheet) addStyles() (err error) {
	for _, f := range []struct {
		kind   kind
		format string
	}{{words, "@"}, {code, "@"}, {count, "0"}, {tenths, "0.0%"}, {length, "[h]:mm:ss"}, {moment, "yyyy-mm-dd hh:mm:ss"}, {day, "yyyy-mm-dd"}} {
		if s.styles[f.kind], err = s.book.NewStyle(&excelize.Style{CustomNumFmt: &f.format}); err != nil {
			return err
		}
	}
	s.bold, err = s.book.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
	})
	return err
}

// head writes the header, which stays on the screen while the rows move under it.
func (s *sheet) head(names []string) error {
	s.width = len(names)
	for i, n := range names {
		w := float64(min(max(len([]rune(n))+4, narrowest), widest))
		if err := s.stream.SetColWidth(i+1, i+1, w); err != nil {
			return err
		}
	}
	err := s.stream.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
		Selection: []excelize.Selection{{SQRef: "A2", ActiveCell: "A2", Pane: "bottomLeft"}},
	})
	if err != nil {
		return err
	}
	s.cells = s.cells[:0]
	for _, n := range names {
		s.cells = append(s.cells, excelize.Cell{StyleID: s.bold, Value: n})
	}
	return s.row()
}

func (s *sheet) line(cells []value) error {
	s.cells = s.cells[:0]
	for _, c := range cells {
		s.cells = append(s.cells, s.cell(c))
	}
	return s.row()
}

func (s *sheet) row() error {
	s.rows++
	return s.stream.SetRow(fmt.Sprintf("A%d", s.rows), s.cells)
}

// cell is a value as a workbook keeps it. Text is marked as text, so that no number is made of 00123, and no
// formula of =1.
func (s *sheet) cell(v value) any {
	content := v.native()
	if content == nil {
		return nil
	}
	return excelize.Cell{StyleID: s.styles[v.kind], Value: content}
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

// finish adds the sheet about the book and writes everything.
func (s *sheet) finish(w io.Writer, title string, about []aboutLine) error {
	last, err := excelize.CoordinatesToCellName(s.width, max(s.rows, 1))
	if err != nil {
		return err
	}
	if err := s.book.AutoFilter(s.name, "A1:"+last, nil); err != nil {
		return err
	}
	if err := s.stream.Flush(); err != nil {
		return err
	}
	if err := s.addAbout(sheetName(title), about); err != nil {
		return err
	}
	// The library would collect the file in memory first. What it is given instead goes straight to w.
	s.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) })
	return s.book.Write(io.Discard)
}

func (s *sheet) addAbout(title string, about []aboutLine) error {
	if title == s.name {
		title += " 2"
	}
	if _, err := s.book.NewSheet(title); err != nil {
		return err
	}
	wrapped, err := s.book.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top", Horizontal: "left"}})
	if err != nil {
		return err
	}
	errs := []error{s.book.SetColWidth(title, "A", "A", 28), s.book.SetColWidth(title, "B", "B", 80)}
	for i, l := range about {
		a, b := fmt.Sprintf("A%d", i+1), fmt.Sprintf("B%d", i+1)
		style := wrapped
		if l.value.kind == moment {
			style = s.styles[moment]
		}
		errs = append(errs,
			s.book.SetCellStr(title, a, l.name), s.book.SetCellStyle(title, a, a, s.bold),
			s.book.SetCellValue(title, b, l.value.native()), s.book.SetCellStyle(title, b, b, style))
	}
	return errors.Join(errs...)
}

// close removes what the sheet left on disk.
func (s *sheet) close() error { return s.book.Close() }

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
