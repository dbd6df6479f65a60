package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// patience is how many failures in a row a player bears before it gives up.
const patience = 30

// watch plays the stream behind a multivariant or media playlist until it ends or ctx does. asked is when the
// viewer began to wait for a picture.
func (s *surge) watch(ctx context.Context, st *stream, address *url.URL, asked time.Time) error {
	w := newWire(address, s.Gzip, nil)
	defer w.close()
	first, uris, err := s.open(ctx, w, address)
	if err != nil {
		return err
	}
	var others sync.WaitGroup
	defer others.Wait()
	for _, uri := range uris[1:] {
		f := &follower{surge: s, stream: st, at: uri, w: newWire(uri, s.Gzip, w.cookies)}
		others.Go(func() {
			defer f.w.close()
			f.follow(ctx)
		})
	}
	f := &follower{surge: s, stream: st, at: uris[0], w: w, main: true, asked: asked}
	f.probe = st.probed.CompareAndSwap(false, true)
	f.first = first
	f.follow(ctx)
	return nil
}

// open fetches what the address leads to: the media playlists to follow. When it is one itself, first is it.
func (s *surge) open(ctx context.Context, w *wire, address *url.URL) (first *playlist, uris []*url.URL, err error) {
	a, err := w.text(ctx, http.MethodGet, address, "")
	if err == nil && a.status != http.StatusOK {
		err = status(a.status)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("first playlist: %w", err)
	}
	b, err := a.plain()
	if err != nil {
		return nil, nil, fmt.Errorf("first playlist: %w", err)
	}
	index, ok := choose(b)
	if !ok {
		first, err = parsePlaylist(b)
		return first, []*url.URL{a.where}, err
	}
	for _, uri := range index.uris {
		u, err := a.where.Parse(uri)
		if err != nil {
			return nil, nil, fmt.Errorf("first playlist: %w", err)
		}
		uris = append(uris, u)
	}
	return nil, uris, nil
}

// follower follows one media playlist as a player does that wants to stay live. It belongs to one goroutine.
type follower struct {
	*surge
	stream *stream
	w      *wire
	at     *url.URL
	main   bool // carries the picture, or whatever there is
	probe  bool // reads the bytes it gets
	asked  time.Time
	first  *playlist // when it has been fetched already

	buffer    buffer
	msn, part int           // what comes next
	taken     time.Duration // of the segment whose parts are being taken
	init      string
	changed   bool // the last reload brought something
	inARow    int  // failures
}

// follow plays until the playlist ends, ctx does, or nothing works any more.
func (f *follower) follow(ctx context.Context) {
	defer f.leave()
	p := f.first
	for ctx.Err() == nil {
		if p == nil {
			p = f.reload(ctx, nil)
			continue
		}
		if f.buffer.began.IsZero() {
			f.start(ctx, p)
		} else if err := f.take(ctx, p); err != nil {
			f.failed(ctx, err)
		}
		if p.ended || f.inARow > patience {
			return
		}
		p = f.reload(ctx, p)
	}
}

// leave counts what the viewer saw of the time that is measured.
func (f *follower) leave() {
	now := f.until()
	if f.buffer.began.IsZero() {
		return
	}
	if stalled, dry := f.buffer.add(now, 0); dry {
		f.stalled.Add(int64(within(stalled, now, f.since())))
	}
	f.watched.Add(int64(within(f.buffer.began, now, f.since())))
	if f.main {
		f.viewed.Add(int64(within(f.buffer.began, now, f.since())))
		f.watching.Add(-1)
	}
}

// reload fetches the playlist that comes after last. It is nil when that did not work.
func (f *follower) reload(ctx context.Context, last *playlist) *playlist {
	u := *f.at
	if last != nil && last.blocks && !f.Plain {
		u.RawQuery = directives(u.RawQuery, last, f.msn, f.part)
	} else if last != nil {
		f.pause(ctx, last.target, f.changed)
	}
	a, err := f.w.text(ctx, http.MethodGet, &u, "")
	if err == nil && a.status != http.StatusOK {
		err = status(a.status)
	}
	var p *playlist
	if err == nil {
		p, err = f.library.get(a)
	}
	if err != nil {
		f.failed(ctx, fmt.Errorf("playlist: %w", err))
		return nil
	}
	f.reloads.Add(1)
	f.inARow = 0
	return p
}

// directives asks for the playlist that has the part, by whose number a cache knows it, too.
func directives(query string, last *playlist, msn, part int) string {
	if query != "" {
		query += "&"
	}
	query += fmt.Sprintf("_HLS_msn=%d", msn)
	if last.partTarget > 0 {
		query += fmt.Sprintf("&_HLS_part=%d", part)
	}
	if last.skips {
		query += "&_HLS_skip=YES"
	}
	return query
}

// pause waits before a playlist is asked for again (RFC 8216 section 6.3.4): a target duration after it changed, half
// of that when it did not.
func (f *follower) pause(ctx context.Context, target time.Duration, changed bool) {
	if !changed {
		target /= 2
	}
	rest(ctx, target)
}

// rest waits, or for ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// failed counts a failure, unless everybody is leaving, and waits as players do.
func (f *follower) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.inARow++
	f.fail(err)
	rest(ctx, 300*time.Millisecond+rand.N(400*time.Millisecond))
}

// start fills the buffer and begins to play.
func (f *follower) start(ctx context.Context, p *playlist) {
	behind := f.Behind
	if behind == 0 && p.holdBack > 0 && !f.Plain {
		behind = p.holdBack
	} else if behind == 0 {
		behind = 3 * p.target
	}
	msn, part, have, ok := startPoint(p, behind, f.Plain)
	if !ok {
		return // nothing is there yet
	}
	f.msn, f.part = msn, part
	f.buffer.begin(time.Now(), forever) // nothing is shown, and nothing can stall, while the buffer fills
	if err := f.take(ctx, p); err != nil {
		f.buffer = buffer{}
		f.failed(ctx, err)
		return
	}
	now := time.Now()
	f.buffer.begin(now, have)
	if f.main {
		f.pictures.add(now.Sub(f.asked))
		f.watching.Add(1)
	}
}

const forever = 1000 * time.Hour

// startPoint returns from where on to load in order to play so far behind the end, and how much of that is shown
// later than the moment when playing begins. Loading begins where decoding can.
func startPoint(p *playlist, behind time.Duration, plain bool) (msn, part int, have time.Duration, ok bool) {
	total := time.Duration(0)
	found := func(m, i int) bool {
		msn, part, have, ok = m, i, min(total, behind), true
		return total >= behind
	}
	back := func(s *segment) bool {
		for i := len(s.parts) - 1; i >= 0; i-- {
			if total += s.parts[i].duration; s.parts[i].independent && found(s.msn, i) {
				return true
			}
		}
		return false
	}
	if !plain && back(&p.open) {
		return msn, part, have, ok
	}
	for i := len(p.segments) - 1; i >= 0; i-- {
		s := &p.segments[i]
		before := total
		if !plain && back(s) {
			return msn, part, have, ok
		}
		total = before + s.duration
		if found(s.msn, 0) {
			return msn, part, have, ok
		}
	}
	return msn, part, have, ok
}

// What a follower meets besides failed requests.
var (
	errBehind = errors.New("segments left the playlist before they were fetched")
	errBack   = errors.New("the playlist went back")
)

// take fetches what is new in p.
func (f *follower) take(ctx context.Context, p *playlist) error {
	f.changed = false
	if p.open.msn < f.msn {
		f.msn, f.part, f.taken = p.open.msn, len(p.open.parts), 0
		return errBack
	}
	for i := range p.segments {
		s := &p.segments[i]
		if s.msn < f.msn {
			continue
		}
		if s.msn > f.msn {
			f.msn, f.part, f.taken = s.msn, 0, 0
			f.fail(errBehind)
		}
		if err := f.takeSegment(ctx, s); err != nil {
			return err
		}
		f.msn, f.part, f.taken = s.msn+1, 0, 0
	}
	if f.Plain {
		return nil
	}
	return f.takeParts(ctx, &p.open)
}

func (f *follower) takeSegment(ctx context.Context, s *segment) error {
	switch {
	case s.gap:
		f.add(time.Now(), s.duration)
		return nil
	case !f.Plain && len(s.parts) > 0:
		return f.takeParts(ctx, s)
	}
	if err := f.takeInit(ctx, s); err != nil {
		return err
	}
	a, err := f.load(ctx, "segment", s.uri)
	if err != nil {
		return err
	}
	f.add(a.at, s.duration-f.taken)
	if !s.at.IsZero() {
		f.delays.add(a.at.Sub(s.at.Add(s.duration)))
	}
	return nil
}

func (f *follower) takeParts(ctx context.Context, s *segment) error {
	for ; f.part < len(s.parts); f.part++ {
		p := &s.parts[f.part]
		if !p.gap {
			if err := f.takeInit(ctx, s); err != nil {
				return err
			}
			a, err := f.load(ctx, "part", p.uri)
			if err != nil {
				return err
			}
			f.note(a, p)
		}
		f.add(time.Now(), p.duration)
		f.taken += p.duration
	}
	return nil
}

// note records how old a part is. What a player loads to begin with was there before.
func (f *follower) note(a *answered, p *part) {
	if f.buffer.empty.Sub(a.at) > forever/2 {
		return
	}
	if f.main && !p.end.IsZero() {
		f.delays.add(a.at.Sub(p.end))
	}
	if !f.probe {
		return
	}
	if sent, ok := lastStamp(a.body); ok {
		f.fresh.add(a.at.Sub(sent))
	}
}

func (f *follower) takeInit(ctx context.Context, s *segment) error {
	if s.init == f.init || s.init == "" {
		return nil
	}
	if _, err := f.load(ctx, "init", s.init); err != nil {
		return err
	}
	f.init = s.init
	return nil
}

// load fetches a file that the playlist lists.
func (f *follower) load(ctx context.Context, what, uri string) (*answered, error) {
	u, err := f.at.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	a, err := f.w.media(ctx, u, f.probe)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", what, err)
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("%s: %w", what, status(a.status))
	case a.size == 0:
		return nil, fmt.Errorf("%s: empty", what)
	}
	f.loads.Add(1)
	f.bytes.Add(a.size)
	return a, nil
}

// add fills the buffer.
func (f *follower) add(now time.Time, d time.Duration) {
	f.changed = true
	if stalled, dry := f.buffer.add(now, d); dry {
		f.stalled.Add(int64(within(stalled, now, f.since())))
		if !f.since().IsZero() {
			f.stalls.Add(1)
		}
	}
}
