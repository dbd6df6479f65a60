package templates_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"chalkcast/templates"
)

// Of what repeats, the checkers look at the first dozen: a roster of 304 has 304 times the same troubles.
const shorten = `for (const list of document.querySelectorAll('tbody, ul, .picture-rows')) {
	for (const item of [...list.children].slice(12)) item.remove();
}`

// What is not seen by anybody cannot be clipped; what ends in an ellipsis says so; what scrolls can be reached.
const misplaced = `(() => {
	const found = new Set();
	const range = document.createRange();
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; (node = texts.nextNode()); ) {
		const owner = node.parentElement;
		if (!node.data.trim() || !owner.checkVisibility({visibilityProperty: true}) || owner.closest('.skip, option, noscript')) continue;
		range.selectNodeContents(node);
		const box = range.getBoundingClientRect();
		let reach = {left: 0, right: innerWidth, top: -Infinity, bottom: Infinity};
		for (let e = owner; e; e = e.parentElement) {
			const style = getComputedStyle(e);
			if (style.clipPath !== 'none' || style.textOverflow === 'ellipsis' || /auto|scroll/.test(style.overflowX + style.overflowY)) {
				reach = null;
				break;
			}
			if (style.overflowX === 'hidden' || style.overflowX === 'clip') {
				reach = e.getBoundingClientRect();
				break;
			}
		}
		if (!reach) continue;
		const off = Math.max(reach.left - box.left, box.right - reach.right, reach.top - box.top, box.bottom - reach.bottom);
		if (off > 1) found.add(Math.round(off) + ' px of "' + node.data.trim().slice(0, 40) + '" cannot be seen');
	}
	const wide = document.documentElement.scrollWidth - innerWidth;
	if (wide > 0) found.add('the page is ' + wide + ' px wider than the window');
	return [...found].slice(0, 5).join('\n');
})()`

// Every page in every state is looked at by axe (WCAG 2.2 AA) in a real browser: on a phone and on a wide screen, one of
// them in dark; which one changes from page to page and so do all of a page's states.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	server, w, checker := gallery(t, newSet(t)), openWindow(t), axe(t)
	still := &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"} // no color is on its way to another
	for i, name := range slices.Sorted(maps.Keys(samples())) {
		schemes := []string{"light", "dark"}
		if i%2 == 1 {
			slices.Reverse(schemes)
		}
		w.size(1366, 768, schemes[0], still)
		w.open(server.URL + "/page/en/" + name)
		ask[bool](w, shorten+checker)
		for _, look := range []struct {
			width  int64
			scheme string
		}{{1366, schemes[0]}, {360, schemes[1]}} {
			w.size(look.width, 768, look.scheme, still)
			found := ask[string](w, `axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
				.then((r) => r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " – " + n.failureSummary.split("\n").at(1)).join("; ")).join("\n"))`)
			for _, trouble := range lines(found) {
				t.Errorf("%s, %d px, %s: %s", name, look.width, look.scheme, trouble)
			}
		}
	}
}

// Pages in a language with longer words, and written from the right, at 320 px: nothing is wider than the window and
// nothing is cut off.
func TestReflow(t *testing.T) {
	t.Parallel()
	set, err := templates.NewPseudo()
	if err != nil {
		t.Fatal(err)
	}
	server, w := gallery(t, set), openWindow(t)
	for _, name := range slices.Sorted(maps.Keys(samples())) {
		w.size(320, 640, "light")
		w.open(server.URL + "/page/en/" + name)
		ask[bool](w, `document.querySelectorAll('details').forEach((d) => d.classList.contains('me') || (d.open = true)), true`)
		for _, dir := range []string{"ltr", "rtl"} {
			ask[string](w, `document.documentElement.dir = "`+dir+`"`)
			for _, trouble := range lines(ask[string](w, misplaced)) {
				t.Errorf("%s, %s: %s", name, dir, trouble)
			}
		}
	}
}

// Who forces colors, or wants no motion, gets that, and paper is not painted green.
func TestWishes(t *testing.T) {
	t.Parallel()
	server, w := gallery(t, newSet(t)), openWindow(t)
	w.size(1366, 768, "light", &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
	w.open(server.URL + "/page/en/class-live")
	if n := ask[int](w, `document.getAnimations().length`); n != 0 {
		t.Errorf("reduced motion: %d animations run", n)
	}

	w.size(1366, 768, "light", &emulation.MediaFeature{Name: "forced-colors", Value: "active"})
	w.open(server.URL + "/page/en/storybook")
	for _, selector := range []string{".primary", ".chip-live", `.copy-show`} {
		ask[string](w, `document.querySelector(".copy-show").setAttribute("aria-pressed", "true"), ""`)
		if edge := ask[string](w, `getComputedStyle(document.querySelector("`+selector+`")).outlineStyle`); edge != "solid" {
			t.Errorf("forced colors: %s has no edge (%s)", selector, edge)
		}
	}

	w.do("print", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	for _, name := range []string{"register", "home-student", "class-ended"} {
		w.open(server.URL + "/page/en/" + name)
		found := ask[string](w, `[...document.querySelectorAll(".bar, .stage, .edit-bar, .now-go")].filter((e) => e.checkVisibility()).map((e) => e.className).join(" ")`)
		paper := ask[string](w, `getComputedStyle(document.body).backgroundColor`)
		if dark := paper == "rgb(20, 53, 43)"; found != "" || dark {
			t.Errorf("%s on paper shows %q on %s", name, found, paper)
		}
	}
}

// The studio is one screen at 1366×768, in every state and language and with every tab; so is what an admin needs of today.
func TestOneScreen(t *testing.T) {
	t.Parallel()
	set, err := templates.NewPseudo()
	if err != nil {
		t.Fatal(err)
	}
	real, long, w := gallery(t, newSet(t)), gallery(t, set), openWindow(t)
	w.size(1366, 768, "light")
	pages := []string{long.URL + "/page/en/"} // longer words than any
	for _, l := range templates.Languages() {
		pages = append(pages, real.URL+"/page/"+l.Code+"/")
	}
	for _, page := range pages {
		for _, name := range slices.Sorted(maps.Keys(samples())) {
			if !strings.HasPrefix(name, "studio-") {
				continue
			}
			w.open(page + name)
			found := ask[string](w, `(async () => {
				const found = [];
				for (const tab of [null, ...document.querySelectorAll("[role=tab]")]) {
					tab?.click();
					await new Promise(requestAnimationFrame);
					const tall = document.documentElement.scrollHeight - innerHeight;
					if (tall > 0) found.push((tab?.textContent.trim() ?? "no tab") + ": " + tall + " px too tall");
				}
				return found.join("\n");
			})()`)
			for _, trouble := range lines(found) {
				t.Errorf("%s%s: %s", page, name, trouble)
			}
		}
		w.open(page + "today")
		if first := ask[int](w, `Math.max(...[...document.querySelectorAll("h1, .row-trouble")].map((e) => Math.round(e.getBoundingClientRect().bottom)))`); first > 768 {
			t.Errorf("%stoday: what is wrong ends at %d px, want all of it on the first screen", page, first)
		}
	}
}
