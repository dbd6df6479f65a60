package reports

import (
	"io"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/courses"
)

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

// WriteCSV writes a register as the API does.
func WriteCSV(w io.Writer, s Subject, p Preset, f Form) error {
	who := Reader{Lang: "en", T: func(key string, _ map[string]any) string { return key }}
	return s.report(p, who, time.Time{}).write(w, Options{Preset: p, CSV: true, Form: f}, who, func() {})
}

// WriteXLSX writes a register as a workbook.
func WriteXLSX(w io.Writer, s Subject, p Preset, who Reader, now time.Time) error {
	return s.report(p, who, now).write(w, Options{Preset: p}, who, func() {})
}

// WriteMatrix writes a matrix in any format.
func WriteMatrix(w io.Writer, m *attendance.Matrix, o Options) error {
	who := Reader{Lang: "en", T: func(key string, _ map[string]any) string { return key }}
	m.Course = courses.Course{Code: "BIO", Zone: time.UTC}
	return matrixReport(m, "School", who, time.Time{}).write(w, o, who, func() {})
}
