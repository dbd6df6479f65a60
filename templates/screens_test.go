package templates_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"chalkcast/templates"
)

var (
	screens = flag.String("screens", "", "write a screenshot of every page into this folder; needs Chromium")
	only    = flag.String("only", "", "with -screens: only pages whose name matches this regular expression")
	sizes   = flag.String("sizes", "360x740,1366x768,1920x1080", "with -screens: sizes of the window")
	langs   = flag.String("langs", "en,ja", "with -screens: languages")
	icons   = flag.Bool("icons", false, "draw the icons for home screens anew; needs Chromium")
	schemes = flag.String("schemes", "light,dark", "with -screens: color schemes")
)

// The policy of the real server: what a page must live with.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob: data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// gallery serves every sample at /page/<language>/<name>.
func gallery(t *testing.T, set *templates.Set) *httptest.Server {
	all := samples()
	mux := http.NewServeMux()
	mux.Handle("/static/", templates.Static())
	mux.HandleFunc("/page/{lang}/{name}", func(w http.ResponseWriter, r *http.Request) {
		page, ok := all[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", csp)
		if err := set.Render(w, r.PathValue("lang"), page); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/manifest.webmanifest", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(templates.NewManifest("Queenstown Lakes School", "en")); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

var staticLink = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

// TestGallery opens every sample over HTTP, follows what it loads, and draws it when asked to.
func TestGallery(t *testing.T) {
	server := gallery(t, newSet(t))
	for _, name := range slices.Sorted(maps.Keys(samples())) {
		status, body := get(t, server.URL+"/page/en/"+name)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", name, status)
		}
		for _, m := range staticLink.FindAllStringSubmatch(body, -1) {
			if status, _ := get(t, server.URL+m[1]); status != http.StatusOK {
				t.Errorf("%s loads %s: status %d", name, m[1], status)
			}
		}
	}
	if *icons {
		drawIcons(t)
	}
	if *screens != "" {
		draw(t, server.URL)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := readAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, b
}

// draw opens every wanted page in one browser, in every language, size and scheme.
func draw(t *testing.T, base string) {
	if err := os.MkdirAll(*screens, 0o755); err != nil {
		t.Fatal(err)
	}
	w := openWindow(t)
	wanted := regexp.MustCompile(*only)
	for _, name := range slices.Sorted(maps.Keys(samples())) {
		if !wanted.MatchString(name) {
			continue
		}
		for _, lang := range strings.Split(*langs, ",") {
			for _, size := range strings.Split(*sizes, ",") {
				for _, scheme := range strings.Split(*schemes, ",") {
					file := filepath.Join(*screens, fmt.Sprintf("%s-%s-%s-%s.png", name, lang, size, scheme))
					w.shoot(base+"/page/"+lang+"/"+name, file, size, scheme)
				}
			}
		}
	}
}

func (w *window) shoot(url, file, size, scheme string) {
	w.t.Helper()
	var width, height int64
	if _, err := fmt.Sscanf(size, "%dx%d", &width, &height); err != nil {
		w.t.Fatalf("size %q: %v", size, err)
	}
	w.size(width, height, scheme)
	w.open(url)
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatalf("draw %s: %v", file, err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		w.t.Fatal(err)
	}
	for _, trouble := range lines(ask[string](w, misplaced)) {
		w.t.Errorf("%s: %s", file, trouble)
	}
}

// drawIcons makes the pictures that phones want as pixels from the drawings beside them.
func drawIcons(t *testing.T) {
	w := openWindow(t)
	for _, icon := range []struct {
		from, to string
		size     int64
	}{{"icon", "icon-192", 192}, {"icon", "icon-512", 512}, {"maskable", "maskable-512", 512}, {"maskable", "touch-180", 180}} {
		drawing, err := filepath.Abs("static/icons/" + icon.from + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		w.do("resize", chromedp.EmulateViewport(icon.size, icon.size), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetDefaultBackgroundColorOverride, emulation.SetDefaultBackgroundColorOverrideParams{Color: &cdp.RGBA{}})
			return err
		}))
		w.open("file://" + drawing)
		png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("static/icons/"+icon.to+".png", png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
