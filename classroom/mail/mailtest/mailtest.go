package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Received is one mail as it arrived.
type Received struct {
	From, To string // of the envelope
	Raw      string
	Header   netmail.Header
	Subject  string // decoded
	Text     string // the plain part, decoded
	HTML     string
}

// Server is a mail server.
type Server struct {
	// User and Password are wanted before anything is taken, when User is not empty. Set before the first mail.
	User, Password string

	t    testing.TB
	addr string
	tls  *tls.Config
	cert *x509.CertPool

	mu     sync.Mutex // guards what follows
	stop   func()     // nil while it is stopped
	mails  []Received
	answer map[string]int // what an address is answered with
	got    chan struct{}  // closed and replaced when a mail comes
}

// New starts a server that offers STARTTLS; it is stopped when the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, addr: "127.0.0.1:0", answer: map[string]int{}, got: make(chan struct{})}
	s.tls, s.cert = certificate(t)
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// URL is the server's address for a user, or for nobody.
func (s *Server) URL(user string) string {
	if user != "" {
		user += "@"
	}
	return "smtp://" + user + s.addr
}

// TLS trusts the server's certificate.
func (s *Server) TLS() *tls.Config { return &tls.Config{RootCAs: s.cert, ServerName: "127.0.0.1"} }

// Start lets the server listen, at its old address when it had one.
func (s *Server) Start() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatalf("start the mail server: %v", err)
	}
	s.addr = l.Addr().String()
	srv := smtp.NewServer(backend{s})
	srv.Domain, srv.TLSConfig, srv.EnableSMTPUTF8 = "mail.example", s.tls, true
	srv.ReadTimeout, srv.WriteTimeout = 10*time.Second, 10*time.Second
	srv.MaxMessageBytes, srv.MaxRecipients = 1<<20, 10
	srv.AllowInsecureAuth, srv.ErrorLog = false, quiet{}
	s.mu.Lock()
	defer s.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	s.stop = func() {
		_ = l.Close() // Serve may not have seen it yet
		_ = srv.Close()
		wg.Wait()
	}
}

// Stop ends the server and its connections; the next connection is refused.
func (s *Server) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.stop = nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Answer makes the server say code to letters for an address; 0 takes them.
func (s *Server) Answer(to string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer[to] = code
}

// Mails returns what has arrived so far.
func (s *Server) Mails() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.mails...)
}

// Wait returns the first n mails as soon as they are there.
func (s *Server) Wait(n int) []Received {
	s.t.Helper()
	for {
		s.mu.Lock()
		mails, got := s.mails, s.got
		s.mu.Unlock()
		if len(mails) >= n {
			return mails[:n]
		}
		select {
		case <-got:
		case <-s.t.Context().Done():
			s.t.Fatalf("%d of %d mails have come", len(mails), n)
		case <-time.After(20 * time.Second): // so that a test that fails says why
			s.t.Fatalf("%d of %d mails have come", len(mails), n)
		}
	}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type backend struct{ s *Server }

func (b backend) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{s: b.s, in: b.s.User == ""}, nil
}

type session struct {
	s        *Server
	in       bool
	from, to string
}

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != x.s.User || password != x.s.Password {
			return smtp.ErrAuthFailed
		}
		x.in = true
		return nil
	}), nil
}

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	if !x.in {
		return smtp.ErrAuthRequired
	}
	x.from = from
	return nil
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	code := x.s.answer[to]
	x.s.mu.Unlock()
	if code != 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "no such mailbox: " + to}
	}
	x.to = to
	return nil
}

func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := read(string(raw))
	if err != nil {
		x.s.t.Errorf("the mail server cannot read a mail: %v\n%s", err, raw)
	}
	m.From, m.To = x.from, x.to
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.mails = append(x.s.mails, m)
	close(x.s.got)
	x.s.got = make(chan struct{})
	return nil
}

func (x *session) Reset()        { x.from, x.to = "", "" }
func (x *session) Logout() error { return nil }

// read takes a mail apart as a mail program does.
func read(raw string) (m Received, err error) {
	m.Raw = raw
	msg, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return m, err
	}
	m.Header = msg.Header
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return m, err
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return m, fmt.Errorf("it is %s, %w", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		text, err := decode(p.Header, p)
		if err != nil {
			return m, err
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			m.HTML = text
		} else {
			m.Text = text
		}
	}
}

func decode(h textproto.MIMEHeader, r io.Reader) (string, error) {
	if h.Get("Content-Transfer-Encoding") != "quoted-printable" {
		return "", fmt.Errorf("a part comes as %q", h.Get("Content-Transfer-Encoding"))
	}
	b, err := io.ReadAll(quotedprintable.NewReader(r))
	return strings.ReplaceAll(string(b), "\r\n", "\n"), err
}

func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
