package templates

import "time"

// PolicyEditor is the attendance rule of the school, or of one course. Its form: POST to its own address {version, and
// each field by its name}, or {version, restore: a version of the history}.
type PolicyEditor struct {
	Page
	CourseID string // empty: the school's
	Code     string
	Course   string
	Version  int64  // of the rules as they were read; a change of another version is refused
	Policy   Policy // what holds now
	Fields   []PolicyField
	Refused  string // why the last change was not taken, as a sentence
	History  []PolicyVersion
}

// Address is where the form goes.
func (p PolicyEditor) Address() string {
	if p.CourseID == "" {
		return "/policy"
	}
	return "/courses/" + p.CourseID + "/policy"
}

// PolicyField is one number. Weights have names that begin with "weights.".
type PolicyField struct {
	Name      string
	Unit      string // percent, length or days
	Value     string // empty: the school's
	Inherited string // of the school; empty on the school's own page
	Error     string // a sentence
}

// Weight reports whether it is one of the weights of the course rate.
func (f PolicyField) Weight() bool { return len(f.Name) > 8 && f.Name[:8] == "weights." }

// PolicyVersion is one change.
type PolicyVersion struct {
	Version int64
	Policy  Policy
	At      time.Time // zero: from the beginning
	By      string
}
