package templates

import "time"

// Settings is what a person decides for themselves. Forms: POST /settings/sessions/{name}/end,
// POST /settings/sessions/end-others, POST /settings/language {lang}.
type Settings struct {
	Page
	Publishes bool // may hold stream keys
	Choose    bool // offer the choice of language
	Sessions  []Session
	Factor    bool // signs in with a code as well
}

// Session is a browser in which the reader is signed in.
type Session struct {
	Name            string
	Device          string // "Firefox · Windows", empty when nothing is known
	Since, LastUsed time.Time
	Here            bool // it shows this page
}
