package main

import (
	"strings"
	"testing"
)

func TestMigrate(t *testing.T) {
	data := t.TempDir()
	for _, step := range []struct {
		args string
		want string
	}{
		{"migrate status", "0001  accounts                 missing\n"},
		{"migrate --dry-run", "would apply 0001 accounts\n"},
		{"migrate status", "0001  accounts                 missing\n"}, // the dry run changed nothing
		{"migrate", "which is what this version needs"},
		{"migrate status", "0001  accounts                 applied 20"},
		{"migrate up --dry-run", "Nothing is missing.\n"},
		{"migrate up", "which is what this version needs"},
	} {
		said, err := command(t, append(strings.Fields(step.args), "--data", data)...)
		if err != nil || !strings.Contains(said, step.want) {
			t.Errorf("chalkcast %s: %q, %v; want %q", step.args, said, err, step.want)
		}
	}
}
