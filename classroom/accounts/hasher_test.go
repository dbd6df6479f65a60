package accounts

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/classroom/fault"
)

func TestHasherIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(Cost{MemoryKiB: 64, Passes: 1}, 2)
		for range 2 { // both slots are taken
			if err := h.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		_, _, err := h.check(t.Context(), "", "x")
		f, ok := fault.Of(err)
		if !ok || f.Kind != fault.KindBusy || f.After < 2*time.Second || f.After > 8*time.Second {
			t.Errorf("no slot: %v", err)
		}
		if took := time.Since(begun); took != hashWait {
			t.Errorf("waited %v for a slot, want %v", took, hashWait)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.hash(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("the browser went away: %v", err)
		}
		<-h.slots
		if _, err := h.hash(t.Context(), "x"); err != nil {
			t.Errorf("a slot is free: %v", err)
		}
		if len(h.slots) != 1 {
			t.Errorf("%d slots taken, want 1", len(h.slots))
		}
	})
}

func TestStoredHashesAreChecked(t *testing.T) {
	h := newHasher(Cost{MemoryKiB: 64, Passes: 1}, 1)
	good, err := h.hash(t.Context(), "drei Affen")
	if err != nil {
		t.Fatal(err)
	}
	if ok, stale, err := h.check(t.Context(), good, "drei Affen"); !ok || stale || err != nil {
		t.Errorf("%s: %t %t %v", good, ok, stale, err)
	}
	for _, bad := range []string{
		"plain", "$2a$12$abc", "$argon2id$v=19$m=64,t=1,p=1$$", "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5", "$argon2id$v=19$m=64,t=100000,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5",
	} {
		if ok, _, err := h.check(t.Context(), bad, "drei Affen"); ok || !errors.Is(err, errPHC) {
			t.Errorf("stored %q: %t, %v", bad, ok, err)
		}
	}
}

func TestThrottleForgets(t *testing.T) {
	th := newThrottle()
	now := time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)
	for i := range maxThrottled {
		th.spent[throttleKey{what: "network", user: string(rune(i))}] = now.Add(time.Duration(i) * time.Millisecond)
	}
	th.makeRoom(now.Add(time.Minute))
	if n := len(th.spent); n >= maxThrottled {
		t.Errorf("%d keys kept", n)
	}
	for i := range maxThrottled + 10 {
		th.makeRoom(now)
		th.spend(now, throttleKey{what: "account", user: string(rune(i%0xd000)) + string(rune(i/0xd000))}, accountBudget)
	}
	if n := len(th.spent); n > maxThrottled {
		t.Errorf("%d keys kept, the limit is %d", n, maxThrottled)
	}
}

// The list is the work of others; who gets the program gets their notice with it.
func TestCommonPasswordsHaveTheirNotice(t *testing.T) {
	list, err := os.ReadFile("common_passwords.txt")
	if err != nil {
		t.Fatal(err)
	}
	notice, err := os.ReadFile("../../templates/static/vendor/NOTICE.txt")
	if err != nil {
		t.Fatal(err)
	}
	by := regexp.MustCompile(`Copyright \(c\) [^\n]* Inc\.`).Find(list)
	if by == nil || !bytes.Contains(notice, by) || !bytes.Contains(notice, []byte("Permission is hereby granted")) {
		t.Errorf("the notice does not name %q with its license", by)
	}
}
