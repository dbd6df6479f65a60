package chat

import (
	"strconv"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Reader is for whom news is written. Without a user it is everybody in the class.
type Reader struct {
	User  media.ID
	Staff bool // sees what only staff may see
}

// News is what a page is told: everything when Fresh, else what changed. Items are put in by their id.
type News struct {
	Rev       int64      `json:"rev"`
	Fresh     bool       `json:"fresh,omitempty"`   // forget what was known
	Earlier   bool       `json:"earlier,omitempty"` // there are older messages than these
	More      bool       `json:"more,omitempty"`    // ask again from rev
	Room      *Room      `json:"room,omitempty"`
	Muted     *bool      `json:"muted,omitempty"` // the reader
	Messages  []Message  `json:"messages,omitempty"`
	Questions []Question `json:"questions,omitempty"`
	Hands     []Hand     `json:"hands,omitempty"`
	Polls     []Poll     `json:"polls,omitempty"`
	Mutes     []Mute     `json:"mutes,omitempty"` // for staff
}

// Room is how a room is set.
type Room struct {
	Mode  Mode `json:"mode"`
	SlowS int  `json:"slow_s"`
}

// Message is a line of chat; a removed one has nothing but that.
type Message struct {
	ID      media.ID     `json:"id"`
	Rev     int64        `json:"rev"`
	Removed bool         `json:"removed,omitempty"`
	At      *time.Time   `json:"at,omitempty"`
	PosMS   int64        `json:"pos_ms,omitempty"`
	By      string       `json:"by,omitempty"`
	Role    courses.Role `json:"role,omitempty"`
	Text    string       `json:"text,omitempty"`
	Private bool         `json:"private,omitempty"`
	User    string       `json:"user,omitempty"` // for staff
}

// Question is what somebody asked. Nobody but staff learns who, except who it was.
type Question struct {
	ID       media.ID   `json:"id"`
	Rev      int64      `json:"rev"`
	Gone     bool       `json:"gone,omitempty"` // no longer pinned
	Mine     bool       `json:"mine,omitempty"`
	At       *time.Time `json:"at,omitempty"`
	PosMS    int64      `json:"pos_ms,omitempty"`
	By       string     `json:"by,omitempty"`   // for staff
	User     string     `json:"user,omitempty"` // for staff
	Text     string     `json:"text,omitempty"`
	Answer   string     `json:"answer,omitempty"`
	Answered bool       `json:"answered,omitempty"`
	Pinned   bool       `json:"pinned,omitempty"`
}

// Hand is a place in line. A lower order comes first; who was called does not wait any more.
type Hand struct {
	ID     media.ID   `json:"id"`
	Rev    int64      `json:"rev"`
	Order  int64      `json:"order"`
	Up     bool       `json:"up"`
	Called bool       `json:"called,omitempty"`
	Mine   bool       `json:"mine,omitempty"`
	At     *time.Time `json:"at,omitempty"`   // for staff
	By     string     `json:"by,omitempty"`   // for staff
	User   string     `json:"user,omitempty"` // for staff
}

// Poll is a question with options. Counts are there when it is closed, and for staff before.
type Poll struct {
	ID       media.ID   `json:"id"`
	Rev      int64      `json:"rev"`
	At       *time.Time `json:"at,omitempty"`
	PosMS    int64      `json:"pos_ms,omitempty"`
	Text     string     `json:"text"`
	Multiple bool       `json:"multiple,omitempty"`
	Options  []string   `json:"options"`
	Open     bool       `json:"open,omitempty"`
	Voters   int        `json:"voters,omitempty"`
	Counts   []int      `json:"counts,omitempty"`
	Vote     []int      `json:"vote,omitempty"` // the reader's own
}

// Mute says whether somebody may write.
type Mute struct {
	User  media.ID `json:"user"`
	Rev   int64    `json:"rev"`
	Muted bool     `json:"muted"`
}

// delta is what was read of a room, before anybody's eyes.
type delta struct {
	after, rev int64
	fresh      bool
	earlier    bool
	more       bool
	room       roomRow
	messages   []named[messageRow]
	questions  []named[questionRow]
	hands      []named[handRow]
	polls      []polled
	mutes      []muteRow
	votes      []voteRow // of one reader
}

type polled struct {
	pollRow
	options []optionRow
	counts  []int
	voters  int
}

// news is what r may see of d. nil: nothing.
func (d *delta) news(r Reader) *News {
	n := &News{Rev: d.rev, Fresh: d.fresh, Earlier: d.earlier, More: d.more}
	if d.fresh || d.room.SetRev > d.after {
		n.Room = &Room{d.room.Mode, d.room.SlowS}
	}
	for _, m := range d.messages {
		if !m.Row.Private || r.Staff || r.User == m.Row.UserID {
			n.Messages = append(n.Messages, m.Row.seen(m.Name, r))
		}
	}
	for _, w := range d.questions {
		switch {
		case r.Staff || r.User == w.Row.UserID:
			n.Questions = append(n.Questions, w.Row.seen(w.Name, r))
		case w.Row.Pinned && (d.fresh || w.Row.ShownRev > d.after):
			n.Questions = append(n.Questions, w.Row.seen("", r))
		case !d.fresh && w.Row.ShownRev > d.after:
			n.Questions = append(n.Questions, Question{ID: w.Row.ID, Rev: w.Row.Rev, Gone: true})
		}
	}
	for _, h := range d.hands {
		n.Hands = append(n.Hands, h.Row.seen(h.Name, r))
	}
	for _, p := range d.polls {
		if r.Staff || d.fresh || p.ShownRev > d.after {
			n.Polls = append(n.Polls, p.seen(r, d.votes))
		}
	}
	for _, m := range d.mutes {
		if r.Staff {
			n.Mutes = append(n.Mutes, Mute{m.UserID, m.Rev, m.Muted})
		}
		if r.User == m.UserID {
			n.Muted = &m.Muted
		}
	}
	if !d.fresh && !d.more && n.empty() {
		return nil
	}
	return n
}

func (n *News) empty() bool {
	return n.Room == nil && n.Muted == nil && len(n.Messages)+len(n.Questions)+len(n.Hands)+len(n.Polls)+len(n.Mutes) == 0
}

// own is what d holds for people that everybody's news lacks.
func (d *delta) own() map[media.ID]*News {
	all := map[media.ID]*News{}
	of := func(user media.ID) *News {
		if all[user] == nil {
			all[user] = &News{Rev: d.rev}
		}
		return all[user]
	}
	for _, m := range d.messages {
		if m.Row.Private {
			n := of(m.Row.UserID)
			n.Messages = append(n.Messages, m.Row.seen(m.Name, Reader{User: m.Row.UserID}))
		}
	}
	for _, w := range d.questions {
		n := of(w.Row.UserID)
		n.Questions = append(n.Questions, w.Row.seen(w.Name, Reader{User: w.Row.UserID}))
	}
	for _, h := range d.hands {
		n := of(h.Row.UserID)
		n.Hands = append(n.Hands, h.Row.seen(h.Name, Reader{User: h.Row.UserID}))
	}
	for _, m := range d.mutes {
		of(m.UserID).Muted = &m.Muted
	}
	return all
}

func (m *messageRow) seen(name string, r Reader) Message {
	if m.RemovedAt != 0 {
		return Message{ID: m.ID, Rev: m.Rev, Removed: true}
	}
	out := Message{ID: m.ID, Rev: m.Rev, At: when(m.At), PosMS: m.PosMS, By: name, Role: m.Role, Text: m.Body, Private: m.Private}
	if r.Staff {
		out.User = m.UserID.String()
	}
	return out
}

func (w *questionRow) seen(name string, r Reader) Question {
	out := Question{
		ID: w.ID, Rev: w.Rev, Mine: r.User == w.UserID, At: when(w.At), PosMS: w.PosMS, Text: w.Body,
		Answer: w.Answer, Answered: w.AnsweredAt != 0, Pinned: w.Pinned,
	}
	if r.Staff {
		out.By, out.User = name, w.UserID.String()
	}
	return out
}

func (h *handRow) seen(name string, r Reader) Hand {
	out := Hand{ID: h.ID, Rev: h.Rev, Order: h.RaisedRev, Up: h.LoweredAt == 0, Called: h.CalledAt != 0, Mine: r.User == h.UserID}
	if r.Staff {
		out.At, out.By, out.User = when(h.RaisedAt), name, h.UserID.String()
	}
	return out
}

func (p *polled) seen(r Reader, votes []voteRow) Poll {
	out := Poll{ID: p.ID, Rev: p.Rev, At: when(p.OpenedAt), PosMS: p.PosMS, Text: p.Body, Multiple: p.Multiple, Open: p.ClosedAt == 0}
	for _, o := range p.options {
		out.Options = append(out.Options, o.Body)
	}
	if !out.Open || r.Staff {
		out.Voters, out.Counts = p.voters, p.counts
	}
	for _, v := range votes {
		if v.PollID == p.ID {
			out.Vote = chosen(v.Choices)
		}
	}
	return out
}

// chosen lists the bits that are set.
func chosen(choices int64) (list []int) {
	for n := range maxOptions {
		if choices&(1<<n) != 0 {
			list = append(list, n)
		}
	}
	return list
}

func when(i database.Instant) *time.Time {
	t := i.Time()
	return &t
}

// eventID is how a page names the last number it saw.
func eventID(rev int64) string { return strconv.FormatInt(rev, 10) }
