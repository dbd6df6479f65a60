package hls

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"time"

	"chalkcast/media"
	"chalkcast/storage"
)

// A journal is what a restarted server must remember of a lesson: JSON lines, each behind the CRC of its text, only
// ever appended.
//
//	5f3a9c01 {"k":"seg","r":"v0","n":12,…}
//
// A line that does not agree with its CRC is what a crash left of it, and is as if it had not been written. The
// object lessons/<lesson>/journal.jsonl holds the same lines without the parts, as index of the recording.
const (
	recLesson  = "lesson"  // the first line
	recTargets = "targets" // lengths, frozen
	recInit    = "init"    // an init segment, and what it looks like
	recPart    = "part"    // a part was appended to the segment's file
	recSegment = "seg"     // the file is complete and survives a power cut
	recStored  = "stored"  // the object store has it, verified
	recLost    = "lost"    // nobody has it
	recEnd     = "end"     // End was called
)

const journalVersion = 1

// record is a line of the journal. Which fields count depends on Kind.
type record struct {
	Kind string `json:"k"`

	Version int      `json:"v,omitempty"`
	Lesson  media.ID `json:"lesson,omitzero"`

	PartMS  int `json:"part_ms,omitempty"`
	TargetS int `json:"target_s,omitempty"`

	Rendition  string `json:"r,omitempty"`
	MSN        int    `json:"n,omitempty"`
	Tag        string `json:"e,omitempty"`
	Generation int    `json:"g,omitempty"`

	AtMicros      int64        `json:"at_us,omitempty"` // Unix time
	StartMicros   int64        `json:"start_us,omitempty"`
	EndMicros     int64        `json:"end_us,omitempty"`
	Disc          int          `json:"disc,omitempty"`
	Discontinuity bool         `json:"break,omitempty"`
	Independent   bool         `json:"ind,omitempty"`
	Bytes         int64        `json:"bytes,omitempty"`
	Sum           *storage.Sum `json:"sha256,omitempty"` // of what was uploaded
	CRC           uint32       `json:"crc32c,omitempty"` // of the segment up to here
	Samples       []byte       `json:"samples,omitempty"`

	Init      []byte `json:"init,omitempty"`
	Codecs    string `json:"codecs,omitempty"`
	Width     int    `json:"w,omitempty"`
	Height    int    `json:"h,omitempty"`
	FrameRate int    `json:"fps_milli,omitempty"`
	Captions  bool   `json:"cc,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord writes a line.
func appendRecord(b []byte, rec record) []byte {
	at := len(b)
	b = rec.appendJSON(append(b, "00000000 "...))
	var crc [4]byte
	binary.BigEndian.PutUint32(crc[:], crc32.Checksum(b[at+9:], castagnoli))
	hex.Encode(b[at:], crc[:])
	return append(b, '\n')
}

// appendJSON writes what json.Marshal does. Lines about media come several times a second from each encoder, and
// encoding/json looks at every field of a record.
func (rec *record) appendJSON(b []byte) []byte {
	switch rec.Kind {
	case recPart, recSegment, recStored, recLost:
	default:
		text, err := json.Marshal(rec)
		if err != nil {
			panic(err) // plain values only
		}
		return append(b, text...)
	}
	text := func(name, value string) {
		if value != "" {
			b = append(append(append(append(b, name...), '"'), value...), '"') // our own words: nothing to escape
		}
	}
	number := func(name string, value int64) {
		if value != 0 {
			b = strconv.AppendInt(append(b, name...), value, 10)
		}
	}
	truth := func(name string, value bool) {
		if value {
			b = append(append(b, name...), "true"...)
		}
	}
	text(`{"k":`, rec.Kind)
	text(`,"r":`, rec.Rendition)
	number(`,"n":`, int64(rec.MSN))
	text(`,"e":`, rec.Tag)
	number(`,"g":`, int64(rec.Generation))
	number(`,"at_us":`, rec.AtMicros)
	number(`,"start_us":`, rec.StartMicros)
	number(`,"end_us":`, rec.EndMicros)
	number(`,"disc":`, int64(rec.Disc))
	truth(`,"break":`, rec.Discontinuity)
	truth(`,"ind":`, rec.Independent)
	number(`,"bytes":`, rec.Bytes)
	if rec.Sum != nil {
		text(`,"sha256":`, rec.Sum.String())
	}
	number(`,"crc32c":`, int64(rec.CRC))
	if len(rec.Samples) > 0 {
		b = append(base64.StdEncoding.AppendEncode(append(b, `,"samples":"`...), rec.Samples), '"')
	}
	return append(b, '}')
}

// maxLine bounds a line of the journal: an init segment with 16 KiB of parameters, in base64.
const maxLine = 64 << 10

// parseJournal reads lines. It returns how many of them were damaged, which is one after a crash and more only if
// the disk lies, and how many bytes at the end are no whole line.
func parseJournal(b []byte) (recs []record, damaged, torn int) {
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if !whole {
			return recs, damaged, len(b)
		}
		if rec, ok := parseLine(line); ok {
			recs = append(recs, rec)
		} else {
			damaged++
		}
		b = rest
	}
	return recs, damaged, 0
}

func parseLine(line []byte) (rec record, ok bool) {
	if len(line) < 10 || len(line) > maxLine || line[8] != ' ' {
		return rec, false
	}
	if want := fmt.Appendf(nil, "%08x", crc32.Checksum(line[9:], castagnoli)); !bytes.Equal(want, line[:8]) {
		return rec, false
	}
	if json.Unmarshal(line[9:], &rec) != nil || !rec.valid() {
		return record{}, false
	}
	return rec, true
}

// valid keeps numbers out of the server that no journal of ours holds: they come from a file, after all.
func (rec *record) valid() bool {
	if rec.Rendition != "" && !isRendition(rec.Rendition) || rec.Tag != "" && !isTag(rec.Tag) {
		return false
	}
	switch rec.Kind {
	case recInit, recPart, recSegment:
		if rec.Rendition == "" || rec.Tag == "" {
			return false
		}
	}
	return rec.MSN >= 0 && rec.MSN < 1e9 && rec.Bytes >= 0 && rec.StartMicros >= 0 && rec.EndMicros >= rec.StartMicros &&
		rec.EndMicros < maxProgramme.Microseconds() && rec.Disc >= 0 && rec.Generation >= 0 && rec.PartMS >= 0 && rec.TargetS >= 0
}

// maxProgramme is beyond any lesson.
const maxProgramme = 366 * 24 * time.Hour

func (rec *record) heading() heading {
	return heading{
		msn: rec.MSN, tag: rec.Tag, generation: rec.Generation, start: micros(rec.StartMicros),
		at: time.UnixMicro(rec.AtMicros).UTC(), disc: rec.Disc, discontinuity: rec.Discontinuity,
	}
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func headingRecord(kind, rendition string, h *heading) record {
	return record{
		Kind: kind, Rendition: rendition, MSN: h.msn, Tag: h.tag, Generation: h.generation,
		StartMicros: h.start.Microseconds(), AtMicros: h.at.UnixMicro(), Disc: h.disc, Discontinuity: h.discontinuity,
	}
}

func segmentRecord(rendition string, s *segment) record {
	rec := headingRecord(recSegment, rendition, &s.heading)
	rec.EndMicros, rec.Bytes, rec.CRC, rec.Independent = s.end.Microseconds(), s.size, s.crc(), s.independent()
	return rec
}

// storedRecord says that the store has a segment.
func storedRecord(rendition string, s *segment) record {
	return record{Kind: recStored, Rendition: rendition, MSN: s.msn, Sum: s.sum.Load()}
}

func lostRecord(rendition string, s *segment) record {
	return record{Kind: recLost, Rendition: rendition, MSN: s.msn}
}

func initRecord(rendition string, n initName, b []byte, v *variant) record {
	return record{
		Kind: recInit, Rendition: rendition, Tag: n.tag, Generation: n.generation, Init: b,
		Codecs: v.codecs, Width: v.width, Height: v.height, FrameRate: v.frameRate, Captions: v.captions,
	}
}

func targetsRecord(t targets) record {
	return record{Kind: recTargets, PartMS: int(t.part / time.Millisecond), TargetS: wholeSeconds(t.segment)}
}

// journal is the file. It is owned by the goroutine that writes the spool.
type journal struct {
	f    file
	size int64  // up to where lines are whole
	line []byte // reused
}

const journalFile = "journal.jsonl"

// maxJournal bounds what is read back: some 50 hours of lesson.
const maxJournal = 256 << 20

// openJournal opens or makes the journal in root and reads what is there. A torn last line is cut off.
func openJournal(root *os.Root, d *disk) (j *journal, recs []record, damaged int, err error) {
	f, err := d.open(root, journalFile, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("open journal: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err == nil {
		var torn int
		recs, damaged, torn = parseJournal(b)
		j = &journal{f: f, size: int64(len(b) - torn)}
		err = j.rewind()
		if torn > 0 {
			damaged++
		}
	}
	if err != nil {
		f.Close()
		return nil, nil, 0, fmt.Errorf("read journal: %w", err)
	}
	return j, recs, damaged, nil
}

// rewind drops what follows the last whole line.
func (j *journal) rewind() error {
	if err := j.f.Truncate(j.size); err != nil {
		return err
	}
	_, err := j.f.Seek(j.size, io.SeekStart)
	return err
}

// write appends a line; sync makes it, and all before it, survive a power cut. After an error the line is not
// there.
func (j *journal) write(rec record, sync bool) error {
	j.line = appendRecord(j.line[:0], rec)
	n, err := j.f.Write(j.line)
	if err == nil && sync {
		if err = j.f.Sync(); err != nil {
			err = fmt.Errorf("%w: %w", errSync, err)
		}
	}
	if err != nil {
		if n > 0 {
			err = errors.Join(err, j.rewind())
		}
		return fmt.Errorf("write journal: %w", err)
	}
	j.size += int64(n)
	return nil
}
