package templates_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"chalkcast/templates"
)

func newSet(t *testing.T) *templates.Set {
	t.Helper()
	s, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, s *templates.Set, lang string, page any) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Render(&b, lang, page); err != nil {
		t.Fatalf("render %T in %s: %v", page, lang, err)
	}
	return b.String()
}

func readAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	return string(b), err
}

// TestPages renders every sample in every language and reads it as a browser's strictest reader would.
func TestPages(t *testing.T) {
	s, all := newSet(t), samples()
	for _, l := range templates.Languages() {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			text := render(t, s, l.Code, all[name])
			where := l.Code + "/" + name
			for _, trouble := range lint(text) {
				t.Errorf("%s: %s", where, trouble)
			}
			if !strings.Contains(text, `<html lang="`+l.Code+`" dir="ltr">`) {
				t.Errorf("%s: does not say its language and direction", where)
			}
			for _, at := range gap.FindAllStringIndex(text, -1) {
				t.Errorf("%s: joined as in Latin writing: %q", where, text[max(0, at[0]-30):min(len(text), at[1]+30)])
			}
		}
	}
}

// gap is a space or a comma of Latin writing where Chinese and Japanese have their own.
var gap = regexp.MustCompile(`[。、，：；] [^\s<]|[。：] <a|\p{Han}, \p{Han}|[\p{Han}）], \d`)

// TestEmptyPages renders every page with nothing in it: a handler that leaves out a field must not break a page.
func TestEmptyPages(t *testing.T) {
	s := newSet(t)
	seen := map[string]bool{}
	for _, page := range samples() {
		v := reflect.New(reflect.TypeOf(page)).Elem()
		if seen[v.Type().Name()] {
			continue
		}
		seen[v.Type().Name()] = true
		text := render(t, s, "en", v.Interface())
		if strings.Contains(text, "<no value>") {
			t.Errorf("%T: a placeholder has no value", page)
		}
	}
	if err := s.Render(io.Discard, "en", 7); err == nil {
		t.Error("rendered a number as a page")
	}
}

var (
	void       = map[string]bool{"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true}
	handler    = regexp.MustCompile(`^on[a-z]+$`)
	foreignURL = regexp.MustCompile(`^([a-z][a-z0-9+.-]*:)?//|^(javascript|data):`)
)

// lint finds what the content security policy forbids, tags that do not match, ids that are not unique, labels
// and descriptions that lead nowhere, and leftovers of templates.
func lint(text string) []string {
	var troubles []string
	trouble := func(format string, args ...any) { troubles = append(troubles, fmt.Sprintf(format, args...)) }
	for _, left := range []string{"<no value>", "ZgotmplZ", "{{", "%!"} {
		if i := strings.Index(text, left); i >= 0 && !(left == "{{" && onlyInData(text)) {
			trouble("holds %q: %.60q", left, text[max(0, i-20):])
		}
	}
	ids, wanted := map[string]bool{}, map[string]string{}
	var open []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, a := range token.Attr {
				checkAttribute(trouble, token.Data, a)
				switch a.Key {
				case "id":
					if ids[a.Val] {
						trouble("two elements are called %s", a.Val)
					}
					ids[a.Val] = true
				case "for", "aria-labelledby", "aria-describedby", "aria-controls":
					for _, id := range strings.Fields(a.Val) {
						wanted[id] = a.Key
					}
				}
			}
			if kind == html.StartTagToken && !void[token.Data] {
				open = append(open, token.Data)
			}
			if token.Data == "style" || token.Data == "iframe" || token.Data == "object" {
				trouble("<%s> is forbidden", token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				trouble("</%s> closes %v", token.Data, open)
				return troubles
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if len(open) > 0 && open[len(open)-1] == "script" && strings.TrimSpace(token.Data) != "" {
				trouble("inline script: %.60q", token.Data)
			}
		}
	}
	if len(open) > 0 {
		trouble("left open: %v", open)
	}
	for id, by := range wanted {
		if !ids[id] {
			trouble("%s names %q, which is not there", by, id)
		}
	}
	return troubles
}

// Placeholders may stand in attributes that carry messages for scripts.
func onlyInData(text string) bool {
	return !strings.Contains(regexp.MustCompile(`data-[a-z]+="[^"]*"`).ReplaceAllString(text, ""), "{{")
}

func checkAttribute(trouble func(string, ...any), tag string, a html.Attribute) {
	switch {
	case handler.MatchString(a.Key):
		trouble("<%s %s> is inline script", tag, a.Key)
	case a.Key == "style":
		trouble("<%s style> is inline style", tag)
	case (a.Key == "src" || a.Key == "href" || a.Key == "action") && foreignURL.MatchString(a.Val):
		trouble("<%s %s=%q> leaves this host", tag, a.Key, a.Val)
	}
}

// TestErrorPages holds the error page to what it may tell.
func TestErrorPages(t *testing.T) {
	s := newSet(t)
	for _, c := range []struct {
		page      templates.ErrorPage
		has, lack string
	}{
		{templates.ErrorPage{Status: 404}, "Nothing is here", "data-retry"},
		{templates.ErrorPage{Status: 403, Key: "lesson.not_enrolled"}, "You are not enrolled in this course.", "data-retry"},
		{templates.ErrorPage{Status: 503}, "tries again by itself", "Something broke"},
		{templates.ErrorPage{Status: 503}, "retry503.mjs", "Something broke"},
		{templates.ErrorPage{Status: 500, Reference: "7F3A"}, "7F3A", "data-retry"},
		{templates.ErrorPage{Status: 507}, "Something broke on our side", "data-retry"},
		{templates.ErrorPage{Status: 400, Key: "<script>"}, "That did not work", "&lt;script"},
	} {
		text := render(t, s, "en", c.page)
		if !strings.Contains(text, c.has) {
			t.Errorf("%+v lacks %q", c.page, c.has)
		}
		if strings.Contains(text, c.lack) {
			t.Errorf("%+v holds %q", c.page, c.lack)
		}
	}
}

// TestNamesAreText puts markup where people write.
func TestNamesAreText(t *testing.T) {
	s := newSet(t)
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	p := studio(templates.Live)
	p.Lesson.Title, p.School, p.Viewer.Name, p.Health.Encoder = evil, evil, evil, evil
	p.People[0].Name = evil
	p.Health.Warnings[0].Detail = evil
	for _, trouble := range lint(render(t, s, "en", p)) {
		t.Error(trouble)
	}
	if text := render(t, s, "en", p); strings.Contains(text, "<script>alert") || strings.Contains(text, "<img") {
		t.Error("markup in a name came out as markup")
	}
}

// TestNewKeyIsHidden shows a new key exactly once, and hides it from a glance.
func TestNewKeyIsHidden(t *testing.T) {
	page := streamPage()
	text := render(t, newSet(t), "en", page)
	if n := strings.Count(text, page.NewKey); n != 1 {
		t.Errorf("the new key stands in the page %d times, want 1", n)
	}
	if !strings.Contains(text, `type="password" value="`+page.NewKey) {
		t.Error("the new key can be read over a shoulder")
	}
}

func BenchmarkRegister(b *testing.B) {
	s, err := templates.New()
	if err != nil {
		b.Fatal(err)
	}
	page := register(304)
	for b.Loop() {
		if err := s.Render(io.Discard, "en", page); err != nil {
			b.Fatal(err)
		}
	}
}

// A stream that ended with its key was let in, and its line does not say otherwise.
func TestAttemptThatEndedWithItsKey(t *testing.T) {
	p := streamPage()
	p.Attempts = p.Attempts[len(p.Attempts)-1:]
	text := render(t, newSet(t), "en", p)
	if !strings.Contains(text, "until the key was replaced or revoked") || strings.Contains(text, "OBS tried at") {
		t.Errorf("the page says otherwise:\n%s", text)
	}
}
