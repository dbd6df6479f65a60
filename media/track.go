package media

// Kind tells pictures from sound.
type Kind uint8

const (
	Video Kind = iota + 1
	Audio
)

func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return "unknown kind"
}

// Codec is a coding that we carry. H.264 and AAC play everywhere; the others pass through untouched and play
// where the browser can.
type Codec uint8

const (
	H264 Codec = iota + 1
	HEVC
	AV1
	VP9
	AAC
	Opus
)

func (c Codec) String() string {
	switch c {
	case H264:
		return "H.264"
	case HEVC:
		return "HEVC"
	case AV1:
		return "AV1"
	case VP9:
		return "VP9"
	case AAC:
		return "AAC"
	case Opus:
		return "Opus"
	}
	return "unknown codec"
}

// Kind returns whether c codes pictures or sound.
func (c Codec) Kind() Kind {
	if c == AAC || c == Opus {
		return Audio
	}
	return Video
}

// Track is one stream of frames inside a broadcast. Tracks of one broadcast are numbered from 0 in the order in
// which the encoder announced them; video track 0 is the main picture.
type Track struct {
	ID     int
	Kind   Kind
	Clock  int // ticks per second: 90000 for video, the sample rate for audio
	Label  string
	Lang   string // BCP 47, empty when unknown
	Params *Params
}

// Frame is one coded picture or one packet of sound. It is read-only once handed on.
type Frame struct {
	Track         int   // Track.ID
	Sync          bool  // decoding can start here: an IDR picture, any sound
	Discontinuity bool  // media time does not continue from the frame before
	DTS           Ticks // decode time, unwrapped; never falls between two discontinuities
	CTO           int32 // composition offset in ticks: PTS − DTS
	Params        *Params
	// Data is exactly one fMP4 sample: NAL units with length prefixes, one raw AAC frame, one Opus packet.
	// Params above is set when the parameters changed right before this frame.
	Data []byte
}

// PTS returns the presentation time in ticks.
func (f *Frame) PTS() Ticks { return f.DTS + Ticks(f.CTO) }
