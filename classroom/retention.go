package classroom

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
)

// A sweep forgets what a feature knows from before an instant, and returns how many rows went.
type sweep struct {
	kind string                       // as the audit line names it
	days func(accounts.Retention) int //
	do   func(context.Context, time.Time) (int, error)
}

// sweeps are what the nightly job goes through. A feature that keeps something about people has a line here.
func (k *Classroom) sweeps() []sweep {
	access := func(r accounts.Retention) int { return r.Access }
	all := []sweep{
		{"access", access, k.Accounts.SweepAccess},
		{"attempts", access, k.Lessons.SweepAttempts},
		{"chat", func(r accounts.Retention) int { return r.Chat }, k.Chat.Sweep},
		{"attendance", func(r accounts.Retention) int { return r.Attendance }, k.Attendance.Sweep},
		{"audit", func(r accounts.Retention) int { return r.Audit }, func(ctx context.Context, before time.Time) (int, error) {
			return audit.Sweep(ctx, k.cfg.DB, before)
		}},
	}
	if k.cfg.KeepRecordings > 0 { // captions go with what they are of
		all = append(all, sweep{"captions", func(accounts.Retention) int { return k.cfg.KeepRecordings }, k.captions.Sweep})
	}
	return all
}

const (
	sweepLook = time.Minute // how often the job looks whether its time has come
	sweepHour = 3           // of the night in the school's zone
)

// runSweeps deletes what is older than the school keeps it, once a day in the small hours of the school, until ctx ends.
// A program that was off then does it when it starts.
func (k *Classroom) runSweeps(ctx context.Context) error {
	tick := time.NewTicker(sweepLook)
	defer tick.Stop()
	last := time.Time{}
	for {
		if due := lastNight(k.now().In(k.Accounts.School().Zone)); last.Before(due) {
			if err := k.Sweep(ctx); err == nil {
				last = due
			} else if ctx.Err() == nil {
				k.log.WarnContext(ctx, "what is too old stays for now", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// lastNight is the latest time for sweeping that is not after now.
func lastNight(now time.Time) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), sweepHour, 0, 0, 0, now.Location())
	if t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()-1, sweepHour, 0, 0, 0, now.Location())
	}
	return t
}

// Sweep deletes everything that is older than the school keeps it, recordings apart, and writes into the audit log how
// much went. What one feature cannot delete does not keep the others from it.
func (k *Classroom) Sweep(ctx context.Context) error {
	now, keep := k.now(), k.Accounts.School().Retention
	gone, total := map[string]any{}, 0
	var errs []error
	for _, s := range k.sweeps() {
		n, err := s.do(ctx, now.AddDate(0, 0, -s.days(keep)))
		if err != nil {
			errs = append(errs, err)
		}
		if n > 0 {
			gone[s.kind] = n
			total += n
		}
	}
	if total > 0 {
		err := k.cfg.DB.Tx(ctx, func(tx *gorm.DB) error {
			return audit.Write(ctx, tx, audit.Line{At: now, Action: "retention.run", Object: "school", Detail: gone})
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("note retention: %w", err))
		}
		k.log.InfoContext(ctx, "old data deleted", "rows", total)
	}
	return errors.Join(errs...)
}
