package accounts_test

import (
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/fault"
	"chalkcast/media"
)

func TestSignIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ada := o.add(t, "ada@x.example", true)
		gone := o.add(t, "gone@x.example", false)
		if err := o.Disable(t.Context(), ada.ID, gone.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Create(t.Context(), 0, accounts.NewUser{Email: "none@x.example", DisplayName: "No Password"}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Create(t.Context(), 0, accounts.NewUser{DisplayName: "No Address", Password: password}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			email, password string
			in              bool
		}{
			{"ada@x.example", password, true},
			{"  ADA@X.example ", password, true},
			{"ada@x.example", password + " ", false},
			{"ada@x.example", strings.ToUpper(password), false},
			{"ada@x.example", "", false},
			{"ada@x.example", "\x00", false},
			{"ada@x.example", strings.Repeat("x", 100_000), false},
			{"nobody@x.example", password, false},
			{"gone@x.example", password, false},
			{"none@x.example", "", false},
			{"", password, false},
			{"\xff", password, false},
		} {
			s, u, err := o.SignIn(t.Context(), c.email, c.password, accounts.From{Addr: home})
			f, _ := fault.Of(err)
			if c.in && (err != nil || u.ID != ada.ID || s.Token == "") || !c.in && (f == nil || f.Key != "sign_in.wrong" || f.Kind != fault.KindUnauthorized) {
				t.Errorf("sign in %q %.30q: %v", c.email, c.password, err)
			}
		}
		o.Answer()
		if _, err := audit.Verify(t.Context(), db); err != nil {
			t.Error(err)
		}
		lines, err := audit.Of(t.Context(), db.Reader(), audit.Object("user", ada.ID), 100)
		count := map[string]int{}
		for _, l := range lines {
			count[l.Action]++
		}
		if err != nil || count["session.start"] != 2 || count["session.refused"] != 5 {
			t.Errorf("audit of Ada: %v, %v", count, err)
		}
	})
}

// SEC-33: whoever is refused was as much work as anybody else, and so took as long: one hash, which is what costs time
// and memory, one look at the database and nothing written.
func TestRefusalsAreTheSameWork(t *testing.T) {
	const mebibyte = 1 << 20
	o := openNew(t)
	var err error
	o.Accounts, err = accounts.New(t.Context(), accounts.Config{DB: o.db, Cost: accounts.Cost{MemoryKiB: 8 << 10, Passes: 1}, Now: o.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	o.add(t, "ada@x.example", true)
	gone := o.add(t, "gone@x.example", false)
	if _, err := o.Create(t.Context(), 0, accounts.NewUser{Email: "none@x.example", DisplayName: "No Password"}); err != nil {
		t.Fatal(err)
	}
	if err := o.Disable(t.Context(), 0, gone.ID); err != nil {
		t.Fatal(err)
	}
	var queries int
	if err := o.db.Reader().Callback().Query().Register("count", func(*gorm.DB) { queries++ }); err != nil {
		t.Fatal(err)
	}
	written := func() (n int64) {
		if err := o.db.Reader().Table("audit").Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, try := range [][2]string{
		{"ada@x.example", "wrong password"},
		{"nobody@x.example", "wrong password"},
		{"nobody@x.example", password},
		{"gone@x.example", "wrong password"},
		{"gone@x.example", password},
		{"none@x.example", "wrong password"},
		{"ada@x.example", strings.Repeat("x", 100_000)},
		{"nobody@x.example", strings.Repeat("x", 100_000)},
	} {
		lines := written()
		queries = 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := o.SignIn(t.Context(), try[0], try[1], accounts.From{Addr: home})
		runtime.ReadMemStats(&after)
		asked, hashes := queries, (after.TotalAlloc-before.TotalAlloc)/(8*mebibyte)
		if !fault.Is(err, fault.KindUnauthorized) || hashes != 1 || asked != 1 || written() != lines {
			t.Errorf("%s with %.20q: %d hashes, %d queries, %d lines, %v; want one hash, one query and no line", try[0], try[1], hashes, asked, written()-lines, err)
		}
	}
}

func TestPasswordIsComparedInNFC(t *testing.T) {
	o := openNew(t)
	if _, err := o.Create(t.Context(), 0, accounts.NewUser{Email: "a@x", DisplayName: "A", Password: "cafe\u0301 crème"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.SignIn(t.Context(), "a@x", "café cre\u0300me", accounts.From{Addr: home}); err != nil {
		t.Errorf("the same password from another keyboard: %v", err)
	}
}

func TestWeakHashIsReplacedAtSignIn(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	before := o.StoredPassword(t, "ada@x.example")
	stronger, err := accounts.New(t.Context(), accounts.Config{DB: o.db, Cost: accounts.Cost{MemoryKiB: 128, Passes: 2}, Now: o.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := stronger.SignIn(t.Context(), "ada@x.example", password, accounts.From{Addr: home}); err != nil {
		t.Fatal(err)
	}
	after := o.StoredPassword(t, "ada@x.example")
	if !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") || !strings.HasPrefix(after, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("stored %s, then %s", before, after)
	}
	if _, _, err := stronger.SignIn(t.Context(), "ada@x.example", password, accounts.From{Addr: home}); err != nil || o.StoredPassword(t, "ada@x.example") != after {
		t.Errorf("hashed again without need, or broken: %v", err)
	}
}

// fail tries n times with a wrong password and returns how often the answer was "slow down".
func (o *office) fail(t *testing.T, n int, email string, addr netip.Addr) (slow int) {
	t.Helper()
	for range n {
		_, _, err := o.SignIn(t.Context(), email, "wrong password", accounts.From{Addr: addr})
		f, ok := fault.Of(err)
		if !ok {
			t.Fatalf("wrong password: %v", err)
		}
		if f.Kind == fault.KindTooMany {
			slow++
		}
	}
	return slow
}

func TestThrottle(t *testing.T) {
	databaseFile := databasetest.New(t)
	o := open(t, databaseFile)
	o.add(t, "ada@x.example", true)
	o.add(t, "bob@x.example", true)
	signIn := func(email string, addr netip.Addr) error {
		_, _, err := o.SignIn(t.Context(), email, password, accounts.From{Addr: addr})
		return err
	}
	elsewhere := netip.MustParseAddr("203.0.113.1")

	if slow := o.fail(t, 12, "ada@x.example", home); slow != 2 {
		t.Errorf("12 failures: %d told to slow down, want 2", slow)
	}
	if err := signIn("ada@x.example", home); !fault.Is(err, fault.KindTooMany) {
		t.Errorf("the right password in the eleventh try from there: %v", err)
	} else if f, _ := fault.Of(err); f.After <= 0 || f.After > 90*time.Second {
		t.Errorf("try again after %v, want up to 90 s", f.After)
	}
	if err := signIn("bob@x.example", home); err != nil {
		t.Errorf("somebody else behind the same address: %v", err)
	}
	o.clock.pass(90 * time.Second)
	if err := signIn("ada@x.example", home); err != nil {
		t.Errorf("after 90 s: %v", err)
	}
	if slow := o.fail(t, 2, "ada@x.example", home); slow != 1 {
		t.Errorf("a success gave back more than itself: %d of 2 told to slow down", slow)
	}
	o.clock.pass(15 * time.Minute)
	if slow := o.fail(t, 10, "ada@x.example", home); slow != 0 {
		t.Errorf("a new window: %d told to slow down", slow)
	}
	if err := signIn("bob@x.example", elsewhere); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
}

// An attacker with many addresses slows the owner down, but cannot lock them out.
func TestNobodyLocksSomebodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openNew(t)
		o.add(t, "ada@x.example", true)
		attacker := netip.MustParseAddr("203.0.113.1")
		signIn := func() time.Duration {
			t.Helper()
			begun := time.Now()
			if _, _, err := o.SignIn(t.Context(), "ada@x.example", password, accounts.From{Addr: home}); err != nil {
				t.Errorf("the owner: %v", err)
			}
			return time.Since(begun)
		}
		for range 9 {
			o.fail(t, 1, "ada@x.example", attacker)
			attacker = attacker.Next()
		}
		if took := signIn(); took != 0 {
			t.Errorf("after 9 failures from everywhere the owner waits %v", took)
		}
		o.fail(t, 1, "ada@x.example", attacker)
		if took := signIn(); took != accounts.GuessDelay {
			t.Errorf("after 10 failures from everywhere the owner waits %v, want %v", took, accounts.GuessDelay)
		}
	})
}

func TestOneNetworkIsBounded(t *testing.T) {
	o := openNew(t)
	slow := 0
	for i := range 110 {
		slow += o.fail(t, 1, "u"+strings.Repeat("x", i)+"@x.example", netip.MustParseAddr("2001:db8::").Next())
	}
	if slow != 10 {
		t.Errorf("110 accounts tried from one network: %d told to slow down, want 10", slow)
	}
	if slow := o.fail(t, 1, "v@x.example", netip.MustParseAddr("2001:db8::ffff:1")); slow != 1 {
		t.Error("another address of the same IPv6 network got through")
	}
	if slow := o.fail(t, 1, "v@x.example", netip.MustParseAddr("2001:db8:0:1::1")); slow != 0 {
		t.Error("another network was told to slow down")
	}
}

func TestManyTriesAtOnceDoNotSlipUnder(t *testing.T) {
	o := openNew(t)
	o.add(t, "ada@x.example", true)
	var wg sync.WaitGroup
	var mu sync.Mutex
	looked := 0
	for range 40 {
		wg.Go(func() {
			_, _, err := o.SignIn(t.Context(), "ada@x.example", "wrong password", accounts.From{Addr: home})
			if fault.Is(err, fault.KindUnauthorized) {
				mu.Lock()
				looked++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if looked != 10 {
		t.Errorf("%d of 40 tries at once were looked at, want 10", looked)
	}
}

func TestSessionLifetimes(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		what  string
		admin bool
		use   []time.Duration // waits between uses
		alive bool
	}{
		{"student, at once", false, []time.Duration{0}, true},
		{"student, 13 days unused", false, []time.Duration{13 * day}, true},
		{"student, 14 days unused", false, []time.Duration{14 * day}, false},
		{"student, weekly until day 84", false, repeat(7*day, 12), true},
		{"student, weekly until day 91", false, repeat(7*day, 13), false},
		{"admin, 7 hours unused", true, []time.Duration{7 * time.Hour}, true},
		{"admin, 8 hours unused", true, []time.Duration{8 * time.Hour}, false},
		{"admin, 6-hourly until day 6", true, repeat(6*time.Hour, 24), true},
		{"admin, 6-hourly until day 7", true, repeat(6*time.Hour, 28), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := openNew(t)
			o.add(t, "u@x.example", c.admin)
			s, u, err := o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home})
			if err != nil {
				t.Fatal(err)
			}
			var last bool
			for _, d := range c.use {
				o.clock.pass(d)
				v, err := o.Identify(t.Context(), string(s.Token))
				if err != nil {
					t.Fatal(err)
				}
				if last = v != nil; last && (v.ID != u.ID || v.Admin != c.admin || v.Session == 0) {
					t.Errorf("viewer %+v", v)
				}
				o.FlushSeen()
			}
			if last != c.alive {
				t.Errorf("alive %t, want %t", last, c.alive)
			}
		})
	}
}

func repeat(d time.Duration, n int) (all []time.Duration) {
	for range n {
		all = append(all, d)
	}
	return all
}

func TestWhatEndsSessions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		o.add(t, "root@x.example", true)
		u := o.add(t, "u@x.example", false)
		var ended []uint64
		o.OnSessionEnd(func(session uint64) { ended = append(ended, session) })
		for what, end := range map[string]func(id media.ID) error{
			"a new password": func(id media.ID) error { return o.SetPassword(t.Context(), id, id, password) },
			"becoming admin": func(id media.ID) error { return o.SetAdmin(t.Context(), 0, id, true) },
			"no admin":       func(id media.ID) error { return o.SetAdmin(t.Context(), 0, id, false) },
			"being disabled": func(id media.ID) error {
				defer o.Enable(t.Context(), 0, id)
				return o.Disable(t.Context(), 0, id)
			},
		} {
			ended = nil
			var tokens []string
			var names []uint64
			for range 2 { // two browsers
				s, _, err := o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home})
				if err != nil {
					t.Fatalf("before %s: %v", what, err)
				}
				v, err := o.Identify(t.Context(), string(s.Token))
				if err != nil || v == nil {
					t.Fatalf("before %s: %v, %v", what, v, err)
				}
				tokens, names = append(tokens, string(s.Token)), append(names, v.Session)
			}
			if err := end(u.ID); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			for _, token := range tokens {
				if v, err := o.Identify(t.Context(), token); v != nil || err != nil {
					t.Errorf("after %s: still %+v, %v", what, v, err)
				}
			}
			if len(ended) != 2 || ended[0]+ended[1] != names[0]+names[1] {
				t.Errorf("after %s: told of %v, want %v", what, ended, names)
			}
		}
	})
}

func TestAnotherNodeSeesTheEndWithinAMinute(t *testing.T) {
	o := openNew(t)
	o.add(t, "root@x.example", true)
	u := o.add(t, "u@x.example", false)
	s, _, err := o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := o.Identify(t.Context(), string(s.Token)); v == nil || err != nil {
		t.Fatal(v, err)
	}
	other := open(t, o.db)
	if err := other.Disable(t.Context(), 0, u.ID); err != nil {
		t.Fatal(err)
	}
	o.clock.pass(time.Minute)
	if v, err := o.Identify(t.Context(), string(s.Token)); v != nil || err != nil {
		t.Errorf("after a minute: %+v, %v", v, err)
	}
}

func TestRunKeepsTheBooks(t *testing.T) {
	o := openNew(t)
	o.add(t, "u@x.example", false)
	old, _, err := o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home})
	if err != nil {
		t.Fatal(err)
	}
	o.clock.pass(14 * 24 * time.Hour)
	fresh, _, err := o.SignIn(t.Context(), "u@x.example", password, accounts.From{Addr: home})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Sweep(o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := o.db.Reader().Raw("SELECT count(*) FROM sessions").Scan(&n).Error; err != nil || n != 1 {
		t.Errorf("%d sessions after the sweep, %v; want the fresh one", n, err)
	}
	if v, err := o.Identify(t.Context(), string(old.Token)); v != nil || err != nil {
		t.Errorf("swept session: %+v, %v", v, err)
	}
	if v, err := o.Identify(t.Context(), string(fresh.Token)); v == nil || err != nil {
		t.Errorf("fresh session: %+v, %v", v, err)
	}
}
