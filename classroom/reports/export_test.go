package reports

import "io"

// WriteLines writes records as they are.
func WriteLines(w io.Writer, f Form, lines [][]string) error {
	t, err := newTable(w, f)
	if err != nil {
		return err
	}
	for _, cells := range lines {
		if err := t.head(cells); err != nil {
			return err
		}
	}
	return t.close()
}
