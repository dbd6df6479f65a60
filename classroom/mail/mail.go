package mail

import (
	"context"
	"errors"

	"chalkcast/media"
	"chalkcast/templates"
)

// Message is a letter as it goes out.
type Message struct {
	ID media.ID // makes its Message-ID, so that who gets it twice can tell
	To string   // one address
	templates.Mail
}

// Sender hands one message to the mail server and returns when that has taken it. Errors wrap ErrRefused or
// ErrDeferred when they are about this message; all others mean that no message gets through.
type Sender func(ctx context.Context, m Message) error

var (
	// ErrRefused is what the server will never take: there is no such mailbox.
	ErrRefused = errors.New("refused")
	// ErrDeferred is what it does not take now: a full mailbox, a server that wants to be asked twice.
	ErrDeferred = errors.New("refused for now")
	// ErrNobody is returned by a Writer whose letter nobody wants any more.
	ErrNobody = errors.New("nobody wants this letter")
	// ErrFull is returned by Put when too many letters wait.
	ErrFull = errors.New("the outbox is full")
)

// Letter is what a Writer is told.
type Letter struct {
	ID   media.ID
	User media.ID
	Kind string
}

// Writer makes the message of a letter at the moment it goes out. It may be called again for the same letter, when
// the server did not take it.
type Writer func(ctx context.Context, l Letter) (Message, error)
