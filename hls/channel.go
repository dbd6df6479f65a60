package hls

import (
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chalkcast/media"
)

// channel is a preview or a lesson: what viewers of one URL see. Its frames come from one Input at a time.
type channel struct {
	id        media.ID
	cfg       *Config
	metrics   *metrics
	spool     *spool // nil for a preview and for a recording
	recording bool   // loaded from the store
	window    time.Duration
	shape     cell[*shape]

	lastPacket atomic.Int64          // Unix nanoseconds, 0 for never
	lastUse    atomic.Int64          // Unix nanoseconds: by a viewer, or when it ended
	indexed    atomic.Int64          // Unix nanoseconds: when the store got the index
	still      atomic.Pointer[still] // for poster.mp4
	download   atomic.Pointer[download]
	shared     atomic.Pointer[sharing]
	unstored   unstored
	closing    atomic.Bool // the last index is on its way
	archived   atomic.Bool // the object store has everything

	mu sync.Mutex // guards what follows: the writer's side
	writer
}

func (c *channel) preview() bool { return c.spool == nil && !c.recording }

// shape is what a channel consists of. It is immutable.
type shape struct {
	renditions []*rendition // in the order of the multivariant playlist
	publishing bool
	ended      bool
	started    time.Time // of position 0; zero before
	endedAt    time.Time // zero before, and when nobody knows
}

func (s *shape) find(name string) *rendition {
	for _, r := range s.renditions {
		if r.name == name {
			return r
		}
	}
	return nil
}

// playable reports whether viewers find what they need to choose. For a rendition that is late when the channel
// begins, they wait for no longer than a part.
func (s *shape) playable() bool {
	if len(s.renditions) == 0 || s.ended {
		return s.ended
	}
	v := s.renditions[0].view.get()
	begun := len(v.list) > 1 || len(v.parts) > 0
	return v.live != nil && (begun || !slices.ContainsFunc(s.renditions, (*rendition).empty))
}

// still is a key picture.
type still struct {
	track media.Track
	data  []byte
}

// writer is the side of a channel that frames come in by. channel.mu guards it.
type writer struct {
	input      *Input
	mux        *muxer       // nil while no generation is open
	active     []*rendition // by builder
	targets    targets
	epoch      int
	tag        string
	generation int
	base       time.Time // of position 0, by the clock of this generation
	edge       time.Duration
	edgeAt     time.Time     // when the latest frame arrived
	leadAt     time.Time     // when the latest frame of the leading track did
	astray     int           // segments in a row that end more than clockSlack off our clock, and come no closer
	off        time.Duration // how far the latest segment's end is off
	hot        []*hotSegment
	hotBytes   int64
}

// hotSegment is a segment whose bytes are in memory.
type hotSegment struct {
	r *rendition
	s *segment
}

const (
	clockSlack  = 2 * time.Second
	catchingUp  = 200 * time.Millisecond // closer by so much a segment: no clock that is a little fast
	keepHot     = 6 * time.Second        // bytes stay in memory at least so long: most requests are for the live edge
	hotLimit    = 96 << 20               // and at most so many of one lesson, whatever the disk does
	strayLimit  = 2
	liveWindow  = 60 * time.Second
	shortWindow = 20 * time.Second // of previews: they live in memory alone
)

func (o *Origin) newChannel(id media.ID, window time.Duration) *channel {
	c := &channel{id: id, cfg: &o.cfg, metrics: o.metrics, window: window}
	c.shape.set(&shape{})
	return c
}

var (
	errEnded      = errors.New("the channel has ended")
	errSuperseded = errors.New("another encoder writes into the channel")
)

// attach makes in the channel's only writer and begins an epoch.
func (c *channel) attach(in *Input) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shape.get().ended {
		return errEnded
	}
	c.hangUp()
	c.input = in
	c.epoch++
	c.tag, c.generation = newTag(c.epoch), -1
	c.reshape(func(s *shape) { s.publishing = true })
	return nil
}

// detach ends the epoch of in, if it still is the writer.
func (c *channel) detach(in *Input) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.input == in {
		c.hangUp()
		c.reshape(func(s *shape) { s.publishing = false })
	}
}

// finish ends the channel for good. It reports whether it had not ended before.
func (c *channel) finish() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shape.get().ended {
		return false
	}
	c.hangUp()
	now := c.cfg.Now().UTC()
	if c.spool != nil {
		c.spool.record(record{Kind: recEnd, AtMicros: now.UnixMicro()}, true)
	}
	c.reshape(func(s *shape) { s.publishing, s.ended, s.endedAt = false, true, now })
	for _, r := range c.shape.get().renditions {
		c.publish(r)
	}
	return true
}

// reshape publishes a changed shape.
func (c *channel) reshape(change func(*shape)) {
	s := *c.shape.get()
	change(&s)
	c.shape.set(&s)
}

// write takes a frame of in.
func (c *channel) write(in *Input, f *media.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.shape.get().ended:
		return errEnded
	case c.input != in:
		return errSuperseded
	}
	now := c.cfg.Now()
	c.lastPacket.Store(now.UnixNano())
	switch in.feed.take(f, c.mux, c.astray >= strayLimit) {
	case dropFrame:
		return nil
	case breakOff:
		c.flush()
		return nil
	case beginHere:
		before := c.mux
		c.flush()
		if err := c.begin(in, in.feed.first(f), now, before); err != nil {
			return err
		}
	case renewInit:
		if err := c.renew(in, f); err != nil {
			return err
		}
	}
	c.look(f)
	c.mux.push(f)
	c.apply(now)
	c.edgeAt = now
	if f.Track == c.mux.lead.track.ID {
		c.leadAt = now
	}
	return nil
}

func (c *channel) rest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mux == nil {
		return 0
	}
	return c.mux.rest()
}

// apply publishes what the muxer has finished.
func (c *channel) apply(now time.Time) {
	if len(c.mux.done) == 0 {
		return
	}
	var changed []*rendition
	for i := range c.mux.done {
		f := &c.mux.done[i]
		r := c.active[f.builder]
		if f.part != nil {
			c.addPart(r, f)
		}
		if f.segmentEnd {
			c.closeSegment(r, f.end, now)
			if f.builder == 0 {
				changed = append(changed, c.closeSilent(f.end, now)...)
				c.compareClocks(f.end, now)
			}
		}
		if !slices.Contains(changed, r) {
			changed = append(changed, r)
		}
	}
	led := slices.ContainsFunc(c.mux.done, func(f finished) bool { return f.builder == 0 && f.part != nil })
	clear(c.mux.done)
	c.mux.done = c.mux.done[:0]
	for _, r := range slices.Backward(changed) { // the main one last: who waits for it finds the others
		c.publish(r)
	}
	if led {
		c.metrics.published(c.leadAt, c.cfg.Now())
	}
}

func (c *channel) addPart(r *rendition, f *finished) {
	if late := f.segmentStart - r.open.start; len(r.parts) == 0 && late > 0 {
		h := *r.open // viewers have the one that was opened
		h.start, h.at = f.segmentStart, h.at.Add(late)
		r.open = &h
	}
	p := part{size: int64(len(f.part)), start: f.start, end: f.end, independent: f.independent, crc: crc32.Update(crcOf(r.parts), castagnoli, f.part)}
	if n := len(r.parts); n > 0 {
		p.offset = r.parts[n-1].offset + r.parts[n-1].size
	}
	r.parts, r.body, r.samples = append(r.parts, p), append(r.body, f.part), append(r.samples, f.samples...)
	r.breaking = false
	c.edge = max(c.edge, f.end)
	if f.builder == 0 && c.targets.part == 0 {
		c.targets.choosePart(c.longestPart(), c.cfg.wish())
	}
	if c.spool != nil {
		c.spool.part(r, r.open, p, f)
	}
}

// longestPart returns how long the longest part is that any rendition has, or has begun: sound may arrive before its
// picture.
func (c *channel) longestPart() (longest time.Duration) {
	for _, r := range c.active {
		for _, p := range r.parts {
			longest = max(longest, p.end-p.start)
		}
	}
	for _, f := range c.mux.done {
		if f.part != nil {
			longest = max(longest, f.end-f.start)
		}
	}
	for _, b := range c.mux.builders {
		longest = max(longest, b.time(b.end)-b.time(b.part))
	}
	return longest
}

func (c *channel) closeSegment(r *rendition, end time.Duration, now time.Time) {
	s := &segment{heading: *r.open, end: end, parts: r.parts, samples: r.samples, closed: now}
	for _, p := range r.parts {
		s.size += p.size
	}
	if b := r.body; len(b) > 0 {
		s.body.Store(&b)
		c.hot = append(c.hot, &hotSegment{r, s})
		c.heat(s.size)
	}
	c.edge = max(c.edge, end)
	if r == c.active[0] && c.targets.segment == 0 {
		c.targets.chooseSegment(s.duration(), c.cfg.wish())
		if c.spool != nil {
			c.spool.record(targetsRecord(c.targets), false)
		}
	}
	r.list = append(r.list, s)
	r.number++
	r.breaking = false
	if c.spool != nil {
		c.unstored.add(s)
		c.spool.segment(r, s)
	}
	c.openSegment(r, end)
	c.cool()
}

// closeSilent ends the segment of the renditions that have no track in this generation: a gap, so that all count
// alike.
func (c *channel) closeSilent(end time.Duration, now time.Time) (closed []*rendition) {
	for _, r := range c.shape.get().renditions {
		if !slices.Contains(c.active, r) && r.open != nil {
			c.closeSegment(r, end, now)
			closed = append(closed, r)
		}
	}
	return closed
}

// compareClocks notices that our clock was set, or that the encoder's runs away from it. An encoder that is catching up,
// since one of us stood still, comes closer with each segment.
func (c *channel) compareClocks(end time.Duration, now time.Time) {
	off := now.Round(0).Sub(c.base.Add(end)).Abs()
	if off > clockSlack && off > c.off-catchingUp {
		c.astray++
	} else {
		c.astray = 0
	}
	c.off = off
}

// cool lets go of bytes that a file has, or that nobody can ask for any more.
func (c *channel) cool() {
	kept := c.hot[:0]
	for _, h := range c.hot {
		if !c.cold(h.s) {
			kept = append(kept, h)
			continue
		}
		h.s.body.Store(nil)
		c.heat(-h.s.size)
	}
	clear(c.hot[len(kept):])
	c.hot = kept
}

// heat counts bytes of segments in memory.
func (c *channel) heat(n int64) {
	c.hotBytes += n
	if c.spool != nil {
		c.spool.disk.hot.Add(n)
	}
}

func (c *channel) cold(s *segment) bool {
	age := c.edge - s.end
	if c.spool == nil || s.keeping() == lost {
		return age > 2*c.window+s.duration()
	}
	if s.keeping() == inMemory {
		// A disk that hangs must not fill the memory.
		full := c.hotBytes > hotLimit || c.spool.disk.hot.Load() > c.cfg.Memory
		return full && age > keepHot && s.state.CompareAndSwap(int32(inMemory), int32(lost))
	}
	return age > keepHot
}

// tidy removes the files of segments that are stored and have left the live playlist: viewers are served from the
// store then. It runs on the spool's goroutine.
func (c *channel) tidy(r *rendition, s *segment) {
	c.spool.surplus = append(c.spool.surplus, surplus{r, s})
	edge := r.view.get().edge()
	for len(c.spool.surplus) > 0 {
		first := c.spool.surplus[0]
		if first.s.end > edge-2*c.window {
			return
		}
		c.spool.forget(first.r, first.s)
		c.spool.surplus = c.spool.surplus[1:]
	}
}

// publish shows viewers what a rendition has.
func (c *channel) publish(r *rendition) {
	old := r.view.get()
	v := &view{
		list: r.list, first: old.first, open: r.open, parts: r.parts, body: r.body, number: r.number,
		ended: c.shape.get().ended, targets: c.targets,
	}
	if n := len(v.list); n > 0 && n >= len(old.list) {
		edge := v.list[n-1].end
		for v.first < n-1 && v.list[v.first].end < edge-c.window && length(v.list[v.first+1:], nil) >= 3*c.targets.segment {
			v.first++
		}
	}
	if c.preview() {
		v.trim(c.window)
		r.list = v.list
	}
	var reports []report
	for _, other := range c.shape.get().renditions {
		if other != r {
			if line, ok := other.report(); ok {
				reports = append(reports, line)
			}
		}
	}
	if v.first < len(v.list) {
		v.live = sync.OnceValue(func() *page { return newPage(renderLive(v, false, reports)) })
		v.delta = sync.OnceValue(func() *page { return newPage(renderLive(v, true, reports)) })
	}
	r.view.set(v)
	if len(old.list) < 2 { // see playable
		c.reshape(func(*shape) {})
	}
}

// trim forgets segments that have been out of the live playlist for their own duration and that of the longest
// playlist that listed them.
func (v *view) trim(window time.Duration) {
	n := 0
	for n < v.first && v.list[n].end+v.list[n].duration() < v.edge()-2*window {
		n++
	}
	if n > 0 {
		v.list, v.first = slices.Clone(v.list[n:]), v.first-n
	}
}

// flush ends the open generation. What comes next is a discontinuity. Playlists go on to hint at the part that the next
// generation of this epoch begins with: some players stop when the hint disappears.
func (c *channel) flush() {
	if c.mux == nil {
		return
	}
	c.mux.flush()
	c.apply(c.cfg.Now())
	c.mux = nil
	for _, r := range c.shape.get().renditions {
		r.parts, r.body, r.samples = nil, nil, nil
		r.breaking = r.number > 0
	}
}

// hangUp ends the epoch: nothing more of what was hinted at comes.
func (c *channel) hangUp() {
	c.flush()
	c.input = nil
	for _, r := range c.shape.get().renditions {
		if r.open != nil {
			r.open = nil
			c.publish(r)
		}
	}
}

// look notices what a frame of the main rendition shows: a key picture for the poster, captions.
func (c *channel) look(f *media.Frame) {
	t := &c.mux.lead.track
	if f.Track != t.ID || t.Kind != media.Video {
		return
	}
	main := c.active[0]
	if f.Sync {
		c.still.Store(&still{*t, f.Data})
	}
	looks := main.looks.Load()
	if t.Params.Codec == media.H264 && !looks.captions && hasCaptions(f.Data, t.Params.NALLengthSize) {
		changed := *looks
		changed.captions = true
		main.looks.Store(&changed)
	}
}

// marshal writes the poster: a file that plays for one picture.
func (s *still) marshal() ([]byte, error) {
	init, err := marshalInit([]media.Track{s.track})
	picture := sample{duration: uint32(s.track.Clock / 25), sync: true, data: s.data}
	return append(init, marshalPart(1, []fragment{{video: true, samples: []sample{picture}}})...), err
}

// status tells how the channel stands.
func (c *channel) status(now time.Time) media.ChannelStatus {
	s := c.shape.get()
	st := media.ChannelStatus{Publishing: s.publishing, Ended: s.ended, Started: s.started}
	if at := c.lastPacket.Load(); at != 0 {
		st.LastPacket = time.Unix(0, at).UTC()
	}
	if len(s.renditions) > 0 {
		v := s.renditions[0].view.get()
		st.Live = v.live != nil && !s.ended
		st.Programme = v.edge()
		st.LatencyTarget = v.targets.holdBack() + v.targets.part
	}
	w := c.unstored.state()
	st.Unstored, st.Lost = w.segments, w.lost
	if w.segments > 0 {
		st.UnstoredAge = max(now.Sub(w.oldest), 0)
	}
	st.Replay = s.ended && !c.preview() && st.Programme > 0
	if c.spool != nil {
		if t := c.spool.trouble.Load(); t != nil {
			st.Warnings = append(st.Warnings, media.Warning{Code: media.StorageDown, Detail: "spool", Since: t.since})
		}
	}
	return st
}
