package media

import "time"

// ChannelStatus is how a channel stands at one moment: a preview, a lesson on air, or a finished one. The zero
// value is a channel that nobody knows.
type ChannelStatus struct {
	Publishing bool // an encoder is writing into the channel
	Live       bool // the channel has begun, is not ended, and a player finds something to play
	Ended      bool // nothing will be added any more
	Replay     bool // the recording can be played from beginning to end

	Started    time.Time     // when position 0 was on air, as PROGRAM-DATE-TIME tells it; zero before
	LastPacket time.Time     // when the last frame arrived
	Programme  time.Duration // position of the live edge: media and outages since Started

	LatencyTarget time.Duration // how far behind the live edge a player should stay; 0 before the first playlist
	Unstored      int           // finished segments that the object store does not have yet
	UnstoredAge   time.Duration // how long the oldest of them has been waiting
	Lost          int           // segments that could be kept nowhere; the recording says GAP there

	Warnings []Warning // what the operator or the teacher should know, most urgent first
}
