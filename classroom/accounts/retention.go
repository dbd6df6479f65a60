package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// Retention says for how many days each kind of data is kept. Recordings have a setting of the program, because their
// store is the operator's.
type Retention struct {
	Chat       int `json:"chat"`       // chat, questions, hands, polls
	Attendance int `json:"attendance"` // views and intervals; registers stay
	Audit      int `json:"audit"`      //
	Access     int `json:"access"`     // on what people signed in, what encoders tried, tokens that ended
}

// usualRetention is what a school begins with.
var usualRetention = Retention{Chat: 90, Attendance: 400, Audit: 400, Access: 30}

// A register can still be disputed and counted again while its intervals are there, and nobody needs to know for more
// than a month on what somebody signed in.
var (
	leastRetention = Retention{Chat: 1, Attendance: 30, Audit: 30, Access: 1}
	mostRetention  = Retention{Chat: 3650, Attendance: 3650, Audit: 3650, Access: 30}
)

// parseRetention fills what is not in text with the usual.
func parseRetention(text string) (Retention, error) {
	r := usualRetention
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("retention of the school: %w", err)
	}
	return r, nil
}

// kinds returns the periods by name, for checks and for telling what changed.
func (r Retention) kinds() []struct {
	Name string
	Days int
} {
	return []struct {
		Name string
		Days int
	}{{"chat", r.Chat}, {"attendance", r.Attendance}, {"audit", r.Audit}, {"access", r.Access}}
}

// SetRetention changes how long things are kept. Faults name the kind.
func (a *Accounts) SetRetention(ctx context.Context, actor media.ID, r Retention) error {
	least, most := leastRetention.kinds(), mostRetention.kinds()
	for i, k := range r.kinds() {
		if k.Days < least[i].Days || k.Days > most[i].Days {
			return fault.Invalid("school.bad_days").At(k.Name).With("Min", least[i].Days).With("Max", most[i].Days)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write retention: %w", err)
	}
	old := a.School().Retention
	if old == r {
		return nil
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := setRetention(ctx, tx, string(text)); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: a.now(), Actor: actor, Action: "school.retention", Object: "school", Detail: map[string]any{"old": old, "new": r},
		})
	})
	if err != nil {
		return fmt.Errorf("change retention: %w", err)
	}
	return a.loadSchool(ctx)
}

// SweepAccess forgets what is known of sign-ins from before: on what they were, and tokens that have ended. It returns how
// many rows it changed.
func (a *Accounts) SweepAccess(ctx context.Context, before time.Time) (rows int, err error) {
	at := database.At(before)
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		if rows, err = forgetDevices(ctx, tx, at); err != nil {
			return err
		}
		n, err := deleteTokens(ctx, tx, at)
		rows += n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sweep sign-ins: %w", err)
	}
	return rows, nil
}
