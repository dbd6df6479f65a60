package captions

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/text/language"
	"gorm.io/gorm"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	maxLanguages = 20 // of one lesson
	maxTag       = 35 // bytes of a language (RFC 5646 section 4.4.1)
)

// Caption is a row of captions without its text, which is read only to be sent.
type Caption struct {
	LessonID media.ID `gorm:"primaryKey;autoIncrement:false"`
	Lang     string   `gorm:"primaryKey"` // RFC 5646, in its usual spelling
	Cues     int
	Bytes    int
	At       database.Instant // when it came
	Body     string           `gorm:"->:false"`
}

// Store keeps captions. What changes them leaves a line in the audit log.
type Store struct {
	db  *database.DB
	now func() time.Time
}

// New returns the captions in a database.
func New(db *database.DB, now func() time.Time) *Store { return &Store{db, now} }

// Language returns a language in its usual spelling, or a fault about the field "lang".
func Language(text string) (string, error) {
	if text == "" {
		return "", fault.Invalid("field.missing").At("lang")
	}
	tag, err := language.Parse(text)
	if err != nil || len(text) > maxTag || tag == language.Und {
		return "", fault.Invalid("captions.bad_language").At("lang")
	}
	return tag.String(), nil
}

// Put keeps a file that Parse found right, in place of an earlier one in this language.
func (s *Store) Put(ctx context.Context, by, lesson media.ID, lang, text string, cues int) error {
	now := s.now()
	return wrap("keep captions", s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := upsert(ctx, tx, lesson, lang, text, cues, database.At(now)); err != nil {
			return err
		}
		if n, err := count(ctx, tx, lesson); err != nil || n > maxLanguages {
			return orElse(err, fault.Conflict("captions.too_many_languages"))
		}
		return audit.Write(ctx, tx, audit.Line{
			At: now, Actor: by, Action: "captions.put", Object: audit.Object("lesson", lesson),
			Detail: map[string]any{"lang": lang, "cues": cues},
		})
	}))
}

// Remove deletes the captions in one language; those that are not there are a fault.
func (s *Store) Remove(ctx context.Context, by, lesson media.ID, lang string) error {
	return wrap("remove captions", s.db.Tx(ctx, func(tx *gorm.DB) error {
		n, err := gorm.G[Caption](tx).Where("lesson_id = ? AND lang = ?", lesson, lang).Delete(ctx)
		if err != nil || n == 0 {
			return orElse(err, fault.NotFound(""))
		}
		return audit.Write(ctx, tx, audit.Line{
			At: s.now(), Actor: by, Action: "captions.remove", Object: audit.Object("lesson", lesson), Detail: map[string]any{"lang": lang},
		})
	}))
}

// Of returns what a lesson has, by language.
func (s *Store) Of(ctx context.Context, lesson media.ID) ([]Caption, error) {
	rows, err := list(ctx, s.db.Reader(), lesson)
	return rows, wrap("read captions", err)
}

// File returns one file; a fault when there is none.
func (s *Store) File(ctx context.Context, lesson media.ID, lang string) (string, error) {
	text, ok, err := body(ctx, s.db.Reader(), lesson, lang)
	if err == nil && !ok {
		return "", fault.NotFound("")
	}
	return text, wrap("read captions", err)
}

// Sweep deletes the captions of lessons that ended before an instant, and returns how many.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int, error) {
	n := 0
	err := s.db.Tx(ctx, func(tx *gorm.DB) (err error) {
		n, err = gorm.G[Caption](tx).
			Where("lesson_id IN (SELECT id FROM lessons WHERE ended_at > 0 AND ended_at < ?)", database.At(before)).Delete(ctx)
		return err
	})
	return n, wrap("forget captions", err)
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
