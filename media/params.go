package media

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// Params is what a decoder must know before the first frame of a track. It is immutable and safe to share; when
// an encoder changes anything, a new Params begins a new generation.
type Params struct {
	Codec  Codec
	Config []byte // as fMP4 stores it: the payload of avcC, hvcC, av1C, vpcC or dOps; for AAC the AudioSpecificConfig
	MIME   string // RFC 6381, for CODECS: avc1.64001f, mp4a.40.2
	Words  string // for people: "H.264 High", "AAC stereo"

	Width, Height  int // video: pixels shown, after cropping
	FrameRateMilli int // video: frames per 1000 s as the stream declares it, 0 when it does not
	NALLengthSize  int // H.264, HEVC: bytes of the length before each NAL unit: 1, 2 or 4

	SampleRate, Channels int // audio
	FrameSamples         int // AAC: samples of every frame, 1024 or 960
}

// Limits of what we accept as parameters.
const (
	maxConfigBytes = 16 << 10
	MaxWidth       = 4096
	MaxHeight      = 2304
)

// ErrParams is wrapped by every error about a configuration record that cannot be used.
var ErrParams = errors.New("bad codec parameters")

func paramsErrorf(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrParams, fmt.Sprintf(format, a...))
}

// AVC is the content of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1).
type AVC struct {
	NALLengthSize int
	SPS, PPS      [][]byte
}

// ParseAVC reads an avcC payload of at most 16 KiB. The parameter sets alias b.
func ParseAVC(b []byte) (AVC, error) {
	if len(b) < 7 || len(b) > maxConfigBytes {
		return AVC{}, paramsErrorf("avcC of %d bytes", len(b))
	}
	if b[0] != 1 {
		return AVC{}, paramsErrorf("avcC version %d", b[0])
	}
	a := AVC{NALLengthSize: int(b[4]&3) + 1}
	rest := b[6:]
	var err error
	if a.SPS, rest, err = parameterSets(rest, int(b[5]&0x1f)); err != nil {
		return AVC{}, err
	}
	if len(rest) == 0 {
		return AVC{}, paramsErrorf("avcC ends before its PPS count")
	}
	if a.PPS, _, err = parameterSets(rest[1:], int(rest[0])); err != nil {
		return AVC{}, err
	}
	if a.NALLengthSize == 3 || len(a.SPS) == 0 || len(a.PPS) == 0 {
		return AVC{}, paramsErrorf("avcC with %d SPS, %d PPS, NAL length size %d", len(a.SPS), len(a.PPS), a.NALLengthSize)
	}
	return a, nil
}

func parameterSets(b []byte, n int) (sets [][]byte, rest []byte, err error) {
	for range n {
		if len(b) < 2 {
			return nil, nil, paramsErrorf("avcC is cut short")
		}
		size := int(b[0])<<8 | int(b[1])
		if size == 0 || len(b) < 2+size {
			return nil, nil, paramsErrorf("avcC announces a parameter set of %d bytes", size)
		}
		sets, b = append(sets, b[2:2+size]), b[2+size:]
	}
	return sets, b, nil
}

// Marshal writes the avcC payload for parameter sets that came in band, as RTSP encoders send them.
func (a AVC) Marshal() []byte {
	sps := a.SPS[0]
	b := []byte{1, sps[1], sps[2], sps[3], 0xfc | byte(a.NALLengthSize-1), 0xe0 | byte(len(a.SPS))}
	for _, s := range a.SPS {
		b = append(append(b, byte(len(s)>>8), byte(len(s))), s...)
	}
	b = append(b, byte(len(a.PPS)))
	for _, p := range a.PPS {
		b = append(append(b, byte(len(p)>>8), byte(len(p))), p...)
	}
	switch sps[1] {
	case 66, 77, 88:
	default: // High profiles add chroma format and bit depths (ISO/IEC 14496-15 section 5.3.3.1.2)
		var s h264.SPS
		if s.Unmarshal(sps) == nil {
			b = append(b, 0xfc|byte(s.ChromaFormatIdc), 0xf8|byte(s.BitDepthLumaMinus8), 0xf8|byte(s.BitDepthChromaMinus8), 0)
		}
	}
	return b
}

// NewH264Params reads an avcC payload. It copies what it keeps. Errors wrap ErrParams.
func NewH264Params(avcC []byte) (*Params, error) {
	a, err := ParseAVC(avcC)
	if err != nil {
		return nil, err
	}
	sps := a.SPS[0]
	if len(sps) < 4 {
		return nil, paramsErrorf("SPS of %d bytes", len(sps))
	}
	var s h264.SPS
	if err := s.Unmarshal(sps); err != nil {
		return nil, paramsErrorf("SPS: %v", err)
	}
	p := &Params{
		Codec:         H264,
		Config:        append([]byte(nil), avcC...),
		MIME:          "avc1." + hex.EncodeToString(sps[1:4]),
		Words:         "H.264 " + h264Profile(s.ProfileIdc),
		Width:         s.Width(),
		Height:        s.Height(),
		NALLengthSize: a.NALLengthSize,
	}
	if t := s.VUI; t != nil && t.TimingInfo != nil {
		p.FrameRateMilli = int(s.FPS()*1000 + 0.5)
	}
	return p, p.checkSize()
}

func (p *Params) checkSize() error {
	if p.Width < 16 || p.Height < 16 || p.Width > MaxWidth || p.Height > MaxHeight {
		return paramsErrorf("picture of %d×%d, allowed is 16×16 to %d×%d", p.Width, p.Height, MaxWidth, MaxHeight)
	}
	return nil
}

func h264Profile(idc uint8) string {
	switch idc {
	case 66:
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		return "High"
	case 110:
		return "High 10"
	case 122:
		return "High 4:2:2"
	case 244:
		return "High 4:4:4"
	}
	return fmt.Sprintf("profile %d", idc)
}

// NewAACParams reads an AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1). It copies what it keeps.
func NewAACParams(asc []byte) (*Params, error) {
	if len(asc) < 2 || len(asc) > 64 {
		return nil, paramsErrorf("AudioSpecificConfig of %d bytes", len(asc))
	}
	var c mpeg4audio.AudioSpecificConfig
	if err := c.Unmarshal(asc); err != nil {
		return nil, paramsErrorf("AudioSpecificConfig: %v", err)
	}
	channels := int(c.ChannelConfig) // 0 when the frames themselves say it
	if channels == 7 {
		channels = 8
	}
	return &Params{
		Codec:      AAC,
		Config:     append([]byte(nil), asc...),
		MIME:       fmt.Sprintf("mp4a.40.%d", c.Type),
		Words:      "AAC " + channelWords(channels),
		SampleRate: c.SampleRate,
		Channels:   channels,

		FrameSamples: map[bool]int{false: 1024, true: 960}[c.FrameLengthFlag],
	}, nil
}

func channelWords(n int) string {
	switch n {
	case 1:
		return "mono"
	case 2:
		return "stereo"
	case 6:
		return "5.1"
	}
	return fmt.Sprintf("%d channels", n)
}

// CodecsAttribute joins the MIME names of tracks for the CODECS attribute of a playlist, each once.
func CodecsAttribute(params ...*Params) string {
	var names []string
	for _, p := range params {
		if p != nil && !strings.Contains(strings.Join(names, ","), p.MIME) {
			names = append(names, p.MIME)
		}
	}
	return strings.Join(names, ",")
}
