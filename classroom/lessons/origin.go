package lessons

import (
	"context"
	"errors"
	"time"

	"chalkcast/media"
)

// ErrNoInput says that a publisher is not streaming. Origin.GoLive returns it, wrapped or not.
var ErrNoInput = errors.New("no input")

// Origin is the other wing as this one needs it. Channels are named by lesson (what students see) and by
// publisher (the private preview).
type Origin interface {
	// GoLive shows what publisher streams to the students of lesson, from the next keyframe on. Once more for the
	// same two does nothing. It does not wait for media.
	GoLive(ctx context.Context, lesson, publisher media.ID) error
	// End closes the lesson's channel; its replay is ready when the last segment is stored. Once more, or for a
	// lesson that was never live, does nothing.
	End(ctx context.Context, lesson media.ID) error
	// Status never blocks. The zero value is a channel that nobody knows.
	Status(channel media.ID) media.ChannelStatus
}

// Ticket makes the URL under which one viewer may play one channel until an instant. viewer names who plays
// without saying who it is; staff do not count as audience and may play previews.
type Ticket func(channel media.ID, viewer uint64, staff bool, until time.Time) (url string)
