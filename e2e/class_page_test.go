package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// call sends one command of the DevTools protocol.
func call[P, R any](tb *tab, what string, command cdp.Command[P, R], params P) {
	tb.t.Helper()
	tb.run(what, chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, command, params)
		return err
	}))
}

// before runs a script in every page of the tab, before the page's own.
func (tb *tab) before(script string) {
	tb.t.Helper()
	call(tb, "add a script", cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

func (tb *tab) press(keys string) {
	tb.t.Helper()
	tb.run("press "+keys, chromedp.KeyEvent(keys))
}

func (tb *tab) click(selector string) {
	tb.t.Helper()
	tb.waitFor(selector+" is there", `document.querySelector(`+quote(selector)+`)?.checkVisibility()`)
	tb.run("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

func quote(text string) string { return "`" + text + "`" }

// in is the same tab for a subtest.
func (tb *tab) in(t *testing.T) *tab {
	b := *tb.browser
	b.t = t
	return &tab{&b, tb.ctx}
}

// offline takes the network away from a tab, or gives it back.
func (tb *tab) offline(yes bool) {
	tb.t.Helper()
	call(tb, "network", network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}},
	})
	call(tb, "network state", network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1})
}

// isLive is true while the page says that its viewer is where everybody else is.
const isLive = `!document.querySelector("[data-do=live]").hidden && !document.querySelector("[data-do=live]").classList.contains("is-away") && document.querySelector("main").dataset.state === "live"`

// hasTenSeconds is true when who goes back as far is behind everybody else.
const hasTenSeconds = `document.querySelector("video").currentTime - document.querySelector("video").seekable.start(0) > 10`

// One lesson in one page that is never loaded anew: before, waiting, live with every button and key, without a network,
// asleep, ended, and again as a replay.
func TestClassPage(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	teacher := s.signIn(s.Teacher)
	tb := s.openBrowser().openTab()
	tb.signIn(s.Students[0])
	tb.open("/lessons/" + s.LessonID)
	eval[bool](tb, `window.marked = true`)
	t.Run("waits and opens by itself", func(t *testing.T) {
		tb := tb.in(t)
		tb.click(".card-over:not([hidden]) [data-test]")
		tb.waitFor("the test says something", `document.querySelector(".card-over:not([hidden]) [data-tested]").textContent.includes("two notes")`)
		publish(tb.s.t, s.publishURL(), -1)
		s.in(t).goLive(teacher)
		tb.waitFrames(75)
		tb.waitFor("it is live", isLive)
	})
	began := time.Now()
	t.Run("keys", func(t *testing.T) { tb.in(t).checkKeys() })
	t.Run("behind and back", func(t *testing.T) { tb.in(t).checkBehind() })
	t.Run("sound only", func(t *testing.T) {
		tb := tb.in(t)
		tb.click("[data-do=audio]")
		tb.waitFor("there is sound alone", `document.querySelector("video").videoWidth === 0 && document.querySelector("video").readyState > 2 && !document.querySelector(".audio-card").hidden && document.querySelector(".stage").dataset.player === "playing"`)
		tb.click("[data-do=audio]")
		tb.waitFor("the picture is back", `document.querySelector("video").videoWidth > 0`)
	})
	t.Run("no network for a while", func(t *testing.T) { tb.in(t).checkOffline() })
	t.Run("behind other windows", func(t *testing.T) { tb.in(t).checkHidden() })
	t.Run("FLT-20 asleep", func(t *testing.T) { tb.in(t).checkSleep() })
	tb.checkNotReloaded()
	<-time.After(time.Until(began.Add(40 * time.Second))) // a replay is left in its middle: that has to be long enough
	t.Run("ends", func(t *testing.T) { tb.in(t).checkEnd(teacher) })
	t.Run("replay", func(t *testing.T) { tb.in(t).checkReplay() })
}

func (tb *tab) checkKeys() {
	tb.t.Helper()
	paused := `document.querySelector("video").paused`
	for _, key := range []string{"k", " "} {
		tb.press(key)
		tb.waitFor("it is paused by "+key, paused)
		tb.press(key)
		tb.waitFor("it plays by "+key, "!"+paused)
	}
	tb.press("m")
	tb.waitFor("m mutes", `document.querySelector("video").muted`)
	tb.press("m")
	tb.press(kb.ArrowDown)
	tb.waitFor("down is quieter", `document.querySelector("video").volume < 1 && !document.querySelector("video").muted`)
	tb.press("?")
	tb.waitFor("? lists the keys", `document.querySelector(".keys-dialog").open`)
	tb.click(".keys-dialog .switch")
	tb.press(kb.Escape)
	tb.waitFor("Escape closes the list", `!document.querySelector(".keys-dialog").open`)
	tb.press("k")
	if eval[bool](tb, paused) {
		tb.t.Error("k pauses although the letters are switched off")
	}
	tb.press("?")
	tb.click(".keys-dialog .switch")
	tb.press(kb.Escape)
	tb.press("c") // there are no captions; nothing happens
	tb.press("f")
	tb.waitFor("f fills the screen", `document.fullscreenElement && document.querySelector("[data-do=full]").getAttribute("aria-pressed") === "true"`)
	tb.press("f")
	tb.waitFor("f gives it back", `!document.fullscreenElement`)
}

// checkBehind goes back ten seconds, to the beginning of the lesson, and to where everybody is.
func (tb *tab) checkBehind() {
	tb.t.Helper()
	live := `document.querySelector("[data-do=live]")`
	tb.waitFor("there are ten seconds to go back", hasTenSeconds)
	tb.press("j")
	tb.waitFor("it is behind", live+`.classList.contains("is-away")`)
	tb.waitFor("a speed can be chosen", `!document.querySelector(".ctl-speed").hidden`)
	tb.click("[data-do=live]")
	tb.waitFor("it is live again", isLive)
	tb.click("[data-do=start]")
	tb.waitFor("it plays from the start", `!document.querySelector(".seek").hidden && document.querySelector("video").currentTime < 5 && !document.querySelector("video").paused`)
	tb.waitFrames(25)
	tb.click("[data-do=live]")
	tb.waitFor("it is live once more", isLive+` && document.querySelector(".seek").hidden`)
	tb.waitFrames(25)
}

// checkOffline takes the network away until the picture stands. What plays again by itself is left alone.
func (tb *tab) checkOffline() {
	tb.t.Helper()
	eval[bool](tb, `(window.emptied = [], document.addEventListener("emptied", () => window.emptied.push(document.querySelector(".stage").dataset.player), true),
		window.addEventListener("online", () => (window.onlineAt = performance.now()), { once: true }), true)`)
	tb.offline(true)
	tb.waitFor("it stalls", `document.querySelector(".stage").dataset.player === "stalled"`)
	tb.offline(false)
	tb.waitFrames(50)
	tb.waitFor("it is live again", isLive)
	tb.waitFor("nobody waits for their turn any more", `performance.now() - window.onlineAt > 2000`)
	if states := eval[[]string](tb, `window.emptied`); slices.Contains(states, "playing") {
		tb.t.Errorf("the player began anew while it was %q: it tore down what played", states)
	}
}

// checkSleep freezes the page, as a phone does with what is not looked at. Asleep nothing is earned, and awake it is live
// within seconds. Its window is put away meanwhile: Chromium hides what it is told to freeze, and says only of a window
// that comes back that it is seen again. A page that stays hidden never completes a seek of its video.
func (tb *tab) checkSleep() {
	tb.t.Helper()
	tb.waitFor("a beat is acknowledged", `window.watched.beats > `+jsNumber(tb.watched().Beats))
	before, began := tb.watched(), time.Now()
	freeze := cdppage.SetWebLifecycleStateParams{State: cdppage.SetWebLifecycleStateStateFrozen}
	tb.window(cdpbrowser.WindowStateMinimized)
	tb.waitFor("it is hidden", `document.hidden`)
	call(tb, "freeze", cdppage.SetWebLifecycleState, freeze)
	const asleep = 12 * time.Second
	<-time.After(asleep) // it is the fault that lasts so long
	call(tb, "wake", cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: cdppage.SetWebLifecycleStateStateActive})
	tb.window(cdpbrowser.WindowStateNormal)
	woke := time.Now()
	tb.waitFor("it is seen again", `!document.hidden`)
	tb.waitFrames(25)
	tb.waitFor("it is live after a sleep", isLive+` && document.querySelector(".stage").dataset.player === "playing"`)
	tb.t.Logf("live %v after waking", time.Since(woke))
	tb.waitFor("a beat is acknowledged", `window.watched.beats > `+jsNumber(before.Beats))
	after, awake := tb.watched(), time.Since(began)-asleep
	// What is counted has short gaps closed; what the page says has not.
	if reported := time.Duration(after.Reported-before.Reported) * time.Millisecond; reported > awake+4*time.Second {
		tb.t.Errorf("the page reports %v and was awake for %v: sleep is earned", reported, awake)
	}
}

// checkHidden puts the window away while the lesson goes on: the page then asks for nothing but media, and tells of
// nothing but its beats.
func (tb *tab) checkHidden() {
	tb.t.Helper()
	tb.window(cdpbrowser.WindowStateMinimized)
	tb.waitFor("it is hidden", `document.hidden`)
	eval[bool](tb, `(performance.setResourceTimingBufferSize(2000), performance.clearResourceTimings(), window.hiddenAt = performance.now(), true)`)
	tb.waitFor("it plays on", `performance.getEntriesByType("resource").filter((r) => r.name.includes("/p/")).length > 20`)
	// What it asked while it was seen can be answered later.
	asked := eval[[]string](tb, `performance.getEntriesByType("resource").filter((r) => r.startTime >= window.hiddenAt).map((r) => new URL(r.name).pathname)`)
	for _, path := range asked {
		if !strings.HasPrefix(path, "/p/") && !strings.HasSuffix(path, "/beats") {
			tb.t.Errorf("a hidden page asks for %s", path)
		}
	}
	tb.window(cdpbrowser.WindowStateNormal)
	tb.waitFor("it is seen again", `!document.hidden`)
	tb.waitFrames(25)
}

// window puts the tab's window away, or brings it back.
func (tb *tab) window(state cdpbrowser.WindowState) {
	tb.t.Helper()
	tb.run(string(state)+" window", chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		w, err := cdp.Call(ctx, page, cdpbrowser.GetWindowForTarget, cdpbrowser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, page, cdpbrowser.SetWindowBounds, cdpbrowser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &cdpbrowser.Bounds{WindowState: state}})
		return err
	}))
}

// checkEnd ends the lesson; its replay starts within seconds, in the same page.
func (tb *tab) checkEnd(teacher *visitor) {
	tb.t.Helper()
	teacher.order(tb.s.LessonID, "end")
	ended := time.Now()
	tb.waitFor("the page says that it is over", `document.querySelector("main").dataset.state === "ended"`)
	tb.waitFor("the replay is offered, and taken", `[...document.querySelectorAll("[data-replay]")].find((b) => b.checkVisibility())?.click() ?? document.querySelector("[data-do=live]").hidden`)
	tb.waitFor("the replay plays", `!document.querySelector("video").paused && document.querySelector("video").currentTime > 0 && document.querySelector("video").currentTime < 10`)
	tb.t.Logf("the replay played %v after the end", time.Since(ended))
	tb.waitFor("the own result is there", `document.querySelector("#after .result")`)
	if title := eval[string](tb, `document.title`); !strings.HasPrefix(title, "Ended") {
		tb.t.Errorf("the title is %q, want that it says Ended", title)
	}
}

func (tb *tab) checkReplay() {
	tb.t.Helper()
	tb.open("/lessons/" + tb.s.LessonID)
	tb.waitFor("the replay is offered", `document.querySelector("[data-replay]")?.checkVisibility()`)
	tb.keep("ended")
	tb.click("[data-replay]")
	tb.waitFor("the replay plays", `!document.querySelector("video").paused && document.querySelector("video").currentTime > 1 && document.querySelector("[data-do=live]").hidden`)
	tb.waitFor("what was seen is drawn", `document.querySelector("[data-seen] rect") && document.querySelector("[data-seen-text]").textContent.includes("%")`)
	eval[bool](tb, `document.querySelector("[data-do=seek]").value = 20, document.querySelector("[data-do=seek]").dispatchEvent(new Event("input")), true`)
	tb.waitFor("it plays where one seeks", `document.querySelector("video").currentTime > 20 && document.querySelector("video").readyState > 2`)
	tb.keep("replay")
	tb.open("/lessons/" + tb.s.LessonID)
	tb.click("[data-replay]")
	tb.waitFor("it goes on where it was left", `document.querySelector("video").currentTime >= 20 && document.querySelector("[data-line]").textContent.includes("where you stopped")`)
	tb.waitFor("what was seen before is drawn", `document.querySelector("[data-seen] rect")`)
	tb.waitFor("a beat of the replay is acknowledged", `window.watched.beats > 0`)
}

// Browsers that are different: one without media source extensions, one that plays nothing by itself, one whose clock is
// wrong by years.
func TestOtherBrowsers(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	s.goLive(s.signIn(s.Teacher))
	b := s.openBrowser()
	first := b.openTab()
	first.signIn(s.Students[0])
	for _, other := range []struct {
		name, script string
		check        func(*tab)
	}{
		{"native HLS", `for (const name of ["MediaSource", "ManagedMediaSource", "WebKitMediaSource", "SourceBuffer"]) delete window[name];`, func(tb *tab) {
			if src := eval[string](tb, `document.querySelector("video").src`); !strings.HasSuffix(src, "/index.m3u8") {
				tb.t.Errorf("the picture comes from %q, want the playlist itself", src)
			}
		}},
		{"FLT-21 a clock of 1999", `const Real = Date, off = Date.now() - Date.UTC(1999, 0, 1);
			window.Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Real.now() - off); } static now() { return Real.now() - off; } };`, func(tb *tab) {
			tb.waitFor("it is live", isLive)
			tb.waitFor("beats are acknowledged and count", `window.watched.beats >= 2 && window.watched.counted > 0`)
			if w := tb.watched(); w.Counted > 60 {
				tb.t.Errorf("counted %v s within the first minute", w.Counted)
			}
		}},
		{"SEC-22 the ticket expires", `const open = XMLHttpRequest.prototype.open, ask = window.fetch;
			const stale = (url) => window.expired && url.includes("/p/") ? url.replace(/\/p\/[^/]+/, "/p/" + "A".repeat(52)) : url;
			XMLHttpRequest.prototype.open = function (method, url, ...rest) { return open.call(this, method, stale(String(url)), ...rest); };
			window.fetch = (what, ...rest) => {
				const url = String(what.url ?? what);
				if (url.endsWith("/playback") && window.expired) { window.expired = false; window.renewed = performance.now() - window.expiredAt; }
				return ask(stale(url) === url ? what : stale(url), ...rest);
			};`, func(tb *tab) {
			tb.waitFor("it is live", isLive)
			eval[bool](tb, `(window.expiredAt = performance.now(), window.expired = true)`)
			tb.waitFor("the page asks for another ticket", `window.renewed > 0`)
			tb.waitFrames(50)
			tb.t.Logf("asked for a new ticket %v ms after the old one had expired", eval[float64](tb, `window.renewed`))
		}},
		{"muted start", autoplay(`!this.muted`), func(tb *tab) {
			tb.click(".unmute")
			tb.waitFor("there is sound", `!document.querySelector("video").muted && !document.querySelector("video").paused`)
		}},
	} {
		t.Run(other.name, func(t *testing.T) {
			tb := b.openTab().in(t)
			tb.before(other.script)
			tb.open("/lessons/" + s.LessonID)
			tb.waitFrames(50)
			other.check(tb)
			if w := tb.watched(); len(w.Errors) > 0 {
				t.Errorf("errors %q", w.Errors)
			}
			tb.leave()
		})
	}
	t.Run("a device in another zone", func(t *testing.T) {
		tb := b.openTab().in(t)
		call(tb, "travel", emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Pacific/Kiritimati"})
		tb.open("/lessons/" + s.LessonID)
		eval[bool](tb, `(import(performance.getEntriesByType("resource").find((r) => r.name.includes("/page.")).name).then((m) => (window.clockOf = m.clock)), true)`)
		tb.waitFor("the page's clock is at hand", `window.clockOf`)
		times := `[...document.querySelectorAll("main time")].filter((e) => /^\d+:\d+$/.test(e.textContent))`
		written := eval[[]string](tb, times+`.map((e) => e.textContent)`)
		if said := eval[[]string](tb, times+`.map((e) => clockOf(e.dateTime))`); len(written) < 2 || !slices.Equal(said, written) {
			t.Errorf("scripts say %q where the server wrote %q", said, written)
		}
	})
	t.Run("tap to start", func(t *testing.T) {
		tb := b.openTab().in(t)
		tb.before(autoplay(`true`))
		tb.open("/lessons/" + s.LessonID)
		tb.click(".big-play")
		tb.waitFrames(25)
		if eval[bool](tb, `document.querySelector(".big-play").checkVisibility()`) {
			t.Error("the big button stays over the picture")
		}
	})
	t.Run("video_codec: no picture that it can show", func(t *testing.T) {
		tb := b.openTab().in(t)
		tb.before(`const known = MediaSource.isTypeSupported; MediaSource.isTypeSupported = (type) => !type.includes("avc1") && known.call(MediaSource, type);`)
		tb.open("/lessons/" + s.LessonID)
		tb.waitFor("it says so", `document.querySelector("[data-notes]").textContent.includes("cannot be played on this device")`)
		tb.waitFor("the sound plays", `document.querySelector("video").currentTime > 0 && document.querySelector(".stage").dataset.player === "playing"`)
		tb.leave()
	})
	t.Run("server_busy: many come at once", func(t *testing.T) {
		tb := b.openTab().in(t)
		tb.before(`const asked = window.fetch; let busy = 2;
			window.fetch = (...a) => String(a[0]).endsWith("/playback") && busy-- > 0 ? Promise.resolve(new Response("{}", {status: 503})) : asked(...a);`)
		tb.open("/lessons/" + s.LessonID)
		tb.waitFor("its place is kept", `document.querySelector("[data-line]").textContent.includes("Keeping your place")`)
		tb.waitFrames(25)
		tb.leave()
	})
	t.Run("too old", func(t *testing.T) {
		tb := b.openTab().in(t)
		tb.before(`delete window.MediaSource; delete window.ManagedMediaSource; HTMLMediaElement.prototype.canPlayType = () => "";`)
		tb.open("/lessons/" + s.LessonID)
		tb.waitFor("it says so", `document.querySelector("[data-notice]").checkVisibility() && document.querySelector("[data-notice-text]").textContent.includes("too old")`)
	})
}

// autoplay is a browser that does not play before somebody has touched the page, where forbidden holds of the element.
func autoplay(forbidden string) string {
	return `const play = HTMLMediaElement.prototype.play;
		HTMLMediaElement.prototype.play = function () {
			if (!navigator.userActivation.hasBeenActive && (` + forbidden + `)) return Promise.reject(new DOMException("no", "NotAllowedError"));
			return play.call(this);
		};`
}
