package chat

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// maxHands is how many stand in line.
const maxHands = 100

// Raise puts up somebody's hand, at the end of the line, or takes it down. To do what is done already is no fault.
func (f *Chat) Raise(a Actor, up bool) error {
	if up {
		if err := f.open(a.Lesson); err != nil {
			return err
		}
	}
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		line, err := handsUp(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		for _, h := range line {
			if h.Row.UserID != a.User {
				continue
			}
			if up {
				return nil
			}
			return f.lower(ctx, tx, a, h.Row)
		}
		if !up {
			return nil
		}
		if len(line) >= maxHands {
			return fault.Conflict("hand.line_full")
		}
		rev, err := nextRev(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		return insertHand(ctx, tx, handRow{
			ID: media.NewID(), LessonID: a.Lesson.ID, UserID: a.User, Rev: rev, RaisedRev: rev, RaisedAt: database.At(f.now()),
		})
	})
}

// Call says that it is somebody's turn: they wait no longer, and their hand stays up until it is lowered.
func (f *Chat) Call(a Actor, id media.ID) error {
	return f.changeHands(a, id, func(ctx context.Context, tx *gorm.DB, h handRow) (err error) {
		if h.CalledAt != 0 {
			return nil
		}
		if h.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		h.CalledAt = database.At(f.now())
		return updateHand(ctx, tx, h)
	})
}

// Lower takes a hand down; without an id all of them.
func (f *Chat) Lower(a Actor, id media.ID) error {
	return f.changeHands(a, id, func(ctx context.Context, tx *gorm.DB, h handRow) error { return f.lower(ctx, tx, a, h) })
}

func (f *Chat) lower(ctx context.Context, tx *gorm.DB, a Actor, h handRow) (err error) {
	if h.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
		return err
	}
	h.LoweredAt, h.LoweredBy = database.At(f.now()), a.User
	return updateHand(ctx, tx, h)
}

// changeHands does something to a hand that is up, or to all. One that is down already is no fault: somebody was faster.
func (f *Chat) changeHands(a Actor, id media.ID, do func(context.Context, *gorm.DB, handRow) error) error {
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		line, err := handsUp(ctx, tx, a.Lesson.ID)
		for _, h := range line {
			if err == nil && (id == 0 || h.Row.ID == id) {
				err = do(ctx, tx, h.Row)
			}
		}
		return err
	})
}
