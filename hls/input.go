package hls

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"chalkcast/media"
)

// Input is an encoder's way into its channel. Write and Close belong to one goroutine.
type Input struct {
	o        *Origin
	grant    media.Grant
	feed     *feed
	channel  *channel
	next     atomic.Pointer[channel] // where GoLive wants the frames, from the next key frame on
	replaced atomic.Bool             // a newer Input of the same publisher is there
}

// Input opens a channel for the encoder that was granted g: the publisher's preview, or the lesson when the grant
// says that students already wait for it. When the broadcast has an Input already, its tracks have changed: the new
// one goes on where that one is, which is only good to be closed then. Tracks without parameters are ignored. The
// error may be a *media.Refusal.
func (o *Origin) Input(ctx context.Context, g media.Grant, tracks []media.Track) (*Input, error) {
	usable, err := usableTracks(tracks)
	if err != nil {
		return nil, err
	}
	in := &Input{o: o, grant: g, feed: newFeed(usable)}
	c, changed := o.goesOn(g)
	if !changed {
		if c, err = o.opening(ctx, in); err != nil {
			return nil, err
		}
	}
	if err := o.enter(in); err != nil {
		return nil, err
	}
	err = in.enter(c)
	if changed && errors.Is(err, errEnded) { // as in Write
		err = in.enter(in.newPreview())
	}
	if err != nil {
		in.leave()
		return nil, err
	}
	return in, nil
}

// goesOn returns the channel of the broadcast's last Input, if it had one. It is called on the goroutine of that
// Input.
func (o *Origin) goesOn(g media.Grant) (c *channel, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old := o.inputs[g.Publisher]; old != nil && old.continuedBy(g) {
		return old.channel, true
	}
	return nil, false
}

func (in *Input) continuedBy(g media.Grant) bool {
	return in.grant.Broadcast == g.Broadcast && g.Broadcast != 0
}

// opening returns the channel in which a broadcast begins.
func (o *Origin) opening(ctx context.Context, in *Input) (*channel, error) {
	if !in.grant.Live || in.grant.Lesson == 0 {
		return in.newPreview(), nil
	}
	c, err := o.lesson(ctx, in.grant.Lesson)
	if err != nil {
		return nil, fmt.Errorf("open lesson: %w", err)
	}
	return c, nil
}

// usableTracks returns the tracks for which init segments can be written.
func usableTracks(tracks []media.Track) ([]media.Track, error) {
	var usable []media.Track
	for _, t := range tracks {
		if t.Params == nil || t.Clock <= 0 {
			continue
		}
		if _, err := marshalInit([]media.Track{t}); err != nil {
			code := media.VideoCodec
			if t.Kind == media.Audio {
				code = media.AudioCodec
			}
			return nil, fmt.Errorf("%w: %w", &media.Refusal{Code: code, Detail: t.Params.Words}, err)
		}
		usable = append(usable, t)
	}
	if len(usable) == 0 {
		return nil, &media.Refusal{Code: media.StreamBroken, Detail: "no tracks"}
	}
	return usable, nil
}

// enter makes in the one Input of its publisher.
func (o *Origin) enter(in *Input) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	if old := o.inputs[in.grant.Publisher]; old != nil {
		old.replaced.Store(true)
		if old.continuedBy(in.grant) {
			in.next.Store(old.next.Load())
		}
	}
	o.inputs[in.grant.Publisher] = in
	return nil
}

func (in *Input) newPreview() *channel {
	return in.o.newChannel(in.grant.Publisher, shortWindow)
}

// enter goes into c, and out of the channel before. A preview takes the place of the publisher's last one.
func (in *Input) enter(c *channel) error {
	if err := c.attach(in); err != nil {
		return err
	}
	if c.preview() {
		if old, ok := in.o.channels.Swap(c.id, c); ok && old != c {
			old.(*channel).finish()
		}
	}
	in.retire()
	in.channel = c
	in.feed.reset()
	return nil
}

// move goes where GoLive said. When the lesson has ended in the meantime, in stays where it is.
func (in *Input) move(c *channel) error {
	if c == in.channel {
		return nil
	}
	if err := in.enter(c); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	return nil
}

// retire ends the preview that in leaves; a lesson goes on without an encoder. What another Input of the broadcast
// goes on with is left alone.
func (in *Input) retire() {
	switch c := in.channel; {
	case c == nil || !c.writtenBy(in):
	case c.preview():
		c.lastUse.Store(in.o.cfg.Now().UnixNano())
		c.finish()
	default:
		c.detach(in)
	}
}

func (c *channel) writtenBy(in *Input) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.input == in
}

// Write takes the next frame, read-only from then on, and waits for nothing but other writers of the channel. It
// returns ErrSuperseded when another encoder took over, ErrClosed when the origin shuts down, and otherwise an
// error only for parameters that no init segment can be made of.
func (in *Input) Write(f *media.Frame) error {
	if in.replaced.Load() {
		return ErrSuperseded
	}
	if next := in.next.Load(); next != nil && (next == in.channel || in.feed.opens(f)) {
		in.next.CompareAndSwap(next, nil)
		if err := in.move(next); err != nil {
			return err
		}
	}
	err := in.channel.write(in, f)
	if errors.Is(err, errEnded) && !in.o.isClosed() {
		// The lesson is over and the encoder is not: it rehearses.
		if err := in.enter(in.newPreview()); err != nil {
			return err
		}
		err = in.channel.write(in, f)
	}
	switch {
	case errors.Is(err, errSuperseded) && in.o.isClosed():
		return ErrClosed
	case errors.Is(err, errSuperseded):
		return ErrSuperseded
	}
	return err
}

// Rest returns how much more of the programme must probably come until viewers get something new of it, 0 when nobody
// knows. It may be called by the goroutine that writes.
func (in *Input) Rest() time.Duration { return in.channel.rest() }

// Close ends the run of the encoder. A lesson stays, and waits for it to come back; a preview ends.
func (in *Input) Close(media.End) error {
	in.leave()
	in.retire()
	return nil
}

func (in *Input) leave() {
	in.o.mu.Lock()
	defer in.o.mu.Unlock()
	if in.o.inputs[in.grant.Publisher] == in {
		delete(in.o.inputs, in.grant.Publisher)
	}
}

func (o *Origin) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}
