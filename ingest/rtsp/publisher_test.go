package rtsp

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"chalkcast/ingest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// school lets everybody in and keeps frames.
type school struct {
	mu      sync.Mutex // the test takes it before time passes: what it read before is then read
	opened  [][]media.Track
	openAt  []time.Time
	written []*media.Frame
}

func (s *school) Admit(context.Context, media.Attempt) (media.Grant, error) {
	return media.Grant{Broadcast: 1, Publisher: 2}, nil
}
func (s *school) Started(media.Grant, []media.Track, string) {}
func (s *school) Health(media.Grant, media.Health)           {}
func (s *school) Ended(media.Grant, media.End)               {}
func (s *school) Close(media.End) error                      { return nil }

func (*school) Rest() time.Duration { return 0 }

func (s *school) Write(f *media.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(s.written, f)
	return nil
}

func (s *school) Open(_ context.Context, _ media.Grant, t []media.Track) (ingest.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened, s.openAt = append(s.opened, t), append(s.openAt, time.Now())
	return s, nil
}

// studio is a publisher with pictures and sound whose library is played by the test, inside a bubble of time.
type studio struct {
	*school
	*publisher
	t      *testing.T
	begun  time.Time
	video  *sender
	frames []*media.Frame
	sounds uint16
	done   chan error
}

var aacConfig = &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 48000, ChannelConfig: 2}

func newStudio(t *testing.T, picture *format.H264) *studio {
	t.Helper()
	s := &studio{school: &school{}, t: t, begun: time.Now(), video: newSender(t), done: make(chan error, 1)}
	s.frames = (mediatest.Stream{NoAudio: true, FPS: 10, GOP: 10, Duration: 20 * time.Second}).Frames()
	server := New(Config{Desk: ingest.NewDesk(ingest.Config{Gate: s.school, Sink: s.school})})
	p := newPublisher(server, nil, nil)
	s.publisher = p
	p.queue, p.finished = make(chan packet, queueUDP), make(chan struct{})
	err := p.announce(&description.Session{Medias: []*description.Media{
		{Type: description.MediaTypeVideo, Formats: []format.Format{picture}},
		{Type: description.MediaTypeAudio, Formats: []format.Format{&format.MPEG4Audio{Config: aacConfig, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if p.session, err = server.cfg.Desk.Admit(t.Context(), media.Attempt{}, func(*media.Refusal) {}); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- p.loop() }() // ends with finish
	t.Cleanup(s.finish)
	return s
}

func (s *studio) finish() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
}

// picture sends picture n, which was captured n tenths of a second after the beginning.
func (s *studio) picture(n int, before ...[]byte) {
	for _, p := range s.video.pack(s.frames[n], before...) {
		p.Timestamp += 1 << 31
		s.push(packet{track: 0, rtp: p})
	}
	synctest.Wait()
}

// sound sends a frame that was captured at this time.
func (s *studio) sound(captured time.Duration) {
	s.sounds++
	header := rtp.Header{SequenceNumber: s.sounds, Marker: true, Timestamp: 77 + uint32(media.TicksOf(captured, 48000))}
	s.push(packet{track: 1, rtp: &rtp.Packet{Header: header, Payload: []byte{0, 16, 0, 8, 7}}})
	synctest.Wait()
}

// reports sends a sender report for both tracks about one moment.
func (s *studio) reports(captured time.Duration) {
	s.push(packet{track: 0, report: &senderReport{wall: captured, rtp: 1<<31 + uint32(media.TicksOf(captured, 90000))}})
	s.push(packet{track: 1, report: &senderReport{wall: captured, rtp: 77 + uint32(media.TicksOf(captured, 48000))}})
	synctest.Wait()
}

// until sleeps until this time after the beginning.
func (s *studio) until(d time.Duration) {
	s.mu.Lock()
	s.mu.Unlock() //nolint:staticcheck // see school
	time.Sleep(d - time.Since(s.begun))
	synctest.Wait()
}

// newest returns the time of the newest frame of a track.
func (s *studio) newest(track int) (d time.Duration, f *media.Frame) {
	for _, w := range s.written {
		if w.Track == track {
			f = w
		}
	}
	if f == nil {
		s.t.Fatalf("no frame of track %d", track)
	}
	return f.PTS().Duration(s.tracks[track].Clock), f
}

func described() *format.H264 {
	return &format.H264{SPS: mediatest.Stream{FPS: 10}.SPS(), PPS: mediatest.Stream{}.PPS(), PacketizationMode: 1}
}

func TestStartsAtOnceWithReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, described())
		s.reports(0)
		s.sound(50 * ms)
		s.until(time.Second) // the picture's encoder thinks for a while
		s.picture(0)
		if len(s.opened) != 1 || len(s.opened[0]) != 2 || len(s.written) != 2 {
			t.Fatalf("opened %v, %d frames; want both tracks and both frames", s.opened, len(s.written))
		}
		if at, f := s.newest(0); at != 0 || !f.Sync || f.Discontinuity {
			t.Errorf("picture at %v, %+v", at, f)
		}
		if at, _ := s.newest(1); !near(at, 50*ms) {
			t.Errorf("sound at %v, want 50ms", at)
		}
	})
}

func TestStartsWithoutReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, described())
		s.picture(0)
		s.sound(0)
		s.until(holdLimit - ms)
		if len(s.opened) != 0 {
			t.Error("did not wait for reports")
		}
		s.until(holdLimit)
		if len(s.opened) != 1 || len(s.written) != 2 {
			t.Errorf("opened %v, %d frames", s.opened, len(s.written))
		}
	})
}

// Sound was taken for 400 ms later than it is. The report tells; nothing jumps before the next keyframe.
func TestCorrectsAtKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, described())
		s.picture(0)
		s.until(400 * ms)
		s.sound(0)
		s.until(holdLimit)
		s.reports(3 * time.Second)
		s.sound(3 * time.Second)
		s.picture(1)
		picture, _ := s.newest(0)
		sound, _ := s.newest(1)
		if !near(picture, 100*ms) || !near(sound, 3400*ms) {
			t.Errorf("before the keyframe: picture %v, sound %v, want 100ms and 3.4s", picture, sound)
		}
		s.picture(10)
		picture, f := s.newest(0)
		if !near(picture, 1400*ms) || !f.Discontinuity {
			t.Errorf("the keyframe is at %v, discontinuity %v; want 1.4s and true", picture, f.Discontinuity)
		}
		s.picture(20)
		if picture, f := s.newest(0); !near(picture, 2400*ms) || f.Discontinuity {
			t.Errorf("the next one is at %v, discontinuity %v; want 2.4s and false", picture, f.Discontinuity)
		}
	})
}

func TestLatePicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, &format.H264{PacketizationMode: 1})
		for at := time.Duration(0); at <= 4*time.Second; at += 500 * ms {
			s.until(at)
			s.sound(at)
		}
		if len(s.opened) != 1 || len(s.opened[0]) != 1 || s.opened[0][0].Kind != media.Audio {
			t.Fatalf("opened %+v, want the sound alone", s.opened)
		}
		if at := s.openAt[0].Sub(s.begun); at != holdLimit {
			t.Errorf("opened after %v", at)
		}
		d := described()
		s.picture(40, d.SPS, d.PPS)
		if len(s.opened) != 2 || len(s.opened[1]) != 2 {
			t.Fatalf("opened %+v, want both tracks then", s.opened)
		}
		at, f := s.newest(0)
		if f.Params != nil {
			t.Error("the first picture tells its parameters again")
		}
		if sound, _ := s.newest(1); (at - sound).Abs() > 10*ms {
			t.Errorf("picture at %v, sound at %v, want together", at, sound)
		}
	})
}

func TestNothingToDecode(t *testing.T) {
	for name, test := range map[string]struct {
		picture *format.H264
		send    func(s *studio)
		want    media.Code
	}{
		"no packet":     {&format.H264{}, func(*studio) {}, media.StreamBroken},
		"no keyframe":   {described(), func(s *studio) { s.picture(1) }, media.KeyframeLong},
		"no parameters": {&format.H264{}, func(s *studio) { s.picture(0) }, media.StreamBroken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStudio(t, test.picture)
				test.send(s)
				err := <-s.done
				if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != test.want || time.Since(s.begun) != silentLimit {
					t.Errorf("ended after %v with %v, want %s after %v", time.Since(s.begun), err, test.want, silentLimit)
				}
			})
		})
	}
}

// An encoder that hangs with its connection alive does not keep its place for ever. GStreamer does so at times.
func TestNothingMoreComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, described())
		s.reports(0)
		s.sound(0)
		s.picture(0)
		s.until(silentLimit - ms)
		s.picture(119)
		for i := range 4 { // it still tells the time
			s.until(silentLimit + time.Duration(i)*time.Second)
			s.reports(silentLimit)
		}
		err := <-s.done
		if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.Disconnected || time.Since(s.begun) != 2*silentLimit {
			t.Errorf("ended after %v with %v, want %s after %v", time.Since(s.begun), err, media.Disconnected, 2*silentLimit)
		}
	})
}

// A full queue loses packets of a UDP encoder and holds a TCP encoder back.
func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{})
		p := newPublisher(server, nil, nil)
		p.queue, p.finished = make(chan packet, 2), make(chan struct{})
		for range 5 {
			p.push(packet{})
		}
		if lost := server.Stats().Lost; lost != 3 {
			t.Errorf("%d packets lost, want 3", lost)
		}
		p.wait = true
		back := make(chan struct{})
		go func() { p.push(packet{}); close(back) }()
		synctest.Wait()
		select {
		case <-back:
			t.Error("push did not wait")
		default:
		}
		<-p.queue
		<-back
		go func() { p.push(packet{}); close(p.stop) }()
		synctest.Wait()
		close(p.finished) // the broadcast has ended: nobody may wait any longer
		<-p.stop
	})
}

func TestWallOf(t *testing.T) {
	for ntp, want := range map[uint64]time.Duration{
		2208988800 << 32:            0,
		2208988801<<32 | 1<<31:      1500 * time.Millisecond,
		2208988800<<32 | 0xffffffff: 999999999,
		1 << 32:                     -2208988799 * time.Second,
	} {
		if got := wallOf(ntp); got != want {
			t.Errorf("wallOf(%#x) = %v, want %v", ntp, got, want)
		}
	}
}
