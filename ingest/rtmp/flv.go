package rtmp

import "chalkcast/media"

// tag is what one audio or video message says about one track.
type tag struct {
	kind  media.Kind
	track byte // as the encoder numbers tracks of a kind
	codec media.Codec
	name  string // of a codec that we do not carry; codec is 0 then
	form  tagForm
	key   bool  // video: the encoder calls it a key frame
	cto   int32 // ms
	data  []byte
}

type tagForm byte

const (
	tagNothing tagForm = iota // nothing for us
	tagHeader                 // data is a configuration record
	tagFrame                  // data is one frame
)

// maxTags limits the tracks of one message.
const maxTags = 16

// FourCC names of Enhanced RTMP.
var (
	videoFourCC = map[string]media.Codec{"avc1": media.H264, "hvc1": media.HEVC, "av01": media.AV1, "vp09": media.VP9}
	audioFourCC = map[string]media.Codec{"mp4a": media.AAC, "Opus": media.Opus}
	otherFourCC = map[string]string{
		"vp08": "VP8", "vvc1": "VVC", "ac-3": "AC-3", "ec-3": "E-AC-3", "fLaC": "FLAC", ".mp3": "MP3",
	}
)

// Codecs of legacy tags (FLV sections E.4.2.1 and E.4.3.1) that we do not carry, for people.
var (
	legacyVideo = map[byte]string{2: "Sorenson H.263", 3: "Screen Video", 4: "VP6", 5: "VP6", 6: "Screen Video 2", 8: "H.263", 9: "MPEG-4 Part 2"}
	legacyAudio = map[byte]string{
		0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser",
		7: "G.711 A-law", 8: "G.711 µ-law", 11: "Speex", 14: "MP3", 15: "device-specific sound",
	}
)

const (
	legacyH264     = 7
	legacyHEVC     = 12 // never standardized, sent by some hardware encoders
	legacyAAC      = 10
	enhancedAudio  = 9
	commandFrame   = 5 // a frame type that carries no picture
	keyFrame       = 1
	enhancedMarker = 0x80
)

// Packet types of Enhanced RTMP. Sound and pictures share those that we read.
const (
	packetSequenceStart = 0
	packetCodedFrames   = 1
	packetSequenceEnd   = 2
	packetFramesX       = 3
	packetMultitrack    = 0x6 // of pictures
	packetAudioTracks   = 0x5 // of sound
	packetModEx         = 7
)

// Forms of a multitrack packet.
const (
	oneTrack             = 0
	manyTracks           = 1
	manyTracksManyCodecs = 2
)

func tagErrorf(format string, a ...any) error { return protocolErrorf("tag: "+format, a...) }

// parseVideo reads the body of a video message. Tags alias b and are appended to tags.
func parseVideo(tags []tag, b []byte) ([]tag, error) {
	if len(b) < 1 {
		return nil, tagErrorf("empty video message")
	}
	if b[0]&enhancedMarker != 0 {
		return parseEnhanced(tags, media.Video, b)
	}
	t := tag{kind: media.Video, key: b[0]>>4 == keyFrame}
	if b[0]>>4 == commandFrame {
		return tags, nil
	}
	switch codec := b[0] & 0x0f; codec {
	case legacyH264:
		t.codec = media.H264
	case legacyHEVC:
		t.codec = media.HEVC
	default:
		t.name = legacyVideo[codec]
		if t.name == "" {
			t.name = "an unknown codec"
		}
		return append(tags, t), nil
	}
	if len(b) < 5 {
		return nil, tagErrorf("video message of %d bytes", len(b))
	}
	t.cto, t.data = int24(b[2:]), b[5:]
	switch b[1] {
	case 0:
		t.form = tagHeader
	case 1:
		t.form = tagFrame
	}
	return append(tags, t), nil
}

// parseAudio reads the body of an audio message. Some encoders send empty ones.
func parseAudio(tags []tag, b []byte) ([]tag, error) {
	if len(b) == 0 {
		return tags, nil
	}
	t := tag{kind: media.Audio}
	switch codec := b[0] >> 4; codec {
	case enhancedAudio:
		return parseEnhanced(tags, media.Audio, b)
	case legacyAAC:
		t.codec = media.AAC
	default:
		t.name = legacyAudio[codec]
		if t.name == "" {
			t.name = "an unknown codec"
		}
		return append(tags, t), nil
	}
	if len(b) < 2 {
		return nil, tagErrorf("audio message of %d bytes", len(b))
	}
	t.data = b[2:]
	switch b[1] {
	case 0:
		t.form = tagHeader
	case 1:
		t.form = tagFrame
	}
	return append(tags, t), nil
}

// parseEnhanced reads a tag of Enhanced RTMP v2: ModEx packets first, then one track, or several.
func parseEnhanced(tags []tag, kind media.Kind, b []byte) ([]tag, error) {
	packet, frameType := b[0]&0x0f, byte(0)
	if kind == media.Video {
		frameType = b[0] >> 4 & 7
	}
	packet, b, err := skipModEx(packet, b[1:])
	if err != nil {
		return nil, err
	}
	if frameType == commandFrame {
		return tags, nil
	}
	key := frameType == keyFrame
	multitrack := byte(packetMultitrack)
	if kind == media.Audio {
		multitrack = packetAudioTracks
	}
	if packet == multitrack {
		return parseMultitrack(tags, kind, key, b)
	}
	if len(b) < 4 {
		return nil, tagErrorf("no FourCC in %d bytes", len(b))
	}
	t, err := enhancedTag(kind, packet, string(b[:4]), b[4:])
	t.key = key
	return append(tags, t), err
}

// skipModEx steps over modifiers, of which none changes what we do.
func skipModEx(packet byte, b []byte) (byte, []byte, error) {
	for packet == packetModEx {
		if len(b) < 1 {
			return 0, nil, tagErrorf("ModEx is cut short")
		}
		size, rest := int(b[0])+1, b[1:]
		if size == 256 {
			if len(rest) < 2 {
				return 0, nil, tagErrorf("ModEx is cut short")
			}
			size, rest = int(rest[0])<<8|int(rest[1]), rest[2:]
			size++
		}
		if len(rest) < size+1 {
			return 0, nil, tagErrorf("ModEx of %d bytes in %d", size, len(rest))
		}
		packet, b = rest[size]&0x0f, rest[size+1:]
	}
	return packet, b, nil
}

func parseMultitrack(tags []tag, kind media.Kind, key bool, b []byte) ([]tag, error) {
	if len(b) < 1 {
		return nil, tagErrorf("multitrack is cut short")
	}
	form, packet, fourCC := b[0]>>4, b[0]&0x0f, ""
	b = b[1:]
	if form > manyTracksManyCodecs {
		return tags, nil // a form that is not invented yet
	}
	if form != manyTracksManyCodecs {
		if len(b) < 4 {
			return nil, tagErrorf("multitrack without FourCC")
		}
		fourCC, b = string(b[:4]), b[4:]
	}
	for len(b) > 0 {
		if len(tags) >= maxTags {
			return nil, tagErrorf("more than %d tracks in a message", maxTags)
		}
		if form == manyTracksManyCodecs {
			if len(b) < 4 {
				return nil, tagErrorf("multitrack without FourCC")
			}
			fourCC, b = string(b[:4]), b[4:]
		}
		id, body, rest, err := trackBody(form, b)
		if err != nil {
			return nil, err
		}
		t, err := enhancedTag(kind, packet, fourCC, body)
		if err != nil {
			return nil, err
		}
		t.track, t.key, b = id, key, rest
		tags = append(tags, t)
	}
	return tags, nil
}

func trackBody(form byte, b []byte) (id byte, body, rest []byte, err error) {
	if len(b) < 1 {
		return 0, nil, nil, tagErrorf("multitrack without track")
	}
	if form == oneTrack {
		return b[0], b[1:], nil, nil
	}
	if len(b) < 4 {
		return 0, nil, nil, tagErrorf("multitrack is cut short")
	}
	size := int(uint24(b[1:]))
	if size > len(b)-4 {
		return 0, nil, nil, tagErrorf("track of %d bytes in %d", size, len(b)-4)
	}
	return b[0], b[4 : 4+size], b[4+size:], nil
}

// enhancedTag reads what follows the FourCC.
func enhancedTag(kind media.Kind, packet byte, fourCC string, b []byte) (tag, error) {
	t := tag{kind: kind}
	if kind == media.Video {
		t.codec = videoFourCC[fourCC]
	} else {
		t.codec = audioFourCC[fourCC]
	}
	if t.codec == 0 {
		t.name = otherFourCC[fourCC]
		if t.name == "" {
			t.name = "an unknown codec"
		}
	}
	switch packet {
	case packetSequenceStart:
		t.form = tagHeader
	case packetCodedFrames:
		t.form = tagFrame
		if t.codec == media.H264 || t.codec == media.HEVC {
			if len(b) < 3 {
				return tag{}, tagErrorf("coded frames without time")
			}
			t.cto, b = int24(b), b[3:]
		}
	case packetFramesX:
		if kind == media.Video {
			t.form = tagFrame
		}
	}
	t.data = b
	return t, nil
}

func int24(b []byte) int32 { return int32(uint24(b)<<8) >> 8 }
