package audit_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

func TestRefusals(t *testing.T) {
	db := databasetest.New(t)
	now := time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
	r := audit.NewRefusals(db, slog.New(slog.DiscardHandler), func() time.Time { return now })
	sue, sam := media.NewID(), media.NewID()
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	count := func(object string) int {
		t.Helper()
		lines, err := audit.Of(t.Context(), db.Reader(), object, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(lines)
	}
	flood := func(actor media.ID, object string) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { r.Note(gone, audit.Line{Actor: actor, Action: "access.denied", Object: object}) })
		}
		wg.Wait()
	}
	flood(sue, "course:a")
	if n := count("course:a"); n != 1 {
		t.Errorf("20 refusals at once: %d lines, want 1, also when nobody waits for the answer", n)
	}
	flood(sam, "course:a")
	flood(sue, "course:b")
	if a, b := count("course:a"), count("course:b"); a != 2 || b != 1 {
		t.Errorf("another person, another object: %d and %d lines, want 2 and 1", a, b)
	}
	now = now.Add(time.Minute - time.Millisecond)
	flood(sue, "course:a")
	if n := count("course:a"); n != 2 {
		t.Errorf("within the minute: %d lines, want 2", n)
	}
	now = now.Add(time.Millisecond)
	flood(sue, "course:a")
	if n := count("course:a"); n != 3 {
		t.Errorf("after a minute: %d lines, want 3", n)
	}
	lines, err := audit.Of(t.Context(), db.Reader(), "course:a", 1)
	if err != nil || !lines[0].At.Equal(now) || lines[0].Actor != sue || lines[0].Action != "access.denied" {
		t.Errorf("the line: %+v, %v", lines, err)
	}
	if _, err := audit.Verify(t.Context(), db); err != nil {
		t.Error(err)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	now := time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
	r := audit.NewRefusals(nil, slog.New(slog.DiscardHandler), func() time.Time { return now })
	due := func() (n int) {
		for range audit.MaxRefusals + 10 {
			if r.Due(audit.Line{At: now, Actor: media.NewID(), Action: "access.denied", Object: "course:a"}) {
				n++
			}
		}
		return n
	}
	if n := due(); n != audit.MaxRefusals {
		t.Errorf("in one minute: %d lines, want %d", n, audit.MaxRefusals)
	}
	now = now.Add(time.Minute)
	if n := due(); n != audit.MaxRefusals {
		t.Errorf("in the next: %d lines, want %d", n, audit.MaxRefusals)
	}
}

func TestRefusalWithoutDatabase(t *testing.T) {
	db := databasetest.New(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := audit.NewRefusals(db, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	r.Note(t.Context(), audit.Line{Action: "access.denied", Object: "course:a"})
	if !strings.Contains(log.String(), "refusal not noted") {
		t.Errorf("log %q", log.String())
	}
}
