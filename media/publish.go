package media

import (
	"net/netip"
	"time"
)

// Protocol is the door an encoder came through.
type Protocol string

const (
	RTMP  Protocol = "rtmp"
	RTMPS Protocol = "rtmps"
	RTSP  Protocol = "rtsp"
	RTSPS Protocol = "rtsps"
)

// Attempt is an encoder that asks to publish.
type Attempt struct {
	At       time.Time
	Protocol Protocol
	Remote   netip.AddrPort
	Key      Key
	HasKey   bool   // false when nothing that looks like a key was found
	Path     string // what the encoder asked for, the key cut out; for the message path_mistyped
	Mistyped bool   // the key stood in a wrong place
	Takeover bool   // the key came with ?takeover=1
}

// Grant lets an encoder publish. The zero Lesson is a rehearsal.
type Grant struct {
	Broadcast ID     // one unbroken run of this encoder
	Publisher ID     // the teacher: the private preview belongs to them
	KeyID     string // revoking this key ends the broadcast
	Lesson    ID     // the lesson that is due, 0 when none is
	Live      bool   // students already wait for this stream: a lost encoder came back
}

// Refusal is an error that says, in a code of the message table, why an encoder may not publish, or may not go on.
// Encoders are told no more than they need (see Public); the studio shows the code's sentence.
type Refusal struct {
	Code   Code
	Detail string // facts for the message, never a secret: "VP6", "8.3 s"
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return "refused: " + string(r.Code)
	}
	return "refused: " + string(r.Code) + " (" + r.Detail + ")"
}

// Public returns what an encoder is told; many show it to their user. A stranger learns no more than that the key is
// not good: whether it is unknown, wrong or revoked is only shown in the studio.
func (r *Refusal) Public() string {
	switch r.Code {
	case KeyWrong, KeyRevoked:
		return "The stream key is not valid. Copy it again from your school's page."
	case SecondEncoder:
		return "Another device is streaming with this key."
	case NoLesson:
		return "You have no lesson now."
	case ServerBusy:
		return "The server is busy. Try again in a moment."
	case VideoCodec:
		return "Video " + r.Detail + " cannot be played in browsers. Choose H.264."
	case AudioCodec:
		return "Audio " + r.Detail + " cannot be played in browsers. Choose AAC."
	case KeyframeLong:
		return "No keyframe arrived for a long time. Set the keyframe interval to 2 s."
	case BitrateHigh:
		return "The bitrate is too high (" + r.Detail + " Mbit/s)."
	case StreamBroken:
		return "The stream cannot be read: " + r.Detail
	}
	return "The broadcast was ended by the server."
}

// Code names a condition of a broadcast; every code has a sentence for the studio in the message catalogues,
// and some have one for students.
type Code string

const (
	KeyWrong       Code = "key_wrong"
	KeyRevoked     Code = "key_revoked"
	PathMistyped   Code = "path_mistyped"
	NoLesson       Code = "no_lesson"
	SecondEncoder  Code = "second_encoder"
	VideoCodec     Code = "video_codec"
	AudioCodec     Code = "audio_codec"
	AudioMissing   Code = "audio_missing"
	AudioChannels  Code = "audio_channels"
	KeyframeLong   Code = "keyframe_long"
	BitrateHigh    Code = "bitrate_high"
	Starved        Code = "starved"
	TimestampsJump Code = "timestamps_jump"
	Disconnected   Code = "disconnected"
	StreamBroken   Code = "stream_broken" // bytes that are not the protocol, or beyond a limit
	ServerBusy     Code = "server_busy"
	StorageSlow    Code = "storage_slow"
	StorageDown    Code = "storage_down"
	LinkShared     Code = "link_shared"
)

// End says how a broadcast ended.
type End struct {
	At      time.Time // when the last packet arrived
	Stopped bool      // the teacher pressed Stop; false: the connection was lost
	Code    Code      // why we ended it, empty when the encoder did
	Detail  string    // facts for the message of Code, as in Refusal
}
