package templates

// Setup is the first page of a new school. The form posts token, school, zone, name, email and password to /setup. A
// script fills in the browser's zone where none was typed.
type Setup struct {
	Page
	Token      string // from the printed link
	SchoolName string // typed before
	Zone       string // IANA
	Name       string
	Email      string
	Errors     map[string]string // field name → catalogue key: setup.password_short, setup.password_common, setup.email_bad, field.zone, field.missing
}
