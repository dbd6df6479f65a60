package main

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"

	"chalkcast/classroom/mail"
	"chalkcast/media"
)

// settings are what an operator may set. Every field is a flag (--http), an environment variable (CHALKCAST_HTTP)
// and a line of the settings file (http = ":8080") by one name; the flag wins over the variable, the variable over
// the file. The help texts are the manual.
type settings struct {
	HTTP    string `name:"http" default:":8080" placeholder:"ADDR" help:"Where browsers come: pages, API and streams. (default ${default})"`
	RTMP    string `name:"rtmp" default:":1935" placeholder:"ADDR" help:"Where OBS comes. Empty turns it off. (default ${default})"`
	RTMPS   string `name:"rtmps" placeholder:"ADDR" help:"The same behind TLS; needs tls-cert and tls-key. Off by default."`
	RTSP    string `name:"rtsp" default:":8554" placeholder:"ADDR" help:"Where RTSP encoders publish, over TCP. Empty turns it off. (default ${default})"`
	RTSPS   string `name:"rtsps" placeholder:"ADDR" help:"The same behind TLS; needs tls-cert and tls-key. Off by default."`
	RTSPUDP string `name:"rtsp-udp" placeholder:"ADDR" help:"Where RTP comes from RTSP encoders that insist on UDP, as in :8000: an even port, and the next one takes RTCP. Off by default, since a source address can be forged."`
	Metrics string `name:"metrics" default:"127.0.0.1:9090" placeholder:"ADDR" help:"Prometheus metrics and pprof. Keep it on the loopback address. Empty turns it off. (default ${default})"`

	BaseURL        string   `name:"base-url" placeholder:"URL" help:"How the school is reached from outside, as in https://school.example. Links are made with it; by default from the http address."`
	TLSCert        string   `name:"tls-cert" placeholder:"FILE" help:"Certificate chain for HTTPS, RTMPS and RTSPS."`
	TLSKey         string   `name:"tls-key" placeholder:"FILE" help:"Private key of the certificate."`
	TrustedProxies []string `name:"trusted-proxies" placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is believed. None by default."`

	Data     string `name:"data" placeholder:"DIR" help:"The one folder to back up: database, spool, recordings. (default ./data, of the demo ./data-demo)"`
	Database string `name:"database" placeholder:"URL" help:"sqlite:PATH or postgres://user@host/name. (default sqlite in the data folder)"`
	Storage  string `name:"storage" placeholder:"URL" help:"Where recordings live: disk:PATH or s3://bucket/prefix. (default disk in the data folder)"`

	Part string `name:"part" enum:"low,balanced,robust" default:"balanced" placeholder:"PROFILE" help:"How close to live students are: low (parts of 200 ms), balanced (500 ms), or robust (1 s), for bad networks. Lessons on air keep theirs. (default ${default})"`

	KeepRecordings int `name:"keep-recordings" default:"180" placeholder:"DAYS" help:"Recordings are deleted so many days after their lesson ended; 0 keeps them for ever. (default ${default})"`

	// kong would call them CHALKCAST_S_3_….
	S3Endpoint string       `name:"s3-endpoint" env:"CHALKCAST_S3_ENDPOINT" placeholder:"URL" help:"Address of an S3-compatible store, as in https://s3.example."`
	S3Region   string       `name:"s3-region" env:"CHALKCAST_S3_REGION" placeholder:"NAME" help:"Region of the bucket."`
	S3Key      string       `name:"s3-key" env:"CHALKCAST_S3_KEY" placeholder:"ID" help:"Access key of the bucket."`
	S3Secret   media.Secret `name:"s3-secret" env:"CHALKCAST_S3_SECRET" placeholder:"SECRET" help:"Secret of the access key; rather use CHALKCAST_S3_SECRET or the settings file."`

	SMTP         string       `name:"smtp" placeholder:"URL" help:"Mail server for invitations and sign-in links: smtp://user@host:587 (STARTTLS) or smtps://user@host:465. Without one, pages show the links to copy."`
	SMTPPassword media.Secret `name:"smtp-password" placeholder:"SECRET" help:"Password of the user at the mail server; rather use CHALKCAST_SMTP_PASSWORD or the settings file."`
	MailFrom     string       `name:"mail-from" placeholder:"ADDRESS" help:"Who mails come from, as in 'Grove School <office@school.example>'."`

	logSettings
}

type logSettings struct {
	LogLevel  slog.Level `name:"log-level" default:"INFO" placeholder:"LEVEL" help:"DEBUG, INFO, WARN or ERROR. (default ${default})"`
	LogFormat string     `name:"log-format" enum:"text,json" default:"text" help:"text or json. (default ${default})"`
}

// partLengths are the latency profiles: how long a part of the stream is. Players stay three parts behind.
var partLengths = map[string]time.Duration{
	"low": 200 * time.Millisecond, "balanced": 500 * time.Millisecond, "robust": time.Second,
}

// maxKeep is 100 years in days.
const maxKeep = 36_500

// usualData is the data folder where none is set.
const usualData = "data"

// complete fills what follows from other settings and refuses what cannot work, in words. data is the data folder
// when none was set.
func (s *settings) complete(data string) error {
	if s.Data == "" {
		s.Data = data
	}
	if s.Database == "" {
		s.Database = "sqlite:" + filepath.Join(s.Data, "chalkcast.db")
	}
	if s.Storage == "" {
		s.Storage = "disk:" + filepath.Join(s.Data, "objects")
	}
	if s.KeepRecordings < 0 || s.KeepRecordings > maxKeep {
		return fmt.Errorf("keep-recordings %d is not a number of days from 0, for ever, to %d", s.KeepRecordings, maxKeep)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return fmt.Errorf("tls-cert and tls-key belong together: one of them is missing")
	}
	if s.TLSCert == "" && (s.RTMPS != "" || s.RTSPS != "") {
		return fmt.Errorf("rtmps and rtsps need tls-cert and tls-key")
	}
	if _, err := s.mailServer(); err != nil {
		return err
	}
	if s.BaseURL != "" {
		u, err := url.Parse(s.BaseURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("base-url %q is not like https://school.example", s.BaseURL)
		}
		s.BaseURL = strings.TrimSuffix(s.BaseURL, "/")
	}
	return nil
}

// mailServer returns the mail server, nil when none is set.
func (s *settings) mailServer() (*mail.SMTP, error) {
	if s.SMTP == "" {
		return nil, nil
	}
	return mail.NewSMTP(mail.SMTPConfig{URL: s.SMTP, Password: s.SMTPPassword, From: s.MailFrom})
}

// addSettingsFile makes the file named by --config or CHALKCAST_CONFIG a source of settings.
func addSettingsFile(parser *kong.Kong, args []string) error {
	path := os.Getenv("CHALKCAST_CONFIG")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			path = v
		} else if a == "--config" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("settings file: %w", err)
	}
	values := map[string]any{}
	if err := toml.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("settings file %s: %w", path, err)
	}
	known := map[string]bool{}
	_ = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			return fmt.Errorf("settings file %s: there is no setting %q", path, name)
		}
	}
	return kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		return values[flag.Name], nil
	})).Apply(parser)
}
