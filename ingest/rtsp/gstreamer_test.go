//go:build gstreamer

package rtsp_test

import (
	"strings"
	"testing"
	"time"

	"chalkcast/ingest/rtsp"
	"chalkcast/media"
)

// GStreamer with its plugins good, ugly (x264enc), libav and rtsp: `go test -tags gstreamer`. The picture's encoder
// looks ahead for more than a second, so by arrival sound and picture would be far apart; RTP times begin at
// random; sound comes in LATM.
func TestGStreamer(t *testing.T) {
	for protocol, change := range map[string][]func(*rtsp.Config){"tcp": nil, "udp": {udp(t)}} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			p := open(t, change...)
			run(t, "gst-launch-1.0", strings.Fields("-q -e rtspclientsink name=s protocols="+protocol+" location="+p.url()+
				" videotestsrc num-buffers=105 ! identity sync=true ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc key-int-max=30 ! s."+
				" audiotestsrc num-buffers=175 samplesperbuffer=960 ! identity sync=true ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! s.")...)
			p.waitEnd(t)
			video, pictures := p.frames(t, media.Video)
			audio, sounds := p.frames(t, media.Audio)
			if len(pictures) < 100 || len(pictures) > 105 || len(sounds) < 155 || len(sounds) > 166 {
				t.Fatalf("%d pictures and %d sounds, want 105 and 165 but for the last few", len(pictures), len(sounds))
			}
			apart := pictures[0].PTS().Duration(video.Clock) - sounds[0].PTS().Duration(audio.Clock)
			if apart.Abs() > 250*time.Millisecond { // its reports say when a packet was sent, on a busy machine late
				t.Errorf("the first picture is %v after the first sound, want together", apart)
			}
			for _, f := range append(pictures, sounds...) {
				if f.Discontinuity {
					t.Errorf("discontinuity on track %d at %d", f.Track, f.DTS)
				}
			}
			if !strings.HasPrefix(p.encoder, "GStreamer") {
				t.Errorf("encoder is %q", p.encoder)
			}
		})
	}
}
