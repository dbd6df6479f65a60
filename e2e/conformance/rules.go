package conformance

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// What players need where the books leave a choice.
const (
	fullPart   = 0.85                  // of PART-TARGET, for every part but the last of a segment
	looseTime  = 0.05                  // seconds by which durations and decode times may differ
	looseDate  = 50 * time.Millisecond // the same for dates
	microTime  = 2e-6                  // what rounding to microseconds makes
	partsShown = 3                     // target durations from the edge in which parts are listed
	skipFrom   = 6                     // target durations that CAN-SKIP-UNTIL is at least
)

// say is how a check reports; wrong is one for a place.
type say func(rule Rule, format string, args ...any)

// checkPlaylist holds a media playlist against what can be said about it alone. broken tells that the stream is
// one whose encoder stops without a word: parts may then be short where it did.
func checkPlaylist(p *playlist, wrong say) {
	checkVersion(p, wrong)
	checkControl(p, wrong)
	checkType(p, wrong)
	for i := range p.segments {
		s := &p.segments[i]
		checkSegment(p, s, wrong)
		checkParts(p, s, wrong)
		if i > 0 {
			checkDates(&p.segments[i-1], s, wrong)
		}
	}
	if n := len(p.segments); n > 0 && len(p.open.parts) > 0 {
		checkDates(&p.segments[n-1], &p.open, wrong)
		checkOpening(&p.open, wrong)
	}
	checkOpenParts(p, wrong)
	checkPartsListed(p, wrong)
}

func checkVersion(p *playlist, wrong say) {
	want := 1
	for _, l := range p.lines {
		need := 0
		switch l.tag {
		case "#EXTINF":
			if strings.Contains(l.value, ".") {
				need = 3
			}
		case "#EXT-X-MAP":
			need = 6
		case "#EXT-X-SKIP":
			if need = 9; l.attributes["RECENTLY-REMOVED-DATERANGES"] != "" {
				need = 10
			}
		}
		want = max(want, need)
	}
	if p.version < want {
		wrong(Version, "EXT-X-VERSION is %d, what is used needs %d", p.version, want)
	}
}

// checkControl looks at EXT-X-SERVER-CONTROL and EXT-X-PART-INF.
func checkControl(p *playlist, wrong say) {
	hold, part := p.control.float("PART-HOLD-BACK"), p.partTarget
	switch {
	case part > 0 && p.control["PART-HOLD-BACK"] == "":
		wrong(HoldBack, "EXT-X-PART-INF without PART-HOLD-BACK")
	case part > 0 && math.Abs(hold-3*part) > microTime:
		wrong(HoldBack, "PART-HOLD-BACK is %v, want three times the PART-TARGET of %v", hold, part)
	}
	if p.control["HOLD-BACK"] != "" && p.control.float("HOLD-BACK") < float64(3*p.target) {
		wrong(HoldBack, "HOLD-BACK is %s, want at least three times the target duration of %d", p.control["HOLD-BACK"], p.target)
	}
	if until := p.control["CAN-SKIP-UNTIL"]; until != "" && p.control.float("CAN-SKIP-UNTIL") < float64(skipFrom*p.target) {
		wrong(Skip, "CAN-SKIP-UNTIL is %s, want at least %d target durations of %d", until, skipFrom, p.target)
	}
	if part == 0 && (p.hint != "" || len(p.open.parts) > 0) {
		wrong(PartTarget, "parts without EXT-X-PART-INF")
	}
	if !p.ended && p.kind != "VOD" && p.control["CAN-BLOCK-RELOAD"] != "YES" {
		wrong(Blocking, "no CAN-BLOCK-RELOAD")
	}
}

func checkType(p *playlist, wrong say) {
	if p.kind == "VOD" && !p.ended {
		wrong(PlaylistType, "VOD without EXT-X-ENDLIST")
	}
	if p.kind != "" && p.partTarget == 0 && p.hint != "" {
		wrong(PlaylistType, "%s with a preload hint", p.kind)
	}
}

func checkSegment(p *playlist, s *segment, wrong say) {
	if math.Round(s.duration) > float64(p.target) {
		wrong(TargetDuration, "segment %d is %v s long, the target duration is %d", s.number, s.duration, p.target)
	}
	checkOpening(s, wrong)
}

// checkOpening looks at what stands in front of a segment's media.
func checkOpening(s *segment, wrong say) {
	if s.at.IsZero() {
		wrong(DateTime, "segment %d has no date", s.number)
	}
	switch {
	case s.mapURI == "":
		wrong(Map, "segment %d has no init segment", s.number)
	case s.discontinuity && !s.mapped:
		wrong(Map, "segment %d is discontinuous and brings no EXT-X-MAP", s.number)
	}
}

// checkParts holds the parts of a finished segment against it.
func checkParts(p *playlist, s *segment, wrong say) {
	if len(s.parts) == 0 {
		return
	}
	sum := 0.0
	for i, part := range s.parts {
		sum += part.duration
		checkPart(p, s, i, i == len(s.parts)-1, wrong)
	}
	if math.Abs(sum-s.duration) > looseTime {
		wrong(PartsListed, "the parts of segment %d are %.6f s together, EXTINF is %v", s.number, sum, s.duration)
	}
}

func checkOpenParts(p *playlist, wrong say) {
	for i := range p.open.parts {
		// The last one that is there may turn out to be the last of its segment.
		checkPart(p, &p.open, i, i == len(p.open.parts)-1, wrong)
	}
}

func checkPart(p *playlist, s *segment, i int, last bool, wrong say) {
	switch d := s.parts[i].duration; {
	case d > p.partTarget+microTime:
		wrong(PartTarget, "part %d of segment %d is %v s long, the target is %v", i, s.number, d, p.partTarget)
	case d < fullPart*p.partTarget && !last:
		wrong(PartTarget, "part %d of segment %d is only %v s long, want %.0f %% of %v", i, s.number, d, 100*fullPart, p.partTarget)
	}
}

// checkPartsListed wants parts near the edge, and none that are old.
func checkPartsListed(p *playlist, wrong say) {
	if p.partTarget == 0 {
		return
	}
	for i := range p.segments {
		s := &p.segments[i]
		switch back := p.length(i + 1); {
		case len(s.parts) > 0 && back > float64(partsShown*p.target)+looseTime:
			wrong(PartsListed, "segment %d ends %.3f s from the edge and still lists its parts", s.number, back)
		case len(s.parts) == 0 && !s.gap && back+s.duration < float64(partsShown*p.target)-looseTime:
			wrong(PartsListed, "segment %d begins %.3f s from the edge and does not list its parts", s.number, back+s.duration)
		}
	}
}

// checkDates wants the date of a segment where the one before ends. At a discontinuity time may have gone by.
func checkDates(before, s *segment, wrong say) {
	if before.at.IsZero() || s.at.IsZero() {
		return
	}
	end := before.at.Add(time.Duration(before.duration * float64(time.Second)))
	switch off := s.at.Sub(end); {
	case s.discontinuity && s.at.Before(before.at):
		wrong(DateTime, "segment %d is %v before the one before it", s.number, before.at.Sub(s.at))
	case !s.discontinuity && off.Abs() > looseDate:
		wrong(DateTime, "segment %d is %v off the end of the one before it", s.number, off)
	}
}

// checkReload holds a playlist against the one before it.
func checkReload(old, now *playlist, wrong say) {
	checkFrozen(old, now, wrong)
	switch {
	case now.first < old.first:
		wrong(Sequence, "EXT-X-MEDIA-SEQUENCE went from %d to %d", old.first, now.first)
	case now.next() < old.next():
		wrong(Sequence, "the playlist ended before segment %d and now before %d", old.next(), now.next())
	case now.first > old.first && old.kind == "EVENT":
		wrong(PlaylistType, "EVENT lost the segments %d to %d", old.first, now.first-1)
	}
	if now.disc < old.disc {
		wrong(DiscSequence, "EXT-X-DISCONTINUITY-SEQUENCE went from %d to %d", old.disc, now.disc)
	}
	if old.ended && !now.ended {
		wrong(PlaylistType, "EXT-X-ENDLIST is gone")
	}
	for i := range now.segments {
		if was := old.find(now.segments[i].number); was != nil {
			checkUnchanged(was, &now.segments[i], i == 0, wrong)
		}
	}
	if now.first > old.first && !now.ended && now.length(0) < float64(3*now.target) {
		wrong(Sequence, "segments left, and only %.3f s remained", now.length(0))
	}
}

// checkFrozen wants what players take once and never look at again.
func checkFrozen(old, now *playlist, wrong say) {
	if now.target != old.target {
		wrong(TargetDuration, "EXT-X-TARGETDURATION went from %d to %d", old.target, now.target)
	}
	if now.partTarget != old.partTarget {
		wrong(PartTarget, "PART-TARGET went from %v to %v", old.partTarget, now.partTarget)
	}
	if now.control["PART-HOLD-BACK"] != old.control["PART-HOLD-BACK"] {
		wrong(HoldBack, "PART-HOLD-BACK went from %s to %s", old.control["PART-HOLD-BACK"], now.control["PART-HOLD-BACK"])
	}
	if now.version != old.version || now.kind != old.kind {
		wrong(PlaylistType, "version %d, type %q became %d, %q", old.version, old.kind, now.version, now.kind)
	}
}

// checkUnchanged compares a segment with itself in an earlier playlist. first is set for the first of a playlist,
// whose discontinuity is counted in the number of the playlist.
func checkUnchanged(was, s *segment, first bool, wrong say) {
	switch {
	case s.uri != was.uri || s.text != was.text || s.mapURI != was.mapURI || s.gap != was.gap || !s.at.Equal(was.at):
		wrong(Sequence, "segment %d was %s of %s s at %v and is %s of %s s at %v", s.number, was.uri, was.text, was.at, s.uri, s.text, s.at)
	case s.disc != was.disc:
		wrong(DiscSequence, "segment %d had discontinuity sequence number %d and has %d", s.number, was.disc, s.disc)
	case s.discontinuity != was.discontinuity && !first:
		wrong(Sequence, "the discontinuity before segment %d came or went", s.number)
	case len(s.parts) > 0 && len(was.parts) > 0 && !slices.Equal(s.parts, was.parts):
		wrong(PartsListed, "the parts of segment %d changed", s.number)
	}
}

// checkOpened holds what was listed of a segment while it was made against what became of it.
func checkOpened(was, s *segment, wrong say) {
	n := min(len(was.parts), len(s.parts))
	switch {
	case n == 0 && len(was.parts) > 0 || !slices.Equal(was.parts[:n], s.parts[:n]):
		wrong(PartsListed, "the parts of segment %d changed when it went on", s.number)
	case n > 0 && (s.mapURI != was.mapURI || s.disc != was.disc || !s.at.Equal(was.at)):
		wrong(Sequence, "segment %d was opened at %v with %s, disc. %d, and is at %v with %s, %d", s.number, was.at, was.mapURI, was.disc, s.at, s.mapURI, s.disc)
	}
}

// checkDelta holds a delta update against a whole playlist that was read before or after it.
func checkDelta(delta, whole *playlist, wrong say) {
	if delta.skipped == 0 {
		if far := whole.length(0) - whole.control.float("CAN-SKIP-UNTIL"); far > 2*float64(whole.target) {
			wrong(Skip, "nothing was skipped, though the playlist goes %.3f s beyond CAN-SKIP-UNTIL", far)
		}
		return
	}
	if left, until := delta.length(0), delta.control.float("CAN-SKIP-UNTIL"); left < until-looseTime {
		wrong(Skip, "%.3f s are left, CAN-SKIP-UNTIL is %v", left, until)
	}
	if delta.next() < whole.next() || delta.next() > whole.next()+1 {
		wrong(Skip, "the delta update goes to segment %d, the playlist to %d", delta.next()-1, whole.next()-1)
	}
	if delta.target != whole.target || delta.partTarget != whole.partTarget || delta.kind != whole.kind {
		wrong(Skip, "the delta update says %d, %v, %q, the playlist %d, %v, %q", delta.target, delta.partTarget, delta.kind, whole.target, whole.partTarget, whole.kind)
	}
	for i := range delta.segments {
		s := &delta.segments[i]
		w := whole.find(s.number)
		if w == nil {
			continue // it has just come, or just gone
		}
		// The init segment and the discontinuities of what was skipped are known to who asks for a delta update.
		sameMap := s.mapURI == w.mapURI || s.mapURI == ""
		if s.uri != w.uri || s.text != w.text || s.gap != w.gap || !s.at.Equal(w.at) || s.discontinuity != w.discontinuity || !sameMap {
			wrong(Skip, "segment %d is\n%+v, in the whole playlist\n%+v", s.number, *s, *w)
		}
	}
}

// describe names a part in words.
func describe(s *segment, i int) string {
	if i < 0 {
		return fmt.Sprintf("segment %d", s.number)
	}
	return fmt.Sprintf("part %d of segment %d", i, s.number)
}
