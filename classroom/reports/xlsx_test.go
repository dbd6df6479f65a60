package reports_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/reports"
	"chalkcast/templates"
)

// names are whom a workbook must bring through any office program.
var names = []string{"Zoë Álvarez", "@ana", "王小明", "محمد", "Ольга Иванова", "田中 さくら"}

func reader(t testing.TB, lang string) reports.Reader {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return reports.Reader{ID: 9, Name: "Ada Teacher", Lang: lang, T: func(key string, data map[string]any) string { return set.T(lang, key, data) }}
}

var made = time.Date(2026, 10, 27, 7, 30, 0, 0, time.UTC)

// book is the sample with names in two more scripts.
func book(t testing.TB, lang string, p reports.Preset) []byte {
	t.Helper()
	s := sample(t)
	s.Register.Policy = attendance.DefaultPolicy()
	for i, name := range names[4:] {
		row := s.Register.Rows[3]
		row.ID, row.Name, row.Number = row.ID+1, name, "000"+string(rune('1'+i))
		s.Register.Rows = append(s.Register.Rows, row)
	}
	var b bytes.Buffer
	if err := reports.WriteXLSX(&b, s, p, reader(t, lang), made); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The two sentences about the policy stand as they would on a page.
func TestWorkbookPolicy(t *testing.T) {
	for lang, want := range map[string]string{"en": ". ", "zh-Hans": "。", "ja": "。"} {
		f := open(t, book(t, lang, reports.Full))
		rows, err := f.GetRows(f.GetSheetList()[1])
		if err != nil {
			t.Fatal(err)
		}
		who := reader(t, lang)
		p := attendance.DefaultPolicy()
		second := who.T("policy.makeup", map[string]any{"Percent": p.MakeupPct, "N": p.MakeupDays})
		found := slices.ContainsFunc(slices.Concat(rows...), func(cell string) bool {
			first, ok := strings.CutSuffix(cell, strings.ReplaceAll(second, "\u00a0", " "))
			return ok && first != "" && strings.HasSuffix(first, want)
		})
		if !found {
			t.Errorf("%s: no cell ends with %q behind %q: %q", lang, second, want, rows)
		}
	}
}

func TestWorkbook(t *testing.T) {
	f := open(t, book(t, "en", reports.Full))
	if got := f.GetSheetList(); len(got) != 2 || got[0] != "Register" || got[1] != "About" {
		t.Fatalf("sheets %q", got)
	}
	rows, err := f.GetRows("Register")
	if err != nil || len(rows) != 7 {
		t.Fatal(err, len(rows))
	}
	column := map[string]string{}
	for i, name := range rows[0] {
		column[name], _ = excelize.ColumnNumberToName(i + 1)
	}
	if len(column) != 39 {
		t.Errorf("%d columns, want 39 with names of their own: %q", len(column), rows[0])
	}
	for _, c := range []struct{ name, row, shown, raw string }{
		{"Student number", "2", "00123", "00123"},
		{"Family name", "3", `=HYPERLINK("http://x")`, `=HYPERLINK("http://x")`}, // as it was written, and as text
		{"Date", "2", "2026-10-26", "46321"},
		{"Joined", "2", "2026-10-26 08:58:48", ""}, // the clock on the wall in Berlin
		{"Time in class", "2", "0:43:30", ""},
		{"Percent in class", "2", "100.0%", "1"},
		{"Minutes in class", "3", "40", "40"},
		{"Minutes late", "4", "", ""}, // was never there
		{"Note", "3", "Fever,\nsent home", "Fever,\nsent home"},
	} {
		cell := column[c.name] + c.row
		if got, err := f.GetCellValue("Register", cell); got != c.shown || err != nil {
			t.Errorf("%s of row %s shows %q (%v), want %q", c.name, c.row, got, err, c.shown)
		}
		if got, _ := f.GetCellValue("Register", cell, excelize.Options{RawCellValue: true}); c.raw != "" && got != c.raw {
			t.Errorf("%s of row %s holds %q, want %q", c.name, c.row, got, c.raw)
		}
	}
	for name, want := range map[string]excelize.CellType{
		"Student number": excelize.CellTypeInlineString, "Family name": excelize.CellTypeInlineString, "Time in class": excelize.CellTypeNumber,
	} {
		if got, err := f.GetCellType("Register", column[name]+"3"); err != nil || (got != want && got != excelize.CellTypeUnset) {
			t.Errorf("%s is of type %v, want %v", name, got, want)
		}
		if formula, _ := f.GetCellFormula("Register", column[name]+"3"); formula != "" {
			t.Errorf("%s holds the formula %q", name, formula)
		}
	}
	if p, err := f.GetPanes("Register"); err != nil || !p.Freeze || p.YSplit != 1 {
		t.Errorf("panes %+v, %v: the header does not stay", p, err)
	}
	about, err := f.GetRows("About")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, line := range about {
		text += strings.Join(line, ": ") + "\n"
	}
	for _, want := range []string{
		"Present is from 75% of the counted time", "Europe/Berlin", "2026-10-27 08:30:00", "Ada Teacher", "Closed, version 1", "register.v1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the second sheet does not say %q:\n%s", want, text)
		}
	}
}

// TestWorkbookText brings every text through a workbook as it was written, also what looks like a part of one.
func TestWorkbookText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<b>&\"'", "<b>&\"'"},
		{" two  blanks ", " two  blanks "},
		{"a\tb\nc", "a\tb\nc"},
		{"_x0041_x0042_", "_x0041_x0042_"}, // programs read AB in this one
		{"_x005F_x00zz_", "_x005F_x00zz_"},
		{"a_xylophone_", "a_xylophone_"},
		{"bell\a", "bell\ufffd"}, // XML has no such character
	} {
		s := sample(t)
		s.Register.Rows[0].Section = c.text
		var b bytes.Buffer
		if err := reports.WriteXLSX(&b, s, reports.Full, reader(t, "en"), made); err != nil {
			t.Fatal(err)
		}
		if got, err := open(t, b.Bytes()).GetCellValue("Register", "R2"); err != nil || got != c.want {
			t.Errorf("%q is read back as %q (%v), want %q", c.text, got, err, c.want)
		}
	}
}

// full is a disk or a connection that takes only so many bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestWorkbookCut says so when a workbook could not be written whole, wherever it was cut.
func TestWorkbookCut(t *testing.T) {
	size := len(book(t, "en", reports.Full))
	for left := 0; left < size; left += size / 20 {
		if err := reports.WriteXLSX(&full{left}, sample(t), reports.Full, reader(t, "en"), made); err == nil && left < size*9/10 {
			t.Errorf("%d bytes of some %d were taken, and nobody heard of it", left, size)
		}
	}
}

// TestWorkbookOfReader has headers in the reader's language, and the same bytes each time.
func TestWorkbookOfReader(t *testing.T) {
	b := book(t, "ja", reports.Short)
	rows, err := open(t, b).GetRows("出席簿")
	if err != nil || len(rows) == 0 || rows[0][0] != "学籍番号" || len(rows[0]) != 11 {
		t.Fatalf("%q, %v", rows, err)
	}
	if !bytes.Equal(b, book(t, "ja", reports.Short)) {
		t.Error("the same register is not the same file")
	}
}

// convert has LibreOffice open a file and say what it sees in it.
func convert(t *testing.T, name string, content []byte, filter, to string) [][]string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := []string{"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless"}
	if filter != "" {
		args = append(args, "--infilter="+filter)
	}
	cmd := exec.CommandContext(ctx, "soffice", append(args, "--convert-to", to, "--outdir", filepath.Join(dir, "out"), filepath.Join(dir, name))...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(dir, "out", "*.csv"))
	if err != nil || len(made) != 1 {
		t.Fatalf("LibreOffice made %q, %v", made, err)
	}
	b, err := os.ReadFile(made[0])
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// asShown is a filter of LibreOffice for CSV in UTF-8, cells as they are shown.
const asShown = "44,34,76,1,,0,false,true"

// TestLibreOffice opens both kinds of file in the office program that schools have.
func TestLibreOffice(t *testing.T) {
	if _, err := exec.LookPath("soffice"); err != nil {
		t.Skip("LibreOffice is not here; testing/install.sh installs it")
	}
	lines := convert(t, "register.xlsx", book(t, "en", reports.Full), "", "csv:Text - txt - csv (StarCalc):"+asShown)
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	for i, want := range names {
		if got := lines[i+1][column["Shown name"]]; got != want {
			t.Errorf("student %d is called %q, want %q", i, got, want)
		}
	}
	for name, want := range map[string][2]string{
		"Student number": {"00123", "+49"}, "Date": {"2026-10-26", "2026-10-26"}, "Time in class": {"0:43:30", "0:31:58"},
		"Joined": {"2026-10-26 08:58:48", "2026-10-26 09:12:01"}, "Percent in class": {"100.0%", "73.4%"},
		"Family name": {"Álvarez", `=HYPERLINK("http://x")`},
	} {
		for i, w := range want {
			if got := lines[i+1][column[name]]; got != w {
				t.Errorf("%s of student %d is shown as %q, want %q", name, i, got, w)
			}
		}
	}

	var b bytes.Buffer
	if err := reports.WriteCSV(&b, sample(t), reports.Full, reports.Form{}); err != nil {
		t.Fatal(err)
	}
	lines = convert(t, "register.csv", b.Bytes(), "Text - txt - csv (StarCalc):44,34,76,1", "csv:Text - txt - csv (StarCalc):"+asShown)
	if len(lines) != 5 || lines[0][0] != "school" {
		t.Fatalf("%d lines, the first is %q", len(lines), lines[0])
	}
	for i, want := range []string{"Zoë Álvarez", "'@ana", "王小明", "محمد"} {
		if got := lines[i+1][15]; got != want {
			t.Errorf("student %d of the CSV is called %q, want %q", i, got, want)
		}
	}
	if got := lines[2][13]; got != `'=HYPERLINK("http://x")` {
		t.Errorf("a name like a formula is shown as %q", got)
	}
}
