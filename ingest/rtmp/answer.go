package rtmp

import "chalkcast/media"

// status is the object of an onStatus message (RTMP section 7.2.2).
func status(level, code, description string) object {
	return object{{"level", level}, {"code", code}, {"description", description}}
}

// Codes on which OBS acts at once; on others it goes on trying.
const (
	badName = "NetStream.Publish.BadName"
	denied  = "NetStream.Publish.Denied"
)

// answer says what an encoder is told. A stranger learns no more than that the key is not good: whether it is
// unknown, wrong or revoked is only shown in the studio.
func answer(r *media.Refusal) (code, words string) {
	switch r.Code {
	case media.KeyWrong, media.KeyRevoked:
		return badName, "The stream key is not valid. Copy it again from your school's page."
	case media.SecondEncoder:
		return badName, "Another device is streaming with this key."
	case media.NoLesson:
		return denied, "You have no lesson now."
	case media.ServerBusy:
		return denied, "The server is busy. Try again in a moment."
	case media.VideoCodec:
		return denied, "Video " + r.Detail + " cannot be played in browsers. Choose H.264."
	case media.AudioCodec:
		return denied, "Audio " + r.Detail + " cannot be played in browsers. Choose AAC."
	case media.KeyframeLong:
		return denied, "No keyframe arrived for a long time. Set the keyframe interval to 2 s."
	case media.BitrateHigh:
		return denied, "The bitrate is too high (" + r.Detail + " Mbit/s)."
	case media.StreamBroken:
		return denied, "The stream cannot be read: " + r.Detail
	}
	return denied, "The broadcast was ended by the server."
}
