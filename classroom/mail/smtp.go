package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"chalkcast/media"
)

// SMTPConfig is a mail server (RFC 5321).
type SMTPConfig struct {
	// URL is smtp://user@host:587, where the connection turns to TLS by STARTTLS, or smtps://user@host:465, where it
	// begins with TLS. Without a user nobody signs in. TLS is required, except without a user (a relay in the house,
	// which then gets TLS if it offers it) and on the loopback address.
	URL      string
	Password media.Secret
	// From is the sender: office@school.example, or Grove School <office@school.example>.
	From string
	// TLS replaces the usual trust in the server's certificate. Nil for all but tests.
	TLS *tls.Config
}

// SMTP is a mail server. Safe for concurrent use; every message has a connection of its own.
type SMTP struct {
	host    string
	from    *netmail.Address
	options []gomail.Option
}

// NewSMTP checks the settings; it does not connect.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("smtp: want smtp://user@host:587 or smtps://user@host:465")
	}
	user := u.User.Username()
	if _, given := u.User.Password(); given {
		return nil, errors.New("smtp: the password does not belong into the address, but into smtp-password")
	}
	if (user == "") != (cfg.Password == "") {
		return nil, errors.New("smtp: a user in the address and smtp-password belong together: one of them is missing")
	}
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil || len(cfg.From) > 320 {
		return nil, fmt.Errorf("mail-from: %q is not like office@school.example", cfg.From)
	}
	s := &SMTP{host: u.Hostname(), from: from}
	port := 587
	if u.Scheme == "smtps" {
		port = 465
		s.options = append(s.options, gomail.WithSSL())
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, fmt.Errorf("smtp: %q is no port", u.Port())
		}
	}
	policy := tlsPolicy(u.Hostname(), user)
	s.options = append(s.options, gomail.WithTLSPolicy(policy), gomail.WithPort(port), gomail.WithTimeout(sendTime), gomail.WithoutNoop())
	if cfg.TLS == nil && policy == gomail.TLSOpportunistic && u.Scheme == "smtp" {
		// Who could forge the certificate could as well say that there is no TLS; relays in the house sign their own.
		cfg.TLS = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true} //nolint:gosec // see above
	}
	if cfg.TLS != nil {
		s.options = append(s.options, gomail.WithTLSConfig(cfg.TLS))
	}
	if user != "" {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(user),
			gomail.WithPassword(string(cfg.Password)))
	}
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return s, nil
}

// tlsPolicy keeps a password, and the links that sign people in, from the eyes on the way.
func tlsPolicy(host, user string) gomail.TLSPolicy {
	ip, _ := netip.ParseAddr(host)
	if user == "" || host == "localhost" || ip.IsLoopback() {
		return gomail.TLSOpportunistic
	}
	return gomail.TLSMandatory
}

// Send is a Sender.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return verdict(err)
	}
	return nil
}

// Check connects, signs in and hangs up.
func (s *SMTP) Check(ctx context.Context) error {
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	return client.Close()
}

// message builds the letter. No name of a person gets into its head, only an address that has been checked; the
// subject is ours with the school's name in it, and is encoded (SEC-73).
func (s *SMTP) message(m Message) (*gomail.Msg, error) {
	if len(m.To) > 254 || len(m.Subject) > 1000 || strings.ContainsAny(m.To+m.Subject, "\r\n\x00") {
		return nil, errors.New("an address or a subject is no line")
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Name != "" {
		return nil, errors.New("this is no plain address")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(to)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(time.Now())
	_, domain, _ := strings.Cut(s.from.Address, "@")
	msg.SetMessageIDWithValue(m.ID.String() + "@" + domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

// verdict tells what the server said of one message from what concerns all of them. The server's own words may hold
// the address, so they are not passed on.
func verdict(err error) error {
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return fmt.Errorf("smtp: %w", err)
	}
	code := e.ErrorCode()
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		if code >= 500 {
			return fmt.Errorf("%w with code %d", ErrRefused, code)
		}
		if code >= 400 {
			return fmt.Errorf("%w with code %d", ErrDeferred, code)
		}
	case gomail.ErrGetRcpts, gomail.ErrNoUnencoded:
		return fmt.Errorf("%w: the server cannot take this address", ErrRefused)
	}
	return fmt.Errorf("smtp: not sent, at step %d, code %d", e.Reason, code)
}
