package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"chalkcast/media"
)

const (
	aacFrame      = 1024 // samples
	aacShortFrame = 960
	opusClock     = 48000
)

// aac unpacks the form of RFC 3640.
type aac struct {
	packets rtpmpeg4audio.Decoder
	frame   media.Ticks
}

func newAAC(f *format.MPEG4Audio) (unpacker, *media.Params, error) {
	params, frame, err := aacParams(f.Config)
	if err != nil {
		return nil, nil, err
	}
	if f.SizeLength > 16 || f.IndexLength > 16 || f.IndexDeltaLength > 16 {
		return nil, nil, brokenf("AAC with header fields of %d, %d and %d bits", f.SizeLength, f.IndexLength, f.IndexDeltaLength)
	}
	return &aac{frame: frame, packets: rtpmpeg4audio.Decoder{
		SizeLength: f.SizeLength, IndexLength: f.IndexLength, IndexDeltaLength: f.IndexDeltaLength,
	}}, params, nil
}

// aacParams reads a configuration. The clock of HE-AAC over RTP is either of its two sample rates, and encoders do
// not agree which: it is refused rather than played at half speed.
func aacParams(c *mpeg4audio.AudioSpecificConfig) (*media.Params, media.Ticks, error) {
	if c.ExtensionSampleRate != 0 && c.ExtensionSampleRate != c.SampleRate {
		return nil, 0, unsupported(media.Audio, "HE-AAC over RTSP")
	}
	config, err := c.Marshal()
	if err != nil {
		return nil, 0, brokenf("AAC configuration: %v", err)
	}
	params, err := media.NewAACParams(config)
	if err != nil {
		return nil, 0, brokenf("%v", err)
	}
	if c.FrameLengthFlag {
		return params, aacShortFrame, nil
	}
	return params, aacFrame, nil
}

func (a *aac) unpack(p rtpPacket, ticks media.Ticks) ([]unit, error) {
	frames, err := a.packets.Decode(p)
	if err != nil {
		return nil, nil // incomplete, or lost: sound goes on with the next packet
	}
	return sounds(frames, ticks, a.frame), nil
}

// sounds returns a unit for each frame, one after the other.
func sounds(frames [][]byte, ticks, length media.Ticks) (units []unit) {
	for _, frame := range frames {
		if len(frame) > 0 {
			units = append(units, unit{pts: ticks, dts: ticks, sync: true, data: frame})
		}
		ticks += length
	}
	return units
}

// latm unpacks the form of RFC 6416 with its configuration in the description, as GStreamer sends it.
type latm struct {
	packets rtpfragmented.Decoder
	frame   media.Ticks
}

func newLATM(f *format.MPEG4AudioLATM) (unpacker, *media.Params, error) {
	m := f.StreamMuxConfig
	if f.CPresent || m == nil {
		return nil, nil, unsupported(media.Audio, "AAC in LATM with its configuration in the stream")
	}
	if !oneLayer(m) {
		return nil, nil, unsupported(media.Audio, "AAC in LATM with several layers")
	}
	params, frame, err := aacParams(m.Programs[0].Layers[0].AudioSpecificConfig)
	if err != nil {
		return nil, nil, err
	}
	return &latm{frame: frame}, params, nil
}

// oneLayer reports whether each element of the stream is the length of a frame and the frame.
func oneLayer(m *mpeg4audio.StreamMuxConfig) bool {
	if m.NumSubFrames != 0 || len(m.Programs) != 1 || len(m.Programs[0].Layers) != 1 {
		return false
	}
	switch m.Programs[0].Layers[0].FrameLengthType {
	case 0:
		return !m.OtherDataPresent
	case 2:
		// GStreamer puts the extension of an AudioSpecificConfig, 0x2b7…, where a frame length type is due, and
		// all that follows is misread. There is no type 2.
		return true
	}
	return false
}

func (l *latm) unpack(p rtpPacket, ticks media.Ticks) ([]unit, error) {
	b, err := l.packets.Decode(p)
	if err != nil {
		return nil, nil
	}
	frames, err := latmFrames(b)
	if err != nil {
		return nil, nil
	}
	return sounds(frames, ticks, l.frame), nil
}

var errLATM = errors.New("bad LATM element")

// latmFrames reads AudioMuxElements of one layer (ISO/IEC 14496-3 section 1.7.3): a length in bytes of which each
// 255 goes on, then that many bytes.
func latmFrames(b []byte) (frames [][]byte, err error) {
	for len(b) > 0 {
		size, i := 0, 0
		for ; i < len(b); i++ {
			size += int(b[i])
			if b[i] != 255 {
				break
			}
		}
		if i == len(b) || size > len(b)-i-1 {
			return nil, fmt.Errorf("%w: %d bytes announced, %d there", errLATM, size, max(len(b)-i-1, 0))
		}
		frames = append(frames, b[i+1:i+1+size])
		b = b[i+1+size:]
	}
	return frames, nil
}

// opus takes packets as they are (RFC 7587).
type opus struct{}

func newOpus(f *format.Opus) (unpacker, *media.Params, error) {
	if f.ChannelCount < 1 || f.ChannelCount > 2 {
		return nil, nil, unsupported(media.Audio, fmt.Sprintf("Opus with %d channels", f.ChannelCount))
	}
	params, err := media.NewOpusParams([]byte{
		0, byte(f.ChannelCount), 0, 0, 0, 0, opusClock >> 8, opusClock & 0xff, 0, 0, 0,
	})
	if err != nil {
		return nil, nil, brokenf("%v", err)
	}
	return opus{}, params, nil
}

func (opus) unpack(p *rtp.Packet, ticks media.Ticks) ([]unit, error) {
	return sounds([][]byte{p.Payload}, ticks, 0), nil
}
