package hlstest

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Playlist is a media playlist.
type Playlist struct {
	Version        int
	TargetDuration int
	PartTarget     float64
	PartHoldBack   float64
	SkipUntil      float64
	BlockReload    bool
	MediaSequence  int
	DiscSequence   int
	Type           string // EVENT, VOD or nothing
	Independent    bool
	Skipped        int
	Segments       []Segment // without the skipped ones
	Open           Segment   // of which only parts are there
	Hint           string
	Reports        []Report
	Ended          bool
}

// Segment is a segment of a playlist.
type Segment struct {
	MSN           int
	URI           string
	Duration      float64
	Map           string
	At            time.Time // PROGRAM-DATE-TIME
	Discontinuity bool
	Disc          int // discontinuity sequence number
	Gap           bool
	Parts         []Part
}

// Part is a part of a segment.
type Part struct {
	URI         string
	Duration    float64
	Independent bool
}

// Report is what a playlist says about another.
type Report struct {
	URI       string
	MSN, Part int // Part −1: not told
}

// Next returns the number of the first segment that is not there.
func (p *Playlist) Next() int { return p.MediaSequence + p.Skipped + len(p.Segments) }

// Parse reads a media playlist. Tags that package hls does not write are errors.
func Parse(b []byte) (*Playlist, error) {
	p := &Playlist{}
	lines := strings.Split(string(b), "\n")
	if lines[0] != "#EXTM3U" || lines[len(lines)-1] != "" {
		return nil, fmt.Errorf("not a playlist: %.80q", b)
	}
	var cur Segment
	for n, line := range lines[1 : len(lines)-1] {
		if err := p.line(line, &cur); err != nil {
			return nil, fmt.Errorf("line %d: %w: %s", n+2, err, line)
		}
	}
	p.Open = cur
	p.number()
	return p, nil
}

// number gives segments their numbers and what they inherit.
func (p *Playlist) number() {
	disc, uri := p.DiscSequence, ""
	each := func(s *Segment, msn int) {
		if s.Discontinuity {
			disc++
		}
		if s.Map == "" {
			s.Map = uri
		}
		s.MSN, s.Disc, uri = msn, disc, s.Map
	}
	for i := range p.Segments {
		each(&p.Segments[i], p.MediaSequence+p.Skipped+i)
	}
	each(&p.Open, p.Next())
}

func (p *Playlist) line(line string, cur *Segment) error {
	tag, value, _ := strings.Cut(line, ":")
	var err error
	switch tag {
	case "#EXT-X-VERSION":
		p.Version, err = strconv.Atoi(value)
	case "#EXT-X-TARGETDURATION":
		p.TargetDuration, err = strconv.Atoi(value)
	case "#EXT-X-PLAYLIST-TYPE":
		p.Type = value
	case "#EXT-X-MEDIA-SEQUENCE":
		p.MediaSequence, err = strconv.Atoi(value)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		p.DiscSequence, err = strconv.Atoi(value)
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		p.Independent = true
	case "#EXT-X-ENDLIST":
		p.Ended = true
	case "#EXT-X-SERVER-CONTROL", "#EXT-X-PART-INF", "#EXT-X-SKIP", "#EXT-X-PRELOAD-HINT", "#EXT-X-RENDITION-REPORT":
		return p.attributes(tag, value)
	default:
		return p.media(tag, value, line, cur)
	}
	return err
}

func (p *Playlist) attributes(tag, value string) error {
	a, err := attributes(value)
	if err != nil {
		return err
	}
	switch tag {
	case "#EXT-X-SERVER-CONTROL":
		p.BlockReload = a["CAN-BLOCK-RELOAD"] == "YES"
		p.SkipUntil, err = number(a, "CAN-SKIP-UNTIL")
		if a["PART-HOLD-BACK"] != "" && err == nil {
			p.PartHoldBack, err = number(a, "PART-HOLD-BACK")
		}
	case "#EXT-X-PART-INF":
		p.PartTarget, err = number(a, "PART-TARGET")
	case "#EXT-X-SKIP":
		p.Skipped, err = strconv.Atoi(a["SKIPPED-SEGMENTS"])
	case "#EXT-X-PRELOAD-HINT":
		p.Hint = a["URI"]
	case "#EXT-X-RENDITION-REPORT":
		r := Report{URI: a["URI"], Part: -1}
		if r.MSN, err = strconv.Atoi(a["LAST-MSN"]); err == nil && a["LAST-PART"] != "" {
			r.Part, err = strconv.Atoi(a["LAST-PART"])
		}
		p.Reports = append(p.Reports, r)
	}
	return err
}

func (p *Playlist) media(tag, value, line string, cur *Segment) (err error) {
	switch tag {
	case "#EXT-X-DISCONTINUITY":
		cur.Discontinuity = true
	case "#EXT-X-GAP":
		cur.Gap = true
	case "#EXT-X-PROGRAM-DATE-TIME":
		cur.At, err = time.Parse("2006-01-02T15:04:05.000Z", value)
	case "#EXT-X-MAP":
		var a map[string]string
		a, err = attributes(value)
		cur.Map = a["URI"]
	case "#EXT-X-PART":
		var a map[string]string
		if a, err = attributes(value); err == nil {
			part := Part{URI: a["URI"], Independent: a["INDEPENDENT"] == "YES"}
			part.Duration, err = number(a, "DURATION")
			cur.Parts = append(cur.Parts, part)
		}
	case "#EXTINF":
		cur.Duration, err = strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
	default:
		if strings.HasPrefix(line, "#") || line == "" || cur.Duration == 0 && !cur.Gap {
			return fmt.Errorf("unexpected")
		}
		cur.URI = line
		p.Segments = append(p.Segments, *cur)
		*cur = Segment{}
	}
	return err
}

func number(a map[string]string, name string) (float64, error) {
	v, err := strconv.ParseFloat(a[name], 64)
	if err == nil && (v < 0 || math.IsInf(v, 0)) {
		err = fmt.Errorf("%s=%v", name, v)
	}
	return v, err
}

// attributes reads an attribute list (RFC 8216 section 4.2).
func attributes(s string) (map[string]string, error) {
	a := map[string]string{}
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("attribute without value")
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, ok = strings.Cut(rest[1:], `"`); !ok {
				return nil, fmt.Errorf("open quote")
			}
			if rest != "" && !strings.HasPrefix(rest, ",") {
				return nil, fmt.Errorf("no comma after %s", name)
			}
			rest = strings.TrimPrefix(rest, ",")
		} else {
			value, rest, _ = strings.Cut(rest, ",")
		}
		if _, twice := a[name]; twice {
			return nil, fmt.Errorf("%s twice", name)
		}
		a[name], s = value, rest
	}
	return a, nil
}

// Index is a multivariant playlist.
type Index struct {
	Variants []Variant
}

// Variant is a row of a multivariant playlist.
type Variant struct {
	URI                string
	Bandwidth, Average int
	Codecs, Resolution string
	Attributes         map[string]string
}

// ParseIndex reads a multivariant playlist.
func ParseIndex(b []byte) (*Index, error) {
	if !bytes.HasPrefix(b, []byte("#EXTM3U\n")) {
		return nil, fmt.Errorf("not a playlist: %.80q", b)
	}
	x := &Index{}
	var v Variant
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if value, ok := strings.CutPrefix(line, "#EXT-X-STREAM-INF:"); ok {
			a, err := attributes(value)
			if err != nil {
				return nil, err
			}
			v = Variant{Codecs: a["CODECS"], Resolution: a["RESOLUTION"], Attributes: a}
			if v.Bandwidth, err = strconv.Atoi(a["BANDWIDTH"]); err != nil {
				return nil, err
			}
			if v.Average, err = strconv.Atoi(a["AVERAGE-BANDWIDTH"]); err != nil {
				return nil, err
			}
		} else if !strings.HasPrefix(line, "#") {
			v.URI = line
			x.Variants = append(x.Variants, v)
		}
	}
	return x, nil
}
