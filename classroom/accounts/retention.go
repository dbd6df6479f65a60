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

// parseRetention fills what is not in text with the usual.
func parseRetention(text string) (Retention, error) {
	r := usualRetention
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("retention of the school: %w", err)
	}
	return r, nil
}

// Period is the days of one kind of data, and what a school may choose.
type Period struct {
	Kind           string // chat, attendance, audit, access
	Days, Min, Max int
}

// Periods returns every period by its name. A register can still be disputed and counted again while its intervals are
// there; on what somebody signed in, nobody needs to know for more than a month.
func (r Retention) Periods() []Period {
	return []Period{
		{"chat", r.Chat, 1, 3650}, {"attendance", r.Attendance, 30, 3650}, {"audit", r.Audit, 30, 3650}, {"access", r.Access, 1, 30},
	}
}

// CheckRetention is a fault about the first period that a school may not choose.
func (a *Accounts) CheckRetention(r Retention) error {
	for _, p := range r.Periods() {
		if p.Days < p.Min || p.Days > p.Max {
			return fault.Invalid("school.bad_days").At(p.Kind).With("Min", p.Min).With("Max", p.Max)
		}
	}
	return nil
}

// SetRetention changes how long things are kept. Faults name the kind.
func (a *Accounts) SetRetention(ctx context.Context, actor media.ID, r Retention) error {
	if err := a.CheckRetention(r); err != nil {
		return err
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
