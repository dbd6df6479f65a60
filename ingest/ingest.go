package ingest

import (
	"context"
	"time"

	"chalkcast/media"
)

// Gate decides who may publish and hears what became of it. The classroom wing stands behind it.
type Gate interface {
	// Admit returns the grant for an attempt, or a *media.Refusal. Any other error is the classroom's trouble,
	// and the encoder is told to come back. It may block on a database; ctx has a deadline.
	Admit(ctx context.Context, a media.Attempt) (media.Grant, error)
	// Started reports that frames are about to flow. encoder is how the program names itself, unchecked text.
	Started(g media.Grant, tracks []media.Track, encoder string)
	// Health is called once a second for each broadcast and must not block.
	Health(g media.Grant, h media.Health)
	// Ended is called exactly once for each grant.
	Ended(g media.Grant, e media.End)
}

// Sink takes the frames of broadcasts. The HLS origin stands behind it.
type Sink interface {
	// Open begins a run of frames of these tracks. When the tracks of a broadcast change, the next run is opened
	// before the last one is closed, and goes on where that one was.
	Open(ctx context.Context, g media.Grant, tracks []media.Track) (Writer, error)
}

// Writer takes the frames of one run. It is used by one goroutine and waits for nobody. Close ends the run; its
// error is about what was written before.
type Writer interface {
	Write(f *media.Frame) error
	// Rest returns how much farther the first picture track, or the first track of a broadcast without pictures, must
	// probably come until viewers get something new, 0 when nobody knows.
	Rest() time.Duration
	Close(e media.End) error
}

// Limits of a broadcast. The zero value of a field means its default.
type Limits struct {
	// BitrateBPS is the most that may arrive, averaged over 10 s; above it the encoder is sent away. Default 12 Mbit/s.
	BitrateBPS int
	// BitrateWarnBPS is where the teacher is told that many students cannot follow. Default 6 Mbit/s.
	BitrateWarnBPS int
	// KeyframeGap is how long a picture may do without a keyframe before the encoder is sent away. Default 12 s.
	KeyframeGap time.Duration
}

// WithDefaults fills the zero fields.
func (l Limits) WithDefaults() Limits {
	if l.BitrateBPS == 0 {
		l.BitrateBPS = 12_000_000
	}
	if l.BitrateWarnBPS == 0 {
		l.BitrateWarnBPS = 6_000_000
	}
	if l.KeyframeGap == 0 {
		l.KeyframeGap = 12 * time.Second
	}
	return l
}
