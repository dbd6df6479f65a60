package lessons

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

const (
	tickEvery    = time.Second
	chaseEvery   = 15 * time.Second // the clock may be this late in opening and ending; nobody waits for either
	attendEvery  = 5 * time.Second
	writeTimeout = 2 * time.Second
)

// Run writes down what the encoders do and lets the clock open and end lessons, until ctx ends; then it closes
// what is open at the last packet and returns. Everything it does is decided anew from rows and runs each time,
// so it may be stopped anywhere and started again; what a killed server left open is closed first.
func (l *Lessons) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	recovered := false
	var chased, attended time.Time
	for {
		if !recovered {
			recovered = l.try(ctx, "recover lessons", l.recover)
		}
		l.try(ctx, "settle broadcasts", l.settle)
		now := l.now()
		if recovered && now.Sub(chased) >= chaseEvery {
			l.try(ctx, "settle lessons", l.chase)
			chased = now
		}
		if recovered && now.Sub(attended) >= attendEvery {
			l.try(ctx, "attend to previews", l.attend)
			attended = now
		}
		select {
		case <-ctx.Done():
			l.leave()
			l.try(context.WithoutCancel(ctx), "settle broadcasts", l.settle)
			return nil
		case <-tick.C:
		case <-l.stirred:
		}
	}
}

// try runs one round with a deadline and logs what stopped it; the next round tries again. While the database is
// away that is one line for its going and one for its return.
func (l *Lessons) try(ctx context.Context, what string, round func(context.Context) error) bool {
	if ctx.Err() != nil {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, 2*writeTimeout)
	defer cancel()
	err := round(limited)
	if err != nil && ctx.Err() != nil {
		return false // it was told to stop; Run's last round does it again
	}
	if failing := err != nil; failing != l.failing[what] {
		l.failing[what] = failing
		if failing {
			l.log.Error("lessons fall behind", "what", what, "err", err)
		} else {
			l.log.Info("lessons have caught up", "what", what)
		}
	}
	return err == nil
}

// stir wakes Run. It never blocks: one call that waits is as good as two.
func (l *Lessons) stir() {
	select {
	case l.stirred <- struct{}{}:
	default:
	}
}

// leave ends all runs in memory: the server stops, and whoever returns starts anew.
func (l *Lessons) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		if r.end == nil {
			r.end = &media.End{At: r.seen}
		}
	}
}

// recover closes what a killed server left open, at the last packet it had written down. A broadcast that this
// process has let in meanwhile is left alone.
func (l *Lessons) recover(ctx context.Context) error {
	ours := map[media.ID]bool{}
	l.mu.Lock()
	for id := range l.runs {
		ours[id] = true
	}
	l.mu.Unlock()
	return l.db.Tx(ctx, func(tx *gorm.DB) error {
		open, err := openAir(ctx, tx)
		if err != nil {
			return err
		}
		airing := map[media.ID]bool{}
		for _, a := range open {
			if ours[a.BroadcastID] {
				airing[a.LessonID] = true
				continue
			}
			if _, err := closeAir(ctx, tx, a.LessonID, a.BroadcastID, a.SeenAt); err != nil {
				return err
			}
		}
		live, err := lessonsIn(ctx, tx, Live)
		if err != nil {
			return err
		}
		for _, row := range live {
			if airing[row.ID] {
				continue
			}
			if _, err := change(ctx, tx, row, Interrupted, nil); err != nil {
				return err
			}
		}
		return closeBroadcasts(ctx, tx, ours)
	})
}

// settle writes down what changed with each run: first the ends, so that the place on air is free for those who
// return.
func (l *Lessons) settle(ctx context.Context) error {
	now := l.now()
	var errs []error
	for _, r := range l.snapshot(now) {
		if err := l.settleRun(ctx, r, now); err != nil {
			errs = append(errs, fmt.Errorf("broadcast %s: %w", r.grant.Broadcast, err))
		}
	}
	return errors.Join(errs...)
}

// snapshot copies the runs, those that no longer send first, and within that in the order in which they began.
func (l *Lessons) snapshot(now time.Time) []run {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]run, 0, len(l.runs))
	for _, r := range l.runs {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b run) int {
		return cmp.Or(cmp.Compare(order(a.sends(now)), order(b.sends(now))), a.started.Compare(b.started))
	})
	return all
}

func order(sends bool) int {
	if sends {
		return 1
	}
	return 0
}

// settleRun brings the rows of one run up to what it is. What could not be written is tried again.
func (l *Lessons) settleRun(ctx context.Context, r run, now time.Time) error {
	if r.started.IsZero() {
		return l.settleRefused(ctx, r)
	}
	on := r.sends(now) && r.lesson != 0
	if r.airing != 0 && (!on || r.airing != r.lesson) {
		if err := l.lose(ctx, r); err != nil {
			return err
		}
		r.airing = 0
	}
	if on && r.airing == 0 {
		var err error
		if r.airing, err = l.resume(ctx, r); err != nil {
			return err
		}
	}
	return l.settleBroadcast(ctx, r, now)
}

// settleRefused corrects the attempt of an encoder that was let in and sent away before anything could be seen;
// one that left by itself has nothing to be told.
func (l *Lessons) settleRefused(ctx context.Context, r run) error {
	if r.end == nil {
		return nil
	}
	if r.end.Code != "" {
		err := l.db.Tx(ctx, func(tx *gorm.DB) error {
			return remarkAttempt(ctx, tx, r.grant.Broadcast, false, *r.end)
		})
		if err != nil {
			return err
		}
	}
	l.forget(r.grant.Broadcast)
	return nil
}

// settleBroadcast keeps the broadcast's row: made at its start, touched while it lasts, ended at its end.
func (l *Lessons) settleBroadcast(ctx context.Context, r run, now time.Time) error {
	if r.stored && r.end == nil && now.Sub(r.storedAt) < seenEvery {
		return nil
	}
	err := l.db.Tx(ctx, func(tx *gorm.DB) error {
		if r.airing != 0 {
			if err := seenAir(ctx, tx, r.airing, r.grant.Broadcast, database.At(r.seen)); err != nil {
				return err
			}
		}
		if err := storeBroadcast(ctx, tx, r); err != nil {
			return err
		}
		return auditBroadcast(ctx, tx, r)
	})
	if err != nil {
		return err
	}
	if r.end != nil {
		l.forget(r.grant.Broadcast)
		return nil
	}
	l.update(r.grant.Broadcast, func(r *run) { r.stored, r.storedAt = true, now })
	return nil
}

func storeBroadcast(ctx context.Context, tx *gorm.DB, r run) error {
	if !r.stored {
		if err := insertBroadcast(ctx, tx, broadcastRow(r)); err != nil {
			return err
		}
	} else if err := updateBroadcast(ctx, tx, r.grant.Broadcast, columnsOf(r)); err != nil {
		return err
	}
	if r.end == nil || r.end.Code == "" {
		return nil
	}
	return remarkAttempt(ctx, tx, r.grant.Broadcast, true, *r.end)
}

// auditBroadcast writes a line at the start and at the end of a broadcast.
func auditBroadcast(ctx context.Context, tx *gorm.DB, r run) error {
	line := audit.Line{Actor: r.grant.Publisher, Object: audit.Object("broadcast", r.grant.Broadcast)}
	if !r.stored {
		line.At, line.Action = r.started, "broadcast.start"
		line.Detail = map[string]any{"key": r.grant.KeyID, "lesson": r.belongs().String()}
		if err := audit.Write(ctx, tx, line); err != nil {
			return err
		}
	}
	if r.end == nil {
		return nil
	}
	line.At, line.Action = r.seen, "broadcast.stop"
	line.Detail = map[string]any{"stopped": r.end.Stopped, "code": r.end.Code, "detail": short(r.end.Detail), "lesson": r.belongs().String()}
	return audit.Write(ctx, tx, line)
}

func broadcastRow(r run) Broadcast {
	b := Broadcast{
		ID: r.grant.Broadcast, LessonID: r.belongs(), PublisherID: r.grant.Publisher, KeyID: r.grant.KeyID,
		Encoder: r.encoder, Video: r.video, Audio: r.audio,
		StartedAt: database.At(r.started), SeenAt: database.At(r.seen),
	}
	if r.end != nil {
		b.EndedAt, b.Stopped, b.EndCode = database.At(r.seen), r.end.Stopped, r.end.Code
	}
	return b
}

func columnsOf(r run) map[string]any {
	b := broadcastRow(r)
	return map[string]any{
		"lesson_id": b.LessonID, // a rehearsal may have found its lesson
		"seen_at":   b.SeenAt, "ended_at": b.EndedAt, "stopped": b.Stopped, "end_code": b.EndCode,
	}
}

// lose closes the run's air interval at its last packet: the lesson is interrupted.
func (l *Lessons) lose(ctx context.Context, r run) error {
	lost := false
	err := l.db.Tx(ctx, func(tx *gorm.DB) error {
		closed, err := closeAir(ctx, tx, r.airing, r.grant.Broadcast, database.At(r.seen))
		if err != nil || !closed { // somebody else closed it: End, or another encoder went on air
			return err
		}
		row, err := lessonByID(ctx, tx, r.airing)
		if err != nil {
			return err
		}
		if next, ok := row.State.After(Lost); ok {
			lost, err = change(ctx, tx, row, next, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	l.update(r.grant.Broadcast, func(r *run) { r.airing = 0 })
	if lost {
		l.log.Info("lesson interrupted", "lesson", r.airing, "publisher", r.grant.Publisher)
		l.tellState(ctx, r.airing)
	}
	return nil
}

// resume opens an air interval for a run whose lesson waits for it, and returns the lesson it is on the air of:
// 0 when the lesson is over, or is shown by somebody else.
func (l *Lessons) resume(ctx context.Context, r run) (airing media.ID, err error) {
	over, back := false, false
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		row, err := lessonByID(ctx, tx, r.lesson)
		if err != nil {
			return err
		}
		if over = !row.State.OnAir() || row.PublisherID != r.grant.Publisher; over {
			return nil
		}
		if airing, err = beginAir(ctx, tx, r, r.resumed); err != nil || airing == 0 {
			return err
		}
		if next, ok := row.State.After(Returns); ok {
			back, err = change(ctx, tx, row, next, nil)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	l.update(r.grant.Broadcast, func(r *run) {
		r.airing = airing
		if airing != 0 {
			r.aired = airing
		}
		if over {
			r.lesson = 0
		}
	})
	if back {
		l.log.Info("lesson continues", "lesson", r.lesson, "publisher", r.grant.Publisher)
		l.tellState(ctx, r.lesson)
	}
	return airing, nil
}

// beginAir opens an interval of the run's lesson at from, or where the one before ended when that is later, so
// that intervals never overlap. It returns 0 when the lesson has an open one.
func beginAir(ctx context.Context, tx *gorm.DB, r run, from time.Time) (media.ID, error) {
	before, err := airOf(ctx, tx, r.lesson)
	if err != nil {
		return 0, err
	}
	at := database.At(from)
	for _, a := range before {
		at = max(at, a.UntilAt)
	}
	ok, err := insertAir(ctx, tx, AirInterval{
		ID: media.NewID(), LessonID: r.lesson, BroadcastID: r.grant.Broadcast, FromAt: at, SeenAt: max(at, database.At(r.seen)),
	})
	if err != nil || !ok {
		return 0, err
	}
	return r.lesson, nil
}

func (l *Lessons) update(broadcast media.ID, f func(*run)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.runs[broadcast]; r != nil {
		f(r)
	}
}

func (l *Lessons) forget(broadcast media.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.runs, broadcast)
}
