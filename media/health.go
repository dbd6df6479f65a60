package media

import "time"

// Health is how a broadcast arrives, measured over the last seconds. It is a value: made once a second, then
// only read.
type Health struct {
	At         time.Time
	Silence    time.Duration // since the last packet
	BitrateBPS int           // over the last 2 s
	FPSMilli   int           // frames of the main picture per 1000 s
	Keyframe   time.Duration // longest gap between keyframes lately; the running gap counts when it is longer
	SkewMS     int           // sound time − picture time at arrival
	Tracks     []Track
	Encoder    string    // as it names itself, for people; data, not markup
	Warnings   []Warning // conditions that hold now, most urgent first
	SparkBPS   []int     // bitrate of each of the last 60 s, oldest first
}

// Warning is a condition that the teacher can mend.
type Warning struct {
	Code   Code
	Detail string // the number in the sentence: "8.3"
	Since  time.Time
}
