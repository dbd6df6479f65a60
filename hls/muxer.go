package hls

import (
	"math"
	"time"

	"chalkcast/media"
)

// muxer turns the frames of one generation into parts of all renditions. It computes on values: it reads no clock
// and knows nobody; what it has finished lies in done until somebody takes it. It is owned by the channel's writer.
//
//	frames ─► lane: how long is it ─► queue: until the leading track is as far ─► builder of each rendition
type muxer struct {
	lanes    []*lane
	lead     *lane       // whose frames decide
	origin   media.Ticks // position of the first frame, in the clock of the leading track
	reached  media.Ticks // how far the leading track is
	builders []*builder  // builders[0] follows the leading track
	done     []finished
}

// finished is what a builder has to hand over: a part, the end of a segment, or both.
type finished struct {
	builder      int
	part         []byte // nil: none
	samples      []byte // its table; of builder 0 alone
	segmentStart time.Duration
	start, end   time.Duration // of the part
	independent  bool
	segmentEnd   bool // the segment ends at end, too
}

// lane is one track on its way. A frame is held until the next one tells how long it is.
type lane struct {
	track  media.Track
	offset media.Ticks // programme = media time + offset
	held   sample
	holds  bool
	usual  uint32      // length of the latest frame
	start  media.Ticks // of the frame that came last, when there was one
	begun  bool
	queue  []sample
	in     []place
}

// place is where a lane's samples go.
type place struct {
	b     *builder
	index int
}

const (
	// stall is how far another track may run ahead before the leading one counts as silent.
	stall = time.Second
	// farAhead is farther than any encoder's tracks are apart.
	farAhead = 10 * time.Second
)

// builder collects the samples of one rendition.
type builder struct {
	segmenter
	index    int
	clocks   []int         // of its tracks
	parts    []fragment    // samples of the open part, by track
	pending  []media.Ticks // segment ends that v0 has decided and this rendition has not reached
	keyPart  bool          // the open part begins with a key frame of the leading track
	leads    bool          // the open part has a frame of the leading track
	fresh    bool          // nothing of the leading track is in the open segment
	sequence uint32
}

// newMuxer returns a muxer for renditions, each a list of tracks whose first one leads. Media time origin, in the
// clock of the leading track, is put at position start of the programme. Tracks that before, when it is not nil,
// had on the same line of time stay on it to the tick.
func newMuxer(renditions [][]media.Track, origin media.Ticks, start time.Duration, before *muxer, wish targets, chosen *targets) *muxer {
	m := &muxer{}
	leading := renditions[0][0]
	for i, tracks := range renditions {
		b := &builder{index: i, fresh: true}
		for j, t := range tracks {
			l := m.lane(t.ID)
			if l == nil {
				l = &lane{track: t, usual: usualLength(t)}
				l.offset = media.TicksOf(start, t.Clock) - origin.Rescale(leading.Clock, t.Clock)
				if before != nil && before.lane(t.ID) != nil {
					l.offset = before.lane(t.ID).offset
				}
				m.lanes = append(m.lanes, l)
			}
			l.in = append(l.in, place{b, j})
			b.clocks = append(b.clocks, t.Clock)
			b.parts = append(b.parts, fragment{video: t.Kind == media.Video})
		}
		b.segmenter = segmenter{clock: tracks[0].Clock, sound: tracks[0].Kind == media.Audio, wish: wish, chosen: chosen}
		b.begin(media.TicksOf(start, b.clock), true)
		m.builders = append(m.builders, b)
	}
	m.lead = m.lanes[0]
	m.origin = origin + m.lead.offset
	m.reached = m.origin
	return m
}

// lane returns the lane of a track, nil when no rendition has it.
func (m *muxer) lane(id int) *lane {
	for _, l := range m.lanes {
		if l.track.ID == id {
			return l
		}
	}
	return nil
}

// position returns where in the programme a frame belongs.
func (m *muxer) position(f *media.Frame) (at time.Duration, ok bool) {
	l := m.lane(f.Track)
	if l == nil || f.DTS+l.offset < 0 {
		return 0, false
	}
	return (f.DTS + l.offset).Duration(l.track.Clock), true
}

// rest returns how much farther the leading track must probably come until a part is finished. It comes by whole frames,
// and brings all others with it.
func (m *muxer) rest() time.Duration {
	lead := m.builders[0]
	due := lead.expected()
	for _, b := range m.builders[1:] {
		if len(b.pending) > 0 {
			return 0 // its segment ends with its next frame
		}
		due = min(due, (b.expected()-b.usual).Rescale(b.clock, lead.clock))
	}
	frames := (due - m.reached + lead.usual - 1) / max(lead.usual, 1)
	return max(frames*lead.usual, 0).Duration(lead.clock)
}

// push takes the next frame. Frames from before the start are dropped, and those that another track's jump has
// put far away from the leading one.
func (m *muxer) push(f *media.Frame) {
	l := m.lane(f.Track)
	if l == nil {
		return
	}
	start := f.DTS + l.offset
	if start < m.origin.Rescale(m.lead.track.Clock, l.track.Clock) || l != m.lead && m.ahead(l, start) > farAhead {
		return
	}
	s, ok := l.next(f, start)
	if l == m.lead {
		m.advance(s, ok, start, f.Sync)
		return
	}
	if ok {
		l.queue = append(l.queue, s)
	}
	m.release()
	m.wait(l, start)
}

// advance handles a frame of the leading track that begins at start; s is the one before it.
func (m *muxer) advance(s sample, ok bool, start media.Ticks, key bool) {
	main := m.builders[0]
	if ok {
		m.deliver(m.lead, s)
	}
	m.reached = max(m.reached, start)
	m.release()
	m.walk(main, start-main.usual)
	main.end = max(main.end, start)
	m.cut(main, main.next(key))
}

// walk lets time go by for b while its leading track has nothing: up to position to, in steps that let no part and
// no segment become too long.
func (m *muxer) walk(b *builder, to media.Ticks) {
	step := max(b.longestPart()/2, 1)
	for b.end < to {
		b.end = min(b.end+step, to, max(b.part+b.longestPart(), b.end+1))
		if b.index == 0 {
			m.cut(b, b.next(false))
		} else if b.full(b.end + b.usual) {
			m.cut(b, cutPart)
		}
	}
}

// wait notices that the leading track has gone silent while l has come to start: time goes on without it.
func (m *muxer) wait(l *lane, start media.Ticks) {
	clock := m.lead.track.Clock
	if m.ahead(l, start) <= stall {
		return
	}
	behind := start.Rescale(l.track.Clock, clock) - media.TicksOf(stall, clock)
	if s, ok := m.lead.flush(); ok {
		m.deliver(m.lead, s)
	}
	m.reached = behind
	m.release()
	m.walk(m.builders[0], behind)
}

// ahead returns how far a frame of l that begins at start is ahead of the leading track.
func (m *muxer) ahead(l *lane, start media.Ticks) time.Duration {
	return start.Duration(l.track.Clock) - m.reached.Duration(m.lead.track.Clock)
}

// release hands on the samples of other tracks that begin before the leading track's position: whether to cut
// before them is decided.
func (m *muxer) release() {
	for _, l := range m.lanes {
		n := 0
		limit := m.reached.Rescale(m.lead.track.Clock, l.track.Clock)
		for n < len(l.queue) && l.queue[n].start < limit {
			n++
		}
		m.deliver(l, l.queue[:n]...)
		l.queue = l.queue[:copy(l.queue, l.queue[n:])]
	}
}

func (m *muxer) deliver(l *lane, samples ...sample) {
	for _, s := range samples {
		for _, p := range l.in {
			m.add(p.b, p.index, s)
		}
	}
}

// add puts a sample into a rendition, cutting before or after it where that is due.
func (m *muxer) add(b *builder, index int, s sample) {
	if index > 0 {
		m.passBy(b, s.start.Rescale(b.clocks[index], b.clock))
		b.parts[index].samples = append(b.parts[index].samples, s)
		return
	}
	switch late := s.start - b.end; {
	case b.index > 0 && late > b.ticks(stall):
		m.catchUp(b, s.start)
		m.walk(b, s.start)
	case late > 0 && b.untouched():
		b.begin(s.start, true)
	}
	switch {
	case b.due(s.start + media.Ticks(s.duration/2)):
		m.cut(b, cutSegment)
	case b.index == 0:
		m.cut(b, b.before(s.end()))
	case b.full(s.end()):
		m.cut(b, cutPart)
	}
	if b.fresh {
		b.fresh, b.keyed = false, s.sync
	}
	if !b.leads {
		b.leads, b.keyPart = true, s.sync
	}
	b.parts[0].samples = append(b.parts[0].samples, s)
	b.end, b.usual = max(b.end, s.end()), media.Ticks(s.duration)
	if b.index == 0 {
		return // advance asks, when it knows about the next frame
	}
	m.follow(b)
}

// untouched reports whether nothing has happened to a rendition in this generation. Its first segment begins with its
// first frame then, which need not be at the instant of v0's.
func (b *builder) untouched() bool {
	return b.index > 0 && b.sequence == 0 && len(b.pending) == 0 && b.end == b.segment && !b.filled()
}

// passBy keeps the clock of a rendition running when another of its tracks has come to position and the leading
// one is silent. For v0, wait does it.
func (m *muxer) passBy(b *builder, position media.Ticks) {
	if from := position - b.ticks(stall); b.index > 0 && from > b.end {
		m.catchUp(b, from)
		m.walk(b, from)
	}
}

// follow cuts a rendition that does not lead, where v0 was cut or where a part is full.
func (m *muxer) follow(b *builder) {
	switch {
	case b.due(b.end + b.usual/2):
		m.cut(b, cutSegment)
	case b.full(b.end + b.usual):
		m.cut(b, cutPart)
	}
}

// due reports whether v0 has cut a segment before position. Half a frame of difference is none.
func (b *builder) due(position media.Ticks) bool {
	return len(b.pending) > 0 && position > b.pending[0]
}

// cut carries out a decision about b at b.end.
func (m *muxer) cut(b *builder, c cut) {
	switch c {
	case cutPart:
		m.closePart(b, false)
	case cutSegment:
		at := b.end
		if b.index > 0 {
			b.pending = b.pending[1:]
		}
		m.closePart(b, true)
		if b.index == 0 {
			m.spread(at)
		}
	}
}

// spread tells the other renditions that v0 was cut at a position, and makes those that have not come to the cut
// before, by now, end their segment with what they have.
func (m *muxer) spread(at media.Ticks) {
	for _, b := range m.builders[1:] {
		position := at.Rescale(m.builders[0].clock, b.clock)
		m.catchUp(b, forever)
		b.pending = append(b.pending, position)
		m.follow(b)
	}
}

// closePart ends the open part, and the segment with it when segment is set. A part without a frame is none.
func (m *muxer) closePart(b *builder, segment bool) {
	if !segment && !b.filled() {
		b.part = b.end // a hole: no part has it
		return
	}
	f := finished{
		builder: b.index, segmentStart: b.time(b.segment), start: b.time(b.part), end: b.time(b.end),
		independent: b.leads && b.keyPart, segmentEnd: segment,
	}
	if b.filled() {
		b.sequence++
		f.part = marshalPart(b.sequence, b.parts)
		if b.index == 0 {
			f.samples = appendSamples(nil, len(f.part), b.parts)
		}
	}
	m.done = append(m.done, f)
	for i := range b.parts {
		clear(b.parts[i].samples) // let go of the frames
		b.parts[i].samples = b.parts[i].samples[:0]
	}
	b.part, b.leads = b.end, false
	if segment {
		b.begin(b.end, false)
		b.fresh = true
	}
}

func (b *builder) filled() bool {
	for i := range b.parts {
		if len(b.parts[i].samples) > 0 {
			return true
		}
	}
	return false
}

// time returns a position in whole microseconds: what playlists can say.
func (b *builder) time(t media.Ticks) time.Duration {
	return t.Duration(b.clock).Truncate(time.Microsecond)
}

// flush ends the generation: everything held is handed on, and every rendition ends its segment, so that all
// count the same.
func (m *muxer) flush() {
	if s, ok := m.lead.flush(); ok {
		m.deliver(m.lead, s)
	}
	for _, l := range m.lanes {
		if s, ok := l.flush(); ok {
			l.queue = append(l.queue, s)
		}
		m.deliver(l, l.queue...)
		l.queue = nil
	}
	for _, b := range m.builders[1:] {
		m.catchUp(b, forever)
	}
	main := m.builders[0]
	if main.filled() || main.end > main.segment {
		main.end = max(main.end, main.segment+1)
		m.cut(main, cutSegment)
	}
	for _, b := range m.builders[1:] {
		m.finish(b)
	}
}

// finish ends the last segment of a rendition where its media ends, which is not quite where v0's does. Without any
// media it is as long as v0's.
func (m *muxer) finish(b *builder) {
	if len(b.pending) > 0 && b.end > b.segment {
		m.cut(b, cutSegment)
	}
	m.catchUp(b, forever)
}

// catchUp ends the segments that v0 has ended up to position to, with what there is.
func (m *muxer) catchUp(b *builder, to media.Ticks) {
	for len(b.pending) > 0 && b.pending[0] <= to {
		m.walk(b, b.pending[0])
		m.cut(b, cutSegment)
	}
}

const forever = media.Ticks(math.MaxInt64)

// usualLength returns how long a frame of a track is before any has come.
func usualLength(t media.Track) uint32 {
	if t.Params != nil && t.Params.FrameRateMilli > 0 {
		return uint32(t.Clock * 1000 / t.Params.FrameRateMilli)
	}
	return uint32(t.Clock / 50)
}

// next returns the sample that was held, its length now known, and holds f.
func (l *lane) next(f *media.Frame, start media.Ticks) (s sample, ok bool) {
	longest := stall
	if !l.holds { // the frame before was handed on, as long as the one before it
		longest = stall / 5
	}
	if step := max(start-l.start, 0); l.begun && step <= media.TicksOf(longest, l.track.Clock) {
		l.usual = uint32(step)
	} // else there is a hole, and not a frame that long
	l.start, l.begun = start, true
	s, ok = l.held, l.holds
	s.duration = l.usual
	l.held, l.holds = sample{start: start, cto: f.CTO, sync: f.Sync, data: f.Data}, true
	return s, ok
}

// flush returns the sample that was held, as long as the one before it.
func (l *lane) flush() (s sample, ok bool) {
	s, ok = l.held, l.holds
	s.duration = l.usual
	l.held, l.holds = sample{}, false
	return s, ok
}
