package templates

import "time"

// StreamPage is a teacher's stream keys, how their last encoders were received, and what sets OBS up. Forms: POST
// /settings/keys {name}, POST /settings/keys/{ID}/revoke, POST /settings/stream/profile.zip.
type StreamPage struct {
	Page
	Server     string // what goes into OBS: rtmp://host/live
	Keys       []StreamKey
	NewKey     string // made just now, shown this once
	NewName    string // its name
	Attempts   []Attempt
	Multitrack string // what is pasted as Config Override
	Option     string // what OBS has to be started with for that
}

// Attempt is how an encoder was received.
type Attempt struct {
	At       time.Time
	Protocol string // rtmp, rtmps, rtsp, rtsps
	KeyID    string
	Key      string // its name
	Admitted bool
	Code     string // of the message table; empty when there is nothing to say
	Detail   string
}
