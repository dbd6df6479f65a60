package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed *.html
var htmlFiles embed.FS

// pieces are what pages are made of. Every other file is a page: sign_in.html shows the struct SignIn.
var pieces = []string{"layout.html", "pieces.html", "room.html", "icons.html"}

// pageFiles returns the files of pages by the name of their struct.
func pageFiles() (map[string]string, error) {
	all, err := fs.Glob(htmlFiles, "*.html")
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, file := range all {
		if !slices.Contains(pieces, file) {
			files[structName(file)] = file
		}
	}
	return files, nil
}

// structName is SignIn for sign_in.html.
func structName(file string) string {
	name := ""
	for word := range strings.SplitSeq(strings.TrimSuffix(file, ".html"), "_") {
		if word == "obs" {
			word = "OBS"
		}
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

// Set is all pages in all languages. It may be used by many goroutines.
type Set struct {
	messages *messages
	files    map[string]string             // of pages, by struct name
	pieces   map[string]*template.Template // by language
	letters  map[string]letter

	mu    sync.Mutex // guards pages
	pages map[pageKey]*template.Template
}

// pageKey names a page that somebody has asked for. Each is parsed for each language by itself, so that the functions in it
// know theirs, and only then: all of them together would be 60 MB of pointers, which the garbage collector follows anew
// each time.
type pageKey struct{ lang, name string }

// New parses what pages are made of. An error is a bug in this package; a program that gets one cannot serve pages and
// should stop.
func New() (*Set, error) { return newSet(localeFiles.ReadFile) }

// newSet is New with catalogues that are read by read.
func newSet(read func(name string) ([]byte, error)) (*Set, error) {
	m, err := loadMessages(read)
	if err != nil {
		return nil, err
	}
	files, err := pageFiles()
	if err != nil {
		return nil, err
	}
	s := &Set{
		messages: m, files: files, pieces: map[string]*template.Template{}, letters: map[string]letter{},
		pages: map[pageKey]*template.Template{},
	}
	for _, l := range Languages() {
		if s.pieces[l.Code], err = template.New("").Funcs(s.funcs(l.Code)).ParseFS(htmlFiles, pieces...); err != nil {
			return nil, fmt.Errorf("parse pieces: %w", err)
		}
		if s.letters[l.Code], err = s.parseLetter(l.Code); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Render writes page, one of the page structs of this package or a pointer to one, in the language lang. A
// language without a catalogue is read as the nearest that has one. Render to a buffer and send that: after an
// error w holds half a page.
func (s *Set) Render(w io.Writer, lang string, page any) error {
	v := reflect.Indirect(reflect.ValueOf(page))
	t, err := s.page(pageKey{s.Match(lang), v.Type().Name()})
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, "layout", v.Interface())
}

// page returns a page that is parsed.
func (s *Set) page(k pageKey) (*template.Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := s.pages[k]; page != nil {
		return page, nil
	}
	file := s.files[k.name]
	if file == "" {
		return nil, fmt.Errorf("%s is not a page", k.name)
	}
	page, err := s.pieces[k.lang].Clone()
	if err == nil {
		page, err = page.ParseFS(htmlFiles, file)
	}
	if err != nil {
		return nil, fmt.Errorf("parse page %s: %w", file, err)
	}
	s.pages[k] = page
	return page, nil
}

// funcs returns what pages can call, bound to one language.
func (s *Set) funcs(lang string) template.FuncMap {
	f := formats[lang]
	return template.FuncMap{
		"lang":      func() string { return lang },
		"dir":       func() string { return f.dir },
		"languages": Languages,
		"t": func(key string, pairs ...any) (string, error) {
			data, err := dict(pairs...)
			return s.T(lang, key, data), err
		},
		"raw":       func(key string) (string, error) { return s.messages.template(lang, key) },
		"tmap":      func(key string, data map[string]any) string { return s.T(lang, key, data) },
		"has":       func(key string) bool { return s.Has(key) },
		"dict":      dict,
		"list":      func(items ...any) []any { return items },
		"join":      func(parts ...string) string { return strings.Join(parts, "") },
		"messages":  func(prefixes ...string) map[string]any { return s.messages.export(lang, prefixes) },
		"json":      toJSON,
		"static":    StaticURL,
		"space":     func() string { return f.space },
		"names":     func(names []string) string { return strings.Join(names, s.T(lang, "list.comma", nil)) },
		"num":       f.number,
		"pct":       f.percent,
		"bytes":     f.bytes,
		"clock":     f.clock,
		"day":       f.day,
		"date":      f.date,
		"shortDate": f.shortDate,
		"weekday":   func(d time.Weekday) string { return f.weekdays[d] },
		"iso":       iso,
		"dur":       func(d duration) string { return s.durationWords(lang, d) },
		"exact":     func(d duration) string { return s.exactWords(lang, Exact(d)) },
		"hms":       hms,
		"initials":  initials,
		"picture":   newPicture,
		"weeks":     newWeeks,
		"bar":       newBar,
		"timeline":  newTimeline,
		"spark":     spark,
		"qr":        qr,
		"shade":     Shade,
		"href":      href,
		"dateOnly":  func(t time.Time) string { return t.Format(time.DateOnly) },
		"sameClock": sameClock,
		"untilMin":  untilMin,
		"seconds":   func(d duration) int64 { return int64(d.Seconds()) },
		"ms":        func(d duration) int64 { return d.Milliseconds() },
	}
}

// href is an address with what chooses in it; empty choices are left out. It is one piece, because a template would
// take what stands behind a question mark for text and escape it.
func href(path string, choices ...string) string {
	choices = slices.DeleteFunc(choices, func(c string) bool { return c == "" })
	if len(choices) == 0 {
		return path
	}
	return path + "?" + strings.Join(choices, "&")
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("a name without a value in %v", pairs)
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
