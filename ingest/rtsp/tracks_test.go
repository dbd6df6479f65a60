package rtsp

import (
	"errors"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"

	"chalkcast/media"
)

// FuzzTracks feeds what an encoder announces, from the bytes to the tracks (SEC-14, SEC-16).
func FuzzTracks(f *testing.F) {
	const (
		head  = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Room 4\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		avc   = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z2QADKw7ULBLQgAAAwACAAADAD0I,aO48gA==\r\n"
		aac   = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/2\r\na=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\r\n"
		latm  = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/48000/2\r\na=fmtp:97 cpresent=0;config=400023203fc0\r\n"
		opus  = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"
		hevc  = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n"
		alaw  = "m=audio 0 RTP/AVP 8\r\n"
		onvif = "m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata/90000\r\n"
	)
	for _, medias := range []string{"", avc, avc + aac, avc + latm, hevc + opus, alaw, onvif, avc + avc, avc + onvif + aac, strings.Repeat(aac, 5)} {
		f.Add(head + medias)
	}
	f.Add(strings.ReplaceAll(head+avc, "Z2QA", "!"))
	f.Add(strings.ReplaceAll(head+aac, "48000/2", "0/0"))
	f.Add(strings.ReplaceAll(head+aac, "=13", "=99"))
	f.Fuzz(func(t *testing.T, text string) {
		var raw sdp.SessionDescription
		var session description.Session
		if raw.Unmarshal([]byte(text)) != nil || session.Unmarshal(&raw) != nil {
			return
		}
		tracks, err := tracksOf(&session, new(counters))
		if _, refused := errors.AsType[*media.Refusal](err); err != nil && !refused {
			t.Errorf("%v is no refusal", err)
		}
		if err == nil && (len(tracks) == 0 || len(tracks) > 2) {
			t.Errorf("%d tracks", len(tracks))
		}
		for i, tr := range tracks {
			if p := tr.Params; tr.ID != i || tr.Clock <= 0 || tr.unpack == nil || p != nil && (p.Width > media.MaxWidth || p.Height > media.MaxHeight) {
				t.Errorf("track %d is %+v with %+v", i, tr.Track, p)
			}
		}
	})
}
