package hls

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"chalkcast/media"
)

// movie is the index of an MP4 file (ISO/IEC 14496-12) whose media data is segments, one behind the other, as they
// are: sample tables point at the samples between the boxes that only fragments need. It computes on values.
//
// Its time is that of the media alone: outages of the encoder, and segments that nobody has, are cut out of it.
type movie struct {
	tracks [2]*movieTrack // picture, sound; nil for none
	size   int64          // of the segments so far
	end    time.Duration
	shift  time.Duration // programme − movie, since the last cut
}

// movieTrack collects the tables of a track.
type movieTrack struct {
	video   bool
	clock   int
	entries [][]byte // of stsd: one for each kind of parameters

	first   media.Ticks // when it begins
	last    media.Ticks // when its last sample does
	tail    uint32      // how long that is
	seconds []run       // stts: durations, the last sample's not among them
	offsets []run       // ctts
	sizes   []uint32
	keys    []uint32 // numbers of key frames, from 1
	chunks  []movieChunk
}

// run is a value that count samples have.
type run struct{ count, value uint32 }

type movieChunk struct {
	offset  int64 // in the segments
	samples uint32
	entry   uint32 // from 1
}

// trackHead is what an init segment says about a track.
type trackHead struct {
	video bool
	clock int
	entry []byte
}

// readInit returns the tracks of an init segment of ours, in the order of their numbers.
func readInit(b []byte) (heads []trackHead, ok bool) {
	moov, ok := boxBody(b, "moov", 0)
	for i := 0; ok; i++ {
		trak, found := boxBody(moov, "trak", i)
		if !found {
			return heads, len(heads) > 0
		}
		var h trackHead
		if h, ok = readTrack(trak); ok {
			heads = append(heads, h)
		}
	}
	return nil, false
}

func readTrack(trak []byte) (h trackHead, ok bool) {
	mdia, ok1 := boxBody(trak, "mdia", 0)
	mdhd, ok2 := boxBody(mdia, "mdhd", 0)
	hdlr, ok3 := boxBody(mdia, "hdlr", 0)
	minf, ok4 := boxBody(mdia, "minf", 0)
	stbl, ok5 := boxBody(minf, "stbl", 0)
	stsd, ok6 := boxBody(stbl, "stsd", 0)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || len(mdhd) < 24 || len(hdlr) < 12 || len(stsd) <= 8 {
		return h, false
	}
	at := 12
	if mdhd[0] == 1 {
		at = 20
	}
	h.clock = int(binary.BigEndian.Uint32(mdhd[at:]))
	h.video = string(hdlr[8:12]) == "vide"
	h.entry = stsd[8:]
	return h, h.clock > 0
}

// boxBody returns what is in the nth box called name.
func boxBody(b []byte, name string, nth int) ([]byte, bool) {
	at, size, ok := findBox(b, name, nth)
	if !ok {
		return nil, false
	}
	return b[at+boxHeader : at+size], true
}

// add appends a segment of size bytes that begins at a position of the programme. cut says that nothing joins it to
// the one before.
func (m *movie) add(heads []trackHead, chunks []chunk, size int64, start time.Duration, cut bool) {
	if cut || m.size == 0 {
		m.shift = start - m.end
	}
	for i := range chunks {
		c := &chunks[i]
		if c.track < 1 || c.track > len(heads) || len(c.sample) == 0 {
			continue
		}
		m.track(&heads[c.track-1]).add(m, &heads[c.track-1], c)
	}
	m.size += size
}

// track returns the track that samples described by h belong to.
func (m *movie) track(h *trackHead) *movieTrack {
	t := &m.tracks[index(!h.video)]
	if *t == nil {
		*t = &movieTrack{video: h.video, clock: h.clock, first: -1}
	}
	return *t
}

func (t *movieTrack) add(m *movie, h *trackHead, c *chunk) {
	t.chunks = append(t.chunks, movieChunk{m.size + c.offset, uint32(len(c.sample)), t.entry(h.entry)})
	at := c.start
	for i := range c.sample {
		s := &c.sample[i]
		t.sample((at-media.TicksOf(m.shift, h.clock)).Rescale(h.clock, t.clock), s)
		at += media.Ticks(s.duration)
	}
	t.tail = uint32(media.Ticks(c.sample[len(c.sample)-1].duration).Rescale(h.clock, t.clock))
	m.end = max(m.end, (t.last + media.Ticks(t.tail)).Duration(t.clock))
}

// sample adds one that begins at a time: the one before lasts until then.
func (t *movieTrack) sample(at media.Ticks, s *chunkSample) {
	if t.first < 0 {
		t.first = max(at, 0)
		t.last = t.first
	} else {
		at = max(at, t.last)
		t.seconds = addRun(t.seconds, uint32(at-t.last))
		t.last = at
	}
	t.sizes = append(t.sizes, s.size)
	if s.sync {
		t.keys = append(t.keys, uint32(len(t.sizes)))
	}
	t.offsets = addRun(t.offsets, uint32(s.cto))
}

func addRun(runs []run, value uint32) []run {
	if n := len(runs); n > 0 && runs[n-1].value == value {
		runs[n-1].count++
		return runs
	}
	return append(runs, run{1, value})
}

// entry returns the number of a sample description.
func (t *movieTrack) entry(b []byte) uint32 {
	i := slices.IndexFunc(t.entries, func(e []byte) bool { return bytes.Equal(e, b) })
	if i < 0 {
		t.entries = append(t.entries, b)
		i = len(t.entries) - 1
	}
	return uint32(i + 1)
}

// movieClock is the timescale of the file as a whole.
const movieClock = 1000

// head returns everything of the file before its segments.
func (m *movie) head() []byte {
	var w boxes
	w.box("ftyp", func() { w.text("isom"); w.u32(0x200); w.text("isom", "iso4", "mp41") })
	var patches []int
	w.box("moov", func() {
		w.mvhd(m)
		for i, t := range m.tracks {
			if t != nil {
				patches = append(patches, w.trak(uint32(i+1), t))
			}
		}
	})
	w.u32(1)
	w.text("mdat")
	w.u64(uint64(m.size) + 16)
	// Only now it is known where the segments begin.
	base := uint64(len(w.b))
	i := 0
	for _, t := range m.tracks {
		if t == nil {
			continue
		}
		for j, c := range t.chunks {
			binary.BigEndian.PutUint64(w.b[patches[i]+8*j:], base+uint64(c.offset))
		}
		i++
	}
	return w.b
}

func (t *movieTrack) length() media.Ticks { return t.last + media.Ticks(t.tail) - t.first }

// boxes writes boxes.
type boxes struct{ b []byte }

func (w *boxes) box(name string, body func()) {
	at := len(w.b)
	w.u32(0)
	w.text(name)
	body()
	binary.BigEndian.PutUint32(w.b[at:], uint32(len(w.b)-at))
}

// full writes a box with version and flags.
func (w *boxes) full(name string, version byte, flags uint32, body func()) {
	w.box(name, func() { w.u32(uint32(version)<<24 | flags); body() })
}

func (w *boxes) u16(v ...uint16) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint16(w.b, n)
	}
}

func (w *boxes) u32(v ...uint32) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint32(w.b, n)
	}
}

func (w *boxes) u64(v ...uint64) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint64(w.b, n)
	}
}

func (w *boxes) text(s ...string) {
	for _, t := range s {
		w.b = append(w.b, t...)
	}
}

// matrix leaves the picture as it is.
func (w *boxes) matrix() { w.u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) }

func (w *boxes) mvhd(m *movie) {
	w.full("mvhd", 1, 0, func() {
		w.u64(0, 0)
		w.u32(movieClock)
		w.u64(uint64(media.TicksOf(m.end, movieClock)))
		w.u32(0x10000)
		w.u16(0x100, 0)
		w.u64(0)
		w.matrix()
		w.u32(0, 0, 0, 0, 0, 0)
		w.u32(3) // the next track would be
	})
}

// trak writes a track and returns where its chunk offsets stand.
func (w *boxes) trak(number uint32, t *movieTrack) (patch int) {
	begin := t.first.Rescale(t.clock, movieClock)
	length := t.length().Rescale(t.clock, movieClock)
	w.box("trak", func() {
		w.full("tkhd", 1, 3, func() {
			w.u64(0, 0)
			w.u32(number, 0)
			w.u64(uint64(begin+length), 0)
			volume := uint16(0x100)
			if t.video {
				volume = 0
			}
			w.u16(0, 0, volume, 0)
			w.matrix()
			width, height := t.picture()
			w.u32(width<<16, height<<16)
		})
		if begin > 0 { // it begins later than the other
			w.box("edts", func() {
				w.full("elst", 1, 0, func() {
					w.u32(2)
					w.u64(uint64(begin), 1<<64-1)
					w.u16(1, 0)
					w.u64(uint64(length), 0)
					w.u16(1, 0)
				})
			})
		}
		patch = w.mdia(t)
	})
	return patch
}

// picture returns the size that the first sample entry gives.
func (t *movieTrack) picture() (width, height uint32) {
	if e := t.entries[0]; t.video && len(e) >= 36 {
		return uint32(binary.BigEndian.Uint16(e[32:])), uint32(binary.BigEndian.Uint16(e[34:]))
	}
	return 0, 0
}

func (w *boxes) mdia(t *movieTrack) (patch int) {
	w.box("mdia", func() {
		w.full("mdhd", 1, 0, func() {
			w.u64(0, 0)
			w.u32(uint32(t.clock))
			w.u64(uint64(t.length()))
			w.u16(0x55c4, 0) // language: undetermined
		})
		w.full("hdlr", 0, 0, func() {
			w.u32(0)
			if t.video {
				w.text("vide")
			} else {
				w.text("soun")
			}
			w.u32(0, 0, 0)
			w.text("\x00")
		})
		w.box("minf", func() {
			if t.video {
				w.full("vmhd", 0, 1, func() { w.u64(0) })
			} else {
				w.full("smhd", 0, 0, func() { w.u32(0) })
			}
			w.box("dinf", func() {
				w.full("dref", 0, 0, func() { w.u32(1); w.full("url ", 0, 1, func() {}) })
			})
			w.box("stbl", func() { patch = w.stbl(t) })
		})
	})
	return patch
}

func (w *boxes) stbl(t *movieTrack) (patch int) {
	w.full("stsd", 0, 0, func() {
		w.u32(uint32(len(t.entries)))
		w.b = append(w.b, bytes.Join(t.entries, nil)...)
	})
	w.runs("stts", 0, addRun(slices.Clone(t.seconds), t.tail))
	if t.video {
		if len(t.offsets) > 1 || t.offsets[0].value != 0 {
			w.runs("ctts", 1, t.offsets) // version 1: they have a sign
		}
		if len(t.keys) < len(t.sizes) {
			w.full("stss", 0, 0, func() { w.u32(uint32(len(t.keys))); w.u32(t.keys...) })
		}
	}
	w.full("stsc", 0, 0, func() {
		at := len(w.b)
		w.u32(0)
		count := uint32(0)
		for i, c := range t.chunks {
			if i == 0 || c.samples != t.chunks[i-1].samples || c.entry != t.chunks[i-1].entry {
				w.u32(uint32(i+1), c.samples, c.entry)
				count++
			}
		}
		binary.BigEndian.PutUint32(w.b[at:], count)
	})
	w.full("stsz", 0, 0, func() { w.u32(0, uint32(len(t.sizes))); w.u32(t.sizes...) })
	w.full("co64", 0, 0, func() {
		w.u32(uint32(len(t.chunks)))
		patch = len(w.b)
		w.b = append(w.b, make([]byte, 8*len(t.chunks))...)
	})
	return patch
}

func (w *boxes) runs(name string, version byte, runs []run) {
	w.full(name, version, 0, func() {
		w.u32(uint32(len(runs)))
		for _, r := range runs {
			w.u32(r.count, r.value)
		}
	})
}
