package sample

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/message"
)

// streamID is the message stream that gortmplib publishes on.
const streamID = 0x1000000

const writeTimeout = 10 * time.Second

// Push publishes the embedded clip; see Clip.Push.
func Push(ctx context.Context, server string) error {
	c, err := Lesson()
	if err != nil {
		return fmt.Errorf("read sample clip: %w", err)
	}
	return c.Push(ctx, server, nil)
}

// Push publishes the clip to server, "rtmp://host:port/live/<key>", until ctx ends: then it stops as a teacher
// does who presses Stop, and returns nil. It returns an error when the server cannot be reached, refuses, or
// hangs up; the error does not hold the key.
//
// prefix, when it is not nil, is called for every picture as it is sent. It returns whole NAL units of its own,
// each behind its length in four bytes, that go out in front of the picture's.
func (c *Clip) Push(ctx context.Context, server string, prefix func() []byte) error {
	conn, err := dial(ctx, server)
	if err != nil {
		return fmt.Errorf("push sample: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	gone := make(chan struct{})
	go func() { // ends when the connection is closed, below
		defer close(gone)
		cancel(listen(conn))
	}()
	err = c.play(ctx, prefix, func(m message.Message) error {
		_ = conn.NetConn().SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed connection, as Write then does
		return conn.Write(m)
	})
	if err == nil {
		err = stop(conn)
	}
	conn.Close()
	<-gone
	if err != nil {
		return fmt.Errorf("push sample: %w", err)
	}
	return nil
}

// dial connects and is let in, or says why not without repeating the key.
func dial(ctx context.Context, server string) (*gortmplib.Client, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("server is not a URL")
	}
	// gortmplib wants what OBS calls the stream key as the fragment.
	slash := strings.LastIndexByte(u.Path, '/')
	if slash < 1 {
		return nil, errors.New("server has no /live/<key>")
	}
	u.Fragment, u.Path = u.Path[slash+1:], u.Path[:slash]
	c := &gortmplib.Client{URL: u, Publish: true}
	if err := c.Initialize(ctx); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), u.Fragment, "•••"))
	}
	return c, nil
}

var errHungUp = errors.New("server hung up")

// listen reads what the server says, and answers nothing, until it hangs up.
func listen(c *gortmplib.Client) error {
	for {
		if _, err := c.Read(); err != nil {
			return errHungUp
		}
	}
}

// play sends the clip over and over at real time until ctx ends. It returns nil when it ended because the caller
// said so, and errHungUp when it ended because listen did.
func (c *Clip) play(ctx context.Context, prefix func() []byte, send func(message.Message) error) error {
	for _, h := range c.headers {
		if err := send(h); err != nil {
			return err
		}
	}
	frames := c.oneRound()
	began := time.Now()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for start := time.Duration(0); ; start += c.round {
		for _, f := range frames {
			alarm.Reset(time.Until(began.Add(start + f.at)))
			select {
			case <-alarm.C:
			case <-ctx.Done():
				if errors.Is(context.Cause(ctx), errHungUp) {
					return errHungUp
				}
				return nil
			}
			if err := send(f.message(start, prefix)); err != nil {
				return err
			}
		}
	}
}

// stop says that the stream ends on purpose, as an encoder's Stop button does.
func stop(c *gortmplib.Client) error {
	for i, name := range []string{"FCUnpublish", "deleteStream"} {
		var arg any = ""
		if name == "deleteStream" {
			arg = float64(1)
		}
		m := &message.CommandAMF0{ChunkStreamID: 3, Name: name, CommandID: 6 + i, Arguments: amf0.Data{nil, arg}}
		if err := c.Write(m); err != nil {
			return err
		}
	}
	return nil
}
