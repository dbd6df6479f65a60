package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/media"
)

// takeoverSilence is how long the first of two encoders of one teacher must have sent nothing before the second
// replaces it: an OBS reconnect while the old TCP connection is half dead.
const takeoverSilence = 5 * time.Second

const admitTimeout = 5 * time.Second

// Config of a Desk. Gate and Sink are required.
type Config struct {
	Gate   Gate
	Sink   Sink
	Limits Limits
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Metrics keeps chalkcast_ingest_…; nil: none are kept. One desk may use it.
	Metrics prometheus.Registerer
}

// Desk knows every broadcast that runs. Safe for concurrent use.
type Desk struct {
	cfg     Config
	metrics *metrics

	mu       sync.Mutex
	sessions map[media.ID]*Session // by publisher
}

// NewDesk returns a desk without broadcasts.
func NewDesk(cfg Config) *Desk {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Limits = cfg.Limits.WithDefaults()
	d := &Desk{cfg: cfg, metrics: newMetrics(), sessions: map[media.ID]*Session{}}
	if err := d.metrics.register(cfg.Metrics, d); err != nil {
		cfg.Log.Error("metrics of ingest", "err", err)
	}
	return d
}

// Run reports the health of every broadcast once a second until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			for _, s := range d.running() {
				if h, ok := s.health(d.cfg.Now()); ok {
					d.cfg.Gate.Health(s.grant, h)
				}
			}
		}
	}
}

// Admit asks for a place at the desk. hangUp is called at most once, from another goroutine, when the broadcast
// must end (revoked key, takeover): it makes the connection close, and the connection then calls End as always.
// It must not block. A refused encoder gets a *media.Refusal.
func (d *Desk) Admit(ctx context.Context, a media.Attempt, hangUp func(*media.Refusal)) (*Session, error) {
	s, err := d.admit(ctx, a, hangUp)
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		d.metrics.refused(a.Protocol, r.Code)
		return nil, err
	}
	d.metrics.admitted.WithLabelValues(string(a.Protocol)).Inc()
	return s, nil
}

// admit is Admit; its error is always a *media.Refusal.
func (d *Desk) admit(ctx context.Context, a media.Attempt, hangUp func(*media.Refusal)) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, admitTimeout)
	defer cancel()
	grant, err := d.cfg.Gate.Admit(ctx, a)
	if err != nil {
		if r, ok := errors.AsType[*media.Refusal](err); ok {
			return nil, r
		}
		d.cfg.Log.Error("admit encoder", "protocol", a.Protocol, "err", err)
		return nil, &media.Refusal{Code: media.ServerBusy}
	}
	s := &Session{desk: d, grant: grant, protocol: a.Protocol, hangUp: hangUp, last: d.cfg.Now(), gone: make(chan struct{})}
	if err := d.seat(ctx, s, a.Takeover); err != nil {
		d.cfg.Gate.Ended(grant, media.End{At: d.cfg.Now(), Code: media.SecondEncoder})
		return nil, err
	}
	return s, nil
}

// seat gives s the teacher's one place. An encoder that sits there already is asked to leave when it is silent or
// when force is set, and s waits until it has left, so that frames of two encoders never mix.
func (d *Desk) seat(ctx context.Context, s *Session, force bool) error {
	for {
		d.mu.Lock()
		old := d.sessions[s.grant.Publisher]
		if old == nil {
			d.sessions[s.grant.Publisher] = s
			d.mu.Unlock()
			return nil
		}
		d.mu.Unlock()
		if !force && old.silence(d.cfg.Now()) < takeoverSilence {
			return &media.Refusal{Code: media.SecondEncoder}
		}
		old.leave(&media.Refusal{Code: media.SecondEncoder})
		select {
		case <-old.gone:
		case <-ctx.Done():
			return &media.Refusal{Code: media.SecondEncoder}
		}
	}
}

// Revoke ends the broadcast that was let in by this key, if there is one. It does not wait for the end.
func (d *Desk) Revoke(keyID string) {
	for _, s := range d.running() {
		if s.grant.KeyID == keyID {
			s.leave(&media.Refusal{Code: media.KeyRevoked})
		}
	}
}

// DropPublisher ends the broadcast of a teacher, if there is one: the studio's Take over. It does not wait.
func (d *Desk) DropPublisher(publisher media.ID) {
	for _, s := range d.running() {
		if s.grant.Publisher == publisher {
			s.leave(&media.Refusal{Code: media.SecondEncoder})
		}
	}
}

func (d *Desk) running() []*Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*Session, 0, len(d.sessions))
	for _, s := range d.sessions {
		all = append(all, s)
	}
	return all
}

func (d *Desk) remove(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions[s.grant.Publisher] == s {
		delete(d.sessions, s.grant.Publisher)
	}
}
