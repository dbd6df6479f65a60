package hls

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (−want +got):\n%s", name, diff)
	}
}

// made is a rendition made by hand.
type made struct {
	list []*segment
	disc int
	at   time.Time
}

func newMade() *made { return &made{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)} }

// segment appends a segment whose parts have the lengths, in milliseconds.
func (m *made) segment(tag string, generation int, discontinuity bool, parts ...int) *made {
	h := heading{msn: len(m.list), tag: tag, generation: generation, at: m.at, discontinuity: discontinuity}
	if n := len(m.list); n > 0 {
		h.start = m.list[n-1].end
		h.at = m.at.Add(h.start)
	}
	if discontinuity {
		m.disc++
	}
	h.disc = m.disc
	s := &segment{heading: h, end: h.start}
	for i, ms := range parts {
		end := s.end + time.Duration(ms)*time.Millisecond
		if ms < 0 {
			s.end -= time.Duration(ms) * time.Millisecond
			break // a gap
		}
		s.parts = append(s.parts, part{offset: s.size, size: int64(ms * 100), start: s.end, end: end, independent: i == 0})
		s.size += int64(ms * 100)
		s.end = end
	}
	s.state.Store(int32(stored))
	m.list = append(m.list, s)
	return m
}

func (m *made) view(first int, open ...int) *view {
	last := m.list[len(m.list)-1]
	v := &view{list: m.list, first: first, number: last.msn + 1, targets: targets{505 * time.Millisecond, 2 * time.Second}}
	h := last.heading
	h.msn, h.start, h.at, h.discontinuity = v.number, last.end, m.at.Add(last.end), false
	v.open = &h
	at := last.end
	for i, ms := range open {
		end := at + time.Duration(ms)*time.Millisecond
		v.parts = append(v.parts, part{start: at, end: end, independent: i == 0})
		at = end
	}
	return v
}

func TestPlaylists(t *testing.T) {
	m := newMade()
	for range 7 {
		m.segment("1-aaaaaa", 0, false, 500, 500, 500, 500)
	}
	m.segment("1-aaaaaa", 0, false, 500, 120)
	m.segment("1-aaaaaa", 1, true, 500, 500, 500, 500)
	m.segment("1-aaaaaa", 1, false, -2000)
	m.segment("2-bbbbbb", 0, true, 500, 500, 500, 500).segment("2-bbbbbb", 0, false, 500, 500, 500, 500)
	reports := []report{{"v1", 12, 0}, {"a0", 11, -1}}
	v := m.view(1, 500, 500)
	golden(t, "live.m3u8", renderLive(v, false, reports))
	golden(t, "live-delta.m3u8", renderLive(v, true, reports))
	golden(t, "live-after-break.m3u8", renderLive(m.view(8), false, nil))
	interrupted := *m.view(8)
	interrupted.open = nil
	golden(t, "live-interrupted.m3u8", renderLive(&interrupted, false, nil))
	ended := interrupted
	ended.ended = true
	golden(t, "live-ended.m3u8", renderLive(&ended, false, nil))

	m.list[3].state.Store(int32(lost))
	golden(t, "replay.m3u8", renderReplay(m.list, v.targets))
	var d dvr
	for _, s := range m.list {
		d.add(s, s.gap() || s.keeping() == lost)
	}
	all := d.current.get()
	golden(t, "dvr.m3u8", all.render(v.targets, false, false))
	golden(t, "dvr-delta.m3u8", all.render(v.targets, true, true))

	peak, mean := bandwidth(m.list, v.targets.segment)
	golden(t, "index.m3u8", renderIndex([]row{
		{"v0", variant{"avc1.64001f,mp4a.40.2", 1280, 720, 29970, false}, peak, mean},
		{"v1", variant{"avc1.4d4028,mp4a.40.2", 640, 360, 0, false}, peak / 2, mean / 2},
		{"a0", variant{codecs: "mp4a.40.2"}, 130000, 128000},
	}, "live.m3u8"))
	golden(t, "index-captions.m3u8", renderIndex([]row{
		{"v0", variant{"avc1.64001f,mp4a.40.2", 1280, 720, 30000, true}, 1, 1}, {"a0", variant{codecs: "mp4a.40.2"}, 1, 1},
	}, "replay.m3u8"))
}

// CODECS lets a player decode all that is listed, also from before an encoder changed.
func TestCodecsCoverWhatWasBefore(t *testing.T) {
	for _, c := range []struct{ before, now, want string }{
		{"", "avc1.64001f,mp4a.40.2", "avc1.64001f,mp4a.40.2"},
		{"avc1.640028,mp4a.40.2", "avc1.64001f,mp4a.40.2", "avc1.640028,mp4a.40.2"},
		{"avc1.42c01e,mp4a.40.2", "avc1.64001f,mp4a.40.2", "avc1.64001f,mp4a.40.2"},
		{"avc1.4d4028", "avc1.42c01e", "avc1.4d4028"},
		{"avc1.4d4028,mp4a.40.2", "avc1.64001e", "avc1.640028"},
		{"avc1.64001f,mp4a.40.2", "hvc1.1.6.L93.B0,mp4a.40.2", "hvc1.1.6.L93.B0,mp4a.40.2"},
		{"mp4a.40.2", "mp4a.40.5", "mp4a.40.5"},
		{"avc1.64001f", "avc1.x", "avc1.x"},
	} {
		if got := (variant{codecs: c.now}).after(&variant{codecs: c.before}).codecs; got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.now, c.before, got, c.want)
		}
	}
}

func TestBandwidth(t *testing.T) {
	const target = 2 * time.Second
	type made struct {
		length time.Duration
		size   int64
	}
	for _, test := range []struct {
		name       string
		list       []made
		peak, mean int64
	}{
		{"nothing", nil, 1, 1},
		{"even", []made{{target, 1000}, {target, 1000}}, 4000, 4000},
		{"one is loud", []made{{target, 1000}, {target, 3000}}, 12000, 8000},
		{"the crumb of an epoch counts with its neighbors alone", []made{{target, 1000}, {target / 5, 1000}, {target, 1000}}, 6667, 5455},
		{"a gap is nothing", []made{{target, 1000}, {target, 0}, {target / 5, 1000}}, 6667, 6667},
		{"too short for the rule", []made{{target / 5, 1000}}, 20000, 20000},
		{"too long for the rule", []made{{2 * target, 1000}}, 2000, 2000},
	} {
		var list []*segment
		for _, m := range test.list {
			list = append(list, &segment{heading: heading{}, end: m.length, size: m.size})
		}
		if peak, mean := bandwidth(list, target); peak != test.peak || mean != test.mean {
			t.Errorf("%s: %d, %d bit/s, want %d, %d", test.name, peak, mean, test.peak, test.mean)
		}
	}
}

func TestHas(t *testing.T) {
	m := newMade().segment("1-aaaaaa", 0, false, 500, 500).segment("1-aaaaaa", 0, false, 500, 500, 500)
	v, empty := m.view(0, 500), m.view(0)
	for _, test := range []struct {
		v         *view
		msn, part int
		want      bool
	}{
		{v, 0, -1, true},
		{v, 1, -1, true},
		{v, 2, -1, false},
		{v, 0, 99, true},
		{v, 1, 2, true},
		{v, 1, 3, true},
		{empty, 1, 3, false},
		{empty, 1, 2, true},
		{v, 2, 0, true},
		{v, 2, 1, false},
		{empty, 2, 0, false},
		{v, 3, 0, false},
	} {
		if got := test.v.has(test.msn, test.part); got != test.want {
			t.Errorf("has(%d, %d) with %d parts open: %t", test.msn, test.part, len(test.v.parts), got)
		}
	}
}
