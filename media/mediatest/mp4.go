package mediatest

import (
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"chalkcast/media"
)

// MP4 writes the stream as a fragmented MP4 file with its exact times: what a program like ffmpeg takes to play
// the encoder.
func (s Stream) MP4() []byte {
	s = s.filled()
	tracks, frames := s.Tracks(), s.Frames()
	var init fmp4.Init
	part := fmp4.Part{}
	for _, track := range tracks {
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: track.ID + 1, TimeScale: uint32(track.Clock), Codec: s.codec(track.Kind)})
		part.Tracks = append(part.Tracks, &fmp4.PartTrack{ID: track.ID + 1})
	}
	length := map[media.Kind]uint32{media.Video: uint32(90000 / s.FPS), media.Audio: samplesPerFrame}
	for _, f := range frames {
		t := part.Tracks[f.Track]
		if len(t.Samples) == 0 {
			t.BaseTime = uint64(f.DTS)
		}
		t.Samples = append(t.Samples, &fmp4.Sample{
			Duration: length[tracks[f.Track].Kind], PTSOffset: f.CTO, IsNonSyncSample: !f.Sync, Payload: f.Data,
		})
	}
	var b seekablebuffer.Buffer
	for _, marshal := range []func() error{func() error { return init.Marshal(&b) }, func() error { return part.Marshal(&b) }} {
		if err := marshal(); err != nil {
			panic(err) // a stream that this package made
		}
	}
	return b.Bytes()
}

func (s Stream) codec(kind media.Kind) codecs.Codec {
	if kind == media.Video {
		return &codecs.H264{SPS: s.sps(), PPS: pps()}
	}
	c := &codecs.MPEG4Audio{}
	if err := c.Config.Unmarshal(s.audio().Config); err != nil {
		panic(err)
	}
	return c
}
