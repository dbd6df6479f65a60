package rtmp

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"chalkcast/ingest"
	"chalkcast/media"
)

const (
	videoClock  = 90000
	perMS       = videoClock / 1000
	audioResync = 50 * time.Millisecond // RTMP rounds to 1 ms; encoders that correct their clock go further
	maxBad      = 30                    // broken pictures in a row that end a broadcast
)

// clock unwraps the 32-bit times of RTMP messages. All tracks of a connection share it.
type clock struct {
	started bool
	last    uint32
	ms      int64
}

func (c *clock) at(t uint32) int64 {
	if !c.started {
		c.started, c.last, c.ms = true, t, int64(t)
	}
	c.ms += unwrapped(t, c.last)
	c.last = t
	return c.ms
}

// unwrapped is how far t is ahead of last. OBS and ffmpeg keep 31 bits of 32: half a round is a whole one of theirs.
func unwrapped(t, last uint32) int64 {
	const half, quarter = 1 << 31, 1 << 30
	ahead := int64(int32(t - last))
	switch {
	case ahead < -quarter:
		return ahead + half
	case ahead >= quarter:
		return ahead - half
	}
	return ahead
}

// track is one track of an encoder.
type track struct {
	kind   media.Kind
	number byte          // as the encoder counts tracks of a kind
	params *media.Params // nil until its header arrived
	fresh  *media.Params // changed since the last frame
	sets   []nalUnit     // H.264, HEVC: of params
	header []byte        // VP9: the record, whose picture size only a key frame completes; AV1: the sequence header
	bad    int           // broken pictures in a row

	counting bool // audio: next is known
	next     media.Ticks
}

// change says what a tag did to its track beside being a frame.
type change byte

const (
	changeNothing change = iota
	changeTrack          // parameters arrived for the first time, or became another codec or clock
)

// read takes one tag at a time in ms. It returns a frame, whose Track the caller sets, or nil. The error is a
// *media.Refusal.
func (tr *track) read(t tag, ms int64) (*media.Frame, change, error) {
	switch t.form {
	case tagHeader:
		c, err := tr.readHeader(t)
		return nil, c, err
	case tagFrame:
		if len(t.data) == 0 {
			return nil, changeNothing, nil
		}
		if tr.kind == media.Audio {
			return tr.sound(t, ms), changeNothing, nil
		}
		return tr.picture(t, ms)
	}
	return nil, changeNothing, nil
}

func broken(detail error) *media.Refusal {
	return &media.Refusal{Code: media.StreamBroken, Detail: ingest.Printable(detail.Error(), 200)}
}

func (tr *track) readHeader(t tag) (change, error) {
	if t.codec == media.AAC && len(t.data) == 0 {
		return changeNothing, nil // of ffmpeg that copies ADTS: the one that says something follows
	}
	if t.codec == media.VP9 {
		tr.header = bytes.Clone(t.data)
		return changeNothing, nil
	}
	p, err := newParams(t.codec, t.data)
	if err != nil {
		return changeNothing, broken(err)
	}
	return tr.use(p), nil
}

func newParams(codec media.Codec, b []byte) (*media.Params, error) {
	switch codec {
	case media.H264:
		return media.NewH264Params(b)
	case media.HEVC:
		return media.NewHEVCParams(b)
	case media.AV1:
		return media.NewAV1Params(b)
	case media.AAC:
		return media.NewAACParams(b)
	}
	config, err := media.OpusConfig(b)
	if err != nil {
		return nil, err
	}
	return media.NewOpusParams(config)
}

// use makes p the track's parameters.
func (tr *track) use(p *media.Params) change {
	old := tr.params
	if old != nil && old.Codec == p.Codec && old.Width == p.Width && old.Height == p.Height && bytes.Equal(old.Config, p.Config) {
		return changeNothing
	}
	tr.params, tr.sets = p, nil
	switch p.Codec {
	case media.H264, media.HEVC:
		tr.sets = knownSets(p)
	case media.AV1:
		tr.header = media.AV1SequenceHeader(p.Config[4:])
	}
	if old == nil || old.Codec != p.Codec || old.SampleRate != p.SampleRate {
		tr.fresh, tr.counting = nil, false
		return changeTrack
	}
	tr.fresh = p
	return changeNothing
}

// frame makes a frame of data, which it keeps.
func (tr *track) frame(dts media.Ticks, cto int32, sync bool, data []byte) *media.Frame {
	f := &media.Frame{DTS: dts, CTO: cto, Sync: sync, Params: tr.fresh, Data: data}
	tr.fresh = nil
	return f
}

// sound counts time by samples, because that is exact, until the encoder's own time is too far away.
func (tr *track) sound(t tag, ms int64) *media.Frame {
	if tr.params == nil || t.codec != tr.params.Codec {
		return nil
	}
	rate := int64(tr.params.SampleRate)
	at := media.Ticks((ms*rate + 500) / 1000)
	away, most := at-tr.next, media.TicksOf(audioResync, int(rate))
	if !tr.counting || away > most || away < -most {
		tr.next, tr.counting = at, true
	}
	f := tr.frame(tr.next, 0, true, bytes.Clone(t.data))
	tr.next += tr.samples(t.data)
	return f
}

func (tr *track) samples(data []byte) media.Ticks {
	if tr.params.Codec == media.Opus {
		return media.OpusDuration(data)
	}
	return media.Ticks(tr.params.FrameSamples)
}

func (tr *track) picture(t tag, ms int64) (*media.Frame, change, error) {
	did, err := tr.lookInside(&t)
	if err != nil {
		return nil, did, broken(err)
	}
	if tr.params == nil || t.codec != tr.params.Codec || len(t.data) == 0 {
		return nil, did, nil
	}
	dts, cto := media.Ticks(ms*perMS), t.cto*perMS
	if t.codec == media.H264 || t.codec == media.HEVC {
		f, err := tr.nalPicture(t, dts, cto)
		return f, did, err
	}
	return tr.frame(dts, cto, t.key, t.data), did, nil
}

// lookInside finds what VP9 and AV1 say in the picture itself: parameters, and whether it is a key frame, which
// some encoders do not mark.
func (tr *track) lookInside(t *tag) (change, error) {
	switch t.codec {
	case media.VP9:
		t.key = media.VP9Keyframe(t.data)
		if t.key && tr.header != nil {
			p, err := media.NewVP9Params(tr.header, t.data)
			if err != nil {
				return changeNothing, err
			}
			return tr.use(p), nil
		}
	case media.AV1:
		t.data = media.AV1Sample(t.data)
		header := media.AV1SequenceHeader(t.data)
		t.key = t.key || header != nil
		if header != nil && tr.params != nil && !bytes.Equal(header, tr.header) {
			return tr.inBandAV1(header)
		}
	}
	return changeNothing, nil
}

func (tr *track) inBandAV1(header []byte) (change, error) {
	config, err := media.AV1Config(header)
	if err != nil {
		return changeNothing, err
	}
	p, err := media.NewAV1Params(config)
	if err != nil {
		return changeNothing, err
	}
	return tr.use(p), nil
}

// nalPicture passes a picture through, after a look at its NAL units: parameter sets may have changed in band,
// and some encoders send parameter sets alone, as a picture that is none.
func (tr *track) nalPicture(t tag, dts media.Ticks, cto int32) (*media.Frame, error) {
	u, err := readUnit(t.codec, tr.params.NALLengthSize, t.data)
	if err != nil {
		if tr.bad++; tr.bad > maxBad {
			return nil, broken(err)
		}
		return nil, nil
	}
	tr.bad = 0
	if merged := mergeSets(t.codec, tr.sets, u.sets); merged != nil {
		p, err := paramsOf(t.codec, tr.params.NALLengthSize, merged)
		if err != nil {
			return nil, broken(err)
		}
		tr.use(p)
	}
	if !u.picture {
		return nil, nil
	}
	return tr.frame(dts, cto, u.sync, t.data), nil
}

// trackSet is all tracks of an encoder, pictures before sound, in the encoder's numbers. A track's place is its
// media.Track.ID.
type trackSet []*track

func (s trackSet) find(kind media.Kind, number byte) *track {
	for _, tr := range s {
		if tr.kind == kind && tr.number == number {
			return tr
		}
	}
	return nil
}

func (s trackSet) count(kind media.Kind) (n int) {
	for _, tr := range s {
		if tr.kind == kind {
			n++
		}
	}
	return n
}

// sorted returns the set in the order of media.Track.ID.
func (s trackSet) sorted() trackSet {
	slices.SortStableFunc(s, func(a, b *track) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return int(a.number) - int(b.number)
	})
	return s
}

func (s trackSet) tracks() []media.Track {
	out := make([]media.Track, len(s))
	for i, tr := range s {
		out[i] = media.Track{ID: i, Kind: tr.kind, Clock: videoClock, Params: tr.params}
		if tr.kind == media.Audio {
			out[i].Clock = tr.params.SampleRate
		}
		if tr.number > 0 {
			out[i].Label = strconv.Itoa(int(tr.number))
		}
	}
	return out
}

// place returns the media.Track.ID of a track of the set.
func (s trackSet) place(tr *track) int { return slices.Index(s, tr) }
