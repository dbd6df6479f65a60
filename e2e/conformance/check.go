package conformance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Config says what to check.
type Config struct {
	URL string // of a multivariant playlist
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Segments is how many segments of a playlist that goes on are waited for; 0 is 3.
	Segments int
	// Holes says that the encoder is one that leaves holes: parts may then be short, and decode times jump forward.
	Holes bool
}

// checker is the state of a check.
type checker struct {
	cfg    Config
	client *http.Client
	notes  notes
}

// Check plays everything that cfg.URL leads to and returns what it found. The error says that it could not go on: a
// server that is not there, ctx that has ended. What is wrong is in the report and no error.
func Check(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Segments == 0 {
		cfg.Segments = 3
	}
	transport := cfg.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	c := &checker{cfg: cfg, client: &http.Client{Transport: identity{transport}}}
	report, err := c.check(ctx)
	report.Findings = c.notes.findings
	return report, err
}

// identity asks for bytes as they are where the caller does not say: the transport would otherwise ask for gzip on
// its own and hide it.
type identity struct{ http.RoundTripper }

func (t identity) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	return t.RoundTripper.RoundTrip(req)
}

func (c *checker) check(ctx context.Context) (*Report, error) {
	report := &Report{}
	x, err := c.index(ctx)
	if err != nil {
		return report, err
	}
	all := make([]*rendition, len(x.variants))
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, v := range x.variants {
		address, err := resolve(c.cfg.URL, v.uri)
		if err != nil {
			return report, fmt.Errorf("address of %q: %w", v.uri, err)
		}
		all[i] = &rendition{
			checker: c, variant: v, address: address, wrong: c.about(short(address)), inits: map[string]*initSegment{}, siblings: len(all) - 1,
		}
		wg.Go(func() { errs[i] = all[i].follow(ctx) })
	}
	wg.Wait()
	for _, r := range all {
		report.Renditions = append(report.Renditions, r.seen())
	}
	if err := errors.Join(errs...); err != nil {
		return report, err
	}
	// What is measured is held against what is told now: a live stream may have become more than it was.
	if x, err = c.index(ctx); err != nil {
		return report, err
	}
	for i, v := range x.variants {
		if i < len(all) && v.uri == all[i].variant.uri {
			all[i].variant = v
		}
	}
	c.checkIndex(x, all)
	c.checkAligned(all)
	return report, c.probe(ctx, all)
}

// index reads the multivariant playlist.
func (c *checker) index(ctx context.Context) (*index, error) {
	a, err := c.ask(ctx, http.MethodGet, c.cfg.URL)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", short(c.cfg.URL), a.status)
	}
	x, problems := readIndex(a.body)
	for _, p := range problems {
		c.notes.add(p.rule, short(c.cfg.URL), "%s", p.what)
	}
	return x, nil
}

// checkIndex holds the multivariant playlist against what the renditions turned out to be.
func (c *checker) checkIndex(x *index, all []*rendition) {
	wrong := c.about(short(c.cfg.URL))
	pictures, soundAlone := false, false
	for _, r := range all {
		if r.lastInit == nil {
			continue
		}
		seen := r.lastInit.lead().Codec.IsVideo()
		pictures, soundAlone = pictures || seen, soundAlone || !seen
		c.checkVariant(x, r, wrong)
	}
	hasSound := slices.ContainsFunc(all, func(r *rendition) bool { return r.lastInit != nil && r.lastInit.sounds() })
	if pictures && hasSound && !soundAlone {
		wrong(AudioOnly, "pictures and sound, and no variant of the sound alone")
	}
}

// sounds reports whether there is a track of sound.
func (x *initSegment) sounds() bool {
	return slices.ContainsFunc(x.codecs, func(codec string) bool {
		return strings.HasPrefix(codec, "mp4a.") || codec == "opus"
	})
}

func (c *checker) checkVariant(x *index, r *rendition, wrong say) {
	v := r.variant
	listed := strings.Split(v.attributes["CODECS"], ",")
	for _, init := range r.inits {
		for _, codec := range init.codecs {
			if !covered(codec, listed) {
				wrong(Codecs, "%s: CODECS %q does not cover %s", v.uri, v.attributes["CODECS"], codec)
			}
		}
	}
	if kinds := len(r.lastInit.tracks); len(listed) > kinds {
		wrong(Codecs, "%s: CODECS %q for %d tracks", v.uri, v.attributes["CODECS"], kinds)
	}
	r.checkPicture(x, wrong)
	r.checkBandwidth(wrong)
}

func (r *rendition) checkPicture(x *index, wrong say) {
	v, lead := r.variant, r.lastInit.lead()
	if !lead.Codec.IsVideo() {
		if v.attributes["RESOLUTION"] != "" || v.attributes["FRAME-RATE"] != "" {
			wrong(Resolution, "%s: RESOLUTION or FRAME-RATE of sound", v.uri)
		}
		return
	}
	known := slices.ContainsFunc(r.listedInits(), func(x *initSegment) bool { return x.size == v.attributes["RESOLUTION"] || x.size == "" })
	if !known {
		wrong(Resolution, "%s: RESOLUTION is %q, the newest init segment says %s", v.uri, v.attributes["RESOLUTION"], r.lastInit.size)
	}
	switch group := v.attributes["CLOSED-CAPTIONS"]; {
	case group == "":
		wrong(Captions, "%s: CLOSED-CAPTIONS is not declared, not even as NONE", v.uri)
	case group != "NONE" && !x.groups[group]:
		wrong(Captions, "%s: CLOSED-CAPTIONS names the group %q, which does not exist", v.uri, group)
	}
	r.checkFrameRate(wrong)
}

// frameRateSlack is by how much a rate that an encoder announces, and those that it keeps, may differ.
const frameRateSlack = 0.05

func (r *rendition) checkFrameRate(wrong say) {
	said := r.variant.attributes.float("FRAME-RATE")
	if said == 0 {
		wrong(FrameRate, "%s: no FRAME-RATE", r.variant.uri)
		return
	}
	if r.times.seconds < 1 || r.cfg.Holes {
		return
	}
	rate := float64(r.times.frames) / r.times.seconds
	if math.Abs(rate-said) > frameRateSlack*rate {
		wrong(FrameRate, "%s: FRAME-RATE is %v, there are %.3f frames a second", r.variant.uri, said, rate)
	}
}

// bandwidthSlack is by how much what is measured may be more than what was announced, of a stream that goes on.
const (
	bandwidthSlack = 0.10
	loudBandwidth  = 1.25 // and by what it may be less
)

// checkBandwidth measures as RFC 8216 section 4.3.4.2 wants it: over all runs of segments that are half to one and a
// half target durations long.
func (r *rendition) checkBandwidth(wrong say) {
	said, err := strconv.ParseFloat(r.variant.attributes["BANDWIDTH"], 64)
	mean, errMean := strconv.ParseFloat(r.variant.attributes["AVERAGE-BANDWIDTH"], 64)
	if err != nil || errMean != nil {
		wrong(Bandwidth, "%s: BANDWIDTH %q, AVERAGE-BANDWIDTH %q", r.variant.uri, r.variant.attributes["BANDWIDTH"], r.variant.attributes["AVERAGE-BANDWIDTH"])
		return
	}
	peak, average := r.measured()
	if peak == 0 {
		return
	}
	slack := 0.0
	if !r.last.ended {
		slack = bandwidthSlack
	}
	if said < peak*(1-slack) || said > peak*loudBandwidth {
		wrong(Bandwidth, "%s: BANDWIDTH is %.0f, the peak was %.0f", r.variant.uri, said, peak)
	}
	if math.Abs(mean-average) > bandwidthSlack*average {
		wrong(Bandwidth, "%s: AVERAGE-BANDWIDTH is %.0f, measured was %.0f", r.variant.uri, mean, average)
	}
}

// measured returns the peak and the mean bit rate of the segments that the newest playlist lists.
func (r *rendition) measured() (peak, mean float64) {
	target := float64(r.last.target)
	var bits, seconds float64
	for i := range r.last.segments {
		runBits, runSeconds := 0.0, 0.0
		for _, s := range r.last.segments[i:] {
			size := r.sizes[s.number]
			if size == 0 {
				break // a gap, or one that came and went between two looks
			}
			runBits, runSeconds = runBits+8*float64(size), runSeconds+s.duration
			if runSeconds > 1.5*target {
				break
			}
			if runSeconds >= 0.5*target {
				peak = max(peak, runBits/runSeconds)
			}
		}
		if s := r.last.segments[i]; r.sizes[s.number] > 0 {
			bits, seconds = bits+8*float64(r.sizes[s.number]), seconds+s.duration
		}
	}
	if seconds == 0 {
		return 0, 0
	}
	return peak, bits / seconds
}

// listedInits returns the init segments that the newest playlist lists.
func (r *rendition) listedInits() []*initSegment {
	var list []*initSegment
	for _, s := range r.last.segments {
		if x := r.inits[s.mapURI]; x != nil && !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// looseAlign is how far renditions may be apart: cut at the same picture, and sound comes in blocks.
const looseAlign = 0.1

// checkAligned holds the renditions against each other: segments of one number are of one time.
func (c *checker) checkAligned(all []*rendition) {
	main := all[0]
	for _, r := range all[1:] {
		if r.last.target != main.last.target {
			r.wrong(Aligned, "EXT-X-TARGETDURATION is %d, that of %s is %d", r.last.target, main.variant.uri, main.last.target)
		}
		for number, b := range r.begins {
			a, both := main.begins[number]
			if !both {
				continue
			}
			if a.disc != b.disc {
				r.wrong(Aligned, "segment %d has discontinuity sequence number %d, %d in %s", number, b.disc, a.disc, main.variant.uri)
			}
			if math.Abs(a.at-b.at) > looseAlign {
				r.wrong(Aligned, "segment %d begins at %.3f s, at %.3f s in %s", number, b.at, a.at, main.variant.uri)
			}
		}
	}
}
