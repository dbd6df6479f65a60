package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/fault"
	"chalkcast/cmd/chalkcast/sample"
)

type demoCmd struct {
	Broadcast   bool   `default:"true" negatable:"" help:"Put the lesson on air from the sample clip; --no-broadcast leaves that to your own OBS."`
	Term        bool   `default:"true" negatable:"" help:"Make up the lessons of eight weeks and who was there; --no-term begins with an empty one."`
	Classes     int    `default:"1" placeholder:"N" help:"Let so many classes be due at once, each with a teacher and a stream key of its own: for load tests. (default ${default})"`
	Credentials string `placeholder:"FILE" help:"Also write addresses, passwords and keys of the demo as JSON, for scripts."`

	settings
}

// Run serves a made-up school until ctx ends.
func (d *demoCmd) Run(ctx context.Context, env *environment) error {
	if err := d.complete("data-demo"); err != nil {
		return err
	}
	say := func(format string, a ...any) { fmt.Fprintf(env.stdout, format+"\n", a...) }
	log := env.logger(d.logSettings)
	say("Opening a demo school in %s …", d.Data)
	sc, err := openSchool(ctx, &d.settings, log)
	if err != nil {
		return err
	}
	defer sc.Close()

	cast, err := sc.demoCast(ctx, d.Term, d.Classes, say)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if d.Credentials != "" {
		if err := writeJSON(d.Credentials, cast); err != nil {
			return fmt.Errorf("write credentials: %w", err)
		}
	}
	links, err := sc.demoLinks(ctx, cast)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return sc.run(ctx) })
	if d.Broadcast {
		g.Go(func() error { return sc.demoBroadcast(ctx, cast, say) })
	}
	sc.tellDemo(env.stdout, cast, links, d.Broadcast)
	return g.Wait()
}

// demoBroadcast streams the sample clip through the front door, as a teacher's OBS does, and presses Go live.
func (sc *school) demoBroadcast(ctx context.Context, cast *demoCast, say func(string, ...any)) error {
	if sc.doors.rtmp == nil {
		return errors.New("demo: the sample clip needs the rtmp door; or use --no-broadcast")
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := sample.Push(ctx, "rtmp://"+dialable(sc.doors.rtmp)+"/live/"+cast.Teacher.StreamKey)
		if err != nil && ctx.Err() == nil { // at the end either side may hang up first
			return fmt.Errorf("stream the sample clip: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		err := sc.demoGoLive(ctx, cast)
		if err == nil && ctx.Err() == nil {
			say("The lesson is on air.")
		}
		return err
	})
	return g.Wait()
}

// demoGoLive presses Go live as soon as the preview has a picture.
func (sc *school) demoGoLive(ctx context.Context, cast *demoCast) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := sc.classroom.Lessons.GoLive(ctx, cast.LessonID, cast.Teacher.ID)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !fault.Is(err, fault.KindConflict) { // a conflict: no picture has come yet
			return fmt.Errorf("go live: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tellDemo says where to look.
func (sc *school) tellDemo(w io.Writer, cast *demoCast, links []string, broadcast bool) {
	fmt.Fprintf(w, `
A school of %d students is open at %s

  Admin     %s
  Teacher   %s
  Student   %s

Each link signs in once, within %d hours; e-mail and password work always, at %s/sign-in
`, len(cast.Students), sc.base, links[0], links[1], links[2], int(demoLinkLife.Hours()), sc.base)
	if sc.server != "" {
		fmt.Fprintf(w, `
  OBS       Settings → Stream → Service "Custom…"
            Server      %s
            Stream key  %s
`, sc.server, cast.Teacher.StreamKey)
	}
	if broadcast {
		fmt.Fprintf(w, "\nThe sample lesson is being streamed; start with --no-broadcast to stream yourself.\n")
	}
	fmt.Fprintf(w, "\nStop with Ctrl-C.\n\n")
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeOnce(filepath.Clean(path), append(b, '\n'))
}

// demoLinkLife is long enough for a day of looking around.
const demoLinkLife = 12 * time.Hour

// demoLinks makes a sign-in link each for the admin, the teacher and a student.
func (sc *school) demoLinks(ctx context.Context, cast *demoCast) ([]string, error) {
	var links []string
	for _, p := range []demoPerson{cast.Admin, cast.Teacher, cast.Students[0]} {
		link, err := sc.demoLink(ctx, p)
		if err != nil {
			return nil, err
		}
		links = append(links, link)
	}
	return links, nil
}

// demoLink is where a person of the demo signs in with one press of a button, and with what they do it later.
func (sc *school) demoLink(ctx context.Context, p demoPerson) (string, error) {
	token, err := sc.classroom.Accounts.NewLink(ctx, p.ID, demoLinkLife)
	if err != nil {
		return "", err
	}
	return sc.base + accounts.LinkPath(token) + "  " + p.Email + "  " + p.Password, nil
}
