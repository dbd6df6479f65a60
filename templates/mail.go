package templates

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"
)

//go:embed mail/*.html mail/*.txt
var mailFiles embed.FS

// The purposes of a link that goes out by mail, as the catalogues name them: mail.<purpose>.subject and so on.
const (
	MailSignIn     = "sign_in"
	MailReset      = "reset"
	MailInvitation = "invitation"
)

// LinkMail is the letter around a link.
type LinkMail struct {
	School string
	Name   string // of whom it is for
	Kind   string // one of the purposes
	URL    string // the whole address
	Lasts  time.Duration
}

// Days is how long the link works where hours are no help, 0 for less than two days.
func (m LinkMail) Days() int {
	if d := int(m.Lasts.Hours() / 24); d > 1 {
		return d
	}
	return 0
}

// Mail is a letter in one language, as plain text and as HTML that loads nothing.
type Mail struct{ Subject, Text, HTML string }

// letter is mail/link in one language.
type letter struct {
	text *texttemplate.Template
	html *template.Template
}

func (s *Set) parseLetter(lang string) (l letter, err error) {
	l.html, err = template.New("link.html").Funcs(s.funcs(lang)).ParseFS(mailFiles, "mail/link.html")
	if err == nil {
		l.text, err = texttemplate.New("link.txt").Funcs(s.funcs(lang)).ParseFS(mailFiles, "mail/link.txt")
	}
	if err != nil {
		return l, fmt.Errorf("parse mail: %w", err)
	}
	return l, nil
}

// Letter writes a mail in the language lang, or in the nearest that has a catalogue.
func (s *Set) Letter(lang string, mail LinkMail) (Mail, error) {
	lang = s.Match(lang)
	if mail.School == "" {
		mail.School = "Chalkcast"
	}
	var text, html strings.Builder
	l := s.letters[lang]
	if err := errors.Join(l.text.Execute(&text, mail), l.html.Execute(&html, mail)); err != nil {
		return Mail{}, fmt.Errorf("write mail: %w", err)
	}
	subject := s.T(lang, "mail."+mail.Kind+".subject", map[string]any{"School": mail.School})
	return Mail{Subject: subject, Text: text.String(), HTML: html.String()}, nil
}
