package chat

import (
	"context"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

const (
	minOptions = 2
	maxOptions = 8
	maxOption  = 100 // characters
	maxPolls   = 50  // of a lesson
)

// NewPoll is a poll to be opened.
type NewPoll struct {
	Text     string   `json:"text"`
	Multiple bool     `json:"multiple"`
	Options  []string `json:"options"`
}

// OpenPoll asks the class; a lesson has one open poll at a time.
func (f *Chat) OpenPoll(ctx context.Context, a Actor, n NewPoll) (media.ID, error) {
	text, err := Line("text", n.Text, maxRunes)
	if err != nil {
		return 0, err
	}
	p := pollRow{ID: media.NewID(), LessonID: a.Lesson.ID, Body: text, Multiple: n.Multiple, OpenedAt: database.At(f.now()), OpenedBy: a.User}
	if len(n.Options) < minOptions || len(n.Options) > maxOptions {
		return 0, fault.Invalid("poll.options").At("options").With("Min", minOptions).With("Max", maxOptions)
	}
	options := make([]optionRow, len(n.Options))
	same := map[string]bool{}
	for i, text := range n.Options {
		if text, err = Line("options", text, maxOption); err != nil {
			return 0, err
		}
		if same[text] {
			return 0, fault.Invalid("poll.same_option").At("options")
		}
		same[text] = true
		options[i] = optionRow{PollID: p.ID, N: i, Body: text}
	}
	if err := f.open(a.Lesson); err != nil {
		return 0, err
	}
	if p.PosMS, err = f.position(ctx, a.Lesson.ID); err != nil {
		return 0, err
	}
	err = f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		before, open, err := pollsOf(ctx, tx, a.Lesson.ID)
		switch {
		case err != nil:
			return err
		case open:
			return fault.Conflict("poll.open")
		case before >= maxPolls:
			return fault.Conflict("chat.full")
		}
		if p.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		p.ShownRev = p.Rev
		return insertPoll(ctx, tx, p, options)
	})
	return p.ID, err
}

// Vote says what somebody chooses; until the poll closes they may say otherwise. No choices take a vote back.
func (f *Chat) Vote(a Actor, id media.ID, choices []int) error {
	if err := f.open(a.Lesson); err != nil {
		return err
	}
	var bits int64
	for _, n := range choices {
		if n < 0 || n >= maxOptions {
			return fault.Invalid("").At("choices")
		}
		bits |= 1 << n
	}
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		p, err := pollByID(ctx, tx, a.Lesson.ID, id)
		if err != nil {
			return orNotFound(err)
		}
		options, err := optionsOf(ctx, tx, []media.ID{id})
		if err != nil {
			return err
		}
		switch {
		case p.ClosedAt != 0:
			return fault.Conflict("poll.closed")
		case bits>>len(options) != 0, !p.Multiple && len(chosen(bits)) > 1:
			return fault.Invalid("").At("choices")
		}
		rev, err := nextRev(ctx, tx, a.Lesson.ID)
		if err != nil {
			return err
		}
		if err := setPollRev(ctx, tx, id, rev); err != nil {
			return err
		}
		return upsertVote(ctx, tx, voteRow{PollID: id, UserID: a.User, Choices: bits, At: database.At(f.now())})
	})
}

// ClosePoll ends a poll and shows everybody what was chosen. Closing twice is no fault.
func (f *Chat) ClosePoll(a Actor, id media.ID) error {
	return f.writer.write(a.Lesson.ID, func(ctx context.Context, tx *gorm.DB) error {
		p, err := pollByID(ctx, tx, a.Lesson.ID, id)
		if err != nil || p.ClosedAt != 0 {
			return orNotFound(err)
		}
		options, err := optionsOf(ctx, tx, []media.ID{id})
		if err != nil {
			return err
		}
		ballots, err := ballotsOf(ctx, tx, []media.ID{id})
		if err != nil {
			return err
		}
		counts := make([]int, len(options))
		p.Voters = count(counts, id, ballots)
		if p.Rev, err = nextRev(ctx, tx, a.Lesson.ID); err != nil {
			return err
		}
		p.ShownRev, p.ClosedAt = p.Rev, database.At(f.now())
		return closePoll(ctx, tx, p, counts)
	})
}
