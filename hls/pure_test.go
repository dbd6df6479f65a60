package hls

import (
	"bytes"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/google/go-cmp/cmp"

	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
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

	peak, mean := bandwidth(m.list)
	golden(t, "index.m3u8", renderIndex([]row{
		{"v0", variant{"avc1.64001f,mp4a.40.2", 1280, 720, 29970, false}, peak, mean},
		{"v1", variant{"avc1.4d4028,mp4a.40.2", 640, 360, 0, false}, peak / 2, mean / 2},
		{"a0", variant{codecs: "mp4a.40.2"}, 130000, 128000},
	}, "live.m3u8"))
	golden(t, "index-captions.m3u8", renderIndex([]row{
		{"v0", variant{"avc1.64001f,mp4a.40.2", 1280, 720, 30000, true}, 1, 1}, {"a0", variant{codecs: "mp4a.40.2"}, 1, 1},
	}, "replay.m3u8"))
}

func TestHas(t *testing.T) {
	m := newMade().segment("1-aaaaaa", 0, false, 500, 500).segment("1-aaaaaa", 0, false, 500, 500, 500)
	v, empty := m.view(0, 500), m.view(0)
	for _, test := range []struct {
		v         *view
		msn, part int
		want      bool
	}{
		{v, 0, -1, true}, {v, 1, -1, true}, {v, 2, -1, false}, {v, 0, 99, true},
		{v, 1, 2, true}, {v, 1, 3, true}, {empty, 1, 3, false}, {empty, 1, 2, true},
		{v, 2, 0, true}, {v, 2, 1, false}, {empty, 2, 0, false}, {v, 3, 0, false},
	} {
		if got := test.v.has(test.msn, test.part); got != test.want {
			t.Errorf("has(%d, %d) with %d parts open: %t", test.msn, test.part, len(test.v.parts), got)
		}
	}
}

// cuts runs a segmenter over frames of the given lengths in ms and writes what it does: | for a part, # for a
// segment, k for a key frame, . for another.
func cuts(wish targets, frames []int, key func(i int) bool) string {
	chosen := &targets{}
	s := segmenter{clock: 1000, wish: wish, chosen: chosen}
	s.begin(0, true)
	var out strings.Builder
	apply := func(c cut) {
		switch c {
		case cutSegment:
			out.WriteByte('#')
			chosen.chooseSegment(time.Duration(s.end-s.segment)*time.Millisecond, wish)
			s.begin(s.end, false)
		case cutPart:
			out.WriteByte('|')
			chosen.choosePart(time.Duration(s.end-s.part)*time.Millisecond, wish)
			s.part = s.end
		}
	}
	for i, ms := range frames {
		apply(s.before(s.end + media.Ticks(ms)))
		if s.end == s.segment {
			s.keyed = key(i)
		}
		if key(i) {
			out.WriteByte('k')
		} else {
			out.WriteByte('.')
		}
		s.end += media.Ticks(ms)
		s.usual = media.Ticks(ms)
		apply(s.next(key(i + 1)))
	}
	return out.String()
}

func TestSegmenter(t *testing.T) {
	wish := targets{500 * time.Millisecond, 2 * time.Second}
	every := func(n int) func(int) bool { return func(i int) bool { return i%n == 0 } }
	for _, test := range []struct {
		name   string
		frames []int
		key    func(int) bool
		want   string
	}{
		{"10 fps, key every 2 s", slices.Repeat([]int{100}, 40), every(20), "k....|.....|.....|.....#k....|.....|.....|.....#"},
		{"10 fps, key every second", slices.Repeat([]int{100}, 30), every(10), "k....|.....|k....|.....#k....|.....|"},
		{"key every 1.5 s: the second is taken", slices.Repeat([]int{100}, 45), every(15), "k....|.....|.....|k....|.....|.....#k....|.....|.....|"},
		{"key frame a little early", slices.Repeat([]int{100}, 37), every(18), "k....|.....|.....|...#k....|.....|.....|...#k"},
		{"key every 6 s: cut without, then at the key", slices.Repeat([]int{200}, 45), every(30), "k.|..|..|..|..|..|..|..|..|..#..|..|..|..|..#k.|..|..|..|..|..|..|."},
		{"3 frames a part", slices.Repeat([]int{160}, 26), every(13), "k..|...|...|...|.#k..|...|...|...|.#"},
		{"one frame a second", slices.Repeat([]int{1000}, 6), every(2), "k|.#k|.#k|.#"},
		{"a long frame comes unannounced", []int{100, 100, 100, 400, 100, 100, 100, 100}, every(99), "k..|.|....|"},
	} {
		if got := cuts(wish, test.frames, test.key); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// library writes a part with the library that we measure ours against.
func library(t testing.TB, sequence uint32, fragments []fragment) []byte {
	part := fmp4.Part{SequenceNumber: sequence}
	for i, f := range fragments {
		pt := &fmp4.PartTrack{ID: i + 1, BaseTime: uint64(f.samples[0].start)}
		for _, s := range f.samples {
			pt.Samples = append(pt.Samples, &fmp4.Sample{Duration: s.duration, PTSOffset: s.cto, IsNonSyncSample: !s.sync, Payload: s.data})
		}
		part.Tracks = append(part.Tracks, pt)
	}
	var b seekablebuffer.Buffer
	if err := part.Marshal(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// aPart returns half a second of a stream as the segmenter hands it to marshalPart.
func aPart(padding int) []fragment {
	stream := mediatest.Stream{Duration: 500 * time.Millisecond, BFrames: 2, Padding: padding}
	fragments := []fragment{{video: true}, {}}
	for _, f := range stream.Frames() {
		d := []uint32{3000, 1024}[f.Track]
		fr := &fragments[f.Track]
		fr.samples = append(fr.samples, sample{start: f.DTS, duration: d, cto: f.CTO, sync: f.Sync, data: f.Data})
	}
	return fragments
}

func TestMarshalPart(t *testing.T) {
	fragments := aPart(100)
	got, want := marshalPart(7, fragments), library(t, 7, fragments)
	if len(got) != len(want) || cap(got) != len(got) {
		t.Errorf("%d bytes in a slice of %d, the library needs %d", len(got), cap(got), len(want))
	}
	var a, b fmp4.Parts
	if err := a.Unmarshal(got); err != nil {
		t.Fatal(err)
	}
	if err := b.Unmarshal(want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("read back (−library +ours):\n%s", diff)
	}
	alone := marshalPart(1, []fragment{{video: true}, fragments[1]})
	var sound fmp4.Parts
	if err := sound.Unmarshal(alone); err != nil || len(sound[0].Tracks) != 1 || sound[0].Tracks[0].ID != 2 {
		t.Errorf("part with sound alone: %+v, %v", sound, err)
	}
}

func TestMarshalInit(t *testing.T) {
	stream := mediatest.Stream{}
	sps, pps := stream.SPS(), stream.PPS()
	other := append(slices.Clone(pps[:1]), 0x5a, 0x60) // a second set, which the library would drop
	params, err := media.NewH264Params(media.AVC{NALLengthSize: 4, SPS: [][]byte{sps}, PPS: [][]byte{pps, other}}.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	tracks := stream.Tracks()
	tracks[0].Params = params
	b, err := marshalInit(tracks)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, append([]byte("avcC"), params.Config...)) {
		t.Error("the init segment does not have the encoder's avcC")
	}
	for at, rest := 0, b; len(rest) > 0; rest = b[at:] {
		_, size, ok := findBox(rest, "", 0)
		if !ok {
			t.Fatalf("boxes do not fill the file: %d of %d bytes", at, len(b))
		}
		at += size
	}
}

func TestCaptions(t *testing.T) {
	unit := func(b ...byte) []byte { return append([]byte{0, 0, 0, byte(len(b))}, b...) }
	cc := append([]byte{6, 4, 20, 0xb5, 0, 0x31}, "GA94\x03"...)
	for _, test := range []struct {
		name string
		data []byte
		want bool
	}{
		{"captions", append(unit(cc...), unit(0x65, 1, 2)...), true},
		{"behind a delimiter", append(unit(9, 0xf0), unit(cc...)...), true},
		{"other SEI", append(unit(6, 5, 3, 1, 2, 3), unit(0x65, 1)...), false},
		{"in a picture", unit(append([]byte{0x65}, cc...)...), false},
		{"cut short", []byte{0, 0, 0, 200, 6, 4}, false},
		{"nothing", nil, false},
	} {
		if got := hasCaptions(test.data, 4); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

// TestMuxerKeepsEveryFrame writes streams in awkward orders: whatever the order, each rendition has every access
// unit once, in order, with its times.
func TestMuxerKeepsEveryFrame(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		stream := mediatest.Stream{Duration: 7 * time.Second, FPS: []int{10, 24, 25, 30, 50}[rnd.IntN(5)], BFrames: rnd.IntN(3), GOP: 5 + rnd.IntN(120)}
		frames := stream.Frames()
		for i := 1; i < len(frames); i++ { // tracks overtake each other, frames of one track do not
			if j := max(0, i-rnd.IntN(20)); frames[j].Track != frames[i].Track && !slices.ContainsFunc(frames[j:i], func(f *media.Frame) bool { return f.Track == frames[i].Track }) {
				f := frames[i]
				copy(frames[j+1:i+1], frames[j:i])
				frames[j] = f
			}
		}
		first := slices.IndexFunc(frames, func(f *media.Frame) bool { return f.Track == 0 })
		tracks := stream.Tracks()
		wish := targets{500 * time.Millisecond, 2 * time.Second}
		m := newMuxer([][]media.Track{tracks, tracks[1:]}, frames[first].DTS, 0, nil, wish, &targets{})
		for _, f := range frames {
			m.push(f)
		}
		m.flush()
		for b := range 2 {
			if err := checkUnits(m.done, b, tracks, frames); err != nil {
				t.Fatalf("seed %d, rendition %d: %v", seed, b, err)
			}
		}
	}
}

func checkUnits(done []finished, builder int, tracks []media.Track, frames []*media.Frame) error {
	next := map[int]int{}
	want := map[int][]*media.Frame{}
	for _, f := range frames {
		want[f.Track+1-builder] = append(want[f.Track+1-builder], f)
	}
	segments := 0
	for _, f := range done {
		if f.builder != builder {
			continue
		}
		if f.segmentEnd {
			segments++
		}
		if f.part == nil {
			continue
		}
		var parts fmp4.Parts
		if err := parts.Unmarshal(f.part); err != nil {
			return err
		}
		for _, pt := range parts[0].Tracks {
			at := media.Ticks(pt.BaseTime)
			for _, s := range pt.Samples {
				i := next[pt.ID]
				if i >= len(want[pt.ID]) {
					return fmt.Errorf("track %d has more than %d units", pt.ID, i)
				}
				if w := want[pt.ID][i]; w.DTS != at || w.CTO != s.PTSOffset || !bytes.Equal(w.Data, s.Payload) || w.Sync == s.IsNonSyncSample {
					return fmt.Errorf("unit %d of track %d at %d, want %d", i, pt.ID, at, w.DTS)
				}
				next[pt.ID]++
				at += media.Ticks(s.Duration)
			}
		}
	}
	for id, w := range want {
		if id > 0 && next[id] != len(w) {
			return fmt.Errorf("track %d has %d units, want %d", id, next[id], len(w))
		}
	}
	if segments == 0 {
		return fmt.Errorf("no segments")
	}
	return nil
}

func TestNames(t *testing.T) {
	lesson := media.ID(1)
	tag := newTag(3)
	h := heading{msn: 12, tag: tag, generation: 4}
	s := &segment{heading: h}
	for _, test := range []struct {
		name string
		want resource
	}{
		{"v0/" + string(appendSegmentURI(nil, tag, 12)), resource{kind: segmentFile, rendition: "v0", tag: tag, msn: 12}},
		{"a0/" + string(appendPartURI(nil, tag, 0, 7)), resource{kind: partFile, rendition: "a0", tag: tag, part: 7}},
		{"v9/" + string(appendInitURI(nil, h.init())), resource{kind: initFile, rendition: "v9", tag: tag, generation: 4}},
		{"v1/live.m3u8", resource{kind: livePlaylist, rendition: "v1"}},
		{"v1/dvr.m3u8", resource{kind: dvrPlaylist, rendition: "v1"}},
		{"a0/replay.m3u8", resource{kind: replayPlaylist, rendition: "a0"}},
		{"index.m3u8", resource{kind: indexPlaylist}}, {"dvr.m3u8", resource{kind: dvrIndex}},
		{"replay.m3u8", resource{kind: replayIndex}}, {"poster.mp4", resource{kind: poster}},
	} {
		if got := parseName(test.name); got != test.want {
			t.Errorf("%s is %+v, want %+v", test.name, got, test.want)
		}
	}
	for _, key := range []string{segmentKey(lesson, "v0", s), initKey(lesson, "a0", h.init()), indexKey(lesson)} {
		if err := storage.CheckName(key); err != nil {
			t.Errorf("object name %s: %v", key, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"index.m3u8", "v0/live.m3u8", "v0/seg-1-abcdef-0.m4s", "a0/part-12-zzzzzz-3-4.m4s", "v1/init-0-000000-9.mp4", "v0/../x", "v0/seg-1-abcdef--1.m4s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := parseName(name)
		var again string
		switch r.kind {
		case segmentFile:
			again = r.rendition + "/" + string(appendSegmentURI(nil, r.tag, r.msn))
		case partFile:
			again = r.rendition + "/" + string(appendPartURI(nil, r.tag, r.msn, r.part))
		case initFile:
			again = r.rendition + "/" + string(appendInitURI(nil, initName{r.tag, r.generation}))
		default:
			return
		}
		if again != name || !isTag(r.tag) {
			t.Errorf("%q is taken for %+v, which is called %q", name, r, again)
		}
	})
}

func FuzzDirectives(f *testing.F) {
	for _, s := range []string{"", "_HLS_msn=1", "_HLS_msn=1&_HLS_part=2&_HLS_skip=YES", "_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=1;2", "a=b&&=", "_HLS_msn=999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d, err := parseDirectives(query)
		if err == nil && (d.msn < -1 || d.part < -1 || d.part >= 0 && d.msn < 0 || d.msn >= 1e9 || len(query) > maxQuery) {
			t.Errorf("%q is taken for %+v", query, d)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-1", "bytes=5-", "bytes=9-1", "bytes=--1", "bytes=1-2,3-4", "x"} {
		f.Add(s, int64(1000))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size <= 0 {
			return
		}
		off, n, known, ok := parseRange(header, size)
		if known && ok && (off < 0 || n <= 0 || off+n > size) || !known && (off != 0 || n != size) {
			t.Errorf("%q of %d bytes is %d bytes from %d", header, size, n, off)
		}
	})
}

// aJournal returns lines of every kind.
func aJournal() []byte {
	m := newMade().segment("1-aaaaaa", 0, false, 500, 500)
	sum := storage.Sum{1, 2, 3}
	m.list[0].sum.Store(&sum)
	var b []byte
	for _, rec := range []record{
		{Kind: recLesson, Version: journalVersion, Lesson: 77},
		initRecord("v0", initName{"1-aaaaaa", 0}, []byte("init"), &variant{"avc1.64001f", 1280, 720, 30000, true}),
		{Kind: recPart, Rendition: "v0", Tag: "1-aaaaaa", Bytes: 9, CRC: 1, EndMicros: 500000},
		targetsRecord(targets{505 * time.Millisecond, 2 * time.Second}),
		segmentRecord("v0", m.list[0]),
		{Kind: recStored, Rendition: "v0"}, {Kind: recLost, Rendition: "v0", MSN: 3}, {Kind: recEnd, AtMicros: 5},
	} {
		b = appendRecord(b, rec)
	}
	return b
}

func TestJournalDropsWhatIsTorn(t *testing.T) {
	whole := aJournal()
	all, _, _ := parseJournal(whole)
	if len(all) != 8 {
		t.Fatalf("%d records of 8", len(all))
	}
	for n := range whole {
		recs, damaged, torn := parseJournal(whole[:n])
		if lines := bytes.Count(whole[:n], []byte{'\n'}); len(recs) != lines || damaged > 0 || torn != n-1-bytes.LastIndexByte(whole[:n], '\n') {
			t.Fatalf("cut at %d: %d records of %d, %d damaged, %d torn", n, len(recs), lines, damaged, torn)
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x20
		recs, _, _ = parseJournal(flipped)
		if len(recs) >= len(all) && !slices.Contains([]byte("\n*"), whole[n]) {
			t.Fatalf("a bit flipped at %d of %q is not noticed", n, whole[max(0, n-8):n+8])
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(aJournal())
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// What the fuzzer makes is given good sums, or nothing would get behind them.
		var signed []byte
		for line := range bytes.Lines(b) {
			if len(line) > 9 {
				text := bytes.TrimSuffix(line[9:], []byte{'\n'})
				signed = fmt.Appendf(signed, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
			}
		}
		cfg := &Config{}
		cfg.fill()
		for _, b := range [][]byte{b, signed} {
			recs, _, _ := parseJournal(b)
			c := newChannel(1, cfg, time.Minute)
			c.recording = true
			c.restore(recs)
			for _, r := range c.shape.get().renditions {
				c.present(r)
			}
			c.index()
			c.status(time.Now())
		}
	})
}
