package rtsp

import (
	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"chalkcast/media"
)

// answer says what a refused encoder is told. ffmpeg and GStreamer show the words to their user. A stranger learns
// no more than that the key is not good.
func answer(r *media.Refusal) *base.Response {
	status, words := base.StatusForbidden, "The broadcast was refused"
	switch r.Code {
	case media.KeyWrong, media.KeyRevoked:
		words = "The stream key is not valid"
	case media.PathMistyped:
		words = "The address is not right, it should end in /live/ and the stream key"
	case media.SecondEncoder:
		words = "Another device is streaming with this key"
	case media.NoLesson:
		words = "You have no lesson now"
	case media.ServerBusy:
		status, words = base.StatusServiceUnavailable, "The server is busy, try again in a moment"
	case media.VideoCodec:
		status, words = base.StatusUnsupportedMediaType, "Video "+r.Detail+" cannot be played in browsers, choose H.264"
	case media.AudioCodec:
		status, words = base.StatusUnsupportedMediaType, "Audio "+r.Detail+" cannot be played in browsers, choose AAC"
	case media.StreamBroken:
		status, words = base.StatusUnsupportedMediaType, "The stream cannot be read: "+r.Detail
	}
	return &base.Response{StatusCode: status, StatusMessage: cut(printable(words), 200)}
}
