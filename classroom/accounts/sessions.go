package accounts

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// maxListed bounds the list of somebody whose scripts sign in and never out.
const maxListed = 100

// OpenSession is a running sign-in as its owner sees it.
type OpenSession struct {
	Name   uint64 // as in web.Viewer.Session
	Device string // "Firefox · Windows", empty when nothing is known
	Since  time.Time
	SeenAt time.Time // within 5 minutes
}

// Sessions returns the running sessions of a person, the one used last first; at most 100.
func (a *Accounts) Sessions(ctx context.Context, v *web.Viewer) ([]OpenSession, error) {
	rows, err := sessionsOf(ctx, a.db.Reader(), v.ID, maxListed)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	var open []OpenSession
	for _, r := range rows {
		k := known{viewer: v, seen: r.SeenAt, end: r.ExpiresAt}
		if k.expired(a.now()) {
			continue
		}
		open = append(open, OpenSession{Name: ticketName(r.Hash), Device: r.Device, Since: r.CreatedAt.Time(), SeenAt: r.SeenAt.Time()})
	}
	return open, nil
}

// EndSession ends one session of a person. It is a NotFound fault when they have none of that name.
func (a *Accounts) EndSession(ctx context.Context, user media.ID, name uint64) error {
	n, err := a.endSome(ctx, user, func(other uint64) bool { return other == name })
	if err == nil && n == 0 {
		err = fault.NotFound("")
	}
	return err
}

// EndOtherSessions ends all sessions of a person but one.
func (a *Accounts) EndOtherSessions(ctx context.Context, user media.ID, keep uint64) error {
	_, err := a.endSome(ctx, user, func(name uint64) bool { return name != keep })
	return err
}

// endSome ends those of a person's sessions that end chooses, and returns how many.
func (a *Accounts) endSome(ctx context.Context, user media.ID, end func(name uint64) bool) (int, error) {
	var ended [][]byte
	err := a.db.Tx(ctx, func(tx *gorm.DB) error {
		hashes, err := sessionHashesOf(ctx, tx, user)
		if err != nil {
			return err
		}
		ended = slices.DeleteFunc(hashes, func(h []byte) bool { return !end(ticketName(h)) })
		if len(ended) == 0 {
			return nil
		}
		for part := range slices.Chunk(ended, 500) {
			if err := deleteSessions(ctx, tx, part); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: user, Action: "session.end", Object: audit.Object("user", user),
			Detail: map[string]any{"count": len(ended)},
		})
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	a.sessionsEnded(ended)
	return len(ended), nil
}

// ticketName names a session where its token must not appear. It is a part of the stored hash: enough to
// tell sessions apart, nothing to sign in with.
func ticketName(hash []byte) uint64 { return binary.BigEndian.Uint64(hash) }

// Sessions are named in addresses by sixteen hexadecimal digits.
func formatName(name uint64) string { return fmt.Sprintf("%016x", name) }

func parseName(s string) (uint64, error) {
	name, err := strconv.ParseUint(s, 16, 64)
	if err != nil || formatName(name) != s {
		return 0, fault.NotFound("")
	}
	return name, nil
}
