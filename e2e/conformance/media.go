package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
)

// initSegment is an init segment that was read.
type initSegment struct {
	tracks []*fmp4.InitTrack
	codecs []string // as CODECS writes them
	size   string   // as RESOLUTION writes it, "" without pictures or where it cannot be told
}

func readInit(b []byte) (*initSegment, error) {
	var read fmp4.Init
	if err := read.Unmarshal(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	if len(read.Tracks) == 0 {
		return nil, fmt.Errorf("no tracks")
	}
	x := &initSegment{tracks: read.Tracks}
	for _, t := range read.Tracks {
		codec, size := describeCodec(t.Codec)
		x.codecs = append(x.codecs, codec)
		if t.Codec.IsVideo() {
			x.size = size
		}
	}
	return x, nil
}

// describeCodec returns what CODECS calls a format (RFC 6381), or how that begins, and what RESOLUTION says.
func describeCodec(codec codecs.Codec) (codecText, size string) {
	switch c := codec.(type) {
	case *codecs.H264:
		var sps h264.SPS
		if err := sps.Unmarshal(c.SPS); err != nil {
			return "avc1.", ""
		}
		return fmt.Sprintf("avc1.%02x%02x%02x", c.SPS[1], c.SPS[2], c.SPS[3]), fmt.Sprintf("%dx%d", sps.Width(), sps.Height())
	case *codecs.H265:
		var sps h265.SPS
		if err := sps.Unmarshal(c.SPS); err != nil {
			return "hvc1.", ""
		}
		return "hvc1.", fmt.Sprintf("%dx%d", sps.Width(), sps.Height())
	case *codecs.AV1:
		return "av01.", ""
	case *codecs.VP9:
		return "vp09.", fmt.Sprintf("%dx%d", c.Width, c.Height)
	case *codecs.MPEG4Audio:
		return fmt.Sprintf("mp4a.40.%d", c.Config.Type), ""
	case *codecs.Opus:
		return "opus", ""
	}
	return fmt.Sprintf("%T", codec), ""
}

// covered reports whether somebody who prepares for listed can decode a format: it is listed, or a greater profile
// and level of it is. Two formats of one kind in CODECS are no way out: browsers then want both in every init segment.
func covered(format string, listed []string) bool {
	return slices.ContainsFunc(listed, func(l string) bool {
		if strings.EqualFold(l, format) || strings.HasSuffix(format, ".") && strings.HasPrefix(l, format) {
			return true
		}
		a, okA := avcLevel(l)
		b, okB := avcLevel(format)
		return okA && okB && a[0] >= b[0] && a[1] >= b[1]
	})
}

// avcLevel returns profile_idc and level_idc of avc1.PPCCLL.
func avcLevel(format string) (profile [2]uint64, ok bool) {
	text, ok := strings.CutPrefix(format, "avc1.")
	if !ok || len(text) != 6 {
		return profile, false
	}
	v, err := strconv.ParseUint(text, 16, 32)
	return [2]uint64{v >> 16, v & 0xff}, err == nil
}

// lead returns the track whose frames decide: the first with pictures, else the first.
func (x *initSegment) lead() *fmp4.InitTrack {
	for _, t := range x.tracks {
		if t.Codec.IsVideo() {
			return t
		}
	}
	return x.tracks[0]
}

func (x *initSegment) track(id int) *fmp4.InitTrack {
	for _, t := range x.tracks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// run is the samples of one track in one fragment.
type run struct {
	track    *fmp4.InitTrack
	base     int64 // tfdt
	duration int64
	samples  int
	keyed    bool // the first sample is a sync sample
}

func (r *run) seconds(ticks int64) float64 { return float64(ticks) / float64(r.track.TimeScale) }

// readRuns reads fragments.
func readRuns(x *initSegment, b []byte) ([]run, error) {
	var read fmp4.Parts
	if err := read.Unmarshal(b); err != nil {
		return nil, err
	}
	var runs []run
	for _, f := range read {
		for _, t := range f.Tracks {
			track := x.track(t.ID)
			if track == nil {
				return nil, fmt.Errorf("track %d is not in the init segment", t.ID)
			}
			if len(t.Samples) == 0 {
				return nil, fmt.Errorf("track %d has a fragment without samples", t.ID)
			}
			r := run{track: track, base: int64(t.BaseTime), samples: len(t.Samples), keyed: !t.Samples[0].IsNonSyncSample}
			for _, s := range t.Samples {
				r.duration += int64(s.Duration)
			}
			runs = append(runs, r)
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("no fragments")
	}
	return runs, nil
}

// checkBoxes looks at what the library does not: that nothing else lies between fragments, that every moof comes
// before its mdat, and that offsets count from the moof and times from tfdt.
func checkBoxes(b []byte) error {
	open := false // a moof waits for its mdat
	err := eachBox(b, func(kind string, body []byte) error {
		switch kind {
		case "styp", "sidx", "emsg", "prft":
			return nil
		case "moof":
			if open {
				return fmt.Errorf("a moof without its mdat")
			}
			open = true
			return checkMoof(body)
		case "mdat":
			if !open {
				return fmt.Errorf("an mdat without its moof")
			}
			open = false
			return nil
		}
		return fmt.Errorf("a box %q", kind)
	})
	if err == nil && open {
		err = fmt.Errorf("the last moof has no mdat")
	}
	return err
}

const defaultBaseIsMoof = 0x020000 // flag of tfhd

func checkMoof(b []byte) error {
	return eachBox(b, func(kind string, traf []byte) error {
		if kind != "traf" {
			return nil
		}
		dated := false
		err := eachBox(traf, func(kind string, body []byte) error {
			switch {
			case kind == "tfdt":
				dated = true
			case kind == "tfhd" && (len(body) < 8 || binary.BigEndian.Uint32(body)&defaultBaseIsMoof == 0):
				return fmt.Errorf("a tfhd without default-base-is-moof")
			}
			return nil
		})
		if err == nil && !dated {
			err = fmt.Errorf("a traf without tfdt")
		}
		return err
	})
}

func eachBox(b []byte, each func(kind string, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return fmt.Errorf("%d bytes after the last box", len(b))
		}
		n := binary.BigEndian.Uint32(b)
		if n < 8 || int64(n) > int64(len(b)) {
			return fmt.Errorf("a box of %d bytes in %d", n, len(b))
		}
		if err := each(string(b[4:8]), b[8:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// line of time: where the next sample of each track must begin, and where the next segment.
type timeline struct {
	ends    map[int]int64
	edge    float64 // of the leading track, as durations say; NaN: not known
	disc    int
	frames  int // of the leading track, in segments
	seconds float64
}

// enter is told of each segment before its runs.
func (t *timeline) enter(s *segment) {
	if t.ends == nil || s.disc != t.disc || s.discontinuity {
		t.ends, t.edge, t.disc = map[int]int64{}, math.NaN(), s.disc
	}
}

// take checks that a run begins where the one before it ends.
func (t *timeline) take(r *run, where string, holes bool, wrong say) {
	end, known := t.ends[r.track.ID]
	switch step := r.base - end; {
	case known && step < 0:
		wrong(Times, "%s: track %d begins at %d, before the end of what went before at %d", where, r.track.ID, r.base, end)
	case known && step > 0 && !holes:
		wrong(Times, "%s: track %d begins at %d, %.3f s after what went before", where, r.track.ID, r.base, r.seconds(step))
	}
	t.ends[r.track.ID] = r.base + r.duration
}

// span is what the leading track has in some runs: where it begins and ends, in seconds. ok is false when it has
// nothing.
func span(x *initSegment, runs []run) (begin, end float64, samples int, ok bool) {
	lead := x.lead().ID
	for i := range runs {
		r := &runs[i]
		if r.track.ID != lead {
			continue
		}
		if !ok {
			begin, ok = r.seconds(r.base), true
		}
		end = r.seconds(r.base + r.duration)
		samples += r.samples
	}
	return begin, end, samples, ok
}

// measure holds EXTINF against decode times, and their sum since the last discontinuity.
func (t *timeline) measure(s *segment, x *initSegment, runs []run, holes bool, wrong say) {
	begin, end, samples, ok := span(x, runs)
	if !ok || holes {
		t.edge = math.NaN()
		return
	}
	t.frames, t.seconds = t.frames+samples, t.seconds+end-begin
	if math.Abs(end-begin-s.duration) > looseTime {
		wrong(Durations, "segment %d: EXTINF is %s, its decode times span %.6f s", s.number, s.text, end-begin)
	}
	if math.Abs(begin-t.edge) > looseTime { // never of NaN
		wrong(Durations, "segment %d begins at %.6f s, durations since the last discontinuity say %.6f s", s.number, begin, t.edge)
	}
	if math.IsNaN(t.edge) {
		t.edge = begin
	}
	t.edge += s.duration
}
