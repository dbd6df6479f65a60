package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Rule is something that a server must do.
type Rule string

// The rules. Where the books leave a choice, the rule is what the players in schools need.
const (
	Syntax         Rule = "syntax"           // lines, tags and attributes are well formed and in the right playlist
	Version        Rule = "version"          // EXT-X-VERSION is as high as what is used
	TargetDuration Rule = "target-duration"  // no segment rounds to more, and it never changes
	Sequence       Rule = "sequence"         // numbers go up, what was listed stays as it was, and leaves from the front
	DiscSequence   Rule = "discontinuity"    // EXT-X-DISCONTINUITY-SEQUENCE counts what has left
	DateTime       Rule = "date-time"        // every segment has a date, and dates go on as durations say
	Map            Rule = "map"              // every segment has an init segment, and a new one after a discontinuity
	PlaylistType   Rule = "playlist-type"    // EVENT only grows, VOD has ended
	Independent    Rule = "independent"      // what says that it begins with a key frame does
	PartTarget     Rule = "part-target"      // parts are at most the target long, and 85 % of it at least
	PartsListed    Rule = "parts-listed"     // parts are listed near the edge and not elsewhere, and make their segment
	HoldBack       Rule = "hold-back"        // PART-HOLD-BACK is three times PART-TARGET
	Hint           Rule = "preload-hint"     // the hinted part can be asked for, and is the next one
	Reports        Rule = "rendition-report" // the other renditions are reported, truthfully
	Skip           Rule = "skip"             // a delta update says the same, skips what is old and nothing else
	Blocking       Rule = "blocking-reload"  // held until it is there, answered at once when it was, refused far ahead
	Listed         Rule = "listed"           // what is listed is there, with the bytes that were announced
	Boxes          Rule = "boxes"            // fragments are what HLS takes
	Times          Rule = "times"            // decode times go on without overlap or hole
	Durations      Rule = "durations"        // EXTINF is what decode times say, within 50 ms
	Aligned        Rule = "aligned"          // renditions show the same at the same time
	Codecs         Rule = "codecs"           // CODECS covers what init segments hold
	Resolution     Rule = "resolution"       // RESOLUTION is that of the pictures
	FrameRate      Rule = "frame-rate"       // FRAME-RATE is that of the pictures
	Bandwidth      Rule = "bandwidth"        // BANDWIDTH and AVERAGE-BANDWIDTH are as measured
	Captions       Rule = "captions"         // CLOSED-CAPTIONS is declared
	AudioOnly      Rule = "audio-only"       // there is a variant for who has no bandwidth
	ContentType    Rule = "content-type"     // and nobody guesses another
	CacheControl   Rule = "cache-control"    // media for ever, playlists for moments, errors never
	Gzip           Rule = "gzip"             // playlists are compressed for whom it helps
	Validators     Rule = "validators"       // ETag, and 304 for who has it
	Head           Rule = "head"             // HEAD answers as GET does, without the bytes
	Range          Rule = "range"            // media comes in ranges
	CORS           Rule = "cors"             // other sites are not let in
	Refusals       Rule = "refusals"         // 404, 405, 400: not kept by caches
)

// books says where a rule is written. bis is draft-pantos-hls-rfc8216bis-18.
var books = map[Rule]string{
	Syntax:         "RFC 8216 4.1 to 4.3",
	Version:        "bis 8",
	TargetDuration: "RFC 8216 4.3.3.1",
	Sequence:       "RFC 8216 4.3.3.2, 6.2.2",
	DiscSequence:   "RFC 8216 4.3.3.3, 6.2.2",
	DateTime:       "RFC 8216 4.3.2.6",
	Map:            "RFC 8216 4.3.2.3, 4.3.2.5",
	PlaylistType:   "RFC 8216 4.3.3.5",
	Independent:    "RFC 8216 4.3.5.1, bis 4.4.4.9",
	PartTarget:     "bis 4.4.3.7, 4.4.4.9",
	PartsListed:    "bis 4.4.4.9, 6.2.2",
	HoldBack:       "bis 4.4.3.8",
	Hint:           "bis 4.4.5.3, 6.2.6",
	Reports:        "bis 4.4.5.4",
	Skip:           "bis 4.4.5.2, 6.2.5.1",
	Blocking:       "bis 6.2.5.2",
	Listed:         "RFC 8216 6.2.1, 6.2.2",
	Boxes:          "RFC 8216 3.3",
	Times:          "ISO/IEC 14496-12 8.8.12",
	Durations:      "RFC 8216 4.3.2.1",
	Aligned:        "RFC 8216 6.2.4",
	Codecs:         "RFC 8216 4.3.4.2, RFC 6381",
	Resolution:     "RFC 8216 4.3.4.2",
	FrameRate:      "RFC 8216 4.3.4.2",
	Bandwidth:      "RFC 8216 4.3.4.2",
	Captions:       "RFC 8216 4.3.4.2",
	AudioOnly:      "Apple's authoring rules 1.13",
	ContentType:    "RFC 8216 4, 10",
	CacheControl:   "RFC 9111 5.2",
	Gzip:           "RFC 9110 8.4, 12.5.3",
	Validators:     "RFC 9110 13.1.2, 15.4.5",
	Head:           "RFC 9110 9.3.2",
	Range:          "RFC 9110 14",
	CORS:           "Fetch standard 3.3",
	Refusals:       "bis 6.2.5.2, RFC 9111 3",
}

// Rules returns every rule.
func Rules() []Rule { return slices.Sorted(maps.Keys(books)) }

// Finding is a broken rule.
type Finding struct {
	Rule  Rule
	Where string // the resource, without its ticket
	What  string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", f.Where, f.Rule, f.What, books[f.Rule])
}

// Report is what Check has seen.
type Report struct {
	Findings   []Finding
	Renditions []Rendition // in the order of the multivariant playlist
}

// Rendition counts what was looked at.
type Rendition struct {
	URI             string
	Live            bool // it had not ended
	Reloads         int  // playlists read, by blocking reloads
	Segments, Parts int  // fetched and read
	Gaps            int  // segments that are listed as lost
	Discontinuities int  // among the segments
	Next            int  // media sequence number after the last segment
}

// String lists the findings, those of one rule and place once.
func (r *Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	for _, v := range r.Renditions {
		fmt.Fprintf(&b, "%+v\n", v)
	}
	return b.String()
}

// maxPerRule is how often one rule is reported about one place: the rest is more of the same.
const maxPerRule = 3

// notes collects findings from several goroutines.
type notes struct {
	mu       sync.Mutex
	findings []Finding
	counts   map[Finding]int // by rule and place
}

func (n *notes) add(rule Rule, where, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.counts == nil {
		n.counts = map[Finding]int{}
	}
	key := Finding{Rule: rule, Where: where}
	if n.counts[key]++; n.counts[key] <= maxPerRule {
		n.findings = append(n.findings, Finding{rule, where, fmt.Sprintf(format, args...)})
	}
}
