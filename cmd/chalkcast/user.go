package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/database"
	"chalkcast/media"
)

// userCmd makes people when there is no page to make them on.
type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Make a user. Prints a password unless one is given."`
	Password userPasswordCmd `cmd:"" help:"Give a user a new password and end their sessions."`
	Link     userLinkCmd     `cmd:"" help:"Print a link that signs a user in once, without a password."`
	NoFactor userNoFactorCmd `cmd:"" name:"no-second-factor" help:"Turn off the second factor of a user who lost it and the recovery codes, and end their sessions."`
}

type userAddCmd struct {
	Email    string       `arg:"" help:"The address they sign in with."`
	Name     string       `help:"How they are shown." required:""`
	Admin    bool         `help:"Make them an admin of the school."`
	Password media.Secret `help:"Their first password; rather leave it out and take the printed one." env:"-"`

	settings
}

// Run makes the user. The server may run meanwhile.
func (u *userAddCmd) Run(ctx context.Context, env *environment) error {
	return withAccounts(ctx, &u.settings, env, func(a *accounts.Accounts) error {
		made := u.Password == ""
		if made {
			u.Password = newPassword()
		}
		_, err := a.Create(ctx, 0, accounts.NewUser{Email: u.Email, DisplayName: u.Name, Admin: u.Admin, Password: u.Password})
		if err != nil {
			return fmt.Errorf("make %s: %w", u.Email, err)
		}
		if made {
			fmt.Fprintf(env.stdout, "%s can sign in with the password %s\n", u.Email, string(u.Password))
		}
		return nil
	})
}

type userPasswordCmd struct {
	Email string `arg:"" help:"Whose password."`

	settings
}

// Run replaces a password.
func (u *userPasswordCmd) Run(ctx context.Context, env *environment) error {
	return withAccounts(ctx, &u.settings, env, func(a *accounts.Accounts) error {
		user, err := a.UserByEmail(ctx, u.Email)
		if err != nil {
			return fmt.Errorf("find %s: %w", u.Email, err)
		}
		password := newPassword()
		if err := a.SetPassword(ctx, 0, user.ID, password); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		fmt.Fprintf(env.stdout, "%s can sign in with the password %s\n", u.Email, string(password))
		return nil
	})
}

type userLinkCmd struct {
	Email string        `arg:"" help:"Whom the link signs in."`
	Lasts time.Duration `help:"How long it can be used, up to 168h. (default ${default})" default:"15m" env:"-"`

	settings
}

// Run makes a link and prints it.
func (u *userLinkCmd) Run(ctx context.Context, env *environment) error {
	return withAccounts(ctx, &u.settings, env, func(a *accounts.Accounts) error {
		user, err := a.UserByEmail(ctx, u.Email)
		if err != nil {
			return fmt.Errorf("find %s: %w", u.Email, err)
		}
		token, err := a.NewLink(ctx, user.ID, u.Lasts)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s%s\n", u.base(), accounts.LinkPath(token))
		return nil
	})
}

type userNoFactorCmd struct {
	Email string `arg:"" help:"Whose second factor."`

	settings
}

// Run turns it off.
func (u *userNoFactorCmd) Run(ctx context.Context, env *environment) error {
	return withAccounts(ctx, &u.settings, env, func(a *accounts.Accounts) error {
		user, err := a.UserByEmail(ctx, u.Email)
		if err != nil {
			return fmt.Errorf("find %s: %w", u.Email, err)
		}
		if err := a.RemoveFactor(ctx, 0, user.ID); err != nil {
			return fmt.Errorf("turn off second factor: %w", err)
		}
		fmt.Fprintf(env.stdout, "%s signs in without a second factor now\n", u.Email)
		return nil
	})
}

// base is how browsers reach the school, as far as settings tell.
func (s *settings) base() string {
	if s.BaseURL != "" {
		return s.BaseURL
	}
	scheme := "http"
	if s.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(s.HTTP)
	if ip, _ := netip.ParseAddr(host); err != nil || host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// withAccounts opens the database for one command.
func withAccounts(ctx context.Context, s *settings, env *environment, do func(*accounts.Accounts) error) error {
	if err := s.complete(usualData); err != nil {
		return err
	}
	log := env.logger(s.logSettings)
	db, err := database.Open(ctx, database.Config{URL: s.Database, Log: log})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	a, err := accounts.New(ctx, accounts.Config{DB: db, Log: log})
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	return do(a)
}

// newPassword returns a password that can be read over the telephone: 75 bits in three groups.
func newPassword() media.Secret {
	s := strings.ToLower(rand.Text())
	return media.Secret(s[:5] + "-" + s[5:10] + "-" + s[10:15])
}
