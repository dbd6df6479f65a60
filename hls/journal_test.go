package hls

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"chalkcast/storage"
)

// aJournal returns lines of every kind.
func aJournal() []byte {
	m := newMade().segment("1-aaaaaa", 0, false, 500, 500)
	sum := storage.Sum{1, 2, 3}
	m.list[0].sum.Store(&sum)
	m.list[0].parts[len(m.list[0].parts)-1].crc = 4711
	var b []byte
	for _, rec := range []record{
		{Kind: recLesson, Version: journalVersion, Lesson: 77},
		initRecord("v0", initName{"1-aaaaaa", 0}, []byte("init"), &variant{"avc1.64001f", 1280, 720, 30000, true}),
		{Kind: recPart, Rendition: "v0", Tag: "1-aaaaaa", Bytes: 9, CRC: 1, EndMicros: 500000},
		targetsRecord(targets{505 * time.Millisecond, 2 * time.Second}),
		segmentRecord("v0", m.list[0]),
		storedRecord("v0", m.list[0]),
		{Kind: recLost, Rendition: "v0", MSN: 3},
		{Kind: recEnd, AtMicros: 5},
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

// TestRecordJSON compares what we write ourselves with what encoding/json does, for lines of every kind with all fields
// and with any of them left out.
func TestRecordJSON(t *testing.T) {
	sum := storage.Sum{1, 2, 3}
	for _, kind := range []string{recPart, recSegment, recStored, recLost} {
		for set := range 1 << 13 {
			rec := record{Kind: kind}
			for i, fill := range []func(){
				func() { rec.Rendition = "v0" },
				func() { rec.MSN = 12 },
				func() { rec.Tag = "3-abcdef" },
				func() { rec.Generation = 4 },
				func() { rec.AtMicros = 1788256800123456 },
				func() { rec.StartMicros = 24_000_000 },
				func() { rec.EndMicros = 26_000_000 },
				func() { rec.Disc = 5 },
				func() { rec.Discontinuity, rec.Independent = true, set&1 == 0 },
				func() { rec.Bytes = 600_000 },
				func() { rec.Sum = &sum },
				func() { rec.CRC = 1<<32 - 1 },
				func() { rec.Samples = []byte{0, 255, 62, 63}[:1+set%4] },
			} {
				if set>>i&1 == 1 {
					fill()
				}
			}
			want, err := json.Marshal(rec)
			if got := rec.appendJSON([]byte("> ")); err != nil || string(got) != "> "+string(want) {
				t.Fatalf("%s\nwant\n> %s, %v", got, want, err)
			}
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
			c := (&Origin{}).newChannel(1, time.Minute)
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
