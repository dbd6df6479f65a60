package lessons

import (
	"context"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// Scope is how much of a series something is done to. What was held is never meant.
type Scope string

const (
	One   Scope = "one"   // this lesson alone
	Later Scope = "later" // this one and those after it
	All   Scope = "all"   // all that were not held yet
)

// Valid reports whether s is one of the scopes.
func (s Scope) Valid() bool { return s == One || s == Later || s == All }

// Change is what becomes of a planned lesson. With a wider scope the others get the title and the times too, and
// move by as many days.
type Change struct {
	Lesson media.ID
	Scope  Scope
	Title  string // as web.Line returns it
	Plan   Plan   // its zone stays the lesson's
	By     media.ID
}

// movedNews is how far ahead the lessons of a series that was moved say so: later ones nobody has got used to.
const movedNews = 14 * 24 * time.Hour

// unheld returns the state of a lesson that can still be planned anew, or a fault.
func unheld(row Lesson, now time.Time) error {
	state := row.StateAt(now)
	if state == Cancelled {
		return fault.Conflict("lesson.cancelled")
	}
	if state != Planned && state != Open || !row.HasPlan() {
		return fault.Conflict("lesson.held")
	}
	return nil
}

// reach returns the lessons that a scope means beside row, which is the first: of its series those not held that
// row comes before, or all of them.
func reach(ctx context.Context, q *gorm.DB, row Lesson, scope Scope, now time.Time) ([]Lesson, error) {
	rows := []Lesson{row}
	if scope == One || row.SeriesID == 0 {
		return rows, nil
	}
	from := row.SeriesDate
	if scope == All {
		from = ""
	}
	all, err := lessonsOfSeries(ctx, q, row.SeriesID, from)
	if err != nil {
		return nil, err
	}
	for _, other := range all {
		if other.ID != row.ID && unheld(other, now) == nil {
			rows = append(rows, other)
		}
	}
	return rows, nil
}

// planned is a lesson beside what is to become of it.
type planned struct {
	row   Lesson
	title string
	plan  Plan
}

// spread says what a change means for each of the lessons that it reaches. Those that were changed by themselves
// stay as they are.
func (ch Change) spread(rows []Lesson) ([]planned, error) {
	first := rows[0]
	ch.Plan.Zone = first.Zone
	all := []planned{{first, ch.Title, ch.Plan}}
	if _, err := laterDay(ch.Plan.Date, 0); err != nil {
		return nil, fault.Invalid("lesson.bad_plan").At("date").Because(err)
	}
	days := daysBetween(first.LocalDate, ch.Plan.Date)
	for _, row := range rows[1:] {
		if row.Own {
			continue
		}
		plan := ch.Plan
		var err error
		if plan.Date, err = laterDay(row.LocalDate, days); err != nil {
			return nil, err
		}
		plan.Zone = row.Zone
		all = append(all, planned{row, ch.Title, plan})
	}
	return all, nil
}

func plansOf(all []planned) []Plan {
	var plans []Plan
	for _, p := range all {
		plans = append(plans, p.plan)
	}
	return plans
}

// Foresee returns what Change would lead to and the lessons that it would change, in the same order; the lesson
// itself is the first.
func (l *Lessons) Foresee(ctx context.Context, ch Change) ([]Occurrence, []Lesson, error) {
	row, err := l.Find(ctx, ch.Lesson)
	if err != nil {
		return nil, nil, err
	}
	now := l.now()
	if err := unheld(row, now); err != nil {
		return nil, nil, err
	}
	rows, err := reach(ctx, l.db.Reader(), row, ch.Scope, now)
	if err != nil {
		return nil, nil, err
	}
	all, err := ch.spread(rows)
	if err != nil {
		return nil, nil, err
	}
	out, err := occurrences(plansOf(all), now)
	rows = rows[:0:0]
	for _, p := range all {
		rows = append(rows, p.row)
	}
	return out, rows, err
}

// Change plans a lesson, or more of its series, anew. What has begun or is over stays as it was, and so do
// lessons that were changed by themselves. It returns how many it changed.
func (l *Lessons) Change(ctx context.Context, ch Change) (n int, err error) {
	if !ch.Scope.Valid() {
		return 0, fault.Invalid("").At("scope")
	}
	var changed []Lesson
	now := l.now()
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		row, err := find(ctx, tx, ch.Lesson)
		if err != nil {
			return err
		}
		if err := unheld(row, now); err != nil {
			return err
		}
		changed, err = ch.apply(ctx, tx, row, now)
		if err != nil || len(changed) == 0 {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: now, Actor: ch.By, Action: "lesson.change", Object: audit.Object("lesson", row.ID),
			Detail: map[string]any{"scope": ch.Scope, "lessons": len(changed), "date": ch.Plan.Date, "start": ch.Plan.Start, "end": ch.Plan.End},
		})
	})
	if err != nil {
		return 0, wrap("change", ch.Lesson, err)
	}
	for _, row := range changed {
		l.tellState(ctx, row.ID)
	}
	return len(changed), nil
}

// apply writes a change and returns the lessons that it changed.
func (ch Change) apply(ctx context.Context, tx *gorm.DB, row Lesson, now time.Time) ([]Lesson, error) {
	rows, err := reach(ctx, tx, row, ch.Scope, now)
	if err != nil {
		return nil, err
	}
	all, err := ch.spread(rows)
	if err != nil {
		return nil, err
	}
	meant, err := occurrences(plansOf(all), now)
	if err != nil {
		return nil, err
	}
	var changed []Lesson
	for i, p := range all {
		done, err := p.write(ctx, tx, meant[i], ch.Scope, now)
		if err != nil {
			return nil, err
		}
		if done {
			changed = append(changed, p.row)
		}
	}
	if len(changed) == 0 || ch.Scope == One || row.SeriesID == 0 {
		return changed, nil
	}
	return changed, ch.split(ctx, tx, rows, now)
}

// write stores what becomes of one lesson; false: it is that already.
func (p planned) write(ctx context.Context, tx *gorm.DB, meant Occurrence, scope Scope, now time.Time) (bool, error) {
	row, plan := p.row, p.plan
	if plan == row.Plan() && p.title == row.Title {
		return false, nil
	}
	start, next := database.At(meant.Start), row.State
	set := map[string]any{
		"title": p.title, "local_date": plan.Date, "local_start": plan.Start, "local_end": plan.End, "second": plan.Second,
		"planned_start_at": start, "planned_end_at": database.At(meant.End),
		"own": scope == One && row.SeriesID != 0, "revision": row.Revision + 1, "changed_at": database.At(now),
	}
	if start != row.PlannedStartAt {
		next, _ = row.State.After(Moves)
		set["moved_from_at"] = movedFrom(row, start, scope, now)
	}
	done, err := change(ctx, tx, row, next, set)
	if err == nil && !done {
		err = fault.Conflict("lesson.changed")
	}
	return true, err
}

// movedFrom is the start that students knew before a lesson was moved to another; 0 when it is back there, and
// when the move of a series is too far ahead to be news.
func movedFrom(row Lesson, start database.Instant, scope Scope, now time.Time) database.Instant {
	from := row.MovedFromAt
	if from == 0 {
		from = row.PlannedStartAt
	}
	if from == start || scope != One && from.Time().After(now.Add(movedNews)) {
		return 0
	}
	return from
}

// split ends a series before the first of the lessons that were changed and gives these a series of their own, so
// that what was held keeps the rule it was held by.
func (ch Change) split(ctx context.Context, tx *gorm.DB, rows []Lesson, now time.Time) error {
	old, err := lockSeries(ctx, tx, rows[0].SeriesID)
	if err != nil {
		return err
	}
	cut := rows[0].SeriesDate
	for _, row := range rows {
		cut = min(cut, row.SeriesDate)
	}
	days := daysBetween(rows[0].LocalDate, ch.Plan.Date)
	next := old
	next.ID, next.Title, next.CreatedAt, next.CreatedBy = media.NewID(), ch.Title, database.At(now), ch.By
	next.Weekdays = old.Weekdays.Later(days)
	next.LocalStart, next.LocalEnd, next.Second = ch.Plan.Start, ch.Plan.End, ch.Plan.Second
	for date, from := range map[*string]string{&next.FirstDate: cut, &next.LastDate: old.LastDate, &next.MadeUntil: old.MadeUntil} {
		if *date, err = laterDay(from, days); err != nil {
			return err
		}
	}
	if err := insertSeries(ctx, tx, next); err != nil {
		return err
	}
	for _, row := range rows {
		date, err := laterDay(row.SeriesDate, days)
		if err != nil {
			return err
		}
		if err := joinSeries(ctx, tx, row.ID, next.ID, date); err != nil {
			return err
		}
	}
	last, err := laterDay(cut, -1)
	if err != nil {
		return err
	}
	if err := updateSeries(ctx, tx, old.ID, map[string]any{"last_date": last, "made_until": last}); err != nil {
		return err
	}
	return deleteEmptySeries(ctx, tx, old.ID)
}

// Cancellation calls off a lesson, or more of its series, before it was ever live.
type Cancellation struct {
	Lesson media.ID
	Scope  Scope
	Note   string // why, for students; as web.OptionalLine returns it
	By     media.ID
}

// Cancel calls off one lesson.
func (l *Lessons) Cancel(ctx context.Context, id, by media.ID) error {
	_, err := l.CallOff(ctx, Cancellation{Lesson: id, Scope: One, By: by})
	return err
}

// CallOff cancels and returns how many lessons it cancelled: none when that was done before. A series whose rest
// is called off makes no more lessons. Restore takes it back.
func (l *Lessons) CallOff(ctx context.Context, c Cancellation) (n int, err error) {
	if !c.Scope.Valid() {
		return 0, fault.Invalid("").At("scope")
	}
	var off []Lesson
	now := l.now()
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		row, err := find(ctx, tx, c.Lesson)
		if err != nil || row.State == Cancelled {
			return err
		}
		if _, ok := row.StateAt(now).After(IsDropped); !ok {
			return fault.Conflict("lesson.over")
		}
		if off, err = reach(ctx, tx, row, c.Scope, now); err != nil {
			return err
		}
		return c.apply(ctx, tx, off, now)
	})
	if err != nil {
		return 0, wrap("cancel", c.Lesson, err)
	}
	for _, row := range off {
		l.tellState(ctx, row.ID)
	}
	return len(off), nil
}

func (c Cancellation) apply(ctx context.Context, tx *gorm.DB, rows []Lesson, now time.Time) error {
	id := media.NewID()
	for _, row := range rows {
		done, err := change(ctx, tx, row, Cancelled, map[string]any{
			"cancel_id": id, "note": c.Note, "revision": row.Revision + 1, "changed_at": database.At(now),
		})
		if err != nil {
			return err
		}
		if !done {
			return fault.Conflict("lesson.changed")
		}
	}
	if series := rows[0].SeriesID; c.Scope != One && series != 0 {
		if err := updateSeries(ctx, tx, series, map[string]any{"stop_id": id}); err != nil {
			return err
		}
	}
	return audit.Write(ctx, tx, audit.Line{
		At: now, Actor: c.By, Action: "lesson.cancel", Object: audit.Object("lesson", rows[0].ID),
		Detail: map[string]any{"scope": c.Scope, "lessons": len(rows)},
	})
}

// Restore takes a cancellation back: of one lesson, or of all that were cancelled together with it, whose series
// then goes on. Those whose time has passed stay cancelled. It returns how many take place after all.
func (l *Lessons) Restore(ctx context.Context, id media.ID, together bool, by media.ID) (n int, err error) {
	var back []Lesson
	now := l.now()
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		row, err := find(ctx, tx, id)
		if err != nil || row.State != Cancelled {
			return err
		}
		rows := []Lesson{row}
		if together && row.CancelID != 0 {
			if rows, err = cancelledWith(ctx, tx, row.CancelID); err != nil {
				return err
			}
			if err := resumeSeries(ctx, tx, row.CancelID); err != nil {
				return err
			}
		}
		if back, err = restore(ctx, tx, rows, now); err != nil || len(back) == 0 {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			At: now, Actor: by, Action: "lesson.restore", Object: audit.Object("lesson", id), Detail: map[string]any{"lessons": len(back)},
		})
	})
	if err != nil {
		return 0, wrap("restore", id, err)
	}
	for _, row := range back {
		l.tellState(ctx, row.ID)
	}
	return len(back), nil
}

func restore(ctx context.Context, tx *gorm.DB, rows []Lesson, now time.Time) (back []Lesson, err error) {
	for _, row := range rows {
		if !row.HasPlan() || !row.PlannedEndAt.Time().After(now) {
			continue
		}
		next, _ := row.State.After(Returned)
		done, err := change(ctx, tx, row, next, map[string]any{
			"cancel_id": 0, "note": "", "revision": row.Revision + 1, "changed_at": database.At(now),
		})
		if err != nil {
			return nil, err
		}
		if done {
			back = append(back, row)
		}
	}
	if len(back) == 0 {
		return nil, fault.Conflict("lesson.over")
	}
	return back, nil
}
