package main

import (
	"context"
	"errors"
	"time"

	"chalkcast/classroom/lessons"
	"chalkcast/hls"
	"chalkcast/hls/ticket"
	"chalkcast/ingest"
	"chalkcast/media"
)

// What the two wings know of each other goes through this file: the classroom's lessons are the desk's gate as
// they are; the origin needs a few words changed on the way.

// sink lets the desk open channels of the origin.
type sink struct{ origin *hls.Origin }

func (s sink) Open(ctx context.Context, g media.Grant, tracks []media.Track) (ingest.Writer, error) {
	in, err := s.origin.Input(ctx, g, tracks)
	if err != nil {
		return nil, err // and not a nil *hls.Input in an interface
	}
	return in, nil
}

// air lets lessons go on air.
type air struct{ *hls.Origin }

func (a air) GoLive(ctx context.Context, lesson, publisher media.ID) error {
	err := a.Origin.GoLive(ctx, lesson, publisher)
	if errors.Is(err, hls.ErrNoInput) {
		return lessons.ErrNoInput
	}
	return err
}

// tickets returns how the classroom makes playback addresses: the sign-in that asks is the viewer, so that its end
// is the end of its tickets.
func tickets(m *ticket.Minter) lessons.Ticket {
	return func(channel media.ID, session uint64, staff bool, until time.Time) string {
		c := ticket.Claims{Channel: channel, Viewer: session, Expires: until}
		if staff {
			c.Flags |= ticket.Staff
		}
		return "/p/" + m.Mint(c) + "/l/" + channel.String() + "/index.m3u8"
	}
}
