package main

import (
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
)

func TestAuditVerify(t *testing.T) {
	data := t.TempDir()
	for _, name := range []string{"ada", "eva"} {
		if said, err := command(t, "user", "add", name+"@school.example", "--name", name, "--data", data); err != nil {
			t.Fatalf("add: %v\n%s", err, said)
		}
	}
	if said, err := command(t, "audit", "verify", "--data", data); err != nil || !strings.Contains(said, "2 lines") {
		t.Errorf("verify: %q, %v; want two lines that hold", said, err)
	}
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + filepath.Join(data, "chalkcast.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("UPDATE audit SET action = 'user.none' WHERE seq = 1").Error })
	if err != nil {
		t.Fatal(err)
	}
	if said, err := command(t, "audit", "verify", "--data", data); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("verify a changed log: %q, %v; want the line named", said, err)
	}
}
