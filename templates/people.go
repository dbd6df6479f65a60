package templates

import "time"

// People is everybody the school knows, a hundred a page. The search is GET /people {q, role, state, skip}. Forms: POST
// /people {name, email, student_id}, POST /people/sheet {user…}, POST /people/invitations {user…}, POST
// /people/second-factor {needed}.
type People struct {
	Page
	Text, Role, State   string // of the search
	States              []string
	Rows                []PersonRow
	All, First, Last    int // how many are found, and which of them are here, from 1
	Back, Forth         string
	Outbox              Outbox
	FactorRule          bool // admins need a second factor
	HasFactor           bool // the reader has one
	Invite              bool // the form is open
	Name, Email, Number string
	Errors              map[string]string // field name → catalogue key
}

// Outbox is how mail goes out.
type Outbox struct {
	On      bool
	Waiting int
	Failing time.Time // since when the mail server does not answer; zero while it does
}

// PersonRow is somebody in a list of people.
type PersonRow struct {
	ID, Name, Email, StudentID string
	Admin, Teaches, Studies    bool
	State                      string // active, invited, disabled, erased
}

// Account is one person as an admin sees them. Forms post to /people/{id}/…: edit {name, given_name, family_name,
// email, student_id}, link {for, by}, uninvite, admin {admin}, disable, enable, sign-out, no-second-factor, erase {sure}.
type Account struct {
	Page
	PersonRow
	Given, Family                      string
	Since, Invited, Disabled, LastSeen time.Time
	Factor                             bool
	Sessions                           int
	Self                               bool // the reader's own
	Outbox                             Outbox
	NewLink, NewLinkFor                string // made just now, shown this once; for is a purpose
	Errors                             map[string]string
}

// Sheet is sign-in links to be printed and cut apart.
type Sheet struct {
	Page
	Links []SheetLink
	Until time.Time
}

// SheetLink is one slip of paper.
type SheetLink struct{ Name, StudentID, Email, URL string }

// SecondFactor sets up, shows and removes the reader's second factor. Forms post to /settings/second-factor/…: begin,
// confirm {code}, recovery {code}, remove {code}.
type SecondFactor struct {
	Page
	On      bool
	Left    int      // recovery codes left
	Secret  string   // of a factor that waits for its first code, for people to type
	URL     string   // the same for a camera
	Codes   []string // recovery codes made just now, shown this once
	Needed  bool     // the school wants admins to have one, and the reader is one
	Error   string   // catalogue key, about the code
	ErrorOf string   // which form: confirm, recovery or remove
}
