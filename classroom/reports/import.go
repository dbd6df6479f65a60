package reports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	utf16 "golang.org/x/text/encoding/unicode"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Limits of a file that is read back.
const (
	maxImport      = 512 << 10 // bytes
	maxImportLines = 5000
	maxImportWidth = 100 // columns
)

// Import is what a file of corrections would change in a register.
type Import struct {
	Changes   []ImportChange
	Problems  []ImportProblem // as long as there is one, nothing is changed
	Unchanged int             // students whose line says what is shown already
}

// ImportChange is one student who gets another status, or a note.
type ImportChange struct {
	Student  attendance.Student
	From, To attendance.Status
	Note     string
}

// ImportProblem is a line that cannot be followed.
type ImportProblem struct {
	Line int
	Key  string         // of the catalogue
	Data map[string]any // fills its placeholders
}

// Changed returns the corrections that the file asks for, those that say the same together.
func (im Import) Changed(reason string) []attendance.Change {
	type same struct {
		status attendance.Status
		note   string
	}
	var all []attendance.Change
	at := map[same]int{}
	for _, ch := range im.Changes {
		key := same{ch.To, ch.Note}
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, attendance.Change{Status: ch.To, Reason: reason, Note: ch.Note})
		}
		all[i].Students = append(all[i].Students, ch.Student.ID)
	}
	return all
}

// ReadImport reads a CSV with the columns student_id, status and perhaps note, in any order and among others, and says
// what it would change in a register. A file that is none is a fault; a line that cannot be followed is a problem.
func ReadImport(file []byte, r *attendance.Register) (Import, error) {
	text, err := textOf(file)
	if err != nil {
		return Import{}, err
	}
	lines := csv.NewReader(strings.NewReader(text))
	lines.Comma, lines.FieldsPerRecord = separatorOf(text), -1
	head, err := lines.Read()
	if err != nil {
		return Import{}, fault.Invalid("import.not_csv").At("file").Because(err)
	}
	columns, err := importColumns(head)
	if err != nil {
		return Import{}, err
	}
	im := importer{rows: map[string]*attendance.Row{}, seen: map[media.ID]int{}}
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Number != "" {
			im.rows[fold(row.Number)] = row
		}
	}
	for n := 0; ; n++ {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return im.Import, nil
		}
		if err != nil || len(record) > maxImportWidth {
			return Import{}, fault.Invalid("import.not_csv").At("file").Because(err)
		}
		if n >= maxImportLines {
			return Import{}, fault.Invalid("import.too_many").At("file").With("Max", maxImportLines)
		}
		line, _ := lines.FieldPos(0)
		field := func(name string) string {
			if i, ok := columns[name]; ok && i < len(record) {
				return strings.TrimSpace(Unescape(record[i]))
			}
			return ""
		}
		im.take(line, field("student_id"), field("status"), field("note"))
	}
}

// textOf reads UTF-8 with or without a byte order mark, and UTF-16 with one.
func textOf(file []byte) (string, error) {
	if len(file) > maxImport {
		return "", fault.Invalid("import.too_large").At("file").With("Max", maxImport>>10)
	}
	if len(bytes.TrimSpace(file)) == 0 {
		return "", fault.Invalid("import.no_file").At("file")
	}
	if bytes.HasPrefix(file, []byte{0xff, 0xfe}) || bytes.HasPrefix(file, []byte{0xfe, 0xff}) {
		decoded, err := utf16.UTF16(utf16.LittleEndian, utf16.ExpectBOM).NewDecoder().Bytes(file)
		if err != nil {
			return "", fault.Invalid("import.not_csv").At("file").Because(err)
		}
		file = decoded
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0 {
		return "", fault.Invalid("import.not_csv").At("file")
	}
	return string(file), nil
}

// separatorOf is the sign that the first line has most of.
func separatorOf(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func importColumns(head []string) (map[string]int, error) {
	columns := map[string]int{}
	if len(head) > maxImportWidth {
		return nil, fault.Invalid("import.not_csv").At("file")
	}
	for i, name := range head {
		name = strings.ReplaceAll(fold(name), " ", "_")
		if name != "student_id" && name != "status" && name != "note" {
			continue
		}
		if _, twice := columns[name]; twice {
			return nil, fault.Invalid("import.twice_column").At("file").With("Name", name)
		}
		columns[name] = i
	}
	for _, name := range []string{"student_id", "status"} {
		if _, ok := columns[name]; !ok {
			return nil, fault.Invalid("import.no_column").At("file").With("Name", name)
		}
	}
	return columns, nil
}

func fold(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// importer holds lines against a register.
type importer struct {
	Import
	rows map[string]*attendance.Row // by student number
	seen map[media.ID]int           // in which line
}

func (im *importer) take(line int, number, status, note string) {
	problem := func(key string, data map[string]any) {
		im.Problems = append(im.Problems, ImportProblem{line, key, data})
	}
	if number == "" || status == "" {
		if status != "" {
			problem("import.row.no_number", nil)
		}
		return
	}
	row := im.rows[fold(number)]
	if row == nil {
		problem("import.row.unknown", map[string]any{"Value": shorten(number)})
		return
	}
	if before, twice := im.seen[row.ID]; twice {
		problem("import.row.twice", map[string]any{"Value": shorten(number), "Line": before})
		return
	}
	im.seen[row.ID] = line
	to := statusOf(status)
	if to == row.Status && (note == "" || note == correction(row).Note) {
		im.Unchanged++
		return
	}
	if !to.Correctable() {
		problem("import.row.status", map[string]any{"Value": shorten(status)})
		return
	}
	note, err := web.OptionalLine("note", note, attendance.MaxNote)
	if err != nil {
		problem("import.row.note", map[string]any{"Max": attendance.MaxNote})
		return
	}
	im.Changes = append(im.Changes, ImportChange{row.Student, row.Status, to, note})
}

// statusOf reads a status as a word or as its letter; empty for what is neither.
func statusOf(text string) attendance.Status {
	for _, s := range attendance.Statuses {
		if fold(text) == string(s) || strings.EqualFold(strings.TrimSpace(text), s.Code()) {
			return s
		}
	}
	return ""
}

// shorten keeps what a message repeats of a file within a line.
func shorten(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}
