package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the release build (-ldflags "-X main.version=…").
var version = "development"

// cli is the command line: one field per sub-command; see config.go for the settings they share.
type cli struct {
	Config string `help:"Settings file (TOML): a line per setting, with the names of these flags." placeholder:"FILE" env:"CHALKCAST_CONFIG"`

	Serve   serveCmd   `cmd:"" default:"withargs" help:"Run the school (the default)."`
	Demo    demoCmd    `cmd:"" help:"Run a made-up school of 304 with a lesson on air, to look around in."`
	User    userCmd    `cmd:"" help:"Make users from the command line."`
	Import  importCmd  `cmd:"" help:"Bring class lists into courses, as the pages do."`
	Export  exportCmd  `cmd:"" help:"Write registers to files, as the pages do."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this version's schema, or show where it stands."`
	Backup  backupCmd  `cmd:"" help:"Copy what the school cannot do without into a new folder, also while it runs."`
	Restore restoreCmd `cmd:"" help:"Put a backup into an empty data folder and database."`
	Reindex reindexCmd `cmd:"" help:"After a restore: let the database know of recordings that it has forgotten."`
	Audit   auditCmd   `cmd:"" help:"Look after the audit log."`
	Check   checkCmd   `cmd:"" help:"Try the ports, the database, the storage and the clock, and say what is wrong."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	limitMemory()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chalkcast:", err)
		os.Exit(1)
	}
}

// run is the program without its process: tests call it. It returns when the command is done or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("chalkcast"),
		kong.Description("A broadcast school in one binary: teachers stream from OBS, students watch in a browser, the register keeps itself."),
		kong.DefaultEnvars("CHALKCAST"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	if err := addSettingsFile(parser, args); err != nil {
		return err
	}
	k, err := parser.Parse(args)
	if exited { // --help has been printed
		return nil
	}
	if err != nil {
		return err
	}
	env := &environment{stdout: stdout, stderr: stderr}
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(env)
	err = k.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// environment is what a command may touch besides its settings.
type environment struct {
	stdout, stderr io.Writer
}

func (e *environment) logger(l logSettings) *slog.Logger {
	opts := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.stderr, opts))
	}
	return slog.New(slog.NewTextHandler(e.stderr, opts))
}

type versionCmd struct{}

func (versionCmd) Run(env *environment) error {
	info, _ := debug.ReadBuildInfo()
	goVersion := "unknown Go"
	if info != nil {
		goVersion = info.GoVersion
	}
	_, err := fmt.Fprintf(env.stdout, "chalkcast %s (%s)\n", version, goVersion)
	return err
}
