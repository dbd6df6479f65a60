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

// answer says what an encoder is told.
func answer(r *media.Refusal) (code, words string) {
	switch r.Code {
	case media.KeyWrong, media.KeyRevoked, media.SecondEncoder:
		return badName, r.Public()
	}
	return denied, r.Public()
}
