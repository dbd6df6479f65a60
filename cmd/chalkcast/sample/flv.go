package sample

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/abema/go-mp4"
	"github.com/bluenviron/gortmplib/pkg/message"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

//go:embed clip.flv
var clip []byte

// What stands before the body of an FLV tag, and before the first tag (FLV specification 10.1, annex E.2 to E.4).
const (
	fileHeaderBytes = 9 + 4
	tagHeaderBytes  = 11
	tagTailBytes    = 4

	tagAudio, tagVideo = 8, 9
)

// Clip is an FLV file taken apart: the sequence headers that open a stream, and the frames in the order of the
// file, each with its time in it. It is read-only once Read has returned; any number of encoders may push it.
type Clip struct {
	headers []message.Message
	frames  []frame
	round   time.Duration // after which the next round begins
}

// Lesson returns the embedded clip: 24 s, which are 600 pictures at 25 a second and 1125 blocks of 1024 samples at
// 48 kHz.
func Lesson() (*Clip, error) { return Read(clip) }

type frame struct {
	at    time.Duration
	video *message.Video // one of the two is set
	audio *message.Audio
}

// message returns the frame as it is sent in the round that began at start, behind what prefix returns.
func (f frame) message(start time.Duration, prefix func() []byte) message.Message {
	if f.video != nil {
		v := *f.video
		v.DTS = start + f.at
		if prefix != nil {
			v.AU = append(prefix(), v.AU...)
		}
		return &v
	}
	a := *f.audio
	a.DTS = start + f.at
	return &a
}

// Frame is a frame of the clip as a viewer must get it.
type Frame struct {
	Video bool
	DTS   time.Duration // from the start of the file, in whole milliseconds, as FLV keeps it
	PTS   time.Duration
	Data  []byte // length-prefixed NAL units, or one AAC block; read-only
}

// Frames returns every frame of the clip's file in its order, for tests that compare what comes out of the server
// with what went in. There is one AAC block more than a round holds: the encoder's run-in.
func Frames() ([]Frame, error) {
	c, err := Lesson()
	if err != nil {
		return nil, err
	}
	var frames []Frame
	for _, f := range c.frames {
		if f.video != nil {
			frames = append(frames, Frame{Video: true, DTS: f.at, PTS: f.at + f.video.PTSDelta, Data: f.video.AU})
		} else {
			frames = append(frames, Frame{DTS: f.at, PTS: f.at, Data: f.audio.AU})
		}
	}
	return frames, nil
}

// oneRound returns the frames without those that begin a whole round after the first frame of their track: the next
// round brings them.
func (c *Clip) oneRound() []frame {
	first := map[bool]time.Duration{}
	var frames []frame
	for _, f := range c.frames {
		isVideo := f.video != nil
		if _, seen := first[isVideo]; !seen {
			first[isVideo] = f.at
		}
		if f.at < first[isVideo]+c.round {
			frames = append(frames, f)
		}
	}
	return frames
}

// length returns how long the pictures last, in whole milliseconds: from the first to the last of them, and one
// step more.
func length(frames []frame) (time.Duration, error) {
	var first, last time.Duration
	pictures := 0
	for _, f := range frames {
		if f.video == nil {
			continue
		}
		if pictures++; pictures == 1 {
			first = f.at
		}
		last = f.at
	}
	if pictures < 2 || last <= first {
		return 0, errors.New("no moving picture")
	}
	step := (last - first) / time.Duration(pictures-1)
	return (last - first + step).Round(time.Millisecond), nil
}

// Read takes an FLV file of H.264 and AAC apart. The clip refers to flv.
func Read(flv []byte) (*Clip, error) {
	if len(flv) < fileHeaderBytes || string(flv[:3]) != "FLV" {
		return nil, errors.New("not an FLV file")
	}
	c := &Clip{}
	for rest := flv[fileHeaderBytes:]; len(rest) > 0; {
		kind, at, body, size, err := tag(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[size:]
		f, header, err := parse(kind, body)
		switch {
		case err != nil:
			return nil, fmt.Errorf("tag at %v: %w", at, err)
		case header != nil:
			c.headers = append(c.headers, header)
			continue
		case f.video == nil && f.audio == nil:
			continue
		}
		f.at = at
		c.frames = append(c.frames, f)
	}
	var err error
	c.round, err = length(c.frames)
	return c, err
}

// tag returns the first tag of b and how many bytes it takes with its tail.
func tag(b []byte) (kind byte, at time.Duration, body []byte, size int, err error) {
	if len(b) < tagHeaderBytes {
		return 0, 0, nil, 0, errors.New("tag is cut short")
	}
	length := int(b[1])<<16 | int(binary.BigEndian.Uint16(b[2:]))
	size = tagHeaderBytes + length + tagTailBytes
	if len(b) < size {
		return 0, 0, nil, 0, errors.New("tag is cut short")
	}
	ms := uint32(b[7])<<24 | uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6])
	return b[0] & 0x1f, time.Duration(ms) * time.Millisecond, b[tagHeaderBytes : tagHeaderBytes+length], size, nil
}

// parse reads the body of a tag: a frame, a sequence header, or neither.
func parse(kind byte, body []byte) (f frame, header message.Message, err error) {
	switch {
	case kind == tagVideo && len(body) > 5 && body[0]&0x0f == message.CodecH264:
		return video(body)
	case kind == tagAudio && len(body) > 2 && body[0]>>4 == message.CodecMPEG4Audio:
		return audio(body)
	}
	return frame{}, nil, nil
}

func video(body []byte) (frame, message.Message, error) {
	v := &message.Video{
		ChunkStreamID: message.VideoChunkStreamID, MessageStreamID: streamID, Codec: message.CodecH264,
		IsKeyFrame: body[0]>>4 == 1, Type: message.VideoType(body[1]),
	}
	switch v.Type {
	case message.VideoTypeConfig:
		v.AVCConfig = &mp4.AVCDecoderConfiguration{}
		v.AVCConfig.SetType(mp4.BoxTypeAvcC())
		_, err := mp4.Unmarshal(bytes.NewReader(body[5:]), uint64(len(body)-5), v.AVCConfig, mp4.Context{})
		return frame{}, v, err
	case message.VideoTypeAU:
		cto := int32(uint32(body[2])<<24|uint32(body[3])<<16|uint32(body[4])<<8) >> 8
		v.PTSDelta, v.AU = time.Duration(cto)*time.Millisecond, body[5:]
		return frame{video: v}, nil, nil
	}
	return frame{}, nil, nil
}

func audio(body []byte) (frame, message.Message, error) {
	a := &message.Audio{
		ChunkStreamID: message.AudioChunkStreamID, MessageStreamID: streamID, Codec: message.CodecMPEG4Audio,
		Rate: message.AudioRate44100, Depth: message.AudioDepth16, IsStereo: true, AACType: message.AudioAACType(body[1]),
	}
	if a.AACType == message.AudioAACTypeConfig {
		a.AACConfig = &mpeg4audio.AudioSpecificConfig{}
		return frame{}, a, a.AACConfig.Unmarshal(body[2:])
	}
	a.AU = body[2:]
	return frame{audio: a}, nil, nil
}
