package reports_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/reports"
	"chalkcast/classroom/web"
	"chalkcast/media"
	"chalkcast/templates"
)

// roster is a register of four students, numbered 001 to 004: present, late, absent, made up.
func roster() *attendance.Register {
	r := &attendance.Register{Version: 1}
	for i, s := range []attendance.Status{attendance.Present, attendance.Late, attendance.Absent, attendance.MadeUp} {
		r.Rows = append(r.Rows, attendance.Row{
			Student: attendance.Student{ID: media.ID(i + 1), Number: fmt.Sprintf("00%d", i+1), Name: fmt.Sprint("Student ", i+1)}, Status: s,
		})
	}
	r.Rows[1].Correction = &attendance.Correction{Status: attendance.Late, Note: "Bus"}
	return r
}

// said puts an import into lines.
func said(im reports.Import) (lines []string) {
	for _, c := range im.Changes {
		lines = append(lines, fmt.Sprintf("%s %s→%s %s", c.Student.Number, c.From, c.To, c.Note))
	}
	for _, p := range im.Problems {
		lines = append(lines, fmt.Sprintf("line %d: %s", p.Line, strings.TrimPrefix(p.Key, "import.row.")))
	}
	return append(lines, fmt.Sprint(im.Unchanged, " unchanged"))
}

func TestReadImport(t *testing.T) {
	le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune("student_id\tstatus\tnote\r\n003\tX\tGrippe, 発熱\r\n")) {
		le = append(le, byte(u), byte(u>>8))
	}
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"words and letters":     {"student_id,status,note\n001,absent,\n002,x,Doctor\n003,Excused,Doctor\n", []string{"001 present→absent ", "002 late→excused Doctor", "003 absent→excused Doctor", "0 unchanged"}},
		"any order, semicolons": {"\ufeffNote;Status;Group;Student ID\r\n;present;A;003\r\n", []string{"003 absent→present ", "0 unchanged"}},
		"UTF-16 with tabs":      {string(le), []string{"003 absent→excused Grippe, 発熱", "0 unchanged"}},
		"what it was exported as": {
			"student_id,status,note\r\n001,present,\r\n002,late,Bus\r\n003,absent,\r\n004,made_up,\r\n", []string{"4 unchanged"},
		},
		"another note":        {"student_id,status,note\n002,late,Train\n", []string{"002 late→late Train", "0 unchanged"}},
		"empty status":        {"student_id,status\n001,\n,\n", []string{"0 unchanged"}},
		"escaped as exported": {"student_id,status,note\n'+1,absent,\n001,absent,'=1+1\n", []string{"001 present→absent =1+1", "line 2: unknown", "0 unchanged"}},
		"problems by line": {
			"student_id,status,note\n\"001\",\"made_up\",\n009,absent,\n,late,\n002,gone,\n003,late,\"two\nlines\"\n001,absent,\n",
			[]string{"line 2: status", "line 3: unknown", "line 4: no_number", "line 5: status", "line 6: note", "line 8: twice", "0 unchanged"},
		},
	} {
		im, err := reports.ReadImport([]byte(c.file), roster())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, said(im)); diff != "" {
			t.Errorf("%s, want (−), got (+):\n%s", name, diff)
		}
	}
	im, err := reports.ReadImport([]byte("student_id,status,note\n001,x,Doctor\n002,x,\n003,x,Doctor\n"), roster())
	if err != nil {
		t.Fatal(err)
	}
	want := []attendance.Change{
		{Students: []media.ID{1, 3}, Status: attendance.Excused, Reason: "illness", Note: "Doctor"}, {Students: []media.ID{2}, Status: attendance.Excused, Reason: "illness"},
	}
	if diff := cmp.Diff(want, im.Changed("illness")); diff != "" {
		t.Errorf("corrections, want (−), got (+):\n%s", diff)
	}
}

func TestReadImportRefuses(t *testing.T) {
	line := "001,absent\n"
	for name, c := range map[string]struct{ file, key string }{
		"nothing":         {" \n", "import.no_file"},
		"no status":       {"student_id,note\n", "import.no_column"},
		"a column twice":  {"student_id,status,Status\n", "import.twice_column"},
		"a workbook":      {"PK\x03\x04\x00", "import.not_csv"},
		"half a quote":    {"student_id,status\n\"001,absent\n", "import.not_csv"},
		"not UTF-8":       {"student_id,status\n\xe4,absent\n", "import.not_csv"},
		"too many lines":  {"student_id,status\n" + strings.Repeat(line, 5001), "import.too_many"},
		"too large":       {"student_id,status\n" + strings.Repeat(" ", 512<<10), "import.too_large"},
		"too many fields": {"student_id,status\n" + strings.Repeat(",", 100) + "\n", "import.not_csv"},
	} {
		_, err := reports.ReadImport([]byte(c.file), roster())
		if f, ok := fault.Of(err); !ok || f.Key != c.key {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
	}
	if im, err := reports.ReadImport([]byte("student_id,status\n"+strings.Repeat(line, 5000)), roster()); err != nil || len(im.Problems) != 4999 {
		t.Errorf("5,000 lines: %v, %d problems", err, len(im.Problems))
	}
}

// FuzzReadImport: whatever is read, each student gets at most one change, to a status that can be set.
func FuzzReadImport(f *testing.F) {
	f.Add([]byte("student_id,status,note\n001,absent,\n002,x,Doctor\n"))
	f.Add([]byte("\xff\xfes\x00t\x00"))
	f.Add([]byte("student_id;status\r\n\"001\";\"made_up\"\r\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		im, err := reports.ReadImport(file, roster())
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("an error that nobody can read: %v", err)
			}
			return
		}
		seen := map[media.ID]bool{}
		for _, c := range im.Changes {
			if seen[c.Student.ID] || !c.To.Correctable() || len([]rune(c.Note)) > attendance.MaxNote {
				t.Fatalf("change %+v", c)
			}
			seen[c.Student.ID] = true
		}
	})
}

// TestImport takes a file through the page: seen first, then done.
func TestImport(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newTerm(t, db, 3, 1)
		pages, err := templates.New()
		if err != nil {
			t.Fatal(err)
		}
		srv, err := web.New(web.Config{Pages: pages, School: s.accounts.WebSchool, Identify: func(context.Context, string) (*web.Viewer, error) {
			return &web.Viewer{ID: 1000, Name: "Ada", Admin: true}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.reports.Routes(srv)
		door := httptest.NewServer(srv.Handler())
		defer door.Close()
		lesson := media.ID(5000).String()
		send := func(method, path, kind string, body io.Reader) (int, string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, door.URL+path, body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", kind)
			r.AddCookie(&http.Cookie{Name: "cc", Value: "x"})
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(b)
		}
		page := "/lessons/" + lesson + "/register/import"
		upload := func(text string) (int, string) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			part, err := w.CreateFormFile("file", "register.csv")
			if err == nil {
				_, err = io.WriteString(part, text)
			}
			if err == nil {
				err = w.WriteField("reason", "illness")
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			return send("POST", page, w.FormDataContentType(), &b)
		}
		corrections := func() (n int) {
			if err := s.db.Reader().WithContext(t.Context()).Raw("SELECT COUNT(*) FROM corrections").Scan(&n).Error; err != nil {
				t.Fatal(err)
			}
			return n
		}
		const file = "student_id,status,note\r\n00000,excused,\"Fever, \"\"high\"\"\"\r\n00001,present,\r\n00002,x,\r\n"
		if status, b := send("GET", page, "", nil); status != 200 || !strings.Contains(b, `enctype="multipart/form-data"`) {
			t.Errorf("the page: %d %.200s", status, b)
		}
		if status, b := upload("student_id,status\r\n00009,excused\r\n"); status != 200 || !strings.Contains(b, "1 line has to be mended") || strings.Contains(b, `name="text"`) {
			t.Errorf("a file with a mistake: %d %s", status, b)
		}
		if status, b := upload("PK\x00"); status != 400 || !strings.Contains(b, "cannot be read as a CSV file") {
			t.Errorf("a workbook: %d %.200s", status, b)
		}
		status, b := upload(file)
		if status != 200 || !strings.Contains(b, "2 students would be changed") || !strings.Contains(b, "1 student stays") || corrections() != 0 {
			t.Errorf("preview: %d, %d corrections\n%s", status, corrections(), b)
		}
		form := url.Values{"text": {file}, "reason": {"illness"}}.Encode()
		if status, b := send("POST", page, "application/x-www-form-urlencoded", strings.NewReader(form)); status != 303 || corrections() != 2 {
			t.Errorf("done: %d, %d corrections, want 2\n%s", status, corrections(), b)
		}
		var again struct {
			Applied   bool
			Unchanged int
		}
		status, b = send("POST", "/api/v1"+page+"?reason=illness", "text/csv", strings.NewReader(file))
		if err := json.Unmarshal([]byte(b), &again); err != nil || status != 200 || !again.Applied || again.Unchanged != 3 || corrections() != 2 {
			t.Errorf("the same file again through the API: %d %s, %d corrections", status, b, corrections())
		}
		if status, b := send("POST", "/api/v1"+page+"?dry_run=1", "text/csv", strings.NewReader("student_id,status\r\n00001,absent\r\n")); status != 200 || corrections() != 2 || !strings.Contains(b, `"applied":false`) || !strings.Contains(b, `"to":"absent"`) {
			t.Errorf("a dry run: %d %s", status, b)
		}
		if status, b := send("POST", "/api/v1"+page+"?reason=mistake", "text/csv", strings.NewReader("student_id,status\r\n00001,absent\r\n9,late\r\n")); status != 400 || corrections() != 2 || !strings.Contains(b, `"line":3`) {
			t.Errorf("a file with a mistake through the API: %d %s", status, b)
		}
	})
}
