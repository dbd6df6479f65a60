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

// Codes of a second factor for one account, from everywhere: who gets to try them knows the password already, so
// nobody is locked out by a stranger. 40 guesses an hour hit one of three valid codes once in a year.
var codeBudget = budget{10, 15 * time.Minute}

// Mails that are asked for: from one network, behind which a school may sit, and for one address, so that nobody's
// mailbox is filled by a stranger.
var (
	askNetworkBudget = budget{300, 15 * time.Minute}
	askAddressBudget = budget{5, time.Hour}
)

// guessDelay is what a try costs while an account is under attack from many networks.
const guessDelay = 3 * time.Second

// maxThrottled bounds the memory of an attack from many addresses.
const maxThrottled = 50_000

type throttleKey struct {
	what string // account+network, network, account, code, ask+network, ask
	addr netip.Prefix
	user string
}

// throttle keeps for each key until when its failures are spent (the generic cell rate algorithm).
type throttle struct {
	mu    sync.Mutex
	spent map[throttleKey]time.Time
}

func newThrottle() *throttle { return &throttle{spent: make(map[throttleKey]time.Time)} }

// attempt is one try to sign in. For its account it counts as failed until it is over, so that many tries at the
// same time cannot all slip under the limit. For its network it counts when it has failed: a whole school that
// signs in at 08:00 may be one address.
type attempt struct {
	t       *throttle
	account map[throttleKey]budget // taken in advance
	network throttleKey
}

// begin starts a try for account (a folded address) from addr. retry is positive when the try must not be made;
// delay is how long to wait before it is looked at.
func (t *throttle) begin(now time.Time, account string, addr netip.Addr) (a *attempt, delay, retry time.Duration) {
	network := networkOf(addr)
	here := throttleKey{"account+network", network, account}
	everywhere := throttleKey{what: "account", user: account}
	a = &attempt{t: t, account: map[throttleKey]budget{here: accountBudget}, network: throttleKey{"network", network, ""}}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.makeRoom(now)
	if retry = max(t.over(now, here, accountBudget), t.over(now, a.network, networkBudget)); retry > 0 {
		return nil, 0, retry
	}
	if t.over(now, everywhere, everywhereBudget) > 0 {
		delay = guessDelay
	} else {
		a.account[everywhere] = everywhereBudget
	}
	for k, b := range a.account {
		t.spend(now, k, b)
	}
	return a, delay, 0
}

// take spends one from the budget of k; it returns how long until there is one when there is none.
func (t *throttle) take(now time.Time, k throttleKey, b budget) (retry time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.makeRoom(now)
	if retry = t.over(now, k, b); retry <= 0 {
		t.spend(now, k, b)
	}
	return retry
}

// giveBack undoes a take.
func (t *throttle) giveBack(k throttleKey, b budget) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.spent[k]; ok {
		t.spent[k] = at.Add(-b.window / time.Duration(b.burst))
	}
}

// spend takes one failure out of a budget. The caller holds mu.
func (t *throttle) spend(now time.Time, k throttleKey, b budget) {
	t.spent[k] = later(t.spent[k], now).Add(b.window / time.Duration(b.burst))
}

// over returns how long until one more failure fits into the budget.
func (t *throttle) over(now time.Time, k throttleKey, b budget) time.Duration {
	return later(t.spent[k], now).Add(b.window/time.Duration(b.burst)).Sub(now) - b.window
}

// end says how the try went: a failure costs the network too; anything else, a success or a busy server, gives
// back what begin took.
func (a *attempt) end(now time.Time, failed bool) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if failed {
		a.t.spend(now, a.network, networkBudget)
		return
	}
	for k, b := range a.account {
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
