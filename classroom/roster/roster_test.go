package roster_test

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
)

const head = "email,given_name,family_name,student_id,group,role\n"

func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func utf16(order unicode.Endianness, mark unicode.BOMPolicy) encoding.Encoding {
	return unicode.UTF16(order, mark)
}

// files is every kind of file with one line in it: Eva 王's.
func files(t testing.TB) map[string]string {
	const plain = "student_id,given_name,family_name\n007,Eva,王\n"
	return map[string]string{
		"UTF-8":                    plain,
		"UTF-8 with a mark":        "\ufeff" + plain,
		"UTF-16LE with a mark":     encode(t, utf16(unicode.LittleEndian, unicode.UseBOM), plain),
		"UTF-16BE with a mark":     encode(t, utf16(unicode.BigEndian, unicode.UseBOM), plain),
		"UTF-16LE without a mark":  encode(t, utf16(unicode.LittleEndian, unicode.IgnoreBOM), plain),
		"UTF-16BE without a mark":  encode(t, utf16(unicode.BigEndian, unicode.IgnoreBOM), plain),
		"GB18030":                  encode(t, simplifiedchinese.GB18030, plain),
		"semicolons":               "student_id;given_name;family_name\n007;Eva;王\n",
		"tabs":                     "student_id\tgiven_name\tfamily_name\n007\tEva\t王\n",
		"a comma in a heading":     "\"Student, ID\";Given name;Family name\n007;Eva;王\n",
		"CRLF":                     strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR alone":                 strings.ReplaceAll(plain, "\n", "\r"),
		"no line end at the end":   strings.TrimSpace(plain),
		"quotes":                   "\"student_id\",\"given_name\",\"family_name\"\n\"007\",\"Eva\",\"王\"\n",
		"empty lines":              "\n\n" + plain + "\n,,\n  ,\t,\n\n",
		"spaces":                   " Student ID , GIVEN-NAME,Family Name \n 007 , Eva,王\u3000\n",
		"any order, other columns": "Nr.,Family name,Tutor,E-mail,Given name,Student ID\n1,王,X,,Eva,007\n",
		"Chinese":                  "学号,名,姓\n007,Eva,王\n",
		"Japanese":                 "学籍番号,名,姓,メールアドレス\n007,Eva,王,\n",
		"Indonesian":               "NISN;Nama Depan;Nama Belakang\n007;Eva;王\n",
		"Malay":                    "No. Pelajar;Nama Pertama;Nama Akhir\n007;Eva;王\n",
		"wide letters":             "ｓｔｕｄｅｎｔ＿ｉｄ,ｇｉｖｅｎ　ｎａｍｅ,ｆａｍｉｌｙ　ｎａｍｅ\n007,Eva,王\n",
		"fewer cells":              "student_id,given_name,family_name,group,role\n007,Eva,王\n",
	}
}

func TestFiles(t *testing.T) {
	for what, text := range files(t) {
		f, err := roster.Read([]byte(text), "")
		if err != nil || f.Mistakes.N > 0 || len(f.Lines) != 1 {
			t.Errorf("%s: %+v, %v", what, f, err)
			continue
		}
		got := f.Lines[0]
		got.N = 0
		if want := (roster.Line{StudentID: "007", GivenName: "Eva", FamilyName: "王"}); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if name, _, _ := strings.Cut(what, " "); strings.HasPrefix(name, "UTF") && f.Encoding != name || name == "GB18030" && f.Encoding != name {
			t.Errorf("%s: taken for %s", what, f.Encoding)
		}
	}
}

// A person names the encoding that a program cannot tell.
func TestNamedEncoding(t *testing.T) {
	text := encode(t, japanese.ShiftJIS, "学籍番号,氏名\n007,佐藤 陽翔\n")
	f, err := roster.Read([]byte(text), "Shift_JIS")
	if err != nil || len(f.Lines) != 1 || f.Lines[0].Name != "佐藤 陽翔" {
		t.Errorf("Shift_JIS: %+v, %v", f, err)
	}
	f, err = roster.Read([]byte("id;name\n1;Zo\xeb\n"), "Windows-1252")
	if err != nil || f.Lines[0].Name != "Zoë" {
		t.Errorf("Windows-1252: %+v, %v", f, err)
	}
	if _, err := roster.Read([]byte(text), "EBCDIC"); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("an encoding we do not know: %v", err)
	}
}

// The list "Roster CSV" of hostile files that are refused as a whole, and at which limit (SEC-71).
func TestRefused(t *testing.T) {
	people := func(n int) string {
		var b strings.Builder
		b.WriteString("id,name\n")
		for i := range n {
			fmt.Fprintf(&b, "%d,x\n", i)
		}
		return b.String()
	}
	fill := func(n int) string { // a good file of n bytes
		last := "a@b.example,Eva,,,,\n"
		rest := n - len(head) - len(last)
		return head + strings.Repeat(strings.Repeat(" ", 4095)+"\n", rest/4096) + strings.Repeat(" ", rest%4096) + last
	}
	columns := func(n int) string {
		return "id" + strings.Repeat(",x", n-1) + "\n1" + strings.Repeat(",", n-1) + "\n"
	}
	line := func(n int) string { return "id,name\n1," + strings.Repeat("x", n) + "\n" }
	for what, c := range map[string]struct{ text, key string }{
		"nothing":                   {"", "roster.empty"},
		"headings alone":            {head, "roster.empty"},
		"1 M empty lines":           {strings.Repeat("\n", 1e6), "roster.too_many"},
		"headings, 1 M empty lines": {head + strings.Repeat("\r", 1e6), "roster.too_many"},
		"no headings":               {"eva@x.example,Eva,Wang\nbo@x.example,Bo,Li\n", "roster.no_key_column"},
		"a heading twice":           {"email,E-Mail,name\na@b.example,,x\n", "roster.column_twice"},
		"20,000 people":             {people(20_000), ""},
		"20,001 people":             {people(20_001), "roster.too_many"},
		"32 columns":                {columns(32), ""},
		"33 columns":                {columns(33), "roster.columns"},
		"10,000 columns":            {columns(10_000), "roster.columns"},
		"1 M columns":               {columns(1e6), "roster.line_long"},
		"a line of 5 MiB":           {line(5<<20 - 40), "roster.line_long"},
		"a heading of 5 MiB":        {strings.Repeat("x", 5<<20), "roster.line_long"},
		"a cell of quotes":          {"id,name\n1,\"" + strings.Repeat("\"\"", 2<<20) + "\"\n", "roster.line_long"},
		"lines in one quote":        {"id,name\n1,\"" + strings.Repeat("\n", 99_000) + "x\"\n", ""},
		"1 M lines in one quote":    {"id,name\n1,\"" + strings.Repeat("\n", 1e6) + "x\"\n", "roster.too_many"},
		"cells in one record":       {"id,name\n1,\"" + strings.Repeat("\n\",\"", 1e6) + "\"\n", "roster.line_long"},
		"5 MiB":                     {fill(5 << 20), ""},
		"5 MiB + 1":                 {fill(5<<20 + 1), "roster.too_large"},
		"a picture":                 {"\x89PNG\r\n\x1a\n\xff\xff\xff\xff" + head, "roster.encoding"},
		"a workbook":                {"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" + strings.Repeat("\xfe\xff\x80", 40), "roster.encoding"},
		"zeros":                     {strings.Repeat("\x00", 4096), "roster.no_key_column"},
		"an unclosed heading":       {"\"id,name\n1,x\n", "roster.quote"},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := roster.Read([]byte(c.text), "")
		runtime.ReadMemStats(&after)
		f, _ := fault.Of(err)
		if c.key == "" && err != nil || c.key != "" && (f == nil || f.Key != c.key) {
			t.Errorf("%s: %v, want %q", what, err, c.key)
		}
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 32 {
			t.Errorf("%s takes %d MiB of memory", what, used)
		}
	}
}

// Lines that cannot be used are named one by one; the others are read.
func TestMistakes(t *testing.T) {
	for what, c := range map[string]struct {
		line, key, field string
	}{
		"a cell of 4 KiB":          {"1," + strings.Repeat("x", 4<<10), "", ""},
		"a cell of 4 KiB + 1":      {"1," + strings.Repeat("x", 4<<10+1), "roster.cell_long", ""},
		"more cells than headings": {"1,x,y", "roster.more_cells", ""},
		"empty cells more":         {"1,x,,", "", ""},
		"a quote inside":           {"1,O\"Brien", "roster.quote", ""},
		"text behind a quote":      {"1,\"O\"Brien", "roster.quote", ""},
		"a quote that never ends":  {"1,\"O", "roster.quote", ""},
		"a formula":                {"1,\"=CMD()|' /C calc'!A0\"", "", ""},
		"half a letter":            {"1,Zo\ufffd", "roster.lost_letters", "name"},
		"Null":                     {"1,Null", "", ""},
	} {
		f, err := roster.Read([]byte("id,name\n0,first\n"+c.line+"\n"), "")
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		switch {
		case c.key == "" && (f.Mistakes.N > 0 || len(f.Lines) != 2):
			t.Errorf("%s: %.200v", what, f)
		case c.key != "" && (f.Mistakes.N != 1 || f.Mistakes.List[0].Line != 3 || f.Mistakes.List[0].Fault.Key != c.key ||
			f.Mistakes.List[0].Fault.Field != c.field || len(f.Lines) != 1):
			t.Errorf("%s: %d mistakes %+v, want %s in line 3", what, f.Mistakes.N, f.Mistakes.List, c.key)
		}
	}
	f, err := roster.Read([]byte("id,name\n"+strings.Repeat("1,x,y\n", 5000)), "")
	if err != nil || f.Mistakes.N != 5000 || len(f.Mistakes.List) != roster.MaxMistakes {
		t.Errorf("5000 mistakes: %d, %d in words, %v", f.Mistakes.N, len(f.Mistakes.List), err)
	}
}

// A half surrogate is a letter that was lost on the way.
func TestSurrogate(t *testing.T) {
	text := encode(t, utf16(unicode.LittleEndian, unicode.UseBOM), "id,name\n1,") + "\x3d\xd8\n\x00"
	f, err := roster.Read([]byte(text), "")
	if err != nil || f.Mistakes.N != 1 || f.Mistakes.List[0].Fault.Key != "roster.lost_letters" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestRoles(t *testing.T) {
	for _, word := range []string{"Teacher", " 老师", "教師", "guru", "CIKGU", "Assistant", "助教", "アシスタント", "student", "生徒", "Siswa", "pelajar", "Admin", "管理员", "king", ""} {
		want := map[string]string{
			"Teacher": "teacher", "老师": "teacher", "教師": "teacher", "guru": "teacher", "CIKGU": "teacher", "Assistant": "assistant",
			"助教": "assistant", "アシスタント": "assistant", "student": "student", "生徒": "student", "Siswa": "student", "pelajar": "student",
			"Admin": "admin", "管理员": "admin",
		}[strings.TrimSpace(word)]
		if got := roster.RoleOf(word); got != want {
			t.Errorf("RoleOf(%q) = %q, want %q", word, got, want)
		}
	}
}

// Whatever the bytes are: within the limits, text that can be kept, and the same a second time (SEC-16).
func FuzzRead(f *testing.F) {
	for _, text := range files(f) {
		f.Add([]byte(text), uint8(0))
	}
	f.Add([]byte(head+"a@b\r\nBcc: x,,,,,\n\"\n"), uint8(1))
	f.Add([]byte("id\n\x00\n"), uint8(4))
	f.Fuzz(func(t *testing.T, b []byte, as uint8) {
		encoding := append([]string{""}, roster.Encodings...)[int(as)%(len(roster.Encodings)+1)]
		file, err := roster.Read(b, encoding)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("%v is no fault", err)
			}
			return
		}
		if len(file.Lines)+file.Mistakes.N > roster.MaxPeople || len(file.Columns) > roster.MaxColumns {
			t.Errorf("%d lines, %d mistakes, %d columns", len(file.Lines), file.Mistakes.N, len(file.Columns))
		}
		for _, l := range file.Lines {
			for _, cell := range []string{l.Email, l.GivenName, l.FamilyName, l.Name, l.StudentID, l.Group, l.Role} {
				if len(cell) > roster.MaxCell || !utf8.ValidString(cell) {
					t.Errorf("line %d: %q", l.N, cell)
				}
			}
		}
		again, err := roster.Read(bytes.Clone(b), encoding)
		if err != nil || !reflect.DeepEqual(file, again) {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString(head)
	for i := range 20_000 {
		fmt.Fprintf(&text, "student%05d@school.example,Caoimhe,O’Connell 佐藤,%06d,7b,student\n", i, i)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := roster.Read([]byte(text.String()), ""); err != nil {
			b.Fatal(err)
		}
	}
}
