package hls

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"chalkcast/media"
)

// page is a rendered playlist with everything a response needs. It is immutable.
type page struct {
	plain      []byte
	etag       string
	etagZipped string
	zipped     func() []byte // made when first asked for, shared afterwards
}

// newPage returns the page with this text, nil when there is none.
func newPage(b []byte) *page {
	if b == nil {
		return nil
	}
	h := fnv.New64a()
	h.Write(b)
	sum := strconv.FormatUint(h.Sum64(), 36)
	return &page{
		plain: b, etag: `"` + sum + `"`, etagZipped: `"` + sum + `-gz"`,
		zipped: sync.OnceValue(func() []byte { return zip(b) }),
	}
}

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	w.Reset(&out)
	w.Write(b) // a bytes.Buffer does not fail
	w.Close()
	return out.Bytes()
}

// report is another rendition's line in a playlist.
type report struct {
	name      string
	msn, part int // the last part published; part −1 when the last thing is a whole segment
}

// skipAfter is how many target durations a delta update always lists.
const skipAfter = 6

// shownParts is for how many target durations, back from the edge, parts are listed.
const shownParts = 3

// appendSeconds prints whole microseconds as seconds. Positions are whole microseconds, so that sums of durations
// never drift.
func appendSeconds(b []byte, d time.Duration) []byte {
	d = max(d, 0)
	b = strconv.AppendInt(b, int64(d/time.Second), 10)
	micros := int64(d % time.Second / time.Microsecond)
	b = append(b, '.')
	for digit := int64(100000); digit > 0; digit /= 10 {
		b = append(b, byte('0'+micros/digit%10))
	}
	return b
}

// appendShort prints whole milliseconds as seconds.
func appendShort(b []byte, d time.Duration) []byte {
	b = appendSeconds(b, d.Truncate(time.Millisecond))
	return b[:len(b)-3]
}

const dateTime = "2006-01-02T15:04:05.000Z"

func appendDate(b []byte, t time.Time) []byte {
	b = append(b, "#EXT-X-PROGRAM-DATE-TIME:"...)
	return append(t.UTC().AppendFormat(b, dateTime), '\n')
}

func appendMap(b []byte, n initName) []byte {
	b = append(b, `#EXT-X-MAP:URI="`...)
	return append(appendInitURI(b, n), "\"\n"...)
}

// appendHeading writes what precedes the media of a segment. before is the init segment that is in force.
func appendHeading(b []byte, h *heading, before initName) []byte {
	if h.discontinuity {
		b = append(b, "#EXT-X-DISCONTINUITY\n"...)
	}
	if h.init() != before || h.discontinuity {
		b = appendMap(b, h.init())
	}
	return appendDate(b, h.at)
}

func appendParts(b []byte, h *heading, parts []part) []byte {
	for i := range parts {
		p := &parts[i]
		b = append(b, "#EXT-X-PART:DURATION="...)
		b = appendSeconds(b, p.end-p.start)
		if p.independent {
			b = append(b, ",INDEPENDENT=YES"...)
		}
		b = append(b, `,URI="`...)
		b = append(appendPartURI(b, h.tag, h.msn, i), "\"\n"...)
	}
	return b
}

// appendMedia writes the two lines that make a segment, preceded by GAP when its bytes are nowhere.
func appendMedia(b []byte, s *segment, gap bool) []byte {
	if gap {
		b = append(b, "#EXT-X-GAP\n"...)
	}
	b = append(b, "#EXTINF:"...)
	b = append(appendSeconds(b, s.duration()), ",\n"...)
	return append(appendSegmentURI(b, s.tag, s.msn), '\n')
}

func appendInt(b []byte, tag string, n int) []byte {
	return append(strconv.AppendInt(append(b, tag...), int64(n), 10), '\n')
}

func wholeSeconds(d time.Duration) int { return int(d / time.Second) }

// appendOpening writes what every media playlist begins with. version 9 brings EXT-X-SKIP.
func appendOpening(b []byte, t targets) []byte {
	b = append(b, "#EXTM3U\n#EXT-X-VERSION:9\n"...)
	return appendInt(b, "#EXT-X-TARGETDURATION:", wholeSeconds(t.segment))
}

func appendSequence(b []byte, first *heading) []byte {
	b = appendInt(b, "#EXT-X-MEDIA-SEQUENCE:", first.msn)
	disc := first.disc
	if first.discontinuity {
		disc-- // its own tag is still to come
	}
	return appendInt(b, "#EXT-X-DISCONTINUITY-SEQUENCE:", disc)
}

// length is how much media there is: what players count, who know nothing of the outages in between.
func length(list []*segment, parts []part) (sum time.Duration) {
	for _, s := range list {
		sum += s.duration()
	}
	for i := range parts {
		sum += parts[i].end - parts[i].start
	}
	return sum
}

// older returns how many of list, from the front, have more than limit of media behind them.
func older(list []*segment, parts []part, limit time.Duration) int {
	n := len(list)
	for behind := length(nil, parts); n > 0 && behind <= limit; n-- {
		behind += list[n-1].duration()
	}
	return n
}

// renderLive writes the live playlist of v (RFC 8216bis section 4.4), which has a finished segment, or its delta update,
// which is nil when there is nothing to skip.
func renderLive(v *view, delta bool, reports []report) []byte {
	list := v.list[v.first:]
	skip := 0
	if delta {
		if skip = older(list, v.parts, skipAfter*v.targets.segment); skip == 0 {
			return nil
		}
	}
	b := make([]byte, 0, 512+160*len(list)+80*len(reports)+1600)
	b = appendOpening(b, v.targets)
	b = append(b, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL="...)
	b = appendShort(b, skipAfter*v.targets.segment)
	b = appendShort(append(b, ",PART-HOLD-BACK="...), v.targets.holdBack())
	b = appendShort(append(b, "\n#EXT-X-PART-INF:PART-TARGET="...), v.targets.part)
	b = appendSequence(append(b, '\n'), &list[0].heading)
	if independent(list) {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if skip > 0 {
		b = appendInt(b, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", skip)
	}
	b = v.appendSegments(b, list, skip)
	b = v.appendEdge(b, list[len(list)-1].init())
	for _, r := range reports {
		b = appendReport(b, r)
	}
	if v.ended {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

func (v *view) appendSegments(b []byte, list []*segment, skip int) []byte {
	var before initName
	if skip > 0 {
		before = list[skip-1].init()
	}
	shown := older(list, v.parts, shownParts*v.targets.segment)
	for i, s := range list[skip:] {
		b = appendHeading(b, &s.heading, before)
		if skip+i >= shown {
			b = appendParts(b, &s.heading, s.parts)
		}
		b = appendMedia(b, s, s.gap())
		before = s.init()
	}
	return b
}

// appendEdge writes the parts of the segment that is being made, and what comes next.
func (v *view) appendEdge(b []byte, before initName) []byte {
	if v.ended || v.open == nil {
		return b
	}
	if len(v.parts) > 0 {
		b = appendHeading(b, v.open, before)
		b = appendParts(b, v.open, v.parts)
	}
	b = append(b, `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="`...)
	return append(appendPartURI(b, v.open.tag, v.open.msn, len(v.parts)), "\"\n"...)
}

func appendReport(b []byte, r report) []byte {
	b = append(append(b, `#EXT-X-RENDITION-REPORT:URI="../`...), r.name...)
	b = strconv.AppendInt(append(b, `/live.m3u8",LAST-MSN=`...), int64(r.msn), 10)
	if r.part >= 0 {
		b = strconv.AppendInt(append(b, ",LAST-PART="...), int64(r.part), 10)
	}
	return append(b, '\n')
}

// independent reports whether decoding can start at every segment.
func independent(list []*segment) bool {
	for _, s := range list {
		if !s.gap() && !s.independent() {
			return false
		}
	}
	return true
}

// report returns the line about r in the playlists of other renditions. It belongs to the channel's writer.
func (r *rendition) report() (report, bool) {
	switch {
	case len(r.parts) > 0:
		return report{r.name, r.number, len(r.parts) - 1}, true
	case len(r.list) > 0:
		last := r.list[len(r.list)-1]
		return report{r.name, last.msn, len(last.parts) - 1}, true
	}
	return report{}, false
}

// renderReplay writes the recording: every segment that is kept somewhere, GAP for those that are not.
func renderReplay(list []*segment, t targets) []byte {
	if len(list) == 0 {
		return nil
	}
	b := make([]byte, 0, 256+110*len(list))
	b = appendOpening(b, t)
	b = append(b, "#EXT-X-PLAYLIST-TYPE:VOD\n"...)
	b = appendSequence(b, &list[0].heading)
	if independent(list) {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	var before initName
	for _, s := range list {
		b = appendHeading(b, &s.heading, before)
		b = appendMedia(b, s, s.gap() || s.keeping() == lost || s.keeping() == inMemory)
		before = s.init()
	}
	return append(b, "#EXT-X-ENDLIST\n"...)
}

// dvr is the playlist of everything since the lesson began. It only grows, so it is written once, and every
// reader gets a prefix of the same bytes. Its writer is whoever settles segments: the spool.
type dvr struct {
	current cell[dvrView]
	text    []byte
	starts  []int           // where in text each segment begins
	sums    []time.Duration // of the media up to the end of each segment
	before  initName
	first   heading
}

type dvrView struct {
	text   []byte
	starts []int
	sums   []time.Duration
	first  heading
	next   int // number of the segment that is not in it yet

	pages *[2][2]atomic.Pointer[page] // rendered when first asked for: delta, ended
}

// add appends a segment whose fate is known.
func (d *dvr) add(s *segment, gap bool) {
	sum := s.duration()
	if n := len(d.sums); n == 0 {
		d.first = s.heading
	} else {
		sum += d.sums[n-1]
	}
	d.starts, d.sums = append(d.starts, len(d.text)), append(d.sums, sum)
	d.text = appendHeading(d.text, &s.heading, d.before)
	d.text = appendMedia(d.text, s, gap)
	d.before = s.init()
	d.current.set(dvrView{d.text, d.starts, d.sums, d.first, s.msn + 1, &[2][2]atomic.Pointer[page]{}})
}

// page returns the rendered playlist. Two who ask at once may both render it, and get the same.
func (d *dvrView) page(t targets, delta, ended bool) *page {
	at := &d.pages[index(delta)][index(ended)]
	p := at.Load()
	if p == nil {
		p = newPage(d.render(t, delta, ended))
		at.Store(p)
	}
	return p
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// render writes the EVENT playlist, or its delta update when there is something to skip.
func (d *dvrView) render(t targets, delta, ended bool) []byte {
	b := make([]byte, 0, 256+len(d.text))
	b = appendOpening(b, t)
	b = append(b, "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL="...)
	b = appendShort(b, skipAfter*t.segment)
	b = appendSequence(append(b, '\n'), &d.first)
	from := 0
	if delta {
		skip := 0
		for edge := d.sums[len(d.sums)-1]; d.sums[skip] < edge-skipAfter*t.segment; {
			skip++
		}
		if from = d.starts[skip]; skip > 0 {
			b = appendInt(b, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", skip)
		}
	}
	b = append(b, d.text[from:]...)
	if ended {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

// variant is what a multivariant playlist says about a rendition.
type variant struct {
	codecs        string
	width, height int
	frameRate     int // per 1000 s, 0 unknown
	captions      bool
}

func newVariant(tracks []media.Track) variant {
	var v variant
	var params []*media.Params
	for _, t := range tracks {
		params = append(params, t.Params)
	}
	p := tracks[0].Params
	v.codecs = media.CodecsAttribute(params...)
	v.width, v.height, v.frameRate = p.Width, p.Height, p.FrameRateMilli
	return v
}

// after returns v, with codecs that also let a player decode what the rendition was before: CODECS is about all that
// its playlist lists (RFC 8216bis section 4.4.6.2). Two entries of one kind would be no way out, since browsers then
// want both kinds in every init segment. So it is the greater profile and level of H.264, which decodes the lesser;
// what cannot be brought together is told as it is now.
func (v variant) after(before *variant) variant {
	if before == nil {
		return v
	}
	now, sound, _ := strings.Cut(v.codecs, ",")
	was, _, _ := strings.Cut(before.codecs, ",")
	a, okA := avcProfile(now)
	b, okB := avcProfile(was)
	if !okA || !okB {
		return v
	}
	both := [3]byte{max(a[0], b[0]), a[1] & b[1], max(a[2], b[2])}
	v.codecs = fmt.Sprintf("avc1.%02x%02x%02x", both[0], both[1], both[2])
	if sound != "" {
		v.codecs += "," + sound
	}
	return v
}

// avcProfile returns profile_idc, the constraint flags and level_idc of avc1.PPCCLL (RFC 6381 section 3.3).
func avcProfile(codec string) (p [3]byte, ok bool) {
	text, ok := strings.CutPrefix(codec, "avc1.")
	if !ok || len(text) != 2*len(p) {
		return p, false
	}
	_, err := hex.Decode(p[:], []byte(text))
	return p, err == nil
}

// bandwidth returns the highest bitrate of runs of segments that are half to one and a half target durations long,
// and the mean of all, in bits per second (RFC 8216bis section 4.4.6.2): the crumb that ends an epoch is no measure.
func bandwidth(list []*segment, target time.Duration) (peak, mean int64) {
	var bytes int64
	var length time.Duration
	for i, s := range list {
		if s.gap() {
			continue
		}
		bytes, length = bytes+s.size, length+s.duration()
		peak = max(peak, peakFrom(list[i:], target))
	}
	if length <= 0 {
		return 1, 1
	}
	mean = rate(bytes, length)
	return max(peak, mean), mean
}

// peakFrom returns the highest bitrate of the runs that begin with the first of list.
func peakFrom(list []*segment, target time.Duration) (peak int64) {
	var bytes int64
	var length time.Duration
	for _, s := range list {
		bytes, length = bytes+s.size, length+s.duration()
		if s.gap() || length > target+target/2 {
			break
		}
		if length >= target/2 {
			peak = max(peak, rate(bytes, length))
		}
	}
	return peak
}

func rate(bytes int64, d time.Duration) int64 {
	micros := max(int64(d/time.Microsecond), 1)
	return (bytes*8*1_000_000 + micros - 1) / micros
}

// row is a rendition in a multivariant playlist.
type row struct {
	name       string
	looks      variant
	peak, mean int64
}

// renderIndex writes the multivariant playlist (RFC 8216bis section 4.4.6) over the media playlists called file.
func renderIndex(rows []row, file string) []byte {
	b := []byte("#EXTM3U\n#EXT-X-VERSION:9\n")
	captions := false
	for _, r := range rows {
		captions = captions || r.looks.captions
	}
	if captions {
		b = append(b, `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1",DEFAULT=NO,AUTOSELECT=YES`+"\n"...)
	}
	for _, r := range rows {
		b = strconv.AppendInt(append(b, "#EXT-X-STREAM-INF:BANDWIDTH="...), r.peak, 10)
		b = strconv.AppendInt(append(b, ",AVERAGE-BANDWIDTH="...), r.mean, 10)
		b = append(append(append(b, `,CODECS="`...), r.looks.codecs...), '"')
		if r.looks.width > 0 {
			b = r.looks.appendPicture(b)
			if captions {
				b = append(b, `,CLOSED-CAPTIONS="cc"`...)
			} else {
				b = append(b, ",CLOSED-CAPTIONS=NONE"...)
			}
		}
		b = append(append(append(b, '\n'), r.name...), '/')
		b = append(append(b, file...), '\n')
	}
	return b
}

func (v *variant) appendPicture(b []byte) []byte {
	b = strconv.AppendInt(append(b, ",RESOLUTION="...), int64(v.width), 10)
	b = strconv.AppendInt(append(b, 'x'), int64(v.height), 10)
	if v.frameRate > 0 {
		b = append(b, ",FRAME-RATE="...)
		b = appendShort(b, time.Duration(v.frameRate)*time.Millisecond)
	}
	return b
}
