package templates_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// window is a page in a Chromium that asks nobody outside for anything.
type window struct {
	t   *testing.T
	ctx context.Context // of chromedp: a browser, kept by every call to it
}

// openWindow starts a Chromium, which ends with the test.
func openWindow(t *testing.T) *window {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	w := &window{t, ctx}
	w.do("start Chromium")
	return w
}

func (w *window) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

func (w *window) open(url string) {
	w.t.Helper()
	w.do("open "+url, chromedp.Navigate(url))
}

// size makes the window that large, of a user who prefers a color scheme, and who has the other wishes.
func (w *window) size(width, height int64, scheme string, wishes ...*emulation.MediaFeature) {
	w.t.Helper()
	w.do("resize", chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: append(wishes, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}),
		})
		return err
	}))
}

// ask returns the value of a JavaScript expression, or what a promise brings.
func ask[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return v
}

// axe is the accessibility checker, from the Node modules that the script tests use.
func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../jstest/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("%v; testing/install.sh puts it there", err)
	}
	return string(b) + ";true"
}

// lines splits what a script found.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
