package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options are the command line.
type options struct {
	Peer     string        `placeholder:"FILE" env:"PEER" help:"The other server: MediaMTX."`
	Only     []string      `default:"ingest,delay,viewers,plain" placeholder:"STAGES" help:"What to measure. (default ${default})"`
	Streams  []int         `default:"1,10,30,60" placeholder:"N" help:"How many streams to measure ingest with. (default ${default})"`
	Viewers  int           `default:"400" placeholder:"N" help:"With how many viewers to try the peer first; ours begins with three times as many. (default ${default})"`
	Plain    int           `default:"500" placeholder:"N" help:"How many plain viewers. (default ${default})"`
	Record   bool          `help:"Let the peer record, too: ours always does."`
	Realtime bool          `help:"Run servers and load before everything else, on a machine that has other work. Needs root."`
	Settle   time.Duration `default:"15s" placeholder:"TIME" help:"How long streams run before they are measured. (default ${default})"`
	Measure  time.Duration `name:"for" default:"20s" placeholder:"TIME" help:"How long is measured each time. (default ${default})"`
}

// stage is something to be measured.
type stage struct {
	name string
	peer bool // beside the peer
	run  func(*bench, context.Context) error
}

// stages are all that there are, in order.
var stages = []stage{
	{"ingest", true, (*bench).ingest},
	{"delay", true, (*bench).delay},
	{"viewers", true, (*bench).viewers},
	{"plain", false, (*bench).plain},
}

func (o *options) check() error {
	for _, name := range o.Only {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
		switch {
		case i < 0:
			return fmt.Errorf("there is nothing called %q to measure", name)
		case stages[i].peer && o.Peer == "":
			return fmt.Errorf("%s needs --peer", name)
		}
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	var o options
	exited := false
	parser, err := kong.New(&o, kong.Name("compare"), kong.Description("Measures chalkcast beside MediaMTX and nginx."),
		kong.Writers(stdout, stdout), kong.Exit(func(int) { exited = true }))
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	if _, err := parser.Parse(args); exited || err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	b := &bench{options: o, out: stdout}
	if b.dir, err = os.MkdirTemp("", "compare-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, s := range stages {
		if !slices.Contains(o.Only, s.name) {
			continue
		}
		if err := s.run(b, ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s.name, err), ctx.Err())
		}
	}
	return nil
}

// bench is one run: where everything lies.
type bench struct {
	options
	out  io.Writer
	dir  string
	clip string
	runs int // servers started so far
}

func (b *bench) bin(name string) string { return filepath.Join(b.dir, name) }

// prepare builds what is measured and what measures, and draws the clip.
func (b *bench) prepare(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-tags", "nomsgpack", "-o", b.dir+"/", "chalkcast/cmd/chalkcast", "chalkcast/cmd/surge")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	b.clip = b.bin("clip.flv")
	draw := exec.CommandContext(ctx, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
		"-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-filter_complex", "[0:v]noise=alls=12:allf=t[v]",
		"-map", "[v]", "-map", "1:a", "-t", "16", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "2500k", "-maxrate", "2500k",
		"-bufsize", "1250k", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-b:a", "128k", b.clip)
	if out, err := draw.CombinedOutput(); err != nil {
		return fmt.Errorf("draw the clip: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) say(format string, a ...any) { fmt.Fprintf(b.out, format+"\n", a...) }
