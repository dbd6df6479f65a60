package conformance

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// form is how a value is written (RFC 8216 section 4.2 for those of attributes).
type form string

const (
	noValue  form = `^$`
	integer  form = `^[0-9]{1,20}$`
	decimal  form = `^[0-9]+(\.[0-9]+)?$`
	quoted   form = `^"[^"\r\n]*"$`
	word     form = `^[^",\s]+$` // an enumerated string
	yes      form = `^YES$`
	yesNo    form = `^(YES|NO)$`
	size     form = `^[0-9]+x[0-9]+$`
	captions form = `^(NONE|"[^"\r\n]*")$`
	extinf   form = `^[0-9]+(\.[0-9]+)?,.*$` // of EXTINF, with a title
	date     form = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})$`
	eventVOD form = `^(EVENT|VOD)$`
	attrList form = "" // attributes
)

var forms = map[form]*regexp.Regexp{}

func init() {
	for _, f := range []form{noValue, integer, decimal, quoted, word, yes, yesNo, size, captions, extinf, date, eventVOD} {
		forms[f] = regexp.MustCompile(string(f))
	}
}

// place is where a tag may stand.
type place uint8

const (
	inMedia place = 1 << iota
	inIndex
	many // more than once
)

// tagRule says how a tag is written.
type tagRule struct {
	place
	value      form
	attributes map[string]form
	needed     []string
}

var tagRules = map[string]tagRule{
	"#EXTM3U":                       {place: inMedia | inIndex, value: noValue},
	"#EXT-X-VERSION":                {place: inMedia | inIndex, value: integer},
	"#EXT-X-INDEPENDENT-SEGMENTS":   {place: inMedia | inIndex, value: noValue},
	"#EXT-X-TARGETDURATION":         {place: inMedia, value: integer},
	"#EXT-X-MEDIA-SEQUENCE":         {place: inMedia, value: integer},
	"#EXT-X-DISCONTINUITY-SEQUENCE": {place: inMedia, value: integer},
	"#EXT-X-PLAYLIST-TYPE":          {place: inMedia, value: eventVOD},
	"#EXT-X-ENDLIST":                {place: inMedia, value: noValue},
	"#EXTINF":                       {place: inMedia | many, value: extinf},
	"#EXT-X-DISCONTINUITY":          {place: inMedia | many, value: noValue},
	"#EXT-X-GAP":                    {place: inMedia | many, value: noValue},
	"#EXT-X-PROGRAM-DATE-TIME":      {place: inMedia | many, value: date},
	"#EXT-X-MAP": {
		place: inMedia | many, needed: []string{"URI"},
		attributes: map[string]form{"URI": quoted, "BYTERANGE": quoted},
	},
	"#EXT-X-DATERANGE": {
		place: inMedia | many, needed: []string{"ID"},
		attributes: map[string]form{
			"ID": quoted, "CLASS": quoted, "START-DATE": quoted, "END-DATE": quoted, "DURATION": decimal,
			"PLANNED-DURATION": decimal, "END-ON-NEXT": yes,
		},
	},
	"#EXT-X-PART": {
		place: inMedia | many, needed: []string{"URI", "DURATION"},
		attributes: map[string]form{"URI": quoted, "DURATION": decimal, "INDEPENDENT": yes, "BYTERANGE": quoted, "GAP": yes},
	},
	"#EXT-X-PART-INF": {
		place: inMedia, needed: []string{"PART-TARGET"},
		attributes: map[string]form{"PART-TARGET": decimal},
	},
	"#EXT-X-SERVER-CONTROL": {place: inMedia, attributes: map[string]form{
		"CAN-SKIP-UNTIL": decimal, "CAN-SKIP-DATERANGES": yes, "HOLD-BACK": decimal, "PART-HOLD-BACK": decimal,
		"CAN-BLOCK-RELOAD": yes,
	}},
	"#EXT-X-SKIP": {
		place: inMedia, needed: []string{"SKIPPED-SEGMENTS"},
		attributes: map[string]form{"SKIPPED-SEGMENTS": integer, "RECENTLY-REMOVED-DATERANGES": quoted},
	},
	"#EXT-X-PRELOAD-HINT": {
		place: inMedia | many, needed: []string{"TYPE", "URI"},
		attributes: map[string]form{"TYPE": word, "URI": quoted, "BYTERANGE-START": integer, "BYTERANGE-LENGTH": integer},
	},
	"#EXT-X-RENDITION-REPORT": {
		place: inMedia | many, needed: []string{"URI", "LAST-MSN"},
		attributes: map[string]form{"URI": quoted, "LAST-MSN": integer, "LAST-PART": integer},
	},
	"#EXT-X-MEDIA": {
		place: inIndex | many, needed: []string{"TYPE", "GROUP-ID", "NAME"},
		attributes: map[string]form{
			"TYPE": word, "URI": quoted, "GROUP-ID": quoted, "LANGUAGE": quoted, "ASSOC-LANGUAGE": quoted, "NAME": quoted,
			"DEFAULT": yesNo, "AUTOSELECT": yesNo, "FORCED": yesNo, "INSTREAM-ID": quoted, "CHARACTERISTICS": quoted,
			"CHANNELS": quoted, "STABLE-RENDITION-ID": quoted,
		},
	},
	"#EXT-X-STREAM-INF": {
		place: inIndex | many, needed: []string{"BANDWIDTH"},
		attributes: map[string]form{
			"BANDWIDTH": integer, "AVERAGE-BANDWIDTH": integer, "SCORE": decimal, "CODECS": quoted,
			"SUPPLEMENTAL-CODECS": quoted, "RESOLUTION": size, "FRAME-RATE": decimal, "HDCP-LEVEL": word,
			"VIDEO-RANGE": word, "AUDIO": quoted, "VIDEO": quoted, "SUBTITLES": quoted, "CLOSED-CAPTIONS": captions,
			"STABLE-VARIANT-ID": quoted, "PATHWAY-ID": quoted,
		},
	},
}

// attributes are those of a tag, unquoted.
type attributes map[string]string

func (a attributes) float(name string) float64 {
	v, _ := strconv.ParseFloat(a[name], 64) // its form was checked
	return v
}

func (a attributes) int(name string) int {
	v, err := strconv.Atoi(a[name])
	if err != nil {
		return -1
	}
	return v
}

// line is one that means something: a tag, or a URI.
type line struct {
	number int
	tag    string // "" for a URI
	value  string // or the URI
	attributes
}

// problem is what is wrong with a line.
type problem struct {
	rule Rule
	what string
}

const maxPlaylist = 8 << 20

// readLines takes a playlist apart and checks every line on its own.
func readLines(b []byte, where place) (lines []line, problems []problem) {
	wrong := func(n int, format string, args ...any) {
		problems = append(problems, problem{Syntax, fmt.Sprintf("line %d: ", n) + fmt.Sprintf(format, args...)})
	}
	switch {
	case len(b) > maxPlaylist:
		wrong(0, "%d bytes are more than a playlist has", len(b))
		return nil, problems
	case !utf8.Valid(b) || strings.HasPrefix(string(b), "\ufeff"):
		wrong(0, "not plain UTF-8")
		return nil, problems
	case !strings.HasPrefix(string(b), "#EXTM3U\n"):
		wrong(1, "want #EXTM3U, got %.40q", b)
		return nil, problems
	case b[len(b)-1] != '\n':
		wrong(0, "the last line does not end")
	}
	seen := map[string]bool{}
	for i, text := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		l, err := readLine(text, where)
		if err != nil {
			wrong(i+1, "%v: %.80s", err, text)
			continue
		}
		l.number = i + 1
		if seen[l.tag] && l.tag != "" && tagRules[l.tag].place&many == 0 {
			wrong(i+1, "%s for the second time", l.tag)
		}
		seen[l.tag] = true
		lines = append(lines, l)
	}
	return lines, problems
}

func readLine(text string, where place) (l line, err error) {
	switch {
	case text == "":
		return l, fmt.Errorf("empty line")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return l, fmt.Errorf("control characters")
	case text[0] != '#':
		return line{value: text}, nil
	}
	tag, value, _ := strings.Cut(text, ":")
	rule, known := tagRules[tag]
	switch {
	case !known:
		return l, fmt.Errorf("unknown tag")
	case rule.place&where == 0:
		return l, fmt.Errorf("tag of another kind of playlist")
	case rule.value != attrList && !forms[rule.value].MatchString(value):
		return l, fmt.Errorf("value not of the form %s", rule.value)
	}
	l = line{tag: tag, value: value}
	if rule.value == attrList {
		l.attributes, err = readAttributes(value, rule)
	}
	return l, err
}

func readAttributes(text string, rule tagRule) (attributes, error) {
	a := attributes{}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("attribute without a value")
		}
		end := strings.IndexByte(rest, ',')
		if strings.HasPrefix(rest, `"`) {
			if end = strings.IndexByte(rest[1:], '"'); end < 0 {
				return nil, fmt.Errorf("open quote")
			}
			if end += 2; end == len(rest) {
				end = -1
			} else if rest[end] != ',' {
				return nil, fmt.Errorf("no comma after %s", key)
			}
		}
		value := rest
		if text = ""; end >= 0 {
			value, text = rest[:end], rest[end+1:]
			if text == "" {
				return nil, fmt.Errorf("nothing after the last comma")
			}
		}
		form, known := rule.attributes[key]
		switch _, twice := a[key]; {
		case twice:
			return nil, fmt.Errorf("%s twice", key)
		case !known && !strings.HasPrefix(key, "X-"):
			return nil, fmt.Errorf("unknown attribute %s", key)
		case known && !forms[form].MatchString(value):
			return nil, fmt.Errorf("%s not of the form %s", key, form)
		}
		a[key] = strings.Trim(value, `"`)
	}
	for _, key := range rule.needed {
		if _, ok := a[key]; !ok {
			return nil, fmt.Errorf("no %s", key)
		}
	}
	return a, nil
}

// playlist is a media playlist.
type playlist struct {
	lines       []line
	version     int
	target      int
	partTarget  float64
	control     attributes
	first, disc int // EXT-X-MEDIA-SEQUENCE, EXT-X-DISCONTINUITY-SEQUENCE
	kind        string
	independent bool
	ended       bool
	skipped     int
	segments    []segment // without those that were skipped
	open        segment   // what follows the last one: parts
	hint        string
	reports     []attributes
}

// segment is one of a playlist.
type segment struct {
	number        int
	uri           string
	duration      float64
	text          string // what EXTINF says
	mapURI        string
	mapped        bool // EXT-X-MAP stands in front of it
	at            time.Time
	discontinuity bool
	disc          int // its discontinuity sequence number
	gap           bool
	parts         []part
}

type part struct {
	uri         string
	duration    float64
	independent bool
}

// next is the number of the first segment that is not there.
func (p *playlist) next() int { return p.first + p.skipped + len(p.segments) }

// find returns a segment that is listed, or nil.
func (p *playlist) find(number int) *segment {
	i := number - p.first - p.skipped
	if i < 0 || i >= len(p.segments) {
		return nil
	}
	return &p.segments[i]
}

// length is how much the segments from the i-th on last, and the parts after them.
func (p *playlist) length(i int) (sum float64) {
	for _, s := range p.segments[min(i, len(p.segments)):] {
		sum += s.duration
	}
	for _, part := range p.open.parts {
		sum += part.duration
	}
	return sum
}

// readPlaylist reads a media playlist. It returns one even when there are problems.
func readPlaylist(b []byte) (*playlist, []problem) {
	p := &playlist{target: -1}
	lines, problems := readLines(b, inMedia)
	p.lines = lines
	var cur segment
	for _, l := range lines {
		if l.tag != "" {
			p.tag(l, &cur)
			continue
		}
		if cur.text == "" {
			problems = append(problems, problem{Syntax, fmt.Sprintf("line %d: a URI without EXTINF", l.number)})
		}
		cur.uri = l.value
		p.segments = append(p.segments, cur)
		cur = segment{}
	}
	p.open = cur
	p.count()
	if p.target < 0 {
		problems = append(problems, problem{Syntax, "no EXT-X-TARGETDURATION"})
	}
	return p, problems
}

// count gives segments their numbers and what they inherit.
func (p *playlist) count() {
	disc, mapURI := p.disc, ""
	each := func(s *segment, number int) {
		if s.discontinuity {
			disc++
		}
		if !s.mapped {
			s.mapURI = mapURI
		}
		s.number, s.disc, mapURI = number, disc, s.mapURI
	}
	for i := range p.segments {
		each(&p.segments[i], p.first+p.skipped+i)
	}
	each(&p.open, p.next())
}

func (p *playlist) tag(l line, cur *segment) {
	number, _ := strconv.Atoi(l.value) // forms were checked; other tags have none
	switch l.tag {
	case "#EXT-X-VERSION":
		p.version = number
	case "#EXT-X-TARGETDURATION":
		p.target = number
	case "#EXT-X-MEDIA-SEQUENCE":
		p.first = number
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		p.disc = number
	case "#EXT-X-PLAYLIST-TYPE":
		p.kind = l.value
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		p.independent = true
	case "#EXT-X-ENDLIST":
		p.ended = true
	case "#EXT-X-PART-INF":
		p.partTarget = l.float("PART-TARGET")
	case "#EXT-X-SERVER-CONTROL":
		p.control = l.attributes
	case "#EXT-X-SKIP":
		p.skipped = l.int("SKIPPED-SEGMENTS")
	case "#EXT-X-PRELOAD-HINT":
		p.hint = l.attributes["URI"]
	case "#EXT-X-RENDITION-REPORT":
		p.reports = append(p.reports, l.attributes)
	default:
		cur.tag(l)
	}
}

func (s *segment) tag(l line) {
	switch l.tag {
	case "#EXT-X-DISCONTINUITY":
		s.discontinuity = true
	case "#EXT-X-GAP":
		s.gap = true
	case "#EXT-X-PROGRAM-DATE-TIME":
		s.at, _ = time.Parse(time.RFC3339Nano, l.value) // zero when it is no date
	case "#EXT-X-MAP":
		s.mapURI, s.mapped = l.attributes["URI"], true
	case "#EXT-X-PART":
		s.parts = append(s.parts, part{l.attributes["URI"], l.float("DURATION"), l.attributes["INDEPENDENT"] == "YES"})
	case "#EXTINF":
		s.text, _, _ = strings.Cut(l.value, ",")
		s.duration, _ = strconv.ParseFloat(s.text, 64)
	}
}

// variant is a row of the multivariant playlist.
type variant struct {
	attributes
	uri string
}

// index is a multivariant playlist.
type index struct {
	lines    []line
	version  int
	variants []variant
	groups   map[string]bool // of closed captions
}

func readIndex(b []byte) (*index, []problem) {
	x := &index{groups: map[string]bool{}}
	lines, problems := readLines(b, inIndex)
	x.lines = lines
	var open attributes
	for _, l := range lines {
		switch l.tag {
		case "#EXT-X-VERSION":
			x.version, _ = strconv.Atoi(l.value)
		case "#EXT-X-MEDIA":
			x.groups[l.attributes["GROUP-ID"]] = true
		case "#EXT-X-STREAM-INF":
			open = l.attributes
		case "":
			if open == nil {
				problems = append(problems, problem{Syntax, fmt.Sprintf("line %d: a URI without EXT-X-STREAM-INF", l.number)})
			}
			x.variants = append(x.variants, variant{open, l.value})
			open = nil
		}
	}
	if len(x.variants) == 0 {
		problems = append(problems, problem{Syntax, "no variants"})
	}
	return x, problems
}
