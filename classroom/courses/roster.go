package courses

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/roster"
	"chalkcast/media"
)

// RosterImport is a class list to be brought into a course.
type RosterImport struct {
	Course     media.ID
	By         Importer
	File       *roster.File
	EndMissing bool // students whom the file does not name leave the course
	DryRun     bool // only say what would happen
	// Progress is told how many of the rows to write are written. Nil does nothing; it must not wait.
	Progress func(done, total int)

	// within does more in the transaction of the import, after everything else.
	within func(tx *gorm.DB, r *RosterReport) error
}

// Importer is in whose name a roster is imported.
type Importer struct {
	ID       media.ID
	Admin    bool // may change names, numbers and addresses of people who are known already
	Appoints bool // may make staff
}

// NewImporter returns what a viewer may import.
func NewImporter(a Access) Importer {
	return Importer{ID: a.Viewer.ID, Admin: a.Viewer.Admin, Appoints: a.May(AppointStaff)}
}

// RosterReport is what an import does, or would do.
type RosterReport struct {
	New       int // begin in the course
	Made      int // of those, people the school did not know
	Changed   int // other role, group, name, number or address
	Unchanged int
	Missing   int // students of the course whom the file does not name
	Kept      int // lines whose names, numbers or addresses differ from what the school has and stay as they are
	Ended     int // of the missing, those who leave
	Applied   bool
	Mistakes  roster.Mistakes // as long as there is one, nothing is applied
	Rows      []RosterRow     // as in the file
	Gone      []Member        // the missing, by name
}

// RosterRow is one line of a file and what it does: new, changed or unchanged.
type RosterRow struct {
	Line                          int
	Change                        string
	Name, StudentID, Email, Group string
	Role                          Role
}

// The changes of a row.
const (
	rowNew       = "new"
	rowChanged   = "changed"
	rowUnchanged = "unchanged"
)

var errMistakes = errors.New("the roster has mistakes")

// ImportRoster brings a roster into a course in one transaction, all of it or nothing: while a line has a mistake
// nothing changes. The same file a second time changes nothing. Nobody is removed unless EndMissing says so, and staff
// never. A school takes one roster at a time; the next one waits, until ctx ends.
func (f *Courses) ImportRoster(ctx context.Context, in RosterImport) (*RosterReport, error) {
	select {
	case f.rosters.turn <- struct{}{}:
		defer func() { <-f.rosters.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	course, err := f.Course(ctx, in.Course)
	if errors.Is(err, database.ErrNotFound) {
		return nil, fault.NotFound("").Because(err)
	}
	if err != nil {
		return nil, err
	}
	if !course.ArchivedAt.IsZero() {
		return nil, fault.Conflict("course.archived")
	}
	if in.Progress == nil {
		in.Progress = func(int, int) {}
	}
	p := &rosterPlan{in: in, now: f.now(), report: &RosterReport{Mistakes: in.File.Mistakes.Clone()}}
	p.read()
	if in.DryRun {
		return p.report, f.db.Snapshot(ctx, func(tx *gorm.DB) error { return p.compare(ctx, tx) })
	}
	err = f.db.Tx(ctx, func(tx *gorm.DB) error { return f.applyRoster(ctx, tx, p) })
	switch {
	case errors.Is(err, errMistakes):
		return p.report, nil
	case errors.Is(err, database.ErrDuplicate):
		return nil, fault.Conflict("").Because(err) // somebody got the number, the address or the place at the same moment
	case err != nil:
		return nil, fmt.Errorf("import roster: %w", err)
	}
	p.report.Applied = true
	f.changed(in.Course, p.leaving)
	return p.report, nil
}

// applyRoster does what the plan says, inside tx.
func (f *Courses) applyRoster(ctx context.Context, tx *gorm.DB, p *rosterPlan) error {
	if err := takeRosterTurn(ctx, tx, database.At(p.now)); err != nil {
		return err
	}
	if err := p.compare(ctx, tx); err != nil {
		return err
	}
	if p.report.Mistakes.N > 0 {
		return errMistakes
	}
	rows, total := p.begins(), len(p.made)+len(p.renamed)+len(p.leaving)
	total += len(rows)
	done := 0
	tell := func(n int) {
		done += n
		p.in.Progress(done, total)
	}
	tell(0)
	if err := accounts.Insert(ctx, tx, p.made, tell); err != nil {
		return err
	}
	if err := accounts.Rename(ctx, tx, p.renamed, tell); err != nil {
		return err
	}
	if err := endEnrollments(ctx, tx, p.in.Course, p.leaving, database.At(p.now), tell); err != nil {
		return err
	}
	if err := beginEnrollments(ctx, tx, rows, tell); err != nil {
		return err
	}
	r := p.report
	if r.New+r.Changed+r.Ended > 0 {
		err := audit.Write(ctx, tx, audit.Line{
			At: p.now, Actor: p.in.By.ID, Action: "roster.import", Object: audit.Object("course", p.in.Course),
			Detail: map[string]any{
				"new": r.New, "made": r.Made, "changed": r.Changed, "renamed": len(p.renamed), "unchanged": r.Unchanged,
				"missing": r.Missing, "ended": r.Ended,
			},
		})
		if err != nil {
			return err
		}
	}
	if p.in.within == nil {
		return nil
	}
	return p.in.within(tx, r)
}
