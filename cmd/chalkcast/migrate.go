package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"chalkcast/classroom/database"
)

// migrateCmd brings the schema forward; the server does the same when it starts.
type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" default:"withargs" help:"Apply what is missing (the default)."`
	Status migrateStatusCmd `cmd:"" help:"List the steps of the schema, and which of them the database has."`
}

type migrateUpCmd struct {
	DryRun bool `name:"dry-run" help:"Say what would be applied, and change nothing." env:"-"`

	settings
}

// Run brings the schema up to this version and says where it stands.
func (m *migrateUpCmd) Run(ctx context.Context, env *environment) error {
	if err := m.complete(usualData); err != nil {
		return err
	}
	cfg := database.Config{URL: m.Database, Log: env.logger(m.logSettings)}
	if m.DryRun {
		return m.plan(ctx, cfg, env.stdout)
	}
	db, err := database.Open(ctx, cfg)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	_, err = fmt.Fprintf(env.stdout, "The database has schema %d, which is what this version needs.\n", db.SchemaVersion())
	return err
}

func (m *migrateUpCmd) plan(ctx context.Context, cfg database.Config, w io.Writer) error {
	list, err := database.Migrations(ctx, cfg)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	missing := 0
	for _, step := range list {
		if step.AppliedAt.IsZero() {
			missing++
			fmt.Fprintf(w, "would apply %04d %s\n", step.Number, step.Name)
		}
	}
	if missing == 0 {
		fmt.Fprintln(w, "Nothing is missing.")
	}
	return nil
}

type migrateStatusCmd struct {
	settings
}

// Run lists the steps. The server may run meanwhile.
func (m *migrateStatusCmd) Run(ctx context.Context, env *environment) error {
	if err := m.complete(usualData); err != nil {
		return err
	}
	list, err := database.Migrations(ctx, database.Config{URL: m.Database, Log: env.logger(m.logSettings)})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	for _, step := range list {
		state := "missing"
		switch {
		case step.Name == "":
			state = "of a newer version"
		case !step.AppliedAt.IsZero():
			state = "applied " + step.AppliedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(env.stdout, "%04d  %-24s %s\n", step.Number, step.Name, state)
	}
	return nil
}
