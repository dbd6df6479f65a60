package attendance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Reasons are the catalogue keys below "reason" that a correction may give.
var Reasons = []string{"illness", "family", "school", "technical", "mistake", "other"}

// correctable are the statuses that somebody may set by hand; empty gives the computed one back.
var correctable = []Status{"", Present, Late, LeftEarly, Partial, Absent, Excused}

// Correctable reports whether somebody may set a status by hand.
func (s Status) Correctable() bool { return s != "" && slices.Contains(correctable, s) }

const (
	MaxNote    = 280 // characters of a correction's note
	maxMinutes = 24 * 60
	maxBulk    = 1000 // students of one correction
)

// Change is a correction to be made, of one student or of many at once.
type Change struct {
	Students []media.ID
	Status   Status // empty: undo, back to what was computed
	Minutes  *int   // nil leaves the counted ones
	Reason   string // one of Reasons; an undo needs none
	Note     string
}

// check returns the change with its note as we keep it.
func (ch Change) check() (Change, error) {
	var err error
	switch {
	case len(ch.Students) == 0 || len(ch.Students) > maxBulk:
		return ch, fault.Invalid("correction.students").At("students").With("Max", maxBulk)
	case !slices.Contains(correctable, ch.Status):
		return ch, fault.Invalid("correction.status").At("status")
	case !slices.Contains(Reasons, ch.Reason) && (ch.Status != "" || ch.Reason != ""):
		return ch, fault.Invalid("correction.reason").At("reason")
	case ch.Minutes != nil && (*ch.Minutes < 0 || *ch.Minutes > maxMinutes || ch.Status == ""):
		return ch, fault.Invalid("correction.minutes").At("minutes").With("Max", maxMinutes)
	}
	ch.Students = slices.Clone(ch.Students)
	slices.Sort(ch.Students)
	ch.Students = slices.Compact(ch.Students)
	ch.Note, err = web.OptionalLine("note", ch.Note, MaxNote)
	return ch, err
}

// Correct lays corrections over the rows of students, all of them or none. What was computed stays; what was shown
// before is kept with the correction, and an audit line says who did it. Whoever calls it has asked for the right to.
func (a *Attendance) Correct(ctx context.Context, actor media.ID, l lessons.Lesson, all ...Change) error {
	r, err := a.Register(ctx, l)
	if err != nil {
		return err
	}
	shown := make(map[media.ID]Status, len(r.Rows))
	for _, row := range r.Rows {
		shown[row.ID] = row.Status
	}
	checked := make([]Change, len(all))
	for i, ch := range all {
		if checked[i], err = ch.check(); err != nil {
			return err
		}
		for _, id := range ch.Students {
			if _, ok := shown[id]; !ok {
				return fault.Invalid("correction.no_row").At("students")
			}
		}
	}
	err = a.db.Tx(ctx, func(tx *gorm.DB) error {
		for _, ch := range checked {
			if err := writeCorrections(ctx, tx, actor, l.ID, ch, shown, a.now()); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, database.ErrDuplicate) {
		return fault.Conflict("register.changed").Because(err) // somebody corrected the same row just now
	}
	if err != nil {
		return fmt.Errorf("correct register of %s: %w", l.ID, err)
	}
	return nil
}

func writeCorrections(ctx context.Context, tx *gorm.DB, actor, lesson media.ID, ch Change, shown map[media.ID]Status, now time.Time) error {
	last, err := correctionsOf(ctx, tx, lesson, ch.Students...)
	if err != nil {
		return err
	}
	seq := map[media.ID]int{}
	for _, c := range last {
		seq[c.UserID] = c.Seq
	}
	rows := make([]correctionRow, len(ch.Students))
	for i, id := range ch.Students {
		rows[i] = correctionRow{
			ID: media.NewID(), LessonID: lesson, UserID: id, Seq: seq[id] + 1, Status: ch.Status, Minutes: ch.Minutes,
			Reason: ch.Reason, Note: ch.Note, Previous: shown[id], At: database.At(now), ByID: actor,
		}
	}
	if err := insertCorrections(ctx, tx, rows); err != nil {
		return err
	}
	for _, r := range rows {
		err := audit.Write(ctx, tx, audit.Line{
			At: now, Actor: actor, Action: "register.correct", Object: audit.Object("lesson", lesson),
			Detail: map[string]any{"student": r.UserID, "from": r.Previous, "to": r.Status, "reason": r.Reason},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
