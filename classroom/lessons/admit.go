package lessons

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Admit decides whether an encoder may publish, and for which lesson. Keys that are unknown, wrong or revoked all
// get the same *media.Refusal; the owner's studio is told the difference. Other errors mean that nobody could
// decide just now. It waits for the database.
func (l *Lessons) Admit(ctx context.Context, a media.Attempt) (media.Grant, error) {
	refusal := &media.Refusal{Code: media.KeyWrong}
	if !a.HasKey {
		return media.Grant{}, refusal
	}
	owner, err := l.accounts.FindByKey(ctx, a.Key)
	if r, refused := errors.AsType[*media.Refusal](err); refused {
		l.record(ctx, owner, a, media.NewID(), r.Code, false)
		return media.Grant{}, refusal
	}
	if err != nil {
		return media.Grant{}, err
	}
	g, err := l.grant(ctx, owner)
	if err != nil {
		return media.Grant{}, err
	}
	l.hold(g)
	l.record(ctx, owner, a, g.Broadcast, remark(a, g), true)
	if err := l.accounts.KeyUsed(ctx, owner.KeyID); err != nil {
		l.log.Warn("note use of a key", "key", owner.KeyID, "err", err)
	}
	return g, nil
}

// grant routes a new broadcast of a known teacher.
func (l *Lessons) grant(ctx context.Context, owner accounts.KeyOwner) (g media.Grant, err error) {
	g = media.Grant{Broadcast: media.NewID(), Publisher: owner.User, KeyID: owner.KeyID}
	g.Lesson, g.Live, err = l.route(ctx, owner.User)
	return g, err
}

// route says which lesson a stream of publisher belongs to now, and whether its students wait for it.
func (l *Lessons) route(ctx context.Context, publisher media.ID) (lesson media.ID, live bool, err error) {
	candidates, err := l.candidates(ctx, publisher)
	if err != nil {
		return 0, false, err
	}
	lesson, _ = Route(l.now(), candidates)
	for _, c := range candidates {
		live = live || c.Lesson == lesson && c.OnAir
	}
	return lesson, live, nil
}

// candidate is a lesson as Route sees it. An unplanned one begins and ends when it was begun.
func (l *Lesson) candidate(publisher media.ID) Candidate {
	c := Candidate{Lesson: l.ID, Start: l.PlannedStartAt.Time(), End: l.EndAt()}
	if !l.HasPlan() {
		c.Start = l.CreatedAt.Time()
		c.End = c.Start
	}
	c.OnAir = l.State.OnAir() && l.PublisherID == publisher
	return c
}

// candidates returns the lessons that a stream of publisher could belong to now.
func (l *Lessons) candidates(ctx context.Context, publisher media.ID) ([]Candidate, error) {
	courses, err := l.courses.Teaching(ctx, publisher)
	if err != nil || len(courses) == 0 {
		return nil, err
	}
	rows, err := unfinishedOf(ctx, l.db.Reader(), courses, l.now().Add(opensBefore))
	if err != nil {
		return nil, fmt.Errorf("load lessons of %s: %w", publisher, err)
	}
	list := make([]Candidate, 0, len(rows))
	for _, row := range rows {
		list = append(list, row.candidate(publisher))
	}
	return list, nil
}

// Choices returns the lessons that a stream of publisher could belong to now when several are equally near: the
// studio asks.
func (l *Lessons) Choices(ctx context.Context, publisher media.ID) ([]media.ID, error) {
	candidates, err := l.candidates(ctx, publisher)
	if err != nil {
		return nil, err
	}
	_, tie := Route(l.now(), candidates)
	return tie, nil
}

// hold remembers a broadcast that was let in.
func (l *Lessons) hold(g media.Grant) {
	r := &run{grant: g}
	if g.Live {
		r.lesson = g.Lesson
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[g.Broadcast] = r
}

// remark is what the studio should say about an encoder that was let in.
func remark(a media.Attempt, g media.Grant) media.Code {
	switch {
	case a.Mistyped:
		return media.PathMistyped
	case g.Lesson == 0:
		return media.NoLesson
	}
	return ""
}

// recordTimeout keeps a slow database from keeping an encoder waiting for a note about it.
const recordTimeout = time.Second

// record keeps an attempt for the owner's studio. Nobody learns of a key that has no owner. That it cannot be
// kept is no reason to refuse anybody.
func (l *Lessons) record(ctx context.Context, owner accounts.KeyOwner, a media.Attempt, id media.ID, code media.Code, admitted bool) {
	if owner.User == 0 {
		return
	}
	row := PublishAttempt{ID: id, UserID: owner.User, KeyID: owner.KeyID, At: database.At(l.now()), Protocol: a.Protocol, Admitted: admitted, Code: code}
	if a.Mistyped {
		row.Detail = short(a.Path)
	}
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := l.db.Tx(ctx, func(tx *gorm.DB) error { return insertAttempt(ctx, tx, row) }); err != nil {
		l.log.Warn("record attempt", "user", owner.User, "err", err)
	}
}

// short cuts what an encoder sent to a length that fits into a sentence.
func short(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > 80 {
		r = append(r[:80], '…')
	}
	return string(r)
}

// Attempts returns how the last encoders of a teacher were received, the latest first, ten at most.
func (l *Lessons) Attempts(ctx context.Context, user media.ID) ([]PublishAttempt, error) {
	rows, err := attemptsOf(ctx, l.db.Reader(), user)
	if err != nil {
		return nil, fmt.Errorf("load attempts of %s: %w", user, err)
	}
	return rows, nil
}

// SweepAttempts forgets what encoders tried before an instant, and returns how many attempts that were.
func (l *Lessons) SweepAttempts(ctx context.Context, before time.Time) (n int, err error) {
	err = l.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err = deleteAttempts(ctx, tx, database.At(before))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sweep attempts: %w", err)
	}
	return n, nil
}
