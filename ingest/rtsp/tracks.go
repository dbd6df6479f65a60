package rtsp

import (
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"

	"chalkcast/media"
)

// track is one track of a broadcast.
type track struct {
	media.Track // Params is nil until known
	source      *description.Media
	format      format.Format
	unpack      unpacker
	counted     bool // a unit arrived
	started     bool // the session knows it
}

// unpacker turns the packets of a track into units. ticks is the packet's time, unwrapped. It is given packets in
// their order, with gaps where some were lost. The error ends the broadcast.
type unpacker interface {
	unpack(p rtpPacket, ticks media.Ticks) ([]unit, error)
}

// unit is a frame whose time is still that of its RTP stream.
type unit struct {
	pts, dts media.Ticks
	sync     bool
	params   *media.Params // not nil when they changed before this unit
	data     []byte
}

func brokenf(text string, a ...any) *media.Refusal {
	return &media.Refusal{Code: media.StreamBroken, Detail: fmt.Sprintf(text, a...)}
}

// tracksOf returns the tracks that an encoder announced: at most one picture and one sound. Other kinds of media,
// like a camera's metadata, are left out. The error is a *media.Refusal.
func tracksOf(d *description.Session, s *counters) ([]*track, error) {
	var tracks []*track
	seen := map[media.Kind]bool{}
	for _, m := range d.Medias {
		kind := kindOf(m)
		if kind == 0 {
			continue
		}
		if seen[kind] {
			return nil, brokenf("more than one %s track", kind)
		}
		seen[kind] = true
		t, err := newTrack(m, kind, s)
		if err != nil {
			return nil, err
		}
		t.ID = len(tracks)
		tracks = append(tracks, t)
	}
	if len(tracks) == 0 {
		return nil, brokenf("no picture and no sound")
	}
	return tracks, nil
}

func kindOf(m *description.Media) media.Kind {
	switch m.Type {
	case description.MediaTypeVideo:
		return media.Video
	case description.MediaTypeAudio:
		return media.Audio
	}
	return 0
}

// newTrack takes the first format of m that we carry.
func newTrack(m *description.Media, kind media.Kind, s *counters) (*track, error) {
	var first error
	for _, f := range m.Formats {
		t := &track{source: m, format: f}
		t.Kind = kind
		err := t.prepare(s)
		if err == nil {
			return t, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// prepare fills in what depends on the format. The error is a *media.Refusal.
func (t *track) prepare(s *counters) (err error) {
	switch f := t.format.(type) {
	case *format.H264:
		t.Clock = videoClock
		t.unpack, t.Params, err = newAVC(f, s)
	case *format.H265:
		t.Clock = videoClock
		t.unpack, t.Params, err = newHEVC(f, s)
	case *format.MPEG4Audio:
		t.unpack, t.Params, err = newAAC(f)
	case *format.MPEG4AudioLATM:
		t.unpack, t.Params, err = newLATM(f)
	case *format.Opus:
		t.unpack, t.Params, err = newOpus(f)
	default:
		err = unsupported(t.Kind, t.format.Codec())
	}
	if err != nil {
		return err
	}
	if (t.Kind == media.Video) != (t.Clock == videoClock) {
		return unsupported(t.Kind, t.format.Codec()) // a picture announced as sound, or sound as a picture
	}
	if t.Kind == media.Audio {
		t.Clock = t.Params.SampleRate
	}
	return nil
}

func unsupported(kind media.Kind, codec string) *media.Refusal {
	if kind == media.Video {
		return &media.Refusal{Code: media.VideoCodec, Detail: codec}
	}
	return &media.Refusal{Code: media.AudioCodec, Detail: codec}
}
