package rtsp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/pion/rtp"

	"chalkcast/media"
)

const (
	videoClock = 90000
	maxSet     = 4 << 10 // bytes of one parameter set; real ones have less than 100
	maxSets    = 16
	maxDepth   = 16 // pictures that decoding can be ahead (ITU-T H.264 section E.2.1)
)

// video unpacks H.264 or HEVC. After a lost packet nothing is let out until decoding can start again.
type video struct {
	count  *counters
	syntax syntax

	packets  depacketizer
	next     uint16 // sequence number that is due
	seen     bool
	pending  bool // the depacketizer holds units of an access unit of this time
	pendTime media.Ticks

	sets    []nal         // parameter sets in force
	params  *media.Params // made of them, nil until all types are there
	news    *media.Params // params that no unit has carried yet
	waiting bool          // for a picture at which decoding can start
	order   reorder
	plain   bool        // order failed: pictures are taken as they come
	last    media.Ticks // decode time of the unit before
	early   int         // pictures whose decode time the library tells too late, after the first it has seen
	due     media.Ticks // when the next of them is to be decoded
}

// depacketizer gathers the NAL units of an access unit.
type depacketizer interface {
	Decode(pkt *rtp.Packet) ([][]byte, error)
}

// reorder finds decode times, which RTP does not carry, from presentation times and the order of pictures.
type reorder interface {
	Extract(units [][]byte, pts int64) (int64, error)
}

// nal is a NAL unit with its type.
type nal struct {
	typ  byte
	data []byte
}

// syntax is what H.264 and HEVC do differently.
type syntax struct {
	typ             func(unit []byte) byte
	sets            []byte // types of parameter sets, all of which are needed
	skip            func(typ byte) bool
	picture, sync   func(typ byte) bool
	params          func(of func(typ byte) [][]byte) (*media.Params, error)
	depth           func(sps []byte) int // by how many pictures decoding is ahead of showing
	setWithDepth    byte
	newDepacketizer func() depacketizer
	newReorder      func() reorder
	split           bool // the depacketizer also ends an access unit when the time changes
}

// newAVC returns the unpacker for H.264 (RFC 6184), and the parameters when the description holds them.
func newAVC(f *format.H264, s *counters) (unpacker, *media.Params, error) {
	if f.PacketizationMode > 1 {
		return nil, nil, brokenf("H.264 packetization mode %d", f.PacketizationMode)
	}
	v := &video{count: s, waiting: true, syntax: syntax{
		typ:  func(unit []byte) byte { return unit[0] & 0x1f },
		sets: []byte{byte(h264.NALUTypeSPS), byte(h264.NALUTypePPS)},
		skip: func(typ byte) bool {
			return typ >= byte(h264.NALUTypeAccessUnitDelimiter) && typ <= byte(h264.NALUTypeFillerData)
		},
		picture: func(typ byte) bool { return 1 <= typ && typ <= byte(h264.NALUTypeIDR) },
		sync:    func(typ byte) bool { return typ == byte(h264.NALUTypeIDR) },
		params: func(of func(byte) [][]byte) (*media.Params, error) {
			a := media.AVC{NALLengthSize: 4, SPS: of(byte(h264.NALUTypeSPS)), PPS: of(byte(h264.NALUTypePPS))}
			if len(a.SPS) == 0 || len(a.PPS) == 0 || len(a.SPS[0]) < 4 {
				return nil, media.ErrParams
			}
			return media.NewH264Params(a.Marshal())
		},
		setWithDepth: byte(h264.NALUTypeSPS),
		depth: func(b []byte) int {
			var sps h264.SPS
			if sps.Unmarshal(b) != nil || sps.VUI == nil || sps.VUI.BitstreamRestriction == nil {
				return 0 // not told
			}
			return int(min(maxDepth, sps.VUI.BitstreamRestriction.MaxNumReorderFrames))
		},
		newDepacketizer: func() depacketizer { return &rtph264.Decoder{PacketizationMode: f.PacketizationMode} },
		newReorder: func() reorder {
			r := &h264.DTSExtractor{}
			r.Initialize()
			return r
		},
		split: true,
	}}
	return v.begin(f.SPS, f.PPS)
}

// newHEVC is the same for HEVC (RFC 7798).
func newHEVC(f *format.H265, s *counters) (unpacker, *media.Params, error) {
	if f.MaxDONDiff != 0 {
		return nil, nil, brokenf("HEVC with decoding order numbers")
	}
	v := &video{count: s, waiting: true, syntax: syntax{
		typ:     func(unit []byte) byte { return unit[0] >> 1 & 0x3f },
		sets:    []byte{byte(h265.NALUType_VPS_NUT), byte(h265.NALUType_SPS_NUT), byte(h265.NALUType_PPS_NUT)},
		skip:    func(typ byte) bool { return typ >= byte(h265.NALUType_AUD_NUT) && typ <= byte(h265.NALUType_FD_NUT) },
		picture: func(typ byte) bool { return typ < byte(h265.NALUType_VPS_NUT) },
		sync:    func(typ byte) bool { return typ >= byte(h265.NALUType_BLA_W_LP) && typ <= byte(h265.NALUType_CRA_NUT) },
		params: func(of func(byte) [][]byte) (*media.Params, error) {
			h := media.HVC{NALLengthSize: 4, VPS: of(byte(h265.NALUType_VPS_NUT)), SPS: of(byte(h265.NALUType_SPS_NUT)), PPS: of(byte(h265.NALUType_PPS_NUT))}
			config, err := h.Marshal()
			if err != nil {
				return nil, err
			}
			return media.NewHEVCParams(config)
		},
		setWithDepth: byte(h265.NALUType_SPS_NUT),
		depth: func(b []byte) int {
			var sps h265.SPS
			if sps.Unmarshal(b) != nil || len(sps.MaxNumReorderPics) == 0 {
				return 0
			}
			return int(min(maxDepth, sps.MaxNumReorderPics[len(sps.MaxNumReorderPics)-1]))
		},
		newDepacketizer: func() depacketizer { return &rtph265.Decoder{} },
		newReorder: func() reorder {
			r := &h265.DTSExtractor{}
			r.Initialize()
			return r
		},
	}}
	return v.begin(f.VPS, f.SPS, f.PPS)
}

// begin takes the sets of the description, some of which may be missing.
func (v *video) begin(sets ...[]byte) (unpacker, *media.Params, error) {
	v.packets = v.syntax.newDepacketizer()
	var news []nal
	for _, set := range sets {
		if len(set) > 0 {
			news = append(news, nal{v.syntax.typ(set), set})
		}
	}
	if err := v.merge(news); err != nil {
		return nil, nil, brokenf("%v", err)
	}
	v.news = nil // the track says it
	return v, v.params, nil
}

func (v *video) unpack(p rtpPacket, ticks media.Ticks) ([]unit, error) {
	if v.seen && p.SequenceNumber != v.next {
		v.restart()
	}
	v.seen, v.next = true, p.SequenceNumber+1
	units, err := v.packets.Decode(p)
	switch {
	case errors.Is(err, rtph264.ErrMorePacketsNeeded), errors.Is(err, rtph265.ErrMorePacketsNeeded):
		if !v.pending {
			v.pending, v.pendTime = true, ticks
		}
		return nil, nil
	case errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious), errors.Is(err, rtph265.ErrNonStartingPacketAndNoPrevious):
		return nil, nil
	case err != nil:
		v.count.broken.Add(1)
		v.restart()
		return nil, nil
	}
	return v.accessUnit(units, v.timeOf(ticks))
}

// timeOf returns the time of the access unit that just ended with a packet of this time. Encoders that set no
// markers end one with the first packet of the next.
func (v *video) timeOf(ticks media.Ticks) media.Ticks {
	if v.syntax.split && v.pending && v.pendTime != ticks {
		ended := v.pendTime
		v.pendTime = ticks
		return ended
	}
	v.pending = false
	return ticks
}

// restart forgets what is incomplete and waits for the next keyframe.
func (v *video) restart() {
	v.packets = v.syntax.newDepacketizer()
	v.pending = false
	v.waiting = true
}

// accessUnit makes a unit of NAL units, or nothing when it cannot be decoded.
func (v *video) accessUnit(nals [][]byte, pts media.Ticks) ([]unit, error) {
	sets, rest, picture, sync := v.sort(nals)
	if err := v.merge(sets); err != nil {
		return nil, brokenf("%v", err)
	}
	if !picture {
		return nil, nil
	}
	if v.waiting && !sync || v.params == nil {
		v.count.skipped.Add(1)
		return nil, nil
	}
	dts, err := v.decodeTime(rest, pts, sync)
	if err != nil {
		v.count.skipped.Add(1)
		v.waiting = true
		return nil, nil
	}
	u := unit{pts: pts, dts: dts, sync: sync, params: v.news, data: join(rest)}
	v.news = nil
	return []unit{u}, nil
}

// sort parts NAL units into parameter sets and those that belong into a sample.
func (v *video) sort(nals [][]byte) (sets []nal, rest [][]byte, picture, sync bool) {
	for _, n := range nals {
		if len(n) == 0 {
			continue
		}
		typ := v.syntax.typ(n)
		switch {
		case slices.Contains(v.syntax.sets, typ):
			sets = append(sets, nal{typ, n})
		case !v.syntax.skip(typ):
			rest = append(rest, n)
			picture = picture || v.syntax.picture(typ)
			sync = sync || v.syntax.sync(typ)
		}
	}
	return sets, rest, picture, sync
}

// merge puts parameter sets into force: those of one type replace all of that type. When all types are there and
// something is new, it makes parameters of them.
func (v *video) merge(news []nal) error {
	if !slices.ContainsFunc(news, func(n nal) bool { return !v.has(n) }) {
		return nil
	}
	merged := slices.DeleteFunc(slices.Clone(v.sets), func(old nal) bool {
		return slices.ContainsFunc(news, func(n nal) bool { return n.typ == old.typ })
	})
	for _, n := range news {
		if len(n.data) > maxSet || len(merged) == maxSets {
			return fmt.Errorf("%w: parameter sets are too large", media.ErrParams)
		}
		merged = append(merged, nal{n.typ, bytes.Clone(n.data)})
	}
	v.sets = merged
	if slices.ContainsFunc(v.syntax.sets, func(typ byte) bool { return len(v.of(typ)) == 0 }) {
		return nil
	}
	params, err := v.syntax.params(v.of)
	if err != nil {
		return err
	}
	v.params, v.news = params, params
	return nil
}

func (v *video) has(n nal) bool {
	return slices.ContainsFunc(v.sets, func(old nal) bool { return old.typ == n.typ && bytes.Equal(old.data, n.data) })
}

// of returns the sets of one type.
func (v *video) of(typ byte) (list [][]byte) {
	for _, s := range v.sets {
		if s.typ == typ {
			list = append(list, s.data)
		}
	}
	return list
}

// decodeTime returns the decode time of a picture. Streams whose order of pictures the library cannot follow are
// taken to be in order.
func (v *video) decodeTime(rest [][]byte, pts media.Ticks, sync bool) (media.Ticks, error) {
	if v.waiting {
		v.waiting, v.plain, v.order, v.last = false, false, v.syntax.newReorder(), pts-videoClock
		v.early = v.depth()
		v.due = pts - media.Ticks(v.early)*v.frameTime()
	}
	dts := pts
	if !v.plain {
		units := rest
		if sync { // the library wants to see the sets
			units = nil
			for _, s := range v.sets {
				units = append(units, s.data)
			}
			units = append(units, rest...)
		}
		d, err := v.order.Extract(units, int64(pts))
		switch {
		case err == nil:
			dts = media.Ticks(d)
		case !sync:
			return 0, err
		default:
			v.plain, v.early = true, -1
		}
	}
	v.last = max(v.begun(dts), v.last+1)
	return v.last, nil
}

// begun corrects the decode times of the first pictures. The library takes the first to be decoded when it is shown,
// and lets the next ones follow closely until it has seen how far ahead decoding must be. Sound that belongs to the
// first picture would come before it.
func (v *video) begun(dts media.Ticks) media.Ticks {
	if v.early < 0 {
		return dts
	}
	v.early--
	due := v.due
	v.due += v.frameTime()
	return min(dts, due)
}

// depth is by how many pictures decoding is ahead of showing, 0 when the stream does not tell.
func (v *video) depth() int {
	sets := v.of(v.syntax.setWithDepth)
	if len(sets) == 0 {
		return 0
	}
	return v.syntax.depth(sets[0])
}

// frameTime is how long a picture is shown as far as the stream tells.
func (v *video) frameTime() media.Ticks {
	if v.params == nil || v.params.FrameRateMilli == 0 {
		return videoClock / 30
	}
	return media.Ticks(videoClock * 1000 / v.params.FrameRateMilli)
}

// join writes one sample: each unit after its length.
func join(units [][]byte) []byte {
	size := 0
	for _, n := range units {
		size += 4 + len(n)
	}
	b := make([]byte, 0, size)
	for _, n := range units {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(n))), n...)
	}
	return b
}
