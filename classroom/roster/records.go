package roster

import (
	"bytes"
	"errors"
	"io"

	"chalkcast/classroom/fault"
)

const (
	// maxRecord holds the longest line that keeps the limits of cells and columns, quotes and line ends included.
	maxRecord = MaxColumns * (MaxCell + 4)
	// maxRows is far more lines than people: cells may hold line ends, and spreadsheets write empty rows.
	maxRows = 5 * MaxPeople
)

// records hands a file to the CSV reader with one kind of line end, and stops where a line or their number passes all
// measure, before anybody takes memory for it.
type records struct {
	r      io.Reader
	head   []byte // read ahead to find the separator
	chunk  [4096]byte
	rest   []byte // of chunk
	err    error  // sticky
	cr     bool   // the byte before was CR
	quoted bool
	size   int // of the record so far
	row    int // rows begun
	start  int // the row on which the record began
}

func (s *records) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	return s.next(p)
}

// peekLine returns the first row that is not empty and leaves it to be read.
func (s *records) peekLine() ([]byte, error) {
	var ahead []byte
	var p [1024]byte
	for {
		n, err := s.next(p[:])
		ahead = append(ahead, p[:n]...)
		line := bytes.TrimLeft(ahead, "\n \t")
		if i := bytes.IndexByte(line, '\n'); i >= 0 || errors.Is(err, io.EOF) {
			s.head = ahead
			if i < 0 {
				i = len(line)
			}
			return line[:i], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// next fills p with what comes.
func (s *records) next(p []byte) (n int, err error) {
	for n < len(p) {
		if len(s.rest) == 0 {
			if n > 0 || s.err != nil {
				break
			}
			var got int
			got, s.err = s.r.Read(s.chunk[:])
			s.rest = s.chunk[:got]
			continue
		}
		b := s.rest[0]
		s.rest = s.rest[1:]
		after := s.cr
		s.cr = b == '\r'
		if b == '\n' && after {
			continue // CRLF is one line end
		}
		if s.cr {
			b = '\n'
		}
		if err := s.measure(b); err != nil {
			s.err, s.rest = err, nil
			return n, err
		}
		p[n] = b
		n++
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.err
}

// measure counts the record that b belongs to.
func (s *records) measure(b byte) error {
	if s.size++; s.size > maxRecord {
		return fault.Invalid("roster.line_long").With("Line", s.start+1)
	}
	switch b {
	case '"':
		s.quoted = !s.quoted
	case '\n':
		if s.row++; s.row > maxRows {
			return fault.Invalid("roster.too_many").With("Max", MaxPeople)
		}
		if !s.quoted {
			s.size, s.start = 0, s.row
		}
	}
	return nil
}
