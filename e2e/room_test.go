package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A teacher and two students talk: chat, a hand, a poll, a message taken away, and all of it there again after the
// server was killed. One of the students has no browser, so that the page is tried against the API too.
func TestRoom(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	lesson := "/lessons/" + s.LessonID
	class := s.openBrowser().openTab()
	class.size(1366, 768, false)
	class.signIn(s.Students[0])
	class.open(lesson)
	studio := s.openBrowser().openTab()
	studio.size(1366, 768, false)
	studio.signIn(s.Teacher)
	studio.open(lesson + "/studio")
	other := s.signIn(s.Students[1])

	class.waitFor("the panel can be written in", `!document.querySelector("[data-say]").hidden`)
	class.write(`#tab-chat textarea`, "Good <b>morning</b>")
	studio.pick("chat")
	studio.waitFor("the teacher reads it", says("#side-chat", "Good <b>morning</b>"))
	spam := other.post(lesson+"/chat", map[string]any{"text": "\u202e buy this " + strings.Repeat("!", 200)})
	class.waitFor("a classmate's line", says("#tab-chat", "buy this"))
	studio.waitFor("the same in the studio", says("#side-chat li:last-child", "buy this"))
	studio.keep("studio-chat")
	studio.click(`#side-chat li:last-child summary`)
	studio.waitFor("what can be done is shown", `document.querySelector("#side-chat li:last-child .line-more button").checkVisibility()`)
	eval[bool](studio, `(document.querySelector("#side-chat li:last-child .line-more button").click(), true)`) // what was opened may still move
	class.waitFor("it is gone", "!"+says("#tab-chat", "buy this"))
	if status, _ := other.do("POST", "/api/v1"+lesson+"/chat/"+spam+"/remove", struct{}{}); status != http.StatusForbidden {
		t.Errorf("a student removes a message: %d, want 403", status)
	}

	other.post(lesson+"/hand", map[string]any{"up": true})
	class.run("raise the hand", chromedp.Click(chromedp.CSS(`.under [data-hand]`)))
	class.waitFor("the place in line", says(".under", "Place 2 in line"))
	studio.pick("hands")
	studio.waitFor("two hands", `document.querySelectorAll("#side-hands li").length === 2`)
	studio.keep("studio-hands")
	studio.run("lower the first", chromedp.Click(chromedp.CSS(`#side-hands li:first-child button:last-child`)))
	class.waitFor("the next in line", says(".under", "You are next"))
	studio.waitFor("one hand", `document.querySelectorAll("#side-hands li").length === 1`)
	studio.run("call the other", chromedp.Click(chromedp.CSS(`#side-hands li button`)))
	class.waitFor("being called", says(".under", "It is your turn"))

	class.pick("ask")
	class.write(`#tab-ask textarea`, "Is this in the test?")
	studio.pick("questions")
	studio.waitFor("the question", says("#side-questions", "Is this in the test?"))
	studio.write(`#side-questions .answer-form input`, "No.")
	class.waitFor("the answer", says("#tab-ask", "No."))
	studio.keep("studio-questions")

	studio.pick("polls")
	studio.run("make a poll", chromedp.Click(chromedp.CSS(`.new-poll summary`)),
		chromedp.SendKeys(chromedp.CSS(`[data-new-poll] [name=text]`), "Plant or animal?"),
		chromedp.SendKeys(chromedp.CSS(`[data-options] input:nth-child(1)`), "Plant"),
		chromedp.SendKeys(chromedp.CSS(`[data-options] input:nth-child(2)`), "Animal"))
	studio.keep("studio-new-poll")
	studio.run("open it", chromedp.Click(chromedp.CSS(`[data-new-poll] button[type=submit]`)))
	class.waitFor("a sign that there is something to do", `!document.querySelector('[data-tab="polls"] [data-new]').hidden`)
	class.pick("polls")
	class.run("vote", chromedp.Click(chromedp.CSS(`#tab-polls label:nth-of-type(2)`)), chromedp.Click(chromedp.CSS(`#tab-polls button[type=submit]`)))
	studio.waitFor("the vote", says("#side-polls", "100%"))
	class.keep("class-poll")
	studio.run("close it", chromedp.Click(chromedp.CSS(`#side-polls li button`)))
	class.waitFor("the result", says("#tab-polls", "100%"))

	class.pick("chat")
	s.kill()
	s.restart()
	other.post(lesson+"/chat", map[string]any{"text": "I am back"})
	class.waitFor("what was said after the restart", says("#tab-chat", "I am back"))
	studio.pick("chat")
	studio.waitFor("the same in the studio", says("#side-chat", "I am back"))
	if !eval[bool](class, says("#tab-chat", "Good <b>morning</b>")) || eval[bool](class, says("#tab-chat", "buy this")) {
		t.Error("after the restart the page lost a message, or has one again that was removed")
	}
	for _, tb := range []*tab{class, studio} {
		for _, sc := range screens() {
			tb.size(sc.width, sc.height, sc.dark)
			eval[bool](tb, `(document.querySelector("[data-panel-open]:not([hidden])")?.click(), true)`)
			tb.inspect("room", sc)
			tb.keep("room-" + sc.String())
		}
	}
	class.size(1366, 768, false)
	studio.size(1366, 768, false)
	if tall := eval[int](studio, `document.documentElement.scrollHeight - innerHeight`); tall > 0 {
		t.Errorf("the studio is %d px taller than a screen of 1366×768", tall)
	}
}

// says is an expression: whether a part of the page shows a text.
func says(where, text string) string {
	quoted, _ := json.Marshal(text) // a string always marshals
	return `document.querySelector("` + where + `").innerText.includes(` + string(quoted) + `)`
}

func (tb *tab) pick(name string) {
	tb.t.Helper()
	tb.run("choose the tab "+name, chromedp.Click(chromedp.CSS(`[role=tab][data-tab="`+name+`"]`)))
}

// write types a line and presses Enter.
func (tb *tab) write(where, text string) {
	tb.t.Helper()
	tb.run("write "+where, chromedp.SendKeys(chromedp.CSS(where), text+"\r"))
}

// post changes something that must change, and returns the id of what it made.
func (v *visitor) post(path string, body any) string {
	v.t.Helper()
	status, answer := v.do(http.MethodPost, "/api/v1"+path, body)
	if status != http.StatusCreated && status != http.StatusNoContent {
		v.t.Fatalf("POST %s: got %d, want 201 or 204: %s", path, status, answer)
	}
	var made struct{ ID string }
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &made); err != nil {
			v.t.Fatalf("POST %s: %v in %s", path, err, answer)
		}
	}
	return made.ID
}
