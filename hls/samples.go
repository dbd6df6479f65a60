package hls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"chalkcast/media"
)

// What a download must know about each sample of the main rendition is written down when a part is made: about two
// bytes a sample. All numbers are varints; start and durations are ticks of the track's clock.
//
//	table    = *part                            of one segment
//	part     = size fragments *fragment
//	fragment = track<<1|video start data n durations sizes [offsets keys]
//	durations, offsets = *( count value )       until n samples have one
//	keys     = count *skip                      only of video, as are composition offsets
//
// data is where in the part the samples' bytes begin. The object lessons/<lesson>/samples.bin holds the tables of a
// recording, each behind the number of its segment and its length.

// appendSamples adds a part to a table.
func appendSamples(b []byte, size int, fragments []fragment) []byte {
	count, data := 0, boxHeader+mfhdSize+boxHeader
	for i := range fragments {
		if f := &fragments[i]; len(f.samples) > 0 {
			count, data = count+1, data+f.trafSize()
		}
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(size)), uint64(count))
	for i := range fragments {
		f := &fragments[i]
		if len(f.samples) == 0 {
			continue
		}
		b = f.appendSamples(b, i+1, data)
		for j := range f.samples {
			data += len(f.samples[j].data)
		}
	}
	return b
}

func (f *fragment) appendSamples(b []byte, track, data int) []byte {
	for _, n := range []uint64{uint64(track<<1 | index(f.video)), uint64(f.samples[0].start), uint64(data), uint64(len(f.samples))} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendRuns(b, f.samples, func(s *sample) int64 { return int64(s.duration) })
	for i := range f.samples {
		b = binary.AppendUvarint(b, uint64(len(f.samples[i].data)))
	}
	if !f.video {
		return b
	}
	b = appendRuns(b, f.samples, func(s *sample) int64 { return int64(s.cto) })
	var keys []int
	for i := range f.samples {
		if f.samples[i].sync {
			keys = append(keys, i)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(keys)))
	last := 0
	for _, i := range keys {
		b = binary.AppendUvarint(b, uint64(i-last))
		last = i
	}
	return b
}

// appendRuns writes what value says of each sample, equal neighbors once.
func appendRuns(b []byte, samples []sample, value func(*sample) int64) []byte {
	for i := 0; i < len(samples); {
		n := 1
		for i+n < len(samples) && value(&samples[i+n]) == value(&samples[i]) {
			n++
		}
		b = binary.AppendVarint(binary.AppendUvarint(b, uint64(n)), value(&samples[i]))
		i += n
	}
	return b
}

// chunk is consecutive samples of one track, as read back from a table.
type chunk struct {
	track  int
	video  bool
	start  media.Ticks
	offset int64 // of their bytes, in the segment
	sample []chunkSample
}

type chunkSample struct {
	size, duration uint32
	cto            int32
	sync           bool
}

var errTable = errors.New("table of samples is damaged")

// readSamples reads the table of a segment of size bytes. It comes from a file: nothing is taken on trust.
func readSamples(b []byte, size int64) ([]chunk, error) {
	t := table{rest: b}
	var chunks []chunk
	var at int64
	for len(t.rest) > 0 && !t.bad {
		part := int64(t.number(uint64(size - at)))
		for range t.number(maxTracks) {
			c := t.fragment(part)
			c.offset += at
			chunks = append(chunks, c)
		}
		at += part
	}
	if t.bad || at != size {
		return nil, errTable
	}
	return chunks, nil
}

// maxTracks is more than a part of ours has.
const maxTracks = 8

// table is one that is being read.
type table struct {
	rest []byte
	bad  bool
}

// number reads one that is at most limit.
func (t *table) number(limit uint64) uint64 {
	v, n := binary.Uvarint(t.rest)
	if n <= 0 || v > limit {
		t.bad, t.rest = true, nil
		return 0
	}
	t.rest = t.rest[n:]
	return v
}

func (t *table) signed() int64 {
	v, n := binary.Varint(t.rest)
	if n <= 0 || v < -1<<31 || v >= 1<<31 {
		t.bad, t.rest = true, nil
		return 0
	}
	t.rest = t.rest[n:]
	return v
}

func (t *table) fragment(part int64) (c chunk) {
	head := t.number(maxTracks<<1 | 1)
	c.track, c.video = int(head>>1), head&1 == 1
	c.start = media.Ticks(t.number(1 << 60))
	c.offset = int64(t.number(uint64(part)))
	c.sample = make([]chunkSample, t.number(uint64(len(t.rest)))) // each takes a byte at least
	t.runs(c.sample, func(s *chunkSample, v int64) { s.duration = uint32(v) })
	left := uint64(part - c.offset)
	for i := range c.sample {
		n := t.number(left)
		c.sample[i].size, left = uint32(n), left-n
	}
	if !c.video {
		for i := range c.sample {
			c.sample[i].sync = true
		}
		return c
	}
	t.runs(c.sample, func(s *chunkSample, v int64) { s.cto = int32(v) })
	at := 0
	for range t.number(uint64(len(c.sample))) {
		if at += int(t.number(1 << 30)); at >= len(c.sample) {
			t.bad = true
			return c
		}
		c.sample[at].sync = true
	}
	return c
}

func (t *table) runs(samples []chunkSample, set func(*chunkSample, int64)) {
	for len(samples) > 0 && !t.bad {
		n, v := t.number(uint64(len(samples))), t.signed()
		if n == 0 {
			t.bad = true
		}
		for i := range samples[:n] {
			set(&samples[i], v)
		}
		samples = samples[n:]
	}
}

// scanSamples makes the chunks of a segment from its bytes, for one whose table was lost.
func scanSamples(b []byte, video func(track int) bool) ([]chunk, error) {
	var chunks []chunk
	at := 0
	for at < len(b) {
		moof, size, ok := findBox(b[at:], "moof", 0)
		_, mdat, both := findBox(b[at+moof+size:], "mdat", 0)
		if !ok || !both {
			return nil, fmt.Errorf("scan segment: %w", errTable)
		}
		end := at + moof + size + mdat
		var parts fmp4.Parts
		if err := parts.Unmarshal(b[at:end]); err != nil {
			return nil, fmt.Errorf("scan segment: %w", err)
		}
		data := int64(at + moof + size + boxHeader)
		for _, t := range parts[0].Tracks {
			c := chunk{track: t.ID, video: video(t.ID), start: media.Ticks(t.BaseTime), offset: data}
			for _, s := range t.Samples {
				c.sample = append(c.sample, chunkSample{uint32(len(s.Payload)), s.Duration, s.PTSOffset, !s.IsNonSyncSample})
				data += int64(len(s.Payload))
			}
			chunks = append(chunks, c)
		}
		at = end
	}
	return chunks, nil
}

const samplesHeading = "chalkcast samples 1\n"

// marshalTables writes the tables of a recording's segments.
func marshalTables(list []*segment) []byte {
	b := []byte(samplesHeading)
	for _, s := range list {
		if t := s.samples; len(t) > 0 {
			b = binary.AppendUvarint(b, uint64(s.msn))
			b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
		}
	}
	return b
}

// unmarshalTables reads them back, as far as they are whole.
func unmarshalTables(b []byte) map[int][]byte {
	tables := map[int][]byte{}
	rest, ok := bytes.CutPrefix(b, []byte(samplesHeading))
	if !ok {
		return tables
	}
	for t := (table{rest: rest}); len(t.rest) > 0; {
		msn := t.number(1e9)
		n := t.number(uint64(len(t.rest)))
		if t.bad || n > uint64(len(t.rest)) {
			break
		}
		tables[int(msn)], t.rest = t.rest[:n], t.rest[n:]
	}
	return tables
}
