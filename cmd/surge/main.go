package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options are the command line.
type options struct {
	Credentials string `placeholder:"FILE" help:"What 'chalkcast demo --credentials FILE' has written: viewers are its students, encoders its teachers, who go live."`
	Sessions    string `placeholder:"FILE" help:"Keep the students' sign-ins here, and use those that are there: passwords are slow on purpose."`
	URL         string `name:"url" placeholder:"URL" help:"Without credentials: a playlist for the viewers. {n} counts the streams, from 1."`
	RTMP        string `name:"rtmp" placeholder:"URL" help:"Without credentials: where encoders push, as in rtmp://host/live/key{n}."`

	Viewers  int           `default:"0" placeholder:"N" help:"How many watch."`
	Encoders int           `default:"0" placeholder:"N" help:"How many streams are pushed."`
	Streams  int           `default:"0" placeholder:"N" help:"How many streams the viewers are spread over. (default: as many as encoders, at least 1)"`
	Clip     string        `placeholder:"FILE" help:"What encoders push: an FLV file of H.264 and AAC. (default: the demo's lesson)"`
	Join     time.Duration `default:"10s" placeholder:"TIME" help:"In what time everybody joins. (default ${default})"`
	Settle   time.Duration `default:"3s" placeholder:"TIME" help:"How long nothing is measured after that. (default ${default})"`
	Measure  time.Duration `name:"for" default:"20s" placeholder:"TIME" help:"How long is measured. (default ${default})"`

	Plain  bool          `help:"Players that know nothing of low latency: whole segments, no blocking reload."`
	Behind time.Duration `placeholder:"TIME" help:"How far behind live players start. (default: what the playlist says, or three segments)"`
	Gzip   bool          `help:"Take compressed playlists, as browsers do."`
	Page   bool          `default:"true" negatable:"" help:"Load the page, listen for events and send beats; --no-page only plays."`

	Pid      int    `placeholder:"PID" help:"The server's process, to read its CPU and memory from /proc."`
	JSON     string `name:"json" placeholder:"FILE" help:"Write the report as JSON, too; - is standard output."`
	Progress bool   `default:"true" negatable:"" help:"Show a bar on standard error."`
}

func (o *options) check() error {
	switch {
	case o.Viewers < 0 || o.Encoders < 0 || o.Streams < 0 || o.Viewers+o.Encoders == 0:
		return errors.New("nothing to do: give --viewers or --encoders")
	case o.Credentials != "" && (o.URL != "" || o.RTMP != ""):
		return errors.New("--credentials says where everything is; leave out --url and --rtmp")
	case o.Credentials == "" && o.Viewers > 0 && o.URL == "":
		return errors.New("viewers need --url or --credentials")
	case o.Credentials == "" && o.Encoders > 0 && o.RTMP == "":
		return errors.New("encoders need --rtmp or --credentials")
	}
	if o.Streams == 0 {
		o.Streams = max(1, o.Encoders)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "surge:", err)
		os.Exit(1)
	}
}

// run is the program without its process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := options{}
	exited := false
	parser, err := kong.New(&o,
		kong.Name("surge"),
		kong.Description("A class that comes all at once: measures what a server of live lessons bears."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	if _, err := parser.Parse(args); exited || err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	s, err := newSurge(&o)
	if err != nil {
		return err
	}
	if o.Progress {
		defer s.showProgress(ctx, stderr)()
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	return s.tell(stdout)
}
