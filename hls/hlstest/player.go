package hlstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
)

// Unit is an access unit as a viewer got it.
type Unit struct {
	Track    int // number in the init segment
	Clock    int
	DTS, PTS int64 // position in the programme
	Duration int64
	Sync     bool
	Data     []byte
	Map      string // URI of its init segment
	MSN      int
}

// Rendition is what a viewer of one rendition has seen.
type Rendition struct {
	URI      string
	Last     *Playlist // the newest, whole
	Units    []Unit    // in order of arrival
	Segments []Segment // every finished segment that was listed, in order
	Reloads  int
	Lost     []float64 // seconds that were seen and gone after each crash
}

// Track returns the units of a track.
func (r *Rendition) Track(n int) (units []Unit) {
	for _, u := range r.Units {
		if u.Track == n {
			units = append(units, u)
		}
	}
	return units
}

// Player follows a channel.
type Player struct {
	Client *http.Client // nil: http.DefaultClient
	// Stop, when set, ends following a rendition after a playlist for which it returns true.
	Stop func(*Rendition) bool
	// Patience is for how long errors of connections and answers of 503 are borne: a server that restarts.
	Patience time.Duration
	// Loose leaves out what holds only for streams without holes: how short a part may be, and that durations add
	// up to decode times.
	Loose bool
	// Crashes says that the server is killed now and then. The last second that it announced may be gone afterwards;
	// everything else still holds. Each server that was started says another name (RFC 9110 section 10.2.4): a viewer who
	// was not asking for anything sees no connection break.
	Crashes bool
}

// Collect plays all renditions of the multivariant playlist at address until they end, Stop says so, or ctx ends. It
// returns what it has even when it fails.
func (p *Player) Collect(ctx context.Context, address string) (*Index, []*Rendition, error) {
	b, _, err := p.get(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	index, err := ParseIndex(b)
	if err != nil {
		return nil, nil, err
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	all := make([]*Rendition, len(index.Variants))
	errs := make([]error, len(index.Variants))
	var wg sync.WaitGroup
	for i, v := range index.Variants {
		wg.Go(func() {
			all[i], errs[i] = p.Follow(ctx, base.JoinPath("..", v.URI).String())
		})
	}
	wg.Wait()
	return index, all, errors.Join(errs...)
}

// Follow plays one media playlist.
func (p *Player) Follow(ctx context.Context, address string) (*Rendition, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	f := &follower{Player: p, Rendition: &Rendition{URI: address}, base: base, inits: map[string]*fmp4.Init{}}
	for {
		done, err := f.reload(ctx)
		if err != nil {
			return f.Rendition, fmt.Errorf("%s: reload %d: %w", base.Path[max(0, len(base.Path)-16):], f.Reloads, err)
		}
		if done {
			return f.Rendition, f.countLosses()
		}
	}
}

// follower is the state of following one rendition.
type follower struct {
	*Player
	*Rendition
	base  *url.URL
	parts []byte // those of the open segment that were taken
	inits map[string]*fmp4.Init
	taken int // parts of the open segment whose units were taken
	next  int // number of the open segment
	ends  map[int]float64

	server string // that answered last
	seen   string // the one that the playlist is from
	again  bool   // the next reload asks for whatever there is
	gone   [][]Unit
}

// crashed reports whether another server has answered than the one that the playlist is from.
func (f *follower) crashed() bool { return f.Crashes && f.server != f.seen }

// rollBack forgets the newest segment and the open one: both are taken once more from the server that came back.
func (f *follower) rollBack() {
	f.seen, f.ends, f.parts, f.taken = f.server, nil, nil, 0
	if n := len(f.Segments); n > 0 {
		f.next = f.Segments[n-1].MSN
		f.Segments = f.Segments[:n-1]
	}
	i := slices.IndexFunc(f.Units, func(u Unit) bool { return u.MSN >= f.next })
	if i >= 0 {
		f.gone = append(f.gone, slices.Clone(f.Units[i:]))
		f.Units = f.Units[:i]
	}
}

// countLosses compares what was forgotten with what came back.
func (f *follower) countLosses() error {
	there := map[string]bool{}
	key := func(u Unit) string { return fmt.Sprint(u.Track, " ", u.DTS, " ", string(u.Data)) }
	for _, u := range f.Units {
		there[key(u)] = true
	}
	for _, units := range f.gone {
		lost := 0.0
		for _, u := range units {
			if u.Track == 1 && !there[key(u)] {
				lost += float64(u.Duration) / float64(u.Clock)
			}
		}
		if f.Lost = append(f.Lost, lost); lost > 1 {
			return fmt.Errorf("a crash cost %.3f s of what had been seen", lost)
		}
	}
	return nil
}

func (f *follower) address() string {
	if f.Last == nil || !f.Last.BlockReload || f.again {
		return f.base.String()
	}
	u := *f.base
	u.RawQuery = fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", f.Last.Next(), len(f.Last.Open.Parts))
	if f.Last.PartTarget == 0 {
		u.RawQuery = fmt.Sprintf("_HLS_msn=%d", f.Last.Next())
	}
	return u.String()
}

func (f *follower) reload(ctx context.Context) (done bool, err error) {
	address := f.address()
	b, err := f.get(ctx, address)
	if f.crashed() {
		f.rollBack()
		f.again = err != nil
		if _, answered := errors.AsType[*statusError](err); answered {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	f.again = false
	f.Reloads++
	now, err := Parse(b)
	if err != nil {
		return false, err
	}
	if err := f.check(now); err != nil {
		return false, fmt.Errorf("%w\n%s", err, b)
	}
	if f.Last != nil && f.Last.SkipUntil > 0 && f.Last.Next() < now.Next() && !now.Ended {
		if err := f.checkDelta(ctx, now); err != nil {
			return false, err
		}
	}
	if err := f.take(ctx, now); err != nil {
		if f.crashed() {
			f.again = true
			return false, nil
		}
		return false, fmt.Errorf("%w\n%s", err, b)
	}
	f.Last = now
	return now.Ended || f.Stop != nil && f.Stop(f.Rendition), nil
}

// check compares a playlist with itself and with the one before.
func (f *follower) check(now *Playlist) error {
	for i := range now.Segments {
		if err := f.checkSegment(now, &now.Segments[i]); err != nil {
			return err
		}
	}
	if now.PartTarget > 0 && math.Abs(now.PartHoldBack-3*now.PartTarget) > 1e-6 {
		return fmt.Errorf("PART-HOLD-BACK %v is not three times %v", now.PartHoldBack, now.PartTarget)
	}
	old := f.Last
	if old == nil {
		return nil
	}
	switch {
	case now.MediaSequence < old.MediaSequence || now.Next() < old.Next():
		return fmt.Errorf("media sequence went back from %d–%d to %d–%d", old.MediaSequence, old.Next(), now.MediaSequence, now.Next())
	case now.DiscSequence < old.DiscSequence:
		return fmt.Errorf("discontinuity sequence went back from %d to %d", old.DiscSequence, now.DiscSequence)
	case now.TargetDuration != old.TargetDuration || now.PartTarget != old.PartTarget:
		return fmt.Errorf("targets changed from %d, %v to %d, %v", old.TargetDuration, old.PartTarget, now.TargetDuration, now.PartTarget)
	}
	for _, s := range now.Segments {
		if s.MSN >= f.next {
			break
		}
		if i := s.MSN - old.MediaSequence; i >= 0 && i < len(old.Segments) {
			if was := old.Segments[i]; !same(was, s) {
				return fmt.Errorf("segment %d changed:\n%+v\n%+v", s.MSN, was, s)
			}
		}
	}
	return nil
}

// same compares what must never change. Parts may be left out of a segment that has grown old.
func same(a, b Segment) bool {
	a.Parts, b.Parts = nil, nil
	return a.URI == b.URI && a.Duration == b.Duration && a.At.Equal(b.At) && a.Disc == b.Disc && a.Map == b.Map
}

func (f *follower) checkSegment(p *Playlist, s *Segment) error {
	if s.At.IsZero() || s.Map == "" {
		return fmt.Errorf("segment %d without date or map", s.MSN)
	}
	if int(math.Round(s.Duration)) > p.TargetDuration {
		return fmt.Errorf("segment %d of %v s, target duration is %d", s.MSN, s.Duration, p.TargetDuration)
	}
	if len(s.Parts) == 0 {
		return nil
	}
	sum := 0.0
	for i, part := range s.Parts {
		sum += part.Duration
		if part.Duration > p.PartTarget {
			return fmt.Errorf("part %d of segment %d is %v s, target is %v", i, s.MSN, part.Duration, p.PartTarget)
		}
		if part.Duration < 0.85*p.PartTarget && i < len(s.Parts)-1 && !f.Loose {
			return fmt.Errorf("part %d of segment %d is only %v s, target is %v", i, s.MSN, part.Duration, p.PartTarget)
		}
	}
	if math.Abs(sum-s.Duration) > 1e-5 && !f.Loose {
		return fmt.Errorf("parts of segment %d are %v s, the segment is %v s", s.MSN, sum, s.Duration)
	}
	return nil
}

// checkDelta asks for the same playlist as a delta update and compares.
func (f *follower) checkDelta(ctx context.Context, now *Playlist) error {
	u := *f.base
	u.RawQuery = "_HLS_skip=YES"
	b, err := f.get(ctx, u.String())
	if err != nil {
		return err
	}
	delta, err := Parse(b)
	if err != nil {
		return fmt.Errorf("delta update: %w", err)
	}
	for _, s := range delta.Segments {
		i := s.MSN - now.MediaSequence
		if i < 0 || i >= len(now.Segments) {
			continue
		}
		whole := now.Segments[i]
		if s.URI != whole.URI || s.Duration != whole.Duration || !s.At.Equal(whole.At) || s.Discontinuity != whole.Discontinuity && i > 0 {
			return fmt.Errorf("delta update differs in segment %d:\n%+v\n%+v", s.MSN, s, whole)
		}
	}
	return nil
}

// take fetches what is new.
func (f *follower) take(ctx context.Context, now *Playlist) error {
	if f.Last == nil {
		f.next = now.MediaSequence
	}
	for i := range now.Segments {
		s := &now.Segments[i]
		if s.MSN < f.next {
			continue
		}
		if s.MSN > f.next {
			return fmt.Errorf("segments %d to %d left the playlist before they could be fetched", f.next, s.MSN-1)
		}
		if err := f.takeSegment(ctx, s); err != nil {
			return fmt.Errorf("segment %d: %w", s.MSN, err)
		}
		f.next, f.taken = s.MSN+1, 0
		f.Segments = append(f.Segments, *s)
		f.parts = nil
	}
	if now.Open.MSN == f.next {
		return f.takeParts(ctx, &now.Open)
	}
	return nil
}

func (f *follower) takeParts(ctx context.Context, s *Segment) error {
	for ; f.taken < len(s.Parts); f.taken++ {
		part := s.Parts[f.taken]
		b, err := f.fetch(ctx, part.URI)
		if err != nil {
			return fmt.Errorf("part %d: %w", f.taken, err)
		}
		f.parts = append(f.parts, b...)
		if err := f.units(ctx, s, b, part.Independent); err != nil {
			return fmt.Errorf("part %d: %w", f.taken, err)
		}
	}
	return nil
}

// takeSegment fetches a whole segment and holds its parts against it. Units of parts that were taken are not
// taken again.
func (f *follower) takeSegment(ctx context.Context, s *Segment) error {
	if s.Gap {
		return nil
	}
	// A segment that has grown old is listed without its parts.
	if f.taken > 0 && len(s.Parts) > 0 {
		if err := f.takeParts(ctx, s); err != nil {
			return err
		}
	}
	b, err := f.fetch(ctx, s.URI)
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(b, f.parts)
	if !ok || len(s.Parts) > 0 && f.taken > 0 && len(rest) > 0 {
		return fmt.Errorf("its parts are not the segment")
	}
	if len(rest) > 0 {
		err = f.units(ctx, s, rest, false)
	}
	return errors.Join(err, f.checkTimes(s))
}

// checkTimes holds EXTINF against decode times (I3): a segment begins where the sum of durations says.
func (f *follower) checkTimes(s *Segment) error {
	first, last := int64(-1), int64(0)
	clock := 1
	for _, u := range slices.Backward(f.Units) {
		if u.MSN != s.MSN {
			break
		}
		if u.Track == 1 {
			first, clock = u.DTS, u.Clock
			last = max(last, u.DTS+u.Duration)
		}
	}
	if f.ends == nil {
		f.ends = map[int]float64{}
	}
	if first < 0 {
		if _, ok := f.ends[s.Disc]; ok {
			f.ends[s.Disc] += s.Duration
		}
		return nil
	}
	if got := float64(last-first) / float64(clock); math.Abs(got-s.Duration) > 0.05 && !f.Loose {
		return fmt.Errorf("EXTINF %v s, decode times %v s", s.Duration, got)
	}
	start := float64(first) / float64(clock)
	if end, ok := f.ends[s.Disc]; ok && math.Abs(end-start) > 0.05 && !f.Loose {
		return fmt.Errorf("begins at %v s, durations say %v s", start, end)
	}
	f.ends[s.Disc] = start + s.Duration
	return nil
}

// units takes the access units of a part or segment.
func (f *follower) units(ctx context.Context, s *Segment, b []byte, independent bool) error {
	init, err := f.init(ctx, s.Map)
	if err != nil {
		return err
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(b); err != nil {
		return err
	}
	for _, part := range parts {
		for _, t := range part.Tracks {
			i := slices.IndexFunc(init.Tracks, func(it *fmp4.InitTrack) bool { return it.ID == t.ID })
			if i < 0 {
				return fmt.Errorf("track %d is not in %s", t.ID, s.Map)
			}
			if independent && t.ID == 1 && t.Samples[0].IsNonSyncSample {
				return fmt.Errorf("INDEPENDENT, but begins with no key frame")
			}
			dts := int64(t.BaseTime)
			for _, sample := range t.Samples {
				f.Units = append(f.Units, Unit{
					Track: t.ID, Clock: int(init.Tracks[i].TimeScale), DTS: dts, PTS: dts + int64(sample.PTSOffset), Map: s.Map,
					Duration: int64(sample.Duration), Sync: !sample.IsNonSyncSample, Data: sample.Payload, MSN: s.MSN,
				})
				dts += int64(sample.Duration)
			}
		}
	}
	return nil
}

func (f *follower) init(ctx context.Context, uri string) (*fmp4.Init, error) {
	if init := f.inits[uri]; init != nil {
		return init, nil
	}
	b, err := f.fetch(ctx, uri)
	if err != nil {
		return nil, err
	}
	init := &fmp4.Init{}
	if err := init.Unmarshal(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	f.inits[uri] = init
	return init, nil
}

func (f *follower) fetch(ctx context.Context, uri string) ([]byte, error) {
	return f.get(ctx, f.base.JoinPath("..", uri).String())
}

func (f *follower) get(ctx context.Context, address string) ([]byte, error) {
	b, server, err := f.Player.get(ctx, address)
	if server != "" {
		f.server = server
	}
	return b, err
}

// get fetches an address, and says which server answered. What was promised must be there: only 503 may be asked for again.
func (p *Player) get(ctx context.Context, address string) (b []byte, server string, err error) {
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	for deadline := time.Now().Add(p.Patience); ; {
		b, header, again, err := once(ctx, client, address)
		server = header.Get("Server")
		if err == nil || !again || time.Now().After(deadline) {
			return b, server, err
		}
		select {
		case <-ctx.Done():
			return nil, server, errors.Join(err, ctx.Err())
		case <-time.After(200 * time.Millisecond): // as a player does, not to wait for something
		}
	}
}

// statusError is an answer that was none.
type statusError struct{ status, path string }

func (e *statusError) Error() string { return e.status + ": " + e.path }

// once asks once. again says that another try may help.
func once(ctx context.Context, client *http.Client, address string) (b []byte, header http.Header, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, ctx.Err() == nil, err
	}
	defer resp.Body.Close()
	b, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, resp.Header, true, err
	}
	if resp.StatusCode != http.StatusOK {
		err = &statusError{resp.Status, req.URL.Path[max(0, len(req.URL.Path)-40):]}
		return nil, resp.Header, resp.StatusCode == http.StatusServiceUnavailable, err
	}
	return b, resp.Header, false, nil
}
