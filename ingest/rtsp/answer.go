package rtsp

import (
	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"chalkcast/ingest"
	"chalkcast/media"
)

// maxWords limits the words of an answer, which stand in its first line.
const maxWords = 200

// answer says what a refused encoder is told. ffmpeg and GStreamer show the words to their user.
func answer(r *media.Refusal) *base.Response {
	status := base.StatusForbidden
	switch r.Code {
	case media.ServerBusy:
		status = base.StatusServiceUnavailable
	case media.VideoCodec, media.AudioCodec, media.StreamBroken:
		status = base.StatusUnsupportedMediaType
	}
	return &base.Response{StatusCode: status, StatusMessage: ingest.Printable(r.Public(), maxWords)}
}
