package main

import (
	"context"
	"fmt"

	"chalkcast/classroom/database"
)

type migrateCmd struct {
	settings
}

// Run brings the schema up to this version and says where it stands. The server does the same when it starts.
func (m *migrateCmd) Run(ctx context.Context, env *environment) error {
	if err := m.complete(usualData); err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: m.Database, Log: env.logger(m.logSettings)})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	_, err = fmt.Fprintf(env.stdout, "The database has schema %d, which is what this version needs.\n", db.SchemaVersion())
	return err
}
