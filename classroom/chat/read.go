package chat

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"chalkcast/media"
)

const (
	freshMessages = 200 // that a page gets when it opens
	pageMessages  = 500 // that one reading of changes returns
)

// readChanges reads what happened in a room after a number. Rows that change while it reads come again with the next.
func readChanges(ctx context.Context, q *gorm.DB, lesson media.ID, after int64) (*delta, error) {
	room, err := roomOf(ctx, q, lesson)
	if err != nil {
		return nil, fmt.Errorf("load room: %w", err)
	}
	d := &delta{after: after, rev: room.Rev, room: room}
	if room.Rev <= after {
		return d, nil
	}
	if d.messages, err = messagesAfter(ctx, q, lesson, after, pageMessages+1); err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	if len(d.messages) > pageMessages {
		d.messages = d.messages[:pageMessages]
		d.rev, d.more = d.messages[pageMessages-1].Row.Rev, true
	}
	if d.hands, err = handsAfter(ctx, q, lesson, after); err != nil {
		return nil, fmt.Errorf("load hands: %w", err)
	}
	return d, d.readRest(ctx, q, lesson)
}

// readFresh reads a room as it stands for a page that knows nothing.
func readFresh(ctx context.Context, q *gorm.DB, lesson media.ID, r Reader) (*delta, error) {
	room, err := roomOf(ctx, q, lesson)
	if err != nil {
		return nil, fmt.Errorf("load room: %w", err)
	}
	d := &delta{rev: room.Rev, room: room, fresh: true}
	if room.Rev == 0 {
		return d, nil
	}
	if d.messages, err = latestMessages(ctx, q, lesson, r, freshMessages+1); err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	if len(d.messages) > freshMessages {
		d.messages, d.earlier = d.messages[:freshMessages], true
	}
	slices.Reverse(d.messages)
	if d.hands, err = handsUp(ctx, q, lesson); err != nil {
		return nil, fmt.Errorf("load hands: %w", err)
	}
	if err := d.readRest(ctx, q, lesson); err != nil {
		return nil, err
	}
	return d, d.readVotes(ctx, q, lesson, r)
}

// readRest reads the questions, polls and mutes that changed after d.after.
func (d *delta) readRest(ctx context.Context, q *gorm.DB, lesson media.ID) (err error) {
	if d.questions, err = questionsAfter(ctx, q, lesson, d.after); err != nil {
		return fmt.Errorf("load questions: %w", err)
	}
	if d.polls, err = readPolls(ctx, q, lesson, d.after); err != nil {
		return fmt.Errorf("load polls: %w", err)
	}
	if d.mutes, err = mutesAfter(ctx, q, lesson, d.after); err != nil {
		return fmt.Errorf("load mutes: %w", err)
	}
	return nil
}

// readVotes reads what one reader chose.
func (d *delta) readVotes(ctx context.Context, q *gorm.DB, lesson media.ID, r Reader) (err error) {
	if len(d.polls) == 0 {
		return nil
	}
	if d.votes, err = votesOf(ctx, q, lesson, r.User); err != nil {
		return fmt.Errorf("load votes: %w", err)
	}
	return nil
}

func readPolls(ctx context.Context, q *gorm.DB, lesson media.ID, after int64) ([]polled, error) {
	rows, err := pollsAfter(ctx, q, lesson, after)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var all, open []media.ID
	for _, p := range rows {
		all = append(all, p.ID)
		if p.ClosedAt == 0 {
			open = append(open, p.ID)
		}
	}
	options, err := optionsOf(ctx, q, all)
	if err != nil {
		return nil, err
	}
	ballots, err := ballotsOf(ctx, q, open)
	if err != nil {
		return nil, err
	}
	polls := make([]polled, len(rows))
	for i, row := range rows {
		p := polled{pollRow: row, voters: row.Voters}
		for _, o := range options {
			if o.PollID == row.ID {
				p.options = append(p.options, o)
				p.counts = append(p.counts, o.Votes)
			}
		}
		if row.ClosedAt == 0 {
			p.voters = count(p.counts, row.ID, ballots)
		}
		polls[i] = p
	}
	return polls, nil
}

// count adds the ballots of a poll to counts, one for each option, and returns how many voted.
func count(counts []int, poll media.ID, ballots []ballot) (voters int) {
	for _, b := range ballots {
		if b.PollID != poll {
			continue
		}
		voters += b.Voters
		for _, n := range chosen(b.Choices) {
			if n < len(counts) {
				counts[n] += b.Voters
			}
		}
	}
	return voters
}
