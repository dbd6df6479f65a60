package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabTo presses Tab until what a selector names has the focus, and wants it to show that.
func (tb *tab) tabTo(selector string) {
	tb.t.Helper()
	for range 80 {
		tb.press(kb.Tab)
		if !eval[bool](tb, `Boolean(document.activeElement?.matches(`+quote(selector)+`))`) {
			continue
		}
		if seen := eval[string](tb, `getComputedStyle(document.activeElement).outlineStyle`); seen == "none" {
			tb.t.Errorf("%s has the focus and does not show it", selector)
		}
		return
	}
	tb.t.Fatalf("80 times Tab do not lead to %s\n%s", selector, tb.describe())
}

// arrives waits for a page by the beginning of its path, and for its script.
func (tb *tab) arrives(what, path string) {
	tb.t.Helper()
	tb.waitFor(what, `location.pathname.startsWith(`+quote(path)+`) && document.readyState === "complete"`)
}

// signInByKeyboard leads to the first page.
func (tb *tab) signInByKeyboard(who account) {
	tb.t.Helper()
	tb.open("/sign-in")
	if !eval[bool](tb, `document.activeElement?.name === "email"`) {
		tb.tabTo("input[name=email]")
	}
	tb.press(who.Email)
	tb.tabTo("input[name=password]")
	tb.press(who.Password + kb.Enter)
	tb.waitFor("the first page", `location.pathname === "/" && document.readyState === "complete"`)
}

// Nobody needs a mouse: the teacher goes live and ends the lesson, a student watches it, an admin finds its register.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	teacher, student, admin := s.openBrowser().openTab(), s.openBrowser().openTab(), s.openBrowser().openTab()

	t.Run("the teacher goes live", func(t *testing.T) {
		tb := teacher.in(t)
		tb.signInByKeyboard(s.Teacher)
		tb.tabTo(`.now-go a[href$="/studio"]`)
		tb.press(kb.Enter)
		tb.arrives("the studio", "/lessons/"+s.LessonID+"/studio")
		tb.waitFor("there is a preview", `!document.querySelector("[data-go] button").disabled`)
		if title := eval[string](tb, `document.title`); !strings.HasPrefix(title, "Go live?") && !strings.HasPrefix(title, "Preview") {
			t.Errorf("the title of a preview is %q", title)
		}
		tb.tabTo("[data-go] button")
		tb.press(kb.Enter)
		tb.waitFor("it is live", `document.title.startsWith("● Live") && document.querySelector(".preview-live")`)
	})
	t.Run("a student watches", func(t *testing.T) {
		tb := student.in(t)
		tb.signInByKeyboard(s.Students[0])
		tb.tabTo(`.now-go a`)
		tb.press(kb.Enter)
		tb.arrives("the class", "/lessons/"+s.LessonID)
		tb.waitFrames(50)
		tb.tabTo("[data-do=play]")
		tb.press(kb.Enter)
		tb.waitFor("it is paused", `document.querySelector("video").paused`)
		tb.press(kb.Enter)
		tb.tabTo("[data-do=mute]")
		tb.press(" ")
		tb.waitFor("it is mute", `document.querySelector("video").muted`)
		tb.tabTo(".counted summary")
		tb.press(kb.Enter)
		tb.waitFor("the rule is read", `document.querySelector(".counted").open`)
	})
	t.Run("the teacher sees who watches, adds time and ends", func(t *testing.T) {
		tb := teacher.in(t)
		until := eval[string](tb, `document.querySelector("[data-until]").textContent`)
		tb.tabTo("[data-extend] button")
		tb.press(kb.Enter)
		tb.waitFor("the lesson ends later", `document.querySelector("[data-until]").textContent !== `+quote(until))
		tb.waitFor("the viewers' side is told", `/1 of 1 fine, median [0-9.]+ s behind/.test(document.querySelector("[data-viewers]").textContent)`)
		tb.keep("studio")
		tb.tabTo("[data-end] button")
		tb.press(kb.Enter)
		tb.waitFor("it is asked once more", `document.querySelector("[data-confirm]").open`)
		tb.tabTo(`[data-confirm] button[value=yes]`)
		tb.press(kb.Enter)
		tb.waitFor("it has ended", `document.title.startsWith("Ended")`)
		tb.tabTo(`.preview a[href$="/register"]`)
		tb.press(kb.Enter)
		tb.arrives("the register", "/lessons/"+s.LessonID+"/register")
	})
	t.Run("an admin finds the register", func(t *testing.T) {
		tb := admin.in(t)
		tb.signInByKeyboard(s.Admin)
		tb.tabTo(`.menu a[href="/today"]`)
		tb.press(kb.Enter)
		tb.arrives("the board of today", "/today")
		tb.tabTo(`.today-table a[href="/lessons/` + s.LessonID + `/register"]`)
		tb.press(kb.Enter)
		tb.arrives("the register", "/lessons/"+s.LessonID+"/register")
		tb.tabTo("[data-search] input")
		tb.press(strings.Fields(eval[string](tb, `document.querySelector(".register-table tbody th").textContent`))[0])
		tb.waitFor("others are hidden", `document.querySelector(".register-table tbody tr[hidden]")`)
		tb.run("leave", chromedp.Navigate("about:blank"))
	})
}
