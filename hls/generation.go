package hls

import (
	"fmt"
	"slices"
	"time"

	"chalkcast/media"
)

// begin opens a generation whose first frame is f. before is the one that went before in the same connection, nil
// when there was none.
func (c *channel) begin(in *Input, f *media.Frame, now time.Time, before *muxer) error {
	layout := c.layout(in.feed)
	start := c.position(now)
	if before != nil {
		if at, ok := before.position(f); ok && (at-c.edge).Abs() < jumpLimit {
			start = at
		} else {
			before = nil
		}
	}
	if at := c.base.Add(start); c.base.IsZero() || now.Sub(at).Abs() > clockSlack {
		at = now.Round(0)
		if end := c.base.Add(c.edge); end.After(at) && end.Sub(at) <= clockSlack {
			at = end // dates do not go back for what they may be off
		}
		c.base = at.Add(-start).UTC().Truncate(time.Microsecond)
	}
	c.astray, c.off = 0, 0
	c.generation++
	c.active = c.active[:0]
	var renditions [][]media.Track
	for _, row := range layout {
		if row.tracks == nil {
			continue
		}
		if err := c.setInit(row.r, row.tracks); err != nil {
			return err
		}
		c.active = append(c.active, row.r)
		renditions = append(renditions, row.tracks)
	}
	c.mux = newMuxer(renditions, f.DTS, start, before, c.cfg.wish(), &c.targets)
	c.announce(layout)
	for _, r := range c.shape.get().renditions {
		c.openSegment(r, max(start.Truncate(time.Microsecond), r.end()))
	}
	for i, r := range c.active {
		b := c.mux.builders[i]
		b.begin(max(b.segment, media.TicksOf(r.end(), b.clock)), true)
		r.open.start = b.time(b.segment) // to the tick, as its parts will say
		r.open.at = c.base.Add(r.open.start)
	}
	for _, early := range in.feed.begun(f, c.mux.lead.track) {
		c.mux.push(early)
	}
	return nil
}

// layoutRow says which tracks a rendition shows in the generation that begins; nil for none.
type layoutRow struct {
	r      *rendition
	tracks []media.Track
}

// layout gives every rendition its tracks. The main one comes first. Renditions that viewers know are kept: what
// has no picture of its own any more shows the main one, or only the sound.
func (c *channel) layout(f *feed) []layoutRow {
	var pictures []media.Track
	var sound []media.Track
	for _, t := range f.present() {
		if t.Kind == media.Video {
			pictures = append(pictures, t)
		} else if sound == nil {
			sound = []media.Track{t}
		}
	}
	count := f.pictures()
	for _, r := range c.shape.get().renditions {
		if r.name[0] == 'v' {
			count = max(count, int(r.name[1]-'0')+1)
		}
	}
	var rows []layoutRow
	for i := range min(count, 10) {
		row := layoutRow{r: c.rendition(fmt.Sprintf("v%d", i))}
		switch {
		case i < len(pictures):
			row.tracks = []media.Track{pictures[i]}
		case len(pictures) > 0:
			row.tracks = []media.Track{pictures[0]}
		}
		row.tracks = append(row.tracks, sound...)
		rows = append(rows, row)
	}
	if a0 := c.shape.get().find("a0"); a0 != nil || sound != nil {
		rows = append(rows, layoutRow{r: c.rendition("a0"), tracks: sound})
	}
	return rows
}

// rendition returns the one with a name, a new one if there is none. A new one joins where the others are.
func (c *channel) rendition(name string) *rendition {
	s := c.shape.get()
	if r := s.find(name); r != nil {
		return r
	}
	r := newRendition(name)
	if len(s.renditions) > 0 {
		main := s.renditions[0]
		r.number, r.disc, r.breaking = main.number, main.disc, main.breaking
	}
	return r
}

// announce shows the renditions of a layout, before any of their segments.
func (c *channel) announce(layout []layoutRow) {
	c.reshape(func(s *shape) {
		s.renditions = nil
		for _, row := range layout {
			s.renditions = append(s.renditions, row.r)
		}
		if s.started.IsZero() {
			s.started = c.base
		}
	})
}

// setInit makes the init segment of a rendition for this generation.
func (c *channel) setInit(r *rendition, tracks []media.Track) error {
	b, err := marshalInit(tracks)
	if err != nil {
		return err
	}
	name := initName{c.tag, c.generation}
	looks := newVariant(tracks).after(r.looks.Load())
	r.looks.Store(&looks)
	r.addInit(name, b)
	if c.spool != nil {
		c.spool.record(initRecord(r.name, name, b, &looks), false)
	}
	return nil
}

// renew replaces the init segments that show the track of f, which has not had a frame in this generation.
func (c *channel) renew(in *Input, f *media.Frame) error {
	for _, row := range c.layout(in.feed) {
		shows := func(t media.Track) bool { return t.ID == f.Track }
		if slices.ContainsFunc(row.tracks, shows) {
			if err := c.setInit(row.r, row.tracks); err != nil {
				return err
			}
		}
	}
	return nil
}

// position is where in the programme a generation that begins now belongs: after everything before it, and as
// much later as nothing came in between.
func (c *channel) position(now time.Time) time.Duration {
	if c.edgeAt.IsZero() || c.generation > -1 {
		return c.edge
	}
	outage := min(max(now.Sub(c.edgeAt), 0), maxProgramme/2)
	return (c.edge + outage).Truncate(time.Microsecond)
}

// openSegment gives the segment that comes next its heading.
func (c *channel) openSegment(r *rendition, start time.Duration) {
	if r.breaking {
		r.disc++
	}
	r.open = &heading{
		msn: r.number, tag: c.tag, generation: c.generation, start: start, at: c.base.Add(start),
		disc: r.disc, discontinuity: r.breaking,
	}
	r.parts, r.body, r.samples = nil, nil, nil
}
