package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chalkcast/classroom"
	"chalkcast/classroom/database"
	"chalkcast/classroom/mail"
	"chalkcast/hls"
	"chalkcast/hls/ticket"
	"chalkcast/ingest"
	"chalkcast/media"
	"chalkcast/storage"
	"chalkcast/storage/disk"
	"chalkcast/templates"
)

// school is everything that is open while the program serves. Fields are in the order in which they are opened.
type school struct {
	settings *settings
	log      *slog.Logger
	base     string // how browsers reach us
	server   string // what a teacher writes into OBS
	secret   []byte // of the data folder: what tickets and addresses are made with

	closers []func() error // run from the last to the first

	doors     *doors
	metrics   *prometheus.Registry
	free      func() int64 // bytes left for recordings; nil when the storage does not tell
	store     storage.Store
	origin    *hls.Origin
	classroom *classroom.Classroom
	desk      *ingest.Desk
}

// openSchool opens and wires every part. Nothing runs yet: see run.
func openSchool(ctx context.Context, s *settings, log *slog.Logger) (_ *school, err error) {
	sc := &school{settings: s, log: log, metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			sc.Close()
		}
	}()
	if sc.doors, err = openDoors(ctx, s); err != nil {
		return nil, err
	}
	sc.onClose(func() error { sc.doors.Close(); return nil })
	sc.base, sc.server = sc.addresses()
	sc.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	minter, err := sc.openMedia(ctx)
	if err != nil {
		return nil, err
	}
	if err := sc.openClassroom(ctx, minter); err != nil {
		return nil, err
	}
	sc.desk = ingest.NewDesk(ingest.Config{Gate: sc.classroom.Lessons, Sink: sink{sc.origin}, Log: log, Metrics: sc.metrics})
	return sc, nil
}

// openMedia opens data folder, storage and origin.
func (sc *school) openMedia(ctx context.Context) (*ticket.Minter, error) {
	data, err := openData(sc.settings.Data)
	if err != nil {
		return nil, err
	}
	sc.onClose(data.Close)
	secret, err := data.secret()
	if err != nil {
		return nil, err
	}
	sc.secret = secret
	key, err := ticket.NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("tickets: %w", err)
	}
	minter, err := ticket.New(key)
	if err != nil {
		return nil, fmt.Errorf("tickets: %w", err)
	}
	store, closeStore, err := openStore(ctx, sc.settings)
	if err != nil {
		return nil, err
	}
	sc.onClose(closeStore)
	if d, ok := store.(*disk.Store); ok {
		sc.free = d.Free
	}
	if store, err = storage.Measure(store, sc.metrics); err != nil {
		return nil, fmt.Errorf("metrics of the storage: %w", err)
	}
	sc.store = store
	sc.origin, err = hls.Open(hls.Config{
		Store: store, Tickets: minter, Spool: filepath.Join(sc.settings.Data, "spool"), Log: sc.log, Metrics: sc.metrics,
		Origins: origins(sc.settings.BaseURL), Address: viewerAddress(sc.settings.TrustedProxies),
		Keep:       time.Duration(sc.settings.KeepRecordings) * 24 * time.Hour,
		PartTarget: partLengths[sc.settings.Part],
	})
	if err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	return minter, nil
}

// openClassroom opens the database and the wing that stands on it.
func (sc *school) openClassroom(ctx context.Context, minter *ticket.Minter) error {
	db, err := database.Open(ctx, database.Config{URL: sc.settings.Database, Log: sc.log})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	sc.onClose(db.Close)
	pages, err := templates.New()
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	server, err := sc.settings.mailServer()
	if err != nil {
		return err
	}
	var send mail.Sender
	if server != nil {
		send = server.Send
	}
	sc.classroom, err = classroom.New(ctx, classroom.Config{
		DB: db, Pages: pages,
		Origin: air{sc.origin}, Ticket: tickets(minter), Media: sc.origin.Handler(), Deny: minter.Deny,
		Revoke:   func(keyID string) { sc.desk.Revoke(keyID) },
		TakeOver: func(publisher media.ID) { sc.desk.DropPublisher(publisher) },
		Server:   sc.server, BaseURL: sc.settings.BaseURL, TrustedProxies: sc.settings.TrustedProxies,
		Stored: sc.stored, KeepRecordings: sc.settings.KeepRecordings, Checks: sc.checks(db, server), Secret: sc.secret,
		Send: send, Address: sc.base,
		Metrics: sc.metrics, Log: sc.log,
	})
	return err
}

// stored tells the day's board how much recordings take and how much is free; negative is unknown.
func (sc *school) stored() (stored, free int64) {
	if free = -1; sc.free != nil {
		free = sc.free()
	}
	return sc.origin.Stored(), free
}

// addresses returns how browsers and encoders reach the school, as well as it can be known from here.
func (sc *school) addresses() (base, server string) {
	base = sc.settings.BaseURL
	if base == "" {
		base = "http://" + dialable(sc.doors.http)
		if sc.doors.tls != nil {
			base = "https://" + dialable(sc.doors.http)
		}
	}
	// Where both doors are open, teachers are shown the one that nobody listens in on, unless the certificate cannot
	// be for the name that we know of ourselves.
	switch {
	case sc.doors.rtmps != nil && (sc.settings.BaseURL != "" || sc.doors.rtmp == nil):
		return base, "rtmps://" + sc.public(sc.doors.rtmps, base) + "/live"
	case sc.doors.rtmp != nil:
		return base, "rtmp://" + strings.TrimSuffix(sc.public(sc.doors.rtmp, base), ":1935") + "/live"
	}
	return base, ""
}

// public returns the address of l for those who reach the school at base.
func (sc *school) public(l net.Listener, base string) string {
	address := dialable(l)
	if u, err := url.Parse(base); err == nil && sc.settings.BaseURL != "" {
		_, port, _ := net.SplitHostPort(address)
		return net.JoinHostPort(u.Hostname(), port)
	}
	return address
}

// dialable returns an address of l that a browser on this machine can open.
func dialable(l net.Listener) string {
	a := l.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", fmt.Sprint(a.Port))
	}
	return a.String()
}

// metricsHandler is for the operator on the loopback address.
func (sc *school) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(sc.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (sc *school) onClose(f func() error) { sc.closers = append(sc.closers, f) }

// Close closes what openSchool opened, the last first.
func (sc *school) Close() {
	for len(sc.closers) > 0 {
		last := len(sc.closers) - 1
		if err := sc.closers[last](); err != nil {
			sc.log.Error("close", "err", err)
		}
		sc.closers = sc.closers[:last]
	}
}
