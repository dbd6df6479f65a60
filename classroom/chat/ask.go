package chat

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// maxQuestions bounds the questions of a lesson.
const maxQuestions = 500

// Ask puts a question to the teacher and returns its id. Sent twice it is asked once.
func (f *Chat) Ask(ctx context.Context, a Actor, text, once string) (media.ID, error) {
	text, err := Line("text", text, maxRunes)
	if err != nil {
		return 0, err
	}
	w := questionRow{ID: media.NewID(), LessonID: a.Lesson.ID, UserID: a.User, Body: text, At: database.At(f.now())}
	if w.Nonce, err = nonce(once, w.ID); err != nil {
		return 0, err
	}
	if err := f.mayWrite(a, false); err != nil {
		return 0, err
	}
	if w.PosMS, err = f.position(ctx, a.Lesson.ID); err != nil {
		return 0, err
	}
	id := w.ID
	err = f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) (err error) {
		if id, err = saidBefore(ctx, tx, "questions", a.Lesson.ID, a.User, w.Nonce); err != nil || id != 0 {
			return err
		}
		if err := notMuted(ctx, tx, a); err != nil {
			return err
		}
		n, err := questionsOf(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		if n >= maxQuestions {
			return fault.Conflict("chat.full")
		}
		if w.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		id = w.ID
		return insertQuestion(ctx, tx, w)
	})
	return id, err
}

// Answer answers a question, in words or, without any, aloud. Staff may do so when the lesson is over, too.
func (f *Chat) Answer(a Actor, id media.ID, text string) error {
	if text != "" {
		var err error
		if text, err = Line("text", text, maxRunes); err != nil {
			return err
		}
	}
	return f.changeQuestion(a, id, func(w *questionRow) {
		w.Answer, w.AnsweredAt, w.AnsweredBy = text, database.At(f.now()), a.User
	})
}

// Pin shows a question with its answer to everybody, without the name of who asked, or takes it back.
func (f *Chat) Pin(a Actor, id media.ID, yes bool) error {
	return f.changeQuestion(a, id, func(w *questionRow) { w.Pinned = yes })
}

func (f *Chat) changeQuestion(a Actor, id media.ID, change func(*questionRow)) error {
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		w, err := questionByID(ctx, tx, a.Lesson.ID, id)
		if err != nil {
			return orNotFound(err)
		}
		if w.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		change(&w)
		if w.Pinned || w.ShownRev != 0 {
			w.ShownRev = w.Rev
		}
		return updateQuestion(ctx, tx, w)
	})
}
