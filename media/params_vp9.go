package media

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"
)

// vpccBytes is a vpcC payload without codec initialization data, which VP9 does not have.
const vpccBytes = 12

// NewVP9Params reads a vpcC payload (VP Codec ISO Media File Format Binding section 2.2), with or without the four
// bytes of version and flags in front, and a key frame, because the size of the picture stands only there. Config
// always has the four bytes. Errors wrap ErrParams.
func NewVP9Params(vpcC, keyframe []byte) (*Params, error) {
	if !bytes.HasPrefix(vpcC, []byte{1, 0, 0, 0}) || len(vpcC) < vpccBytes {
		vpcC = append([]byte{1, 0, 0, 0}, vpcC...)
	}
	if len(vpcC) < vpccBytes || len(vpcC) > maxConfigBytes {
		return nil, paramsErrorf("vpcC of %d bytes", len(vpcC))
	}
	var h vp9.Header
	if err := h.Unmarshal(keyframe); err != nil {
		return nil, paramsErrorf("VP9 frame: %v", err)
	}
	if h.NonKeyFrame || h.FrameSize == nil || h.ColorConfig == nil {
		return nil, paramsErrorf("not a VP9 key frame")
	}
	config := bytes.Clone(vpcC[:vpccBytes])
	config[4] = h.Profile // what the stream says is truer than what its envelope says
	config[6] = h.ColorConfig.BitDepth<<4 | h.ChromaSubsampling()<<1 | config[6]&1
	config[10], config[11] = 0, 0
	p := &Params{
		Codec:  VP9,
		Config: config,
		MIME:   fmt.Sprintf("vp09.%02d.%02d.%02d", h.Profile, config[5], h.ColorConfig.BitDepth),
		Words:  fmt.Sprintf("VP9 profile %d", h.Profile),
		Width:  h.Width(),
		Height: h.Height(),
	}
	return p, p.checkSize()
}

// VP9Keyframe reports whether decoding can start at a frame (VP9 section 6.2).
func VP9Keyframe(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	header := uint16(b[0])<<8 | uint16(b[1])
	if header>>14 != 2 {
		return false
	}
	if header>>12&3 == 3 { // profile 3 has a reserved bit more
		header <<= 1
	}
	const showExisting, notKey = 1 << 11, 1 << 10
	return header&(showExisting|notKey) == 0
}
