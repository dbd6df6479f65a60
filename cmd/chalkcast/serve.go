package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

type serveCmd struct {
	settings
}

// Run serves until ctx ends.
func (s *serveCmd) Run(ctx context.Context, env *environment) error {
	if err := s.complete(usualData); err != nil {
		return err
	}
	sc, err := openSchool(ctx, &s.settings, env.logger(s.logSettings))
	if err != nil {
		return err
	}
	defer sc.Close()
	token, err := sc.classroom.Accounts.NewSetup(ctx)
	if err != nil {
		return fmt.Errorf("set-up link: %w", err)
	}
	if token != "" {
		fmt.Fprintf(env.stdout, "This school has no admin yet. Open this link to begin:\n\n    %s/setup?token=%s\n\n", sc.base, string(token))
	}
	return sc.run(ctx)
}

// drainTime is how long requests may finish after the program was asked to stop: more than a held playlist waits.
const drainTime = 10 * time.Second

// doors are the open ports of a school.
type doors struct {
	http, rtmp, rtmps, rtsp, rtsps, metrics net.Listener // nil when off
	tls                                     *tls.Config  // nil without a certificate
}

// openDoors opens every port before anything else is opened: a port that is taken is the commonest mistake and
// should be the first thing said.
func openDoors(ctx context.Context, s *settings) (_ *doors, err error) {
	d := &doors{}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if s.TLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	var listen net.ListenConfig
	for _, door := range []struct {
		name, address string
		to            *net.Listener
	}{
		{"http", s.HTTP, &d.http},
		{"rtmp", s.RTMP, &d.rtmp},
		{"rtmps", s.RTMPS, &d.rtmps},
		{"rtsp", s.RTSP, &d.rtsp},
		{"rtsps", s.RTSPS, &d.rtsps},
		{"metrics", s.Metrics, &d.metrics},
	} {
		if door.address == "" {
			continue
		}
		if *door.to, err = listen.Listen(ctx, "tcp", door.address); err != nil {
			return nil, fmt.Errorf("%s: %w (another program? choose a free port with --%s)", door.name, err, door.name)
		}
	}
	if d.http == nil {
		return nil, errors.New("http: the school needs an address for browsers")
	}
	return d, nil
}

// Close closes every open port. Those that a server has closed already are no error.
func (d *doors) Close() {
	for _, l := range []net.Listener{d.http, d.rtmp, d.rtmps, d.rtsp, d.rtsps, d.metrics} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// run runs every part until ctx ends or one of them fails, and returns when all have stopped. The doors close first;
// then the parts that write down what came through them.
func (sc *school) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	backCtx, stopBack := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBack()
	var back errgroup.Group
	for _, run := range []func(context.Context) error{
		sc.origin.Run, sc.desk.Run, sc.classroom.Run,
	} {
		back.Go(func() error {
			defer stop()
			return run(backCtx)
		})
	}
	front, frontCtx := errgroup.WithContext(ctx)
	sc.openFront(frontCtx, front)
	sc.log.Info("school is open", "url", sc.base, "rtmp", sc.server)
	err := front.Wait()
	sc.log.Info("school is closing")
	stopBack()
	return errors.Join(err, back.Wait())
}

// openFront serves every open door until ctx ends.
func (sc *school) openFront(ctx context.Context, g *errgroup.Group) {
	d := sc.doors
	sc.openEncoderDoors(ctx, g)
	g.Go(func() error { return serveHTTP(ctx, sc.classroom.HTTPServer(d.tls), d.http) })
	if d.metrics != nil {
		g.Go(func() error {
			return serveHTTP(ctx, &http.Server{Handler: sc.metricsHandler(), ReadHeaderTimeout: time.Minute}, d.metrics)
		})
	}
}

// serveHTTP serves until ctx ends, then lets requests finish for drainTime.
func serveHTTP(ctx context.Context, srv *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			stopped <- srv.Close()
			return
		}
		stopped <- nil
	})
	var err error
	if srv.TLSConfig != nil {
		err = srv.ServeTLS(l, "", "")
	} else {
		err = srv.Serve(l)
	}
	if stop() { // it was not ctx that ended it
		return fmt.Errorf("serve http: %w", err)
	}
	return <-stopped
}
