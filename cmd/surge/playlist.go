package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// playlist is a media playlist as a player needs it (RFC 8216bis section 4.4). It is immutable: viewers share it.
type playlist struct {
	target     time.Duration
	partTarget time.Duration // 0: no parts
	holdBack   time.Duration // PART-HOLD-BACK, 0 when there is none
	blocks     bool
	skips      bool      // delta updates can be had
	delta      bool      // this is one
	segments   []segment // consecutive; without those that a delta update skips
	open       segment   // the one that is being made
	ended      bool
}

type segment struct {
	msn      int
	uri      string
	init     string
	duration time.Duration
	at       time.Time // of its beginning; zero when the playlist does not tell
	parts    []part
	gap      bool
}

type part struct {
	uri         string
	duration    time.Duration
	end         time.Time // PROGRAM-DATE-TIME of its end; zero when the playlist does not tell
	independent bool
	gap         bool
}

// next returns which part comes next.
func (p *playlist) next() (msn, part int) { return p.open.msn, len(p.open.parts) }

var errNoPlaylist = errors.New("not a playlist")

// parsePlaylist reads what it needs and leaves the rest alone.
func parsePlaylist(b []byte) (*playlist, error) {
	if !bytes.HasPrefix(b, []byte("#EXTM3U")) {
		return nil, errNoPlaylist
	}
	r := reader{playlist: &playlist{}}
	for line := range bytes.Lines(b) {
		if err := r.read(string(bytes.TrimSpace(line))); err != nil {
			return nil, fmt.Errorf("playlist line %.80q: %w", line, err)
		}
	}
	r.current.msn, r.current.init = r.msn, r.init
	r.open = r.current
	return r.playlist, nil
}

// reader is what holds from line to line.
type reader struct {
	*playlist
	msn     int
	init    string
	clock   time.Time // where the next part or segment begins
	current segment
}

func (r *reader) read(line string) (err error) {
	tag, value, _ := strings.Cut(line, ":")
	switch tag {
	case "":
	case "#EXT-X-TARGETDURATION":
		r.target, err = seconds(value)
	case "#EXT-X-MEDIA-SEQUENCE":
		r.msn, err = strconv.Atoi(value)
	case "#EXT-X-SERVER-CONTROL":
		r.blocks = attribute(value, "CAN-BLOCK-RELOAD") == "YES"
		r.skips = attribute(value, "CAN-SKIP-UNTIL") != ""
		if hold := attribute(value, "PART-HOLD-BACK"); hold != "" {
			r.holdBack, err = seconds(hold)
		}
	case "#EXT-X-PART-INF":
		r.partTarget, err = seconds(attribute(value, "PART-TARGET"))
	case "#EXT-X-SKIP":
		var n int
		n, err = strconv.Atoi(attribute(value, "SKIPPED-SEGMENTS"))
		r.msn, r.delta = r.msn+n, true
	case "#EXT-X-MAP":
		r.init = attribute(value, "URI")
	case "#EXT-X-PROGRAM-DATE-TIME":
		r.clock, err = dateTime(value)
	case "#EXT-X-ENDLIST":
		r.ended = true
	default:
		return r.readMedia(tag, value, line)
	}
	return err
}

func (r *reader) readMedia(tag, value, line string) (err error) {
	switch {
	case tag == "#EXT-X-GAP":
		r.current.gap = true
	case tag == "#EXT-X-PART":
		return r.addPart(value)
	case tag == "#EXTINF":
		length, _, _ := strings.Cut(value, ",")
		r.current.duration, err = seconds(length)
	case strings.HasPrefix(tag, "#"):
	case r.current.duration == 0 && !r.current.gap:
		return errors.New("URI without EXTINF")
	default:
		r.endSegment(line)
	}
	return err
}

func (r *reader) addPart(value string) error {
	length, err := seconds(attribute(value, "DURATION"))
	if err != nil {
		return err
	}
	if len(r.current.parts) == 0 {
		r.current.at = r.clock
	}
	if !r.clock.IsZero() {
		r.clock = r.clock.Add(length)
	}
	r.current.parts = append(r.current.parts, part{
		uri: attribute(value, "URI"), duration: length, end: r.clock,
		independent: attribute(value, "INDEPENDENT") == "YES", gap: attribute(value, "GAP") == "YES",
	})
	return nil
}

// endSegment takes the line that names a segment. Where its parts were listed, they have moved the clock.
func (r *reader) endSegment(uri string) {
	s := r.current
	if s.msn, s.uri, s.init = r.msn, uri, r.init; len(s.parts) == 0 {
		s.at = r.clock
	}
	if !s.at.IsZero() {
		r.clock = s.at.Add(s.duration)
	}
	r.segments = append(r.segments, s)
	r.msn++
	r.current = segment{}
}

// attribute returns the value of a name in an attribute list (RFC 8216 section 4.2), without its quotes.
func attribute(list, name string) string {
	for list != "" {
		key, rest, ok := strings.Cut(list, "=")
		if !ok {
			return ""
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			value, rest, _ = strings.Cut(rest[1:], `"`)
			rest = strings.TrimPrefix(rest, ",")
		} else {
			value, rest, _ = strings.Cut(rest, ",")
		}
		if strings.TrimSpace(key) == name {
			return value
		}
		list = rest
	}
	return ""
}

// maxSeconds bounds what a playlist may claim.
const maxSeconds = 24 * 3600

func seconds(text string) (time.Duration, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !(v >= 0 && v <= maxSeconds) {
		err = fmt.Errorf("%q seconds", text)
	}
	return time.Duration(v * float64(time.Second)), err
}

// dateTime reads ISO 8601 as servers write it: with a colon in the zone or without.
func dateTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999-0700", text)
	}
	return t, err
}

// chosen is what a player takes out of a multivariant playlist: the first variant, and its sound where that stands
// apart.
type chosen struct {
	uris []string
}

// choose reads a multivariant playlist; ok is false for a media playlist.
func choose(b []byte) (c chosen, ok bool) {
	var group string
	sound := map[string]string{} // by group: the default, or else the first
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		switch list, isMedia := strings.CutPrefix(line, "#EXT-X-MEDIA:"); {
		case isMedia && attribute(list, "TYPE") == "AUDIO" && attribute(list, "URI") != "":
			id := attribute(list, "GROUP-ID")
			if sound[id] == "" || attribute(list, "DEFAULT") == "YES" {
				sound[id] = attribute(list, "URI")
			}
		case strings.HasPrefix(line, "#EXT-X-STREAM-INF:") && !ok:
			ok, group = true, attribute(strings.TrimPrefix(line, "#EXT-X-STREAM-INF:"), "AUDIO")
		case ok && len(c.uris) == 0 && line != "" && line[0] != '#':
			c.uris = append(c.uris, line)
		}
	}
	if uri := sound[group]; ok && uri != "" {
		c.uris = append(c.uris, uri)
	}
	return c, ok && len(c.uris) > 0
}

// library keeps playlists by their bytes: thousands of viewers get the same, and one of them parses it.
type library struct {
	seed maphash.Seed

	mu       sync.Mutex // guards what follows
	now, old map[uint64]*playlist
}

// shelf is how many playlists one generation keeps.
const shelf = 4096

func newLibrary() *library {
	return &library{seed: maphash.MakeSeed(), now: map[uint64]*playlist{}}
}

func (l *library) get(a *answered) (*playlist, error) {
	key := maphash.Bytes(l.seed, a.body)
	l.mu.Lock()
	p := l.now[key]
	if p == nil {
		p = l.old[key]
	}
	l.mu.Unlock()
	if p != nil {
		return p, nil
	}
	b, err := a.plain()
	if err != nil {
		return nil, err
	}
	if p, err = parsePlaylist(b); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.now) >= shelf {
		l.now, l.old = map[uint64]*playlist{}, l.now
	}
	l.now[key] = p
	return p, nil
}
