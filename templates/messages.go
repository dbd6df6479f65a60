package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// A catalogue is a folder: a file for each part of the house, whose keys are its own.
//
//go:embed locales/*/*.json
var localeFiles embed.FS

// Language is one in which everything can be read.
type Language struct {
	Code string // BCP 47
	Name string // in itself
}

// Languages returns the languages of the catalogues, the default first.
func Languages() []Language {
	return []Language{
		{"en", "English"},
		{"zh-Hans", "简体中文"},
		{"ja", "日本語"},
		{"id", "Bahasa Indonesia"},
		{"ms", "Bahasa Melayu"},
	}
}

// messages is the catalogues: as go-i18n reads them for sentences made here, and raw for those that the page's
// scripts make.
type messages struct {
	localizers map[string]*i18n.Localizer
	raw        map[string]map[string]any // language → key → text, or plural form → text
	matcher    language.Matcher
}

func loadMessages(read func(name string) ([]byte, error)) (*messages, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	m := &messages{localizers: map[string]*i18n.Localizer{}, raw: map[string]map[string]any{}}
	var tags []language.Tag
	for _, l := range Languages() {
		files, err := fs.Glob(localeFiles, "locales/"+l.Code+"/*.json")
		if err != nil {
			return nil, err
		}
		raw := map[string]any{}
		for _, file := range files {
			b, err := read(file)
			if err != nil {
				return nil, err
			}
			if err := json.Unmarshal(b, &raw); err != nil {
				return nil, fmt.Errorf("read catalogue %s: %w", file, err)
			}
			// The library takes the language from the name.
			if _, err := bundle.ParseMessageFileBytes(b, l.Code+".json"); err != nil {
				return nil, fmt.Errorf("read catalogue %s: %w", file, err)
			}
		}
		m.raw[l.Code] = raw
		m.localizers[l.Code] = i18n.NewLocalizer(bundle, l.Code)
		tags = append(tags, language.Make(l.Code))
	}
	m.matcher = language.NewMatcher(tags)
	return m, nil
}

// Match returns the code of the catalogue nearest to what the reader asks for: a language code, or the value of
// an Accept-Language header. It returns English when nothing is near.
func (s *Set) Match(want string) string {
	if s.pieces[want] != nil {
		return want
	}
	_, i := language.MatchStrings(s.messages.matcher, want)
	return Languages()[i].Code
}

// Has returns whether the catalogues know key.
func (s *Set) Has(key string) bool {
	_, ok := s.messages.raw["en"][key]
	return ok
}

// T returns the sentence of key in lang, its placeholders filled from data. Whole numbers and times of day in
// data are written as the language does; N, where there is one, chooses the plural form. An unknown key is
// returned as it is, which a reader sees as a bug and a test finds first.
func (s *Set) T(lang, key string, data map[string]any) string {
	if !s.Has(key) {
		return key
	}
	lang = s.Match(lang)
	c := &i18n.LocalizeConfig{MessageID: key}
	if len(data) > 0 {
		c.TemplateData = s.written(lang, data)
		if n, ok := data["N"].(int); ok {
			c.PluralCount = n
		}
	}
	text, err := s.messages.localizers[lang].Localize(c)
	if err != nil && text == "" {
		return key
	}
	return text
}

// written returns data as text in lang.
func (s *Set) written(lang string, data map[string]any) map[string]any {
	f := formats[lang]
	out := make(map[string]any, len(data))
	for name, v := range data {
		switch v := v.(type) {
		case int:
			out[name] = f.number(v)
		case int64:
			out[name] = f.number(int(v))
		case time.Time:
			out[name] = f.clock(v)
		case time.Duration:
			out[name] = s.durationWords(lang, v)
		case Exact:
			out[name] = s.exactWords(lang, v)
		default:
			out[name] = v
		}
	}
	return out
}

// durationWords returns d as people say it: "45 s", "24 min", "1 h 5 min".
func (s *Set) durationWords(lang string, d time.Duration) string {
	f := formats[lang]
	text := func(n int64) string { return f.number(int(n)) }
	if d < 0 {
		d = 0
	}
	if d < time.Minute {
		return s.T(lang, "duration.s", map[string]any{"S": text(int64(d.Seconds()))})
	}
	h, min := int64(d.Hours()), int64(d.Minutes())%60
	switch {
	case h == 0:
		return s.T(lang, "duration.min", map[string]any{"M": text(min)})
	case min == 0:
		return s.T(lang, "duration.h", map[string]any{"H": text(h)})
	}
	return s.T(lang, "duration.h_min", map[string]any{"H": text(h), "M": text(min)})
}

// Exact is a length that a sentence says to the second: "3 min 30 s", where others are rounded down.
type Exact time.Duration

func (s *Set) exactWords(lang string, e Exact) string {
	d := time.Duration(e)
	text, seconds := s.durationWords(lang, d), d%time.Minute
	if d < time.Minute || seconds == 0 {
		return text
	}
	return JoinSentences(lang, text, s.durationWords(lang, seconds))
}

// template returns the text of key with its placeholders, for a script that fills them.
func (m *messages) template(lang, key string) (string, error) {
	text, ok := m.raw[lang][key].(string)
	if !ok {
		return "", fmt.Errorf("message %s is not one text", key)
	}
	return text, nil
}

// export returns the raw messages whose keys begin with one of the prefixes.
func (m *messages) export(lang string, prefixes []string) map[string]any {
	out := map[string]any{}
	for key, text := range m.raw[lang] {
		for _, p := range prefixes {
			if strings.HasPrefix(key, p) {
				out[key] = text
			}
		}
	}
	return out
}
