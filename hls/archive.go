package hls

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"chalkcast/media"
	"chalkcast/storage"
)

// restoreAll brings back every lesson whose folder is in the spool.
func (o *Origin) restoreAll() error {
	d, err := o.root.Open(".")
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	for _, e := range entries {
		id, err := media.ParseID(e.Name())
		if err != nil || !e.IsDir() {
			continue
		}
		c := o.newChannel(id, o.cfg.Window)
		if err := o.openLesson(c, nil); err != nil {
			o.cfg.Log.Error("lesson cannot be restored", "lesson", id, "err", err)
			continue
		}
		o.channels.Store(id, c)
		o.cfg.Log.Info("lesson restored", "lesson", id, "segments", c.segments(), "ended", c.shape.get().ended)
	}
	return nil
}

// restore fills an empty channel with what a journal or an index says.
func (c *channel) restore(recs []record) {
	parts := map[string][]record{}
	var s shape
	find := func(name string) *rendition {
		if r := s.find(name); r != nil {
			return r
		}
		r := newRendition(name)
		s.renditions = append(s.renditions, r)
		return r
	}
	for _, rec := range recs {
		switch rec.Kind {
		case recTargets:
			c.targets = targets{time.Duration(rec.PartMS) * time.Millisecond, time.Duration(rec.TargetS) * time.Second}
		case recInit:
			r := find(rec.Rendition)
			r.addInit(initName{rec.Tag, rec.Generation}, rec.Init)
			r.looks.Store(&variant{rec.Codecs, rec.Width, rec.Height, rec.FrameRate, rec.Captions})
			c.epoch = max(c.epoch, epochOf(rec.Tag))
		case recPart:
			parts[rec.Rendition] = append(parts[rec.Rendition], rec)
		case recSegment:
			find(rec.Rendition).restoreSegment(rec, parts[rec.Rendition])
			parts[rec.Rendition] = nil
		case recStored, recLost:
			if r := s.find(rec.Rendition); r != nil {
				r.settle(rec)
			}
		case recEnd:
			s.ended, s.endedAt = true, time.UnixMicro(rec.AtMicros).UTC()
		}
	}
	slices.SortFunc(s.renditions, func(a, b *rendition) int { return strings.Compare(order(a), order(b)) })
	c.shape.set(&s)
	c.resumeClock()
}

// maxMissing is how many segments in a row a journal may have lost. More than that is no journal of ours.
const maxMissing = 1000

// order puts pictures before the sound.
func order(r *rendition) string { return strings.Replace(r.name, "a", "z", 1) }

func epochOf(tag string) int {
	number, _, _ := strings.Cut(tag, "-")
	n, _ := strconv.Atoi(number)
	return n
}

// restoreSegment appends a segment. Numbers that are missing before it become gaps: viewers have been told about
// them.
func (r *rendition) restoreSegment(rec record, parts []record) {
	if len(r.list) > 0 && (rec.MSN < r.number || rec.MSN > r.number+maxMissing) {
		return
	}
	if len(r.list) == 0 {
		r.number = rec.MSN
	}
	for r.number < rec.MSN {
		end := r.list[len(r.list)-1].end
		missing := max(micros(rec.StartMicros)-end, 0)
		r.appendGap(end + (missing / time.Duration(rec.MSN-r.number)).Truncate(time.Microsecond))
	}
	s := &segment{heading: rec.heading(), end: micros(rec.EndMicros), size: rec.Bytes, closed: time.UnixMicro(rec.AtMicros)}
	s.state.Store(int32(spooled))
	if s.gap() {
		s.state.Store(int32(lost))
	}
	for _, p := range parts {
		if p.MSN == rec.MSN && p.Tag == rec.Tag {
			s.parts, s.samples = appendPartRecord(s.parts, s.start, p), append(s.samples, p.Samples...)
		}
	}
	if size := partBytes(s.parts); s.size > 0 && size != s.size {
		s.samples = nil
		s.parts = []part{{size: s.size, start: s.start, end: s.end, independent: rec.Independent, crc: rec.CRC}}
	}
	r.list = append(r.list, s)
	r.number, r.disc, r.breaking = rec.MSN+1, s.disc, true
}

// appendGap adds a segment of which nothing is left, up to end.
func (r *rendition) appendGap(end time.Duration) *segment {
	last := r.list[len(r.list)-1]
	h := last.heading
	h.msn, h.start, h.at, h.discontinuity = r.number, last.end, last.at.Add(last.duration()), false
	s := &segment{heading: h, end: end}
	s.state.Store(int32(lost))
	r.list = append(r.list, s)
	r.number++
	return s
}

func appendPartRecord(parts []part, start time.Duration, rec record) []part {
	p := part{size: rec.Bytes, start: start, end: micros(rec.EndMicros), independent: rec.Independent, crc: rec.CRC}
	if n := len(parts); n > 0 {
		p.offset, p.start = parts[n-1].offset+parts[n-1].size, parts[n-1].end
	}
	return append(parts, p)
}

func partBytes(parts []part) (n int64) {
	for _, p := range parts {
		n += p.size
	}
	return n
}

func (r *rendition) settle(rec record) {
	if len(r.list) == 0 {
		return
	}
	i := rec.MSN - r.list[0].msn
	if i < 0 || i >= len(r.list) {
		return
	}
	state := stored
	if rec.Kind == recLost {
		state = lost
	}
	r.list[i].sum.Store(rec.Sum)
	r.list[i].state.Store(int32(state))
}

// resumeClock lets the channel go on where its segments end.
func (c *channel) resumeClock() {
	for _, r := range c.shape.get().renditions {
		n := len(r.list)
		if n == 0 {
			continue
		}
		if last := r.list[n-1]; last.end > c.edge {
			c.edge, c.base = last.end, last.at.Add(-last.start)
			c.edgeAt = c.base.Add(c.edge)
			c.lastPacket.Store(c.edgeAt.UnixNano())
		}
		if first := r.list[0]; first.start == 0 {
			c.reshape(func(s *shape) { s.started = first.at })
		}
	}
}

// recoverTails makes segments of the parts that a crash left behind, so that no more than one part is lost, lets
// all renditions count alike again, and shows everything to viewers.
func (c *channel) recoverTails(recs []record) {
	var first *rendition
	for _, r := range c.shape.get().renditions {
		if c.recoverTail(r, recs); first == nil || r.number > first.number {
			first = r
		}
	}
	c.resumeClock()
	c.recoverTargets()
	for _, r := range c.shape.get().renditions {
		if len(r.list) == 0 { // nobody has seen any of it
			r.number, r.disc, r.breaking = first.number, first.disc, first.breaking
		}
		for r.number < first.number && first.number-r.number <= maxMissing {
			c.spool.write(segmentRecord(r.name, r.appendGap(c.edge)), true)
		}
		c.present(r)
	}
}

// recoverTargets freezes lengths for a lesson that crashed within its first segment.
func (c *channel) recoverTargets() {
	all := c.shape.get().renditions
	if c.targets.segment > 0 || len(all) == 0 || len(all[0].list) == 0 {
		return
	}
	var longest time.Duration
	for _, r := range all {
		for _, s := range r.list {
			for _, p := range s.parts {
				longest = max(longest, p.end-p.start)
			}
		}
	}
	c.targets.choosePart(longest, c.cfg.wish())
	c.targets.chooseSegment(all[0].list[0].duration(), c.cfg.wish())
	c.spool.write(targetsRecord(c.targets), true)
}

// present shows a restored rendition.
func (c *channel) present(r *rendition) {
	for _, s := range r.list {
		if c.spool != nil {
			c.spool.found(r, s)
		}
		r.dvr.add(s, s.gap() || s.keeping() == lost)
	}
	c.publish(r)
}

func (c *channel) recoverTail(r *rendition, recs []record) {
	var tail []record
	for _, rec := range recs {
		if rec.Kind == recPart && rec.Rendition == r.name && rec.MSN >= r.number {
			if len(tail) > 0 && (tail[0].MSN != rec.MSN || tail[0].Tag != rec.Tag) {
				tail = nil
			}
			tail = append(tail, rec)
		}
	}
	if len(tail) == 0 || len(r.list) > 0 && tail[0].MSN != r.number {
		return
	}
	s := &segment{heading: tail[0].heading()}
	f, err := c.spool.root.OpenFile(spoolFile(r.name, &s.heading), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	for _, rec := range tail {
		data := make([]byte, min(rec.Bytes, maxPart))
		if _, err := f.ReadAt(data, partBytes(s.parts)); err != nil || crc32.Update(crcOf(s.parts), castagnoli, data) != rec.CRC {
			break
		}
		s.parts, s.samples = appendPartRecord(s.parts, s.start, rec), append(s.samples, rec.Samples...)
	}
	if len(s.parts) == 0 {
		return
	}
	s.size, s.end = partBytes(s.parts), s.parts[len(s.parts)-1].end
	s.closed = s.at.Add(s.duration())
	if err := errors.Join(f.Truncate(s.size), f.Sync()); err != nil {
		c.spool.note(err)
		return
	}
	s.state.Store(int32(spooled))
	c.spool.write(segmentRecord(r.name, s), true)
	r.list = append(r.list, s)
	r.number, r.disc, r.breaking = s.msn+1, s.disc, true
}

// maxPart is more than any part of ours.
const maxPart = 64 << 20

func (c *channel) segments() int {
	if s := c.shape.get(); len(s.renditions) > 0 {
		return len(s.renditions[0].view.get().list)
	}
	return 0
}

// index returns the lines that a recording is played from: only what is stored counts as there.
func (c *channel) index() []byte {
	s := c.shape.get()
	b := appendRecord(nil, record{Kind: recLesson, Version: journalVersion, Lesson: c.id, AtMicros: s.started.UnixMicro()})
	for i, r := range s.renditions {
		v := r.view.get()
		if i == 0 && v.targets.segment > 0 {
			b = appendRecord(b, targetsRecord(v.targets))
		}
		looks := r.looks.Load()
		inits := *r.inits.Load()
		var before initName
		for _, seg := range v.list {
			if n := seg.init(); n != before && inits[n] != nil {
				b = appendRecord(b, initRecord(r.name, n, inits[n], looks))
				before = n
			}
			b = appendRecord(b, segmentRecord(r.name, seg))
			if k := seg.keeping(); k == stored {
				b = appendRecord(b, storedRecord(r.name, seg))
			} else {
				b = appendRecord(b, lostRecord(r.name, seg))
			}
		}
	}
	if s.ended {
		b = appendRecord(b, record{Kind: recEnd, AtMicros: s.endedAt.UnixMicro()})
	}
	return b
}

// archive lets go of the spool of a lesson that the store has completely.
func (o *Origin) archive(c *channel) {
	c.archived.Store(true)
	c.spool.do(func() {
		for _, r := range c.shape.get().renditions {
			for _, s := range r.view.get().list {
				c.spool.forget(r, s)
			}
		}
		if err := o.root.RemoveAll(c.id.String()); err != nil {
			o.cfg.Log.Warn("spool of a finished lesson stays", "lesson", c.id, "err", err)
		}
	})
	c.spool.close()
	o.cfg.Log.Info("lesson archived", "lesson", c.id, "segments", c.segments())
}

// find returns a channel for viewers: one in memory, or a recording from the store. It returns
// storage.ErrNotFound when there is neither; other errors mean that the store did not answer.
func (o *Origin) find(ctx context.Context, id media.ID) (*channel, error) {
	if c := o.channel(id); c != nil {
		c.lastUse.Store(o.cfg.Now().UnixNano())
		return c, nil
	}
	o.mu.Lock()
	asked, known := o.absent[id]
	o.mu.Unlock()
	if known && o.cfg.Now().Sub(asked) < absentFor {
		return nil, storage.ErrNotFound
	}
	v, err, _ := o.loading.Do(id.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadWait)
		defer cancel()
		return o.load(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	return v.(*channel), nil
}

// load reads a recording's index into memory.
func (o *Origin) load(ctx context.Context, id media.ID) (*channel, error) {
	began := o.cfg.Now()
	recs, err := readIndex(ctx, o.cfg.Store, id)
	if errors.Is(err, storage.ErrNotFound) {
		o.mu.Lock()
		o.absent[id] = o.cfg.Now()
		o.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	c := o.newChannel(id, o.cfg.Window)
	c.recording = true
	c.restore(recs)
	c.reshape(func(s *shape) { s.ended = true })
	for _, r := range c.shape.get().renditions {
		c.present(r)
	}
	c.archived.Store(true)
	c.lastUse.Store(o.cfg.Now().UnixNano())
	v, _ := o.channels.LoadOrStore(id, c)
	o.mu.Lock()
	deleted, gone := o.absent[id]
	o.mu.Unlock()
	if gone && !deleted.Before(began) {
		o.forget(c)
		return nil, storage.ErrNotFound
	}
	return v.(*channel), nil
}
