package courses

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

const (
	rosterLook  = 5 * time.Second // for what another node has queued and not done
	rosterLife  = 24 * time.Hour  // of an upload: it is a list of names that nobody needs twice
	rosterSweep = time.Hour
	rosterTime  = time.Minute // for one import, waits included
)

// rosters is what this node works at. turn holds whose import runs: one at a time, so that memory is that of one.
type rosters struct {
	turn chan struct{}
	wake chan struct{} // something was queued here

	mu   sync.Mutex
	done map[media.ID][2]int // rows written, and rows in all, of what is being applied
}

func newRosters() rosters {
	return rosters{turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), done: map[media.ID][2]int{}}
}

func (r *rosters) progress(id media.ID, done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[id] = [2]int{done, total}
}

// progressOf returns how far this node is with an import; zeros when it does not work at it.
func (r *rosters) progressOf(id media.ID) (done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.done[id]
	return p[0], p[1]
}

func (r *rosters) forget(id media.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.done, id)
}

// Run applies the rosters that pages have queued, also those that a node left behind, and forgets old uploads, until
// ctx ends. It returns nil.
func (f *Courses) Run(ctx context.Context) error {
	look := time.NewTicker(rosterLook)
	defer look.Stop()
	var swept time.Time
	for {
		if now := f.now(); now.Sub(swept) >= rosterSweep {
			swept = now
			f.sweepRosters(ctx, now)
		}
		f.workOff(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-f.rosters.wake:
		case <-look.C:
		}
	}
}

func (f *Courses) sweepRosters(ctx context.Context, now time.Time) {
	err := f.db.Tx(ctx, func(tx *gorm.DB) error { return dropOldRosters(ctx, tx, database.At(now.Add(-rosterLife))) })
	if err != nil && ctx.Err() == nil {
		f.cfg.Log.WarnContext(ctx, "old uploads of rosters stay for now", "err", err)
	}
}

func (f *Courses) workOff(ctx context.Context) {
	rows, err := queuedRosters(ctx, f.db.Reader())
	for _, r := range rows {
		if err == nil {
			err = f.applyQueued(ctx, r)
		}
	}
	if err != nil && ctx.Err() == nil {
		f.cfg.Log.WarnContext(ctx, "roster not imported; trying again", "err", err)
	}
}

// errElsewhere is when another node has applied the roster while this one waited for its turn.
var errElsewhere = errors.New("the roster was imported by another node")

// rosterOutcome is what stays of an import.
type rosterOutcome struct {
	New, Made, Changed, Unchanged, Missing, Ended, Kept int
	Fault                                               string // catalogue key when it did not work
}

// applyQueued applies one roster. That it is done is written in the transaction that does it, so whatever dies
// meanwhile, it happens once. An error means that it is to be tried again.
func (f *Courses) applyQueued(ctx context.Context, r rosterRow) error {
	ctx, cancel := context.WithTimeout(ctx, rosterTime)
	defer cancel()
	defer f.rosters.forget(r.ID)
	in, err := f.queuedImport(ctx, r)
	var report *RosterReport
	if err == nil {
		report, err = f.ImportRoster(ctx, in)
	}
	wrong, isFault := fault.Of(err)
	switch {
	case errors.Is(err, errElsewhere):
		return nil
	case isFault:
		return f.close(ctx, r.ID, rosterFailed, rosterOutcome{Fault: wrong.Key})
	case err != nil:
		return err
	case !report.Applied: // something changed since it was looked at: it is looked at again
		return f.close(ctx, r.ID, rosterPreview, rosterOutcome{})
	}
	return nil
}

func (f *Courses) queuedImport(ctx context.Context, r rosterRow) (in RosterImport, err error) {
	a, err := f.importerAgain(ctx, r)
	if err != nil {
		return in, err
	}
	content, err := rosterContent(ctx, f.db.Reader(), r.ID)
	if err != nil {
		return in, fmt.Errorf("read roster: %w", err)
	}
	file, err := roster.Read(content, r.Encoding)
	return RosterImport{
		Course: r.CourseID, By: NewImporter(a), File: file, EndMissing: r.EndMissing,
		Progress: func(done, total int) { f.rosters.progress(r.ID, done, total) },
		within: func(tx *gorm.DB, report *RosterReport) error {
			n, err := closeRoster(ctx, tx, r.ID, rosterDone, outcomeOf(report).text())
			if err == nil && n == 0 {
				err = errElsewhere
			}
			return err
		},
	}, err
}

// importerAgain asks once more for the rights of who queued a roster: they may have lost them since.
func (f *Courses) importerAgain(ctx context.Context, r rosterRow) (Access, error) {
	u, err := personByID(ctx, f.db.Reader(), r.ByID)
	if err != nil {
		return Access{}, fmt.Errorf("read importer: %w", err)
	}
	if u.ID == 0 || u.DisabledAt != 0 {
		return Access{}, fault.Forbidden("")
	}
	return f.Check(ctx, &web.Viewer{ID: r.ByID, Admin: u.Admin}, r.CourseID, Enroll)
}

func (f *Courses) close(ctx context.Context, id media.ID, state string, o rosterOutcome) error {
	err := f.db.Tx(ctx, func(tx *gorm.DB) error {
		_, err := closeRoster(ctx, tx, id, state, o.text())
		return err
	})
	if err != nil {
		return fmt.Errorf("close roster: %w", err)
	}
	return nil
}

func outcomeOf(r *RosterReport) rosterOutcome {
	return rosterOutcome{
		New: r.New, Made: r.Made, Changed: r.Changed, Unchanged: r.Unchanged, Missing: r.Missing, Ended: r.Ended, Kept: r.Kept,
	}
}

func (o rosterOutcome) text() string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // it is plain numbers
	}
	return string(b)
}
