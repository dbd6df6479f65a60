package templates_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"chalkcast/templates"
)

var linkMail = templates.LinkMail{
	School: "Grove & Sons <School>", Name: `<b>陽翔</b>`, URL: "https://school.example/sign-in/link?token=abc&x=1", Lasts: 30 * time.Minute,
}

// Every letter in every language has its link in both parts, and nothing of a name is markup (SEC-73).
func TestLetters(t *testing.T) {
	s := newSet(t)
	subjects := map[string]bool{}
	for _, l := range templates.Languages() {
		for _, kind := range []string{templates.MailSignIn, templates.MailReset, templates.MailInvitation} {
			m := linkMail
			m.Kind = kind
			if kind == templates.MailInvitation {
				m.Lasts = 7 * 24 * time.Hour
			}
			got, err := s.Letter(l.Code, m)
			if err != nil {
				t.Fatal(err)
			}
			where := l.Code + "/" + kind
			subjects[got.Subject] = true
			if !strings.Contains(got.Subject, m.School) || !strings.Contains(got.Text, m.Name) || !strings.Contains(got.Text, "\n"+m.URL+"\n") {
				t.Errorf("%s: subject %q, text\n%s", where, got.Subject, got.Text)
			}
			if n := strings.Count(got.HTML, `href="https://school.example/sign-in/link?token=abc&amp;x=1"`); n != 2 {
				t.Errorf("%s: the link stands %d times in\n%s", where, n, got.HTML)
			}
			if strings.Contains(got.HTML, "<b>") || strings.Contains(got.HTML, "<School>") || regexp.MustCompile(`<(img|script|link|form)|src=`).MatchString(got.HTML) {
				t.Errorf("%s: markup of a name, or something to load, in\n%s", where, got.HTML)
			}
			if bad := regexp.MustCompile(`mail\.\w+|<no value>|ZgotmplZ|\{\{`).FindString(got.Text + got.HTML); bad != "" {
				t.Errorf("%s: holds %q", where, bad)
			}
		}
	}
	if len(subjects) != 15 {
		t.Errorf("%d different subjects, want 15", len(subjects))
	}
}
