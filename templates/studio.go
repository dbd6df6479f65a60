package templates

import "time"

// Studio is the teacher's side of a lesson, and the four steps of setting up OBS while nothing has arrived yet.
type Studio struct {
	Page
	Lesson     Lesson
	ReadOnly   bool   // an admin who does not teach the course looks on
	Server     string // what goes into OBS: rtmp://host/live
	Keys       []StreamKey
	NewKey     string // a key made just now, shown this once
	Publishing bool   // an encoder of this teacher is connected
	OnAir      bool   // and students see it
	Rehearsal  bool   // it belongs to no lesson, or to another one
	Health     *Health
	LostAt     time.Time // when the encoder was lost, in state interrupted
	Refused    *Refused  // what is wrong with the last attempt, in the last hour
	Due        []Lesson  // of the teacher's lessons those that begin at the same time as this one: which is it?
	People     []Person  // the roster with who is here, in order of family name
	InClass    int       // students in class right now
	Enrolled   int
}

// Refused is an encoder that was not let in, that was sent away later, or that should be set differently.
type Refused struct {
	At     time.Time
	Code   string // of the message table
	Detail string
}

// StreamKey is a stream key without its secret.
type StreamKey struct {
	ID       string // the public eight letters
	Name     string // "laptop", "room 4"
	Created  time.Time
	LastUsed time.Time // zero: never
	Revoked  time.Time // zero: still good
}

// Health is how a broadcast arrives. Its JSON is also what GET /api/v1/lessons/{id}/health and the event
// "health" send, so that the page shows the same thing before and after its script starts.
type Health struct {
	At         time.Time       `json:"at"`
	SilenceMS  int64           `json:"silence_ms"` // since the last packet
	BitrateBPS int             `json:"bitrate_bps"`
	FPSMilli   int             `json:"fps_milli"`
	KeyframeMS int64           `json:"keyframe_ms"` // longest gap between keyframes lately
	SkewMS     int             `json:"skew_ms"`
	Tracks     []HealthTrack   `json:"tracks"`
	Encoder    string          `json:"encoder"`
	Warnings   []HealthWarning `json:"warnings"`
	SparkBPS   []int           `json:"spark_bps"` // one a second, oldest first, at most 60
	Publishing bool            `json:"publishing"`
	Live       bool            `json:"live"`
	Lesson     string          `json:"lesson"` // the one it belongs to; empty in a rehearsal
}

// HealthTrack is one stream of pictures or sound of a broadcast.
type HealthTrack struct {
	Kind       string `json:"kind"`  // video or audio
	Words      string `json:"words"` // "H.264 High", "AAC stereo"
	Width      int    `json:"width,omitempty"`
	Height     int    `json:"height,omitempty"`
	SampleRate int    `json:"sample_rate,omitempty"`
	Channels   int    `json:"channels,omitempty"`
}

// HealthWarning is a condition that the teacher can mend; the page has a sentence for every code.
type HealthWarning struct {
	Code   string    `json:"code"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
}
