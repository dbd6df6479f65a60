package conformance_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"chalkcast/e2e/conformance"
)

// lie stands between a good server and the checker, and breaks one rule.
type lie struct {
	rule conformance.Rule
	also []conformance.Rule // what falls with it
	live bool               // told about a live lesson, else about a replay
	ask  func(*http.Request)
	tell func(n int, r *http.Request, a *reply) // n: the how-manieth reply that is changed

	mu sync.Mutex
	n  int
}

// reply is a response that can still be changed.
type reply struct {
	status int
	head   http.Header
	body   []byte
}

func (l *lie) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.ask != nil {
		r = r.Clone(r.Context())
		l.ask(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || l.tell == nil {
		return resp, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.n++
	n := l.n
	l.mu.Unlock()
	a := &reply{resp.StatusCode, resp.Header, b}
	l.tell(n, r, a)
	if a.head.Get("Content-Length") == strconv.Itoa(len(b)) {
		a.head.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	resp.StatusCode, resp.Body, resp.ContentLength = a.status, io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	return resp, nil
}

func isMedia(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".m4s") }

func isPlaylist(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "0/") && !isMedia(r) && !isInit(r)
}
func isInit(r *http.Request) bool  { return strings.Contains(r.URL.Path, "/init-") }
func isIndex(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/index.m3u8") }
func isOf(r *http.Request, rendition string) bool {
	return strings.Contains(r.URL.Path, "/"+rendition+"/")
}

// replace changes text wherever it stands in what of picks.
func replace(of func(*http.Request) bool, pattern, by string) func(int, *http.Request, *reply) {
	expression := regexp.MustCompile(pattern)
	return func(_ int, r *http.Request, a *reply) {
		if of(r) && a.status == http.StatusOK {
			a.body = expression.ReplaceAll(a.body, []byte(by))
		}
	}
}

func header(of func(*http.Request) bool, name, value string) func(int, *http.Request, *reply) {
	return func(_ int, r *http.Request, a *reply) {
		if of(r) {
			a.head.Set(name, value)
		}
	}
}

func without(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Del(name) }
}

var numbered = regexp.MustCompile(`-(\d+)(-\d+)?\.m4s$`)

// shift moves the decode times in every other segment, by ticks.
func shift(ticks byte) func(int, *http.Request, *reply) {
	return func(_ int, r *http.Request, a *reply) {
		m := numbered.FindStringSubmatch(r.URL.Path)
		if m == nil || a.status != http.StatusOK || (m[1][len(m[1])-1]-'0')%2 == 0 {
			return
		}
		for at, rest := 0, a.body; ; {
			i := bytes.Index(rest, []byte("tfdt"))
			if i < 0 {
				return
			}
			at += i + 4 + 4 + 7 // version and flags, the last byte of 64 bits
			carry := uint(a.body[at]) + uint(ticks)
			a.body[at] = byte(carry)
			a.body[at-1] += byte(carry >> 8)
			rest = a.body[at:]
		}
	}
}

var lies = []*lie{
	{rule: conformance.Syntax, tell: replace(isPlaylist, `#EXT-X-VERSION:9`, "#EXT-X-VERSION:nine"), also: []conformance.Rule{conformance.Version}},
	{rule: conformance.Version, tell: replace(isPlaylist, `#EXT-X-VERSION:9`, "#EXT-X-VERSION:5")},
	{rule: conformance.TargetDuration, tell: replace(isPlaylist, `TARGETDURATION:2`, "TARGETDURATION:1"), also: []conformance.Rule{conformance.Bandwidth}},
	{rule: conformance.Sequence, live: true, tell: func(n int, r *http.Request, a *reply) {
		if isPlaylist(r) {
			a.body = bytes.ReplaceAll(a.body, []byte("#EXTINF:2.00000"), []byte("#EXTINF:2.0000"+strconv.Itoa(n%10)))
		}
	}, also: []conformance.Rule{conformance.Skip}},
	{rule: conformance.DiscSequence, live: true, tell: func(n int, r *http.Request, a *reply) {
		if isPlaylist(r) {
			a.body = bytes.Replace(a.body, []byte("DISCONTINUITY-SEQUENCE:0"), []byte("DISCONTINUITY-SEQUENCE:"+strconv.Itoa(100000-n)), 1)
		}
	}, also: []conformance.Rule{conformance.Aligned, conformance.Sequence}},
	{rule: conformance.DateTime, tell: replace(isPlaylist, `#EXT-X-PROGRAM-DATE-TIME.*\n`, "")},
	{rule: conformance.Map, tell: replace(isPlaylist, `#EXT-X-MAP.*\n`, ""), also: []conformance.Rule{conformance.Times}},
	{rule: conformance.PlaylistType, tell: replace(isPlaylist, `#EXT-X-ENDLIST\n`, ""), also: []conformance.Rule{conformance.CacheControl}},
	{rule: conformance.Independent, live: true, tell: replace(isPlaylist, `(\d),URI="part`, `${1},INDEPENDENT=YES,URI="part`)},
	{rule: conformance.PartTarget, live: true, tell: replace(isPlaylist, `PART-TARGET=0\.\d+`, "PART-TARGET=0.400"), also: []conformance.Rule{conformance.HoldBack}},
	{rule: conformance.PartsListed, live: true, tell: func(_ int, r *http.Request, a *reply) {
		if isMedia(r) && strings.Contains(r.URL.Path, "/seg-") && len(a.body) > 0 {
			a.body[len(a.body)-1] ^= 1
		}
	}},
	{rule: conformance.HoldBack, live: true, tell: replace(isPlaylist, `PART-HOLD-BACK=[0-9.]+`, "PART-HOLD-BACK=1.0")},
	{rule: conformance.Hint, live: true, tell: replace(isPlaylist, `(TYPE=PART,URI="part-.*)-\d+\.m4s`, `${1}-99.m4s`)},
	{rule: conformance.Reports, live: true, tell: replace(isPlaylist, `LAST-MSN=(\d+)`, `LAST-MSN=9${1}`)},
	{rule: conformance.Skip, live: true, tell: replace(isPlaylist, `SKIPPED-SEGMENTS=(\d+)`, `SKIPPED-SEGMENTS=1${1}`)},
	{rule: conformance.Blocking, live: true, ask: func(r *http.Request) {
		if isPlaylist(r) && !strings.Contains(r.URL.RawQuery, "skip") {
			r.URL.RawQuery = ""
		}
	}},
	{rule: conformance.Listed, tell: func(_ int, r *http.Request, a *reply) {
		if strings.HasSuffix(r.URL.Path, "-7.m4s") {
			a.status, a.body = http.StatusNotFound, nil
		}
	}, also: []conformance.Rule{conformance.Times, conformance.Durations, conformance.Bandwidth}},
	{rule: conformance.Boxes, tell: func(_ int, r *http.Request, a *reply) {
		if i := bytes.Index(a.body, []byte("tfhd")); isMedia(r) && i > 0 {
			a.body[i+5] = 0 // the flags of default-base-is-moof
		}
	}},
	{rule: conformance.Times, tell: shift(200)},
	{rule: conformance.Durations, tell: replace(isPlaylist, `#EXTINF:2.0`, "#EXTINF:1.9"), also: []conformance.Rule{conformance.DateTime, conformance.Bandwidth}},
	{rule: conformance.Aligned, tell: func(_ int, r *http.Request, a *reply) {
		if isPlaylist(r) && isOf(r, "a0") {
			a.body = bytes.Replace(a.body, []byte("MEDIA-SEQUENCE:0"), []byte("MEDIA-SEQUENCE:1"), 1)
		}
	}},
	{rule: conformance.Codecs, tell: replace(isIndex, `avc1\.......`, "avc1.42000a")},
	{rule: conformance.Resolution, tell: replace(isIndex, `RESOLUTION=64x48`, "RESOLUTION=1280x720")},
	{rule: conformance.FrameRate, tell: replace(isIndex, `FRAME-RATE=15`, "FRAME-RATE=25")},
	{rule: conformance.Bandwidth, tell: replace(isIndex, `([A-Z-]*)BANDWIDTH=(\d+)`, "${1}BANDWIDTH=1${2}")},
	{rule: conformance.Captions, tell: replace(isIndex, `,CLOSED-CAPTIONS=NONE`, "")},
	{rule: conformance.AudioOnly, tell: replace(isIndex, `#EXT-X-STREAM-INF.*\na0.*\n`, "")},
	{rule: conformance.ContentType, tell: header(isPlaylist, "Content-Type", "text/plain")},
	{rule: conformance.CacheControl, tell: header(isMedia, "Cache-Control", "public, max-age=2")},
	{rule: conformance.Gzip, ask: without("Accept-Encoding"), also: []conformance.Rule{conformance.Head}},
	{rule: conformance.Validators, ask: without("If-None-Match")},
	{rule: conformance.Head, tell: func(_ int, r *http.Request, a *reply) {
		if r.Method == http.MethodHead {
			a.head.Set("Content-Length", "7")
		}
	}},
	{rule: conformance.Range, ask: without("Range")},
	{rule: conformance.CORS, tell: header(isMedia, "Access-Control-Allow-Origin", "*")},
	{rule: conformance.Refusals, tell: func(_ int, _ *http.Request, a *reply) {
		if a.status == http.StatusNotFound {
			a.status = http.StatusOK
		}
	}},
}

// Every rule is broken by one server, and that server is found out.
func TestLies(t *testing.T) {
	t.Parallel()
	live, replay := newLive(t), newReplay(t)
	told := map[conformance.Rule]bool{}
	t.Run("about", func(t *testing.T) {
		for _, l := range lies {
			told[l.rule] = true
			t.Run(string(l.rule), func(t *testing.T) {
				t.Parallel()
				cfg := conformance.Config{URL: replay.url, Transport: l, Segments: 1}
				if l.live {
					cfg.URL = live.url
				}
				caught(t, l, check(t, cfg))
			})
		}
	})
	for _, rule := range conformance.Rules() {
		if !told[rule] {
			t.Errorf("no server of these tests breaks %s", rule)
		}
	}
}

// clumsy is what else falls when bytes are changed and lengths and ranges tell of others.
var clumsy = []conformance.Rule{conformance.Head, conformance.Gzip, conformance.Range}

func caught(t *testing.T, l *lie, report *conformance.Report) {
	t.Helper()
	found := map[conformance.Rule]bool{}
	for _, f := range report.Findings {
		found[f.Rule] = true
		if f.Rule != l.rule && !slices.Contains(l.also, f.Rule) && (l.tell == nil || !slices.Contains(clumsy, f.Rule)) {
			t.Errorf("also found %v", f)
		}
	}
	if !found[l.rule] {
		t.Errorf("was not found out: %v", report)
	}
}
