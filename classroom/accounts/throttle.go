package accounts

import (
	"net/netip"
	"sync"
	"time"
)

// A budget allows burst failures at once, and gives one back every window/burst.
type budget struct {
	burst  int
	window time.Duration
}

var (
	// One account from one network: somebody who guesses, or forgot.
	accountBudget = budget{10, 15 * time.Minute}
	// One network: a whole school may sit behind one address, and only failures count.
	networkBudget = budget{100, 15 * time.Minute}
	// One account from everywhere. Beyond it tries are only delayed, because otherwise anybody could lock
	// anybody out.
	everywhereBudget = budget{10, 15 * time.Minute}
)

// guessDelay is what a try costs while an account is under attack from many networks.
const guessDelay = 3 * time.Second

// maxThrottled bounds the memory of an attack from many addresses.
const maxThrottled = 50_000

type throttleKey struct {
	what string // account+network, network, account
	addr netip.Prefix
	user string
}

// throttle keeps for each key until when its failures are spent (the generic cell rate algorithm).
type throttle struct {
	mu    sync.Mutex
	spent map[throttleKey]time.Time
}

func newThrottle() *throttle { return &throttle{spent: make(map[throttleKey]time.Time)} }

// attempt is one try to sign in. It counts as failed until succeed says otherwise, so that many tries at the same
// time cannot all slip under the limit.
type attempt struct {
	t    *throttle
	keys map[throttleKey]budget
}

// begin starts a try for account (a folded address) from addr. retry is positive when the try must not be made;
// delay is how long to wait before it is looked at.
func (t *throttle) begin(now time.Time, account string, addr netip.Addr) (a *attempt, delay, retry time.Duration) {
	network := networkOf(addr)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.makeRoom(now)
	a = &attempt{t: t, keys: map[throttleKey]budget{
		{"account+network", network, account}: accountBudget,
		{"network", network, ""}:              networkBudget,
	}}
	for k, b := range a.keys {
		if w := t.over(now, k, b); w > retry {
			retry = w
		}
	}
	if retry > 0 {
		return nil, 0, retry
	}
	everywhere := throttleKey{what: "account", user: account}
	if t.over(now, everywhere, everywhereBudget) > 0 {
		delay = guessDelay
	} else {
		a.keys[everywhere] = everywhereBudget
	}
	for k, b := range a.keys {
		t.spent[k] = later(t.spent[k], now).Add(b.window / time.Duration(b.burst))
	}
	return a, delay, 0
}

// over returns how long until one more failure fits into the budget.
func (t *throttle) over(now time.Time, k throttleKey, b budget) time.Duration {
	return later(t.spent[k], now).Add(b.window/time.Duration(b.burst)).Sub(now) - b.window
}

// succeed gives back what begin took.
func (a *attempt) succeed() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	for k, b := range a.keys {
		if at, ok := a.t.spent[k]; ok {
			a.t.spent[k] = at.Add(-b.window / time.Duration(b.burst))
		}
	}
}

// makeRoom forgets what is over, and anything at all when that is not enough: an attacker with so many
// addresses gains nothing by being forgotten early.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.spent) < maxThrottled {
		return
	}
	for k, at := range t.spent {
		if !at.After(now) {
			delete(t.spent, k)
		}
	}
	for k := range t.spent {
		if len(t.spent) < maxThrottled*9/10 {
			return
		}
		delete(t.spent, k)
	}
}

// networkOf takes IPv6 by the network that one customer gets.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr has the zero Prefix
	return p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
