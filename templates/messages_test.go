package templates_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"chalkcast/templates"
)

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func catalogue(t *testing.T, lang string) map[string]any {
	t.Helper()
	files, err := filepath.Glob("locales/" + lang + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: found %d files, %v", lang, len(files), err)
	}
	m := map[string]any{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		part := map[string]any{}
		if err := json.Unmarshal(b, &part); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for key, text := range part {
			if _, twice := m[key]; twice {
				t.Errorf("%s: %s stands in another file too", file, key)
			}
			m[key] = text
		}
	}
	return m
}

// forms returns the texts of a message by plural form; a message without plural has the form "".
func forms(t *testing.T, v any) map[string]string {
	switch v := v.(type) {
	case string:
		return map[string]string{"": v}
	case map[string]any:
		out := map[string]string{}
		for form, text := range v {
			out[form] = text.(string)
		}
		return out
	}
	t.Fatalf("%v is not a message", v)
	return nil
}

func placeholders(text string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pluralForms lists the forms that whole numbers need in a language.
func pluralForms(lang string) []string {
	words := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	found := map[string]bool{}
	for n := range 200 {
		found[words[plural.Cardinal.MatchPlural(language.Make(lang), n, 0, 0, 0, 0)]] = true
	}
	var out []string
	for form := range found {
		out = append(out, form)
	}
	slices.Sort(out)
	return out
}

func TestCataloguesAgree(t *testing.T) {
	en := catalogue(t, "en")
	for _, l := range templates.Languages() {
		own := catalogue(t, l.Code)
		for key, v := range en {
			if own[key] == nil {
				t.Errorf("%s: %s is missing", l.Code, key)
				continue
			}
			_, many := v.(map[string]any)
			_, ownMany := own[key].(map[string]any)
			if many != ownMany {
				t.Errorf("%s: %s has plural forms in one language only", l.Code, key)
			}
			want := placeholders(forms(t, v)["other"] + forms(t, v)[""])
			var have []string
			for form, text := range forms(t, own[key]) {
				have = append(have, form)
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %s is empty", l.Code, key)
				}
				if got := placeholders(text); !slices.Equal(got, want) {
					t.Errorf("%s: %s has placeholders %v, want %v", l.Code, key, got, want)
				}
			}
			slices.Sort(have)
			if many && !slices.Equal(have, pluralForms(l.Code)) {
				t.Errorf("%s: %s has forms %v, want %v", l.Code, key, have, pluralForms(l.Code))
			}
		}
		for key := range own {
			if en[key] == nil {
				t.Errorf("%s: %s is not in English", l.Code, key)
			}
		}
	}
}

// No text blames a child (the words that no page may say).
func TestNoBlame(t *testing.T) {
	for key, v := range catalogue(t, "en") {
		for _, text := range forms(t, v) {
			for _, word := range []string{"violation", "abnormal", "illegal", "suspicious", "cheat"} {
				if strings.Contains(strings.ToLower(text), word) {
					t.Errorf("%s says %q: %s", key, word, text)
				}
			}
		}
	}
}

var usedInPages = regexp.MustCompile(`\((?:t|raw) "([a-z0-9_.]+)"|\{\{(?:t|raw) "([a-z0-9_.]+)"`)

func TestPagesUseKnownMessages(t *testing.T) {
	en := catalogue(t, "en")
	files, err := filepath.Glob("*.html")
	if err != nil {
		t.Fatal(err)
	}
	mails, err := filepath.Glob("mail/*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, mails...)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedInPages.FindAllStringSubmatch(string(b), -1) {
			if key := m[1] + m[2]; en[key] == nil {
				t.Errorf("%s uses %s, which no catalogue has", file, key)
			}
		}
	}
}

// TestFaultsHaveSentences reads the program's sources: a key given to package fault is a sentence here.
func TestFaultsHaveSentences(t *testing.T) {
	en := catalogue(t, "en")
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil // the compiler says it better
		}
		ast.Inspect(file, func(n ast.Node) bool {
			key, ok := faultKey(n)
			if ok && key != "" {
				found++
				if en[key] == nil {
					t.Errorf("%s: the fault %q has no sentence", path, key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("found no faults: this test looks at the wrong place")
	}
}

// faultKey returns the key of a call like fault.NotFound("lesson.not_found").
func faultKey(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if pkg, ok := f.X.(*ast.Ident); !ok || pkg.Name != "fault" || !ast.IsExported(f.Sel.Name) {
		return "", false
	}
	text, ok := call.Args[0].(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return "", false
	}
	key, err := strconv.Unquote(text.Value)
	return key, err == nil
}

func TestT(t *testing.T) {
	s := newSet(t)
	when := time.Date(2026, 9, 3, 10, 12, 0, 0, time.UTC)
	for _, c := range []struct {
		lang, key string
		data      map[string]any
		want      string
	}{
		{"en", "course.students", map[string]any{"N": 1}, "1 student"},
		{"en", "course.students", map[string]any{"N": 1304}, "1,304 students"},
		{"id", "course.students", map[string]any{"N": 1304}, "1.304 siswa"},
		{"ja", "course.students", map[string]any{"N": 1}, "生徒1人"},
		{"en", "code.disconnected.studio", map[string]any{"At": when}, "OBS lost us at 10:12. It retries by itself. The lesson stays open."},
		{"id", "code.disconnected.studio", map[string]any{"At": when}, "OBS kehilangan kami pukul 10.12. OBS mencoba lagi sendiri. Pelajaran tetap terbuka."},
		{"en", "class.counted", map[string]any{"Counted": 65*time.Minute + 59*time.Second}, "1\u00a0h 5\u00a0min counted"},
		{"en", "class.counted", map[string]any{"Counted": templates.Exact(210 * time.Second)}, "3\u00a0min 30\u00a0s counted"},
		{"zh-CN", "nav.home", nil, "首页"},
		{"de", "nav.home", nil, "Home"},
		{"en", "no.such_key", nil, "no.such_key"},
		{"en", "sign_in.wrong", map[string]any{"Unused": "<b>"}, "This e-mail and password do not go together. Please try again."},
	} {
		if got := s.T(c.lang, c.key, c.data); got != c.want {
			t.Errorf("T(%s, %s, %v) = %q, want %q", c.lang, c.key, c.data, got, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	s := newSet(t)
	for want, headers := range map[string][]string{
		"en":      {"", "en-GB", "de", "tlh", "en;q=0.1, xx", "\x00garbage"},
		"zh-Hans": {"zh-CN,zh;q=0.9,en;q=0.8", "zh", "zh-Hans-SG"},
		"ja":      {"ja-JP", "fr;q=0.2, ja;q=0.9"},
		"id":      {"id"},
		"ms":      {"ms-MY, en;q=0.5"},
	} {
		for _, h := range headers {
			if got := s.Match(h); got != want {
				t.Errorf("Match(%q) = %s, want %s", h, got, want)
			}
		}
	}
}

var codeConstant = regexp.MustCompile(`(?m)^\s+\w+\s+Code\s+= "([a-z_]+)"`)

// TestCodesHaveSentences: whatever package media can say of a broadcast, the studio can say in words.
func TestCodesHaveSentences(t *testing.T) {
	b, err := os.ReadFile("../media/publish.go")
	if err != nil {
		t.Fatal(err)
	}
	set := newSet(t)
	codes := codeConstant.FindAllStringSubmatch(string(b), -1)
	if len(codes) == 0 {
		t.Fatal("found no codes: this test looks at the wrong place")
	}
	for _, m := range codes {
		if key := "code." + m[1] + ".studio"; !set.Has(key) {
			t.Errorf("no catalogue has %s", key)
		}
	}
}
