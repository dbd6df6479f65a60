package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browserFlags start a Chromium that asks nobody outside for anything.
var browserFlags = []chromedp.ExecAllocatorOption{
	chromedp.ExecPath("/usr/bin/chromium"),
	chromedp.NoFirstRun,
	chromedp.NoDefaultBrowserCheck,
	chromedp.NoSandbox, // the tests run as root in CI
	chromedp.Flag("headless", "new"),
	chromedp.Flag("disable-gpu", true),
	chromedp.Flag("disable-quic", true),
	chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("disable-sync", true),
	chromedp.Flag("disable-dev-shm-usage", true),
	// A second tab plays on as it does in a second window.
	chromedp.Flag("disable-background-timer-throttling", true),
	chromedp.Flag("disable-backgrounding-occluded-windows", true),
	chromedp.Flag("disable-renderer-backgrounding", true),
	chromedp.WindowSize(1366, 768),
}

// watcher is put into every page before its own scripts: it notes errors, and when the picture really moved.
//
//go:embed testdata/watcher.js
var watcher string

// browser is one person's Chromium, with cookies of its own.
type browser struct {
	t   *testing.T
	s   *school
	ctx context.Context // of chromedp: a browser, kept by every call to it
}

// tab is one page in it.
type tab struct {
	*browser
	ctx context.Context // of chromedp: this page
}

// openBrowser starts Chromium; it ends with the test.
func (s *school) openBrowser() *browser {
	s.t.Helper()
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), browserFlags...)
	s.t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	s.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		s.t.Fatalf("start Chromium: %v", err)
	}
	return &browser{t: s.t, s: s, ctx: ctx}
}

// openTab opens an empty page.
func (b *browser) openTab() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	tb := &tab{browser: b, ctx: ctx}
	// The first action makes the page, and the page lives as long as the context of that action.
	if err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watcher})
		return err
	})); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	return tb
}

// run carries out actions.
func (tb *tab) run(what string, actions ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	for _, action := range actions {
		if err := doOnPage(ctx, action); err != nil {
			tb.t.Fatalf("%s: %v\n%s", what, err, tb.describe())
		}
	}
}

// doOnPage carries out one action. A page that comes in the place of another can take an element away between the moment it
// is found and the moment it is used; the action is then done on what came.
func doOnPage(ctx context.Context, action chromedp.Action[chromedp.Void]) error {
	for {
		err := chromedp.Do(ctx, action)
		var refused *cdproto.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "node with given id") || ctx.Err() != nil {
			return err
		}
		time.Sleep(pollInterval)
	}
}

// describe tells where the page is, for a test that failed.
func (tb *tab) describe() string {
	tb.keep("failed")
	ctx, cancel := context.WithTimeout(tb.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`location.pathname + "\n" + (document.body?.innerText ?? "").slice(0, 2000) + "\n" + JSON.stringify(window.watched ?? null)`))
	if err != nil {
		return err.Error()
	}
	return text
}

// eval returns the value of a JavaScript expression.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tb.t.Fatalf("evaluate %s: %v\n%s", expression, err, tb.describe())
	}
	return value
}

// waitFor waits until a JavaScript expression is true, also across navigations.
func (tb *tab) waitFor(what, expression string) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	for {
		value, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && value {
			return
		}
		if ctx.Err() != nil {
			tb.t.Fatalf("waited %v until %s: it did not happen\n%s", patience, what, tb.describe())
		}
		time.Sleep(pollInterval)
	}
}

func (tb *tab) open(path string) {
	tb.t.Helper()
	tb.run("open "+path, chromedp.Navigate(tb.s.HTTP+path))
}

// signIn fills in the form as a person does.
func (tb *tab) signIn(who account) {
	tb.t.Helper()
	tb.open("/sign-in")
	tb.run("sign in",
		chromedp.SendKeys(chromedp.CSS(`input[name=email]`), who.Email),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), who.Password),
		chromedp.Click(chromedp.CSS(`form[action="/sign-in"] button[type=submit]`)),
	)
	tb.waitFor("the sign-in form is gone", `location.pathname !== "/sign-in" && document.readyState === "complete"`)
}

// size sets the window's size and color scheme.
func (tb *tab) size(width, height int64, dark bool) {
	tb.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tb.run("resize", chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// keep takes a picture of what the page shows.
func (tb *tab) keep(name string) {
	tb.t.Helper()
	folder := os.Getenv("CHALKCAST_SCREENSHOTS")
	if folder == "" {
		folder = tb.t.ArtifactDir()
	}
	ctx, cancel := context.WithTimeout(tb.ctx, 15*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Errorf("take a picture of %s: %v", name, err)
		return
	}
	file := filepath.Join(folder, strings.ReplaceAll(tb.t.Name(), "/", "-")+"-"+name+".png")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// watched is what watcher.js noted in a page.
type watched struct {
	Errors   []string     `json:"errors"`   // of scripts and of the player
	Moved    [][2]float64 `json:"moved"`    // from, to: when the picture moved, in Unix milliseconds
	Frames   int          `json:"frames"`   // decoded
	Counted  float64      `json:"counted"`  // seconds, as the last acknowledged beat said
	Beats    int          `json:"beats"`    // acknowledged
	Reported float64      `json:"reported"` // milliseconds in class, by the acknowledged beats
	Since    float64      `json:"since"`    // Unix milliseconds when this page was loaded
}

func (tb *tab) watched() (w watched) {
	tb.t.Helper()
	text := eval[string](tb, `JSON.stringify(window.watched)`)
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		tb.t.Fatalf("what the page noted: %v in %q", err, text)
	}
	return w
}

// waitFrames waits until the page has decoded n frames more than it had.
func (tb *tab) waitFrames(n int) {
	tb.t.Helper()
	before := tb.watched().Frames
	tb.waitFor("more frames are decoded", `window.watched.frames >= `+jsNumber(before+n))
}

func jsNumber(n int) string {
	text, _ := json.Marshal(n) // an int always marshals
	return string(text)
}
