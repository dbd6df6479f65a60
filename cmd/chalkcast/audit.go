package main

import (
	"context"
	"fmt"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Read every line and say whether any was changed, removed or slipped in."`
}

type auditVerifyCmd struct {
	settings
}

// Run verifies the chain. The server may run meanwhile.
func (v *auditVerifyCmd) Run(ctx context.Context, env *environment) error {
	if err := v.complete(usualData); err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: v.Database, Log: env.logger(v.logSettings)})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	n, err := audit.Verify(ctx, db)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "The audit log holds: %s, each as it was written.\n", lines(n))
	return err
}
