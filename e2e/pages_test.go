package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// screen is what a page is looked at on.
type screen struct {
	width, height int64
	dark          bool
	language      string
}

// screens are one that every run looks at and, when the pictures are wanted, all.
func screens() []screen {
	if os.Getenv("CHALKCAST_SCREENSHOTS") == "" {
		return []screen{{320, 640, false, "en"}, {1366, 768, true, "ja"}}
	}
	var all []screen
	for _, language := range []string{"en", "ja"} {
		for _, dark := range []bool{false, true} {
			for _, size := range [][2]int64{{360, 740}, {1366, 768}, {1920, 1080}} {
				all = append(all, screen{size[0], size[1], dark, language})
			}
		}
	}
	return all
}

func (sc screen) String() string {
	return fmt.Sprintf("%dx%d-%s-%s", sc.width, sc.height, map[bool]string{true: "dark", false: "light"}[sc.dark], sc.language)
}

// Every page on small and large screens, light and dark: no script throws, nothing is refused by the page's own
// policy, nothing is wider than the screen, and the accessibility checker finds nothing.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	teacher := s.signIn(s.Teacher)
	s.goLive(teacher)
	lesson := "/lessons/" + s.LessonID
	for _, who := range []struct {
		name    string
		account account
		pages   map[string]string
	}{
		{"stranger", account{}, map[string]string{"sign-in": "/sign-in", "not-found": "/no-such-page"}},
		{"student", s.Students[0], map[string]string{
			"home": "/", "class": lesson, "attendance": "/me/attendance", "settings": "/settings", "course": "/courses/" + s.CourseID,
		}},
		{"teacher", s.Teacher, map[string]string{
			"home": "/", "studio": lesson + "/studio", "register": lesson + "/register", "course": "/courses/" + s.CourseID, "settings": "/settings",
			"timetable": "/courses/" + s.CourseID + "/timetable", "stream": "/settings/stream", "obs": "/settings/obs",
		}},
		{"admin", s.Admin, map[string]string{"today": "/today", "home": "/"}},
	} {
		t.Run(who.name, func(t *testing.T) {
			tb := s.in(t).openBrowser().openTab()
			if who.account.Email != "" {
				tb.signIn(who.account)
			}
			for _, sc := range screens() {
				tb.use(sc)
				for name, path := range who.pages {
					tb.open(path)
					if name == "class" || name == "studio" {
						tb.waitFrames(25)
					}
					tb.inspect(path, sc)
					tb.keep(name + "-" + sc.String())
				}
			}
		})
	}
}

// use makes the tab a screen of that size, taste and language.
func (tb *tab) use(sc screen) {
	tb.t.Helper()
	tb.size(sc.width, sc.height, sc.dark)
	tb.run("set the language", chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		if _, err := cdp.Call(ctx, page, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, page, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": sc.language}})
		return err
	}))
}

// axe is the accessibility checker, from the Node modules that the script tests use.
const axe = "../jstest/node_modules/axe-core/axe.min.js"

func (tb *tab) inspect(path string, sc screen) {
	tb.t.Helper()
	if w := tb.watched(); len(w.Errors) > 0 {
		tb.t.Errorf("%s at %v: errors %q", path, sc, w.Errors)
	}
	if wide := eval[int](tb, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		tb.t.Errorf("%s at %v: is %d px wider than the screen", path, sc, wide)
	}
	eval[bool](tb, readFile(tb.t, axe)+";true")
	found := tb.await(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
		.then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")).join("\n"))`)
	if found != "" {
		tb.t.Errorf("%s at %v: the accessibility checker finds\n\t%s", path, sc, strings.ReplaceAll(found, "\n", "\n\t"))
	}
}

// await returns the text that a promise brings.
func (tb *tab) await(promise string) string {
	tb.t.Helper()
	eval[bool](tb, `(window.awaited = undefined, (`+promise+`).then((v) => { window.awaited = {v}; }, (e) => { window.awaited = {v: "it failed: " + e}; }), true)`)
	tb.waitFor("a promise is kept", `window.awaited`)
	return eval[string](tb, `window.awaited.v`)
}
