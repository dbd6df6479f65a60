package hls_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// from asks from another place.
func (h *house) from(address, agent, target string) int {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.RemoteAddr, r.Header = netip.AddrPortFrom(netip.MustParseAddr(address), 4711).String(), http.Header{"User-Agent": {agent}}
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return w.Code
}

// SEC-24: a link that is passed on.
func TestSharedLink(t *testing.T) {
	t.Parallel()
	h, p := onAir(t)
	expires := h.clock.read().Add(3 * time.Hour)
	link := func(viewer uint64) string {
		text := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: viewer, Expires: expires})
		return "/p/" + text + "/l/" + h.lesson.String() + "/"
	}
	warning := func() string {
		for _, w := range h.Status(h.lesson).Warnings {
			if w.Code == media.LinkShared {
				return w.Detail
			}
		}
		return ""
	}

	// A whole class behind one router, a phone that changes its network, a laptop beside it.
	for viewer := range uint64(100) {
		if code := h.from("203.0.113.7", "Firefox", link(viewer)+"index.m3u8"); code != 200 {
			t.Fatalf("viewer %d: %d", viewer, code)
		}
	}
	for i := range 40 {
		h.from(fmt.Sprintf("203.0.113.%d", i), "Firefox", link(50)+"v0/live.m3u8")
		h.from(fmt.Sprintf("2001:db8:1:2%02x::%d", i, i), "Firefox", link(50)+"v0/live.m3u8")
		h.from("203.0.113.7", "iPad", link(50)+"v0/live.m3u8")
	}
	if got := warning(); got != "" {
		t.Errorf("three places for one viewer: warned of %s devices", got)
	}

	// And one whose link is on a notice board.
	good := link(2)
	for i := range 20 {
		place := fmt.Sprintf("198.51.%d.7", i)
		code := h.from(place, "Chrome", good+"index.m3u8")
		if want := 200; i+2 > 10 { // 203.0.113.7 is one of the places
			if want = 403; code != want {
				t.Errorf("place %d: %d, want %d", i+2, code, want)
			}
			if got := h.from(place, "Chrome", good+"v0/"+p.Segments[0].URI); got != 403 {
				t.Errorf("segment after too many places: %d, want 403", got)
			}
		} else if code != want {
			t.Errorf("place %d: %d, want %d", i+2, code, want)
		}
		if got, want := warning(), i+2 > 3; got != "" != want {
			t.Errorf("place %d: warned of %q devices, want a warning: %t", i+2, got, want)
		}
	}
	if got := warning(); got != "11" {
		t.Errorf("warned of %s devices, want 11", got)
	}
	// The owner is signed in and gets another ticket; nobody else's is touched.
	if code := h.from("203.0.113.7", "Firefox", link(2)+"index.m3u8"); link(2) == good || code != 200 {
		t.Errorf("the owner with a new ticket: %d, new: %t", code, link(2) != good)
	}
	if code := h.from("203.0.113.7", "Firefox", link(3)+"index.m3u8"); code != 200 {
		t.Errorf("another viewer: %d", code)
	}
	h.clock.pass(5 * time.Minute)
	if got := warning(); got != "" {
		t.Errorf("five minutes later: warned of %s devices", got)
	}
	for i := range 3 {
		h.from(fmt.Sprintf("192.0.%d.7", i), "Firefox", link(50)+"v0/live.m3u8")
	}
	if got := warning(); got != "" {
		t.Errorf("three other places five minutes later: warned of %s devices", got)
	}
}

// Behind a proxy it is somebody else who knows where a viewer is.
func TestSharedLinkBehindProxy(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *hls.Config) {
		c.Address = func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.UserAgent()) }
	})
	stream := mediatest.Stream{Duration: 5 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	for i := range 4 {
		h.from("10.0.0.1", fmt.Sprintf("192.0.%d.1", i), h.path(h.lesson)+"index.m3u8")
	}
	if w := h.Status(h.lesson).Warnings; len(w) != 1 || w[0].Code != media.LinkShared || w[0].Detail != "4" {
		t.Errorf("warnings: %+v", w)
	}
}

// SEC-23: who is thrown out is out at once, whatever they are waiting for.
func TestThrownOut(t *testing.T) {
	inBubble(t, func(h *house, in *hls.Input, frames []*media.Frame) {
		h.write(in, frames[:200]...)
		text := h.minter.Mint(ticket.Claims{Channel: h.lesson, Viewer: 77, Expires: time.Now().Add(time.Hour)})
		at := "/p/" + text + "/l/" + h.lesson.String() + "/"
		p, err := hlstest.Parse(h.ask("GET", at+"v0/live.m3u8").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		all := []string{
			"index.m3u8", "dvr.m3u8", "poster.mp4", "v0/live.m3u8", "v0/dvr.m3u8", "v0/" + p.Segments[0].URI, "v0/" + p.Segments[0].Map,
			"v0/" + p.Open.Parts[0].URI,
		}
		for _, name := range all {
			if w := h.ask("GET", at+name); w.Code != 200 {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
		held := map[string]func() (*httptest.ResponseRecorder, time.Duration){}
		for _, name := range []string{"v0/live.m3u8?_HLS_msn=4", "v0/dvr.m3u8?_HLS_msn=4", "v0/" + p.Hint} {
			held[name] = h.later(at + name)
		}
		synctest.Wait()
		h.minter.Deny(77, time.Now().Add(time.Hour))
		for _, name := range all {
			if w := h.ask("GET", at+name); w.Code != 403 || strings.Contains(w.Header().Get("Cache-Control"), "public") {
				t.Errorf("%s after being thrown out: %d", name, w.Code)
			}
		}
		if w := h.ask("GET", h.path(h.lesson)+"v0/live.m3u8"); w.Code != 200 {
			t.Errorf("another viewer: %d", w.Code)
		}
		h.write(in, frames[200:400]...)
		for name, answer := range held {
			if w, took := answer(); w.Code != 403 || took != 0 {
				t.Errorf("%s was waited for while being thrown out: %d after %v, want 403", name, w.Code, took)
			}
		}
	})
}
