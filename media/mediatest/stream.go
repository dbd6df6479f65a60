package mediatest

import (
	"time"

	"chalkcast/media"
)

// Stream describes a stream. The zero value is ten seconds of 320×180 at 30 frames a second, an IDR picture
// every 2 s, no B pictures, with stereo sound at 48 kHz.
type Stream struct {
	Duration time.Duration
	Start    time.Duration // DTS of the first frame

	Width, Height int // even numbers, 16 to what media allows
	FPS           int // must divide 90000
	GOP           int // pictures from one IDR picture to the next, at most 127
	BFrames       int // between two P pictures
	Padding       int // bytes that make each picture bigger

	SampleRate int
	Channels   int // 1 or 2

	NoVideo, NoAudio bool
}

func (s Stream) filled() Stream {
	set := func(v *int, zero int) {
		if *v == 0 {
			*v = zero
		}
	}
	if s.Duration == 0 {
		s.Duration = 10 * time.Second
	}
	set(&s.Width, 320)
	set(&s.Height, 180)
	set(&s.FPS, 30)
	set(&s.GOP, 2*s.FPS)
	set(&s.SampleRate, 48000)
	set(&s.Channels, 2)
	return s
}

// Tracks returns the tracks: video, then audio, numbered from 0.
func (s Stream) Tracks() []media.Track {
	s = s.filled()
	var tracks []media.Track
	if !s.NoVideo {
		tracks = append(tracks, media.Track{Kind: media.Video, Clock: 90000, Params: s.video()})
	}
	if !s.NoAudio {
		tracks = append(tracks, media.Track{ID: len(tracks), Kind: media.Audio, Clock: s.SampleRate, Params: s.audio()})
	}
	return tracks
}

// Frames returns the frames of both tracks in the order of their decode time, video first when equal. All frames
// start before Start + Duration. With B pictures, pictures are shown one picture later than without, so that no
// composition offset is negative.
func (s Stream) Frames() []*media.Frame {
	s = s.filled()
	pictures, sounds := s.pictures(), s.sounds()
	out := make([]*media.Frame, 0, len(pictures)+len(sounds))
	for len(pictures) > 0 && len(sounds) > 0 {
		if int64(pictures[0].DTS)*int64(s.SampleRate) <= int64(sounds[0].DTS)*90000 {
			out, pictures = append(out, pictures[0]), pictures[1:]
		} else {
			out, sounds = append(out, sounds[0]), sounds[1:]
		}
	}
	return append(append(out, pictures...), sounds...)
}

func (s Stream) pictures() []*media.Frame {
	if s.NoVideo {
		return nil
	}
	perFrame := media.Ticks(90000 / s.FPS)
	start, length := media.TicksOf(s.Start, 90000), media.TicksOf(s.Duration, 90000)
	total := int((length + perFrame - 1) / perFrame)
	var out []*media.Frame
	for first := 0; first < total; first += s.GOP {
		for i, p := range group(min(s.GOP, total-first), s.BFrames, first/s.GOP) {
			out = append(out, &media.Frame{
				Sync: p.kind == 'I',
				DTS:  start + media.Ticks(first+i)*perFrame,
				CTO:  int32(p.display-i+min(s.BFrames, 1)) * int32(perFrame),
				Data: sample(sei(uint64(first+i), s.Padding), s.slice(p)),
			})
		}
	}
	return out
}

func (s Stream) sounds() []*media.Frame {
	if s.NoAudio {
		return nil
	}
	track := 1
	if s.NoVideo {
		track = 0
	}
	start, length := media.TicksOf(s.Start, s.SampleRate), media.TicksOf(s.Duration, s.SampleRate)
	var out []*media.Frame
	for t := media.Ticks(0); t < length; t += samplesPerFrame {
		out = append(out, &media.Frame{Track: track, Sync: true, DTS: start + t, Data: s.aacFrame(uint64(t / samplesPerFrame))})
	}
	return out
}
