package templates

import "time"

// School is what admins set for everybody. Form: POST /school {name, zone, lang, chat, attendance, audit, access}.
type School struct {
	Page
	Name, Zone, Lang string
	Kept             []Kept
	Recordings       int               // days, 0 for ever; a setting of the program
	Errors           map[string]string // field → key
	Data             map[string]any    // for their placeholders
}

// Kept is a kind of data with the days it is kept.
type Kept struct {
	Name           string // chat, attendance, audit, access
	Days, Min, Max int
}

// Privacy is what the school keeps about people, and for how long, for everybody to read.
type Privacy struct {
	Page
	Kept       []Kept
	Recordings int // days, 0 for ever
}

// Audit is the log of what was done. Form: GET /audit {who, what, about, from, to, before}.
type Audit struct {
	Page
	Who, What, About string
	From, To         string // days
	Actions          []string
	Lines            []AuditLine
	More             string // what chooses the next page, empty when there is none
	Query            string // what chose this one, for the file
	Error            string // key
}

// AuditLine is one thing that was done.
type AuditLine struct {
	Seq    int64
	At     time.Time
	Who    string // empty: the program, or nobody who is known
	Action string
	Object string
	Detail string
}

// SelfTest is the page of the self-test. Form: POST /health.
type SelfTest struct {
	Page
	Checks  []SelfTestPart
	Running bool
	Ran     time.Time // when it ended, zero while it never did
}

// SelfTestPart is one part of it.
type SelfTestPart struct {
	Name  string // ports, data, database, storage, clock, tls, mail
	State string // waiting, running, good, bad
	Error string // in the program's own words
}

// Failed counts what must be mended.
func (s SelfTest) Failed() (n int) {
	for _, c := range s.Checks {
		if c.State == "bad" {
			n++
		}
	}
	return n
}

// Done counts what has been tried.
func (s SelfTest) Done() (n int) {
	for _, c := range s.Checks {
		if c.State == "good" || c.State == "bad" {
			n++
		}
	}
	return n
}

// Tokens is what programs sign in with. Forms: POST /tokens {name, scope, days}, POST /tokens/{id}/revoke.
type Tokens struct {
	Page
	Tokens  []APIToken
	New     string // made just now, shown this once
	NewName string
	Error   string // a sentence
}

// APIToken is a token without its secret.
type APIToken struct {
	ID, Name, Who string
	Scope         string // read or write
	Created       time.Time
	LastUsed      time.Time // zero: never
	Expires       time.Time
	State         string // working, expired, revoked
}

// Manual is the OpenAPI document for people.
type Manual struct {
	Page
	Title   string
	Version string
	About   string
	Groups  []APIGroup
}

// APIGroup is what belongs together.
type APIGroup struct {
	ID         string // of its place on the page
	Name       string
	About      string
	Operations []APIOperation
}

// APIOperation is one method of one address.
type APIOperation struct {
	ID       string // of its place on the page
	Method   string
	Path     string
	Summary  string
	About    string
	Params   []APIParam
	Body     string // its schema, as text
	BodyType string
	Answers  []APIAnswer
}

// APIParam is a part of the address.
type APIParam struct {
	Name, In, Type, About string
	Required              bool
}

// APIAnswer is one way in which an operation ends.
type APIAnswer struct {
	Status string
	About  string
	Type   string // content type, empty for no body
	Schema string // as text
}
