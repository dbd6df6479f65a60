package classroom

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// Check is one thing that the self-test tries. Try changes nothing that anybody would notice; its error goes to
// admins, and holds no secret.
type Check struct {
	Name string // ports, data, database, storage, clock, tls, mail
	Try  func(ctx context.Context) error
}

// checkTime is how long one check may take.
const checkTime = 20 * time.Second

// selfTest is the last run, or the one that goes on.
type selfTest struct {
	checks []Check
	asked  chan struct{} // capacity 1: an admin wants a run

	mu      sync.Mutex // guards what follows
	parts   []templates.SelfTestPart
	running bool
	ran     time.Time
}

func newSelfTest(checks []Check) *selfTest {
	return &selfTest{checks: checks, asked: make(chan struct{}, 1)}
}

// runSelfTests runs the checks whenever an admin asks, one run at a time, until ctx ends.
func (k *Classroom) runSelfTests(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.tests.asked:
			k.tests.run(ctx, k.now)
		}
	}
}

func (t *selfTest) run(ctx context.Context, now func() time.Time) {
	for i, c := range t.checks {
		t.set(i, "running", "")
		state, words := "good", ""
		trying, cancel := context.WithTimeout(ctx, checkTime)
		if err := c.Try(trying); err != nil {
			state, words = "bad", err.Error()
		}
		cancel()
		t.set(i, state, words)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.ran = false, now()
}

func (t *selfTest) set(i int, state, words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts[i].State, t.parts[i].Error = state, words
}

// begin asks for a run, unless one goes on.
func (t *selfTest) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running {
		return
	}
	t.running, t.parts = true, nil
	for _, c := range t.checks {
		t.parts = append(t.parts, templates.SelfTestPart{Name: c.Name, State: "waiting"})
	}
	t.asked <- struct{}{} // there is room: no run is waiting
}

func (k *Classroom) healthPage(c *gin.Context) (err error) {
	t := k.tests
	t.mu.Lock()
	p := templates.SelfTest{Checks: slices.Clone(t.parts), Running: t.running}
	if !t.running && !t.ran.IsZero() {
		p.Ran = t.ran.In(k.Accounts.School().Zone)
	}
	t.mu.Unlock()
	if p.Page, err = web.NewPage(c, "health"); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

func (k *Classroom) postHealth(c *gin.Context) error {
	k.tests.begin()
	return web.Redirect(c, "/health")
}
