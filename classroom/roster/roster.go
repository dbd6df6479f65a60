package roster

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"chalkcast/classroom/fault"
)

// The limits of a file (SEC-71).
const (
	MaxBytes   = 5 << 20
	MaxPeople  = 20_000
	MaxColumns = 32
	MaxCell    = 4 << 10 // bytes

	// MaxMistakes is how many mistakes are kept in words; the others are counted.
	MaxMistakes = 1000
)

// File is what was read.
type File struct {
	Encoding  string   // as in Encodings
	Separator rune     // comma, semicolon or tab
	Columns   []Column // in the order of the file
	Lines     []Line
	Mistakes  Mistakes
}

// Column is a heading and what it was taken for.
type Column struct {
	Heading string
	Means   string // email, given_name, …; empty: left out
}

// Line is one person. Cells are as the file has them, without spaces around; a column that the file does not have is
// empty.
type Line struct {
	N          int // where it begins in the file, from 1
	Email      string
	GivenName  string
	FamilyName string
	Name       string // of a single column for the whole name
	StudentID  string
	Group      string
	Role       string
}

// Mistake is a line that cannot be used, and why in words; the fault's field names the column.
type Mistake struct {
	Line  int
	Fault *fault.Fault
}

// Mistakes keeps the first MaxMistakes and counts the others.
type Mistakes struct {
	List []Mistake
	N    int
}

// Add notes one more.
func (m *Mistakes) Add(line int, f *fault.Fault) {
	m.N++
	if len(m.List) < MaxMistakes {
		m.List = append(m.List, Mistake{line, f})
	}
}

// Clone returns mistakes to which more can be added.
func (m Mistakes) Clone() Mistakes { return Mistakes{slices.Clone(m.List), m.N} }

// Read reads a file in one of Encodings, or in the one that it seems to have when encoding is empty. It is a fault when
// nothing of it can be used.
func Read(b []byte, encoding string) (*File, error) {
	if len(b) > MaxBytes {
		return nil, fault.TooLarge("roster.too_large").With("MiB", MaxBytes>>20)
	}
	encoding, text, err := decode(b, encoding)
	if err != nil {
		return nil, err
	}
	f := &File{Encoding: encoding}
	in := &records{r: text}
	head, err := in.peekLine()
	if err != nil {
		return nil, err
	}
	f.Separator = separator(head)
	r := csv.NewReader(in)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = f.Separator, -1, true
	place, err := f.readHead(r)
	if err != nil {
		return nil, err
	}
	if err := f.readLines(r, place); err != nil {
		return nil, err
	}
	if len(f.Lines) == 0 && f.Mistakes.N == 0 {
		return nil, fault.Invalid("roster.empty")
	}
	return f, nil
}

// readHead understands the headings. place holds for each column what it means.
func (f *File) readHead(r *csv.Reader) (place []string, err error) {
	cells, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.Invalid("roster.empty")
	}
	if whole, ok := fault.Of(err); ok {
		return nil, whole
	}
	if err != nil {
		return nil, fault.Invalid("roster.quote").With("Line", 1).Because(err)
	}
	if len(cells) > MaxColumns {
		return nil, fault.Invalid("roster.columns").With("Max", MaxColumns)
	}
	seen := map[string]bool{}
	for _, heading := range cells {
		heading = strings.TrimSpace(strings.ToValidUTF8(heading, "\ufffd"))
		means := headings[plain(heading)]
		if means != "" && seen[means] {
			return nil, fault.Invalid("roster.column_twice").With("Heading", short(heading))
		}
		seen[means] = true
		f.Columns = append(f.Columns, Column{short(heading), means})
		place = append(place, means)
	}
	if !seen["email"] && !seen["student_id"] {
		return nil, fault.Invalid("roster.no_key_column")
	}
	return place, nil
}

// short keeps a heading fit for a page: nobody needs to see more of a cell of 4 KiB.
func short(heading string) string {
	if utf8.RuneCountInString(heading) <= 60 {
		return heading
	}
	return string([]rune(heading)[:60]) + "…"
}

// readLines reads the people. The error is a fault about the whole file.
func (f *File) readLines(r *csv.Reader, place []string) error {
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			f.Mistakes.Add(wrong.StartLine, fault.Invalid("roster.quote").With("Line", wrong.StartLine))
			continue
		}
		if err != nil {
			return err
		}
		if blank(cells) {
			continue
		}
		if len(f.Lines)+f.Mistakes.N >= MaxPeople {
			return fault.Invalid("roster.too_many").With("Max", MaxPeople)
		}
		n, _ := r.FieldPos(0)
		line, wrong := readLine(n, cells, place)
		if wrong != nil {
			f.Mistakes.Add(n, wrong)
			continue
		}
		f.Lines = append(f.Lines, line)
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

func readLine(n int, cells, place []string) (Line, *fault.Fault) {
	line := Line{N: n}
	for i, cell := range cells {
		if len(cell) > MaxCell {
			return line, fault.Invalid("roster.cell_long").With("KiB", MaxCell>>10)
		}
		cell = strings.TrimSpace(cell)
		if i >= len(place) {
			if cell != "" {
				return line, fault.Invalid("roster.more_cells")
			}
			continue
		}
		if place[i] == "" {
			continue
		}
		// A sign in the place of what could not be decoded is nobody's name.
		if !utf8.ValidString(cell) || strings.ContainsRune(cell, utf8.RuneError) {
			return line, fault.Invalid("roster.lost_letters").At(place[i])
		}
		line.set(place[i], cell)
	}
	return line, nil
}

func (l *Line) set(column, cell string) {
	switch column {
	case "email":
		l.Email = cell
	case "given_name":
		l.GivenName = cell
	case "family_name":
		l.FamilyName = cell
	case "name":
		l.Name = cell
	case "student_id":
		l.StudentID = cell
	case "group":
		l.Group = cell
	case "role":
		l.Role = cell
	}
}

// separator returns what stands between the headings: the sign that is there most often outside quotes.
func separator(head []byte) rune {
	count := map[byte]int{}
	quoted := false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if !quoted && strings.IndexByte(",;\t", b) >= 0 {
			count[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte(";\t") {
		if count[b] > count[best] {
			best = b
		}
	}
	return rune(best)
}
