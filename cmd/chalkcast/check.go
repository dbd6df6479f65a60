package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"

	"chalkcast/classroom/database"
	"chalkcast/media"
	"chalkcast/storage"
)

type checkCmd struct {
	settings
}

// Run tries what the server will need, one thing after the other, and says of each whether it works. The server
// must not be running on the same ports and data.
func (c *checkCmd) Run(ctx context.Context, env *environment) error {
	if err := c.complete(usualData); err != nil {
		return err
	}
	failed := 0
	for _, part := range []struct {
		name string
		try  func() error
	}{
		{"ports", func() error {
			d, err := openDoors(ctx, &c.settings)
			if err == nil {
				d.Close()
			}
			return err
		}},
		{"data folder", func() error {
			d, err := openData(c.Data)
			if err != nil {
				return err
			}
			_, err = d.secret()
			return errors.Join(err, d.Close())
		}},
		{"database", func() error {
			db, err := database.Open(ctx, database.Config{URL: c.Database, Log: env.logger(c.logSettings)})
			if err != nil {
				return err
			}
			return errors.Join(db.Ping(ctx), db.Close())
		}},
		{"storage", func() error { return c.tryStorage(ctx) }},
		{"mail", func() error {
			server, err := c.mailServer()
			if err != nil || server == nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			return server.Check(ctx)
		}},
		{"clock", tryClock},
		{"certificate", func() error { return c.tryCertificate() }},
	} {
		err := part.try()
		if err != nil {
			failed++
			fmt.Fprintf(env.stdout, "✗ %-12s %v\n", part.name, err)
			continue
		}
		fmt.Fprintf(env.stdout, "✓ %s\n", part.name)
	}
	if failed > 0 {
		return fmt.Errorf("%d of these must be mended before the school can open", failed)
	}
	return nil
}

// tryStorage opens the store and tries it.
func (c *checkCmd) tryStorage(ctx context.Context) error {
	store, closeStore, err := openStore(ctx, &c.settings)
	if err != nil {
		return err
	}
	return errors.Join(tryStore(ctx, store), closeStore())
}

// tryStore writes, reads back and deletes one object.
func tryStore(ctx context.Context, store storage.Store) error {
	content := storage.Bytes([]byte("chalkcast was here\n"))
	name := "check/" + media.NewID().String() + ".txt"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := storage.Keep(ctx, store, name, content, storage.Patience{})
	return errors.Join(err, store.Delete(ctx, name))
}

func tryClock() error {
	if now := time.Now(); now.Year() < 2026 {
		return fmt.Errorf("this machine says it is %s", now.Format(time.DateOnly))
	}
	return nil
}

// certificateLeft is how long a certificate should still be good: time enough for somebody to notice.
const certificateLeft = 14 * 24 * time.Hour

// tryCertificate looks at the certificate that browsers and encoders are shown; without one there is nothing to see.
func (s *settings) tryCertificate() error {
	if s.TLSCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if left := time.Until(pair.Leaf.NotAfter); left < certificateLeft {
		return fmt.Errorf("certificate: it ends on %s", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	u, err := url.Parse(s.BaseURL)
	if err != nil || s.BaseURL == "" {
		return err
	}
	return pair.Leaf.VerifyHostname(u.Hostname())
}
