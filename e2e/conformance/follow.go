package conformance

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"time"
)

// rendition is one row of the multivariant playlist while it is looked at. One goroutine owns it.
type rendition struct {
	*checker
	variant variant
	address string
	wrong   say

	last      *playlist // the newest, whole
	live      bool      // it had not ended when we came
	reloads   int
	fruitless int                     // blocking reloads that brought nothing
	inits     map[string]*initSegment // by URI
	lastInit  *initSegment            // of the newest segment
	times     timeline                // of whole segments
	begins    map[int]moment          // where segments begin
	sizes     map[int]int             // bytes of segments
	fetched   struct{ segments, parts, gaps int }

	open     int    // number of the segment whose parts are in body
	taken    int    // how many of them
	body     []byte // their bytes
	siblings int    // other renditions

	segmentURI, partURI string // examples, for probe
}

// moment is where a segment begins in the media.
type moment struct {
	disc int
	at   float64
}

func (r *rendition) seen() Rendition {
	s := Rendition{
		URI: r.variant.uri, Live: r.live, Reloads: r.reloads, Segments: r.fetched.segments, Parts: r.fetched.parts, Gaps: r.fetched.gaps,
	}
	if r.last != nil {
		s.Next = r.last.next()
		for _, segment := range r.last.segments {
			if segment.discontinuity {
				s.Discontinuities++
			}
		}
	}
	return s
}

// follow reads the playlist, everything in it, and what comes while it goes on.
func (r *rendition) follow(ctx context.Context) error {
	r.begins, r.sizes = map[int]moment{}, map[int]int{}
	p, err := r.load(ctx, r.address)
	if err != nil {
		return err
	}
	ended := p.ended || p.kind == "VOD" // which is said when it is not true
	r.live, r.last, r.open = !ended, p, p.first
	if err := r.take(ctx, p); err != nil || ended {
		return err
	}
	for until := p.next() + r.cfg.Segments; !r.last.ended && r.last.next() < until && r.fruitless < maxFruitless; {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	if r.last.ended || r.fruitless > 0 {
		return nil
	}
	return r.checkBlocking(ctx)
}

// load reads a media playlist and checks it.
func (r *rendition) load(ctx context.Context, address string) (*playlist, error) {
	a, err := r.ask(ctx, http.MethodGet, address)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", short(address), a.status)
	}
	return r.read(a.body), nil
}

func (r *rendition) read(b []byte) *playlist {
	p, problems := readPlaylist(b)
	for _, problem := range problems {
		r.wrong(problem.rule, "%s", problem.what)
	}
	checkPlaylist(p, r.unlessHoles)
	r.reloads++
	return p
}

// unlessHoles keeps to itself what holds only for streams without holes.
func (r *rendition) unlessHoles(rule Rule, format string, args ...any) {
	if r.cfg.Holes && (rule == PartTarget || rule == PartsListed) {
		return
	}
	r.wrong(rule, format, args...)
}

// maxFruitless is how many blocking reloads may bring nothing before we stop asking.
const maxFruitless = 3

// patience is for how long a server may hold a request, and some more for a busy machine.
const patience = 12 * time.Second

// step waits for the next part, or segment, and takes it.
func (r *rendition) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	old := r.last
	hinted := r.askHint(ctx, old)
	now, err := r.load(ctx, withQuery(r.address, directives(old)))
	if err != nil {
		return err
	}
	r.checkCame(old, now)
	checkReload(old, now, r.wrong)
	if was := now.find(old.open.number); was != nil {
		checkOpened(&old.open, was, r.wrong)
	} else if old.open.number == now.open.number {
		checkOpened(&old.open, &now.open, r.wrong)
	}
	r.checkHint(old, now, <-hinted)
	if now.next() > old.next() && !now.ended {
		if err := r.checkSkip(ctx, now); err != nil {
			return err
		}
		if err := r.checkReports(ctx, now); err != nil {
			return err
		}
	}
	r.last = now
	return r.take(ctx, now)
}

// directives asks for what comes after p.
func directives(p *playlist) string {
	if p.partTarget == 0 {
		return fmt.Sprintf("_HLS_msn=%d", p.next())
	}
	return fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", p.next(), len(p.open.parts))
}

// checkCame wants that a held request brings what it was held for. Every server that is worth a check can hold one.
func (r *rendition) checkCame(old, now *playlist) {
	if now.ended || now.next() > old.next() {
		return
	}
	if old.partTarget == 0 || len(now.open.parts) <= len(old.open.parts) {
		r.wrong(Blocking, "%s brought nothing new", directives(old))
		r.fruitless++
	}
}

// askHint asks for the hinted part before it is there, as players do.
func (r *rendition) askHint(ctx context.Context, p *playlist) <-chan *answer {
	came := make(chan *answer, 1)
	if p.hint == "" {
		came <- nil
		return came
	}
	go func() { // ends with ctx at the latest; step waits for it
		a, err := r.fetch(ctx, p.hint)
		if err != nil {
			a = nil
		}
		came <- a
	}()
	return came
}

// checkHint holds the hinted part against what the playlist made of it.
func (r *rendition) checkHint(old, now *playlist, a *answer) {
	if old.hint == "" {
		if old.partTarget > 0 && !old.ended && len(old.open.parts) > 0 {
			r.wrong(Hint, "segment %d is being made, and no part is hinted at", old.open.number)
		}
		return
	}
	s := now.find(old.open.number)
	if s == nil && now.open.number == old.open.number {
		s = &now.open
	}
	n := len(old.open.parts)
	switch {
	case s == nil || len(s.parts) <= n:
		return // the segment ended without it
	case s.parts[n].uri != old.hint:
		r.wrong(Hint, "%s was hinted at, %s came", old.hint, s.parts[n].uri)
	case a == nil || a.status != http.StatusOK:
		r.wrong(Hint, "%s was hinted at and has come, but who asked before got %+v", old.hint, statusOf(a))
	}
}

func statusOf(a *answer) int {
	if a == nil {
		return 0
	}
	return a.status
}

// checkSkip asks for the newest playlist as a delta update.
func (r *rendition) checkSkip(ctx context.Context, whole *playlist) error {
	if whole.control["CAN-SKIP-UNTIL"] == "" {
		return nil
	}
	a, err := r.ask(ctx, http.MethodGet, withQuery(r.address, "_HLS_skip=YES"))
	if err != nil {
		return err
	}
	delta, problems := readPlaylist(a.body)
	if a.status != http.StatusOK || len(problems) > 0 {
		r.wrong(Skip, "the delta update has status %d, %v", a.status, problems)
		return nil
	}
	checkVersion(delta, r.wrong)
	checkDelta(delta, whole, r.wrong)
	return nil
}

// checkReports asks the reported renditions for what was reported of them: they must have it.
func (r *rendition) checkReports(ctx context.Context, p *playlist) error {
	if p.partTarget == 0 {
		return nil
	}
	for _, report := range p.reports {
		address, err := resolve(r.address, report["URI"])
		if err != nil {
			r.wrong(Reports, "URI %q: %v", report["URI"], err)
			continue
		}
		a, err := r.ask(ctx, http.MethodGet, address)
		if err != nil {
			return err
		}
		other, _ := readPlaylist(a.body)
		msn, part := report.int("LAST-MSN"), report.int("LAST-PART")
		switch {
		case a.status != http.StatusOK || other.target < 0:
			r.wrong(Reports, "%s is no media playlist", report["URI"])
		case msn > other.open.number || msn == other.open.number && part >= len(other.open.parts):
			r.wrong(Reports, "%s is said to be at %d.%d and is at %d.%d", report["URI"], msn, part, other.open.number, len(other.open.parts)-1)
		case msn < other.next()-2:
			r.wrong(Reports, "%s is said to be at %d and has come to %d", report["URI"], msn, other.next())
		}
	}
	if got, want := len(p.reports), r.siblings; got != want && !p.ended {
		r.wrong(Reports, "%d renditions are reported, there are %d others", got, want)
	}
	return nil
}

// take fetches what is new in a playlist.
func (r *rendition) take(ctx context.Context, p *playlist) error {
	for i := range p.segments {
		s := &p.segments[i]
		if s.number < r.open {
			continue
		}
		if err := r.takeSegment(ctx, p, s); err != nil {
			return err
		}
		r.open, r.taken, r.body = s.number+1, 0, nil
	}
	if p.open.number == r.open {
		return r.takeParts(ctx, &p.open)
	}
	return nil
}

// init returns the init segment of s.
func (r *rendition) init(ctx context.Context, s *segment) (*initSegment, error) {
	if s.mapURI == "" {
		return nil, nil // said already
	}
	x, known := r.inits[s.mapURI]
	if !known {
		a, err := r.fetch(ctx, s.mapURI)
		if err != nil {
			return nil, err
		}
		if x, err = readInit(a.body); a.status != http.StatusOK || err != nil {
			r.wrong(Listed, "%s: status %d, %v", s.mapURI, a.status, err)
			return nil, nil
		}
		r.inits[s.mapURI] = x
	}
	r.lastInit = x
	return x, nil
}

func (r *rendition) takeParts(ctx context.Context, s *segment) error {
	for ; r.taken < len(s.parts); r.taken++ {
		part := s.parts[r.taken]
		a, err := r.fetch(ctx, part.uri)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			r.wrong(Listed, "%s: status %d", part.uri, a.status)
			continue
		}
		r.partURI = part.uri
		r.body = append(r.body, a.body...)
		r.fetched.parts++
		runs, x, err := r.runs(ctx, s, a.body, describe(s, r.taken))
		if err != nil || x == nil {
			return err
		}
		r.checkPartRuns(x, runs, s, r.taken)
	}
	return nil
}

// runs reads a part or segment. It returns nil for one that cannot be read, which is then said.
func (r *rendition) runs(ctx context.Context, s *segment, b []byte, what string) ([]run, *initSegment, error) {
	x, err := r.init(ctx, s)
	if err != nil || x == nil {
		return nil, nil, err
	}
	if err := checkBoxes(b); err != nil {
		r.wrong(Boxes, "%s: %v", what, err)
		return nil, nil, nil
	}
	runs, err := readRuns(x, b)
	if err != nil {
		r.wrong(Boxes, "%s: %v", what, err)
		return nil, nil, nil
	}
	return runs, x, nil
}

// checkPartRuns holds what the playlist says about a part against its bytes.
func (r *rendition) checkPartRuns(x *initSegment, runs []run, s *segment, i int) {
	part := s.parts[i]
	if part.independent && !keyed(x, runs) {
		r.wrong(Independent, "%s says INDEPENDENT and does not begin with a key frame", describe(s, i))
	}
	begin, end, _, ok := span(x, runs)
	if ok && math.Abs(end-begin-part.duration) > looseTime && !r.cfg.Holes {
		r.wrong(Durations, "%s: DURATION is %v, its decode times span %.6f s", describe(s, i), part.duration, end-begin)
	}
}

// keyed reports whether the leading track begins with a key frame.
func keyed(x *initSegment, runs []run) bool {
	for _, r := range runs {
		if r.track.ID == x.lead().ID {
			return r.keyed
		}
	}
	return false
}

func (r *rendition) takeSegment(ctx context.Context, p *playlist, s *segment) error {
	if s.gap {
		r.fetched.gaps++
		r.times.ends = nil
		return nil
	}
	if r.taken > 0 && len(s.parts) > 0 {
		if err := r.takeParts(ctx, s); err != nil {
			return err
		}
	}
	a, err := r.fetch(ctx, s.uri)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		r.wrong(Listed, "%s: status %d", s.uri, a.status)
		return nil
	}
	r.segmentURI = s.uri
	r.fetched.segments++
	r.sizes[s.number] = len(a.body)
	switch whole := r.taken > 0 && r.taken == len(s.parts); {
	case !bytes.HasPrefix(a.body, r.body), whole && len(a.body) != len(r.body):
		r.wrong(PartsListed, "segment %d is not what its parts were", s.number)
	}
	return r.takeRuns(ctx, p, s, a.body)
}

func (r *rendition) takeRuns(ctx context.Context, p *playlist, s *segment, b []byte) error {
	runs, x, err := r.runs(ctx, s, b, describe(s, -1))
	if err != nil || x == nil {
		return err
	}
	if p.independent && !keyed(x, runs) {
		r.wrong(Independent, "segment %d does not begin with a key frame, and EXT-X-INDEPENDENT-SEGMENTS says so", s.number)
	}
	r.times.enter(s)
	for i := range runs {
		r.times.take(&runs[i], describe(s, -1), r.cfg.Holes, r.wrong)
	}
	if begin, _, _, ok := span(x, runs); ok {
		r.begins[s.number] = moment{s.disc, begin}
	}
	r.times.measure(s, x, runs, r.cfg.Holes, r.wrong)
	return nil
}

// fetch gets something by its URI.
func (r *rendition) fetch(ctx context.Context, uri string) (*answer, error) {
	address, err := resolve(r.address, uri)
	if err != nil {
		return nil, err
	}
	return r.ask(ctx, http.MethodGet, address)
}
