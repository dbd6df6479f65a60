package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"chalkcast/classroom"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/mail"
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

// checks are what an admin's self-test tries in a school that is open: the parts themselves, where "chalkcast check"
// opens its own.
func (sc *school) checks(db *database.DB, server *mail.SMTP) []classroom.Check {
	list := []classroom.Check{
		{Name: "ports", Try: sc.doors.knock},
		{Name: "data", Try: func(context.Context) error { return tryFolder(sc.settings.Data) }},
		{Name: "database", Try: db.Try},
		{Name: "storage", Try: func(ctx context.Context) error { return tryStore(ctx, sc.store) }},
		{Name: "clock", Try: func(ctx context.Context) error { return errors.Join(tryClock(), db.TryClock(ctx)) }},
	}
	if sc.settings.TLSCert != "" {
		list = append(list, classroom.Check{Name: "tls", Try: func(context.Context) error { return sc.settings.tryCertificate() }})
	}
	if server != nil {
		list = append(list, classroom.Check{Name: "mail", Try: server.Check})
	}
	return list
}

// knock opens and closes a connection to every open door.
func (d *doors) knock(ctx context.Context) error {
	var errs []error
	for name, l := range map[string]net.Listener{"http": d.http, "rtmp": d.rtmp, "rtmps": d.rtmps, "rtsp": d.rtsp, "rtsps": d.rtsps, "metrics": d.metrics} {
		if l == nil {
			continue
		}
		c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", dialable(l))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		c.Close()
	}
	return errors.Join(errs...)
}

// tryFolder writes a file, syncs it and removes it.
func tryFolder(path string) error {
	f, err := os.CreateTemp(path, ".try-*")
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	_, err = f.WriteString("chalkcast was here\n")
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}
