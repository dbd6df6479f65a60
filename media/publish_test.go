package media_test

import (
	"strings"
	"testing"

	"chalkcast/media"
)

// A stranger must not learn whether a key is unknown, wrong or revoked; everybody else is told what to do.
func TestPublicWordsOfARefusal(t *testing.T) {
	words := func(code media.Code, detail string) string {
		return (&media.Refusal{Code: code, Detail: detail}).Public()
	}
	if wrong, revoked := words(media.KeyWrong, ""), words(media.KeyRevoked, "on 3 September"); wrong != revoked {
		t.Errorf("a wrong key is told %q, a revoked one %q; want the same", wrong, revoked)
	}
	for _, tc := range []struct {
		code         media.Code
		detail, want string
	}{
		{media.SecondEncoder, "", "Another device"},
		{media.VideoCodec, "VP6", "Video VP6 cannot be played in browsers. Choose H.264."},
		{media.AudioCodec, "Speex", "Audio Speex cannot be played in browsers. Choose AAC."},
		{media.KeyframeLong, "12.1", "interval to 2 s"},
		{media.BitrateHigh, "12.4", "(12.4 Mbit/s)"},
		{media.StreamBroken, "no sequence header", "cannot be read: no sequence header"},
		{media.ServerBusy, "", "Try again"},
		{media.NoLesson, "", "no lesson"},
		{media.StorageDown, "s3.example", "ended by the server."},
	} {
		if got := words(tc.code, tc.detail); !strings.Contains(got, tc.want) {
			t.Errorf("%s: told %q, want %q in it", tc.code, got, tc.want)
		}
	}
}
